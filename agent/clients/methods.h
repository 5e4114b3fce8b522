/*
 * Methods: one function for each method of each door. Made by generate.py from
 * docs/format/control.json; see client.h.
 *
 * What is NULL (or false) is left out. A text may hold any bytes but NUL; json is
 * passed on as it is.
 */
#ifndef PROOFGATE_METHODS_H
#define PROOFGATE_METHODS_H

#include <stdbool.h>
#include <stdint.h>

#include <proofgate/client.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The door for the people that canon names, by uid. */
#define PROOFGATE_APPROVERS_SOCKET "/run/proofgate/approve.sock"

struct proofgate_approvers_session_approve {
	const char *session; /* needed */
	const char *verdict; /* approve|deny, needed */
	const char *reason;
};
int proofgate_approvers_session_approve(struct proofgate *gate, const struct proofgate_approvers_session_approve *with, struct proofgate_reply *reply);

struct proofgate_approvers_session_show {
	const char *session; /* needed */
};
int proofgate_approvers_session_show(struct proofgate *gate, const struct proofgate_approvers_session_show *with, struct proofgate_reply *reply);

/* The door for processes in a governed cgroup, about the session of that cgroup. */
#define PROOFGATE_GOVERNED_SOCKET "/run/proofgate/session.sock"

int proofgate_governed_rights(struct proofgate *gate, struct proofgate_reply *reply);

struct proofgate_governed_session_abort {
	const char *why;
};
int proofgate_governed_session_abort(struct proofgate *gate, const struct proofgate_governed_session_abort *with, struct proofgate_reply *reply);

struct proofgate_governed_session_complete {
	const char *plans; /* needed */
};
int proofgate_governed_session_complete(struct proofgate *gate, const struct proofgate_governed_session_complete *with, struct proofgate_reply *reply);

struct proofgate_governed_session_delegate {
	const char *rights; /* json, needed */
	const uint64_t *duration_ms;
	const uint64_t *max_cost; /* needed */
	const uint64_t *max_uses; /* needed */
};
int proofgate_governed_session_delegate(struct proofgate *gate, const struct proofgate_governed_session_delegate *with, struct proofgate_reply *reply);

struct proofgate_governed_session_evidence {
	const char *kind; /* needed */
	const char *digest;
	const char *content;
	const char *signature;
	const char *fields; /* json */
};
int proofgate_governed_session_evidence(struct proofgate *gate, const struct proofgate_governed_session_evidence *with, struct proofgate_reply *reply);

struct proofgate_governed_session_next {
	const uint64_t *status;
};
int proofgate_governed_session_next(struct proofgate *gate, const struct proofgate_governed_session_next *with, struct proofgate_reply *reply);

struct proofgate_governed_session_open {
	const uint64_t *duration_ms;
	const uint64_t *max_cost;
	const uint64_t *max_uses;
};
int proofgate_governed_session_open(struct proofgate *gate, const struct proofgate_governed_session_open *with, struct proofgate_reply *reply);

int proofgate_governed_session_show(struct proofgate *gate, struct proofgate_reply *reply);

int proofgate_governed_why(struct proofgate *gate, struct proofgate_reply *reply);

/* The door for uid 0. */
#define PROOFGATE_OPERATORS_SOCKET "/run/proofgate/control.sock"

struct proofgate_operators_attach {
	const char *domain; /* needed */
	const char *cgroup;
	const char *unit;
	const uint64_t *pid;
	bool force;
};
int proofgate_operators_attach(struct proofgate *gate, const struct proofgate_operators_attach *with, struct proofgate_reply *reply);

struct proofgate_operators_break_glass_draft {
	const char *domain; /* needed */
	const char *rule; /* needed */
	const char *object; /* needed */
	const char *person; /* needed */
	const uint64_t *uses; /* needed */
	const uint64_t *duration_ms; /* needed */
	const char *reason; /* needed */
};
int proofgate_operators_break_glass_draft(struct proofgate *gate, const struct proofgate_operators_break_glass_draft *with, struct proofgate_reply *reply);

