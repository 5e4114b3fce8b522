// BindingRow: a receipt's binding in the form that the gate compares.

#ifndef PROOFGATE_AGENT_BINDING_ROW_H_
#define PROOFGATE_AGENT_BINDING_ROW_H_

#include <cstdint>

#include "bpf/wire.h"
#include "policy/binding.h"

namespace proofgate::agent {

// `binding` has passed CheckBinding.
exec_binding BindingRow(const policy::Binding& binding, std::uint32_t slot, std::uint32_t gen);

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_BINDING_ROW_H_
