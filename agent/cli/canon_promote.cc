// canon propose, judge, shadow, approve, promote, reject, proposals, rollback.

#include <fmt/format.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>

#include <memory>

#include "agent/cli/canon.h"
#include "agent/cli/client.h"
#include "base/bytes.h"
#include "base/durable.h"
#include "policy/parse.h"

namespace proofgate::cli {
namespace {

std::string Word(const json::Value& value, const char* key) {
  return policy::EscapeForPeople(json::GetBytes(value, key).value_or(""));
}
std::uint64_t Number(const json::Value& value, const char* key) { return json::GetInteger(value, key).value_or(0); }
bool Flag(const json::Value& value, const char* key) {
  const json::Value* const found = value.Find(key);
  return found != nullptr && *found == json::Value(true);
}
const json::Array& List(const json::Value& value, const char* key) {
  static const json::Array kNone;
  const json::Value* const found = value.Find(key);
  return found != nullptr && found->is_array() ? found->array() : kNone;
}

json::Array Texts(const std::vector<std::string>& texts) {
  json::Array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

// The one open proposal that starts with `text`, or `text`.
std::string WholeId(const std::string& text) {
  const Reply reply = Call("canon.proposals");
  std::string found;
  if (reply.exit_code != kDone || text.size() < 8) return text;
  for (const json::Value& one : List(reply.result, "proposals")) {
    const std::string id = Word(one, "proposal");
    if (!id.starts_with(text)) continue;
    if (!found.empty()) return text;
    found = id;
  }
  return found.empty() ? text : found;
}

int Propose(const Options& options, const CanonOptions& own) {
  const auto bundle = ReadBundleDir(own.dir);
  if (!bundle) return Complain(bundle.error(), options.json);
  json::Object params{{"bundle", policy::EncodeBundle(*bundle)}, {"emergency", own.emergency}};
  if (!own.why.empty()) params["why"] = json::Bytes(own.why);
  std::vector<std::string> digests;
  for (const std::string& file : own.evidence) {
    const auto bytes = ReadFile(file, 64u << 20);
    if (!bytes) return Complain(bytes.error(), options.json);
    digests.push_back(Hex(Sha256(*bytes)));
  }
  params["evidence"] = Texts(digests);
  const Reply reply = Call("canon.propose", std::move(params));
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) PrintJson(reply.result);
  else fmt::print("{}\n", Word(reply.result, "proposal"));
  return kDone;
}

void PrintFlips(const json::Value& result) {
  if (const json::Value* const impact = result.Find("impact"))
    for (const json::Value& flip : List(*impact, "flips"))
      fmt::print("  {} {}: {} times {} → {}; such as {} {} {} in entry {}{}\n", Word(flip, "name"), Word(flip, "domain"), Number(flip, "count"),
                 Word(flip, "before"), Word(flip, "after"), Word(flip, "of"), Word(flip, "kind"), Word(flip, "example"), Number(flip, "example_entry"),
                 Flag(flip, "acknowledged") ? " (in the judgement, too)" : "");
  if (Number(result, "left_out") != 0)
    fmt::print("{} decisions could not be judged: their object, canon or plans are not in the ledger whole\n", Number(result, "left_out"));
}

int Judge(const Options& options, const CanonOptions& own) {
  json::Object params{{"proposal", WholeId(own.name)}};
  if (own.last != 0) params["last"] = json::Integer(own.last);
  // The daemon looks at a slice of the ledger at a time, and answers others in between.
  Reply reply = Call("canon.judge", params);
  while (reply.exit_code == kDone && Flag(reply.result, "running")) reply = Call("canon.judge", params);
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  const bool passed = Flag(reply.result, "passed");
  if (options.json) {
    PrintJson(reply.result);
    return passed ? kDone : kRefused;
  }
  for (const json::Value& gate : List(reply.result, "gates"))
    fmt::print("{:6} {:12} {}\n", Flag(gate, "passed") ? "passed" : "FAILED", Word(gate, "gate"), Word(gate, "detail"));
  PrintFlips(reply.result);
  return passed ? kDone : kRefused;
}

int Shadow(const Options& options, const CanonOptions& own) {
  const json::Object params{{"proposal", WholeId(own.name)}};
  Reply reply = Call("canon.shadow", params);
  // What is decided while we look is for the next time.
  std::uint64_t behind = ~std::uint64_t{0};
  while (reply.exit_code == kDone && Number(reply.result, "behind") != 0 && Number(reply.result, "behind") < behind) {
    behind = Number(reply.result, "behind");
    reply = Call("canon.shadow", params);
  }
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) {
    PrintJson(reply.result);
    return kDone;
  }
  const json::Value* const impact = reply.result.Find("impact");
  fmt::print("beside the canon in force for {} s (it asks for {} s): {} acts, {} requests and plans, {} kinds of changed answers\n",
             Number(reply.result, "seconds"), Number(reply.result, "needed"), impact == nullptr ? 0 : Number(*impact, "acts"),
             impact == nullptr ? 0 : Number(*impact, "decisions"), impact == nullptr ? 0 : List(*impact, "flips").size());
  PrintFlips(reply.result);
  return kDone;
}

int Approve(const Options& options, const CanonOptions& own) {
  Reply reply;
  for (const std::string& file : own.signatures) {
    const auto signature = ReadFile(file, policy::kMaxSignatureBytes);
    if (!signature) return Complain(signature.error(), options.json);
    reply = Call("canon.approve", {{"proposal", WholeId(own.name)}, {"signature", json::Bytes(*signature)}});
    if (reply.exit_code != kDone) return Complain(reply, options.json);
    if (options.json) PrintJson(reply.result);
    else fmt::print("approved by {}\n", Word(reply.result, "person"));
  }
  return kDone;
}

int Promote(const Options& options, const CanonOptions& own) {
  const Reply reply = Call("canon.promote", {{"proposal", WholeId(own.name)}, {"acknowledged", Texts(own.acknowledged)}});
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) PrintJson(reply.result);
  else fmt::print("version {} is in force from entry {} on\n", Number(reply.result, "version"), Number(reply.result, "entry"));
  return kDone;
}