int proofgate_operators_break_glass_list(struct proofgate *gate, struct proofgate_reply *reply);

struct proofgate_operators_break_glass_review {
	const char *id; /* needed */
	const char *verdict; /* justified|unjustified, needed */
	const char *reason; /* needed */
	const char *signature; /* needed */
};
int proofgate_operators_break_glass_review(struct proofgate *gate, const struct proofgate_operators_break_glass_review *with, struct proofgate_reply *reply);

struct proofgate_operators_break_glass_use {
	const char *statement; /* needed */
	const char *signature; /* needed */
};
int proofgate_operators_break_glass_use(struct proofgate *gate, const struct proofgate_operators_break_glass_use *with, struct proofgate_reply *reply);

struct proofgate_operators_canon_apply {
	const char *text; /* needed */
	const char *file; /* needed */
};
int proofgate_operators_canon_apply(struct proofgate *gate, const struct proofgate_operators_canon_apply *with, struct proofgate_reply *reply);

struct proofgate_operators_canon_apply_bundle {
	const char *bundle; /* needed */
};
int proofgate_operators_canon_apply_bundle(struct proofgate *gate, const struct proofgate_operators_canon_apply_bundle *with, struct proofgate_reply *reply);

struct proofgate_operators_canon_approve {
	const char *proposal; /* needed */
	const char *signature; /* needed */
};
int proofgate_operators_canon_approve(struct proofgate *gate, const struct proofgate_operators_canon_approve *with, struct proofgate_reply *reply);

struct proofgate_operators_canon_bundle {
	const uint64_t *version; /* needed */
};
int proofgate_operators_canon_bundle(struct proofgate *gate, const struct proofgate_operators_canon_bundle *with, struct proofgate_reply *reply);

struct proofgate_operators_canon_judge {
	const char *proposal; /* needed */
	const uint64_t *last;
};
int proofgate_operators_canon_judge(struct proofgate *gate, const struct proofgate_operators_canon_judge *with, struct proofgate_reply *reply);

struct proofgate_operators_canon_promote {
	const char *proposal; /* needed */
	const char *acknowledged; /* json */
};
int proofgate_operators_canon_promote(struct proofgate *gate, const struct proofgate_operators_canon_promote *with, struct proofgate_reply *reply);

int proofgate_operators_canon_proposals(struct proofgate *gate, struct proofgate_reply *reply);

struct proofgate_operators_canon_propose {
	const char *bundle; /* needed */
	const char *evidence; /* json */
	bool emergency;
	const char *why;
};
int proofgate_operators_canon_propose(struct proofgate *gate, const struct proofgate_operators_canon_propose *with, struct proofgate_reply *reply);

struct proofgate_operators_canon_reject {
	const char *proposal; /* needed */
	const char *why;
};
int proofgate_operators_canon_reject(struct proofgate *gate, const struct proofgate_operators_canon_reject *with, struct proofgate_reply *reply);

struct proofgate_operators_canon_shadow {
	const char *proposal; /* needed */
};
int proofgate_operators_canon_shadow(struct proofgate *gate, const struct proofgate_operators_canon_shadow *with, struct proofgate_reply *reply);

int proofgate_operators_canon_show(struct proofgate *gate, struct proofgate_reply *reply);

struct proofgate_operators_canon_trust {
	const char *envelope; /* needed */
};
int proofgate_operators_canon_trust(struct proofgate *gate, const struct proofgate_operators_canon_trust *with, struct proofgate_reply *reply);

int proofgate_operators_canon_trust_root(struct proofgate *gate, struct proofgate_reply *reply);

int proofgate_operators_counters(struct proofgate *gate, struct proofgate_reply *reply);

struct proofgate_operators_detach {
	const char *domain; /* needed */
	const char *cgroup;
	const char *unit;
};
int proofgate_operators_detach(struct proofgate *gate, const struct proofgate_operators_detach *with, struct proofgate_reply *reply);

