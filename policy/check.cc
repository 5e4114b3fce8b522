#include "policy/check.h"

#include <map>

namespace proofgate::policy {
namespace {

void CheckForbids(const Canon& canon, const std::string& file, Kind kind,
                  const std::vector<Object>& objects, const std::vector<Where>& places,
                  std::vector<Diagnostic>& diagnostics) {
  for (const Rule& forbid : canon.rules) {
    if (forbid.effect != Effect::kForbid || forbid.kind != kind) continue;
    for (const Object& forbidden : forbid.objects)
      for (std::size_t i = 0; i < objects.size(); ++i)
        if (Overlaps(objects[i], forbidden)) {
          if (diagnostics.size() >= kMaxDiagnostics) return;
          diagnostics.push_back({file, places[i],
                                 "'" + Describe(objects[i]) + "' overlaps '" +
                                     Describe(forbidden) + "', which rule '" + forbid.id +
                                     "' forbids",
                                 "a grant that leaves it out", "overlaps-forbid"});
        }
  }
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
    std::map<std::string, int, std::less<>> ids;
    const auto once = [&](const std::string& id, Where where) {
      if (!id.empty() && !ids.emplace(id, 1).second)
        complain(where, "id '" + id + "' is used twice", "another id");
    };
    const Standing* last = nullptr;  // a profile gives several grants of one id
    for (const Standing& standing : canon.standing) {
      if (last == nullptr || last->id != standing.id || !(last->where == standing.where))
        once(standing.id, standing.where);
      last = &standing;
      CheckForbids(canon, file, standing.kind, standing.objects, standing.object_where, diagnostics);
    }
    for (const Rule& rule : canon.rules) {
      once(rule.id, rule.where);
      if (rule.effect == Effect::kPermit)
        CheckForbids(canon, file, rule.kind, rule.objects, rule.object_where, diagnostics);
    }
    CheckTerms(canon, [&](Where where, std::string message, const char* expected) {
      if (diagnostics.size() < kMaxDiagnostics)
        diagnostics.push_back({file, where, std::move(message), expected, "terms"});
    });
  }
}

}  // namespace proofgate::policy
