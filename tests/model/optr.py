"""A second implementation of OPTR and of the gate, written from docs/format/plan.md,
docs/format/wire.md and docs/format/receipt.md. Slow and plain: it tries every
combination. It shares nothing with the product but the documents."""

import base64
import hashlib
import ipaddress
import itertools
import json

HUGE = 10**15
MILLION = 10**6
GATES = ["prerequisites", "authority", "invariants", "duties", "deconfliction",
         "blast", "risk", "cost", "success", "budget"]


def encode(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def sha(data):
    return hashlib.sha256(data).digest()


def integer(value):
    """Counts beyond 2^53 - 1 are decimal strings in canonical JSON."""
    return value if value <= 2**53 - 1 else str(value)


def number(value):
    return int(value)


# Objects --------------------------------------------------------------------


def path_of(obj):
    for form in ("file", "dir", "tree", "unix"):
        if form in obj:
            raw = obj[form]
            return form, raw if isinstance(raw, str) else base64.b64decode(raw["b64"]).decode("latin-1")
    return None, None


def below(path, directory):
    return path != directory and path.startswith("/" if directory == "/" else directory + "/")


def parent(path):
    head = path.rsplit("/", 1)[0]
    return head or "/"


def net_contains(outer, inner):
    a, b = ipaddress.ip_network(outer["cidr"]), ipaddress.ip_network(inner["cidr"])
    return (a.version == b.version and b.subnet_of(a)
            and outer["port"] in (0, inner["port"])
            and outer["proto"] in ("any", inner["proto"]))


def net_overlaps(x, y):
    a, b = ipaddress.ip_network(x["cidr"]), ipaddress.ip_network(y["cidr"])
    return (a.version == b.version and a.overlaps(b)
            and (0 in (x["port"], y["port"]) or x["port"] == y["port"])
            and ("any" in (x["proto"], y["proto"]) or x["proto"] == y["proto"]))


def contains(outer, inner):
    if "cidr" in outer or "cidr" in inner:
        return "cidr" in outer and "cidr" in inner and net_contains(outer, inner)
    fo, po = path_of(outer)
    fi, pi = path_of(inner)
    if fo in ("file", "unix"):
        return (fi, pi) == (fo, po)
    if fo == "dir":
        return (fi, pi) == ("dir", po) or fi == "file" and below(pi, po) and parent(pi) == po
    return below(pi, po) if fi == "file" else fi in ("dir", "tree") and (pi == po or below(pi, po))


def overlaps(a, b):
    if "cidr" in a or "cidr" in b:
        return "cidr" in a and "cidr" in b and net_overlaps(a, b)
    if contains(a, b) or contains(b, a):
        return True
    for x, y in ((a, b), (b, a)):
        (form, path), (_, other) = path_of(x), path_of(y)
        if form == "dir" and (other == path or below(other, path)):
            return True
    return False


# OPTR -----------------------------------------------------------------------


class Option:
    def __init__(self, canon, snapshot, action, rule):
        self.action, self.rule = action, rule
        self.rule_id = rule["id"] if rule else action.get("rule", "")
        self.digest = sha(encode(action))
        self.tie = sha(snapshot["salt"].encode() + self.digest)
        self.failures = []
        rows = [row for row in canon.get("estimates", [])
                if row["kind"] == action["kind"]
                and ("rule" not in row or (rule and row["rule"] == rule["id"]))
                and ("objects" not in row or any(overlaps(o, action["object"]) for o in row["objects"]))]
        worse = action.get("worse", {})

        def worst(key, missing):
            return max([row[key][1] for row in rows] or [missing])

        self.ttv = max(worst("ttv_us", HUGE), worse.get("ttv_us", 0))
        self.cost = max(worst("cost", HUGE), worse.get("cost", 0))
        self.risk = max(worst("risk_ppm", MILLION), worse.get("risk_ppm", 0))
        self.irreversibility = max(worst("irreversibility", HUGE), worse.get("irreversibility", 0))
        self.success = min([row["success_ppm"][0] for row in rows] or [1])
        self.success = min(self.success, worse.get("success_ppm", MILLION))
        self.uses = action.get("uses", rule["uses"] if rule else HUGE)
        self.ttl = action.get("ttl_ns", rule["ttl_ns"] if rule else HUGE)
        self.objects = self.hosts = 0
        if action["kind"] == "write":
            self.objects = 1 if "file" in action["object"] else self.uses
        if action["kind"] == "connect" and "cidr" in action["object"]:
            self.hosts = min(ipaddress.ip_network(action["object"]["cidr"]).num_addresses, self.uses)

        if "optr" not in canon:
            self.fail("prerequisites", "MISSING_CANON_PREREQS")
        if not rows:
            self.fail("prerequisites", "MISSING_CANON_PREREQS")
        for need in (rule or {}).get("needs", []):
            values = [number(f["value"]) for f in snapshot["fields"]
                      if f["producer"] == need["producer"] and f["field"] == need["field"]]
            if not values or not number(need["min"]) <= values[-1] <= number(need["max"]):
                self.fail("prerequisites", "EVIDENCE_MISSING")
        if not rule or self.uses > rule["uses"] or self.ttl > rule["ttl_ns"]:
            self.fail("authority", "AUTHORITY_BOUNDARY_FAIL")
        for other in canon["rules"]:
            if other["effect"] == "forbid" and other["kind"] == action["kind"]:
                if any(overlaps(o, action["object"]) for o in other["objects"]):
                    self.fail("invariants", "INVARIANT_VIOLATION")
        if rule and rule["id"] in snapshot["apart"]:
            self.fail("duties", "SEGREGATION_OF_DUTIES")
        for lease in (rule or {}).get("leases", []):
            for held in snapshot["leases"]:
                if lease["mode"] == held["mode"] == "shared":
                    continue
                if "resource" in lease:
                    hit = held.get("resource") == lease["resource"]
                else:
                    hit = ("object" in held and held["kind"] == action["kind"]
                           and overlaps(held["object"], action["object"]))
                if hit:
                    self.fail("deconfliction", "NON_INTERFERENCE_VIOLATION")

    def fail(self, gate, code):
        self.failures.append((gate, code))


def real_canon(canon, aliases):
    links = {a["path"]: a["real"] for a in aliases}

    def follow(obj):
        return {key: links.get(value, value) if key in ("file", "dir", "tree", "unix") else value
                for key, value in obj.items()}

    canon = json.loads(json.dumps(canon))
    for rule in canon["rules"]:
        rule["objects"] = [follow(o) for o in rule["objects"]]
    for row in canon.get("estimates", []):
        if "objects" in row:
            row["objects"] = [follow(o) for o in row["objects"]]
    return canon


def judge(canon, snapshot, combination):
    """The failures of the gates that look at the whole: (gate, code), in order."""
    failures = []
    ids = [o.rule["id"] for o in combination if o.rule]
    if any(other in ids for o in combination if o.rule
           for other in o.rule.get("duties", {}).get("apart_from", [])):
        failures.append(("duties", "SEGREGATION_OF_DUTIES"))
    if "blast" in canon:
        for name in ("objects", "hosts"):
            if number(snapshot["blast_" + name]) + sum(getattr(o, name) for o in combination) > canon["blast"][name]:
                failures.append(("blast", "BLAST_RADIUS_EXCEEDED"))
    if "optr" not in canon:
        failures += [(gate, "MISSING_CANON_PREREQS") for gate in ("risk", "cost", "success")]
    else:
        optr = canon["optr"]
        success = MILLION * MILLION
        for option in combination:
            success = success * option.success // MILLION
        if sum(o.risk for o in combination) > optr["max_risk_ppm"]:
            failures.append(("risk", "RISK_BOUND_EXCEEDED"))
        if sum(o.cost for o in combination) > optr["max_cost"]:
            failures.append(("cost", "COST_BOUND_EXCEEDED"))
        if success < optr["min_success_ppm"] * MILLION:
            failures.append(("success", "SUCCESS_PROB_TOO_LOW"))
    for budget in sorted({o.rule["budget"] for o in combination if o.rule and "budget" in o.rule}):
        limit = next(b["limit"] for b in canon["budgets"] if b["id"] == budget)
        spent = number(snapshot["budgets"].get(budget, 0))
        if spent + sum(o.cost for o in combination if o.rule and o.rule.get("budget") == budget) > limit:
            failures.append(("budget", "BUDGET_EXCEEDED"))
    for rule in sorted({o.rule["id"] for o in combination if o.rule and "rate" in o.rule}):
        uses = [o for o in combination if o.rule and o.rule["id"] == rule]
        used = number(snapshot["rates"].get(rule, 0))
        if used + sum(o.uses for o in uses) > uses[0].rule["rate"]["uses"]:
            failures.append(("budget", "RATE_EXCEEDED"))
    return failures


def select(canon, plans, snapshot, most=200_000):
    """The result in the parts that the comparison looks at; None: too many to try."""
    canon = real_canon(canon, snapshot["aliases"])
    names = {"risk": "risk", "irreversibility": "irreversibility", "ttv": "ttv", "cost": "cost"}
    candidates = []
    for plan in plans["plans"]:
        steps = []
        for step in plan["steps"]:
            options = []
            for action in step["any"]:
                rules = [r for r in canon["rules"]
                         if r["effect"] == "permit" and r["kind"] == action["kind"]
                         and action.get("rule", r["id"]) == r["id"]
                         and any(contains(o, action["object"]) for o in r["objects"])]
                options += [Option(canon, snapshot, action, rule) for rule in rules or [None]]
            steps.append(options)
        size = 1
        for options in steps:
            size *= len(options)
        if size > most:
            return None
        best = None
        for combination in itertools.product(*steps):
            whole = judge(canon, snapshot, combination)
            key = ([sum(len(o.failures) for o in combination), len({gate for gate, _ in whole})]
                   + [sum(getattr(o, names[goal]) for o in combination)
                      for goal in canon.get("optr", {}).get("order", [])])
            tie = [(o.rule_id, o.tie) for o in combination]
            if best is None or (key, tie) < (best[0], best[1]):
                best = (key, tie, combination, whole)
        digest = sha(encode(plan["steps"]))
        candidates.append((best[0], best[1], sha(snapshot["salt"].encode() + digest), digest, best[2], best[3], steps))
    winner = min(candidates, key=lambda c: c[:3])
    admissible = winner[0][0] == 0 and winner[0][1] == 0
    out = {"code": "PERMITTED" if admissible else "NO_ADMISSIBLE_PLAN", "candidates": []}
    out["chosen" if admissible else "nearest"] = winner[3].hex()
    if admissible:
        out["steps"] = [(o.digest.hex(), o.rule_id, o.cost, o.risk) for o in winner[4]]
    for _, _, _, digest, combination, whole, steps in candidates:
        failures = [(i, gate, code) for i, o in enumerate(combination) for gate, code in o.failures]
        failed = {gate for _, gate, _ in failures} | {gate for gate, _ in whole}
        out["candidates"].append({
            "plan": digest.hex(),
            "best": [(o.digest.hex(), o.rule_id) for o in combination],
            "gates": [gate not in failed for gate in GATES],
            "failures": failures + [(None, gate, code) for gate, code in whole],
            "options": sorted((s, o.digest.hex(), o.rule_id, o.cost, o.risk, o.ttv, o.irreversibility, o.success,
                               o.uses, o.ttl, o.objects, o.hosts, tuple(o.failures))
                              for s, options in enumerate(steps) for o in options),
        })
    return out


# The gate -------------------------------------------------------------------


def gate(slot, act, now):
    """docs/format/wire.md: domain and kind, revoked, live, epoch, program, standing, not before, expiry, uses, bindings."""
    live, revoked = 1, 2
    if (slot["domain"], slot["kind"]) != (act["domain"], act["kind"]):
        return "NO_RECEIPT"
    if slot["state"] == revoked:
        return "REVOKED"
    if slot["state"] != live:
        return "NO_RECEIPT"
    if slot["epoch"] < act["epoch"]:
        return "REVOKED"
    if slot["exe"] and slot["exe"] != act["exe"]:
        return "EXE_MISMATCH"
    if act["needs_standing"] and not slot["standing"]:
        return "NEEDS_STANDING"
    if now < slot["not_before"]:
        return "NOT_YET"
    if now >= slot["expires"]:
        return "EXPIRED"
    if act["needs_use"] and slot["used"] >= slot["max_uses"]:
        return "EXHAUSTED"
    if slot["bound"] and not act["sees_bindings"]:
        return "BOUND"
    return "OK"
