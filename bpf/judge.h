/* judge.h: who acts, and which receipt covers the act. */

#ifndef PROOFGATE_BPF_JUDGE_H_
#define PROOFGATE_BPF_JUDGE_H_

#include "kernel.h"

#include <bpf/bpf_core_read.h>

#include "maps.h"
#include "gate.h"

struct act {
	struct gate_act gate;
	__u32 op;
	__u32 code;
	__u32 slot;
	__u32 gen;
	__u64 object;
	__u64 window_object; /* tells repeated denials apart; an address, never leaves the kernel */
	__u64 now;
	struct address address;
	__u32 address_len;
	__u32 detail;
	__u32 pad;
};

/* The 32 bytes of a name that the kernel keeps inside the dentry; the whole
 * name with its final zero when d_name.len is below NAME_BYTES. */
static __always_inline __u64 *inline_name(struct dentry *dentry)
{
	if (bpf_core_field_exists(dentry->d_iname))
		return (__u64 *)dentry->d_iname;
	return (__u64 *)((struct dentry___new *)dentry)->d_shortname.string;
}

/* Always 0, which the verifier cannot know. 6.12's takes dentry->d_inode for
 * never NULL and drops a test against a constant, but new names have none. */
volatile __u64 absent;

#define PRESENT(pointer) ((__u64)(pointer) != absent && (pointer))

/* 6.12's verifier refuses what clang 14 makes of `cond ? -EPERM : 0`. */
static __noinline int refuse(void)
{
	return -EPERM;
}

/* Domain of a cgroup or of its nearest governed ancestor; 0: none, -1: deeper
 * than we look, which is not the same answer. */
static __always_inline long domain_of_cgroup(struct cgroup *cgroup)
{
	struct kernfs_node *node = cgroup->kn;
	__u32 i;

	for (i = 0; i < MAX_CGROUP_DEPTH; i++) {
		__u64 id;
		__u32 *domain;

		if (!node)
			return 0;
		id = node->id;
		domain = bpf_map_lookup_elem(&governed_cgroups, &id);
		if (domain)
			return *domain;
		node = node->parent;
	}
	return -1;
}

/* The difference of two pointers is a number, which may be hashed, compared and
 * kept; the verifier lets no pointer be multiplied. The same in every program, as
 * all have one `presence`. */
static __always_inline __u64 address_number(const void *pointer)
{
	return (__u64)pointer - (__u64)&presence;
}

static __always_inline __u32 presence_hash(__u64 number)
{
	return (number * 0x9E3779B97F4A7C15ull) >> (64 - PRESENCE_BITS);
}

/* The verifier must see the bound where the hash is used. */
static __always_inline __u32 *count_at(__u32 *counts, __u32 hash)
{
	barrier_var(hash);
	return &counts[hash & ((1 << PRESENCE_BITS) - 1)];
}

static __always_inline __u64 current_number(void)
{
	return address_number(bpf_get_current_task_btf());
}

/* Certainly not governed, seen without a look-up: what most of the host is. */
static __always_inline int is_bystander(void)
{
	return presence.whole && !*count_at(presence.labels, presence_hash(current_number()));
}

/* From now on a task without a label may be governed after all. */
static __always_inline void label_lost(void)
{
	__sync_fetch_and_add(&settings.labels_lost, 1);
	presence.whole = 0;
}

static __always_inline struct label *label_of(__u64 task)
{
	__u32 hash = presence_hash(task);
	struct label *row = bpf_map_lookup_elem(&label_rows, &hash);

	if (row && row->owner == task)
		return row;
	return bpf_map_lookup_elem(&labels, &task);
}

/* What a birth and an arrival give: the domain and the running program. The count
 * goes up before the row is there and down after it went. Fails when the task has
 * a label or the tables have no room. */
static __always_inline long put_label(__u64 task, __u32 domain, __u64 exe, __u32 is_entering)
{
	struct label label = {.owner = task, .domain = domain, .is_entering = is_entering,
			      .exe = exe, .exe_next = exe};
	__u32 hash = presence_hash(task);
	__u32 others = __sync_fetch_and_add(count_at(presence.labels, hash), 1);
	struct label *row = bpf_map_lookup_elem(&label_rows, &hash);
	__u64 owner;
	long error = -1;

	if (row && ((!others && presence.whole) || !bpf_map_lookup_elem(&labels, &task))) {
		owner = __sync_val_compare_and_swap(&row->owner, 0, task | 1);
		if (!owner) {
			row->domain = domain;
			row->is_entering = is_entering;
			row->exe = exe;
			row->exe_next = exe;
			row->created = 0;
			row->exec_slot = 0;
			row->exec_gen = 0;
			row->opens_peer = 0;
			row->bound_object = 0;
			row->content_known = 0;
			barrier();
			row->owner = task;
			return 0;
		}
		if ((owner & ~1ull) != task)
			error = bpf_map_update_elem(&labels, &task, &label, BPF_NOEXIST);
	}
	if (error)
		__sync_fetch_and_add(count_at(presence.labels, hash), -1);
	return error;
}

