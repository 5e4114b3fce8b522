/* binding.h: exec receipts that bind how a program runs: its arguments, its
 * environment, its content.
 *
 *   bprm_check_security   no receipt but bound ones covers the program: remember
 *                         the object that they name (exec.h)
 *   bprm_creds_from_file  is the content that of one of them? Refuses
 *   bprm_committed_creds  the strings are in the new address space, which only
 *                         this thread has: the first receipt of which all holds
 *                         gives the use; if none does, SIGKILL before the first
 *                         instruction
 *
 * Nothing here does anything for an exec that an unbound receipt covers.
 * Compared are bytes, never digests of strings. What cannot be read to its end
 * is refused. A script is not bound, its interpreter is: the script is opened
 * again by name, by a program that is free to do so at any time. */

#ifndef PROOFGATE_BPF_BINDING_H_
#define PROOFGATE_BPF_BINDING_H_

#include "emit.h"

enum { CHUNK_BYTES = 32, CHUNK_WORDS = CHUNK_BYTES / 8 };

/* The new program's strings, as user addresses. */
struct exec_words {
	__u64 start;
	__u64 end;
	__u32 argc;
	__u32 envc;
	__u32 slot; /* of the receipt with which they are compared, */
	__u32 gen;
	__u32 code; /* and the answer */
	__u32 pad;
};

struct exec_scan {
	__u64 at;
	__u64 end;
	__u32 index;   /* of the string at `at`, arguments first */
	__u32 argc;
	__u32 strings; /* arguments and environment */
	__u32 inside;  /* `at` is not the start of a string */
	__u32 row;
	__u32 seen;    /* bound variables that were there */
	__u32 code;
	__u32 pad;
};

/* Reads the next bytes, at most CHUNK_BYTES; zeros behind. */
static __always_inline int read_chunk(__u64 *words, __u64 at, __u64 bytes)
{
	__u32 count = bytes > CHUNK_BYTES ? CHUNK_BYTES : (__u32)bytes;
	__u32 i;

	for (i = 0; i < CHUNK_WORDS; i++)
		words[i] = 0;
	/* The verifier must see the bound on the register that it is given in. */
	barrier_var(count);
	if (count == 0 || count > CHUNK_BYTES)
		return -1;
	return bpf_copy_from_user(words, count, (const void *)at) ? -1 : 0;
}

/* Are the `bytes` at the address those of `text`, which has zeros behind them
 * up to a multiple of CHUNK_BYTES? -1: they cannot be read. */
static __always_inline int same_bytes(const __u64 *text, __u32 bytes, __u64 at, __u32 chunks)
{
	__u64 words[CHUNK_WORDS];
	__u32 i, j;

	for (i = 0; i < chunks; i++) {
		if (i * CHUNK_BYTES >= bytes)
			break;
		if (read_chunk(words, at + i * CHUNK_BYTES, bytes - i * CHUNK_BYTES))
			return -1;
		for (j = 0; j < CHUNK_WORDS; j++)
			if (words[j] != text[i * CHUNK_WORDS + j])
				return 0;
	}
	return 1;
}

__noinline int same_argv(__u32 row, __u64 start)
{
	struct exec_binding *binding = bpf_map_lookup_elem(&bindings, &row);

	if (!binding || binding->argv_bytes > ARGV_BYTES)
		return -1;
	return same_bytes((const __u64 *)binding->argv, binding->argv_bytes, start,
			  ARGV_BYTES / CHUNK_BYTES);
}

__noinline int same_value(__u32 row, __u32 number, __u64 at, __u64 end)
{
	struct exec_binding *binding = bpf_map_lookup_elem(&bindings, &row);
	struct env_value *value;

	if (!binding || number >= MAX_ENV_VALUES)
		return -1;
	value = &binding->env[number];
	if (value->bytes > ENV_VALUE_BYTES || at + value->bytes > end)
		return 0;
	return same_bytes((const __u64 *)value->text, value->bytes, at,
			  ENV_VALUE_BYTES / CHUNK_BYTES);
}

static __always_inline __u64 differs(const __u64 *words, const struct env_name *name)
{
	return ((words[0] & name->mask[0]) ^ name->text[0]) |
	       ((words[1] & name->mask[1]) ^ name->text[1]) |
	       ((words[2] & name->mask[2]) ^ name->text[2]) |
	       ((words[3] & name->mask[3]) ^ name->text[3]);
}

