// receipt issue, list, show, verify, revoke.

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>

#include "agent/cli/client.h"
#include "agent/cli/commands.h"
#include "agent/cli/reader.h"
#include "agent/paths.h"
#include "agent/receipts.h"
#include "base/durable.h"
#include "ledger/checkpoint.h"
#include "policy/parse.h"
#include "policy/receipt.h"

namespace proofgate::cli {
namespace {

struct Evidence {
  Entry entry;
  std::string body;       // the bytes that are signed
  std::string signature;  // armoured
};

Result<Evidence> Load(const Reader& reader, const std::string& id) {
  Evidence evidence;
  evidence.entry = TRY(reader.FindReceipt(id));
  const json::Value* const receipt = evidence.entry.body.Find("receipt");
  if (receipt == nullptr) return Fail(Code::kCorrupt, "entry without a receipt");
  evidence.body = json::Encode(*receipt);
  evidence.signature = agent::Armour(TRY(json::GetString(evidence.entry.body, "signature")));
  return evidence;
}

Status Export(const Evidence& evidence, const std::string& dir) {
  if (mkdir(dir.c_str(), 0755) != 0 && errno != EEXIST) return FailErrno(errno, dir);
  TRY(WriteFileDurably(dir + "/receipt.json", evidence.body, 0644));
  TRY(WriteFileDurably(dir + "/receipt.sig", evidence.signature, 0644));
  return WriteFileDurably(dir + "/allowed_signers", TRY(ReadFile(agent::kAllowedSigners, 1 << 16)), 0644);
}

// Every check by name, with what is wrong or "".
Result<std::vector<std::pair<std::string, std::string>>> Checks(const Reader& reader,
                                                                const Evidence& evidence) {
  std::vector<std::pair<std::string, std::string>> checks;
  const auto add = [&checks](std::string name, const Status& status) {
    checks.emplace_back(std::move(name), status ? "" : status.error().message);
  };
  const PublicKey key = TRY(HostKey());
  const auto parsed = policy::ParseReceipt(evidence.body);
  add("form", parsed ? Status() : tl::unexpected(parsed.error()));
  const bool same = policy::ReceiptId(evidence.body) == TRY(json::GetString(evidence.entry.body, "id"));
  add("id is the SHA-256 of the body", same ? Status() : Fail(Code::kCorrupt, "it is not"));
  add("signature by the host key", SshVerify(key, policy::kReceiptNamespace, evidence.body, evidence.signature));
  const std::string note = TRY(Anchor());
  const auto head = ledger::VerifyCheckpoint(key, reader.origin(), note);
  add("checkpoint by the host key", head ? Status() : tl::unexpected(head.error()));
  if (head) {
    const auto included = [&]() -> Status {
      const auto proof = TRY(ledger::InclusionProof(evidence.entry.index, head->size,
                                                    [&](ledger::NodeId id) { return reader.store().ReadNode(id); }));
      return ledger::VerifyInclusion(evidence.entry.index, head->size,
                                     ledger::LeafHash(evidence.entry.leaf), proof, head->root);
    };
    add(fmt::format("entry {} is in that checkpoint", evidence.entry.index), included());
  }
  return checks;
}

}  // namespace

int IssueReceipt(const Options& options) {
  json::Object params{{"domain", json::Bytes(options.domain)}, {"rule", json::Bytes(options.rule)}};
  if (!options.object.empty()) params["object"] = json::Bytes(options.object);
  if (!options.exe.empty()) params["exe"] = json::Bytes(options.exe);
  const auto texts = [](const std::vector<std::string>& from) {
    json::Array list;
    for (const std::string& text : from) list.push_back(json::Bytes(text));
    return list;
  };
  if (!options.argv.empty()) params["argv"] = json::Object{{"exact", texts(options.argv)}};
  if (!options.argv_prefix.empty()) params["argv"] = json::Object{{"prefix", texts(options.argv_prefix)}};
  if (!options.env.empty()) params["env"] = texts(options.env);
  if (!options.content.empty()) params["content"] = json::Bytes(options.content);
  if (options.uses) params["uses"] = json::Integer(*options.uses);
  if (!options.ttl.empty()) {
    const auto ttl = policy::ParseDuration(options.ttl);
    if (!ttl) return Complain(Error{Code::kInvalid, "--ttl: " + ttl.error().message + " expected"}, options.json, kUsage);
    params["ttl_ns"] = json::Integer(*ttl);
  }
  const Reply reply = Call("receipt.issue", std::move(params));
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) {
    PrintJson(reply.result);
  } else {
    fmt::print("{}\n", json::GetString(reply.result, "id").value_or(""));
    if (json::GetString(reply.result, "state").value_or("") == "waiting")
      fmt::print(stderr, "it is not live yet: canon wants it witnessed (ledger witness-request, add-cosignatures --keep)\n");
  }
  return kDone;
}

