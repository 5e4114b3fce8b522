#include "policy/custody.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/signature.h"

namespace proofgate::policy {
namespace {

const std::optional<Custody>& CustodyOf(const RecordTerms& records, CustodyAct act) {
  switch (act) {
    case CustodyAct::kRetain: return records.retain;
    case CustodyAct::kRelease: return records.release;
    case CustodyAct::kErase: return records.erase;
  }
  return records.retain;
}

// Does one of the person's keys stand under one of the signatures?
Result<bool> HasSigned(const Approver& approver, std::string_view statement, const std::vector<std::string>& signatures) {
  for (const std::string& line : approver.keys) {
    const auto key = ParseOpenSshPublicKey(line);
    if (!key) continue;  // CheckTerms lets no such canon into force
    for (const std::string& signature : signatures) {
      const Status verified = SshVerify(*key, kCustodyNamespace, statement, signature);
      if (verified) return true;
      if (verified.error().code == Code::kInvalid) return tl::unexpected(verified.error());
    }
  }
  return false;
}

}  // namespace

std::string_view CustodyActName(CustodyAct act) {
  switch (act) {
    case CustodyAct::kRetain: return "retain";
    case CustodyAct::kRelease: return "release";
    case CustodyAct::kErase: return "erase";
  }
  return "retain";
}

std::string CustodyStatement(std::string_view origin, CustodyAct act, json::Object arguments, std::string_view why) {
  return json::Encode(json::Object{{"format", 1}, {"act", CustodyActName(act)}, {"origin", origin}, {"arguments", std::move(arguments)}, {"why", json::Bytes(why)}}) + "\n";
}

Result<CustodyDecision> DecideCustody(std::span<const Canon> in_force, CustodyAct act, std::string_view statement,
                                      const std::vector<std::string>& signatures, std::string_view principal) {
  if (signatures.size() > kMaxCustodySignatures)
    return Fail(Code::kInvalid, fmt::format("signatures: at most {}", kMaxCustodySignatures));
  if (in_force.empty()) return Fail(Code::kDenied, "RECORDS_NOT_PERMITTED: no canon is in force that would permit it");
  CustodyDecision decision;
  for (const Canon& canon : in_force) {
    if (!canon.terms.records || !CustodyOf(*canon.terms.records, act))
      return Fail(Code::kDenied, fmt::format("RECORDS_NOT_PERMITTED: the canon of domain '{}' does not name '{}' in its records", canon.domain, CustodyActName(act)));
    const Custody& custody = *CustodyOf(*canon.terms.records, act);
    std::uint64_t signed_by = 0;
    for (const Approver& approver : canon.terms.approvers) {
      const bool has_role = std::find(approver.roles.begin(), approver.roles.end(), custody.role) != approver.roles.end();
      const bool asks = std::any_of(approver.uids.begin(), approver.uids.end(), [principal](std::uint64_t uid) { return principal == fmt::format("uid:{}", uid); });
      if (!has_role || asks || !TRY(HasSigned(approver, statement, signatures))) continue;
      ++signed_by;
      decision.persons.insert(approver.person);
    }
    if (signed_by < custody.count)
      return Fail(Code::kDenied, fmt::format("RECORDS_UNAPPROVED: domain '{}' wants {} persons of role '{}' to sign, {} have", canon.domain, custody.count, custody.role, signed_by));
    if (act == CustodyAct::kRetain) decision.keep_days = std::max(decision.keep_days, canon.terms.records->keep_days);
  }
  return decision;
}

}  // namespace proofgate::policy
