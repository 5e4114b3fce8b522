#!/usr/bin/env python3
"""report: from the lines of a measurement to a result, a table, a page, a verdict.

  report.py collect COMMAND <lines >result.json
  report.py native GOOGLE_BENCHMARK_JSON CEDAR_LINES <result.json >result.json
  report.py table <result.json
  report.py check TARGETS <result.json       exits 1 when a bound is passed
  report.py page RESULT PAGE CHART           writes the generated part of PAGE, and CHART
"""

import html
import json
import sys

NAMES = {
    "none": "no LSM",
    "default": "default list",
    "floor": "empty programs (floor)",
    "ungoverned": "ungoverned",
    "standing": "standing",
    "counted": "counted",
    "observed": "observed",
    "seccomp": "seccomp",
    "landlock": "Landlock",
    "fanotify": "fanotify",
    "apparmor": "AppArmor",
}
ORDER = list(NAMES)
OURS = ("ungoverned", "standing", "counted", "observed")
PEERS = ("seccomp", "landlock", "fanotify", "apparmor")


def base_of(condition):
    """What a condition's cost is counted over."""
    return "floor" if condition in OURS else "default"


def collect(command):
    result = {"command": command, "unit": "guest instructions per operation", "kernels": []}
    by_name = {}
    for line in sys.stdin:
        row = json.loads(line)
        if "kernel" in row:
            kernel = by_name.setdefault(row["kernel"], {"kernel": row["kernel"], "conditions": {}})
            continue
        at = kernel["conditions"].setdefault(row.pop("condition"), {})
        at[row.pop("op")] = row
    result["kernels"] = list(by_name.values())
    if not result["kernels"]:
        sys.exit("report: no lines")
    json.dump(result, sys.stdout, indent=1)
    print()


def native(result, native_path, cedar_path):
    """Adds CPU nanoseconds: PDP (by rules), Cedar (by rules), core (minimum of its runs)."""
    with open(native_path, encoding="utf-8") as file:
        rows = json.load(file)
    out = {"machine": f"{rows['context']['num_cpus']} CPUs at {rows['context']['mhz_per_cpu']} MHz", "pdp": [], "core": {}}
    for row in rows["benchmarks"]:
        name = row["name"].split("/")
        if row.get("error_occurred"):
            out["core"][name[1]] = row["error_message"]
        elif name[0] == "Core":
            out["core"][name[1]] = row["min_ns"]
        elif name[0].startswith("Pdp"):
            out["pdp"].append({"op": name[0][3:], "rules": int(name[1]), "ns": round(row["cpu_time"])})
        else:
            out["core"]["decide in user space"] = round(row["cpu_time"], 1)
    with open(cedar_path, encoding="utf-8") as file:
        cedar = {(row["op"][5:], row["rules"]): row["ns"] for row in map(json.loads, file)}
    for row in out["pdp"]:
        row["cedar_ns"] = cedar.get((row["op"], row["rules"]))
    result["native"] = out
    json.dump(result, sys.stdout, indent=1)
    print()


def native_lines(native):
    out = ["### Nanoseconds", "", f"CPU time on the build machine ({native['machine']}), which other work shared; minimum of 20 runs of a million for the core.", ""]
    out += markdown([["JITed, BPF_PROG_TEST_RUN", "ns"]] + [[k, f"{v}"] for k, v in native["core"].items()])
    lines = [["`policy::Decide`", "rules", "ns", "Cedar (wasm) ns", "ratio"]]
    for row in native["pdp"]:
        cedar = row["cedar_ns"]
        lines.append([row["op"].lower(), str(row["rules"]), str(row["ns"]), str(cedar or "-"), f"{cedar / row['ns']:.0f}" if cedar else "-"])
    return out + [""] + markdown(lines) + [""]


def operations(kernel):
    seen = []
    for condition in kernel["conditions"].values():
        seen += [op for op in condition if op not in seen]
    return seen


def over(kernel, condition, op):
    """Instructions over the base, or None when either was not measured."""
    conditions = kernel["conditions"]
    at = conditions.get(condition, {}).get(op)
    base = conditions.get(base_of(condition), {}).get(op)
    return round(at["min"] - base["min"]) if at and base else None


def cell(kernel, condition, op):
    at = kernel["conditions"][condition].get(op)
    if not at:
        return "-"
    if condition in ("none", "default", "floor"):
        return f"{at['min']:.0f}"
    more = over(kernel, condition, op)
    return f"{more:+d}" if more is not None else f"{at['min']:.0f}"


def rows(kernel):
    conditions = [c for c in ORDER if c in kernel["conditions"]]
    yield ["operation"] + [NAMES[c] for c in conditions]
    for op in operations(kernel):
        yield [op] + [cell(kernel, c, op) for c in conditions]


def table(result):
    for kernel in result["kernels"]:
        print(f"{kernel['kernel']}: minimum of the batches; signed: over the floor (ours) or over the default list (peers)")
        lines = list(rows(kernel))
        widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
        for line in lines:
            print("  ".join(text.ljust(w) if i == 0 else text.rjust(w) for i, (text, w) in enumerate(zip(line, widths))))
        spread = worst_spread(kernel)
        print(f"median over minimum, worst: {spread[0]:.1%} ({spread[1]})\n")


def worst_spread(kernel):
    return max(
        (at["median"] / at["min"] - 1, f"{op}, {NAMES[condition]}")
        for condition, ops in kernel["conditions"].items()
        for op, at in ops.items()
    )


def series_of(kernel):
    """6.1.0-56-cloud-amd64 -> 6.1"""
    return ".".join(kernel["kernel"].split("-")[0].split(".")[:2])