/* How many bytes from here to the end of the string, its final zero and all, if
 * that is among the next CHUNK_BYTES; 0 if it is not; -1: they cannot be read. */
__noinline int string_ends(__u64 at, __u64 end)
{
	__u64 words[CHUNK_WORDS];
	const char *bytes = (const char *)words;
	__u32 i;

	if (at >= end || read_chunk(words, at, end - at))
		return -1;
	/* Behind `end` there are zeros: a string may seem to end there. */
	for (i = 0; i < CHUNK_BYTES; i++)
		if (!bytes[i])
			return (int)i + 1;
	return 0;
}

/* The variable at this address: -GATE code, or the bit of the bound variable
 * that it is, or 0. */
__noinline int judge_variable(__u32 row, __u64 at, __u64 end)
{
	struct exec_binding *binding = bpf_map_lookup_elem(&bindings, &row);
	__u64 words[CHUNK_WORDS];
	__u32 i;
	int same;

	if (!binding || at >= end || read_chunk(words, at, end - at))
		return -GATE_BINDING_UNREADABLE;
	for (i = 0; i < MAX_ENV_VALUES; i++) {
		if (i >= binding->values)
			break;
		if (differs(words, &binding->env[i].start))
			continue;
		same = same_value(row, i, at, end);
		if (same < 0)
			return -GATE_BINDING_UNREADABLE;
		if (same > 0)
			return 1 << i;
	}
	for (i = 0; i < MAX_ENV_NAMES; i++) {
		if (i >= binding->names)
			break;
		if (!differs(words, &binding->no_env[i]))
			return -GATE_ENV_MISMATCH;
	}
	return 0;
}

/* The next chunk of the strings. 1: no more. */
static long scan_chunk(__u64 step, void *context)
{
	struct exec_scan *scan = context;
	int answer;

	if (scan->index >= scan->strings)
		return 1;
	if (!scan->inside && scan->index >= scan->argc) {
		answer = judge_variable(scan->row, scan->at, scan->end);
		if (answer < 0) {
			scan->code = (__u32)-answer;
			return 1;
		}
		scan->seen |= (__u32)answer;
	}
	answer = string_ends(scan->at, scan->end);
	if (answer < 0) {
		scan->code = GATE_BINDING_UNREADABLE;
		return 1;
	}
	scan->inside = answer == 0;
	scan->at += scan->inside ? CHUNK_BYTES : (__u32)answer;
	if (!scan->inside)
		scan->index++;
	return 0;
}

__noinline int judge_environment(__u32 row, struct exec_words *words)
{
	struct exec_binding *binding = bpf_map_lookup_elem(&bindings, &row);
	struct exec_scan scan = {};

	if (!binding || !words)
		return GATE_BINDING_UNREADABLE;
	if (!(binding->flags & BIND_ENV))
		return GATE_OK;
	scan.at = words->start;
	scan.end = words->end;
	scan.argc = words->argc;
	scan.strings = words->argc + words->envc;
	scan.row = row;
	if (bpf_loop(MAX_EXEC_CHUNKS, scan_chunk, &scan, 0) < 0)
		return GATE_BINDING_UNREADABLE;
	if (scan.code != GATE_OK)
		return (int)scan.code;
	if (scan.index < scan.strings || scan.at > scan.end)
		return GATE_BINDING_UNREADABLE;
	if (binding->values <= MAX_ENV_VALUES && scan.seen != (1u << binding->values) - 1)
		return GATE_ENV_MISMATCH;
	return GATE_OK;
}

__noinline int judge_words(__u32 row, struct exec_words *words)
{
	struct exec_binding *binding = bpf_map_lookup_elem(&bindings, &row);
	int same;

	if (!binding || !words)
		return GATE_BINDING_UNREADABLE;
	if (!(binding->flags & (BIND_ARGV | BIND_ARGV_PREFIX)))
		return GATE_OK;
	if ((binding->flags & BIND_ARGV) ? words->argc != binding->argc : words->argc < binding->argc)
		return GATE_ARGV_MISMATCH;
	if (words->start + binding->argv_bytes > words->end)
		return GATE_ARGV_MISMATCH;
	same = same_argv(row, words->start);
	if (same < 0)
		return GATE_BINDING_UNREADABLE;
	return same ? GATE_OK : GATE_ARGV_MISMATCH;
}

