// CanonTrust: whose canon this host takes, which bundle is in force, and until
// when. State: Meta trust_root, canon_bundle, canon_bundle_by, bundle/. Main thread only.

#ifndef PROOFGATE_AGENT_CANON_TRUST_H_
#define PROOFGATE_AGENT_CANON_TRUST_H_

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/signature.h"
#include "ledger/ledger.h"
#include "policy/bundle.h"

namespace proofgate::agent {

// Meta bundle/VERSION keeps the newest ones that were in force.
inline constexpr std::uint64_t kKeptBundles = 16;

// The record that pins a trust root, for init and for a host without one.
ledger::Record TrustRootRecord(const std::string& bytes, const policy::TrustRoot& root, const std::string& why);

class CanonTrust {
 public:
  // Reads what is pinned; pins the host's own root where nothing is. All
  // arguments outlive it. kCorrupt.
  static Result<std::unique_ptr<CanonTrust>> Load(ledger::Ledger& ledger, const Signer& signer, const Clock& clock);

  const policy::TrustRoot& root() const { return root_; }
  // The highest ever in force, under roots that are not the host's own when the
  // pinned one is not: what the host made for itself is no step of anyone else's.
  std::uint64_t version() const { return is_of_root() ? version_ : 0; }

  // A plain file as a bundle that the host's own root signs. SIGNATURE_REQUIRED
  // when somebody else's root is pinned; that is recorded, too.
  Result<policy::Bundle> OwnBundle(const std::string& text, const std::string& tenant, const std::string& principal);
  // A refusal of either is recorded (CANON_REFUSED).
  Result<policy::Bundle> Open(const std::string& envelope, const std::string& principal);
  Result<policy::VerifiedBundle> Verify(const policy::Bundle& bundle, const std::vector<policy::Canon>& in_force,
                                        const std::string& principal);

  // CANON_REFUSED, and the error as the answer. `bytes`: what was refused.
  tl::unexpected<Error> RecordRefusal(std::string_view bytes, const Error& why, const std::string& principal);

  // What a bundle is compared with now.
  policy::HostState HostNow() const;
  // The host's own signature over a manifest; only where its root is its own.
  std::string SignOwn(const std::string& manifest) const { return SshSign(signer_, policy::kCanonNamespace, manifest); }

  // What goes into the batch that puts it into force; then InForce.
  void Record(const policy::VerifiedBundle& verified, const policy::Bundle& bundle, std::vector<ledger::Record>& records,
              ledger::Meta& meta) const;
  void InForce(const policy::VerifiedBundle& verified) { InForce(verified, root_.is_local); }

  // Pins `bytes` instead, if the thresholds of both agree. The host's own root
  // signs by itself: it is the host's key.
  Result<json::Object> ChangeRoot(const std::string& bytes, std::vector<std::string> signatures,
                                  const std::string& principal);

  // May receipts be issued, may standing receipts be renewed? By the expiry of
  // the bundle in force, and the wall clock.
  bool MayIssue() const;
  bool MayRenew() const;
  // For how long what follows the bundle in force must have run beside it.
  std::uint64_t shadow_seconds() const { return shadow_seconds_; }
  json::Object Describe() const;

 private:
  void InForce(const policy::VerifiedBundle& verified, bool is_local);
  CanonTrust(ledger::Ledger& ledger, const Signer& signer, const Clock& clock)
      : ledger_(ledger), signer_(signer), clock_(clock) {}
  bool HasExpired() const;
  bool is_of_root() const { return is_local_bundle_ == root_.is_local; }
  ledger::Ledger& ledger_;
  const Signer& signer_;
  const Clock& clock_;
  policy::TrustRoot root_;
  std::string root_bytes_;
  std::uint64_t version_ = 0;       // of the bundle in force
  bool is_local_bundle_ = false;    // which the host's own root made
  std::string manifest_digest_;
  std::string expires_utc_;
  std::uint64_t expires_seconds_ = 0;
  policy::AtExpiry at_expiry_ = policy::AtExpiry::kKeep;
  std::uint64_t shadow_seconds_ = 0;
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_CANON_TRUST_H_
