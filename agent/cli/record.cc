// ledger tail, show, reconcile, checkpoint; why.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "agent/cli/client.h"
#include "agent/cli/commands.h"
#include "agent/cli/reader.h"
#include "base/bytes.h"
#include "policy/canon.h"
#include "policy/parse.h"
#include "policy/trace.h"

namespace proofgate::cli {
namespace {

std::string Text(const json::Value& body, const char* key) {
  return json::GetBytes(body, key).value_or("");
}

json::Object EntryJson(const Entry& entry) {
  return {{"index", json::Integer(entry.index)}, {"kind", entry.kind}, {"utc", entry.utc}, {"body", entry.body}};
}

void PrintEntry(const Entry& entry, bool as_json) {
  // One object a line, so that a stream can be read by programs.
  if (as_json) fmt::print("{}\n", json::Encode(EntryJson(entry)));
  else fmt::print("{}\n", Summary(entry));
}

// ---- reconcile

using Counts = std::map<std::string, std::uint64_t>;

struct LedgerSums {
  Counts acts;                         // by domain
  Counts denials;                      // by domain
  std::map<std::string, Counts> codes; // by domain and code
  Counts uses;                         // by receipt
  Counts settled;                      // by receipt, final only
  std::vector<std::string> faults;     // gaps and repetitions in the dense numbers
};

struct Difference {
  std::string what;
  std::uint64_t ledger = 0;
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

Result<LedgerSums> Sum(const Reader& reader, std::uint64_t from, std::uint64_t to) {
  LedgerSums sums;
  std::map<std::string, std::vector<bool>> seen;
  Counts denied_to;
  for (std::uint64_t index = from; index < to; ++index) {
    const Entry entry = TRY(reader.Read(index));
    const std::string domain = Text(entry.body, "domain");
    if (entry.kind == "ACT") {
      ++sums.acts[domain];
      ++sums.uses[Text(entry.body, "receipt")];
      const std::uint64_t seq = TRY(json::GetInteger(entry.body, "seq"));
      std::vector<bool>& numbers = seen[domain];
      if (seq >= numbers.size()) numbers.resize(std::max<std::size_t>(seq + 1, numbers.size() * 2));
      if (numbers[seq]) sums.faults.push_back(fmt::format("{}: act {} is recorded twice", domain, seq));
      numbers[seq] = true;
    } else if (entry.kind == "DENIALS") {
      const std::uint64_t first = TRY(json::GetInteger(entry.body, "from_seq"));
      const std::uint64_t last = TRY(json::GetInteger(entry.body, "to_seq"));
      if (first != denied_to[domain] + 1)
        sums.faults.push_back(fmt::format("{}: denials {} to {} follow {}", domain, first, last, denied_to[domain]));
      denied_to[domain] = last;
      sums.denials[domain] += last - first + 1;
      const json::Value* const codes = entry.body.Find("codes");
      if (codes == nullptr || !codes->is_object()) return Fail(Code::kCorrupt, "DENIALS without codes");
      for (const auto& [code, count] : codes->object())
        sums.codes[domain][code] += TRY(json::GetInteger(*codes, code));
    } else if (entry.kind == "SETTLED" && entry.body.Find("final") != nullptr &&
               *entry.body.Find("final") == json::Value(true)) {
      sums.settled[Text(entry.body, "id")] = TRY(json::GetInteger(entry.body, "used"));
    }
  }
  for (const auto& [domain, count] : sums.acts)
    for (std::uint64_t seq = 1; seq <= count; ++seq)
      if (seq >= seen[domain].size() || !seen[domain][seq])
        sums.faults.push_back(fmt::format("{}: act {} has no entry", domain, seq));
  return sums;
}

// Acts may go on while we look: what the ledger has lies between the gate's
// counters before and after it was flushed.
void Compare(const std::string& what, std::uint64_t ledger, std::uint64_t low, std::uint64_t high,
             std::vector<Difference>& differences) {
  if (ledger < low || ledger > high) differences.push_back({what, ledger, low, high});
}

std::uint64_t At(const json::Value* value, std::initializer_list<std::string> path) {
  for (const std::string& key : path) {
    if (value == nullptr) return 0;
    value = value->Find(key);
  }
  if (value == nullptr) return 0;
  const json::Value wrapped(json::Object{{"n", *value}});
  return json::GetInteger(wrapped, "n").value_or(0);
}

std::vector<Difference> CompareAll(const json::Value& counters, const LedgerSums& sums) {
  std::vector<Difference> differences;
  const json::Value* const before = counters.Find("before");
  const json::Value* const after = counters.Find("after");
  const json::Value* const domains = after == nullptr ? nullptr : after->Find("domains");
  const auto count = [](const Counts& counts, const std::string& key) {
    const auto at = counts.find(key);
    return at == counts.end() ? 0 : at->second;
  };
  if (domains != nullptr && domains->is_object())
    for (const auto& [domain, state] : domains->object()) {
      Compare(domain + ": acts", count(sums.acts, domain), At(before, {"domains", domain, "acts"}),
              At(after, {"domains", domain, "acts"}), differences);
      Compare(domain + ": denials", count(sums.denials, domain), At(before, {"domains", domain, "denials"}),
              At(after, {"domains", domain, "denials"}), differences);
      const json::Value* const codes = state.Find("codes");
      const auto of_domain = sums.codes.find(domain);
      if (codes != nullptr && codes->is_object())
        for (const auto& [code, total] : codes->object())
          Compare(domain + ": denials with " + code,
                  of_domain == sums.codes.end() ? 0 : count(of_domain->second, code),
                  At(before, {"domains", domain, "codes", code}), At(after, {"domains", domain, "codes", code}), differences);
    }
  const json::Value* const receipts = after == nullptr ? nullptr : after->Find("receipts");
  if (receipts != nullptr && receipts->is_object())
    for (const auto& [id, used] : receipts->object())
      Compare("receipt " + id.substr(0, 12) + ": uses", count(sums.uses, id), At(before, {"receipts", id}),
              At(after, {"receipts", id}), differences);
  for (const auto& [id, used] : sums.settled)
    Compare("receipt " + id.substr(0, 12) + ": uses settled for good", used, count(sums.uses, id), count(sums.uses, id), differences);
  return differences;
}

// ---- why

policy::Object ObjectOf(const json::Value& body) {
  policy::Object object;
  const std::string address = Text(body, "address");
  if (address.empty()) {
    object.form = policy::Form::kFile;
    object.path = Text(body, "path");
    return object;
  }
  object.form = policy::Form::kNet;
  // "tcp 127.0.0.1 port 80"
  const std::size_t first = address.find(' ');
  const std::size_t second = address.find(' ', first + 1);
  const std::string ip = address.substr(first + 1, second - first - 1);
  const auto net = policy::ParseCidr(ip + (ip.find(':') == std::string::npos ? "/32" : "/128"));
  if (net) object.net = *net;
  object.net.proto = address.starts_with("tcp") ? policy::Proto::kTcp : policy::Proto::kUdp;
  object.net.port = static_cast<std::uint16_t>(std::strtoul(address.c_str() + address.rfind(' ') + 1, nullptr, 10));
  return object;
}

std::string AskObject(const policy::Object& object) {
  if (object.form != policy::Form::kNet) return object.path;
  policy::NetBlock net = object.net;
  const std::string cidr = policy::FormatCidr(net);
  const std::string ip = cidr.substr(0, cidr.find('/'));
  return fmt::format("{}:{}:{}", net.proto == policy::Proto::kTcp ? "tcp" : "udp", net.is_v6 ? "[" + ip + "]" : ip, net.port);
}

Result<policy::Nearness> RulesNear(const Reader& reader, const Entry& entry, const policy::Object& object) {
  const auto kind = policy::ParseKind(Text(entry.body, "kind"));
  if (!kind) return policy::Nearness{};
  const auto canon = TRY(reader.CanonAt(TRY(json::GetInteger(entry.body, "canon_entry"))));
  if (!canon) return policy::Nearness{};  // a domain of our own
  return policy::FindRules(*canon, *kind, object);
}

Result<std::map<std::string, std::string>> ExamplesNear(const Reader& reader, const Entry& entry, const policy::Nearness& near) {
  std::map<std::string, std::string> examples;
  if (near.permits.empty() && near.forbids.empty()) return examples;
  const auto text = TRY(reader.CanonTextAt(TRY(json::GetInteger(entry.body, "canon_entry"))));
  if (!text) return examples;
  for (const policy::Canon& canon : policy::ParseCanon(*text, "canon").canons) {
    if (canon.domain != Text(entry.body, "domain")) continue;
    for (const auto* rules : {&near.permits, &near.forbids})
      for (const std::string& id : *rules)
        if (const policy::Rule* const rule = canon.FindRule(id)) examples[id] = policy::ExamplesOf(*rule);
  }
  return examples;
}

int ExplainDenial(const Reader& reader, const Entry& entry, bool as_json) {
  policy::Denial denial;
  const policy::Object object = ObjectOf(entry.body);
  denial.domain = Text(entry.body, "domain");
  denial.kind = Text(entry.body, "kind");
  denial.operation = Text(entry.body, "op");
  denial.object = object.form == policy::Form::kNet ? Text(entry.body, "address") : object.path;
  denial.program = Text(entry.body, "program");
  if (denial.program.empty()) denial.program = "'" + Text(entry.body, "comm") + "'";
  denial.program += fmt::format(" (process {}, uid {})", json::GetInteger(entry.body, "pid").value_or(0),
                                json::GetInteger(entry.body, "uid").value_or(0));
  denial.code = Text(entry.body, "code");
  denial.receipt = Text(entry.body, "receipt");
  const auto near = RulesNear(reader, entry, object);
  if (!near) return Complain(near.error(), as_json);
  denial.near = *near;
  auto examples = ExamplesNear(reader, entry, *near);
  if (!examples) return Complain(examples.error(), as_json);
  denial.examples = std::move(*examples);
  const bool whole = object.form == policy::Form::kNet || policy::IsCleanPath(object.path);
  if (whole) denial.ask_object = AskObject(object);
  const std::string text = policy::RenderDenial(denial);
  if (!as_json) {
    fmt::print("entry {}, {}\n{}", entry.index, entry.utc, text);
    return kDone;
  }
  json::Array permits;
  json::Array forbids;
  for (const std::string& rule : near->permits) permits.push_back(rule);
  for (const std::string& rule : near->forbids) forbids.push_back(rule);
  json::Object out = EntryJson(entry);
  out["reason"] = policy::GateReason(denial.code);
  out["permitting_rules"] = std::move(permits);
  out["forbidding_rules"] = std::move(forbids);
  if (!denial.ask_object.empty()) out["ask_object"] = json::Bytes(denial.ask_object);
  out["explanation"] = json::Bytes(text);
  PrintJson(out);
  return kDone;
}

int Explain(const Reader& reader, const Entry& entry, bool as_json) {
  if (entry.kind == "DENY") return ExplainDenial(reader, entry, as_json);
  if (as_json) {
    PrintJson(EntryJson(entry));
    return kDone;
  }
  fmt::print("{}\n", Summary(entry));
  if (entry.kind == "REFUSED") {
    fmt::print("The receipt was refused by policy: {}: {}\n", Text(entry.body, "code"),
               policy::EscapeForPeople(Text(entry.body, "reason")));
  } else if (entry.kind == "ACT") {
    const auto issue = reader.FindReceipt(Text(entry.body, "receipt"));
    if (issue) fmt::print("It was allowed by this receipt:\n{}\n{}\n", Summary(*issue), json::Pretty(*issue->body.Find("receipt")));
  } else {
    fmt::print("{}\n", json::Pretty(entry.body));
  }
  return kDone;
}

}  // namespace

int TailLedger(const Options& options) {
  std::uint64_t next = 0;
  {
    const auto reader = Reader::Open();
    if (!reader) return Complain(reader.error(), options.json);
    const std::uint64_t size = reader->head().size;
    for (next = size > options.lines ? size - options.lines : 0; next < size; ++next) {
      const auto entry = reader->Read(next);
      if (!entry) return Complain(entry.error(), options.json);
      PrintEntry(*entry, options.json);
    }
  }
  while (options.follow) {
    std::fflush(stdout);
    const Reply reply = Call("ledger.entries", {{"from", json::Integer(next)}, {"count", 1000}});
    if (reply.exit_code != kDone) return Complain(reply, options.json);
    const json::Value* const list = reply.result.Find("entries");
    if (list == nullptr || !list->is_array()) return kRefused;
    for (const json::Value& value : list->array()) {
      Entry entry;
      entry.index = next++;
      entry.kind = Text(value, "kind");
      entry.utc = Text(value, "utc");
      if (const json::Value* const body = value.Find("body")) entry.body = *body;
      PrintEntry(entry, options.json);
    }
    if (list->array().empty()) usleep(200'000);
  }
  return kDone;
}

int ShowEntry(const Options& options) {
  const auto reader = Reader::Open();
  if (!reader) return Complain(reader.error(), options.json);
  const auto entry = reader->Read(*options.entry);
  if (!entry) return Complain(entry.error(), options.json);
  json::Object out = EntryJson(*entry);
  if (options.proof) {
    const std::uint64_t size = reader->head().size;
    const auto proof = ledger::InclusionProof(entry->index, size, [&](ledger::NodeId id) { return reader->store().ReadNode(id); });
    if (!proof) return Complain(proof.error(), options.json);
    json::Array hashes;
    for (const Digest& hash : *proof) hashes.push_back(Base64(AsView(hash)));
    out["leaf"] = Base64(entry->leaf);
    out["leaf_hash"] = Base64(AsView(ledger::LeafHash(entry->leaf)));
    out["tree_size"] = json::Integer(size);
    out["root"] = Base64(AsView(reader->head().root));
    out["proof"] = std::move(hashes);
  }
  if (options.json) PrintJson(out);
  else fmt::print("{}\n{}\n", Summary(*entry), json::Pretty(options.proof ? json::Value(out) : entry->body));
  return kDone;
}

int ReconcileLedger(const Options& options) {
  constexpr int kTries = 5;  // a record may be half written while we look
  LedgerSums sums;
  std::vector<Difference> differences;
  Reply counters;
  std::vector<std::string> intervals;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    counters = Call("counters");
    if (counters.exit_code != kDone) return Complain(counters, options.json);
    const std::uint64_t size = At(&counters.result, {"size"});
    const auto reader = Reader::Open();
    if (!reader) return Complain(reader.error(), options.json);
    auto summed = Sum(*reader, At(&counters.result, {"boot_entry"}), size);
    if (!summed) return Complain(summed.error(), options.json);
    sums = std::move(*summed);
    differences = CompareAll(counters.result, sums);
    if (differences.empty() && sums.faults.empty()) break;
  }
  const auto reader = Reader::Open();
  if (!reader) return Complain(reader.error(), options.json);
  // What other boots left without a last word.
  const auto lost = reader->FindLast(reader->head().size, "", [&](const Entry& entry) {
    if (entry.kind == "UNSETTLED" || entry.kind == "DENIALS_LOST") intervals.push_back(Summary(entry));
    return false;
  });
  if (!lost) return Complain(lost.error(), options.json);
  std::reverse(intervals.begin(), intervals.end());
  const bool good = differences.empty() && sums.faults.empty();
  std::uint64_t acts = 0;
  std::uint64_t denials = 0;
  for (const auto& [domain, count] : sums.acts) acts += count;
  for (const auto& [domain, count] : sums.denials) denials += count;
  if (options.json) {
    json::Array list;
    for (const Difference& difference : differences)
      list.push_back(json::Object{{"what", difference.what}, {"ledger", json::Integer(difference.ledger)},
                                  {"gate_low", json::Integer(difference.low)}, {"gate_high", json::Integer(difference.high)}});
    json::Array faults;
    for (const std::string& fault : sums.faults) faults.push_back(fault);
    json::Array open;
    for (const std::string& interval : intervals) open.push_back(json::Bytes(interval));
    json::Object receipts;
    for (const auto& [id, used] : sums.uses) receipts[id] = json::Integer(used);
    PrintJson(json::Object{{"exact", good}, {"acts", json::Integer(acts)}, {"denials", json::Integer(denials)},
                           {"differences", std::move(list)}, {"faults", std::move(faults)},
                           {"uses", std::move(receipts)}, {"other_boots", std::move(open)}});
  } else {
    for (const std::string& fault : sums.faults) fmt::print("WRONG  {}\n", fault);
    for (const Difference& difference : differences)
      fmt::print("WRONG  {}: {} in the ledger, {} to {} in the gate\n", difference.what, difference.ledger,
                 difference.low, difference.high);
    for (const std::string& interval : intervals) fmt::print("other boot: {}\n", interval);
    fmt::print("{}: {} acts and {} denials of this boot, in the gate and in the ledger\n",
               good ? "They agree" : "They do NOT agree", acts, denials);
  }
  return good ? kDone : kRefused;
}

int CheckpointLedger(const Options& options) {
  const Reply reply = Call("ledger.checkpoint");
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) PrintJson(reply.result);
  else fmt::print("{}", Text(reply.result, "checkpoint"));
  return kDone;
}

int Why(const Options& options) {
  const int chosen = int{options.entry.has_value()} + int{options.last} + int{options.pid.has_value()};
  if (chosen > 1) return Complain(Error{Code::kInvalid, "one of ENTRY, --last and --pid expected"}, options.json, kUsage);
  const auto reader = Reader::Open();
  if (!reader) return Complain(reader.error(), options.json);
  if (options.entry) {
    const auto entry = reader->Read(*options.entry);
    if (!entry) return Complain(entry.error(), options.json);
    return Explain(*reader, *entry, options.json);
  }
  const auto found = reader->FindLast(reader->head().size, "\"kind\":\"DENY\"", [&](const Entry& entry) {
    if (entry.kind != "DENY") return false;
    if (!options.pid) return true;
    return json::GetInteger(entry.body, "pid").value_or(0) == static_cast<std::uint64_t>(*options.pid);
  });
  if (!found) return Complain(found.error(), options.json);
  if (!*found) {
    const std::string who = options.pid ? fmt::format("to process {} ", *options.pid) : "";
    return Complain(Error{Code::kNotFound, "nothing was refused " + who + "so far"}, options.json);
  }
  return Explain(*reader, **found, options.json);
}

}  // namespace proofgate::cli