static __always_inline __u32 judge_content(struct exec_binding *binding, struct label *label)
{
	__u64 *want = (__u64 *)binding->content;
	__u64 *is = (__u64 *)label->content;

	if (!(binding->flags & BIND_CONTENT))
		return GATE_OK;
	if (!label->content_known)
		return GATE_CONTENT_UNKNOWN;
	return want[0] == is[0] && want[1] == is[1] && want[2] == is[2] && want[3] == is[3]
		       ? GATE_OK
		       : GATE_CONTENT_MISMATCH;
}

enum bound_answer { BOUND_NONE = 0, BOUND_NO = 1, BOUND_YES = 2, BOUND_PINS = 3, BOUND_ROW = 16 };
enum bound_question { ASK_PINS = 1, ASK_CONTENT = 2, ASK_ROW = 3, ASK_ALL = 4 };

/* Asks the receipt in place `i` of those that name the object (BOUND_NONE: the
 * list ends), of which all but its bindings is good (else BOUND_NO):
 *   ASK_PINS     does it pin the content?
 *   ASK_CONTENT  is the content right?
 *   ASK_ROW      its row, BOUND_ROW added; words say whose it is
 *   ASK_ALL      with words->code for an answer about them, does all hold?
 * The nearest reason against, and whose it is, in act. */
__noinline int ask_bound(struct act *act, struct label *label, struct exec_words *words, __u32 ask,
			 __u32 i)
{
	struct grant_key key = {};
	struct grant_list *list;
	struct receipt_slot *receipt;
	struct exec_binding *binding;
	__u32 slot, gen, row, code;

	if (!act || !label || !words)
		return BOUND_NONE;
	key.object = label->bound_object;
	key.domain = act->gate.domain;
	key.kind = KIND_EXEC;
	list = bpf_map_lookup_elem(&grants, &key);
	if (!list || i >= list->count || i >= MAX_GRANTS_PER_OBJECT)
		return BOUND_NONE;
	slot = list->grants[i].slot;
	gen = list->grants[i].gen;
	receipt = bpf_map_lookup_elem(&receipts, &slot);
	if (!receipt || receipt->gen != gen || !(receipt->flags & RECEIPT_BOUND) ||
	    !gate_reaches(list->grants[i].form, receipt, &act->gate))
		return BOUND_NO;
	row = receipt->binding;
	binding = bpf_map_lookup_elem(&bindings, &row);
	if (!binding || binding->slot != slot || binding->gen != gen)
		return BOUND_NO;
	if (ask == ASK_ALL && (words->slot != slot || words->gen != gen))
		return BOUND_NO;
	code = gate_decide(receipt, &act->gate, act->now);
	if (code == GATE_OK) {
		if (ask == ASK_PINS)
			return binding->flags & BIND_CONTENT ? BOUND_PINS : BOUND_YES;
		if (ask == ASK_ROW) {
			words->slot = slot;
			words->gen = gen;
			return BOUND_ROW + (int)row;
		}
		if (ask == ASK_ALL)
			code = words->code;
	}
	if (code == GATE_OK)
		code = judge_content(binding, label);
	if (code == GATE_OK || gate_nearer(code, act->code) != act->code) {
		act->code = code;
		act->slot = slot;
		act->gen = gen;
	}
	return code == GATE_OK ? BOUND_YES : BOUND_NO;
}

static __always_inline void bound_act(struct act *act, struct label *label, struct file *file)
{
	act->op = OP_EXEC;
	act->gate.kind = KIND_EXEC;
	act->gate.needs = NEED_USE | SEES_BINDINGS;
	act->gate.distance = label->bound_distance;
	act->object = label->exe_next;
	act->window_object = (__u64)file->f_inode;
}

/* Is what the file holds now what will run? Its file system must be one that
 * changes content by writing alone, and the kernel must be refusing to open it
 * for writing (exec does so while a program runs; not of files whose content a
 * fanotify listener supplies). */
