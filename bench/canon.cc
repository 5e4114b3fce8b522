// bench_canon: what many rules cost. Not a test.
//
//   bench_canon [RULES [DOMAINS]]     10,000 rules in each of 100 domains unless given
//
// Time is processor time of this process, in milliseconds; memory is what the
// process holds at most. A host takes at most 2 MiB and a cost of 100,000 in one
// bundle (policy/parse.h): domains are compiled one by one here, as many as asked
// for, and "one host" is what fits together.

#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdlib>
#include <ctime>
#include <memory>
#include <vector>

#include "policy/authority.h"
#include "policy/diff.h"
#include "policy/parse.h"
#include "policy/pdp.h"

namespace proofgate::policy {
namespace {

double Milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// Half of the rules about files, a quarter about peers, a quarter forbids.
std::string Text(int rules, int domain) {
  std::string text = fmt::format("format: 1\ntenant: acme\ndomain: d{}\nmode: enforce\nrules:\n", domain);
  for (int i = 0; i < rules; ++i) {
    if (i % 4 == 0) text += fmt::format("  - {{ id: f{}, forbid: write, in: [{{ dir: /srv/no/{}, depth: all }}] }}\n", i, i);
    else if (i % 4 == 1)
      text += fmt::format("  - {{ id: c{}, permit: connect, to: [{{ cidr: \"10.{}.{}.0/24\", port: 443, proto: tcp }}], limits: {{ ttl: 10m, uses: 100 }} }}\n",
                          i, i / 256 % 256, i % 256);
    else
      text += fmt::format("  - {{ id: w{}, permit: write, in: [{{ dir: /srv/yes/{}/{}, depth: all }}], limits: {{ ttl: 10m, uses: 100 }} }}\n", i, domain, i);
  }
  return text;
}

template <class Work>
double TimeOf(const Work& work) {
  const double before = Milliseconds();
  work();
  return Milliseconds() - before;
}

Canon Compiled(const std::string& text) {
  ParsedCanon parsed = ParseCanon(text, "bench");
  if (parsed.diagnostics.empty()) return std::move(parsed.canons.at(0));
  fmt::print(stderr, "{}\n", Render(parsed.diagnostics[0]));
  std::exit(1);
}

void OneDomain(int rules) {
  const std::string text = Text(rules, 0);
  Canon canon;
  const double compile = TimeOf([&] { canon = Compiled(text); });
  const Canon copy = canon;
  const double compare = TimeOf([&] { (void)IsSubset({copy}, {canon}); });
  std::unique_ptr<Authority> authority;
  const double index = TimeOf([&] {
    authority = std::make_unique<Authority>(canon);
    (void)Forbids(canon);
  });
  const Forbids forbids(canon);
  const Object act = *ReadObjectText(Kind::kWrite, fmt::format("/srv/yes/0/{}/a/b", rules / 4 * 4 - 2));
  Request request;
  request.rule = fmt::format("w{}", rules / 4 * 4 - 2);
  request.object = act;
  constexpr int kTimes = 1000;
  const double at = TimeOf([&] { for (int i = 0; i < kTimes; ++i) (void)authority->At(Kind::kWrite, act); });
  const double decide = TimeOf([&] { for (int i = 0; i < kTimes; ++i) (void)Decide(canon, forbids, request); });
  if (Decide(canon, forbids, request).code != DecisionCode::kPermitted) std::exit(1);
  fmt::print("| {} | {} | {:.0f} | {:.0f} | {:.1f} | {:.2f} | {:.2f} |\n", rules, text.size() / 1024, compile, compare, index,
             at * 1000 / kTimes, decide * 1000 / kTimes);
}

// Of the gate as it is built: preallocated, and by the most that fits.
void KernelMemory() {
  const std::unique_ptr<bpf_object, decltype(&bpf_object__close)> gate(bpf_object__open_file(PEP_OBJECT, nullptr), bpf_object__close);
  if (!gate) std::exit(1);
  double fixed = 0;
  double grown = 0;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, gate.get()) {
    const double bytes = static_cast<double>(bpf_map__max_entries(map)) * (bpf_map__key_size(map) + bpf_map__value_size(map));
    if ((bpf_map__map_flags(map) & BPF_F_NO_PREALLOC) != 0) grown += bytes;
    else fixed += bytes;
  }
  fmt::print("\nmaps of the gate: {:.1f} MiB of keys and values whatever the canon; {:.1f} MiB more when every row of the tables of grants is in use\n",
             fixed / (1 << 20), grown / (1 << 20));
}

}  // namespace
}  // namespace proofgate::policy

int main(int argc, char** argv) {
  using namespace proofgate::policy;
  const int rules = argc > 1 ? std::atoi(argv[1]) : 10'000;
  const int domains = argc > 2 ? std::atoi(argv[2]) : 100;
  if (argc > 3 || rules < 8 || domains < 1) {
    fmt::print(stderr, "Usage: bench_canon [RULES [DOMAINS]], from 8 and from 1\n");
    return 2;
  }
  fmt::print("| rules of a domain | KiB | compile ms | compare ms | index ms | an act µs | a receipt µs |\n|---:|---:|---:|---:|---:|---:|---:|\n");
  for (int size = 10; size < rules; size *= 10) OneDomain(size);
  OneDomain(rules);
  std::vector<std::string> texts;
  for (int domain = 0; domain < domains; ++domain) texts.push_back(Text(rules, domain));
  const double all = TimeOf([&] { for (const std::string& text : texts) (void)Compiled(text); });
  std::string host;
  int together = 0;
  for (; together < domains; ++together) {
    const std::string next = host.empty() ? Text(rules / domains, together) : host + "---\n" + Text(rules / domains, together);
    if (next.size() > kMaxCanonBytes) break;
    host = next;
  }
  const double one_host = TimeOf([&] { if (!ParseCanon(host, "host").diagnostics.empty()) std::exit(1); });
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  fmt::print("\n{} domains of {} rules, one by one: {:.0f} ms\n{} domains of {} rules in one bundle: {:.0f} ms\nmemory at most: {} MiB\n", domains, rules, all,
             together, rules / domains, one_host, use.ru_maxrss / 1024);
  KernelMemory();
  return 0;
}
