#include "base/signature.h"

#include <sodium.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/durable.h"

namespace proofgate {
namespace {

constexpr std::string_view kKeyType = "ssh-ed25519";
constexpr std::string_view kPrivateMagic{"openssh-key-v1\0", 15};
constexpr std::string_view kSigMagic = "SSHSIG";
constexpr std::string_view kSigHash = "sha512";
constexpr std::string_view kSigBegin = "-----BEGIN SSH SIGNATURE-----";
constexpr std::string_view kSigEnd = "-----END SSH SIGNATURE-----";
constexpr std::string_view kKeyBegin = "-----BEGIN OPENSSH PRIVATE KEY-----";
constexpr std::string_view kKeyEnd = "-----END OPENSSH PRIVATE KEY-----";
constexpr std::size_t kMaxArmoured = 16384;

const unsigned char* Raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string_view View(const std::array<std::uint8_t, 32>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// RFC 4251 section 5.
void PutU32(std::uint32_t value, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xff);
}

void PutString(std::string_view bytes, std::string& out) {
  PutU32(static_cast<std::uint32_t>(bytes.size()), out);
  out += bytes;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool U32(std::uint32_t* value) {
    if (rest_.size() < 4) return false;
    *value = 0;
    for (int i = 0; i < 4; ++i) *value = (*value << 8) | static_cast<unsigned char>(rest_[static_cast<std::size_t>(i)]);
    rest_.remove_prefix(4);
    return true;
  }
  bool String(std::string_view* bytes) {
    std::uint32_t size = 0;
    if (!U32(&size) || rest_.size() < size) return false;
    *bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }
  bool Literal(std::string_view bytes) {
    if (rest_.substr(0, bytes.size()) != bytes) return false;
    rest_.remove_prefix(bytes.size());
    return true;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

std::string Armour(std::string_view begin, std::string_view end, std::string_view bytes) {
  const std::string encoded = Base64(bytes);
  std::string out(begin);
  out += '\n';
  for (std::size_t i = 0; i < encoded.size(); i += 70) {
    out += encoded.substr(i, 70);
    out += '\n';
  }
  out += end;
  out += '\n';
  return out;
}

Result<std::string> Unarmour(std::string_view begin, std::string_view end, std::string_view text) {
  if (text.size() > kMaxArmoured) return Fail(Code::kInvalid, "armour: too long");
  if (text.substr(0, begin.size()) != begin)
    return Fail(Code::kInvalid, "armour: '" + std::string(begin) + "' expected");
  const std::size_t stop = text.find(end, begin.size());
  if (stop == std::string_view::npos)
    return Fail(Code::kInvalid, "armour: '" + std::string(end) + "' expected");
  const std::string_view tail = text.substr(stop + end.size());
  if (tail.find_first_not_of("\r\n") != std::string_view::npos)
    return Fail(Code::kInvalid, "armour: text after its end");
  std::string encoded;
  for (const char c : text.substr(begin.size(), stop - begin.size()))
    if (c != '\n' && c != '\r') encoded += c;
  return ParseBase64(encoded);
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

std::string SignedPart(std::string_view name_space, std::string_view message) {
  std::array<unsigned char, crypto_hash_sha512_BYTES> hash{};
  crypto_hash_sha512(hash.data(), Raw(message), message.size());
  std::string part(kSigMagic);
  PutString(name_space, part);
  PutString("", part);
  PutString(kSigHash, part);
  PutString({reinterpret_cast<const char*>(hash.data()), hash.size()}, part);
  return part;
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
  std::string text = TRY(ReadFile(path, kMaxArmoured));
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
  PutString(signer.Sign(SignedPart(name_space, message)), signature);
  std::string blob(kSigMagic);
  PutU32(1, blob);
  PutString(KeyBlob(signer.public_key()), blob);
  PutString(name_space, blob);
  PutString("", blob);
  PutString(kSigHash, blob);
  PutString(signature, blob);
  return Armour(kSigBegin, kSigEnd, blob);
}

Result<PublicKey> SshSignatureKey(std::string_view armoured) {
  const std::string blob = TRY(Unarmour(kSigBegin, kSigEnd, armoured));
  Reader reader(blob);
  std::uint32_t version = 0;
  std::string_view key_blob, type;
  if (!reader.Literal(kSigMagic) || !reader.U32(&version) || version != 1 || !reader.String(&key_blob))
    return Fail(Code::kInvalid, "signature: not an SSHSIG of version 1");
  Reader inner(key_blob);
  if (!inner.String(&type)) return Fail(Code::kInvalid, "signature: no key");
  auto key = ParseKeyBlob(key_blob);
  if (!key && type != kKeyType) return Fail(Code::kUnsupported, key.error().message);
  return key;
}

Status SshVerify(const PublicKey& key, std::string_view name_space, std::string_view message,
                 std::string_view armoured) {
  const std::string blob = TRY(Unarmour(kSigBegin, kSigEnd, armoured));
  Reader reader(blob);
  std::uint32_t version = 0;
  std::string_view key_blob, found_space, reserved, hash, signature;
  if (!reader.Literal(kSigMagic) || !reader.U32(&version) || version != 1 ||
      !reader.String(&key_blob) || !reader.String(&found_space) || !reader.String(&reserved) ||
      !reader.String(&hash) || !reader.String(&signature) || !reader.rest().empty())
    return Fail(Code::kInvalid, "signature: not an SSHSIG of version 1");
  const PublicKey found = TRY(ParseKeyBlob(key_blob));
  if (found_space != name_space)
    return Fail(Code::kInvalid, "signature: made for another namespace (expected " +
                                    std::string(name_space) + ")");
  if (!reserved.empty() || hash != kSigHash)
    return Fail(Code::kInvalid, "signature: sha512 expected");
  Reader inner(signature);
  std::string_view type, bytes;
  if (!inner.String(&type) || type != kKeyType || !inner.String(&bytes) || !inner.rest().empty())
    return Fail(Code::kInvalid, "signature: ssh-ed25519 expected");
  if (!(found == key)) return Fail(Code::kDenied, "signature: made by another key");
  if (!VerifyEd25519(key, SignedPart(name_space, message), bytes))
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
