/* Made by generate.py from docs/format/control.json. */
#include <proofgate/methods.h>

#include "writer.h"

int proofgate_approvers_session_approve(struct proofgate *gate, const struct proofgate_approvers_session_approve *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "session", with->session);
	proofgate_write_text(&writer, "verdict", with->verdict);
	proofgate_write_text(&writer, "reason", with->reason);
	return proofgate_finish(gate, "session.approve", &writer, reply);
}

int proofgate_approvers_session_show(struct proofgate *gate, const struct proofgate_approvers_session_show *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "session", with->session);
	return proofgate_finish(gate, "session.show", &writer, reply);
}

int proofgate_governed_rights(struct proofgate *gate, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	return proofgate_finish(gate, "rights", &writer, reply);
}

int proofgate_governed_session_abort(struct proofgate *gate, const struct proofgate_governed_session_abort *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "why", with->why);
	return proofgate_finish(gate, "session.abort", &writer, reply);
}

int proofgate_governed_session_complete(struct proofgate *gate, const struct proofgate_governed_session_complete *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "plans", with->plans);
	return proofgate_finish(gate, "session.complete", &writer, reply);
}

int proofgate_governed_session_delegate(struct proofgate *gate, const struct proofgate_governed_session_delegate *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_json(&writer, "rights", with->rights);
	proofgate_write_number(&writer, "duration_ms", with->duration_ms);
	proofgate_write_number(&writer, "max_cost", with->max_cost);
	proofgate_write_number(&writer, "max_uses", with->max_uses);
	return proofgate_finish(gate, "session.delegate", &writer, reply);
}

int proofgate_governed_session_evidence(struct proofgate *gate, const struct proofgate_governed_session_evidence *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "kind", with->kind);
	proofgate_write_text(&writer, "digest", with->digest);
	proofgate_write_text(&writer, "content", with->content);
	proofgate_write_text(&writer, "signature", with->signature);
	proofgate_write_json(&writer, "fields", with->fields);
	return proofgate_finish(gate, "session.evidence", &writer, reply);
}

int proofgate_governed_session_next(struct proofgate *gate, const struct proofgate_governed_session_next *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_number(&writer, "status", with->status);
	return proofgate_finish(gate, "session.next", &writer, reply);
}

int proofgate_governed_session_open(struct proofgate *gate, const struct proofgate_governed_session_open *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_number(&writer, "duration_ms", with->duration_ms);
	proofgate_write_number(&writer, "max_cost", with->max_cost);
	proofgate_write_number(&writer, "max_uses", with->max_uses);
	return proofgate_finish(gate, "session.open", &writer, reply);
}

int proofgate_governed_session_show(struct proofgate *gate, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	return proofgate_finish(gate, "session.show", &writer, reply);
}

int proofgate_governed_why(struct proofgate *gate, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	return proofgate_finish(gate, "why", &writer, reply);
}

int proofgate_operators_attach(struct proofgate *gate, const struct proofgate_operators_attach *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "domain", with->domain);
	proofgate_write_text(&writer, "cgroup", with->cgroup);
	proofgate_write_text(&writer, "unit", with->unit);
	proofgate_write_number(&writer, "pid", with->pid);
	proofgate_write_flag(&writer, "force", with->force);
	return proofgate_finish(gate, "attach", &writer, reply);
}

int proofgate_operators_break_glass_draft(struct proofgate *gate, const struct proofgate_operators_break_glass_draft *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "domain", with->domain);
	proofgate_write_text(&writer, "rule", with->rule);
	proofgate_write_text(&writer, "object", with->object);
	proofgate_write_text(&writer, "person", with->person);
	proofgate_write_number(&writer, "uses", with->uses);
	proofgate_write_number(&writer, "duration_ms", with->duration_ms);
	proofgate_write_text(&writer, "reason", with->reason);
	return proofgate_finish(gate, "break_glass.draft", &writer, reply);
}

int proofgate_operators_break_glass_list(struct proofgate *gate, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	return proofgate_finish(gate, "break_glass.list", &writer, reply);
}

int proofgate_operators_break_glass_review(struct proofgate *gate, const struct proofgate_operators_break_glass_review *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "id", with->id);
	proofgate_write_text(&writer, "verdict", with->verdict);
	proofgate_write_text(&writer, "reason", with->reason);
	proofgate_write_text(&writer, "signature", with->signature);
	return proofgate_finish(gate, "break_glass.review", &writer, reply);
}

