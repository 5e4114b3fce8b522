// SshVerify and ParseOpenSshPublicKey: on any bytes, on any bytes in right
// armour, and on a right signature with bytes of it exchanged.

#include "base/bytes.h"
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const FixedSigner signer;
  static const std::string right = Blob(SshSign(signer, kNamespace, "message"));
  const PublicKey& key = signer.public_key();
  const std::string_view bytes = AsText(data, size);
  const auto verifies = [&](std::string_view armoured) {
    return SshVerify(key, kNamespace, "message", armoured).has_value();
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
  return 0;
}