struct proofgate_operators_domain_resume {
	const char *domain; /* needed */
};
int proofgate_operators_domain_resume(struct proofgate *gate, const struct proofgate_operators_domain_resume *with, struct proofgate_reply *reply);

struct proofgate_operators_domain_stop {
	const char *domain; /* needed */
	const char *why;
};
int proofgate_operators_domain_stop(struct proofgate *gate, const struct proofgate_operators_domain_stop *with, struct proofgate_reply *reply);

int proofgate_operators_flush(struct proofgate *gate, struct proofgate_reply *reply);

struct proofgate_operators_ledger_backup {
	const char *dir; /* needed */
};
int proofgate_operators_ledger_backup(struct proofgate *gate, const struct proofgate_operators_ledger_backup *with, struct proofgate_reply *reply);

struct proofgate_operators_ledger_check {
	bool hurry;
};
int proofgate_operators_ledger_check(struct proofgate *gate, const struct proofgate_operators_ledger_check *with, struct proofgate_reply *reply);

int proofgate_operators_ledger_checkpoint(struct proofgate *gate, struct proofgate_reply *reply);

struct proofgate_operators_ledger_entries {
	const uint64_t *from; /* needed */
	const uint64_t *count; /* needed */
};
int proofgate_operators_ledger_entries(struct proofgate *gate, const struct proofgate_operators_ledger_entries *with, struct proofgate_reply *reply);

struct proofgate_operators_ledger_erase {
	const char *commitment; /* needed */
	const char *why; /* needed */
	const char *signatures; /* json */
};
int proofgate_operators_ledger_erase(struct proofgate *gate, const struct proofgate_operators_ledger_erase *with, struct proofgate_reply *reply);

int proofgate_operators_ledger_figures(struct proofgate *gate, struct proofgate_reply *reply);

struct proofgate_operators_ledger_hold {
	const char *name; /* needed */
	const uint64_t *from; /* needed */
	const char *why; /* needed */
};
int proofgate_operators_ledger_hold(struct proofgate *gate, const struct proofgate_operators_ledger_hold *with, struct proofgate_reply *reply);

struct proofgate_operators_ledger_keep_cosigned {
	const char *checkpoint; /* needed */
};
int proofgate_operators_ledger_keep_cosigned(struct proofgate *gate, const struct proofgate_operators_ledger_keep_cosigned *with, struct proofgate_reply *reply);

struct proofgate_operators_ledger_release {
	const char *name; /* needed */
	const char *why; /* needed */
	const char *signatures; /* json */
};
int proofgate_operators_ledger_release(struct proofgate *gate, const struct proofgate_operators_ledger_release *with, struct proofgate_reply *reply);

struct proofgate_operators_ledger_retain {
	const uint64_t *below; /* needed */
	const char *why; /* needed */
	const char *archive_sha256;
	const char *signatures; /* json */
};
int proofgate_operators_ledger_retain(struct proofgate *gate, const struct proofgate_operators_ledger_retain *with, struct proofgate_reply *reply);

struct proofgate_operators_ledger_sign_export {
	const char *manifest; /* needed */
};
int proofgate_operators_ledger_sign_export(struct proofgate *gate, const struct proofgate_operators_ledger_sign_export *with, struct proofgate_reply *reply);

int proofgate_operators_prove_open(struct proofgate *gate, struct proofgate_reply *reply);

struct proofgate_operators_receipt_issue {
	const char *domain; /* needed */
	const char *rule; /* needed */
	const char *object;
	const char *exe;
	const char *argv; /* json */
	const char *env; /* json */
	const char *content; /* json */
	const uint64_t *ttl_ns;
	const uint64_t *uses;
};
int proofgate_operators_receipt_issue(struct proofgate *gate, const struct proofgate_operators_receipt_issue *with, struct proofgate_reply *reply);