def judged(result, targets):
    """(kernel, op, condition, measured, target, bound) for what was measured."""
    for kernel in result["kernels"]:
        for row in targets["over_floor"]:
            measured = over(kernel, row["condition"], row["op"])
            if measured is None:
                continue
            bound = row.get("bound", {}).get(series_of(kernel), row["target"])
            yield series_of(kernel), row["op"], row["condition"], measured, row["target"], bound


def check(result, targets):
    seen = list(judged(result, targets))
    if not seen:
        sys.exit("report: no target was measured")
    worse = [row for row in seen if row[3] > row[5]]
    missed = [row for row in seen if row[3] > row[4]]
    print(f"{len(seen) - len(missed)} of {len(seen)} targets are met (instructions over the floor)")
    for kernel, op, condition, measured, target, bound in missed:
        verdict = "PASSED ITS BOUND" if measured > bound else "a known miss"
        print(f"  {kernel:5} {op:26} {condition:11} {measured:6d}  target {target:5d}  bound {bound:5d}  {verdict}")
    for row in worse:
        if row not in missed:
            sys.exit(f"report: the bound of {row} is below its target")
    sys.exit(1 if worse else 0)


def markdown(lines):
    lines = list(lines)
    out = ["| " + " | ".join(lines[0]) + " |", "|---|" + "---:|" * (len(lines[0]) - 1)]
    out += ["| " + " | ".join(line) + " |" for line in lines[1:]]
    return out


def target_lines(result, targets):
    yield ["operation", "condition", "kernel", "measured", "target", ""]
    for kernel, op, condition, measured, target, _ in judged(result, targets):
        yield [op, condition, kernel, f"{measured:+d}", f"≤ {target}", "" if measured <= target else "missed"]


BEGIN, END = "<!-- generated by scripts/bench --write: begin -->", "<!-- end -->"


def page(result, targets, path, chart_path):
    out = [BEGIN, "", f"Command: `{result['command']}`.", ""]
    for kernel in result["kernels"]:
        out += [f"### {kernel['kernel']}", ""] + markdown(rows(kernel))
        spread = worst_spread(kernel)
        out += ["", f"Median over minimum, worst of all cells: {spread[0]:.1%} ({spread[1]}).", ""]
    if "native" in result:
        out += native_lines(result["native"])
    out += ["### Against the targets", ""] + markdown(target_lines(result, targets)) + ["", END]
    with open(path, encoding="utf-8") as file:
        text = file.read()
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    with open(path, "w", encoding="utf-8") as file:
        file.write(head + "\n".join(out) + tail)
    with open(chart_path, "w", encoding="utf-8") as file:
        file.write(chart(result["kernels"][0]))


COLOURS = {
    "ungoverned": "#2a9d8f", "standing": "#52b788", "counted": "#1d6f5f",
    "seccomp": "#adb5bd", "landlock": "#8d99ae", "fanotify": "#6c757d", "apparmor": "#495057",
}


def chart(kernel):
    """Bars: what each mechanism adds, in percent of the operation under the default list."""
    shown = [c for c in COLOURS if c in kernel["conditions"]]
    ops = [op for op in operations(kernel) if op in kernel["conditions"]["default"]]
    limit = 60.0
    bar, left, scale = 9, 190, 7.0
    height = 40
    body = []
    for op in ops:
        default = kernel["conditions"]["default"][op]["min"]
        body.append(f'<text x="{left - 8}" y="{height + bar * len(shown) / 2 + 3}" text-anchor="end">{html.escape(op)}</text>')
        for condition in shown:
            at = kernel["conditions"][condition].get(op)
            if at:
                more = 100.0 * (at["min"] - default) / default
                width = max(0.0, min(more, limit)) * scale
                body.append(f'<rect x="{left}" y="{height}" width="{width:.1f}" height="{bar - 1}" fill="{COLOURS[condition]}"/>')
                body.append(f'<text x="{left + width + 3:.1f}" y="{height + bar - 2}" font-size="8">{more:.1f} %</text>')
            height += bar
        height += 8
    x = left
    legend = []
    for condition in shown:
        legend.append(f'<rect x="{x}" y="10" width="10" height="10" fill="{COLOURS[condition]}"/>')
        legend.append(f'<text x="{x + 14}" y="19">{NAMES[condition]}</text>')
        x += 90
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + int(limit * scale) + 260}" height="{height + 24}" '
        f'font-family="sans-serif" font-size="11">\n<rect width="100%" height="100%" fill="white"/>\n'
        + "\n".join(legend + body)
        + f'\n<text x="{left}" y="{height + 12}">instructions added to the kernel\'s default LSM list, {html.escape(kernel["kernel"])}; '
        f'bars end at {limit:.0f} %</text>\n</svg>\n'
    )


def main():
    verb = sys.argv[1] if len(sys.argv) > 1 else ""
    if verb == "collect" and len(sys.argv) == 3:
        collect(sys.argv[2])
    elif verb == "native" and len(sys.argv) == 4:
        native(json.load(sys.stdin), sys.argv[2], sys.argv[3])
    elif verb == "table" and len(sys.argv) == 2:
        table(json.load(sys.stdin))
    elif verb == "check" and len(sys.argv) == 3:
        with open(sys.argv[2], encoding="utf-8") as file:
            check(json.load(sys.stdin), json.load(file))
    elif verb == "page" and len(sys.argv) == 5:
        with open(sys.argv[2], encoding="utf-8") as file:
            result = json.load(file)
        with open("bench/targets.json", encoding="utf-8") as file:
            page(result, json.load(file), sys.argv[3], sys.argv[4])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
