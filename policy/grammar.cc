#include "policy/grammar.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <set>

#include "policy/binding.h"
#include "policy/diagnostic.h"
#include "policy/profile.h"
#include "policy/terms.h"

namespace proofgate::policy {
namespace {

using Is = Type::Is;
using Words = std::vector<std::string_view>;

constexpr std::uint64_t kMaxTtlNs = 24ull * 3600 * 1'000'000'000;
constexpr std::uint64_t kMaxUses = 1'000'000'000;

Words KindWords() {
  Words words;
  for (const Kind kind : kAllKinds) words.push_back(KindName(kind));
  return words;
}

Words StandingWords() {
  Words words = KindWords();
  words.insert(words.begin(), "profile");
  return words;
}

std::vector<Key> TestKeys(const Type* text, const Type* verdict, const Type* name) {
  std::vector<Key> keys;
  for (const Kind kind : kAllKinds)
    keys.push_back({KindName(kind), text, "the act: its object, as `receipt issue` takes it",
                    kind == Kind::kConnect || kind == Kind::kBind ? "\"tcp:127.0.0.1:80\""
                    : kind == Kind::kCapability                   ? "net_raw"
                                                                  : "/srv/demo/report.txt"});
  keys.push_back({"expect", verdict, "what the canon says to it", "PERMITTED", true});
  keys.push_back({"rule", name, "a rule or standing grant that must be among those that speak", "demo.write"});
  return keys;
}

// The table. Types are named for what they describe.
struct Grammar {
  Type format{Is::kCount, "format", {}, 1, 1};
  Type name{Is::kName, "name"};
  Type text{Is::kText, "text"};
  Type path{Is::kPath, "path"};
  Type cidr{Is::kCidr, "cidr"};
  Type port{Is::kCount, "port", {}, 1, 65535};
  Type proto{Is::kWord, "proto", {"tcp", "udp"}};
  Type depth{Is::kWord, "depth", {"all"}};
  Type ttl{Is::kDuration, "ttl"};
  Type uses{Is::kCount, "uses", {}, 1, kMaxUses};
  Type kind{Is::kWord, "kind", KindWords()};
  Type mode{Is::kWord, "mode", {"enforce", "observe"}};
  Type profile{Is::kWord, "profile", ProfileNames()};
  Type later{Is::kLater, "objects"};

  Type load_class{Is::kWord, "class", ClassesOf(Kind::kLoad)};
  Type load_classes{Is::kList, "class", {}, 0, 0, &load_class, true};
  Type write_class{Is::kWord, "class", ClassesOf(Kind::kWrite)};
  Type write_classes{Is::kList, "class", {}, 0, 0, &write_class, true};
  Type socket_class{Is::kWord, "class", ClassesOf(Kind::kConnect)};
  Type socket_classes{Is::kList, "class", {}, 0, 0, &socket_class, true};
  Type cap{Is::kWord, "capability", GrantableCapabilities()};
  Type caps{Is::kList, "cap", {}, 0, 0, &cap, true};

  Key set{"set", &name, "all objects of a named set", "data"};
  Key file{"file", &path, "one file, there or not", "/srv/demo/report.txt"};
  Key dir{"dir", &path, "what is directly in a directory", "/srv/demo"};
  Key all{"depth", &depth, "everything below the directory, in the same file system", "all", false, "dir"};

  Key address{"cidr", &cidr, "addresses", "\"10.0.0.0/8\""};
  Key address_port{"port", &port, "one port; any when left out", "443", false, "cidr"};
  Key address_proto{"proto", &proto, "tcp or udp; both when left out", "tcp", false, "cidr"};
  Key abstract{"class", &socket_classes, "AF_UNIX names without a file", "abstract"};

  Type file_object{Is::kMap, "object", {}, 0, 0, nullptr, false, {file, dir, all, set},
                   {{{"file", "dir", "set"}, "object names none or several"}}};
  Type load_object{Is::kMap, "object", {}, 0, 0, nullptr, false,
                   {file, dir, all,
                    {"class", &load_classes, "anonymous executable memory (just-in-time compilers)", "anonymous_exec"},
                    set},
                   {{{"file", "dir", "class", "set"}, "object names none or several"}}};
  Type write_object{Is::kMap, "object", {}, 0, 0, nullptr, false,
                    {file, dir, all,
                     {"class", &write_classes, "things without a name of their own; meant for standing grants", "[pipe, tty, devnull]"},
                     set},
                    {{{"file", "dir", "class", "set"}, "object names none or several"}}};
  Type connect_object{Is::kMap, "object", {}, 0, 0, nullptr, false,
                      {address, address_port, address_proto,
                       {"unix", &path, "an AF_UNIX socket", "/run/app.sock"}, abstract, set},
                      {{{"cidr", "unix", "class", "set"}, "object names none or several"}}};
  Type bind_object{Is::kMap, "object", {}, 0, 0, nullptr, false,
                   {address, address_port, address_proto, abstract, set},
                   {{{"cidr", "class", "set"}, "object names none or several"}}};
  Type capability_object{Is::kMap, "object", {}, 0, 0, nullptr, false,
                         {{"cap", &caps, "capabilities(7) without those that reach the kernel itself, others' memory or mounts", "[net_raw]"}, set},
                         {{{"cap", "set"}, "object names none or several"}}};
  Type file_objects{Is::kList, "objects", {}, 0, 0, &file_object};
  Type load_objects{Is::kList, "objects", {}, 0, 0, &load_object};
  Type write_objects{Is::kList, "objects", {}, 0, 0, &write_object};
  Type connect_objects{Is::kList, "objects", {}, 0, 0, &connect_object};
  Type bind_objects{Is::kList, "objects", {}, 0, 0, &bind_object};
  Type capability_objects{Is::kList, "objects", {}, 0, 0, &capability_object};