int Reject(const Options& options, const CanonOptions& own) {
  const Reply reply = Call("canon.reject", {{"proposal", WholeId(own.name)}, {"why", json::Bytes(own.why)}});
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) PrintJson(reply.result);
  return kDone;
}

int Proposals(const Options& options, const CanonOptions&) {
  const Reply reply = Call("canon.proposals");
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) {
    PrintJson(reply.result);
    return kDone;
  }
  for (const json::Value& one : List(reply.result, "proposals"))
    fmt::print("{} version {}{}: gates {}{}, {} signatures, {} changed answers {}\n", Word(one, "proposal"), Number(one, "version"),
               Flag(one, "emergency") ? " (emergency)" : "",
               !Flag(one, "judged") ? "not run" : Flag(one, "passed") ? "passed" : "FAILED", Flag(one, "shadow") ? ", runs beside the canon in force" : "",
               Number(one, "signatures"),
               List(one, "flips").size(), Word(one, "why"));
  return kDone;
}

// Old content as a new version, to be signed as any.
Result<json::Object> MakeRollback(const CanonOptions& own, const Reply& kept, const Reply& in_force) {
  const policy::Bundle old = TRY(policy::ParseBundle(TRY(json::GetBytes(kept.result, "bundle"))));
  policy::Manifest manifest = TRY(policy::ParseManifest(old.manifest));
  manifest.version = TRY(json::GetInteger(in_force.result, "version")) + 1;
  manifest.previous = TRY(json::GetString(in_force.result, "manifest_digest"));
  manifest.expires_utc = own.expires;
  manifest.at_expiry = TRY(policy::ParseAtExpiry(own.at_expiry));
  if (!own.expires.empty()) TRY(policy::ParseUtcSeconds(own.expires));
  return WriteBundleDir(policy::BuildBundle(manifest, old.files), own.out);
}