int proofgate_operators_break_glass_use(struct proofgate *gate, const struct proofgate_operators_break_glass_use *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "statement", with->statement);
	proofgate_write_text(&writer, "signature", with->signature);
	return proofgate_finish(gate, "break_glass.use", &writer, reply);
}

int proofgate_operators_canon_apply(struct proofgate *gate, const struct proofgate_operators_canon_apply *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "text", with->text);
	proofgate_write_text(&writer, "file", with->file);
	return proofgate_finish(gate, "canon.apply", &writer, reply);
}

int proofgate_operators_canon_apply_bundle(struct proofgate *gate, const struct proofgate_operators_canon_apply_bundle *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "bundle", with->bundle);
	return proofgate_finish(gate, "canon.apply_bundle", &writer, reply);
}

int proofgate_operators_canon_approve(struct proofgate *gate, const struct proofgate_operators_canon_approve *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "proposal", with->proposal);
	proofgate_write_text(&writer, "signature", with->signature);
	return proofgate_finish(gate, "canon.approve", &writer, reply);
}

int proofgate_operators_canon_bundle(struct proofgate *gate, const struct proofgate_operators_canon_bundle *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_number(&writer, "version", with->version);
	return proofgate_finish(gate, "canon.bundle", &writer, reply);
}

int proofgate_operators_canon_judge(struct proofgate *gate, const struct proofgate_operators_canon_judge *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "proposal", with->proposal);
	proofgate_write_number(&writer, "last", with->last);
	return proofgate_finish(gate, "canon.judge", &writer, reply);
}

int proofgate_operators_canon_promote(struct proofgate *gate, const struct proofgate_operators_canon_promote *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "proposal", with->proposal);
	proofgate_write_json(&writer, "acknowledged", with->acknowledged);
	return proofgate_finish(gate, "canon.promote", &writer, reply);
}

int proofgate_operators_canon_proposals(struct proofgate *gate, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	return proofgate_finish(gate, "canon.proposals", &writer, reply);
}

int proofgate_operators_canon_propose(struct proofgate *gate, const struct proofgate_operators_canon_propose *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "bundle", with->bundle);
	proofgate_write_json(&writer, "evidence", with->evidence);
	proofgate_write_flag(&writer, "emergency", with->emergency);
	proofgate_write_text(&writer, "why", with->why);
	return proofgate_finish(gate, "canon.propose", &writer, reply);
}

int proofgate_operators_canon_reject(struct proofgate *gate, const struct proofgate_operators_canon_reject *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "proposal", with->proposal);
	proofgate_write_text(&writer, "why", with->why);
	return proofgate_finish(gate, "canon.reject", &writer, reply);
}

int proofgate_operators_canon_shadow(struct proofgate *gate, const struct proofgate_operators_canon_shadow *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "proposal", with->proposal);
	return proofgate_finish(gate, "canon.shadow", &writer, reply);
}

int proofgate_operators_canon_show(struct proofgate *gate, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	return proofgate_finish(gate, "canon.show", &writer, reply);
}

int proofgate_operators_canon_trust(struct proofgate *gate, const struct proofgate_operators_canon_trust *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "envelope", with->envelope);
	return proofgate_finish(gate, "canon.trust", &writer, reply);
}

int proofgate_operators_canon_trust_root(struct proofgate *gate, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	return proofgate_finish(gate, "canon.trust_root", &writer, reply);
}

int proofgate_operators_counters(struct proofgate *gate, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	return proofgate_finish(gate, "counters", &writer, reply);
}

int proofgate_operators_detach(struct proofgate *gate, const struct proofgate_operators_detach *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "domain", with->domain);
	proofgate_write_text(&writer, "cgroup", with->cgroup);
	proofgate_write_text(&writer, "unit", with->unit);
	return proofgate_finish(gate, "detach", &writer, reply);
}

int proofgate_operators_domain_resume(struct proofgate *gate, const struct proofgate_operators_domain_resume *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "domain", with->domain);
	return proofgate_finish(gate, "domain.resume", &writer, reply);
}

int proofgate_operators_domain_stop(struct proofgate *gate, const struct proofgate_operators_domain_stop *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "domain", with->domain);
	proofgate_write_text(&writer, "why", with->why);
	return proofgate_finish(gate, "domain.stop", &writer, reply);
}

