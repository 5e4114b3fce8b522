#include "policy/check.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <string_view>

#include "policy/authority.h"
#include "policy/forbids.h"
#include "policy/own.h"

namespace proofgate::policy {
namespace {

void CheckForbids(const Forbids& forbids, const std::string& file, Kind kind,
                  const std::vector<Object>& objects, const std::vector<Where>& places,
                  std::vector<Diagnostic>& diagnostics) {
  for (std::size_t i = 0; i < objects.size(); ++i)
    for (const Forbids::Hit& hit : forbids.Overlapping(kind, objects[i])) {
      if (diagnostics.size() >= kMaxDiagnostics) return;
      diagnostics.push_back({file, places[i],
                             "'" + Describe(objects[i]) + "' overlaps '" +
                                 Describe(*hit.object) + "', which rule '" + hit.rule->id +
                                 "' forbids",
                             "a grant that leaves it out", "overlaps-forbid"});
    }
}

void CheckOwn(const std::string& file, const Standing& standing, std::vector<Diagnostic>& diagnostics) {
  for (std::size_t i = 0; i < standing.objects.size(); ++i) {
    const Object* const own = FindOwn(standing.kind, standing.objects[i]);
    if (own == nullptr || diagnostics.size() >= kMaxDiagnostics) continue;
    diagnostics.push_back({file, standing.object_where[i],
                           "'" + Describe(standing.objects[i]) + "' holds or lies in '" + Describe(*own) +
                               "', which is Proofgate's own",
                           "a grant that leaves it out", "own"});
  }
}

// systemd.unit(5).
bool IsUnitName(std::string_view text, std::initializer_list<std::string_view> suffixes) {
  const bool has_suffix = std::any_of(suffixes.begin(), suffixes.end(), [&](std::string_view suffix) {
    return text.size() > suffix.size() && text.ends_with(suffix);
  });
  return has_suffix && text.size() <= 255 && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view(":_.\\@-").find(c) != std::string_view::npos;
         });
}

void CheckAttach(const Canon& canon, const std::string& file, std::vector<Diagnostic>& diagnostics) {
  const std::string_view target = std::string_view(canon.attach).substr(canon.attach.find(':') + 1);
  const bool is_slice = canon.attach.starts_with("slice:");
  const bool is_unit = canon.attach.starts_with("unit:");
  if ((!is_slice || IsUnitName(target, {".slice"})) &&
      (!is_unit || IsUnitName(target, {".service", ".scope", ".slice"})))
    return;
  if (diagnostics.size() >= kMaxDiagnostics) return;
  diagnostics.push_back({file, canon.where, "attach: '" + EscapeForPeople(target) + "' is not the name of a " + (is_slice ? "slice" : "unit"),
                         is_slice ? "as in billing.slice" : "a .service, .scope or .slice, as in billing.service", "bad-name"});
}

}  // namespace

void Check(const std::vector<Canon>& canons, const std::string& file,
           std::vector<Diagnostic>& diagnostics) {
  const auto complain = [&](Where where, std::string message, const char* expected) {
    if (diagnostics.size() < kMaxDiagnostics)
      diagnostics.push_back({file, where, std::move(message), expected, "duplicate-id"});
  };
  std::map<std::string, int, std::less<>> domains;
  for (const Canon& canon : canons) {
    if (!canon.domain.empty() && !domains.emplace(canon.domain, 1).second)
      complain(canon.where, "domain '" + canon.domain + "' is defined twice", "");
    CheckAttach(canon, file, diagnostics);
    std::map<std::string, int, std::less<>> ids;
    const auto once = [&](const std::string& id, Where where) {
      if (!id.empty() && !ids.emplace(id, 1).second)
        complain(where, "id '" + id + "' is used twice", "another id");
    };
    const Forbids forbids(canon);
    const Standing* last = nullptr;  // a profile gives several grants of one id
    for (const Standing& standing : canon.standing) {
      if (last == nullptr || last->id != standing.id || !(last->where == standing.where))
        once(standing.id, standing.where);
      last = &standing;
      CheckForbids(forbids, file, standing.kind, standing.objects, standing.object_where, diagnostics);
      CheckOwn(file, standing, diagnostics);
    }
    for (const Rule& rule : canon.rules) {
      once(rule.id, rule.where);
      if (rule.effect == Effect::kPermit)
        CheckForbids(forbids, file, rule.kind, rule.objects, rule.object_where, diagnostics);
    }
    for (const FailedExample& failed : RunExamples(canon))
      if (diagnostics.size() < kMaxDiagnostics)
        diagnostics.push_back({file, failed.example->where, failed.text,
                               failed.example->expect.empty() ? failed.example->matches ? "that it does" : "that it does not"
                                                              : failed.example->expect,
                               "example"});
    CheckTerms(canon, [&](Where where, std::string message, const char* expected) {
      if (diagnostics.size() < kMaxDiagnostics)
        diagnostics.push_back({file, where, std::move(message), expected, "terms"});
    });
  }
}

}  // namespace proofgate::policy