int ListReceipts(const Options& options) {
  const Reply reply = Call("receipt.list");
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) {
    PrintJson(reply.result);
    return kDone;
  }
  const json::Value* const list = reply.result.Find("receipts");
  if (list == nullptr || !list->is_array() || list->array().empty()) {
    fmt::print("no receipts\n");
    return kDone;
  }
  fmt::print("{:12} {:10} {:9} {:18} {:8} {:>14} {:>6}  {}\n", "ID", "DOMAIN", "STATE", "RULE", "KIND", "USED", "LEFT", "OBJECT");
  for (const json::Value& row : list->array()) {
    const auto text = [&row](const char* key) { return json::GetString(row, key).value_or("?"); };
    const auto number = [&row](const char* key) { return json::GetInteger(row, key).value_or(0); };
    const bool standing = row.Find("standing") != nullptr && *row.Find("standing") == json::Value(true);
    std::string object;
    const json::Value* const objects = row.Find("objects");
    if (objects != nullptr && objects->is_array() && !objects->array().empty()) {
      const json::Value first(json::Object{{"object", objects->array().front()}});
      object = policy::EscapeForPeople(json::GetBytes(first, "object").value_or(""));
      if (objects->array().size() > 1) object += fmt::format(" and {} more", objects->array().size() - 1);
    }
    fmt::print("{:12} {:10} {:9} {:18} {:8} {:>14} {:>5}s  {}\n", text("id").substr(0, 12), text("domain"), text("state"),
               text("rule"), text("kind"),
               standing ? fmt::format("{}", number("used")) : fmt::format("{}/{}", number("used"), number("uses")),
               number("seconds_left"), object);
  }
  return kDone;
}

int ShowReceipt(const Options& options) {
  const auto reader = Reader::Open();
  if (!reader) return Complain(reader.error(), options.json);
  const auto evidence = Load(*reader, options.id);
  if (!evidence) return Complain(evidence.error(), options.json);
  if (!options.export_dir.empty()) {
    const Status exported = Export(*evidence, options.export_dir);
    if (!exported) return Complain(exported.error(), options.json);
  }
  const std::string id = json::GetString(evidence->entry.body, "id").value_or("");
  const auto last = reader->FindLast(reader->head().size, id, [&](const Entry& entry) {
    return (entry.kind == "SETTLED" || entry.kind == "UNSETTLED" || entry.kind == "REVOKE") &&
           json::GetString(entry.body, "id").value_or("") == id;
  });
  if (!last) return Complain(last.error(), options.json);
  if (options.json) {
    json::Object out{{"id", id}, {"entry", json::Integer(evidence->entry.index)},
                     {"receipt", *evidence->entry.body.Find("receipt")},
                     {"signature", json::Bytes(evidence->signature)}};
    if (*last) out["last"] = json::Object{{"kind", (*last)->kind}, {"entry", json::Integer((*last)->index)}, {"body", (*last)->body}};
    PrintJson(out);
    return kDone;
  }
  fmt::print("{}\n{}\n{}", Summary(evidence->entry), json::Pretty(*evidence->entry.body.Find("receipt")), evidence->signature);
  if (*last) fmt::print("{}\n", Summary(**last));
  if (!options.export_dir.empty())
    fmt::print("written to {0}; verify it with:\n"
               "  ssh-keygen -Y verify -f {0}/allowed_signers -I host@proofgate -n receipt@proofgate -s {0}/receipt.sig < {0}/receipt.json\n",
               options.export_dir);
  return kDone;
}

int VerifyReceipt(const Options& options) {
  // The newest head is signed first, so that it covers the receipt.
  const Reply checkpoint = Call("ledger.checkpoint");
  if (checkpoint.exit_code != kDone && checkpoint.exit_code != kNoDaemon) return Complain(checkpoint, options.json);
  const auto reader = Reader::Open();
  if (!reader) return Complain(reader.error(), options.json);
  const auto evidence = Load(*reader, options.id);
  if (!evidence) return Complain(evidence.error(), options.json);
  const auto checks = Checks(*reader, *evidence);
  if (!checks) return Complain(checks.error(), options.json);
  const bool good = std::all_of(checks->begin(), checks->end(), [](const auto& check) { return check.second.empty(); });
  if (options.json) {
    json::Array list;
    for (const auto& [name, wrong] : *checks)
      list.push_back(json::Object{{"check", name}, {"ok", wrong.empty()}, {"wrong", json::Bytes(wrong)}});
    PrintJson(json::Object{{"valid", good}, {"checks", std::move(list)}});
  } else {
    for (const auto& [name, wrong] : *checks)
      fmt::print("{:6} {}{}\n", wrong.empty() ? "ok" : "WRONG", name, wrong.empty() ? "" : ": " + wrong);
    fmt::print("{}\n", good ? "The receipt is valid." : "The receipt is NOT valid.");
  }
  return good ? kDone : kRefused;
}

int RevokeReceipt(const Options& options) {
  json::Object params{{"id", json::Bytes(options.id)}};
  if (!options.reason.empty()) params["why"] = json::Bytes(options.reason);
  const Reply reply = Call("receipt.revoke", std::move(params));
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) {
    PrintJson(reply.result);
  } else {
    fmt::print("revoked {}\n", json::GetString(reply.result, "id").value_or(""));
  }
  return kDone;
}

}  // namespace proofgate::cli
