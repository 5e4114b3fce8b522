#include "base/signature.h"

#include <sodium.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/durable.h"
#include "base/ssh_wire.h"

namespace proofgate {

using ssh::Armour;
using ssh::PutString;
using ssh::PutU32;
using ssh::Reader;
using ssh::Unarmour;

namespace {

constexpr std::string_view kKeyType = "ssh-ed25519";
constexpr std::string_view kPrivateMagic{"openssh-key-v1\0", 15};
constexpr std::string_view kKeyBegin = "-----BEGIN OPENSSH PRIVATE KEY-----";
constexpr std::string_view kKeyEnd = "-----END OPENSSH PRIVATE KEY-----";

const unsigned char* Raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string_view View(const std::array<std::uint8_t, 32>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string KeyBlob(const PublicKey& key) {
  std::string blob;
  PutString(kKeyType, blob);
  PutString(View(key.bytes), blob);
  return blob;
}

Result<PublicKey> ParseKeyBlob(std::string_view blob) {
  Reader reader(blob);
  std::string_view type;
  std::string_view bytes;
  if (!reader.String(&type)) return Fail(Code::kInvalid, "key: not an OpenSSH key");
  if (type != kKeyType)
    return Fail(Code::kInvalid, "key: type '" + std::string(type.substr(0, 64)) +
                                    "' is not supported (expected ssh-ed25519)");
  if (!reader.String(&bytes) || bytes.size() != 32 || !reader.rest().empty())
    return Fail(Code::kInvalid, "key: 32 bytes expected");
  PublicKey key;
  std::memcpy(key.bytes.data(), bytes.data(), key.bytes.size());
  return key;
}

class Ed25519Signer final : public Signer {
 public:
  // `secret` is libsodium's form: seed, then public key.
  explicit Ed25519Signer(std::string_view secret) {
    std::memcpy(secret_.data(), secret.data(), secret_.size());
    std::memcpy(key_.bytes.data(), secret_.data() + 32, 32);
  }
  ~Ed25519Signer() override { sodium_memzero(secret_.data(), secret_.size()); }
  const PublicKey& public_key() const override { return key_; }
  std::string Sign(std::string_view message) const override {
    std::string signature(crypto_sign_BYTES, '\0');
    crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr,
                         Raw(message), message.size(), secret_.data());
    return signature;
  }

 private:
  std::array<unsigned char, 64> secret_{};
  PublicKey key_;
};

Result<std::unique_ptr<Signer>> ParsePrivateKey(const std::string& path, std::string_view text) {
  const auto wrong = [&path](const std::string& what) {
    return Fail(Code::kInvalid, path + ": " + what);
  };
  const auto blob = Unarmour(kKeyBegin, kKeyEnd, text);
  if (!blob) return wrong(blob.error().message);
  Reader reader(*blob);
  std::string_view cipher, kdf, options, public_blob, secret_block;
  std::uint32_t count = 0;
  if (!reader.Literal(kPrivateMagic) || !reader.String(&cipher) || !reader.String(&kdf) ||
      !reader.String(&options) || !reader.U32(&count) || !reader.String(&public_blob) ||
      !reader.String(&secret_block) || !reader.rest().empty())
    return wrong("not an OpenSSH private key");
  if (cipher != "none" || kdf != "none" || count != 1)
    return wrong("one unencrypted key expected (the daemon cannot ask for a passphrase)");
  const PublicKey key = TRY(ParseKeyBlob(public_blob));
  Reader inner(secret_block);
  std::uint32_t check1 = 0, check2 = 0;
  std::string_view type, bytes, secret, comment;
  if (!inner.U32(&check1) || !inner.U32(&check2) || check1 != check2 || !inner.String(&type) ||
      type != kKeyType || !inner.String(&bytes) || !inner.String(&secret) ||
      secret.size() != 64 || !inner.String(&comment))
    return wrong("private part is damaged");
  std::array<unsigned char, 32> derived{};
  std::array<unsigned char, 64> whole{};
  crypto_sign_seed_keypair(derived.data(), whole.data(), Raw(secret));
  sodium_memzero(whole.data(), whole.size());
  if (bytes != View(key.bytes) || secret.substr(32) != View(key.bytes) ||
      std::memcmp(derived.data(), key.bytes.data(), 32) != 0)
    return wrong("private and public part do not belong together");
  return std::make_unique<Ed25519Signer>(secret);
}

Status Ready() {
  if (sodium_init() < 0) return Fail(Code::kUnsupported, "libsodium: no random numbers");
  return {};
}

// c2sp.org/signed-note: first 4 bytes of SHA-256(name LF 0x01 key).
std::string NoteKeyId(const PublicKey& key, std::string_view key_name) {
  const Digest digest = Sha256({key_name, "\n\x01", View(key.bytes)});
  return std::string(AsView(digest).substr(0, 4));
}

constexpr std::string_view kDash = "\xe2\x80\x94 ";

}  // namespace

std::string PublicKey::OpenSsh() const {
  return std::string(kKeyType) + " " + Base64(KeyBlob(*this));
}

std::string PublicKey::Pem() const {
  // RFC 8410: SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING }.
  std::string der("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12);
  der += View(bytes);
  return "-----BEGIN PUBLIC KEY-----\n" + Base64(der) + "\n-----END PUBLIC KEY-----\n";
}

Result<PublicKey> ParseOpenSshPublicKey(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos)
    return Fail(Code::kInvalid, "key: 'ssh-ed25519 AAAA…' expected");
  std::string_view rest = line.substr(space + 1);
  rest = rest.substr(0, rest.find(' '));
  const std::string blob = TRY(ParseBase64(rest));
  const PublicKey key = TRY(ParseKeyBlob(blob));
  if (line.substr(0, space) != kKeyType)
    return Fail(Code::kInvalid, "key: type and content differ");
  return key;
}

Result<std::unique_ptr<Signer>> LoadSigner(const std::string& path) {
  TRY(Ready());
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return FailErrno(errno, "open " + path);
  if ((info.st_mode & 077) != 0)
    return Fail(Code::kDenied, path + ": readable by others (expected mode 0600)");
  std::string text = TRY(ReadFile(path, ssh::kMaxArmoured));
  auto signer = ParsePrivateKey(path, text);
  sodium_memzero(text.data(), text.size());
  return signer;
}

Result<std::unique_ptr<Signer>> CreateSigner(const std::string& path, std::string_view comment) {
  TRY(Ready());
  struct stat info{};
  if (::lstat(path.c_str(), &info) == 0)
    return Fail(Code::kInvalid, path + ": exists; a key is never replaced");
  PublicKey key;
  std::string secret(64, '\0');
  crypto_sign_keypair(key.bytes.data(), reinterpret_cast<unsigned char*>(secret.data()));
  std::string inner;
  std::uint32_t check = randombytes_random();
  PutU32(check, inner);
  PutU32(check, inner);
  PutString(kKeyType, inner);
  PutString(View(key.bytes), inner);
  PutString(secret, inner);
  PutString(comment, inner);
  for (char pad = 1; inner.size() % 8 != 0; ++pad) inner += pad;
  std::string blob(kPrivateMagic);
  PutString("none", blob);
  PutString("none", blob);
  PutString("", blob);
  PutU32(1, blob);
  PutString(KeyBlob(key), blob);
  PutString(inner, blob);
  TRY(WriteFileDurably(path, Armour(kKeyBegin, kKeyEnd, blob), 0600));
  TRY(WriteFileDurably(path + ".pub", key.OpenSsh() + " " + std::string(comment) + "\n", 0644));
  return LoadSigner(path);
}

bool VerifyEd25519(const PublicKey& key, std::string_view message, std::string_view signature) {
  if (signature.size() != crypto_sign_BYTES) return false;
  return crypto_sign_verify_detached(Raw(signature), Raw(message), message.size(),
                                     key.bytes.data()) == 0;
}

std::string SshSign(const Signer& signer, std::string_view name_space, std::string_view message) {
  std::string signature;
  PutString(kKeyType, signature);
  PutString(signer.Sign(ssh::SignedPart(name_space, message)), signature);
  return ssh::WriteSig(KeyBlob(signer.public_key()), name_space, signature);
}

Status SshVerify(const PublicKey& key, std::string_view name_space, std::string_view message,
                 std::string_view armoured) {
  const std::string bytes = TRY(Unarmour(ssh::kSigBegin, ssh::kSigEnd, armoured));
  const ssh::SigParts parts = TRY(ssh::ReadSig(bytes));
  const PublicKey found = TRY(ParseKeyBlob(parts.key));
  if (parts.name_space != name_space)
    return Fail(Code::kInvalid, "signature: made for another namespace (expected " +
                                    std::string(name_space) + ")");
  if (!parts.reserved.empty() || parts.hash != ssh::kSigHash)
    return Fail(Code::kInvalid, "signature: sha512 expected");
  Reader inner(parts.signature);
  std::string_view type, raw;
  if (!inner.String(&type) || type != kKeyType || !inner.String(&raw) || !inner.rest().empty())
    return Fail(Code::kInvalid, "signature: ssh-ed25519 expected");
  if (!(found == key)) return Fail(Code::kDenied, "signature: made by another key");
  if (!VerifyEd25519(key, ssh::SignedPart(name_space, message), raw))
    return Fail(Code::kDenied, "signature: does not match the message");
  return {};
}

std::string SignNote(const Signer& signer, std::string_view key_name, std::string_view text) {
  std::string out(text);
  out += '\n';
  out += kDash;
  out += key_name;
  out += ' ';
  out += Base64(NoteKeyId(signer.public_key(), key_name) + signer.Sign(text));
  out += '\n';
  return out;
}

Result<Note> VerifyNote(const PublicKey& key, std::string_view key_name, std::string_view note) {
  if (note.size() > 1'000'000) return Fail(Code::kInvalid, "note: too long");
  const std::size_t split = note.rfind("\n\n");
  if (split == std::string_view::npos || note.back() != '\n')
    return Fail(Code::kInvalid, "note: text, blank line, signatures expected");
  const std::string_view text = note.substr(0, split + 1);
  std::string_view lines = note.substr(split + 2);
  const std::string prefix = std::string(kDash) + std::string(key_name) + " ";
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(line.size() + 1);
    if (line.substr(0, kDash.size()) != kDash)
      return Fail(Code::kInvalid, "note: signature line expected");
    if (line.substr(0, prefix.size()) != prefix) continue;  // someone else's signature
    const std::string bytes = TRY(ParseBase64(line.substr(prefix.size())));
    if (bytes.size() != 68 || bytes.substr(0, 4) != NoteKeyId(key, key_name)) continue;
    if (!VerifyEd25519(key, text, std::string_view(bytes).substr(4)))
      return Fail(Code::kDenied, "note: signature does not match the text");
    return Note{std::string(text)};
  }
  return Fail(Code::kDenied, "note: no signature by " + std::string(key_name));
}

std::string NoteVerifierKey(const PublicKey& key, std::string_view key_name) {
  return std::string(key_name) + "+" + Hex(NoteKeyId(key, key_name)) + "+" +
         Base64("\x01" + std::string(View(key.bytes)));
}

}  // namespace proofgate