static __always_inline long drop_label(__u64 task)
{
	__u32 hash = presence_hash(task);
	struct label *row = bpf_map_lookup_elem(&label_rows, &hash);
	long error = 0;

	if (!row || __sync_val_compare_and_swap(&row->owner, task, 0) != task)
		error = bpf_map_delete_elem(&labels, &task);
	if (!error)
		__sync_fetch_and_add(count_at(presence.labels, hash), -1);
	return error;
}

/* Overlayfs acts on its layers with the credentials of who mounted it, inside an
 * act on the overlay that was judged by its name there. Nothing else that a
 * governed task can ask for acts so, but a core dump and io_uring. */
static __always_inline int is_in_overlay(struct task_struct *task)
{
	return task->cred != task->real_cred && !(task->flags & (PF_IO_WORKER | PF_DUMPCORE)) &&
	       !task->io_uring;
}

/* The verifier must see the bound where the number is used. */
static __always_inline __u32 epoch_of(__u32 domain)
{
	barrier_var(domain);
	return *(volatile __u32 *)&epochs.domains[domain & (MAX_DOMAINS - 1)];
}

enum scope { UNGOVERNED = 0, GOVERNED = 1, UNKNOWN = 2 };

/* Fills in who acts. UNKNOWN only when labels were lost and the cgroup says
 * that this task should have one: refused with SCOPE_UNKNOWN. */
static __always_inline enum scope subject(struct act *act, struct label **label)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct label *found = label_of(address_number(task));
	long domain;

	if (found) {
		if (is_in_overlay(task))
			return UNGOVERNED;
		act->gate.domain = found->domain;
		act->gate.epoch = epoch_of(found->domain);
		act->gate.exe = found->exe;
		act->now = bpf_ktime_get_boot_ns();
		*label = found;
		return GOVERNED;
	}
	if (settings.labels_lost == 0)
		return UNGOVERNED;
	domain = domain_of_cgroup(task->cgroups->dfl_cgrp);
	if (domain == 0)
		return UNGOVERNED;
	__sync_fetch_and_add(&settings.scope_repairs, 1);
	act->gate.domain = domain > 0 ? (__u32)domain : 0;
	act->gate.epoch = epoch_of(act->gate.domain);
	act->now = bpf_ktime_get_boot_ns();
	act->code = GATE_SCOPE_UNKNOWN;
	return UNKNOWN;
}

static __always_inline int judge_list(struct act *act, struct grant_list *list)
{
	__u32 count = list->count;
	__u32 i;

	for (i = 0; i < MAX_GRANTS_PER_OBJECT; i++) {
		struct grant *grant = &list->grants[i];
		struct receipt_slot *receipt;
		__u32 slot;
		__u32 code;

		if (i >= count)
			break;
		slot = grant->slot;
		receipt = bpf_map_lookup_elem(&receipts, &slot);
		if (!receipt || receipt->gen != grant->gen)
			continue;
		if (!gate_reaches(grant->form, receipt, &act->gate))
			continue;
		code = gate_decide(receipt, &act->gate, act->now);
		if (code == GATE_OK) {
			act->slot = slot;
			act->gen = grant->gen;
			act->code = GATE_OK;
			return 1;
		}
		if (gate_nearer(code, act->code) != act->code) {
			act->code = code;
			act->slot = slot;
			act->gen = grant->gen;
		}
	}
	return 0;
}

/* 1 and slot/gen in `act` when a live receipt names `object`; 0 and the
 * nearest reason in `act->code` otherwise. Verified once, called from hooks. */
__noinline int judge_object(struct act *act, __u64 object)
{
	struct grant_key key = {};
	struct grant_list *list;
	__u32 code;
	__u32 i;
	int covered;

	if (!act)
		return 0;
	code = act->code;
	key.object = object;
	key.domain = act->gate.domain;
	key.kind = act->gate.kind;
	for (i = 0; i < 2; i++) {
		list = bpf_map_lookup_elem(&grants, &key);
		if (!list)
			return 0;
		covered = judge_list(act, list);
		barrier();
		if (list->of.object == key.object && list->of.domain == key.domain &&
		    list->of.kind == key.kind)
			return covered;
		act->code = code; /* the row became another's meanwhile */
		act->slot = 0;
		act->gen = 0;
	}
	return 0;
}