  Type sets{Is::kMapOf, "sets", {}, 0, 0, &later};

  Type attach{Is::kMap, "attach", {}, 0, 0, nullptr, false,
              {{"slice", &text, "a systemd slice", "billing.slice"},
               {"unit", &text, "a systemd unit", "billing.service"},
               {"cgroup", &path, "a cgroup's path below /sys/fs/cgroup", "/sys/fs/cgroup/work"}},
              {{{"slice", "unit", "cgroup"}, "attach names none or several"}}};

  Type limits{Is::kMap, "limits", {}, 0, 0, nullptr, false,
              {{"ttl", &ttl, "how long a receipt may live: a number with ms, s, m or h, at most 24h", "\"10m\"", true},
               {"uses", &uses, "how many uses a receipt may have", "100", true}}};

  Type standing{Is::kMap, "standing grant", {}, 0, 0, nullptr, false,
                {{"id", &name, "names the grant; once in a canon", "base", true},
                 {"profile", &profile, "grants that ship with Proofgate", "base"},
                 {"exec", &file_objects, "programs that may run", "[{ dir: /opt/demo }]"},
                 {"load", &load_objects, "code that may be loaded", "[{ dir: /opt/demo, depth: all }]"},
                 {"write", &write_objects, "files that may be written", "[{ dir: /run/demo, depth: all }]"},
                 {"connect", &connect_objects, "peers that may be reached", "[{ unix: /run/app.sock }]"},
                 {"bind", &bind_objects, "addresses that may be bound and listened on", "[{ cidr: \"127.0.0.0/8\" }]"},
                 {"signal", &file_objects, "programs whose processes outside the domain may be signalled", "[{ file: /usr/sbin/nginx }]"},
                 {"capability", &capability_objects, "capabilities that may be used", "[{ cap: net_raw }]"},
                 {"read", &file_objects, "regular files that may be read; with any read in a canon every other is refused", "[{ dir: /etc, depth: all }]"}},
                {{StandingWords(), "standing grant names none or several"}}};
  Type standings{Is::kList, "standing", {}, 0, 0, &standing};

  Type verdict{Is::kWord, "verdict", {"STANDING", "PERMITTED", "FORBIDDEN", "NOT_PERMITTED"}};
  Type acts{Is::kList, "acts", {}, 0, 0, &text};
  Type test{Is::kMap, "test", {}, 0, 0, nullptr, false, TestKeys(&text, &verdict, &name),
            {{KindWords(), "test names no act or several"}}};
  Type tests{Is::kList, "tests", {}, 0, 0, &test};

