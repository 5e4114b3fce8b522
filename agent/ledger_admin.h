// Ledger administration: what an operator asks the daemon to do to its ledger.
//
// Main thread. Results are JSON objects for the control socket:
// docs/format/control.md.

#ifndef PROOFGATE_AGENT_LEDGER_ADMIN_H_
#define PROOFGATE_AGENT_LEDGER_ADMIN_H_

#include <cstdint>
#include <string>

#include "base/json.h"
#include "base/signature.h"
#include "ledger/ledger.h"
#include "ledger/retention.h"

namespace proofgate::agent {

// Commits, group sizes and commit times since the start.
json::Object LedgerFigures(const ledger::Ledger& ledger);
// Signs an export's manifest, if it is one of this ledger's tree; kDenied
// otherwise.
Result<json::Object> SignExport(const ledger::Ledger& ledger, const Signer& signer, const std::string& manifest);
// kDenied, kInvalid: RetainEntries would refuse it.
Status CheckRetain(const ledger::Ledger& ledger, const ledger::Drop& drop);
// Drops entries, but none that the daemon or replay of what is in force needs.
Result<json::Object> RetainEntries(ledger::Ledger& ledger, ledger::Drop drop);
// Cosigned how far, by whom, and is that the quorum of the policy at `policy`?
json::Object DescribeWitnesses(const ledger::Ledger& ledger, const std::string& policy);

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_LEDGER_ADMIN_H_
