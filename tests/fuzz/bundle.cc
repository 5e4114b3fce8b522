// Envelopes, manifests and trust roots of any bytes: never a crash; what is read
// has one canonical form; nothing verifies without a signature.

#include "policy/bundle.h"
#include "tests/fuzz/holds.h"

using namespace proofgate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(AsText(data, size));
  if (const auto manifest = policy::ParseManifest(text)) {
    Holds(policy::EncodeManifest(*manifest) == text);
    Holds(manifest->version != 0 && !manifest->files.empty());
  }
  const auto root = policy::ParseTrustRoot(text);
  if (root) {
    Holds(root->canon.threshold != 0 && root->root.threshold != 0);
    Holds(root->canon.threshold <= root->canon.keys.size());
    Holds(!policy::VerifyBundle(*root, {}, {text, {}, {}}));
    Holds(!policy::VerifyRootChange(*root, text, {}));
  }
  if (const auto bundle = policy::ParseBundle(text)) {
    const std::string bytes = policy::EncodeBundle(*bundle);
    const auto again = policy::ParseBundle(bytes);
    Holds(again.has_value());
    Holds(policy::EncodeBundle(*again) == bytes);
    const auto known = policy::ParseTrustRoot(
        R"({"format":1,"version":1,"tenant":"t","roles":{"root":{"threshold":1,"keys":[{"owner":"r","key":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"}]},"canon":{"threshold":1,"keys":[{"owner":"c","key":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB8eHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEA"}]}}})");
    Holds(known.has_value());
    Holds(!policy::VerifyBundle(*known, {}, *bundle));
  }
  (void)policy::ParseUtcSeconds(text);
  return 0;
}
