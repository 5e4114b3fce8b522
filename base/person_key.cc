#include "base/person_key.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <cstring>
#include <memory>

#include "base/bytes.h"
#include "base/signature.h"
#include "base/ssh_wire.h"

namespace proofgate {
namespace {

constexpr std::string_view kEd25519 = "ssh-ed25519";
constexpr std::string_view kEcdsa = "ecdsa-sha2-nistp256";
constexpr std::string_view kCurve = "nistp256";
constexpr std::string_view kFido = "sk-ssh-ed25519@openssh.com";
// OpenSSH's own credentials begin so: a web site's, which signs what the site
// says, is no key of ours.
constexpr std::string_view kFidoApplication = "ssh:";
constexpr std::uint8_t kUserPresent = 0x01;
constexpr std::uint8_t kUserVerified = 0x04;

struct Deleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// What a key's blob holds beside its type.
struct KeyParts {
  std::string_view type, point, application;
};

Result<KeyParts> ReadKey(std::string_view blob) {
  ssh::Reader reader(blob);
  KeyParts key;
  if (!reader.String(&key.type)) return Fail(Code::kInvalid, "key: not an OpenSSH key");
  std::string_view curve;
  bool is_right = false;
  if (key.type == kEd25519) {
    is_right = reader.String(&key.point) && key.point.size() == 32;
  } else if (key.type == kEcdsa) {
    // Uncompressed, so that one key has one form.
    is_right = reader.String(&curve) && curve == kCurve && reader.String(&key.point) && key.point.size() == 65 && key.point[0] == 4;
  } else if (key.type == kFido) {
    is_right = reader.String(&key.point) && key.point.size() == 32 && reader.String(&key.application) &&
               key.application.starts_with(kFidoApplication) && key.application.size() <= 255;
  } else {
    return Fail(Code::kUnsupported, "key: type '" + std::string(key.type.substr(0, 64)) + "' is not supported (expected " +
                                        std::string(kEd25519) + ", " + std::string(kEcdsa) + " or " + std::string(kFido) + ")");
  }
  if (!is_right || !reader.rest().empty()) return Fail(Code::kInvalid, "key: not one of type " + std::string(key.type));
  return key;
}

bool Ed25519Holds(std::string_view point, std::string_view message, std::string_view signature) {
  PublicKey key;
  std::memcpy(key.bytes.data(), point.data(), key.bytes.size());
  return VerifyEd25519(key, message, signature);
}

// A positive number of at most 256 bits, as RFC 4251 writes it; DER has the same
// bytes.
bool IsScalar(std::string_view mpint) {
  if (mpint.empty() || mpint.size() > 33 || (mpint[0] & 0x80) != 0) return false;
  return mpint[0] != 0 || (mpint.size() > 1 && (mpint[1] & 0x80) != 0);
}

// RFC 5656 section 3.1.2.
bool EcdsaHolds(std::string_view point, std::string_view message, std::string_view signature) {
  ssh::Reader reader(signature);
  std::string_view r, s;
  if (!reader.String(&r) || !reader.String(&s) || !reader.rest().empty() || !IsScalar(r) || !IsScalar(s)) return false;
  std::string der("\x30");
  der += static_cast<char>(4 + r.size() + s.size());
  for (const std::string_view number : {r, s}) {
    der += '\x02';
    der += static_cast<char>(number.size());
    der += number;
  }
  char group[] = "prime256v1";
  std::string public_part(point);
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                               OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, public_part.data(), public_part.size()),
                               OSSL_PARAM_construct_end()};
  const std::unique_ptr<EVP_PKEY_CTX, Deleter> maker(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* made = nullptr;
  if (!maker || EVP_PKEY_fromdata_init(maker.get()) != 1 ||
      EVP_PKEY_fromdata(maker.get(), &made, EVP_PKEY_PUBLIC_KEY, const_cast<OSSL_PARAM*>(params)) != 1)
    return false;  // no point of the curve
  const std::unique_ptr<EVP_PKEY, Deleter> key(made);
  const std::unique_ptr<EVP_MD_CTX, Deleter> context(EVP_MD_CTX_new());
  return context && EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key.get(), nullptr) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(der.data()), der.size(),
                          reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1;
}

}  // namespace

