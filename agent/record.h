// Record: from the gate's record of one act to a ledger record.

#ifndef PROOFGATE_AGENT_RECORD_H_
#define PROOFGATE_AGENT_RECORD_H_

#include <span>
#include <string>
#include <string_view>

#include "agent/names.h"
#include "agent/resolve.h"
#include "base/json.h"
#include "bpf/wire.h"
#include "ledger/ledger.h"

namespace proofgate::agent {

std::string_view OperationName(std::uint32_t op);  // "open for writing"
std::string_view ActKindName(std::uint32_t kind);  // "write", "never"

// "tcp 127.0.0.1 port 80", "" for none.
std::string AddressText(const address& address);
// The path as far as the record holds it; ".../" in front when it goes on above,
// "?" for a name of 32 bytes or more.
std::string PathText(const act_record& record, Mounts& mounts);

// kCorrupt when the bytes are not a record of this version.
Result<act_record> DecodeRecord(std::span<const std::byte> bytes);
// "ACT" or "DENY".
ledger::Record ToLedger(const act_record& record, const Names& names, Mounts& mounts);

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_RECORD_H_