int proofgate_operators_flush(struct proofgate *gate, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	return proofgate_finish(gate, "flush", &writer, reply);
}

int proofgate_operators_ledger_backup(struct proofgate *gate, const struct proofgate_operators_ledger_backup *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "dir", with->dir);
	return proofgate_finish(gate, "ledger.backup", &writer, reply);
}

int proofgate_operators_ledger_check(struct proofgate *gate, const struct proofgate_operators_ledger_check *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_flag(&writer, "hurry", with->hurry);
	return proofgate_finish(gate, "ledger.check", &writer, reply);
}

int proofgate_operators_ledger_checkpoint(struct proofgate *gate, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	return proofgate_finish(gate, "ledger.checkpoint", &writer, reply);
}

int proofgate_operators_ledger_entries(struct proofgate *gate, const struct proofgate_operators_ledger_entries *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_number(&writer, "from", with->from);
	proofgate_write_number(&writer, "count", with->count);
	return proofgate_finish(gate, "ledger.entries", &writer, reply);
}

int proofgate_operators_ledger_erase(struct proofgate *gate, const struct proofgate_operators_ledger_erase *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "commitment", with->commitment);
	proofgate_write_text(&writer, "why", with->why);
	proofgate_write_json(&writer, "signatures", with->signatures);
	return proofgate_finish(gate, "ledger.erase", &writer, reply);
}

int proofgate_operators_ledger_figures(struct proofgate *gate, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	return proofgate_finish(gate, "ledger.figures", &writer, reply);
}

int proofgate_operators_ledger_hold(struct proofgate *gate, const struct proofgate_operators_ledger_hold *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "name", with->name);
	proofgate_write_number(&writer, "from", with->from);
	proofgate_write_text(&writer, "why", with->why);
	return proofgate_finish(gate, "ledger.hold", &writer, reply);
}

int proofgate_operators_ledger_keep_cosigned(struct proofgate *gate, const struct proofgate_operators_ledger_keep_cosigned *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "checkpoint", with->checkpoint);
	return proofgate_finish(gate, "ledger.keep_cosigned", &writer, reply);
}

int proofgate_operators_ledger_release(struct proofgate *gate, const struct proofgate_operators_ledger_release *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "name", with->name);
	proofgate_write_text(&writer, "why", with->why);
	proofgate_write_json(&writer, "signatures", with->signatures);
	return proofgate_finish(gate, "ledger.release", &writer, reply);
}

int proofgate_operators_ledger_retain(struct proofgate *gate, const struct proofgate_operators_ledger_retain *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_number(&writer, "below", with->below);
	proofgate_write_text(&writer, "why", with->why);
	proofgate_write_text(&writer, "archive_sha256", with->archive_sha256);
	proofgate_write_json(&writer, "signatures", with->signatures);
	return proofgate_finish(gate, "ledger.retain", &writer, reply);
}

int proofgate_operators_ledger_sign_export(struct proofgate *gate, const struct proofgate_operators_ledger_sign_export *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "manifest", with->manifest);
	return proofgate_finish(gate, "ledger.sign_export", &writer, reply);
}

int proofgate_operators_prove_open(struct proofgate *gate, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	return proofgate_finish(gate, "prove.open", &writer, reply);
}

int proofgate_operators_receipt_issue(struct proofgate *gate, const struct proofgate_operators_receipt_issue *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "domain", with->domain);
	proofgate_write_text(&writer, "rule", with->rule);
	proofgate_write_text(&writer, "object", with->object);
	proofgate_write_text(&writer, "exe", with->exe);
	proofgate_write_json(&writer, "argv", with->argv);
	proofgate_write_json(&writer, "env", with->env);
	proofgate_write_json(&writer, "content", with->content);
	proofgate_write_number(&writer, "ttl_ns", with->ttl_ns);
	proofgate_write_number(&writer, "uses", with->uses);
	return proofgate_finish(gate, "receipt.issue", &writer, reply);
}

int proofgate_operators_receipt_list(struct proofgate *gate, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	return proofgate_finish(gate, "receipt.list", &writer, reply);
}

int proofgate_operators_receipt_revoke(struct proofgate *gate, const struct proofgate_operators_receipt_revoke *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "id", with->id);
	proofgate_write_text(&writer, "why", with->why);
	return proofgate_finish(gate, "receipt.revoke", &writer, reply);
}

