// The rows of `proofgate canon` that build, sign, verify and judge.

#include <CLI/CLI.hpp>

#include <memory>

#include "agent/cli/canon.h"

namespace proofgate::cli {

void AddCanonCommands(CLI::App& canon, const AddCommand& add) {
  const auto own = std::make_shared<CanonOptions>();
  const auto calls = [own](int (*command)(const Options&, const CanonOptions&)) {
    return [own, command](const Options& options) { return command(options, *own); };
  };

  CLI::App* at = add(canon, "build", "make a bundle to be signed: the same bytes on any machine",
                     "  proofgate canon build --out canon-7 --version 7 --previous canon-6/manifest.json \\\n"
                     "    --tenant acme --host-group web --expires 2027-01-31T00:00:00Z billing.yaml",
                     calls(BuildCanon));
  at->add_option("FILE", own->files, "canon files, YAML")->required();
  at->add_option("--out", own->out, "a directory that does not exist")->required();
  at->add_option("--version", own->version, "above every version before")->required();
  at->add_option("--tenant", own->tenant, "to whom the hosts belong")->required();
  at->add_option("--host-group", own->host_group, "only for hosts of this group");
  at->add_option("--previous", own->previous, "the manifest.json that it follows");
  at->add_option("--expires", own->expires, "UTC, as in 2027-01-31T00:00:00Z; never when left out");
  at->add_option("--at-expiry", own->at_expiry, "deny-new, standing-only or keep")->capture_default_str();
  at->add_option("--old-receipts", own->old_receipts, "review, keep or revoke")->capture_default_str();
  at->add_option("--shadow-seconds", own->shadow_seconds, "how long what follows this one runs beside it before it is promoted; at most 2592000");

  at = add(canon, "sign", "sign a bundle with ssh-keygen: a key file, or a public key whose agent holds it",
           "  proofgate canon sign canon-7 --key ~/.ssh/id_ed25519 --name alice", calls(SignCanon));
  at->add_option("DIR", own->dir, "what `canon build` made")->required();
  at->add_option("--key", own->key, "for ssh-keygen -Y sign -f")->required();
  at->add_option("--name", own->name, "of the signature's file: NAME.sig")->required();

  at = add(canon, "verify", "check a bundle offline, from a trust root alone",
           "  proofgate canon verify canon-7 --root root.json\n"
           "  proofgate canon verify canon-7 --root root.json --previous canon-6/manifest.json",
           calls(VerifyCanon));
  at->add_option("DIR", own->dir, "the bundle's directory")->required();
  at->add_option("--root", own->root, "the trust root")->required();
  at->add_option("--previous", own->previous, "the manifest.json in force");

  at = add(canon, "pack", "a signed bundle as one file, for the drop directory of a host",
           "  proofgate canon pack canon-7 --out canon-7.bundle\n  mv canon-7.bundle /var/lib/proofgate/drop/", calls(PackCanon));
  at->add_option("DIR", own->dir, "the bundle's directory")->required();
  at->add_option("--out", own->out, "NAME.bundle")->required();

  at = add(canon, "trust", "show the trust root that is pinned, or pin another by the thresholds of both",
           "  proofgate canon trust\n  proofgate canon trust root-2.json --signature carol.sig --signature dan.sig",
           calls(TrustCanon));
  at->add_option("ROOT", own->root, "a trust root");
  at->add_option("--signature", own->signatures, "ssh-keygen -Y sign -n root@proofgate over it; may be repeated");

  at = add(canon, "learn", "what a domain that observes did beyond its canon, as rules with the evidence beside",
           "  proofgate canon learn --domain demo > proposed.yaml", calls(LearnCanon));
  at->add_option("--domain", own->domain, "a domain whose mode is observe")->required();
  at->add_option("--last", own->last, "only so many newest entries");

  at = add(canon, "replay", "the ledger's acts and refusals through another canon: every answer that would change",
           "  proofgate canon replay new.yaml\n  proofgate canon replay new.yaml --last 100000 --acknowledge 3f2a91c0aa17", calls(ReplayCanon));
  at->add_option("FILE", own->files, "the canon, YAML")->required();
  at->add_option("--acknowledge", own->acknowledged, "the name of a changed answer that is meant; may be repeated");
  at->add_option("--last", own->last, "only so many newest entries");

  AddPromotionCommands(canon, add, own);
}

}  // namespace proofgate::cli
