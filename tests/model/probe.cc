// Probe: the product's decisions as a filter, for comparison with the models.
//
// Each line of the input is a JSON object; its answer is one line of canonical
// JSON. {"canon":…,"plans":…,"snapshot":…} is given to OPTR, all three in their
// canonical forms; {"slot":…,"act":…,"now":…} to the gate.

#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>

#include "bpf/gate.h"
#include "policy/optr.h"
#include "policy/trace.h"

namespace proofgate {
namespace {

Result<std::string> Optr(const json::Value& input) {
  for (const char* key : {"canon", "plans", "snapshot"})
    if (input.Find(key) == nullptr) return Fail(Code::kInvalid, std::string(key) + " expected");
  const policy::Canon canon = TRY(policy::ParseCanonJson(*input.Find("canon")));
  const policy::Plans plans = TRY(policy::ParsePlansJson(*input.Find("plans")));
  const policy::Snapshot snapshot = TRY(policy::ParseSnapshotJson(*input.Find("snapshot")));
  return json::Encode(policy::Select(canon, plans, snapshot).result);
}

Result<std::string> Gate(const json::Value& input) {
  const json::Value& from = *input.Find("slot");
  const json::Value* const act_json = input.Find("act");
  if (act_json == nullptr) return Fail(Code::kInvalid, "act expected");
  receipt_slot slot{};
  gate_act act{};
  slot.state = static_cast<__u32>(TRY(json::GetInteger(from, "state")));
  slot.domain = static_cast<__u32>(TRY(json::GetInteger(from, "domain")));
  slot.kind = static_cast<__u32>(TRY(json::GetInteger(from, "kind")));
  slot.not_before_boot_ns = TRY(json::GetInteger(from, "not_before"));
  slot.expires_boot_ns = TRY(json::GetInteger(from, "expires"));
  slot.max_uses = TRY(json::GetInteger(from, "max_uses"));
  slot.used = TRY(json::GetInteger(from, "used"));
  slot.exe = TRY(json::GetInteger(from, "exe"));
  if (TRY(json::GetInteger(from, "standing")) != 0) slot.flags = RECEIPT_STANDING;
  if (TRY(json::GetInteger(from, "bound")) != 0) slot.flags |= RECEIPT_BOUND;
  slot.epoch = static_cast<__u32>(TRY(json::GetInteger(from, "epoch")));
  act.epoch = static_cast<__u32>(TRY(json::GetInteger(*act_json, "epoch")));
  act.domain = static_cast<__u32>(TRY(json::GetInteger(*act_json, "domain")));
  act.kind = static_cast<__u32>(TRY(json::GetInteger(*act_json, "kind")));
  act.exe = TRY(json::GetInteger(*act_json, "exe"));
  if (TRY(json::GetInteger(*act_json, "needs_use")) != 0) act.needs |= NEED_USE;
  if (TRY(json::GetInteger(*act_json, "needs_standing")) != 0) act.needs |= NEED_STANDING;
  if (TRY(json::GetInteger(*act_json, "sees_bindings")) != 0) act.needs |= SEES_BINDINGS;
  const std::uint64_t now = TRY(json::GetInteger(input, "now"));
  return json::Encode(json::Object{{"code", policy::GateCodeName(gate_decide(&slot, &act, now))}});
}

Result<std::string> Answer(const std::string& line) {
  const json::Value input = TRY(json::ParseLenient(line));
  return input.Find("slot") != nullptr ? Gate(input) : Optr(input);
}

}  // namespace
}  // namespace proofgate

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const auto answer = proofgate::Answer(line);
    std::cout << (answer ? *answer : proofgate::json::Encode(proofgate::json::Object{
                                         {"error", proofgate::json::Bytes(answer.error().message)}}))
              << "\n" << std::flush;
  }
  return 0;
}
