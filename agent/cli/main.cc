// proofgate: the command line.

#include <CLI/CLI.hpp>

#include <cstdio>
#include <functional>

#include "agent/agent.h"
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

  at = Add(app, "doctor", "can this host enforce? what is missing?",
           "  proofgate doctor\n  proofgate doctor --prove     # one forbidden act of each kind, in a cgroup of its own",
           [](const Options& given) { return given.prove ? Prove(given) : Doctor(given); }, chosen);
  at->add_flag("--prove", options.prove, "show that forbidden acts are refused");

  Add(app, "status", "what is in force", "  proofgate status\n  proofgate status --json", ShowStatus, chosen);

  CLI::App* canon = Group(app, "canon", "check, show and apply policy");
  at = Add(*canon, "check", "list everything that is wrong with a canon file",
           "  proofgate canon check canon.yaml\n  proofgate canon check canon.yaml --sarif > canon.sarif", CheckCanon, chosen);
  at->add_option("FILE", options.file, "the canon, YAML")->required();
  at->add_flag("--sarif", options.sarif, "print SARIF 2.1.0, for editors and code review");
  Add(*canon, "schema", "the JSON Schema of the language, for editors", "  proofgate canon schema > canon.schema.json",
      PrintCanonSchema, chosen);
  Add(*canon, "show", "the canon in force", "  proofgate canon show\n  proofgate canon show --json", ShowCanon, chosen);
  at = Add(*canon, "apply", "put a canon into force: all of it or nothing",
           "  proofgate canon apply /usr/share/proofgate/examples/demo.yaml", ApplyCanon, chosen);
  at->add_option("FILE", options.file, "the canon, YAML")->required();

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
           "  proofgate run --domain demo -- python3 agent.py", Run, chosen);
  Domain(at, options);
  at->add_option("COMMAND", options.command, "program and arguments, after --")->required();

  CLI::App* receipt = Group(app, "receipt", "issue, list, show, verify and revoke receipts");
  at = Add(*receipt, "issue", "authorise acts under a rule; prints the id",
           "  proofgate receipt issue --domain demo --rule demo.write --ttl 30s --uses 5\n"
           "  proofgate receipt issue --domain demo --rule demo.write --object /srv/demo/report.txt\n"
           "  proofgate receipt issue --domain demo --rule demo.connect --object tcp:127.0.0.1:8080 --exe /usr/bin/curl",
           IssueReceipt, chosen);
  Domain(at, options);
  at->add_option("--rule", options.rule, "a permit of the canon")->required();
  at->add_option("--object", options.object, "a part of the rule: /file, /dir (its tree), /dir/*, tcp:ADDRESS[/BITS]:PORT");
  at->add_option("--exe", options.exe, "only for this program");
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
