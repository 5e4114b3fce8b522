// Bundle: a canon as it is signed and carried to hosts, and the trust root that
// says whose signatures count.
//
// Pure: bytes in, a verdict out. What is verified are the bytes as received.
// Formats: docs/format/bundle.md. The attacks this answers are those of The
// Update Framework (theupdateframework.io, section 1.5.2 of the specification).

#ifndef PROOFGATE_POLICY_BUNDLE_H_
#define PROOFGATE_POLICY_BUNDLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/person_key.h"
#include "base/signature.h"
#include "policy/canon.h"

namespace proofgate::policy {

inline constexpr std::string_view kCanonNamespace = "canon@proofgate";
inline constexpr std::string_view kRootNamespace = "root@proofgate";
// How this version decides. A bundle that was made for another is refused.
inline constexpr std::string_view kSemanticsId = "proofgate-canon-1";

// A manifest or a root is in one ledger entry (60,000 bytes) with its signatures.
inline constexpr std::size_t kMaxManifestBytes = 28 << 10;
inline constexpr std::size_t kMaxRootBytes = 24 << 10;
inline constexpr std::size_t kMaxSignatureBytes = 2 << 10;  // one by a FIDO key has 600; others are refused by name
inline constexpr std::size_t kMaxBundleFiles = 128;
inline constexpr std::size_t kMaxSignatures = 16;
inline constexpr std::uint64_t kMaxShadowSeconds = 30 * 86'400;

// Why a bundle or a trust root is refused. Stable names; append only.
enum class BundleCode {
  kManifestInvalid,       // MANIFEST_INVALID
  kTooLarge,              // TOO_LARGE: endless data
  kFileMissing,           // FILE_MISSING
  kFileExtra,             // FILE_EXTRA: not in the manifest
  kFileMismatch,          // FILE_MISMATCH: not what the manifest names (mix and match)
  kRollback,              // ROLLBACK: a version that is not above the highest seen
  kPreviousMismatch,      // PREVIOUS_MISMATCH: it follows another canon than the one here
  kExpired,               // EXPIRED: when it is to be applied (freeze)
  kWrongTenant,           // WRONG_TENANT
  kWrongHostGroup,        // WRONG_HOST_GROUP
  kSemanticsUnsupported,  // SEMANTICS_UNSUPPORTED
  kSignatureInvalid,      // SIGNATURE_INVALID: not an SSHSIG of ours, or not over these bytes
  kKeyType,               // KEY_TYPE: of a kind that PersonKey does not take
  kThreshold,             // THRESHOLD_NOT_MET
  kWiderThreshold,        // WIDER_THRESHOLD_NOT_MET: it permits more, and that needs its own role
  kKeyInTwoRoles,         // KEY_IN_TWO_ROLES
  kRootInvalid,           // ROOT_INVALID
  kRootRollback,          // ROOT_ROLLBACK
  kRootOldThreshold,      // ROOT_OLD_THRESHOLD_NOT_MET
  kRootNewThreshold,      // ROOT_NEW_THRESHOLD_NOT_MET
  kSignatureRequired,     // SIGNATURE_REQUIRED: the trust root is not the host's own
  kCanonInvalid,          // CANON_INVALID: a file is not a canon
  // Too few signatures count, and this is why one that is there does not.
  kKeyRevoked,            // KEY_REVOKED
  kSignedTwice,           // SIGNED_TWICE: one key, two signatures
  kOnePersonTwice,        // ONE_PERSON_TWICE: two keys of one owner
  kKeyOfAnotherRole,      // KEY_OF_ANOTHER_ROLE
  kPersonInTwoRoles,      // PERSON_IN_TWO_ROLES: in a trust root
  kTargetRefused,         // TARGET_REFUSED: a domain that this host cannot govern as asked
};
std::string_view BundleCodeName(BundleCode code);

// "CODE: text" as an Error of kDenied.
tl::unexpected<Error> Refuse(BundleCode code, const std::string& text);

struct RoleKey {
  std::string owner;  // a person; counts once however many keys
  PersonKey key;
};
struct Role {
  std::uint64_t threshold = 0;
  std::vector<RoleKey> keys;
};

struct TrustRoot {
  std::uint64_t version = 0;
  std::string tenant;      // empty: any (a host's own root)
  std::string host_group;  // empty: any
  bool is_local = false;   // the host's own key, which whoever is root there can use
  Role root;               // certifies the next trust root
  Role canon;              // signs bundles
  std::optional<Role> wider;  // signs bundles that permit more than what is in force, besides
  std::vector<PersonKey> revoked;  // count for nothing
};

// Strict; codes ROOT_INVALID, KEY_IN_TWO_ROLES, PERSON_IN_TWO_ROLES, TOO_LARGE.
Result<TrustRoot> ParseTrustRoot(std::string_view bytes);
// A host that nobody has given a trust root: its own key, a threshold of one.
std::string LocalTrustRoot(const PublicKey& host_key, std::uint64_t version = 1);

enum class AtExpiry {
  kDenyNew,       // "deny-new": no receipt is issued or renewed
  kStandingOnly,  // "standing-only": standing receipts are renewed
  kKeep,          // "keep": said in status, nothing else
};
std::string_view AtExpiryName(AtExpiry at_expiry);
Result<AtExpiry> ParseAtExpiry(std::string_view name);

// What becomes of the receipts that were issued under the canon before.
enum class OldReceipts { kReview, kKeep, kRevoke };  // "review", "keep", "revoke"
std::string_view OldReceiptsName(OldReceipts old_receipts);
Result<OldReceipts> ParseOldReceipts(std::string_view name);

struct ManifestFile {
  std::string name;
  std::string sha256;
  std::uint64_t bytes = 0;
};

struct Manifest {
  std::uint64_t version = 0;
  std::string tenant;
  std::string host_group;  // empty: any
  std::string previous;    // SHA-256 of the manifest before, hex; empty for the first
  std::string semantics_id;
  std::string expires_utc;  // "2027-01-31T00:00:00Z", or empty: never
  AtExpiry at_expiry = AtExpiry::kDenyNew;
  OldReceipts old_receipts = OldReceipts::kReview;
  std::uint64_t shadow_seconds = 0;  // how long what is to follow runs beside this one before it is promoted
  std::vector<ManifestFile> files;  // by name
};

// Canonical bytes: the same on any machine at any time.
std::string EncodeManifest(const Manifest& manifest);
Result<Manifest> ParseManifest(std::string_view bytes);  // strict; MANIFEST_INVALID, TOO_LARGE

// A bundle as it travels.
struct Bundle {
  std::string manifest;                      // bytes as received
  std::map<std::string, std::string> files;  // name to text
  std::vector<std::string> signatures;       // armoured SSHSIG over `manifest`
};
std::string EncodeBundle(const Bundle& bundle);          // one canonical JSON envelope
Result<Bundle> ParseBundle(std::string_view bytes);      // MANIFEST_INVALID, TOO_LARGE

// Makes the manifest of files; the names are as given, sorted.
Bundle BuildBundle(Manifest manifest, std::map<std::string, std::string> files);

// What a host knows when it is asked.
struct HostState {
  std::uint64_t highest_version = 0;  // that was ever in force
  std::string manifest_digest;        // of the one in force; empty: none
  std::uint64_t utc_seconds = 0;      // since 1970
};

struct VerifiedBundle {
  Manifest manifest;
  std::string digest;                // of the manifest, hex
  std::vector<std::string> signers;  // owners whose signatures count, once each
  std::vector<Canon> canons;
  std::string text;                  // all files, as one YAML stream
};

// Whose signature this is over these bytes: the owner in the role `canon` or
// `wider`. SIGNATURE_INVALID, KEY_TYPE, KEY_REVOKED, KEY_OF_ANOTHER_ROLE,
// THRESHOLD_NOT_MET (nobody's).
Result<std::string> SignerOf(const TrustRoot& root, std::string_view manifest, const std::string& signature);
// Everything but signatures: could it come into force here, if it were signed?
// `signers` is left empty.
Result<VerifiedBundle> CheckContent(const TrustRoot& root, const HostState& host, const Bundle& bundle);
// Everything but whether it permits more: see CheckWider.
Result<VerifiedBundle> VerifyBundle(const TrustRoot& root, const HostState& host, const Bundle& bundle);
// WIDER_THRESHOLD_NOT_MET when the root has such a role, the bundle permits more
// than `before` (or that cannot be decided), and too few of the role have signed.
Status CheckWider(const TrustRoot& root, const std::vector<Canon>& before, const VerifiedBundle& verified,
                  const Bundle& bundle);

// Is `next` a successor of `current`? By the thresholds of both, and with a higher
// version, unless `current` is a host's own root; a host's own root never is.
// `signatures` are over `next_bytes`, namespace root@proofgate.
Result<TrustRoot> VerifyRootChange(const TrustRoot& current, std::string_view next_bytes,
                                   const std::vector<std::string>& signatures);

// "2027-01-31T00:00:00Z" in seconds since 1970; kInvalid.
Result<std::uint64_t> ParseUtcSeconds(std::string_view text);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_BUNDLE_H_