__noinline int judge_address(struct act *act)
{
	struct address_key key = {};
	struct grant_list *list;

	if (!act)
		return 0;
	key.prefix_bits = 64 + 128;
	key.domain = act->gate.domain;
	key.address = act->address;
	list = bpf_map_lookup_elem(&addresses, &key);
	if (list && judge_list(act, list))
		return 1;
	key.address.port = 0;
	list = bpf_map_lookup_elem(&addresses, &key);
	return list && judge_list(act, list);
}

static __always_inline __u64 object_of(struct inode *inode)
{
	struct mark *mark = bpf_inode_storage_get(&marks, inode, 0, 0);

	return mark ? mark->object : 0;
}

/* Our own state is known by its group, which only who may write there can give:
 * unlike a mark it outlives the daemon and the inode's time in memory. */
static __always_inline int is_state(struct inode *inode)
{
	return settings.state_gid && inode->i_gid.val == settings.state_gid;
}

/* The ancestor walk: the object, then each directory above it in the same file
 * system, until a mark with a live receipt that reaches this far. */
struct walk {
	struct act *act;
	struct dentry *at;
	__u32 looked; /* at the object, or for a new name its directory */
	__u32 covered;
	__u32 ended;
};

static long walk_up(__u32 i, void *context)
{
	struct walk *walk = context;
	struct act *act = walk->act;
	struct dentry *at = walk->at;
	struct dentry *parent = at->d_parent;
	struct inode *inode = at->d_inode;
	__u64 object;

	if (PRESENT(inode)) {
		object = object_of(inode);
		if (i == 0)
			act->object = object;
		if (object == CLASS_GUARDED || (!walk->looked && is_state(inode))) {
			act->code = GATE_GUARDED;
			walk->ended = 1;
			return 1;
		}
		walk->looked = 1;
		act->gate.distance = i;
		if (object && judge_object(act, object)) {
			walk->covered = 1;
			walk->ended = 1;
			return 1;
		}
	}
	if ((__u64)parent == (__u64)at) {
		walk->ended = 1;
		return 1;
	}
	walk->at = parent;
	return 0;
}

static __always_inline int judge_path(struct act *act, struct dentry *dentry)
{
	/* Not known to be 0: 6.1's verifier looks at one step only. */
	__u32 none = (__u32)absent;
	struct walk walk = {.act = act, .at = dentry, .looked = none, .covered = none, .ended = none};
	__u64 *from = inline_name(dentry);
	__u64 *to = (__u64 *)act->gate.name;

	act->window_object = (__u64)dentry->d_inode;
	if (act->window_object == absent)
		act->window_object = (__u64)dentry;
	act->gate.name_len = 0;
	if (dentry->d_name.len < NAME_BYTES) {
		act->gate.name_len = dentry->d_name.len;
		to[0] = from[0];
		to[1] = from[1];
		to[2] = from[2];
		to[3] = from[3];
	}
	bpf_loop(MAX_WALK, walk_up, &walk, 0);
	if (!walk.ended)
		act->code = GATE_WALK_BOUND;
	return !!walk.covered;
}

static __always_inline int judge_class(struct act *act, __u64 class)
{
	act->gate.distance = 0;
	act->object = class;
	act->window_object = class;
	return judge_object(act, class);
}

/* Is the receipt of an opening still good? A connection that came in is covered
 * by the receipt of its listener: to bind, or to write the listener's name. What
 * a socket's opening is about is for net.h to say. */
static __always_inline struct receipt_slot *opening_holds(struct act *act, struct opening *opening,
							    __u64 file)
{
	__u32 slot = opening->slot;
	struct receipt_slot *receipt;
	__u32 opened = opening->kind;
	__u32 gen = opening->gen;
	__u32 kind = act->gate.kind;
	__u32 code;

	if (opening->domain != act->gate.domain)
		return 0;
	barrier();
	if (opening->file != file)
		return 0;
	if (opened != kind && (kind != KIND_CONNECT || !opening->came_in))
		return 0;
	receipt = bpf_map_lookup_elem(&receipts, &slot);
	if (!receipt || receipt->gen != gen)
		return 0;
	act->gate.kind = opened;
	code = gate_decide(receipt, &act->gate, act->now);
	act->gate.kind = kind;
	act->slot = slot;
	act->gen = gen;
	if (code == GATE_OK)
		return receipt;
	act->code = code;
	return 0;
}

/* The same, and counts the act. */
static __always_inline int judge_opening(struct act *act, struct opening *opening, __u64 file)
{
	struct receipt_slot *receipt = opening_holds(act, opening, file);

	if (!receipt)
		return 0;
	if (!opening->of_class)
		__sync_fetch_and_add(&receipt->checked, 1);
	return 1;
}

