/* exec.h: running programs and loading code. */

#ifndef PROOFGATE_BPF_EXEC_H_
#define PROOFGATE_BPF_EXEC_H_

#include "binding.h"

static __always_inline void exec_begin(void)
{
	struct act act = {};
	struct label *label = 0;

	if (subject(&act, &label) != GOVERNED || !label)
		return;
	label->exec_slot = 0;
	label->exec_gen = 0;
	label->exe_next = 0;
	label->bound_object = 0;
}

/* Gives the program a number, so that receipts can name it as the actor. */
static __always_inline __u64 number_program(struct inode *inode)
{
	struct mark *mark = bpf_inode_storage_get(&marks, inode, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!mark)
		return 0;
	if (mark->object)
		return mark->object;
	__sync_val_compare_and_swap(&mark->object, 0,
				    __sync_fetch_and_add(&settings.next_object, 1));
	return mark->object;
}

/* Each stage: the script, then its interpreter. One execve takes one use of a
 * receipt however many stages that receipt covers. */
static __always_inline int exec_stage(struct linux_binprm *bprm)
{
	struct act act = {.op = OP_EXEC, .gate.kind = KIND_EXEC};
	struct label *label = 0;
	struct file *file = bprm->file;
	struct dentry *dentry = file->f_path.dentry;
	enum scope scope = subject(&act, &label);
	__u64 program;
	int denied;

	if (scope == UNGOVERNED)
		return 0;
	if (scope == UNKNOWN || !label)
		return deny(&act, dentry);
	if (label->bound_object) {
		act.code = GATE_BOUND_SCRIPT;
		return deny(&act, dentry);
	}
	program = number_program(file->f_inode);
	act.gate.needs = NEED_USE;
	if (!judge_path(&act, dentry)) {
		if (act.code != GATE_BOUND || !program || exec_remember(&act, label, dentry))
			return deny(&act, dentry);
		label->exe_next = program; /* the use is taken when it is known how it runs */
		return 0;
	}
	if (act.slot != label->exec_slot || act.gen != label->exec_gen) {
		denied = commit(&act, dentry);
		if (denied)
			return denied;
		label->exec_slot = act.slot;
		label->exec_gen = act.gen;
	}
	label->exe_next = program;
	return 0;
}

static __always_inline void exec_done(struct linux_binprm *bprm)
{
	struct act act = {};
	struct label *label = 0;

	if (subject(&act, &label) != GOVERNED || !label)
		return;
	if (label->bound_object && exec_bound(bprm, &act, label))
		bpf_send_signal(SIGKILL);
	label->bound_object = 0;
	label->is_entering = 0;
	label->exe = label->exe_next;
}

static __always_inline int load_anonymous(__u32 op)
{
	struct act act = {.op = op, .gate.kind = KIND_LOAD};
	struct label *label;
	enum scope scope = subject(&act, &label);

	if (scope == UNGOVERNED)
		return 0;
	if (scope == GOVERNED && judge_class(&act, CLASS_ANON_EXEC))
		return 0;
	return deny(&act, 0);
}

static __always_inline void load_by_personality(__u32 personality)
{
	/* All ones only asks. */
	if (!(personality & READ_IMPLIES_EXEC) || personality == 0xffffffff)
		return;
	if (load_anonymous(OP_PERSONALITY))
		bpf_send_signal(SIGKILL);
}

#endif /* PROOFGATE_BPF_EXEC_H_ */
