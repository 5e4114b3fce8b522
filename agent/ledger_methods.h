// Ledger methods: what operators can ask of the ledger, beside reading it.
//
// Who may have entries dropped, a hold ended or a blob erased is canon's to say:
// policy/custody.h.

#ifndef PROOFGATE_AGENT_LEDGER_METHODS_H_
#define PROOFGATE_AGENT_LEDGER_METHODS_H_

#include "agent/call.h"

namespace proofgate::agent {

// ledger.retain, ledger.hold, ledger.release, ledger.erase, ledger.check.
void AddLedgerMethods(MethodTable& methods);

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_LEDGER_METHODS_H_
