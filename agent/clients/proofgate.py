"""A client of Proofgate's daemon. The methods are made by generate.py from
docs/format/control.json; what they answer is in docs/format/control.md and
session.md.

    import proofgate

    with proofgate.Governed() as gate:
        print(gate.rights()["rules"])
        try:
            gate.session_complete(plans)
        except proofgate.Refused as refused:
            print(refused, refused.data)

A text may be str or bytes. Of an answer, what is not printable ASCII is bytes; a count
beyond 2^53 is a string of digits, for int(). One thread a connection."""

import base64
import json
import socket

MOST_BYTES = 16 << 20  # of an answer


class Refused(Exception):
    """The daemon says no: its words, `code` and `data` (docs/format/control.md)."""

    def __init__(self, message, data):
        super().__init__(message)
        self.data = data
        self.code = data.get("code")


class Unreachable(Exception):
    """No daemon, not this caller's door, or an answer that is none."""


def _encode(value):
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, dict):
        return {key: _encode(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encode(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 1 << 53:
        return str(value)
    return value


def _decode(value):
    if isinstance(value, dict):
        if value.keys() == {"b64"} and isinstance(value["b64"], str):
            return base64.b64decode(value["b64"], validate=True)
        return {key: _decode(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_decode(item) for item in value]
    return value


class Door:
    """A connection to one of the daemon's sockets."""

    SOCKET = ""

    def __init__(self, path=None):
        self._path = path or self.SOCKET
        self._in = b""
        self._id = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            self._socket.connect(self._path)
        except OSError as error:
            self._socket.close()
            raise Unreachable("%s: %s" % (self._path, error)) from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()

    def _line(self):
        while b"\n" not in self._in:
            got = self._socket.recv(1 << 16)
            if not got:
                raise Unreachable("%s: it closed the connection (this door is not for this user or cgroup)" % self._path)
            self._in += got
            if len(self._in) > MOST_BYTES:
                raise Unreachable("%s: an answer of more than %d bytes" % (self._path, MOST_BYTES))
        line, self._in = self._in.split(b"\n", 1)
        return line

    def ask(self, method, params):
        """The result. What is None among the parameters is left out."""
        self._id += 1
        request = {"jsonrpc": "2.0", "id": self._id, "method": method,
                   "params": {name: _encode(value) for name, value in params.items() if value is not None}}
        try:
            self._socket.sendall(json.dumps(request).encode("ascii") + b"\n")
            answer = json.loads(self._line())
        except (OSError, ValueError) as error:
            raise Unreachable("%s: %s" % (self._path, error)) from error
        if answer.get("id") != self._id:
            raise Unreachable("%s: an answer to another question" % self._path)
        if "result" in answer:
            return _decode(answer["result"])
        error = answer["error"]
        message = _decode(error["message"])
        raise Refused(message if isinstance(message, str) else message.decode("utf-8", "replace"), _decode(error["data"]))


class Approvers(Door):
    """The door for the people that canon names, by uid."""

    SOCKET = "/run/proofgate/approve.sock"

    def session_approve(self, session, verdict, *, reason=None):
        """session: text, verdict: approve|deny, reason: text."""
        return self.ask("session.approve", {"session": session, "verdict": verdict, "reason": reason})

    def session_show(self, session):
        """session: text."""
        return self.ask("session.show", {"session": session})


class Governed(Door):
    """The door for processes in a governed cgroup, about the session of that cgroup."""

    SOCKET = "/run/proofgate/session.sock"

    def rights(self):
        return self.ask("rights", {})

    def session_abort(self, *, why=None):
        """why: text."""
        return self.ask("session.abort", {"why": why})

    def session_complete(self, plans):
        """plans: text."""
        return self.ask("session.complete", {"plans": plans})

    def session_delegate(self, rights, max_cost, max_uses, *, duration_ms=None):
        """rights: json, duration_ms: number, max_cost: number, max_uses: number."""
        return self.ask("session.delegate", {"rights": rights, "duration_ms": duration_ms, "max_cost": max_cost, "max_uses": max_uses})

    def session_evidence(self, kind, *, digest=None, content=None, signature=None, fields=None):
        """kind: text, digest: text, content: text, signature: text, fields: json."""
        return self.ask("session.evidence", {"kind": kind, "digest": digest, "content": content, "signature": signature, "fields": fields})

    def session_next(self, *, status=None):
        """status: number."""
        return self.ask("session.next", {"status": status})

    def session_open(self, *, duration_ms=None, max_cost=None, max_uses=None):
        """duration_ms: number, max_cost: number, max_uses: number."""
        return self.ask("session.open", {"duration_ms": duration_ms, "max_cost": max_cost, "max_uses": max_uses})

    def session_show(self):
        return self.ask("session.show", {})

    def why(self):
        return self.ask("why", {})


class Operators(Door):
    """The door for uid 0."""

    SOCKET = "/run/proofgate/control.sock"

    def attach(self, domain, *, cgroup=None, unit=None, pid=None, force=None):
        """domain: text, cgroup: text, unit: text, pid: number, force: flag."""
        return self.ask("attach", {"domain": domain, "cgroup": cgroup, "unit": unit, "pid": pid, "force": force})

    def break_glass_draft(self, domain, rule, object, person, uses, duration_ms, reason):
        """domain: text, rule: text, object: text, person: text, uses: number, duration_ms: number, reason: text."""
        return self.ask("break_glass.draft", {"domain": domain, "rule": rule, "object": object, "person": person, "uses": uses, "duration_ms": duration_ms, "reason": reason})

    def break_glass_list(self):
        return self.ask("break_glass.list", {})

    def break_glass_review(self, id, verdict, reason, signature):
        """id: text, verdict: justified|unjustified, reason: text, signature: text."""
        return self.ask("break_glass.review", {"id": id, "verdict": verdict, "reason": reason, "signature": signature})

    def break_glass_use(self, statement, signature):
        """statement: text, signature: text."""
        return self.ask("break_glass.use", {"statement": statement, "signature": signature})

    def canon_apply(self, text, file):
        """text: text, file: text."""
        return self.ask("canon.apply", {"text": text, "file": file})

    def canon_apply_bundle(self, bundle):
        """bundle: text."""
        return self.ask("canon.apply_bundle", {"bundle": bundle})

    def canon_approve(self, proposal, signature):
        """proposal: text, signature: text."""
        return self.ask("canon.approve", {"proposal": proposal, "signature": signature})

    def canon_bundle(self, version):
        """version: number."""
        return self.ask("canon.bundle", {"version": version})

    def canon_judge(self, proposal, *, last=None):
        """proposal: text, last: number."""
        return self.ask("canon.judge", {"proposal": proposal, "last": last})

    def canon_promote(self, proposal, *, acknowledged=None):
        """proposal: text, acknowledged: json."""
        return self.ask("canon.promote", {"proposal": proposal, "acknowledged": acknowledged})

    def canon_proposals(self):
        return self.ask("canon.proposals", {})

    def canon_propose(self, bundle, *, evidence=None, emergency=None, why=None):
        """bundle: text, evidence: json, emergency: flag, why: text."""
        return self.ask("canon.propose", {"bundle": bundle, "evidence": evidence, "emergency": emergency, "why": why})

    def canon_reject(self, proposal, *, why=None):
        """proposal: text, why: text."""
        return self.ask("canon.reject", {"proposal": proposal, "why": why})

    def canon_shadow(self, proposal):
        """proposal: text."""
        return self.ask("canon.shadow", {"proposal": proposal})

    def canon_show(self):
        return self.ask("canon.show", {})

    def canon_trust(self, envelope):
        """envelope: text."""
        return self.ask("canon.trust", {"envelope": envelope})

    def canon_trust_root(self):
        return self.ask("canon.trust_root", {})

    def counters(self):
        return self.ask("counters", {})

    def detach(self, domain, *, cgroup=None, unit=None):
        """domain: text, cgroup: text, unit: text."""
        return self.ask("detach", {"domain": domain, "cgroup": cgroup, "unit": unit})

    def domain_resume(self, domain):
        """domain: text."""
        return self.ask("domain.resume", {"domain": domain})

    def domain_stop(self, domain, *, why=None):
        """domain: text, why: text."""
        return self.ask("domain.stop", {"domain": domain, "why": why})

    def flush(self):
        return self.ask("flush", {})

    def ledger_backup(self, dir):
        """dir: text."""
        return self.ask("ledger.backup", {"dir": dir})

    def ledger_check(self, *, hurry=None):
        """hurry: flag."""
        return self.ask("ledger.check", {"hurry": hurry})

    def ledger_checkpoint(self):
        return self.ask("ledger.checkpoint", {})

    def ledger_entries(self, from_, count):
        """from_: number, count: number."""
        return self.ask("ledger.entries", {"from": from_, "count": count})

    def ledger_erase(self, commitment, why, *, signatures=None):
        """commitment: text, why: text, signatures: json."""
        return self.ask("ledger.erase", {"commitment": commitment, "why": why, "signatures": signatures})

    def ledger_figures(self):
        return self.ask("ledger.figures", {})

    def ledger_hold(self, name, from_, why):
        """name: text, from_: number, why: text."""
        return self.ask("ledger.hold", {"name": name, "from": from_, "why": why})

    def ledger_keep_cosigned(self, checkpoint):
        """checkpoint: text."""
        return self.ask("ledger.keep_cosigned", {"checkpoint": checkpoint})

    def ledger_release(self, name, why, *, signatures=None):
        """name: text, why: text, signatures: json."""
        return self.ask("ledger.release", {"name": name, "why": why, "signatures": signatures})

    def ledger_retain(self, below, why, *, archive_sha256=None, signatures=None):
        """below: number, why: text, archive_sha256: text, signatures: json."""
        return self.ask("ledger.retain", {"below": below, "why": why, "archive_sha256": archive_sha256, "signatures": signatures})

    def ledger_sign_export(self, manifest):
        """manifest: text."""
        return self.ask("ledger.sign_export", {"manifest": manifest})

    def prove_open(self):
        return self.ask("prove.open", {})

    def receipt_issue(self, domain, rule, *, object=None, exe=None, argv=None, env=None, content=None, ttl_ns=None, uses=None):
        """domain: text, rule: text, object: text, exe: text, argv: json, env: json, content: json, ttl_ns: number, uses: number."""
        return self.ask("receipt.issue", {"domain": domain, "rule": rule, "object": object, "exe": exe, "argv": argv, "env": env, "content": content, "ttl_ns": ttl_ns, "uses": uses})

    def receipt_list(self):
        return self.ask("receipt.list", {})

    def receipt_revoke(self, id, *, why=None):
        """id: text, why: text."""
        return self.ask("receipt.revoke", {"id": id, "why": why})

    def receipt_revoke_all(self, *, domain=None, rule=None, canon=None, session=None, person=None, everything=None, why=None):
        """domain: text, rule: text, canon: text, session: text, person: text, everything: flag, why: text."""
        return self.ask("receipt.revoke_all", {"domain": domain, "rule": rule, "canon": canon, "session": session, "person": person, "everything": everything, "why": why})

    def rights(self, domain):
        """domain: text."""
        return self.ask("rights", {"domain": domain})

    def run_close(self, cgroup):
        """cgroup: text."""
        return self.ask("run.close", {"cgroup": cgroup})

    def run_open(self, domain):
        """domain: text."""
        return self.ask("run.open", {"domain": domain})

    def session_abort(self, session, *, why=None):
        """session: text, why: text."""
        return self.ask("session.abort", {"session": session, "why": why})

    def session_approve(self, session, verdict, signature, *, reason=None):
        """session: text, verdict: approve|deny, signature: text, reason: text."""
        return self.ask("session.approve", {"session": session, "verdict": verdict, "signature": signature, "reason": reason})

    def session_complete(self, session, plans):
        """session: text, plans: text."""
        return self.ask("session.complete", {"session": session, "plans": plans})

    def session_delegate(self, session, rights, max_cost, max_uses, *, duration_ms=None):
        """session: text, rights: json, duration_ms: number, max_cost: number, max_uses: number."""
        return self.ask("session.delegate", {"session": session, "rights": rights, "duration_ms": duration_ms, "max_cost": max_cost, "max_uses": max_uses})

    def session_evidence(self, session, kind, *, digest=None, content=None, signature=None, fields=None):
        """session: text, kind: text, digest: text, content: text, signature: text, fields: json."""
        return self.ask("session.evidence", {"session": session, "kind": kind, "digest": digest, "content": content, "signature": signature, "fields": fields})

    def session_list(self):
        return self.ask("session.list", {})

    def session_next(self, session, *, status=None):
        """session: text, status: number."""
        return self.ask("session.next", {"session": session, "status": status})

    def session_open(self, domain, *, duration_ms=None, uid=None, cgroup=None, max_cost=None, max_uses=None):
        """domain: text, duration_ms: number, uid: number, cgroup: flag, max_cost: number, max_uses: number."""
        return self.ask("session.open", {"domain": domain, "duration_ms": duration_ms, "uid": uid, "cgroup": cgroup, "max_cost": max_cost, "max_uses": max_uses})

    def session_show(self, session):
        """session: text."""
        return self.ask("session.show", {"session": session})

    def status(self):
        return self.ask("status", {})