static __always_inline int holds_still(struct inode *inode)
{
	unsigned long magic = inode->i_sb->s_magic;

	if (magic != EXT4_MAGIC && magic != XFS_MAGIC && magic != BTRFS_MAGIC && magic != TMPFS_MAGIC)
		return 0;
	return inode->i_writecount.counter < 0 && !(inode->i_fsnotify_mask & FS_PERMISSION_EVENTS);
}

/* bprm_creds_from_file, before the point of no return. */
static __always_inline int exec_content(struct linux_binprm *bprm)
{
	struct act act = {};
	struct label *label = 0;
	struct exec_words none = {};
	struct file *file = bprm->file;
	__u64 digest[CONTENT_BYTES / 8] = {};
	__u64 *to;
	__u32 i;
	int answer, pinned = 0, unpinned = 0;

	if (subject(&act, &label) != GOVERNED || !label || !label->bound_object)
		return 0;
	bound_act(&act, label, file);
	label->content_known = 0;
	for (i = 0; i < MAX_GRANTS_PER_OBJECT; i++) {
		answer = ask_bound(&act, label, &none, ASK_PINS, i);
		if (answer == BOUND_NONE)
			break;
		pinned |= answer == BOUND_PINS;
		unpinned |= answer == BOUND_YES;
	}
	if (!pinned)
		return 0;
	if (holds_still(file->f_inode) &&
	    bpf_ima_file_hash(bprm->file, digest, sizeof(digest)) == HASH_ALGO_SHA256 &&
	    holds_still(file->f_inode)) {
		to = (__u64 *)label->content;
		to[0] = digest[0];
		to[1] = digest[1];
		to[2] = digest[2];
		to[3] = digest[3];
		label->content_known = 1;
	}
	if (unpinned)
		return 0;
	for (i = 0; i < MAX_GRANTS_PER_OBJECT; i++) {
		answer = ask_bound(&act, label, &none, ASK_CONTENT, i);
		if (answer == BOUND_YES)
			return 0;
		if (answer == BOUND_NONE)
			break;
	}
	return deny(&act, file->f_path.dentry);
}

/* bprm_committed_creds: 0, or the program must not run. */
static __always_inline int exec_bound(struct linux_binprm *bprm, struct act *act, struct label *label)
{
	struct file *file = bprm->file;
	struct exec_words words = {
		.start = bprm->p,
		.end = bprm->exec,
		.argc = (__u32)bprm->argc,
		.envc = (__u32)bprm->envc,
	};
	__u32 i;
	int answer;

	bound_act(act, label, file);
	for (i = 0; i < MAX_GRANTS_PER_OBJECT; i++) {
		answer = ask_bound(act, label, &words, ASK_ROW, i);
		if (answer == BOUND_NONE)
			break;
		if (answer < BOUND_ROW)
			continue;
		words.code = (__u32)judge_words((__u32)answer - BOUND_ROW, &words);
		if (words.code == GATE_OK)
			words.code = (__u32)judge_environment((__u32)answer - BOUND_ROW, &words);
		/* Reading may have slept: asked again, all of it. */
		if (ask_bound(act, label, &words, ASK_ALL, i) == BOUND_YES)
			return commit(act, file->f_path.dentry);
	}
	return deny(act, file->f_path.dentry);
}

/* bprm_check_security, when no unbound receipt covers the program: which object
 * do bound ones name? 0: remembered. */
static __always_inline int exec_remember(struct act *act, struct label *label, struct dentry *dentry)
{
	struct dentry *at = dentry;
	__u32 i = 0;

	do {
		struct inode *inode = at->d_inode;
		struct dentry *parent = at->d_parent;

		if (PRESENT(inode)) {
			__u64 object = object_of(inode);

			act->code = GATE_OK;
			act->gate.distance = i;
			if (object && !judge_object(act, object) && act->code == GATE_BOUND) {
				label->bound_object = object;
				label->bound_distance = i;
				return 0;
			}
		}
		if ((__u64)parent == (__u64)at)
			break;
		at = parent;
		i++;
		barrier_var(i);
	} while (i < MAX_WALK);
	act->code = GATE_NO_RECEIPT;
	return -1;
}

#endif /* PROOFGATE_BPF_BINDING_H_ */
