// proofgate: the command line.

#include <CLI/CLI.hpp>

#include <cstdio>
#include <functional>

#include "agent/agent.h"
#include "agent/cli/canon.h"
#include "agent/cli/client.h"
#include "agent/cli/commands.h"
#include "agent/cli/ledger.h"

namespace proofgate::cli {
namespace {

constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 refused or invalid, 2 usage, 3 this host cannot enforce,\n"
    "4 the daemon cannot be reached. `run` exits with the command's own status.";

using Command = std::function<int(const Options&)>;

// Adds one command with its examples.
CLI::App* Add(CLI::App& to, const char* name, const char* what, const char* examples,
              Command command, Command& chosen) {
  CLI::App* const app = to.add_subcommand(name, what);
  app->footer(std::string("Examples:\n") + examples + "\n\n" + kExitCodes);
  app->fallthrough();
  app->callback([&chosen, command = std::move(command)] { chosen = command; });
  return app;
}

CLI::App* Group(CLI::App& to, const char* name, const char* what) {
  CLI::App* const app = to.add_subcommand(name, what);
  app->require_subcommand(1);
  app->fallthrough();
  app->footer(kExitCodes);
  return app;
}

void Domain(CLI::App* app, Options& options) {
  app->add_option("--domain", options.domain, "the domain, as canon names it")->required();
}

int Main(int argc, char** argv) {
  Options options;
  Command chosen;
  CLI::App app("Proofgate: a process in a governed cgroup may act only while a live receipt covers the act.",
               "proofgate");
  app.set_version_flag("--version", std::string("proofgate ") + agent::kVersion);
  app.add_flag("--json", options.json, "print JSON");
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(kExitCodes);

  CLI::App* at = Add(app, "init", "make the host key and the ledger", "  proofgate init", Init, chosen);
  at->add_flag("--if-absent", options.if_absent, "succeed when they exist");
  at->add_option("--trust-root", options.trust_root, "pin this: canon then needs its signatures; default: the host's own key");

  at = Add(app, "doctor", "can this host enforce? what is missing?",
           "  proofgate doctor\n  proofgate doctor --prove     # one forbidden act of each kind, in a cgroup of its own",
           [](const Options& given) { return given.prove ? Prove(given) : Doctor(given); }, chosen);
  at->add_flag("--prove", options.prove, "show that forbidden acts are refused");

  Add(app, "status", "what is in force", "  proofgate status\n  proofgate status --json", ShowStatus, chosen);

  CLI::App* canon = Group(app, "canon", "check, show and apply policy");
  at = Add(*canon, "check", "list everything that is wrong with a canon file",
           "  proofgate canon check canon.yaml\n  proofgate canon check canon.yaml --sarif > canon.sarif", CheckCanon, chosen);
  at->add_option("FILE", options.file, "the canon, YAML")->required();
  at->add_option("--library", options.libraries, "a file of libraries that it includes; may be repeated");
  at->add_flag("--sarif", options.sarif, "print SARIF 2.1.0, for editors and code review");
  Add(*canon, "schema", "the JSON Schema of the language, for editors", "  proofgate canon schema > canon.schema.json",
      PrintCanonSchema, chosen);
  at = Add(*canon, "fmt", "lay a canon file out, with its comments",
           "  proofgate canon fmt canon.yaml\n  proofgate canon fmt --write canon.yaml", FormatCanon, chosen);
  at->add_option("FILE", options.file, "the canon, YAML")->required();
  at->add_flag("--write", options.write, "into the file");
  at->add_flag("--check", options.check, "print nothing; fail if it would change");
  at = Add(*canon, "diff", "what would be permitted or refused that was not, act by act",
           "  proofgate canon diff new.yaml            # against the canon in force\n"
           "  proofgate canon diff old.yaml new.yaml\n"
           "  proofgate canon diff --no-wider old.yaml new.yaml && echo 'permits nothing more'", DiffCanons, chosen);
  at->add_option("A", options.file, "a canon, YAML")->required();
  at->add_option("B", options.file2, "the canon to compare with it");
  at->add_flag("--no-wider", options.no_wider, "fail unless it permits nothing more, for certain");
  at = Add(*canon, "explain", "which rules speak about an act, and what they say",
           "  proofgate canon explain write /srv/demo/report.txt\n"
           "  proofgate canon explain connect tcp:127.0.0.1:80 --canon canon.yaml --domain demo", ExplainCanon, chosen);
  at->add_option("KIND", options.kind, "exec, load, write, connect, bind, signal, capability, read")->required();
  at->add_option("OBJECT", options.object, "/file, /dir/*, /dir/**, tcp:ADDRESS:PORT, unix:/path")->required();
  at->add_option("--canon", options.file2, "a canon file; the one in force when left out");
  at->add_option("--domain", options.domain, "one domain only");
  at = Add(*canon, "test", "the canon's own cases, and the rules that they do not reach",
           "  proofgate canon test canon.yaml", TestCanon, chosen);
  at->add_option("FILE", options.file, "the canon, YAML")->required();
  Add(*canon, "show", "the canon in force", "  proofgate canon show\n  proofgate canon show --json", ShowCanon, chosen);
  at = Add(*canon, "apply", "put a canon into force: all of it or nothing",
           "  proofgate canon apply /usr/share/proofgate/examples/demo.yaml\n  proofgate canon apply canon-7     # a signed bundle",
           ApplyCanon, chosen);
  at->add_option("FILE", options.file, "the canon, YAML; a bundle's directory; or NAME.bundle")->required();
  AddCanonCommands(*canon, [&chosen](CLI::App& to, const char* name, const char* what, const char* examples, Command command) {
    return Add(to, name, what, examples, std::move(command), chosen);
  });

  at = Add(app, "attach", "govern what runs in a cgroup, unit or process",
           "  proofgate attach --domain demo --unit billing.service\n"
           "  proofgate attach --domain demo --cgroup /sys/fs/cgroup/work\n"
           "  proofgate attach --domain demo --pid 1234     # moves it into a cgroup of its own",
           Attach, chosen);
  Domain(at, options);
  CLI::Option_group* target = at->add_option_group("target", "what to govern");
  target->add_option("--cgroup", options.cgroup, "path below /sys/fs/cgroup");
  target->add_option("--unit", options.unit, "a running .service, .scope or .slice");
  target->add_option("--pid", options.pid, "a process");
  target->require_option(1);
  at->add_flag("--force", options.force, "even if the host is operated through it");

  at = Add(app, "detach", "let go of a cgroup and what runs in it",
           "  proofgate detach --domain demo --unit billing.service", Detach, chosen);
  Domain(at, options);
  target = at->add_option_group("target", "what to let go");
  target->add_option("--cgroup", options.cgroup, "path below /sys/fs/cgroup");
  target->add_option("--unit", options.unit, "a running unit");
  target->require_option(1);

  at = Add(app, "run", "run a command governed from its first instruction",
           "  proofgate run --domain demo -- python3 agent.py\n"
           "  proofgate run --domain demo --session --plan /tmp/plans.json -- python3 agent.py",
           Run, chosen);
  Domain(at, options);
  CLI::Option* const own_session = at->add_flag("--session", options.with_session, "in a session of its own (PROOFGATE_SESSION)");
  at->add_option("--plan", options.plan, "the plan file that it leaves: handed over when it ends")->needs(own_session);
  at->add_option("COMMAND", options.command, "program and arguments, after --")->required();

  CLI::App* receipt = Group(app, "receipt", "issue, list, show, verify and revoke receipts");
  at = Add(*receipt, "issue", "authorise acts under a rule; prints the id",
           "  proofgate receipt issue --domain demo --rule demo.write --ttl 30s --uses 5\n"
           "  proofgate receipt issue --domain demo --rule demo.write --object /srv/demo/report.txt\n"
           "  proofgate receipt issue --domain demo --rule demo.connect --object tcp:127.0.0.1:8080 --exe /usr/bin/curl\n"
           "  proofgate receipt issue --domain demo --rule demo.python --argv=python3 --argv=-I --argv=/opt/demo/report.py --env clean",
           IssueReceipt, chosen);
  Domain(at, options);
  at->add_option("--rule", options.rule, "a permit of the canon")->required();
  at->add_option("--object", options.object, "a part of the rule: /file, /dir (its tree), /dir/*, tcp:ADDRESS[/BITS]:PORT");
  at->add_option("--exe", options.exe, "only for this program");
  CLI::Option* const exact = at->add_option("--argv", options.argv, "exec: all arguments, one each, the program's own name first");
  at->add_option("--argv-prefix", options.argv_prefix, "exec: the first arguments, one each; what follows is free")->excludes(exact);
  at->add_option("--env", options.env, "exec: clean, NAME or PREFIX* (must not be there), NAME=value (must be), one each");
  at->add_option("--content", options.content, "exec: sha256:DIGEST of what the program's file must hold");
  at->add_option("--ttl", options.ttl, "for how long: 30s, 10m, 1h");
  at->add_option("--uses", options.uses, "how many times");
  Add(*receipt, "list", "receipts the gate holds", "  proofgate receipt list", ListReceipts, chosen);
  at = Add(*receipt, "show", "a receipt as issued, and what became of it",
           "  proofgate receipt show 3f2a91c0\n  proofgate receipt show 3f2a91c0 --export /tmp/evidence", ShowReceipt, chosen);
  at->add_option("ID", options.id, "id, or its first eight digits or more")->required();
  at->add_option("--export", options.export_dir, "write receipt.json, receipt.sig and allowed_signers there");
  at = Add(*receipt, "verify", "check a receipt's signature and its place in the ledger",
           "  proofgate receipt verify 3f2a91c0", VerifyReceipt, chosen);
  at->add_option("ID", options.id, "id, or its first eight digits or more")->required();
  at = Add(*receipt, "revoke", "end a receipt at the next act", "  proofgate receipt revoke 3f2a91c0 --reason 'wrong host'",
           RevokeReceipt, chosen);
  at->add_option("ID", options.id, "id, or its first eight digits or more")->required();
  at->add_option("--reason", options.reason, "for the ledger");

  at = Add(*receipt, "revoke-all", "end many receipts at the next act",
           "  proofgate receipt revoke-all --domain demo --rule demo.write\n"
           "  proofgate receipt revoke-all --everything --reason 'key lost'",
           RevokeMany, chosen);
  at->add_option("--domain", options.domain, "of this domain");
  at->add_option("--rule", options.rule, "under this rule");
  at->add_option("--canon", options.canon, "under the canon with this digest");
  at->add_option("--session", options.session, "for this session and its children");
  at->add_option("--person", options.person, "that rest on this person's approval or override, whose key may be lost");
  at->add_flag("--everything", options.everything, "all that are live; standing ones come back");
  at->add_option("--reason", options.reason, "for the ledger");

  CLI::App* session = Group(app, "session", "plans of agents: judged, approved, executed step by step");
  const auto id_of_session = [&options](CLI::App* to) {
    to->add_option("SESSION", options.id, "its id")->required();
  };
  at = Add(*session, "open", "open a session; prints its id",
           "  proofgate session open --domain demo --for 30m --uid 1000", OpenSession, chosen);
  Domain(at, options);
  at->add_option("--for", options.ttl, "until when: 30m, 2h (default 1h, at most 24h)");
  at->add_option("--uid", options.uid, "who proposes (default 0)");
  at->add_option("--cost", options.cost, "what it and its children may cost in all");
  at->add_option("--uses", options.uses, "how many uses they may be granted in all");
  at = Add(*session, "delegate", "open a child with a part of a session's rights; prints its id",
           "  proofgate session delegate 9f3c… --right demo.write=/srv/demo/report.txt --cost 20 --uses 5 --for 10m", DelegateSession,
           chosen);
  id_of_session(at);
  at->add_option("--right", options.rights, "RULE, or RULE=OBJECT as `receipt issue` takes it; one a rule")->required();
  at->add_option("--cost", options.cost, "what its plan may cost at most")->required();
  at->add_option("--uses", options.uses, "how many uses its receipts may have in all")->required();
  at->add_option("--for", options.ttl, "how long, within the session's own time (default: as long as it)");
  at = Add(*session, "evidence", "add evidence; only its digest and signed fields are kept",
           "  proofgate session evidence 9f3c… test.log --kind tests\n"
           "  proofgate session evidence 9f3c… test.log --kind tests --field tests.passed=1 --statement > s\n"
           "  ssh-keygen -Y sign -n evidence@proofgate -f ci_key s\n"
           "  proofgate session evidence 9f3c… test.log --kind tests --field tests.passed=1 --signature s.sig",
           AddEvidence, chosen);
  id_of_session(at);
  at->add_option("FILE", options.file, "its content")->required();
  at->add_option("--kind", options.kind, "what it is")->required();
  at->add_option("--field", options.fields, "NAME=NUMBER, which its producer signs");
  at->add_option("--signature", options.signature, "the producer's SSHSIG file");
  at->add_flag("--statement", options.statement, "print what the producer signs, and do no more");
  at = Add(*session, "complete", "hand over candidate plans and have them judged",
           "  proofgate session complete 9f3c… plans.json", CompleteSession, chosen);
  id_of_session(at);
  at->add_option("FILE", options.file, "the plan file, JSON")->required();
  at = Add(*session, "next", "end the live step and get the receipt of the next",
           "  proofgate session next 9f3c…\n  proofgate session next 9f3c… --status 1     # it failed", NextStep, chosen);
  id_of_session(at);
  at->add_option("--status", options.status, "exit status of the step that ends (default 0)");
  at = Add(*session, "show", "one session: steps, approvals, what is missing",
           "  proofgate session show 9f3c…\n  proofgate session show 9f3c… --statement > statement     # for approvers",
           ShowSession, chosen);
  id_of_session(at);
  at->add_flag("--statement", options.statement, "print what an approver signs");
  at->add_flag("--deny", options.deny, "with --statement: what one signs who denies");
  Add(*session, "list", "all sessions", "  proofgate session list", ListSessions, chosen);
  at = Add(*session, "abort", "end a session and its receipts", "  proofgate session abort 9f3c… --reason 'wrong plan'",
           AbortSession, chosen);
  id_of_session(at);
  at->add_option("--reason", options.reason, "for the ledger");

  for (const bool denies : {false, true}) {
    at = Add(app, denies ? "deny" : "approve",
             denies ? "deny a session's plan" : "approve a session's plan",
             denies ? "  proofgate deny 9f3c… --reason 'not this week'\n  proofgate deny 9f3c… --signature statement.sig"
                    : "  proofgate approve 9f3c…                    # as the user that you are\n"
                      "  ssh-keygen -Y sign -n approval@proofgate -f alice_key statement     # on any machine\n"
                      "  proofgate approve 9f3c… --signature statement.sig",
             [denies](const Options& given) {
               Options with = given;
               with.deny = denies;
               return Approve(with);
             },
             chosen);
    id_of_session(at);
    at->add_option("--signature", options.signature, "a SSHSIG file over the statement of `session show --statement`");
    at->add_option("--reason", options.reason, "for the ledger");
  }

  AddBreakGlassCommands(*Group(app, "break-glass", "a signed override of what a permit asks for, once; reviewed afterwards"), options,
                        [&chosen](CLI::App& to, const char* name, const char* what, const char* examples, Command command) {
                          return Add(to, name, what, examples, std::move(command), chosen);
                        });

  at = Add(app, "stop", "emergency stop: every receipt of a domain is dead at its next act",
           "  proofgate stop --domain demo --reason 'it writes nonsense'", StopDomain, chosen);
  Domain(at, options);
  at->add_option("--reason", options.reason, "for the ledger");
  at = Add(app, "resume", "let a stopped domain have receipts again", "  proofgate resume --domain demo", ResumeDomain, chosen);
  Domain(at, options);

  at = Add(app, "mcp", "a Model Context Protocol server for the agent that runs it, over standard input and output",
      "  proofgate run --domain demo --session -- agent --mcp 'proofgate mcp'", ServeMcp, chosen);
  at->add_option("--socket", options.socket, "the door for governed processes, where it is another");

  at = Add(app, "replay", "make recorded decisions again, from the record alone, and compare",
           "  proofgate replay --all\n  proofgate replay 100-200\n"
           "  proofgate replay --all --ledger EXPORT        # a copy, an export's tiles, or a file of leaves\n"
           "  proofgate replay --all --canon other.yaml     # what would have been decided otherwise",
           ReplayLedger, chosen);
  at->add_option("RANGE", options.range, "an entry, FROM-TO or FROM-");
  at->add_flag("--all", options.all, "every entry");
  at->add_option("--ledger", options.ledger, "instead of this host's ledger");
  at->add_option("--canon", options.canon, "what if this canon had been in force?");

  at = Add(app, "why", "why something was refused (or allowed), in words",
           "  proofgate why --last\n  proofgate why 1042\n  proofgate why --pid 4711", Why, chosen);
  at->add_option("ENTRY", options.entry, "an entry of the ledger");
  at->add_flag("--last", options.last, "the newest refusal");
  at->add_option("--pid", options.pid, "the newest refusal of a process");

  CLI::App* ledger = Group(app, "ledger", "read and check the record");
  at = Add(*ledger, "tail", "the newest entries", "  proofgate ledger tail\n  proofgate ledger tail -f -n 50", TailLedger, chosen);
  at->add_flag("-f,--follow", options.follow, "go on as they come");
  at->add_option("-n,--lines", options.lines, "how many")->capture_default_str();
  at = Add(*ledger, "show", "one entry", "  proofgate ledger show 17\n  proofgate ledger show 17 --proof --json", ShowEntry, chosen);
  at->add_option("ENTRY", options.entry, "its index")->required();
  at->add_flag("--proof", options.proof, "with its inclusion proof (RFC 6962)");
  Add(*ledger, "reconcile", "compare the gate's counters with the ledger", "  proofgate ledger reconcile", ReconcileLedger, chosen);
  at = Add(*ledger, "checkpoint", "sign the head (a C2SP checkpoint)",
           "  proofgate ledger checkpoint > checkpoint", CheckpointLedger, chosen);
  AddLedgerCommands(*ledger, [&chosen](CLI::App& to, const char* name, const char* what, const char* examples, Command command) {
    return Add(to, name, what, examples, std::move(command), chosen);
  });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  }
  return chosen(options);
}

}  // namespace
}  // namespace proofgate::cli

int main(int argc, char** argv) { return proofgate::cli::Main(argc, argv); }
