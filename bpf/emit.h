/* emit.h: reserve, fill and submit records; count what has none. */

#ifndef PROOFGATE_BPF_EMIT_H_
#define PROOFGATE_BPF_EMIT_H_

#include "judge.h"

enum { WINDOW_NS = 1000000000 }; /* one full record per distinct denial in a second */

static __always_inline struct act_record *reserve_record(__u32 domain)
{
	void *ring = bpf_map_lookup_elem(&rings, &domain);

	if (!ring)
		return 0;
	return bpf_ringbuf_reserve(ring, sizeof(struct act_record), 0);
}

static __always_inline void fill_path(struct act_record *record, struct dentry *dentry)
{
	struct dentry *at = dentry;
	struct inode *inode;
	struct super_block *sb;
	__u32 i;

	record->depth = 0;
	record->more = 0;
	record->ino = 0;
	record->dev = 0;
	record->mode = 0;
	if (!at)
		return;
	inode = at->d_inode;
	if (PRESENT(inode)) {
		record->ino = inode->i_ino;
		record->mode = inode->i_mode;
		sb = inode->i_sb;
		if (sb)
			record->dev = sb->s_dev;
	} else if (at->d_parent) {
		inode = at->d_parent->d_inode;
		if (PRESENT(inode)) {
			sb = inode->i_sb;
			if (sb)
				record->dev = sb->s_dev;
		}
	}
	for (i = 0; i < MAX_COMPONENTS; i++) {
		struct dentry *parent = at->d_parent;
		__u64 *to = (__u64 *)record->components[i];
		__u64 *from = inline_name(at);

		if ((__u64)parent == (__u64)at)
			return;
		if (at->d_name.len < NAME_BYTES) {
			to[0] = from[0];
			to[1] = from[1];
			to[2] = from[2];
			to[3] = from[3];
		} else {
			to[0] = 0;
		}
		record->depth = i + 1;
		at = parent;
	}
	record->more = (__u64)at->d_parent != (__u64)at;
}

static __always_inline void fill_record(struct act_record *record, const struct act *act,
					__u32 verdict, __u64 seq, struct dentry *dentry)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 id = bpf_get_current_pid_tgid();
	__u64 *comm = (__u64 *)task->comm;
	__u64 *to = (__u64 *)record->comm;

	record->version = 1;
	record->verdict = verdict;
	record->domain = act->gate.domain;
	record->code = act->code;
	record->seq = seq;
	record->boot_ns = act->now;
	record->kind = act->gate.kind;
	record->op = act->op;
	record->slot = act->slot;
	record->gen = act->gen;
	record->exe = act->gate.exe;
	record->object = act->object;
	record->cgroup = bpf_get_current_cgroup_id();
	record->tgid = id >> 32;
	record->tid = (__u32)id;
	record->uid = task->cred->uid.val;
	record->detail = act->detail;
	record->address = act->address;
	record->address_len = act->address_len;
	to[0] = comm[0]; /* cheaper than the helper; may be torn by who renames the thread */
	to[1] = comm[1];
	fill_path(record, dentry);
}

/* Counts and records a refusal. Returns what the hook returns: -EPERM, or 0
 * when the domain only observes. */
static __always_inline int deny(struct act *act, struct dentry *dentry)
{
	__u32 number = act->gate.domain;
	struct domain_state *domain = bpf_map_lookup_elem(&domains, &number);
	struct denial_key key = {};
	struct denial_window *window;
	struct denial_window fresh = {};
	struct act_record *record = 0;
	__u32 code = act->code ? act->code : GATE_NO_RECEIPT;
	__u32 verdict = VERDICT_DENY;
	__u64 seq;
	int full = 1;

	act->code = code;
	if (!domain)
		return refuse();
	if (domain->mode == MODE_OBSERVE)
		verdict = VERDICT_WOULD_DENY;
	seq = __sync_fetch_and_add(&domain->deny_seq, 1) + 1;
	if (code < MAX_CODES)
		__sync_fetch_and_add(&domain->denials[code], 1);
	if (verdict == VERDICT_WOULD_DENY)
		__sync_fetch_and_add(&domain->would_deny, 1);

	key.object = act->window_object;
	key.exe = act->gate.exe;
	key.domain = number;
	key.op = (__u16)act->op;
	key.kind = (__u8)act->gate.kind;
	key.code = (__u8)code;
	window = bpf_map_lookup_elem(&denial_windows, &key);
	if (window) {
		__sync_fetch_and_add(&window->count, 1);
		full = act->now - window->last_full_boot_ns >= WINDOW_NS;
		if (full)
			window->last_full_boot_ns = act->now;
	} else {
		fresh.last_full_boot_ns = act->now;
		fresh.count = 1;
		bpf_map_update_elem(&denial_windows, &key, &fresh, BPF_ANY);
	}
	if (full)
		record = reserve_record(number);
	if (record) {
		fill_record(record, act, verdict, seq, dentry);
		bpf_ringbuf_submit(record, 0);
	} else {
		__sync_fetch_and_add(&domain->unrecorded, 1);
	}
	return verdict == VERDICT_WOULD_DENY ? 0 : refuse();
}

/* Takes one use of the receipt found by the judge and records the act, or
 * refuses. The record's place is reserved before the use is taken, so a use
 * without a record does not exist. */
static __always_inline int commit(struct act *act, struct dentry *dentry)
{
	__u32 number = act->gate.domain;
	__u32 slot = act->slot;
	struct act_record *record;
	struct receipt_slot *receipt;
	struct domain_state *domain;
	__u64 seq;

	receipt = bpf_map_lookup_elem(&receipts, &slot);
	domain = bpf_map_lookup_elem(&domains, &number);
	if (!receipt || !domain) {
		act->code = GATE_NO_DOMAIN;
		return deny(act, dentry);
	}
	record = reserve_record(number);
	if (!record) {
		act->code = GATE_RECORD_UNAVAILABLE;
		return deny(act, dentry);
	}
	if (__sync_fetch_and_add(&receipt->used, 1) >= receipt->max_uses) {
		bpf_ringbuf_discard(record, 0);
		act->code = GATE_EXHAUSTED;
		return deny(act, dentry);
	}
	act->code = GATE_OK;
	seq = __sync_fetch_and_add(&domain->act_seq, 1) + 1;
	fill_record(record, act, VERDICT_ALLOW, seq, dentry);
	bpf_ringbuf_submit(record, 0);
	return 0;
}

#endif /* PROOFGATE_BPF_EMIT_H_ */
