// Bytes: hex, base64, SHA-256, constant-time comparison, random bytes.

#ifndef PROOFGATE_BASE_BYTES_H_
#define PROOFGATE_BASE_BYTES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/result.h"

namespace proofgate {

using Digest = std::array<std::uint8_t, 32>;

std::string Hex(std::string_view bytes);
std::string Hex(const Digest& digest);
Result<std::string> ParseHex(std::string_view hex);       // kInvalid
Result<Digest> ParseDigest(std::string_view hex);         // 64 lower-case digits, else kInvalid

std::string Base64(std::string_view bytes);               // RFC 4648 with padding
Result<std::string> ParseBase64(std::string_view text);   // strict: canonical padding only

// SHA-256 of the parts in a row (OpenSSL 3, a fetched EVP_MD, thread-local context).
Digest Sha256(std::initializer_list<std::string_view> parts);
inline Digest Sha256(std::string_view bytes) { return Sha256({bytes}); }

// The same over bytes that come in pieces.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;
  void Update(std::string_view bytes);
  Digest Finish();  // once

 private:
  void* context_;  // EVP_MD_CTX
};

inline std::string_view AsView(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

bool ConstantTimeEqual(std::string_view a, std::string_view b);
std::string RandomBytes(std::size_t count);               // libsodium randombytes_buf

}  // namespace proofgate

#endif  // PROOFGATE_BASE_BYTES_H_