int Rollback(const Options& options, const CanonOptions& own) {
  const Reply kept = Call("canon.bundle", {{"version", json::Integer(own.version)}});
  if (kept.exit_code != kDone) return Complain(kept, options.json);
  const Reply in_force = Call("canon.trust_root");
  if (in_force.exit_code != kDone) return Complain(in_force, options.json);
  const auto made = MakeRollback(own, kept, in_force);
  if (!made) return Complain(made.error(), options.json);
  if (options.json) PrintJson(*made);
  else fmt::print("{}\nto be signed: {}/manifest.json; then: proofgate canon propose {} --emergency --why …\n", own.out, own.out, own.out);
  return kDone;
}

}  // namespace

void AddPromotionCommands(CLI::App& canon, const AddCommand& add, const std::shared_ptr<CanonOptions>& own) {
  const auto calls = [own](int (*command)(const Options&, const CanonOptions&)) {
    return [own, command](const Options& options) { return command(options, *own); };
  };
  const auto takes_id = [&own](CLI::App* at) { at->add_option("PROPOSAL", own->name, "its id, or eight digits of it")->required(); };

  CLI::App* at = add(canon, "propose", "put a bundle to the gates and to those who sign",
                     "  proofgate canon propose canon-7 --evidence scan.json\n"
                     "  proofgate canon propose back --emergency --why 'payments are refused'",
                     calls(Propose));
  at->add_option("DIR", own->dir, "the bundle's directory; what is signed already counts")->required();
  at->add_option("--evidence", own->evidence, "a file that speaks for it: its digest is recorded; may be repeated");
  at->add_flag("--emergency", own->emergency, "changed answers need not be acknowledged; it must expire within 72 hours");
  at->add_option("--why", own->why, "the reason, recorded");

  at = add(canon, "judge", "run the gates of a proposal; what would have been answered otherwise",
           "  proofgate canon judge 1f3a90c2\n  proofgate canon judge 1f3a90c2 --last 100000", calls(Judge));
  takes_id(at);
  at->add_option("--last", own->last, "so many newest entries; default 20000");

  at = add(canon, "shadow", "run a proposal beside the canon in force, without effect; what it would have answered otherwise since",
           "  proofgate canon shadow 1f3a90c2     # begins; later, and as often as you like: what it has found",
           calls(Shadow));
  takes_id(at);

  at = add(canon, "approve", "give a signature to a proposal", "  proofgate canon approve 1f3a90c2 --signature alice.sig", calls(Approve));
  takes_id(at);
  at->add_option("--signature", own->signatures, "ssh-keygen -Y sign -n canon@proofgate over its manifest.json; may be repeated")->required();

  at = add(canon, "promote", "put a proposal into force", "  proofgate canon promote 1f3a90c2 --acknowledge 3f2a91c0aa17", calls(Promote));
  takes_id(at);
  at->add_option("--acknowledge", own->acknowledged, "the name of a changed answer that is meant; may be repeated");

  at = add(canon, "reject", "end a proposal", "  proofgate canon reject 1f3a90c2 --why 'too wide'", calls(Reject));
  takes_id(at);
  at->add_option("--why", own->why, "the reason, recorded");

  add(canon, "proposals", "the open ones", "  proofgate canon proposals", calls(Proposals));

  at = add(canon, "rollback", "old content as a new version, to be signed",
           "  proofgate canon rollback --to 6 --out back --expires 2027-01-31T00:00:00Z", calls(Rollback));
  at->add_option("--to", own->version, "a version that was in force")->required();
  at->add_option("--out", own->out, "a directory that does not exist")->required();
  at->add_option("--expires", own->expires, "UTC; an emergency expires within 72 hours");
  at->add_option("--at-expiry", own->at_expiry, "deny-new, standing-only or keep")->capture_default_str();
}

}  // namespace proofgate::cli
