#include "policy/trace.h"

#include <fmt/format.h>

#include <array>

namespace proofgate::policy {
namespace {

struct Reason {
  std::string_view name;
  std::string_view text;
};

// Index: enum gate_code.
constexpr std::array<Reason, 30> kReasons = {{
    {"OK", "it was allowed"},
    {"NO_RECEIPT", "no live receipt covers this object"},
    {"EXE_MISMATCH", "a receipt covers this object, but for another program"},
    {"NEEDS_STANDING", "a shared writable mapping cannot be taken back, so it needs a standing grant"},
    {"NOT_YET", "the receipt for this object is not valid yet"},
    {"REVOKED", "the receipt for this object was revoked"},
    {"EXPIRED", "the receipt for this object has run out of time"},
    {"EXHAUSTED", "the receipt for this object has no uses left"},
    {"WALK_BOUND", "the object lies deeper below any grant than the gate looks"},
    {"RECORD_UNAVAILABLE", "the record of the act could not be kept, and there is no act without one"},
    {"LABEL_TABLE_FULL", "no more governed threads can be tracked on this host"},
    {"OPENINGS_FULL", "no more open files can be tracked on this host"},
    {"ADDRESS_UNREADABLE", "the address could not be read"},
    {"FAMILY_REFUSED", "sockets of this family or protocol are never available to a governed process"},
    {"NEVER_GOVERNED", "no receipt can cover this act for a governed process"},
    {"OTHER_DOMAIN", "it reaches a process outside the domain"},
    {"SCOPE_UNKNOWN", "the process could not be told apart from a governed one"},
    {"DEVICE_NODE", "device nodes are never written by a governed process"},
    {"NO_DOMAIN", "the domain is not known to the gate"},
    {"IOCTL_REFUSED", "this ioctl changes more than the file it is given, or is not known to be harmless"},
    {"OTHER_TERMINAL", "it is not the process's own terminal"},
    {"DOMAIN_TASKS", "the domain has as many threads as it may have"},
    {"GUARDED", "it belongs to Proofgate itself, which no governed process reaches"},
    {"BOUND", "the receipt for this program binds how it is run, and it is not run like that"},
    {"ARGV_MISMATCH", "the receipt for this program is for other arguments"},
    {"ENV_MISMATCH", "the receipt for this program binds variables of the environment: one is there that must not be, or is missing, or has another value"},
    {"CONTENT_MISMATCH", "the program's content is not that for which the receipt was issued"},
    {"BINDING_UNREADABLE", "the arguments or the environment are more than the gate reads, or could not be read, so it is not known that they are those of the receipt"},
    {"CONTENT_UNKNOWN", "the receipt pins the program's content, and this file system or kernel cannot tell it or keep it until the program runs"},
    {"BOUND_SCRIPT", "a receipt with bindings is for the program that runs: bind the script's interpreter, whose arguments name the script"},
}};

}  // namespace

std::string_view GateCodeName(unsigned code) {
  return code < kReasons.size() ? kReasons[code].name : "UNKNOWN";
}

std::string_view GateReason(std::string_view code) {
  for (const Reason& reason : kReasons)
    if (reason.name == code) return reason.text;
  return "the code is not known to this version";
}

std::string ExamplesOf(const Rule& rule) {
  std::string out;
  for (const bool matches : {true, false}) {
    const char* separator = matches ? "such as " : out.empty() ? "not " : ", not ";
    for (const Example& example : rule.examples)
      if (example.matches == matches) {
        out += separator + EscapeForPeople(WriteObjectText(example.act));
        separator = ", ";
      }
  }
  return out;
}

std::string RenderDenial(const Denial& denial) {
  const auto such_as = [&](const std::string& rule) {
    const auto at = denial.examples.find(rule);
    return at == denial.examples.end() || at->second.empty() ? std::string() : "             (" + at->second + ")\n";
  };
  std::string out = fmt::format(
      "Refused by policy; this is not a fault of the program or the file system.\n"
      "  act:     {} ({}) {}\n"
      "  by:      {} in domain '{}'\n"
      "  reason:  {}: {}\n",
      denial.operation, denial.kind, EscapeForPeople(denial.object),
      EscapeForPeople(denial.program), denial.domain, denial.code, GateReason(denial.code));
  if (!denial.receipt.empty()) out += fmt::format("  nearest: receipt {}\n", denial.receipt);
  for (const std::string& rule : denial.near.forbids)
    out += fmt::format("  rule:    '{}' forbids it; no receipt can be had for it\n", rule) + such_as(rule);
  if (denial.near.forbids.empty()) {
    for (const std::string& rule : denial.near.permits)
      out += fmt::format(
          "  rule:    '{}' permits it under a receipt; ask an operator for:\n"
          "             proofgate receipt issue --domain {} --rule {}{}\n",
          rule, denial.domain, rule,
          denial.ask_object.empty() ? "" : " --object " + EscapeForPeople(denial.ask_object)) + such_as(rule);
    if (denial.near.permits.empty())
      out += "  rule:    no rule of the canon permits it; it would have to be changed and promoted\n";
  }
  out += "Do not try another route to the same effect: each is judged in the same way.\n";
  return out;
}

}  // namespace proofgate::policy