  Type figure{Is::kCount, "figure", {}, 0, kMaxFigure};
  Type ppm{Is::kCount, "ppm", {}, 0, kMillion};
  Type figures{Is::kInterval, "interval", {}, 0, kMaxFigure};
  Type ppms{Is::kInterval, "interval", {}, 0, kMillion};
  Type chances{Is::kInterval, "interval", {}, 1, kMillion};
  Type key{Is::kKey, "key"};
  Type keys{Is::kList, "keys", {}, 0, 0, &key};
  Type uid{Is::kCount, "uid", {}, 0, 4'294'967'294};
  Type uids{Is::kList, "uids", {}, 0, 0, &uid};
  Type names{Is::kList, "names", {}, 0, 0, &name};
  Type persons{Is::kCount, "count", {}, 1, 100};
  Type lease_mode{Is::kWord, "mode", {"shared", "exclusive"}};
  Type truth{Is::kWord, "is", {"true", "false"}};

  Type approval{Is::kMap, "approvals", {}, 0, 0, nullptr, false,
                {{"count", &persons, "how many different persons; the proposer never counts", "2", true},
                 {"role", &name, "a role of approvers", "finance", true},
                 {"ttl", &ttl, "how long an approval lasts; 1h when left out", "\"1h\""}}};
  Type approvals{Is::kList, "approvals", {}, 0, 0, &approval, true};
  Type lease{Is::kMap, "lease", {}, 0, 0, nullptr, false,
             {{"resource", &name, "a name that sessions contend for", "invoices"},
              {"objects", &lease_mode, "the action's own object", "exclusive"},
              {"mode", &lease_mode, "of the resource, and required there", "exclusive", false, "resource"}},
             {{{"resource", "objects"}, "lease names none or several"}}};
  Type leases{Is::kList, "lease", {}, 0, 0, &lease, true};
  Type rate{Is::kMap, "rate", {}, 0, 0, nullptr, false,
            {{"uses", &uses, "at most so many", "100", true}, {"per", &ttl, "in any time of this length", "\"1m\"", true}}};
  Type duties{Is::kMap, "duties", {}, 0, 0, nullptr, false,
              {{"apart_from", &names, "who has used one of these permits may not use this one", "[invoices.approve]", true},
               {"window", &ttl, "for so long", "\"24h\"", true}}};
  Type need{Is::kMap, "needs", {}, 0, 0, nullptr, false,
            {{"field", &name, "a field of signed evidence", "tests.passed", true},
             {"by", &name, "its producer", "ci", true},
             {"is", &truth, "its value", "true"},
             {"min", &figure, "at least", "80"},
             {"max", &figure, "at most", "5"}},
            {{{"is", "min", "max"}, "needs bounds nothing", true}}};
  Type needs{Is::kList, "needs", {}, 0, 0, &need, true};

  Type goal{Is::kWord, "goal", {"risk", "irreversibility", "ttv", "cost"}};
  Type goals{Is::kList, "order", {}, 0, 0, &goal};
  Type optr{Is::kMap, "optr", {}, 0, 0, nullptr, false,
            {{"order", &goals, "what a selection makes small, the first first", "[risk, irreversibility, ttv, cost]", true},
             {"max_risk_ppm", &ppm, "over all steps, added up", "20000", true},
             {"max_cost", &figure, "over all steps, added up", "500", true},
             {"min_success_ppm", &ppm, "over all steps, multiplied", "900000", true}}};
  Type estimate{Is::kMap, "estimate", {}, 0, 0, nullptr, false,
                {{"for", &kind, "the kind of the action", "write", true},
                 {"rule", &name, "only under this permit", "demo.write"},
                 {"in", &later, "only for these objects, as in a rule", "[{ dir: /srv/demo, depth: all }]"},
                 {"of", &later, "only for these objects, as in a rule", "[{ file: /opt/demo/tool }]"},
                 {"to", &later, "only for these objects, as in a rule", "[{ cidr: \"127.0.0.0/8\" }]"},
                 {"on", &later, "only for these objects, as in a rule", "[{ cidr: \"127.0.0.0/8\" }]"},
                 {"ttv_us", &figures, "time to value, in microseconds", "[1000, 5000]", true},
                 {"cost", &figures, "in the canon's own unit", "3", true},
                 {"risk_ppm", &ppms, "chance of harm", "[10, 200]", true},
                 {"irreversibility", &figures, "what cannot be undone", "0", true},
                 {"success_ppm", &chances, "chance of success", "[990000, 999000]", true}}};
  Type estimates{Is::kList, "estimates", {}, 0, 0, &estimate};
  Type budget{Is::kMap, "budget", {}, 0, 0, nullptr, false,
              {{"id", &name, "names the budget", "money", true},
               {"limit", &figure, "of cost", "500", true},
               {"window", &ttl, "in any time of this length", "\"24h\"", true}}};
  Type budgets{Is::kList, "budgets", {}, 0, 0, &budget};
  Type blast{Is::kMap, "blast", {}, 0, 0, nullptr, false,
             {{"objects", &figure, "that grants of the window may write to", "100", true},
              {"hosts", &figure, "that they may connect to", "2", true},
              {"window", &ttl, "of this length", "\"1h\"", true}}};
  Type approver{Is::kMap, "approver", {}, 0, 0, nullptr, false,
                {{"person", &name, "named once, with all keys and roles", "alice", true},
                 {"roles", &names, "for what the person may approve", "[finance]", true},
                 {"keys", &keys, "OpenSSH public keys, Ed25519", "[ssh-ed25519 AAAA…]"},
                 {"uids", &uids, "who may approve over the control socket", "[1001]"}},
                {{{"keys", "uids"}, "approver has no way to approve", true}}};
  Type approvers{Is::kList, "approvers", {}, 0, 0, &approver};
  Type producer{Is::kMap, "producer", {}, 0, 0, nullptr, false,
                {{"name", &name, "whose evidence this is", "ci", true},
                 {"key", &key, "with which it is signed", "ssh-ed25519 AAAA…", true}}};
  Type producers{Is::kList, "producers", {}, 0, 0, &producer};

  Type argument{Is::kArgument, "argument"};
  Type arguments{Is::kList, "arguments", {}, 0, 0, &argument};
  Type argv{Is::kMap, "argv", {}, 0, 0, nullptr, false,
            {{"exact", &arguments, "all arguments, the program's own name first", "[python3, -I, /opt/demo/report.py]"},
             {"prefix", &arguments, "the first arguments; what follows is free", "[git, status]"}},
            {{{"exact", "prefix"}, "argv names none or several"}}};
  Type variable{Is::kVariable, "variable"};
  Type variables{Is::kList, "env", {}, 0, 0, &variable, true};
  Type content{Is::kContent, "content"};

  Type kinds{Is::kList, "kinds", {}, 0, 0, &kind, true};
  Type days{Is::kCount, "days", {}, 0, 36'500};
  Key custody_count{"count", &persons, "how many different persons sign; who asks never counts", "2", true};
  Key custody_role{"role", &name, "a role of approvers", "custodian", true};
  Type custody{Is::kMap, "custody", {}, 0, 0, nullptr, false, {custody_count, custody_role}};
  Type retain{Is::kMap, "retain", {}, 0, 0, nullptr, false,
              {{"keep_days", &days, "entries younger than this stay", "365", true}, custody_count, custody_role}};
  Type records{Is::kMap, "records", {}, 0, 0, nullptr, false,
               {{"retain", &retain, "entries may be dropped (their hashes stay)", "{ keep_days: 365, count: 2, role: custodian }"},
                {"release", &custody, "a hold may be ended", "{ count: 1, role: custodian }"},
                {"erase", &custody, "a blob may be erased", "{ count: 1, role: custodian }"}},
               {{{"retain", "release", "erase"}, "records permits nothing", true}}};

  Type break_glass{Is::kMap, "break_glass", {}, 0, 0, nullptr, false,
                   {{"role", &name, "a role of approvers: who may override", "oncall", true},
                    {"review", &name, "a role of approvers: who looks at it afterwards; never who used it", "security", true},
                    {"max", &ttl, "how long an override may last", "\"15m\"", true},
                    {"rules", &names, "the permits whose approvals, leases, budgets, rates, duties and needs may be overridden", "[invoices.publish]", true}}};

  Type rule{Is::kMap, "rule", {}, 0, 0, nullptr, false,
            {{"id", &name, "names the rule; once in a canon", "demo.write", true},
             {"permit", &kind, "a receipt may be issued", "write"},
             {"forbid", &kind, "no receipt may be issued; overrides every permit", "write"},
             {"in", &later, "the objects of write and read", "[{ dir: /srv/demo, depth: all }]"},
             {"of", &later, "the objects of exec, load, signal and capability", "[{ file: /opt/demo/tool }]"},
             {"to", &later, "the objects of connect", "[{ cidr: \"127.0.0.0/8\", port: 443 }]"},
             {"on", &later, "the objects of bind", "[{ cidr: \"127.0.0.0/8\", port: 8080 }]"},
             {"limits", &limits, "of a permit, and required there", "{ ttl: \"10m\", uses: 100 }"},
             {"argv", &argv, "of a permit of exec: the arguments that a receipt binds", "{ prefix: [git, status] }"},
             {"env", &variables, "of a permit of exec: clean (no variable that makes loaders and interpreters run other code), NAME or PREFIX* (must not be there), NAME=value (must be)", "[clean, \"TZ=UTC\"]"},
             {"content", &content, "of a permit of exec: what the program's file must hold", "sha256:…"},
             {"match", &acts, "acts about which the rule speaks; checked when the canon is loaded", "[/srv/demo/a]"},
             {"no_match", &acts, "acts about which it does not", "[/srv/other]"},
             {"approvals", &approvals, "all of these are needed", "{ count: 2, role: finance }"},
             {"lease", &leases, "held while the receipt lives", "{ resource: invoices, mode: exclusive }"},
             {"budget", &name, "the step's cost is charged to it", "money"},
             {"rate", &rate, "uses over time, for all receipts together", "{ uses: 100, per: \"1m\" }"},
             {"duties", &duties, "separation of duties", "{ apart_from: [invoices.approve], window: \"24h\" }"},
             {"needs", &needs, "signed evidence", "{ field: tests.passed, by: ci, is: true }"}},
            {{{"permit", "forbid"}, "rule must either permit or forbid"}}};
  Type rules{Is::kList, "rules", {}, 0, 0, &rule};

  Type include{Is::kName, "include"};
  Type includes{Is::kList, "include", {}, 0, 0, &include, true};
  Type library{Is::kMap, "library", {}, 0, 0, nullptr, false,
               {{"format", &format, "the version of the language", "1", true},
                {"library", &name, "its name; once in a bundle", "common", true},
                {"include", &includes, "libraries whose sets it passes on", "[base-sets]"},
                {"sets", &sets, "objects under a name", "{ data: [{ dir: /srv/demo }] }", true}}};

  Type canon{Is::kMap, "canon", {}, 0, 0, nullptr, false,
             {{"format", &format, "the version of the language", "1", true},
              {"tenant", &name, "to whom the domain belongs", "acme", true},
              {"domain", &name, "the governed workflow; once in a file", "billing-agent", true},
              {"attach", &attach, "govern this as soon as it exists", "{ slice: billing.slice }"},
              {"mode", &mode, "observe: what would be refused is recorded, nothing is blocked", "enforce", true},
              {"sets", &sets, "objects under a name, for use in rules and standing grants", "{ data: [{ dir: /srv/demo }] }"},
              {"include", &includes, "libraries whose sets may be used", "[common]"},
              {"standing", &standings, "what every process of the domain may do while it is attached", "[{ id: base, profile: base }]"},
              {"rules", &rules, "what receipts may be issued for", "[…]"},
              {"tests", &tests, "what the canon must say to acts; checked when it is loaded", "[{ write: /etc/passwd, expect: FORBIDDEN }]"},
              {"optr", &optr, "how a plan is selected; without it no plan is admissible", "{ order: [risk, cost], … }"},
              {"estimates", &estimates, "what actions are expected to be worth; of several that apply the worst figure counts", "[…]"},
              {"budgets", &budgets, "of cost, over time", "[{ id: money, limit: 500, window: \"24h\" }]"},
              {"blast", &blast, "what all grants of a window may reach together", "{ objects: 100, hosts: 2, window: \"1h\" }"},
              {"approvers", &approvers, "who may approve", "[{ person: alice, roles: [finance], uids: [1001] }]"},
              {"producers", &producers, "whose evidence counts", "[{ name: ci, key: ssh-ed25519 AAAA… }]"},
              {"witnessed", &kinds, "receipts of these kinds, but for standing ones, are live only when the quorum of witnesses has cosigned a head that covers their entry", "[connect]"},
              {"records", &records, "what may be done to the ledger; every domain in force must permit it, and what is not named may not be done", "{ erase: { count: 1, role: custodian } }"},
              {"break_glass", &break_glass, "who may override what a permit asks for, once and for a short time", "{ role: oncall, review: security, max: \"15m\", rules: [invoices.publish] }"}}};
};

const Grammar& Table() {
  static const Grammar grammar;
  return grammar;
}

std::string Join(const Words& names) { return fmt::format("{}", fmt::join(names, ", ")); }

Words NamesOf(const Type& type) {
  Words names;
  for (const Key& key : type.keys) names.push_back(key.name);
  return names;
}

bool IsName(std::string_view text) {
  const auto is_alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && text.size() <= 64 && is_alnum(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; });
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool IsCount(const yaml::Node& node, const Type& type) {
  std::uint64_t value = 0;
  const char* const end = node.text.data() + node.text.size();
  const auto [stop, error] = std::from_chars(node.text.data(), end, value);
  return error == std::errc() && stop == end && node.is_plain && value >= type.low &&
         value <= type.high && (node.text.size() == 1 || node.text.front() != '0');
}

class Validator {
 public:
  explicit Validator(const yaml::Complain& complain) : complain_(complain) {}

  // `what` names the thing in messages: the key it stands under.
  void Check(yaml::Node& node, const Type& type, std::string_view what) {
    if (IsFull()) {  // nobody would be told
      node.is_wrong = true;
      return;
    }
    switch (type.is) {
      case Is::kLater: return;
      case Is::kList: return CheckList(node, type, what);
      case Is::kMap: return CheckMap(node, type);
      case Is::kMapOf: return CheckMapOf(node, type);
      case Is::kInterval: return CheckInterval(node, type, what);
      default: return CheckScalar(node, type, what);
    }
  }

 private:
  bool IsFull() const { return told_ >= kMaxDiagnostics; }
  void Wrong(yaml::Node& node, std::string message, std::string expected, std::string code) {
    node.is_wrong = true;
    ++told_;
    complain_(node.where, std::move(message), std::move(expected), std::move(code));
  }
  void WrongType(yaml::Node& node, std::string_view what, std::string expected) {
    Wrong(node, std::string(what) + " has the wrong type", std::move(expected), "wrong-type");
  }

  void CheckList(yaml::Node& node, const Type& type, std::string_view what) {
    if (node.type != yaml::Node::Type::kList) {
      if (type.is_or_one) return Check(node, *type.item, what);
      return WrongType(node, what, "a list");
    }
    if (node.items.empty()) Wrong(node, std::string(what) + " is empty", "at least one", "empty");
    for (const auto& item : node.items) Check(*item, *type.item, type.item->what);
  }

  void CheckInterval(yaml::Node& node, const Type& type, std::string_view what) {
    const Type bound{Is::kCount, what, {}, type.low, type.high};
    if (node.type == yaml::Node::Type::kScalar) return CheckScalar(node, bound, what);
    if (node.type != yaml::Node::Type::kList || node.items.size() != 2)
      return WrongType(node, what, "a number, or [low, high]");
    for (const auto& item : node.items) CheckScalar(*item, bound, what);
    if (node.items[0]->is_wrong || node.items[1]->is_wrong) {
      node.is_wrong = true;
    } else if (std::stoull(node.items[0]->text) > std::stoull(node.items[1]->text)) {
      Wrong(node, std::string(what) + " is empty", "[low, high]", "out-of-range");
    }
  }

  void CheckMapOf(yaml::Node& node, const Type& type) {
    if (node.type != yaml::Node::Type::kMap) return WrongType(node, type.what, "a mapping");
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
      yaml::Node& key = *node.items[i];
      if (key.type != yaml::Node::Type::kScalar || !IsName(key.text)) {
        Wrong(key, "name " + Quote(key.text) + " is not a name", "1 to 64 letters, digits, '.', '_', '-'", "bad-name");
        continue;
      }
      if (!seen.insert(key.text).second) {
        Wrong(key, "name " + Quote(key.text) + " is given twice", "it once", "duplicate-key");
        continue;
      }
      Check(*node.items[i + 1], *type.item, key.text);
    }
  }

  void CheckMap(yaml::Node& node, const Type& type) {
    if (node.type != yaml::Node::Type::kMap) return WrongType(node, type.what, "a mapping");
    std::map<std::string_view, yaml::Node*> given;
    for (std::size_t i = 0; i + 1 < node.items.size() && !IsFull(); i += 2) {
      yaml::Node& key = *node.items[i];
      if (key.type != yaml::Node::Type::kScalar) {
        Wrong(key, "key has the wrong type", Join(NamesOf(type)), "wrong-type");
        continue;
      }
      const auto known = std::find_if(type.keys.begin(), type.keys.end(),
                                      [&](const Key& one) { return one.name == key.text; });
      if (known == type.keys.end()) {
        const std::string near = Nearest(key.text, NamesOf(type));
        std::string expected = near.empty() ? Join(NamesOf(type)) : "'" + near + "'";
        if (!IsAscii(key.text)) expected += " in plain ASCII letters";
        Wrong(key, "unknown key " + Quote(key.text), std::move(expected), "unknown-key");
        continue;
      }
      if (!given.emplace(known->name, &key).second) {
        Wrong(key, "key " + Quote(key.text) + " is given twice", "it once", "duplicate-key");
        continue;
      }
      Check(*node.items[i + 1], *known->type, known->name);
    }
    for (const Key& key : type.keys) {
      const auto at = given.find(key.name);
      if (at == given.end()) {
        if (key.is_required)
          Wrong(node, "key '" + std::string(key.name) + "' is missing",
                fmt::format("{}: {}", key.name, key.example), "missing-key");
      } else if (!key.only_with.empty() && !given.contains(key.only_with)) {
        Wrong(*at->second, fmt::format("'{}' goes with '{}'", key.name, key.only_with),
              fmt::format("'{}', or no '{}'", key.only_with, key.name), "misplaced-key");
      }
    }
    for (const Choice& choice : type.choices) {
      const auto count = std::count_if(choice.names.begin(), choice.names.end(),
                                       [&](std::string_view name) { return given.contains(name); });
      if (choice.may_be_several ? count == 0 : count != 1)
        Wrong(node, std::string(choice.complaint), "one of " + Join(choice.names), "choice");
    }
    // What is wrong with one key must not keep the parser from reading the rest.
    node.is_wrong = false;
  }

  void CheckScalar(yaml::Node& node, const Type& type, std::string_view what) {
    if (node.type != yaml::Node::Type::kScalar) return WrongType(node, what, "text");
    const std::string& text = node.text;
    if (text.empty() && type.is != Is::kArgument) return Wrong(node, std::string(what) + " is empty", "text", "empty");
    switch (type.is) {
      case Is::kName:
        if (!IsName(text))
          Wrong(node, fmt::format("{} {} is not a name", what, Quote(text)),
                "1 to 64 letters, digits, '.', '_', '-'", "bad-name");
        return;
      case Is::kWord:
        if (std::find(type.words.begin(), type.words.end(), text) == type.words.end()) {
          const std::string near = Nearest(text, type.words);
          Wrong(node, fmt::format("unknown {} {}", type.what, Quote(text)),
                near.empty() ? Join(type.words) : "'" + near + "'", "unknown-word");
        }
        return;
      case Is::kCount:
        if (!IsCount(node, type))
          Wrong(node, fmt::format("{} {} is out of range", what, Quote(text)),
                type.low == type.high ? std::to_string(type.low)
                                      : fmt::format("a whole number from {} to {}", type.low, type.high),
                "out-of-range");
        return;
      case Is::kDuration:
        if (const auto ns = ParseDuration(text); !ns)
          Wrong(node, fmt::format("{} {} is not a duration", what, Quote(text)), ns.error().message,
                "bad-duration");
        return;
      case Is::kPath:
        if (!IsCleanPath(text))
          Wrong(node, fmt::format("{} {} is not a clean absolute path", type.what, Quote(text)),
                "as in /srv/demo: no '..', no '//', no final '/'", "bad-path");
        return;
      case Is::kCidr:
        if (const auto net = ParseCidr(text); !net)
          Wrong(node, fmt::format("{} {}", what, net.error().message),
                "as in \"10.0.0.0/8\" or \"::1/128\"", "bad-cidr");
        return;
      case Is::kVariable:
        if (Binding none; !AddEnvWord(text, none))
          Wrong(node, fmt::format("{} {} is not a variable", what, Quote(text)), "clean, NAME, PREFIX* or NAME=value",
                "bad-variable");
        return;
      case Is::kContent:
        if (Binding none; !SetContent(text, none))
          Wrong(node, fmt::format("{} {} is no digest", what, Quote(text)), "sha256: and 64 hexadecimal digits",
                "bad-digest");
        return;
      default: return;  // kText, kArgument: any
    }
  }

  const yaml::Complain& complain_;
  std::size_t told_ = 0;
};

json::Value Schema(const Type& type);

json::Value KeysSchema(const Type& type) {
  json::Object properties;
  json::Object dependent;
  json::Array required;
  for (const Key& key : type.keys) {
    json::Value one = Schema(*key.type);
    if (!key.doc.empty()) one.object()["description"] = key.doc;
    properties[std::string(key.name)] = std::move(one);
    if (key.is_required) required.emplace_back(key.name);
    if (!key.only_with.empty()) {
      json::Array with;
      with.emplace_back(key.only_with);
      dependent[std::string(key.name)] = std::move(with);
    }
  }
  json::Object out{{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (!required.empty()) out["required"] = std::move(required);
  if (!dependent.empty()) out["dependentRequired"] = std::move(dependent);
  json::Array all;
  for (const Choice& choice : type.choices) {
    json::Array of;
    for (const std::string_view name : choice.names) {
      json::Array only;
      only.emplace_back(name);
      of.push_back(json::Object{{"required", std::move(only)}});
    }
    all.push_back(json::Object{{choice.may_be_several ? "anyOf" : "oneOf", std::move(of)}});
  }
  if (!all.empty()) out["allOf"] = std::move(all);
  return out;
}

json::Value Schema(const Type& type) {
  const auto text = [](const char* pattern) {
    return json::Object{{"type", "string"}, {"pattern", pattern}};
  };
  switch (type.is) {
    case Is::kText: return json::Object{{"type", "string"}, {"minLength", 1}};
    case Is::kName: return text("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$");
    case Is::kDuration: return text("^[0-9]+(ms|s|m|h)$");
    case Is::kPath: return text("^/");
    case Is::kCidr: return text("^[0-9a-fA-F.:]+/[0-9]{1,3}$");
    case Is::kArgument: return json::Object{{"type", "string"}};
    case Is::kVariable: return text("^(clean|[A-Za-z_][A-Za-z0-9_]*([*]|=.*)?)$");
    case Is::kContent: return text("^sha256:[0-9a-f]{64}$");
    case Is::kKey: return text("^ssh-ed25519 [A-Za-z0-9+/=]+( .*)?$");
    case Is::kWord: {
      json::Array words;
      for (const std::string_view word : type.words) words.emplace_back(word);
      return json::Object{{"enum", std::move(words)}};
    }
    case Is::kCount:
      return json::Object{{"type", "integer"}, {"minimum", json::Integer(type.low)}, {"maximum", json::Integer(type.high)}};
    case Is::kInterval: {
      json::Value one = Schema(Type{Is::kCount, type.what, {}, type.low, type.high});
      json::Array any;
      any.push_back(one);
      any.push_back(json::Object{{"type", "array"}, {"minItems", 2}, {"maxItems", 2}, {"items", std::move(one)}});
      return json::Object{{"anyOf", std::move(any)}};
    }
    case Is::kList: {
      json::Object list{{"type", "array"}, {"minItems", 1}, {"items", Schema(*type.item)}};
      if (!type.is_or_one) return list;
      json::Array any;
      any.push_back(Schema(*type.item));
      any.emplace_back(std::move(list));
      return json::Object{{"anyOf", std::move(any)}};
    }
    case Is::kMap: return KeysSchema(type);
    case Is::kMapOf:
      return json::Object{{"type", "object"},
                          {"propertyNames", text("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")},
                          {"additionalProperties", Schema(*type.item)}};
    case Is::kLater: {
      json::Array any;
      for (const Kind kind : kAllKinds) any.push_back(Schema(*ObjectsType(kind).item));
      return json::Object{{"type", "array"}, {"minItems", 1}, {"items", json::Object{{"anyOf", std::move(any)}}}};
    }
  }
  return json::Object{};
}

std::string Means(const Type& type) {
  switch (type.is) {
    case Is::kText: return "text";
    case Is::kName: return "name";
    case Is::kDuration: return "duration";
    case Is::kPath: return "path";
    case Is::kCidr: return "address/bits";
    case Is::kKey: return "OpenSSH public key";
    case Is::kArgument: return "text";
    case Is::kVariable: return "clean, NAME, PREFIX*, NAME=value";
    case Is::kContent: return "sha256:DIGEST";
    case Is::kInterval: return fmt::format("{} to {}, or [low, high] of it", type.low, type.high);
    case Is::kWord: return Join(type.words);
    case Is::kCount: return type.low == type.high ? std::to_string(type.low) : fmt::format("{} to {}", type.low, type.high);
    case Is::kList: return type.is_or_one && (type.item->is == Is::kWord || type.item->is == Is::kVariable) ? "one or a list: " + Means(*type.item) : fmt::format("list of {}", type.item->what);
    case Is::kMap: return fmt::format("{}, below", type.what);
    case Is::kMapOf: return "names, each a list of objects";
    case Is::kLater: return "list of objects";
  }
  return "";
}

std::string TableOf(std::string_view title, const Type& type) {
  std::string out = fmt::format("### {}\n\n| key | value | meaning | example |\n|---|---|---|---|\n", title);
  for (const Key& key : type.keys)
    out += fmt::format("| {}{} | {} | {}{} | `{}` |\n", key.name, key.is_required ? " (required)" : "",
                       Means(*key.type), key.doc,
                       key.only_with.empty() ? "" : fmt::format(" (with {})", key.only_with), key.example);
  for (const Choice& choice : type.choices)
    out += fmt::format("\n{} {}.\n", choice.may_be_several ? "At least one of" : "One of", Join(choice.names));
  return out + "\n";
}

}  // namespace

const Type& CanonType() { return Table().canon; }

const Type& LibraryType() { return Table().library; }

const Type& ObjectsType(Kind kind) {
  const Grammar& table = Table();
  switch (kind) {
    case Kind::kExec:
    case Kind::kSignal:
    case Kind::kRead: return table.file_objects;
    case Kind::kLoad: return table.load_objects;
    case Kind::kWrite: return table.write_objects;
    case Kind::kConnect: return table.connect_objects;
    case Kind::kBind: return table.bind_objects;
    case Kind::kCapability: return table.capability_objects;
  }
  return table.file_objects;
}

std::string_view SelectorOf(Kind kind) {
  switch (kind) {
    case Kind::kExec:
    case Kind::kLoad:
    case Kind::kSignal:
    case Kind::kCapability: return "of";
    case Kind::kWrite:
    case Kind::kRead: return "in";
    case Kind::kConnect: return "to";
    case Kind::kBind: return "on";
  }
  return "of";
}

void Validate(yaml::Node& node, const Type& type, std::string_view what, const yaml::Complain& complain) {
  Validator(complain).Check(node, type, what);
}

json::Value GrammarSchema() {
  json::Value schema = json::Object{{"if", json::Object{{"required", json::Array{"library"}}}},
                                    {"then", Schema(LibraryType())},
                                    {"else", Schema(CanonType())}};
  schema.object()["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema.object()["title"] = "Proofgate canon, one domain";
  return schema;
}

std::string GrammarMarkdown() {
  const Grammar& table = Table();
  const std::pair<std::string_view, const Type*> tables[] = {
      {"canon", &table.canon}, {"library", &table.library}, {"attach", &table.attach}, {"standing grant", &table.standing},
      {"rule", &table.rule}, {"limits", &table.limits}, {"argv", &table.argv}, {"object of exec, signal and read", &table.file_object},
      {"object of load", &table.load_object}, {"object of write", &table.write_object},
      {"object of connect", &table.connect_object}, {"object of bind", &table.bind_object},
      {"object of capability", &table.capability_object}, {"approvals", &table.approval},
      {"lease", &table.lease}, {"test", &table.test}, {"rate", &table.rate}, {"duties", &table.duties}, {"needs", &table.need},
      {"optr", &table.optr}, {"estimate", &table.estimate}, {"budget", &table.budget},
      {"blast", &table.blast}, {"approver", &table.approver}, {"producer", &table.producer},
      {"records", &table.records}, {"retain", &table.retain}, {"custody", &table.custody},
      {"break_glass", &table.break_glass}};
  std::string out;
  for (const auto& [title, type] : tables) out += TableOf(title, *type);
  return out;
}

Result<std::uint64_t> ParseDuration(std::string_view text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
  std::uint64_t scale = 0;
  if (unit == "ms") scale = 1'000'000;
  if (unit == "s") scale = 1'000'000'000;
  if (unit == "m") scale = 60ull * 1'000'000'000;
  if (unit == "h") scale = 3600ull * 1'000'000'000;
  if (error != std::errc() || scale == 0 || value == 0 || value > kMaxTtlNs / scale)
    return Fail(Code::kInvalid, "a number with ms, s, m or h, at most 24h, as in \"30s\"");
  return value * scale;
}

}  // namespace proofgate::policy
