// The encodings that OpenSSH's keys and signatures are made of: RFC 4251 section
// 5, and the text armour of PROTOCOL.key and PROTOCOL.sshsig. Any thread.

#ifndef PROOFGATE_BASE_SSH_WIRE_H_
#define PROOFGATE_BASE_SSH_WIRE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace proofgate::ssh {

inline constexpr std::size_t kMaxArmoured = 16384;
inline constexpr std::string_view kSigBegin = "-----BEGIN SSH SIGNATURE-----";
inline constexpr std::string_view kSigEnd = "-----END SSH SIGNATURE-----";

void PutU32(std::uint32_t value, std::string& out);
void PutString(std::string_view bytes, std::string& out);

// Each takes from the front, or says that it is not there and takes nothing.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool U8(std::uint8_t* value);
  bool U32(std::uint32_t* value);
  bool String(std::string_view* bytes);  // a view into what was given
  bool Literal(std::string_view bytes);
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

std::string Armour(std::string_view begin, std::string_view end, std::string_view bytes);
Result<std::string> Unarmour(std::string_view begin, std::string_view end, std::string_view text);

// The parts of a signature, as views into its bytes (Unarmour). kInvalid: not an
// SSHSIG of version 1.
struct SigParts {
  std::string_view key, name_space, reserved, hash, signature;
};
Result<SigParts> ReadSig(std::string_view bytes);
// What is signed: the message by its SHA-512 (`hash` of SigParts is then kSigHash).
inline constexpr std::string_view kSigHash = "sha512";
std::string SignedPart(std::string_view name_space, std::string_view message);
// The whole signature, in armour.
std::string WriteSig(std::string_view key, std::string_view name_space, std::string_view signature);

}  // namespace proofgate::ssh

#endif  // PROOFGATE_BASE_SSH_WIRE_H_
