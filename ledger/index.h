// Index: which entries speak of what, so that a question needs no full scan.
//
// Terms are derived from a leaf alone, written in the batch of its entry, and
// derived again by a rebuild: the index can be wrong only where CheckIndex says
// so, and never changes what is in the ledger.

#ifndef PROOFGATE_LEDGER_INDEX_H_
#define PROOFGATE_LEDGER_INDEX_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "ledger/store.h"

namespace proofgate::ledger {

// The terms of an entry: "<field>=<value>", values beyond 64 bytes by digest.
// Fields: kind, hour ("2026-11-24T12") and, from the body, domain, session,
// code, rule, object (path or address) and receipt (id or receipt).
std::vector<std::string> TermsOf(std::string_view kind, std::string_view utc, const json::Object& body);
std::string MakeTerm(std::string_view field, std::string_view value);

struct Query {
  std::string kind, domain, session, code, rule, object, receipt;  // empty: any
  std::string from_utc, to_utc;  // "2026-11-24" or longer; from ≤ utc < to
  std::uint64_t limit = UINT64_MAX;
};
// kInvalid: a time that is none.
Status CheckQuery(const Query& query);

// Visits the matching entries in order, oldest first, up to the limit; stops at
// the first error of `visit`. Entries below the minimum index are gone. A receipt
// may be given by its first eight digits or more.
using VisitMatch = std::function<Status(std::uint64_t index, const json::Value& leaf)>;
Status RunQuery(const Store& store, const Query& query, const VisitMatch& visit);

// Derives all terms again and says what is wrong with the stored ones; empty:
// nothing.
Result<std::vector<std::string>> CheckIndex(const Store& store, const Progress& progress);
// Writes the terms of all entries, in bounded batches, and removes others.
Status RebuildIndex(Store& store, const Progress& progress);

}  // namespace proofgate::ledger

#endif  // PROOFGATE_LEDGER_INDEX_H_
