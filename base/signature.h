// Ed25519 keys, SSHSIG signatures (openssh PROTOCOL.sshsig) and C2SP signed notes.
//
// Everything we sign verifies with `ssh-keygen -Y verify`; checkpoints are
// signed notes (c2sp.org/signed-note, tlog-checkpoint). One thread per Signer.

#ifndef PROOFGATE_BASE_SIGNATURE_H_
#define PROOFGATE_BASE_SIGNATURE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace proofgate {

struct PublicKey {
  std::array<std::uint8_t, 32> bytes{};
  bool operator==(const PublicKey&) const = default;

  std::string OpenSsh() const;  // "ssh-ed25519 AAAA…", no comment
  std::string Pem() const;      // SubjectPublicKeyInfo, for openssl
};
Result<PublicKey> ParseOpenSshPublicKey(std::string_view line);

class Signer {
 public:
  virtual ~Signer() = default;
  virtual const PublicKey& public_key() const = 0;
  // Raw Ed25519 over `message`, 64 bytes.
  virtual std::string Sign(std::string_view message) const = 0;
};

// Reads or makes an unencrypted OpenSSH private key file (mode 0600), the
// format of `ssh-keygen -t ed25519 -N ''`. Create refuses an existing path.
Result<std::unique_ptr<Signer>> LoadSigner(const std::string& path);
Result<std::unique_ptr<Signer>> CreateSigner(const std::string& path, std::string_view comment);

bool VerifyEd25519(const PublicKey& key, std::string_view message, std::string_view signature);

// Armoured SSHSIG ("-----BEGIN SSH SIGNATURE-----…", SHA-512).
std::string SshSign(const Signer& signer, std::string_view name_space, std::string_view message);
// kInvalid: not an SSHSIG, other key type, other namespace; kDenied: wrong signature or key.
Status SshVerify(const PublicKey& key, std::string_view name_space, std::string_view message,
                 std::string_view armoured);

// C2SP signed note: text (ends in a newline) + blank line + "— name base64(keyid|sig)".
std::string SignNote(const Signer& signer, std::string_view key_name, std::string_view text);
struct Note {
  std::string text;  // with its final newline; the bytes that are signed
};
Result<Note> VerifyNote(const PublicKey& key, std::string_view key_name, std::string_view note);
// "name+keyid+base64(0x01|key)", for standard note verifiers.
std::string NoteVerifierKey(const PublicKey& key, std::string_view key_name);

}  // namespace proofgate

#endif  // PROOFGATE_BASE_SIGNATURE_H_