int proofgate_operators_receipt_revoke_all(struct proofgate *gate, const struct proofgate_operators_receipt_revoke_all *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "domain", with->domain);
	proofgate_write_text(&writer, "rule", with->rule);
	proofgate_write_text(&writer, "canon", with->canon);
	proofgate_write_text(&writer, "session", with->session);
	proofgate_write_text(&writer, "person", with->person);
	proofgate_write_flag(&writer, "everything", with->everything);
	proofgate_write_text(&writer, "why", with->why);
	return proofgate_finish(gate, "receipt.revoke_all", &writer, reply);
}

int proofgate_operators_rights(struct proofgate *gate, const struct proofgate_operators_rights *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "domain", with->domain);
	return proofgate_finish(gate, "rights", &writer, reply);
}

int proofgate_operators_run_close(struct proofgate *gate, const struct proofgate_operators_run_close *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "cgroup", with->cgroup);
	return proofgate_finish(gate, "run.close", &writer, reply);
}

int proofgate_operators_run_open(struct proofgate *gate, const struct proofgate_operators_run_open *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "domain", with->domain);
	return proofgate_finish(gate, "run.open", &writer, reply);
}

int proofgate_operators_session_abort(struct proofgate *gate, const struct proofgate_operators_session_abort *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "session", with->session);
	proofgate_write_text(&writer, "why", with->why);
	return proofgate_finish(gate, "session.abort", &writer, reply);
}

int proofgate_operators_session_approve(struct proofgate *gate, const struct proofgate_operators_session_approve *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "session", with->session);
	proofgate_write_text(&writer, "verdict", with->verdict);
	proofgate_write_text(&writer, "signature", with->signature);
	proofgate_write_text(&writer, "reason", with->reason);
	return proofgate_finish(gate, "session.approve", &writer, reply);
}

int proofgate_operators_session_complete(struct proofgate *gate, const struct proofgate_operators_session_complete *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "session", with->session);
	proofgate_write_text(&writer, "plans", with->plans);
	return proofgate_finish(gate, "session.complete", &writer, reply);
}

int proofgate_operators_session_delegate(struct proofgate *gate, const struct proofgate_operators_session_delegate *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "session", with->session);
	proofgate_write_json(&writer, "rights", with->rights);
	proofgate_write_number(&writer, "duration_ms", with->duration_ms);
	proofgate_write_number(&writer, "max_cost", with->max_cost);
	proofgate_write_number(&writer, "max_uses", with->max_uses);
	return proofgate_finish(gate, "session.delegate", &writer, reply);
}

int proofgate_operators_session_evidence(struct proofgate *gate, const struct proofgate_operators_session_evidence *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "session", with->session);
	proofgate_write_text(&writer, "kind", with->kind);
	proofgate_write_text(&writer, "digest", with->digest);
	proofgate_write_text(&writer, "content", with->content);
	proofgate_write_text(&writer, "signature", with->signature);
	proofgate_write_json(&writer, "fields", with->fields);
	return proofgate_finish(gate, "session.evidence", &writer, reply);
}

int proofgate_operators_session_list(struct proofgate *gate, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	return proofgate_finish(gate, "session.list", &writer, reply);
}

int proofgate_operators_session_next(struct proofgate *gate, const struct proofgate_operators_session_next *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "session", with->session);
	proofgate_write_number(&writer, "status", with->status);
	return proofgate_finish(gate, "session.next", &writer, reply);
}

int proofgate_operators_session_open(struct proofgate *gate, const struct proofgate_operators_session_open *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "domain", with->domain);
	proofgate_write_number(&writer, "duration_ms", with->duration_ms);
	proofgate_write_number(&writer, "uid", with->uid);
	proofgate_write_flag(&writer, "cgroup", with->cgroup);
	proofgate_write_number(&writer, "max_cost", with->max_cost);
	proofgate_write_number(&writer, "max_uses", with->max_uses);
	return proofgate_finish(gate, "session.open", &writer, reply);
}

int proofgate_operators_session_show(struct proofgate *gate, const struct proofgate_operators_session_show *with, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	proofgate_write_text(&writer, "session", with->session);
	return proofgate_finish(gate, "session.show", &writer, reply);
}

int proofgate_operators_status(struct proofgate *gate, struct proofgate_reply *reply)
{
	struct proofgate_writer writer = {0};

	return proofgate_finish(gate, "status", &writer, reply);
}
