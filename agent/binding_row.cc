#include "agent/binding_row.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/bytes.h"

namespace proofgate::agent {
namespace {

env_name StartsWith(std::string_view start) {
  env_name name{};
  std::memcpy(name.text, start.data(), start.size());
  std::memset(name.mask, 0xff, start.size());
  return name;
}

}  // namespace

exec_binding BindingRow(const policy::Binding& binding, std::uint32_t slot, std::uint32_t gen) {
  exec_binding row{};
  row.slot = slot;
  row.gen = gen;
  if (binding.argv_form == policy::Binding::Argv::kExact) row.flags |= BIND_ARGV;
  if (binding.argv_form == policy::Binding::Argv::kPrefix) row.flags |= BIND_ARGV_PREFIX;
  row.argc = static_cast<__u32>(binding.argv.size());
  for (const std::string& argument : binding.argv) {
    std::memcpy(row.argv + row.argv_bytes, argument.c_str(), argument.size() + 1);
    row.argv_bytes += static_cast<__u32>(argument.size() + 1);
  }
  if (!binding.env.empty()) row.flags |= BIND_ENV;
  for (const std::string& start : policy::RefusedStarts(binding)) row.no_env[row.names++] = StartsWith(start);
  for (const std::string& variable : policy::RequiredVariables(binding)) {
    env_value& value = row.env[row.values++];
    value.bytes = static_cast<__u32>(variable.size() + 1);
    std::memcpy(value.text, variable.c_str(), variable.size() + 1);
    value.start = StartsWith({value.text, std::min<std::size_t>(value.bytes, ENV_NAME_BYTES)});
  }
  if (!binding.content.empty()) {
    row.flags |= BIND_CONTENT;
    const auto digest = ParseDigest(binding.content);  // SetContent has read it
    if (digest) std::memcpy(row.content, digest->data(), sizeof(row.content));
  }
  return row;
}

}  // namespace proofgate::agent