static __always_inline struct opening *opening_of(__u64 file)
{
	__u32 hash = presence_hash(file);
	struct opening *row = bpf_map_lookup_elem(&opening_rows, &hash);

	if (row && row->file == file)
		return row;
	if (presence.whole && !*count_at(presence.openings, hash))
		return 0;
	return bpf_map_lookup_elem(&openings, &file);
}

/* Into the file's row, if no other file has it and nobody else is writing it. */
static __always_inline int fill_opening_row(__u32 hash, struct opening *opening)
{
	struct opening *row = bpf_map_lookup_elem(&opening_rows, &hash);
	__u64 was;

	if (!row)
		return 0;
	was = row->file;
	if ((was && was != opening->file) ||
	    __sync_val_compare_and_swap(&row->file, was, opening->file | 1) != was)
		return 0;
	row->domain = opening->domain;
	row->kind = opening->kind;
	row->slot = opening->slot;
	row->gen = opening->gen;
	row->of_class = opening->of_class;
	row->came_in = opening->came_in;
	if (opening->kind == KIND_CONNECT || opening->kind == KIND_BIND)
		row->address = opening->address;
	barrier();
	row->made = opening->made;
	barrier();
	row->file = opening->file;
	if (!was)
		__sync_fetch_and_add(count_at(presence.openings, hash), 1);
	return 1;
}

static __always_inline long put_opening(struct opening *opening)
{
	__u64 file = opening->file;
	__u32 hash = presence_hash(file);

	if (fill_opening_row(hash, opening))
		return 0;
	__sync_fetch_and_add(count_at(presence.openings, hash), 1);
	if (!bpf_map_update_elem(&openings, &file, opening, BPF_NOEXIST))
		return 0;
	__sync_fetch_and_add(count_at(presence.openings, hash), -1);
	return bpf_map_update_elem(&openings, &file, opening, BPF_EXIST);
}

static __always_inline void drop_opening(struct file *dead)
{
	__u64 file = address_number(dead);
	__u32 hash = presence_hash(file);
	struct opening *row;

	if (presence.whole && !*count_at(presence.openings, hash))
		return;
	row = bpf_map_lookup_elem(&opening_rows, &hash);
	if (row && row->file == file) {
		row->file = 0;
		__sync_fetch_and_add(count_at(presence.openings, hash), -1);
		if (presence.whole && !*count_at(presence.openings, hash))
			return;
	}
	if (!bpf_map_delete_elem(&openings, &file))
		__sync_fetch_and_add(count_at(presence.openings, hash), -1);
}

static __always_inline struct opening opening_under(struct act *act, struct file *file)
{
	struct opening opening = {
		.file = address_number(file),
		.domain = act->gate.domain,
		.kind = act->gate.kind,
		.slot = act->slot,
		.gen = act->gen,
		.address = act->address,
		.made = act->now,
	};

	return opening;
}

/* Remembers under which receipt a file or socket was opened. Not inlined, which
 * would make the stack of the walk's callers too large. */
static __noinline int bind_opening(struct act *act, struct file *file)
{
	struct opening opening = opening_under(act, file);

	return put_opening(&opening);
}

/* The same of a pipe, a terminal, …, so that its next use is found at once; not
 * needed, so it takes no place in the table that others may want. */
static __noinline void remember_class(struct act *act, struct file *file)
{
	struct opening opening = opening_under(act, file);

	opening.of_class = 1;
	fill_opening_row(presence_hash(opening.file), &opening);
}

/* A write through what was opened under a receipt that lives: the most common
 * act of all, decided with nothing prepared for a refusal. 0: to be judged. */
static __always_inline int write_holds(struct file *file)
{
	__u64 number = address_number(file);
	__u64 self = current_number();
	__u32 file_hash = presence_hash(number);
	__u32 self_hash = presence_hash(self);
	struct label *label = bpf_map_lookup_elem(&label_rows, &self_hash);
	struct opening *opening = bpf_map_lookup_elem(&opening_rows, &file_hash);
	struct gate_act act = {.kind = KIND_WRITE};
	struct receipt_slot *receipt;
	__u32 slot;

	if (!label || label->owner != self || !opening || opening->file != number)
		return 0;
	act.domain = label->domain;
	act.epoch = epoch_of(act.domain);
	act.exe = label->exe;
	if (opening->kind != KIND_WRITE || opening->domain != act.domain)
		return 0;
	slot = opening->slot;
	receipt = bpf_map_lookup_elem(&receipts, &slot);
	if (!receipt || receipt->gen != opening->gen ||
	    gate_decide(receipt, &act, bpf_ktime_get_boot_ns()) != GATE_OK)
		return 0;
	if (!opening->of_class)
		__sync_fetch_and_add(&receipt->checked, 1);
	return 1;
}

#endif /* PROOFGATE_BPF_JUDGE_H_ */
