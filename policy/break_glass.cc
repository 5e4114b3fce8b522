#include "policy/break_glass.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/signature.h"
#include "policy/session.h"

namespace proofgate::policy {
namespace {

constexpr std::size_t kMaxReason = 512;

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

bool HasRole(const Approver& approver, const std::string& role) {
  return std::find(approver.roles.begin(), approver.roles.end(), role) != approver.roles.end();
}

// Whose key made this signature over these bytes, or nullptr.
const Approver* SignerOf(const Canon& canon, std::string_view statement, std::string_view armoured) {
  for (const Approver& approver : canon.terms.approvers)
    for (const std::string& line : approver.keys) {
      const auto key = ParseOpenSshPublicKey(line);
      if (key && SshVerify(*key, kBreakGlassNamespace, statement, armoured)) return &approver;
    }
  return nullptr;
}

}  // namespace

std::string BreakGlassStatement(const BreakGlass& override) {
  return json::Encode(json::Object{{"format", 1},
                                   {"tenant", override.tenant},
                                   {"host", override.host},
                                   {"domain", override.domain},
                                   {"person", override.person},
                                   {"rule", override.rule},
                                   {"object", ObjectJson(override.object)},
                                   {"uses", json::Integer(override.uses)},
                                   {"not_before_ms", json::Integer(override.not_before_ms)},
                                   {"expires_ms", json::Integer(override.expires_ms)},
                                   {"reason", override.reason},
                                   {"nonce", override.nonce}}) +
         "\n";
}

Result<BreakGlass> ParseBreakGlass(std::string_view statement) {
  if (statement.size() > kMaxBreakGlassBytes || !statement.ends_with('\n'))
    return Fail(Code::kInvalid, fmt::format("break-glass: one line of at most {} bytes expected", kMaxBreakGlassBytes));
  const json::Value body = TRY(json::Parse(statement.substr(0, statement.size() - 1)));
  if (TRY(json::GetInteger(body, "format")) != 1) return Fail(Code::kUnsupported, "break-glass: format 1 expected");
  BreakGlass override;
  override.tenant = TRY(json::GetString(body, "tenant"));
  override.host = TRY(json::GetString(body, "host"));
  override.domain = TRY(json::GetString(body, "domain"));
  override.person = TRY(json::GetString(body, "person"));
  override.rule = TRY(json::GetString(body, "rule"));
  const json::Value* const object = body.Find("object");
  if (object == nullptr) return Fail(Code::kInvalid, "break-glass: object expected");
  override.object = TRY(ParseObjectJson(*object));
  override.uses = TRY(json::GetInteger(body, "uses"));
  override.not_before_ms = TRY(json::GetInteger(body, "not_before_ms"));
  override.expires_ms = TRY(json::GetInteger(body, "expires_ms"));
  override.reason = TRY(json::GetString(body, "reason"));
  override.nonce = TRY(json::GetString(body, "nonce"));
  if (override.reason.empty() || override.reason.size() > kMaxReason || !IsPrintable(override.reason))
    return Fail(Code::kInvalid, fmt::format("break-glass: a reason of 1 to {} printable characters expected", kMaxReason));
  if (override.nonce.size() != 32 || override.nonce.find_first_not_of("0123456789abcdef") != std::string::npos)
    return Fail(Code::kInvalid, "break-glass: nonce: 16 bytes in hex expected");
  if (override.uses == 0 || override.expires_ms <= override.not_before_ms)
    return Fail(Code::kInvalid, "break-glass: a use and some time expected");
  // Anything not read above makes the encodings differ.
  if (BreakGlassStatement(override) != statement) return Fail(Code::kInvalid, "break-glass: unknown members");
  return override;
}

std::string BreakGlassId(std::string_view statement) { return Hex(Sha256(statement)); }

std::string_view BreakGlassCodeName(BreakGlassCode code) {
  switch (code) {
    case BreakGlassCode::kOk: return "OK";
    case BreakGlassCode::kMalformed: return "BREAK_GLASS_MALFORMED";
    case BreakGlassCode::kTenant: return "BREAK_GLASS_TENANT";
    case BreakGlassCode::kHost: return "BREAK_GLASS_HOST";
    case BreakGlassCode::kDomain: return "BREAK_GLASS_DOMAIN";
    case BreakGlassCode::kNotPermitted: return "BREAK_GLASS_NOT_PERMITTED";
    case BreakGlassCode::kPerson: return "BREAK_GLASS_PERSON";
    case BreakGlassCode::kSignature: return "BREAK_GLASS_SIGNATURE";
    case BreakGlassCode::kNotYet: return "BREAK_GLASS_NOT_YET";
    case BreakGlassCode::kExpired: return "BREAK_GLASS_EXPIRED";
    case BreakGlassCode::kTooLong: return "BREAK_GLASS_TOO_LONG";
    case BreakGlassCode::kSpent: return "BREAK_GLASS_SPENT";
    case BreakGlassCode::kUnknown: return "BREAK_GLASS_UNKNOWN";
  }
  return "BREAK_GLASS_MALFORMED";
}

BreakGlassDecision DecideBreakGlass(const Canon& canon, std::string_view host, std::string_view statement,
                                    std::string_view armoured, bool is_spent, std::uint64_t now_ms) {
  BreakGlassDecision decision;
  const auto refuse = [&decision](BreakGlassCode code, std::string reason) {
    decision.code = code;
    decision.reason = std::move(reason);
    return decision;
  };
  const auto read = ParseBreakGlass(statement);
  if (!read) return refuse(BreakGlassCode::kMalformed, read.error().message);
  decision.override = *read;
  const BreakGlass& override = decision.override;
  // Whose word it is comes first: of what nobody has signed nothing is believed.
  const Approver* const signer = SignerOf(canon, statement, armoured);
  if (signer == nullptr)
    return refuse(BreakGlassCode::kSignature, "the signature is not by a person whom canon names, or not over these bytes");
  if (override.tenant != canon.tenant)
    return refuse(BreakGlassCode::kTenant, fmt::format("it is of tenant '{}'", EscapeForPeople(override.tenant)));
  if (override.host != host) return refuse(BreakGlassCode::kHost, fmt::format("it is for host '{}'", EscapeForPeople(override.host)));
  if (override.domain != canon.domain)
    return refuse(BreakGlassCode::kDomain, fmt::format("it is for domain '{}'", EscapeForPeople(override.domain)));
  const auto& terms = canon.terms.break_glass;
  const Rule* const rule = canon.FindRule(override.rule);
  if (!terms || rule == nullptr || rule->effect != Effect::kPermit ||
      std::find(terms->rules.begin(), terms->rules.end(), override.rule) == terms->rules.end())
    return refuse(BreakGlassCode::kNotPermitted,
                  fmt::format("the canon of domain '{}' names no override of rule '{}'", canon.domain, EscapeForPeople(override.rule)));
  if (signer->person != override.person)
    return refuse(BreakGlassCode::kPerson, fmt::format("it names '{}', and '{}' has signed it", EscapeForPeople(override.person), signer->person));
  if (!HasRole(*signer, terms->role))
    return refuse(BreakGlassCode::kPerson, fmt::format("'{}' has not the role '{}'", signer->person, terms->role));
  if ((override.expires_ms - override.not_before_ms) > terms->max_ns / 1'000'000)
    return refuse(BreakGlassCode::kTooLong, fmt::format("it lasts longer than the {} s that canon allows", terms->max_ns / 1'000'000'000));
  if (now_ms < override.not_before_ms) return refuse(BreakGlassCode::kNotYet, "its time has not come");
  if (now_ms >= override.expires_ms) return refuse(BreakGlassCode::kExpired, "its time has passed");
  if (is_spent) return refuse(BreakGlassCode::kSpent, "it has been used; it serves once");
  decision.code = BreakGlassCode::kOk;
  decision.request.rule = override.rule;
  decision.request.object = override.object;
  decision.request.ttl_ns = std::min(rule->limits.ttl_ns, (override.expires_ms - now_ms) * 1'000'000);
  decision.request.uses = override.uses;
  decision.request.from_session = true;  // the rule's terms are what is overridden
  return decision;
}

std::string BreakGlassReviewStatement(const BreakGlassReview& review) {
  return json::Encode(json::Object{{"format", 1},
                                   {"review", review.id},
                                   {"verdict", review.was_justified ? "justified" : "unjustified"},
                                   {"reason", json::Bytes(review.reason)}}) +
         "\n";
}

ReviewDecision DecideReview(const Canon& canon, const BreakGlassReview& review, std::string_view used_by,
                            std::string_view armoured) {
  const auto refuse = [](BreakGlassCode code, std::string reason) { return ReviewDecision{code, std::move(reason), ""}; };
  if (used_by.empty()) return refuse(BreakGlassCode::kUnknown, "no such override waits for a review");
  const Approver* const signer = SignerOf(canon, BreakGlassReviewStatement(review), armoured);
  if (signer == nullptr)
    return refuse(BreakGlassCode::kSignature, "the signature is not by a person whom canon names, or not over this review");
  if (signer->person == used_by)
    return refuse(BreakGlassCode::kPerson, fmt::format("'{}' has used it, and nobody reviews their own", signer->person));
  const auto& terms = canon.terms.break_glass;
  if (!terms || !HasRole(*signer, terms->review))
    return refuse(BreakGlassCode::kPerson, fmt::format("'{}' has not the role of a reviewer", signer->person));
  return {BreakGlassCode::kOk, "", signer->person};
}

}  // namespace proofgate::policy
