// bench_native: nanoseconds on this machine.
//
// The PDP's decisions at growing numbers of rules, and the gate's core as JITed
// code under BPF_PROG_TEST_RUN (needs CAP_BPF and CAP_PERFMON; skipped with a
// sentence otherwise). Nothing is attached.

#include <benchmark/benchmark.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "bpf/gate.h"
#include "core.skel.h"
#include "policy/parse.h"
#include "policy/pdp.h"

namespace proofgate {
namespace {

// A canon of `rules` rules, one in ten a forbid, as bench/cedar/compare.mjs
// writes it for Cedar.
policy::Canon MakeCanon(int rules) {
  std::string text =
      "format: 1\ntenant: bench\ndomain: bench\nmode: enforce\nstanding:\n"
      "  - { id: base, profile: base }\nrules:\n";
  for (int i = 0; i < rules; ++i)
    text += i % 10 == 9
                ? fmt::format("  - {{id: r{0}, forbid: write, in: [{{dir: /secret{0}, depth: all}}]}}\n", i)
                : fmt::format("  - {{id: r{0}, permit: write, in: [{{dir: /tree{0}, depth: all}}], "
                              "limits: {{ttl: 10m, uses: 100}}}}\n",
                              i);
  policy::ParsedCanon parsed = policy::ParseCanon(text, "bench");
  if (!parsed.diagnostics.empty()) {
    fmt::print(stderr, "bench_native: {}\n", policy::Render(parsed.diagnostics.front()));
    std::exit(1);
  }
  return std::move(parsed.canons.front());
}

policy::Request RequestFor(int rule, const char* tree) {
  policy::Request request;
  request.rule = fmt::format("r{}", rule);
  policy::Object object;
  object.path = fmt::format("/{}{}/a/report.txt", tree, rule);
  request.object = object;
  return request;
}

void PdpPermits(benchmark::State& state) {
  const policy::Canon canon = MakeCanon(static_cast<int>(state.range(0)));
  const policy::Request request = RequestFor(static_cast<int>(state.range(0)) / 2, "tree");
  if (policy::Decide(canon, request).code != policy::DecisionCode::kPermitted)
    state.SkipWithError("not permitted");
  for (auto _ : state) benchmark::DoNotOptimize(policy::Decide(canon, request));
}
BENCHMARK(PdpPermits)->Arg(10)->Arg(100)->Arg(1000)->Arg(10000);

void PdpRefuses(benchmark::State& state) {
  const policy::Canon canon = MakeCanon(static_cast<int>(state.range(0)));
  const policy::Request request = RequestFor(static_cast<int>(state.range(0)) / 2, "elsewhere");
  if (policy::Decide(canon, request).code != policy::DecisionCode::kNotPermitted)
    state.SkipWithError("not refused");
  for (auto _ : state) benchmark::DoNotOptimize(policy::Decide(canon, request));
}
BENCHMARK(PdpRefuses)->Arg(10)->Arg(100)->Arg(1000)->Arg(10000);

// The core in user space: the same text.
void GateDecide(benchmark::State& state) {
  receipt_slot receipt{};
  receipt.state = SLOT_LIVE;
  receipt.domain = 1;
  receipt.kind = KIND_WRITE;
  receipt.expires_boot_ns = ~0ull;
  receipt.max_uses = ~0ull;
  gate_act act{};
  act.domain = 1;
  act.kind = KIND_WRITE;
  act.needs = NEED_USE;
  for (auto _ : state) {
    benchmark::DoNotOptimize(receipt);
    benchmark::DoNotOptimize(act);
    benchmark::DoNotOptimize(gate_decide(&receipt, &act, 1));
  }
}
BENCHMARK(GateDecide);

using Skeleton = std::unique_ptr<core, decltype(&core::destroy)>;

int Silent(libbpf_print_level, const char*, va_list) { return 0; }

Skeleton LoadCore() {
  libbpf_set_print(Silent);
  Skeleton skeleton(core::open(nullptr), core::destroy);
  if (!skeleton) return skeleton;
  const bpf_map* const used[] = {skeleton->maps.labels, skeleton->maps.grants, skeleton->maps.receipts,
                                 skeleton->maps.rodata, skeleton->maps.bss};
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton->obj) {
    bool wanted = false;
    for (const bpf_map* const one : used) wanted = wanted || one == map;
    if (!wanted) bpf_map__set_autocreate(map, false);
  }
  if (core::load(skeleton.get()) != 0) skeleton.reset();
  return skeleton;
}

bool Fill(core& skeleton) {
  const __u64 task = skeleton.rodata->task;
  label who{};
  who.domain = skeleton.rodata->domain;
  grant_key key{};
  key.object = skeleton.rodata->object;
  key.domain = who.domain;
  key.kind = KIND_WRITE;
  grant_list list{};
  list.count = 1;
  list.grants[0] = {1, 1, FORM_FILE, 0};
  const __u32 slot = 1;
  receipt_slot receipt{};
  receipt.state = SLOT_LIVE;
  receipt.gen = 1;
  receipt.domain = who.domain;
  receipt.kind = KIND_WRITE;
  receipt.expires_boot_ns = ~0ull;
  receipt.max_uses = ~0ull;
  return bpf_map_update_elem(bpf_map__fd(skeleton.maps.labels), &task, &who, BPF_ANY) == 0 &&
         bpf_map_update_elem(bpf_map__fd(skeleton.maps.grants), &key, &list, BPF_ANY) == 0 &&
         bpf_map_update_elem(bpf_map__fd(skeleton.maps.receipts), &slot, &receipt, BPF_ANY) == 0;
}

void Core(benchmark::State& state, const char* program) {
  const Skeleton skeleton = LoadCore();
  if (!skeleton || !Fill(*skeleton)) {
    state.SkipWithError("this kernel does not let us load BPF programs");
    return;
  }
  const int fd = bpf_program__fd(bpf_object__find_program_by_name(skeleton->obj, program));
  char packet[64] = {};
  constexpr int kRepeat = 1'000'000;
  double best = 1e9;
  for (auto _ : state) {
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = sizeof(packet),
                .repeat = kRepeat);
    if (bpf_prog_test_run_opts(fd, &options) != 0 || options.retval != 0) {
      state.SkipWithError("the core did not permit");
      return;
    }
    state.SetIterationTime(static_cast<double>(options.duration) * 1e-9);
    best = std::min(best, static_cast<double>(options.duration));
  }
  state.counters["min_ns"] = best;  // of 20 runs of a million
}
BENCHMARK_CAPTURE(Core, empty, "core_empty")->UseManualTime()->Iterations(20);
BENCHMARK_CAPTURE(Core, ungoverned, "core_ungoverned")->UseManualTime()->Iterations(20);
BENCHMARK_CAPTURE(Core, decide, "core_decide")->UseManualTime()->Iterations(20);
BENCHMARK_CAPTURE(Core, judge, "core_judge")->UseManualTime()->Iterations(20);

}  // namespace
}  // namespace proofgate

BENCHMARK_MAIN();
