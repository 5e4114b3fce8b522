// SshVerify, VerifyPerson and the readers of keys: on any bytes, on any bytes in right
// armour, and on a right signature with bytes of it exchanged.

#include "base/bytes.h"
#include "base/person_key.h"
#include "base/ssh_wire.h"
#include "tests/fuzz/fixed_signer.h"
#include "tests/fuzz/holds.h"

using namespace proofgate;

namespace {

constexpr std::string_view kNamespace = "receipt@proofgate";

std::string Armoured(std::string_view blob) {
  return "-----BEGIN SSH SIGNATURE-----\n" + Base64(blob) + "\n-----END SSH SIGNATURE-----\n";
}

std::string Blob(std::string armoured) {
  const std::size_t begin = armoured.find('\n') + 1;
  std::string text;
  for (const char c : armoured.substr(begin, armoured.rfind("\n-----END") - begin))
    if (c != '\n') text += c;
  return *ParseBase64(text);
}

void CheckKey(std::string_view line) {
  const auto key = ParseOpenSshPublicKey(line);
  if (!key) return;
  const auto again = ParseOpenSshPublicKey(key->OpenSsh() + " comment\n");
  Holds(again.has_value() && *again == *key);
  Holds(line.substr(0, key->OpenSsh().size()) == key->OpenSsh());
}

// What people sign with: the same of Ed25519, and of the other types no key but
// one in its own form, no signature but by the key.
void CheckPerson(std::string_view bytes, std::string_view right, const PublicKey& own) {
  for (const std::string& line : {std::string(bytes), "ssh-ed25519 " + Base64(bytes), "ecdsa-sha2-nistp256 " + Base64(bytes),
                                  "sk-ssh-ed25519@openssh.com " + Base64(bytes)}) {
    const auto key = ParsePersonKey(line);
    if (!key) continue;
    const auto again = ParsePersonKey(key->OpenSsh() + " comment\n");
    Holds(again.has_value() && *again == *key);
    // The right signature, as if it were by this key.
    std::string signature;
    ssh::PutString(key->Type(), signature);
    ssh::PutString(right.substr(right.size() - 64), signature);
    if (key->Type().starts_with("sk-")) signature.append("\x01\0\0\0\x07", 5);
    Holds(!VerifyPerson(*key, kNamespace, "message", ssh::WriteSig(key->blob, kNamespace, signature)) ||
          key->OpenSsh() == own.OpenSsh());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const FixedSigner signer;
  static const std::string right = Blob(SshSign(signer, kNamespace, "message"));
  const PublicKey& key = signer.public_key();
  const std::string_view bytes = AsText(data, size);
  const PersonKey person = *ParsePersonKey(key.OpenSsh());
  const auto verifies = [&](std::string_view armoured) {
    const bool is_right = SshVerify(key, kNamespace, "message", armoured).has_value();
    Holds(VerifyPerson(person, kNamespace, "message", armoured).has_value() == is_right);
    return is_right;
  };
  // Ed25519 signatures are unique, so only the right blob may verify.
  Holds(!verifies(Armoured(bytes)) || bytes == right);
  (void)verifies(bytes);
  if (size >= 2) {
    // Two bytes of place, then what to write there.
    std::string changed = right;
    const std::size_t at = static_cast<std::size_t>(data[0] * 256 + data[1]) % right.size();
    changed.replace(at, size - 2, bytes.substr(2));
    Holds(!verifies(Armoured(changed)) || changed == right);
  }
  Holds(SshVerify(key, kNamespace, bytes, SshSign(signer, kNamespace, bytes)).has_value());
  CheckKey(bytes);
  CheckKey("ssh-ed25519 " + Base64(bytes));
  CheckPerson(bytes, right, key);
  return 0;
}
