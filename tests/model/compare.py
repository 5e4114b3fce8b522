#!/usr/bin/env python3
"""Compares the product's decisions with independent ones.

    compare.py PROBE [--seconds S] [--seed N] [--keep FILE]

First the kept corpus (corpus.jsonl), then random cases until the time is up:
OPTR and the gate against the Python model (which tries every combination),
larger selections against GLPK's branch and cut. Prints what differs; 0 when
nothing does. --keep writes the smallest case of each kind it has seen."""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import optr  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


class Probe:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, case):
        self.process.stdin.write(optr.encode(case) + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit("the probe ended on " + json.dumps(case))
        answer = json.loads(line)
        if "error" in answer:
            sys.exit("the probe refused %s: %s" % (json.dumps(case), answer["error"]))
        return answer


# Random cases ---------------------------------------------------------------


def figure(rng):
    return rng.choice([0, 1, 2, 3, 5, 10, 50, 100, rng.randrange(1000), 10**6, 10**15])


def interval(rng, low, high):
    ends = sorted(min(max(figure(rng), low), high) for _ in range(2))
    return ends


def path_object(rng):
    path = "/" + "/".join(rng.choice("abc") for _ in range(rng.randrange(1, 4)))
    return {rng.choice(["file", "file", "dir", "tree"]): path}


def net_object(rng):
    bits = rng.choice([8, 16, 24, 30, 31, 32])
    address = [10, rng.randrange(2), rng.randrange(2), rng.randrange(4)]
    value = int.from_bytes(bytes(address), "big") >> (32 - bits) << (32 - bits)
    dotted = ".".join(str(b) for b in value.to_bytes(4, "big"))
    return {"cidr": "%s/%d" % (dotted, bits), "port": rng.choice([0, 80, 443]), "proto": rng.choice(["any", "tcp", "udp"])}


def some_object(rng, kind):
    return net_object(rng) if kind == "connect" else path_object(rng)


def unique(items):
    seen = {}
    for item in items:
        seen.setdefault(optr.encode(item), item)
    return list(seen.values())


def some_canon(rng):
    kinds = ["write", "write", "write", "connect", "exec"]
    rules = []
    for i in range(rng.randrange(1, 6)):
        kind = rng.choice(kinds)
        rule = {"id": "r%d" % i, "kind": kind, "effect": "permit" if rng.random() < 0.85 else "forbid",
                "objects": [some_object(rng, kind) for _ in range(rng.randrange(1, 3))]}
        if rule["effect"] == "permit":
            rule["ttl_ns"], rule["uses"] = rng.choice([10**9, 10**10]), rng.choice([1, 5, 100])
        rules.append(rule)
    permits = [r for r in rules if r["effect"] == "permit"]
    canon = {"format": 1, "tenant": "t", "domain": "d", "mode": "enforce", "standing": [], "rules": rules}
    for rule in permits:
        others = [r["id"] for r in permits if r is not rule]
        if rng.random() < 0.3:
            rule["budget"] = rng.choice(["m", "n"])
        if rng.random() < 0.2:
            rule["rate"] = {"uses": rng.choice([1, 5, 10, 200]), "window_ns": 10**9}
        if others and rng.random() < 0.2:
            rule["duties"] = {"apart_from": [rng.choice(others)], "window_ns": 10**9}
        if rng.random() < 0.3:
            lease = {"mode": rng.choice(["shared", "exclusive"])}
            if rng.random() < 0.5:
                lease["resource"] = rng.choice(["x", "y"])
            rule["leases"] = [lease]
        if rng.random() < 0.2:
            rule["needs"] = [{"field": rng.choice(["f", "g"]), "producer": "ci", "min": rng.choice([0, 1, 5]), "max": rng.choice([5, 10**15])}]
    if rng.random() < 0.93:
        goals = ["risk", "irreversibility", "ttv", "cost"]
        rng.shuffle(goals)
        canon["optr"] = {"order": goals[:rng.randrange(1, 5)],
                         "max_risk_ppm": rng.choice([0, 10, 300, 10**6]),
                         "max_cost": rng.choice([0, 10, 300, 10**6, 10**15]),
                         "min_success_ppm": rng.choice([0, 1, 500000, 999998, 10**6])}
    rows = []
    for kind in ("write", "connect", "exec"):
        for _ in range(rng.choice([0, 1, 1, 2])):
            row = {"kind": kind, "ttv_us": interval(rng, 0, 10**15), "cost": interval(rng, 0, 10**15),
                   "risk_ppm": interval(rng, 0, 10**6), "irreversibility": interval(rng, 0, 10**15),
                   "success_ppm": rng.choice([[999999, 10**6], [10**6, 10**6], [900000, 950000], [1, 1]])}
            same = [r["id"] for r in permits if r["kind"] == kind]
            if same and rng.random() < 0.3:
                row["rule"] = rng.choice(same)
            if rng.random() < 0.3:
                row["objects"] = [some_object(rng, kind)]
            rows.append(row)
    if rows:
        canon["estimates"] = rows
    canon["budgets"] = [{"id": name, "limit": rng.choice([0, 10, 500, 10**15]), "window_ns": 10**9} for name in ("m", "n")]
    if rng.random() < 0.3:
        canon["blast"] = {"objects": rng.choice([0, 1, 5, 200]), "hosts": rng.choice([0, 1, 10, 200]), "window_ns": 10**9}
    return canon


def some_action(rng, canon):
    rule = rng.choice(canon["rules"])
    kind = rule["kind"]
    action = {"kind": kind, "object": rng.choice(rule["objects"]) if rng.random() < 0.6 else some_object(rng, kind)}
    if kind != "connect" and rng.random() < 0.5:
        form, path = optr.path_of(action["object"])
        if form in ("dir", "tree"):
            action["object"] = {"file": path.rstrip("/") + "/f%d" % rng.randrange(3)}
    if rng.random() < 0.3:
        action["rule"] = rng.choice(canon["rules"] + [{"id": "nobody"}])["id"]
    if rng.random() < 0.6:
        action["uses"] = rng.choice([1, 2, 5, 101])
    if rng.random() < 0.2:
        action["ttl_ns"] = rng.choice([1, 10**9, 10**10, 10**11])
    if rng.random() < 0.2:
        action["worse"] = {rng.choice(["ttv_us", "cost", "irreversibility"]): figure(rng)}
        if rng.random() < 0.5:
            action["worse"]["risk_ppm"] = rng.randrange(1000)
        if rng.random() < 0.5:
            action["worse"]["success_ppm"] = rng.choice([1, 500000, 10**6])
    return action


def some_plans(rng, canon, most_steps=4, most_any=3):
    plans = []
    for _ in range(rng.randrange(1, 4)):
        steps = []
        for _ in range(rng.randrange(1, most_steps + 1)):
            any_of = unique(some_action(rng, canon) for _ in range(rng.randrange(1, most_any + 1)))
            steps.append({"any": sorted(any_of, key=lambda a: optr.sha(optr.encode(a)))})
        plans.append({"steps": steps})
    plans = unique(plans)
    plans.sort(key=lambda p: optr.sha(optr.encode(p["steps"])))
    return {"format": 1, "plans": plans}


def some_snapshot(rng, canon):
    permits = [r for r in canon["rules"] if r["effect"] == "permit"]
    leases = []
    for _ in range(rng.choice([0, 0, 1, 2])):
        lease = {"session": "s%d" % rng.randrange(3), "mode": rng.choice(["shared", "exclusive"])}
        if rng.random() < 0.5:
            lease["resource"] = rng.choice(["x", "y"])
        else:
            lease["kind"] = rng.choice(["write", "connect"])
            lease["object"] = some_object(rng, lease["kind"])
        leases.append(lease)
    snapshot = {"format": 1, "now_ms": 1, "session": "s", "principal": "uid:1", "salt": "%x" % rng.randrange(1 << 32),
                "aliases": [], "fields": [], "leases": leases, "budgets": {}, "rates": {}, "apart": {},
                "blast_objects": rng.choice([0, 1, 4]), "blast_hosts": rng.choice([0, 1, 9])}
    for name in ("f", "g"):
        if rng.random() < 0.6:
            snapshot["fields"].append({"producer": rng.choice(["ci", "me"]), "field": name, "value": rng.choice([0, 1, 5, 7])})
    for name in ("m", "n"):
        if rng.random() < 0.4:
            snapshot["budgets"][name] = optr.integer(rng.choice([0, 5, 2**64 - 1]))
    for rule in permits:
        if "rate" in rule and rng.random() < 0.5:
            snapshot["rates"][rule["id"]] = rng.choice([0, 4, 100])
        if "duties" in rule and rng.random() < 0.3:
            snapshot["apart"][rule["id"]] = rule["duties"]["apart_from"][0]
    if rng.random() < 0.1:
        snapshot["aliases"] = [{"path": "/a", "real": "/b"}]
    return snapshot


def some_gate_case(rng):
    small = lambda: rng.choice([0, 1, 2, 3, 2**53 + 5, 2**64 - 1])  # noqa: E731
    return {"slot": {"state": rng.randrange(4), "domain": rng.randrange(2), "kind": rng.randrange(1, 4), "exe": rng.choice([0, 0, 7, 8]),
                     "not_before": small(), "expires": small(), "max_uses": small(), "used": small(), "standing": rng.randrange(2),
                     "bound": rng.randrange(2), "epoch": rng.choice([0, 1, 1, 5])},
            "act": {"domain": rng.randrange(2), "kind": rng.randrange(1, 4), "exe": rng.choice([7, 8]),
                    "needs_use": rng.randrange(2), "needs_standing": rng.randrange(2),
                    "sees_bindings": rng.randrange(2), "epoch": rng.choice([0, 1, 1, 2**31, 2**31 + 1])},
            "now": small()}


# Comparison -----------------------------------------------------------------


def parts(result):
    """The product's result in the form of the model's."""
    out = {"code": result["code"], "candidates": []}
    if "chosen" in result:
        out["chosen"] = result["chosen"]["plan"]
        out["steps"] = [(optr.sha(optr.encode(s["action"])).hex(), s["rule"], s["figures"]["cost"], s["figures"]["risk_ppm"])
                        for s in result["chosen"]["steps"]]
    else:
        out["nearest"] = result["nearest"]
    for c in result["candidates"]:
        out["candidates"].append({
            "plan": c["plan"],
            "best": [(b["action"], b["rule"]) for b in c["best"]],
            "gates": [g["passed"] for g in c["gates"]],
            "failures": [(f.get("step"), f["gate"], f["code"]) for f in c["failures"]],
            "options": sorted((s, o["action"], o["rule"], f["cost"], f["risk_ppm"], f["ttv_us"], f["irreversibility"],
                               f["success_ppm"], f["uses"], f["ttl_ns"], f["objects"], f["hosts"],
                               tuple((x["gate"], x["code"]) for x in o["failures"]))
                              for s, options in enumerate(c["steps"]) for o in options for f in [o["figures"]]),
        })
        assert [g["gate"] for g in c["gates"]] == optr.GATES
    return out


def compare(probe, case):
    """None, or what differs."""
    answer = probe.ask(case)
    if "slot" in case:
        numbers = {k: {a: int(b) for a, b in case[k].items()} for k in ("slot", "act")}
        expected = optr.gate(numbers["slot"], numbers["act"], int(case["now"]))
        return None if answer["code"] == expected else (answer["code"], expected)
    expected = optr.select(case["canon"], case["plans"], case["snapshot"])
    if answer["code"] == "NODE_BOUND_EXCEEDED":
        return None if expected is None else ("NODE_BOUND_EXCEEDED", expected["code"])
    if expected is None:
        return None
    got = parts(answer)
    for key in expected:
        if got.get(key) != expected[key]:
            return (key, got.get(key), expected[key])
    return None


def kind_of(case, answer):
    """What a case shows, for keeping one of each."""
    if "slot" in case:
        return ("gate", answer["code"])
    codes = {f["code"] for c in answer.get("candidates", []) for f in c.get("failures", [])}
    return ("optr", answer["code"], tuple(sorted(codes)))


# GLPK -----------------------------------------------------------------------


def against_glpk(probe, rng):
    """One plan, many alternatives, one goal: the optimum of an integer program."""
    count, width = rng.randrange(6, 13), rng.randrange(4, 9)
    canon = {"format": 1, "tenant": "t", "domain": "d", "mode": "enforce", "standing": [], "rules": [], "estimates": [],
             "budgets": [{"id": "m", "limit": 40 * count, "window_ns": 1}],
             "optr": {"order": ["cost"], "max_risk_ppm": rng.choice([4, 30, 60]) * count, "max_cost": 10**15, "min_success_ppm": 0}}
    rows = []
    for a in range(width):
        budgeted = rng.random() < 0.5
        rule = {"id": "r%d" % a, "kind": "write", "effect": "permit", "objects": [{"tree": "/%d" % a}], "ttl_ns": 1, "uses": 1}
        if budgeted:
            rule["budget"] = "m"
        canon["rules"].append(rule)
        canon["estimates"].append({"kind": "write", "rule": rule["id"], "ttv_us": [0, 0], "cost": [0, rng.randrange(1, 100)],
                                   "risk_ppm": [0, 0], "irreversibility": [0, 0], "success_ppm": [10**6, 10**6]})
    steps = []
    for s in range(count):
        any_of = []
        for a in range(width):
            cost, risk = rng.randrange(1, 100), rng.randrange(1, 100)
            any_of.append({"kind": "write", "object": {"file": "/%d/%d" % (a, s)}, "worse": {"cost": cost, "risk_ppm": risk}})
            real = max(cost, canon["estimates"][a]["cost"][1])
            rows.append(("x_%d_%d" % (s, a), s, real, risk, real if "budget" in canon["rules"][a] else 0))
        steps.append({"any": sorted(any_of, key=lambda x: optr.sha(optr.encode(x)))})
    program = ["Minimize", " cost: " + " + ".join("%d %s" % (c, x) for x, _, c, _, _ in rows), "Subject To"]
    for s in range(count):
        program.append(" s%d: " % s + " + ".join(x for x, t, _, _, _ in rows if t == s) + " = 1")
    program.append(" risk: " + " + ".join("%d %s" % (r, x) for x, _, _, r, _ in rows) + " <= %d" % canon["optr"]["max_risk_ppm"])
    charged = ["%d %s" % (b, x) for x, _, _, _, b in rows if b]
    if charged:
        program.append(" budget: " + " + ".join(charged) + " <= %d" % canon["budgets"][0]["limit"])
    program += ["Binary"] + [" " + x for x, _, _, _, _ in rows] + ["End"]
    with tempfile.TemporaryDirectory() as directory:
        lp, out = directory + "/p.lp", directory + "/out"
        with open(lp, "w") as file:
            file.write("\n".join(program) + "\n")
        subprocess.run(["glpsol", "--lp", lp, "-w", out, "--tmlim", "20"], stdout=subprocess.DEVNULL, check=True)
        with open(out) as file:
            status = next(line.split() for line in file if line.startswith("s mip"))
    snapshot = {"format": 1, "now_ms": 1, "session": "s", "principal": "p", "salt": "0", "aliases": [], "fields": [], "leases": [],
                "budgets": {}, "rates": {}, "apart": {}, "blast_objects": 0, "blast_hosts": 0}
    answer = probe.ask({"canon": canon, "plans": {"format": 1, "plans": [{"steps": steps}]}, "snapshot": snapshot})
    if answer["code"] == "NODE_BOUND_EXCEEDED":
        return "bound", None
    if status[4] != "o":
        return "infeasible", None if answer["code"] == "NO_ADMISSIBLE_PLAN" else (answer["code"], "infeasible")
    cost = sum(s["figures"]["cost"] for s in answer["chosen"]["steps"]) if "chosen" in answer else None
    return "optimal", None if cost == int(float(status[5])) else (answer["code"], cost, status)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("probe")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep")
    arguments = parser.parse_args()
    probe, rng = Probe(arguments.probe), random.Random(arguments.seed)
    counts = {}
    kept = {}

    def check(case, kind):
        difference = compare(probe, case)
        if difference is not None:
            print(json.dumps(case))
            sys.exit("differs (%s): %s" % (kind, difference))
        counts[kind] = counts.get(kind, 0) + 1
        if arguments.keep:
            shown = kind_of(case, probe.ask(case))
            if shown not in kept or len(optr.encode(case)) < len(optr.encode(kept[shown])):
                kept[shown] = case

    with open(HERE + "/corpus.jsonl") as file:
        for line in file:
            check(json.loads(line), "corpus")
    end = time.monotonic() + arguments.seconds
    while time.monotonic() < end:
        canon = some_canon(rng)
        check({"canon": canon, "plans": some_plans(rng, canon), "snapshot": some_snapshot(rng, canon)}, "optr")
        for _ in range(20):
            case = some_gate_case(rng)
            for part in (case["slot"], case["act"], case):
                for key, value in part.items():
                    if isinstance(value, int):
                        part[key] = optr.integer(value)
            check(case, "gate")
        if counts["optr"] % 20 == 0:
            kind, difference = against_glpk(probe, rng)
            if difference is not None:
                sys.exit("differs (glpk): %s" % (difference,))
            counts["glpk " + kind] = counts.get("glpk " + kind, 0) + 1
    if arguments.keep:
        with open(arguments.keep, "w") as file:
            for shown in sorted(kept, key=str):
                file.write(optr.encode(kept[shown]).decode() + "\n")
    print("no difference: " + ", ".join("%d %s" % (n, kind) for kind, n in sorted(counts.items())))
    if not arguments.keep and not (counts.get("glpk optimal") and counts.get("glpk infeasible")):
        sys.exit("too little time to compare anything with GLPK")


if __name__ == "__main__":
    main()
