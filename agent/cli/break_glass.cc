// break-glass: draft, use, list, review.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "agent/cli/client.h"
#include "agent/cli/commands.h"
#include "agent/cli/ledger.h"
#include "base/durable.h"
#include "policy/break_glass.h"
#include "policy/parse.h"

namespace proofgate::cli {
namespace {

struct BreakGlassOptions {
  std::string person;
  std::string verdict;
};

std::string Text(const json::Value& from, const char* key) {
  return policy::EscapeForPeople(json::GetBytes(from, key).value_or(""));
}

int DraftBreakGlass(const Options& options, const BreakGlassOptions& own) {
  const auto lasts = policy::ParseDuration(options.ttl);
  if (!lasts) return Complain(Error{Code::kInvalid, "--for: " + lasts.error().message}, options.json, kUsage);
  const Reply reply = Call("break_glass.draft", {{"domain", json::Bytes(options.domain)}, {"rule", json::Bytes(options.rule)},
                                                 {"object", json::Bytes(options.object)}, {"person", json::Bytes(own.person)},
                                                 {"uses", json::Integer(options.uses.value_or(1))},
                                                 {"duration_ms", json::Integer(*lasts / 1'000'000)},
                                                 {"reason", json::Bytes(options.reason)}});
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) PrintJson(reply.result);
  else fmt::print("{}", json::GetBytes(reply.result, "statement").value_or(""));  // to be signed, byte for byte
  return kDone;
}

int UseBreakGlass(const Options& options, const BreakGlassOptions&) {
  const auto statement = ReadFile(options.file, policy::kMaxBreakGlassBytes);
  const auto signature = ReadFile(options.signature, 1 << 16);
  for (const auto* const read : {&statement, &signature})
    if (!*read) return Complain(read->error(), options.json);
  const Reply reply = Call("break_glass.use", {{"statement", json::Bytes(*statement)}, {"signature", json::Bytes(*signature)}});
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) PrintJson(reply.result);
  else
    fmt::print("override {} by {}: receipt {}, {} uses until {}\n", Text(reply.result, "id"), Text(reply.result, "person"),
               Text(reply.result, "receipt"), json::GetInteger(reply.result, "uses").value_or(0), Text(reply.result, "expires_utc"));
  return kDone;
}

int ListBreakGlass(const Options& options, const BreakGlassOptions&) {
  const Reply reply = Call("break_glass.list");
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) {
    PrintJson(reply.result);
    return kDone;
  }
  for (const json::Value& one : reply.result.Find("break_glass")->array())
    fmt::print("{}  {}  domain {}  rule {}  {}\n  by {}: {}\n", Text(one, "id"), Text(one, "used_utc"), Text(one, "domain"),
               Text(one, "rule"), Text(one, "object"), Text(one, "person"), Text(one, "reason"));
  return kDone;
}

int ReviewBreakGlass(const Options& options, const BreakGlassOptions& own) {
  if (options.statement) {
    fmt::print("{}", policy::BreakGlassReviewStatement({options.id, own.verdict == "justified", options.reason}));
    return kDone;
  }
  if (options.signature.empty()) return Complain(Error{Code::kInvalid, "--statement or --signature expected"}, options.json, kUsage);
  const auto signature = ReadFile(options.signature, 1 << 16);
  if (!signature) return Complain(signature.error(), options.json);
  const Reply reply = Call("break_glass.review", {{"id", json::Bytes(options.id)}, {"verdict", own.verdict},
                                                  {"reason", json::Bytes(options.reason)}, {"signature", json::Bytes(*signature)}});
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) PrintJson(reply.result);
  else fmt::print("reviewed by {}\n", Text(reply.result, "person"));
  return kDone;
}

}  // namespace

void AddBreakGlassCommands(CLI::App& group, Options& options, const AddCommand& add) {
  const auto own = std::make_shared<BreakGlassOptions>();
  const auto calls = [own](int (*command)(const Options&, const BreakGlassOptions&)) {
    return [own, command](const Options& given) { return command(given, *own); };
  };
  CLI::App* at = add(group, "draft", "the statement that the person signs, who is to answer for it",
                     "  proofgate break-glass draft --domain billing --rule invoices.publish --object /srv/invoices/7.csv \\\n"
                     "    --person alice --for 10m --reason 'no approver answers' > statement\n"
                     "  ssh-keygen -Y sign -n break-glass@proofgate -f alice_key statement     # on any machine",
                     calls(DraftBreakGlass));
  at->add_option("--domain", options.domain, "a domain of the canon in force")->required();
  at->add_option("--rule", options.rule, "a permit whose terms are overridden")->required();
  at->add_option("--object", options.object, "as `receipt issue` takes it")->required();
  at->add_option("--person", own->person, "an approver of canon's role")->required();
  at->add_option("--uses", options.uses, "how many (default 1)");
  at->add_option("--for", options.ttl, "how long, as canon allows")->required();
  at->add_option("--reason", options.reason, "for who reviews it")->required();
  at = add(group, "use", "hand a signed statement in: it serves once", "  proofgate break-glass use statement --signature statement.sig",
           calls(UseBreakGlass));
  at->add_option("FILE", options.file, "the statement")->required();
  at->add_option("--signature", options.signature, "its SSHSIG file")->required();
  add(group, "list", "what has been used and nobody has reviewed", "  proofgate break-glass list", calls(ListBreakGlass));
  at = add(group, "review", "what somebody else says of it; until then it stays in status",
           "  proofgate break-glass review 1f3a… --verdict justified --reason 'incident 7' --statement > review\n"
           "  ssh-keygen -Y sign -n break-glass@proofgate -f bob_key review\n"
           "  proofgate break-glass review 1f3a… --verdict justified --reason 'incident 7' --signature review.sig",
           calls(ReviewBreakGlass));
  at->add_option("ID", options.id, "of `break-glass list`")->required();
  at->add_option("--verdict", own->verdict, "justified or unjustified")->required()->check(CLI::IsMember({"justified", "unjustified"}));
  at->add_option("--reason", options.reason, "for the ledger")->required();
  CLI::Option* const statement = at->add_flag("--statement", options.statement, "print what the reviewer signs, and do no more");
  at->add_option("--signature", options.signature, "the reviewer's SSHSIG file")->excludes(statement);
}

}  // namespace proofgate::cli