std::string_view PersonKey::Type() const {
  const auto parts = ReadKey(blob);
  return parts ? parts->type : std::string_view();
}

std::string PersonKey::OpenSsh() const { return std::string(Type()) + " " + Base64(blob); }

Result<PersonKey> ParsePersonKey(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return Fail(Code::kInvalid, "key: 'ssh-ed25519 AAAA…' expected");
  std::string_view rest = line.substr(space + 1);
  rest = rest.substr(0, rest.find(' '));
  PersonKey key{TRY(ParseBase64(rest))};
  if (line.substr(0, space) != TRY(ReadKey(key.blob)).type) return Fail(Code::kInvalid, "key: type and content differ");
  return key;
}

Result<PersonKey> SignerKey(std::string_view armoured) {
  const std::string bytes = TRY(ssh::Unarmour(ssh::kSigBegin, ssh::kSigEnd, armoured));
  PersonKey key{std::string(TRY(ssh::ReadSig(bytes)).key)};
  TRY(ReadKey(key.blob));
  return key;
}

Status VerifyPerson(const PersonKey& key, std::string_view name_space, std::string_view message,
                    std::string_view armoured) {
  const std::string bytes = TRY(ssh::Unarmour(ssh::kSigBegin, ssh::kSigEnd, armoured));
  const ssh::SigParts parts = TRY(ssh::ReadSig(bytes));
  const KeyParts found = TRY(ReadKey(parts.key));
  if (parts.name_space != name_space)
    return Fail(Code::kInvalid, "signature: made for another namespace (expected " + std::string(name_space) + ")");
  if (!parts.reserved.empty() || parts.hash != ssh::kSigHash)
    return Fail(Code::kInvalid, "signature: sha512 expected (ssh-keygen -Y sign without -O hashalg)");
  ssh::Reader inner(parts.signature);
  std::string_view type, raw;
  if (!inner.String(&type) || type != found.type || !inner.String(&raw))
    return Fail(Code::kInvalid, "signature: " + std::string(found.type) + " expected");
  if (parts.key != key.blob) return Fail(Code::kDenied, "signature: made by another key");
  const std::string signed_part = ssh::SignedPart(name_space, message);
  bool holds = false;
  if (found.type == kFido) {
    // What the authenticator signs: the application's hash, the flags, its
    // counter, the message's hash. The counter is its own affair: a clone of a key
    // shows there only to who keeps the last one.
    std::uint8_t flags = 0;
    std::uint32_t counter = 0;
    if (!inner.U8(&flags) || !inner.U32(&counter) || !inner.rest().empty())
      return Fail(Code::kInvalid, "signature: " + std::string(found.type) + " expected");
    if ((flags & ~(kUserPresent | kUserVerified)) != 0)
      return Fail(Code::kInvalid, "signature: flags of the FIDO key that are not known");
    if ((flags & kUserPresent) == 0) return Fail(Code::kInvalid, "signature: the FIDO key was not touched");
    std::string data(AsView(Sha256(found.application)));
    data += static_cast<char>(flags);
    ssh::PutU32(counter, data);
    data += AsView(Sha256(signed_part));
    holds = Ed25519Holds(found.point, data, raw);
  } else if (!inner.rest().empty()) {
    return Fail(Code::kInvalid, "signature: bytes after its end");
  } else {
    holds = found.type == kEcdsa ? EcdsaHolds(found.point, signed_part, raw) : Ed25519Holds(found.point, signed_part, raw);
  }
  if (!holds) return Fail(Code::kDenied, "signature: does not match the message");
  return {};
}

}  // namespace proofgate