int proofgate_operators_receipt_list(struct proofgate *gate, struct proofgate_reply *reply);

struct proofgate_operators_receipt_revoke {
	const char *id; /* needed */
	const char *why;
};
int proofgate_operators_receipt_revoke(struct proofgate *gate, const struct proofgate_operators_receipt_revoke *with, struct proofgate_reply *reply);

struct proofgate_operators_receipt_revoke_all {
	const char *domain;
	const char *rule;
	const char *canon;
	const char *session;
	const char *person;
	bool everything;
	const char *why;
};
int proofgate_operators_receipt_revoke_all(struct proofgate *gate, const struct proofgate_operators_receipt_revoke_all *with, struct proofgate_reply *reply);

struct proofgate_operators_rights {
	const char *domain; /* needed */
};
int proofgate_operators_rights(struct proofgate *gate, const struct proofgate_operators_rights *with, struct proofgate_reply *reply);

struct proofgate_operators_run_close {
	const char *cgroup; /* needed */
};
int proofgate_operators_run_close(struct proofgate *gate, const struct proofgate_operators_run_close *with, struct proofgate_reply *reply);

struct proofgate_operators_run_open {
	const char *domain; /* needed */
};
int proofgate_operators_run_open(struct proofgate *gate, const struct proofgate_operators_run_open *with, struct proofgate_reply *reply);

struct proofgate_operators_session_abort {
	const char *session; /* needed */
	const char *why;
};
int proofgate_operators_session_abort(struct proofgate *gate, const struct proofgate_operators_session_abort *with, struct proofgate_reply *reply);

struct proofgate_operators_session_approve {
	const char *session; /* needed */
	const char *verdict; /* approve|deny, needed */
	const char *signature; /* needed */
	const char *reason;
};
int proofgate_operators_session_approve(struct proofgate *gate, const struct proofgate_operators_session_approve *with, struct proofgate_reply *reply);

struct proofgate_operators_session_complete {
	const char *session; /* needed */
	const char *plans; /* needed */
};
int proofgate_operators_session_complete(struct proofgate *gate, const struct proofgate_operators_session_complete *with, struct proofgate_reply *reply);

struct proofgate_operators_session_delegate {
	const char *session; /* needed */
	const char *rights; /* json, needed */
	const uint64_t *duration_ms;
	const uint64_t *max_cost; /* needed */
	const uint64_t *max_uses; /* needed */
};
int proofgate_operators_session_delegate(struct proofgate *gate, const struct proofgate_operators_session_delegate *with, struct proofgate_reply *reply);

struct proofgate_operators_session_evidence {
	const char *session; /* needed */
	const char *kind; /* needed */
	const char *digest;
	const char *content;
	const char *signature;
	const char *fields; /* json */
};
int proofgate_operators_session_evidence(struct proofgate *gate, const struct proofgate_operators_session_evidence *with, struct proofgate_reply *reply);

int proofgate_operators_session_list(struct proofgate *gate, struct proofgate_reply *reply);

struct proofgate_operators_session_next {
	const char *session; /* needed */
	const uint64_t *status;
};
int proofgate_operators_session_next(struct proofgate *gate, const struct proofgate_operators_session_next *with, struct proofgate_reply *reply);

struct proofgate_operators_session_open {
	const char *domain; /* needed */
	const uint64_t *duration_ms;
	const uint64_t *uid;
	bool cgroup;
	const uint64_t *max_cost;
	const uint64_t *max_uses;
};
int proofgate_operators_session_open(struct proofgate *gate, const struct proofgate_operators_session_open *with, struct proofgate_reply *reply);

struct proofgate_operators_session_show {
	const char *session; /* needed */
};
int proofgate_operators_session_show(struct proofgate *gate, const struct proofgate_operators_session_show *with, struct proofgate_reply *reply);

int proofgate_operators_status(struct proofgate *gate, struct proofgate_reply *reply);

#ifdef __cplusplus
}
#endif
#endif
