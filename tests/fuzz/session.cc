// Book::Apply on any list of entries ([["KIND",{body}],…]): what is refused
// changes nothing, and ended sessions stay ended. ReadRights on any list.

#include "policy/delegation.h"
#include "policy/session.h"
#include "tests/fuzz/holds.h"

using namespace proofgate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = json::Parse(AsText(data, size));
  if (!value || !value->is_array()) return 0;
  if (const auto rights = policy::ReadRights(*value)) {
    const json::Value again = policy::RightsJson(*rights);
    const auto twice = policy::ReadRights(again);
    Holds(twice && policy::RightsJson(*twice) == again);
  }
  policy::Book book;
  for (const json::Value& item : value->array()) {
    if (!item.is_array() || item.array().size() != 2 || !item.array()[0].is_string()) return 0;
    const policy::Book before = book;
    const auto applied = book.Apply(item.array()[0].string(), item.array()[1]);
    for (const auto& [id, session] : before.sessions()) {
      const policy::Session* const now = book.Find(id);
      Holds(now != nullptr);
      if (!applied || policy::HasEnded(session.state))
        Holds(now->state == session.state && now->steps.size() == session.steps.size() &&
              now->approvals.size() == session.approvals.size() && now->evidence.size() == session.evidence.size());
      Holds(now->NextStep() <= now->steps.size());
    }
    if (!applied) Holds(book.sessions().size() == before.sessions().size());
  }
  return 0;
}
