/* process.h: who is governed, and the acts that no receipt can cover. */

#ifndef PROOFGATE_BPF_PROCESS_H_
#define PROOFGATE_BPF_PROCESS_H_

#include "emit.h"

static __always_inline struct domain_state *domain_of(struct label *label)
{
	__u32 number = label->domain;

	return bpf_map_lookup_elem(&domains, &number);
}

static __always_inline void count_out(struct label *label)
{
	struct domain_state *domain = domain_of(label);

	if (domain)
		__sync_fetch_and_add(&domain->tasks, -1);
}

static __always_inline void scope_death(struct task_struct *task)
{
	__u64 number = address_number(task);
	struct label *label;

	if (presence.whole && !*count_at(presence.labels, presence_hash(number)))
		return;
	label = label_of(number);
	if (!label)
		return;
	count_out(label);
	drop_label(number);
}

/* Into a cgroup of its parent's choice: entering one is a write to cgroup.procs,
 * and judged there. */
static __always_inline int scope_birth(struct task_struct *task, unsigned long flags)
{
	struct act act = {.op = OP_FORK, .gate.kind = KIND_NEVER};
	struct label *label = 0;
	enum scope scope = subject(&act, &label);
	__u64 number = address_number(task);
	struct domain_state *domain;

	if (scope == UNGOVERNED)
		return 0;
	if (scope == UNKNOWN || !label) {
		deny(&act, 0);
		return -EAGAIN;
	}
	domain = domain_of(label);
	if (!domain) {
		act.code = GATE_NO_DOMAIN;
		deny(&act, 0);
		return -EAGAIN;
	}
	if (flags & CLONE_INTO_CGROUP) {
		act.code = GATE_NEVER_GOVERNED;
		if (deny(&act, 0))
			return -EPERM;
	}
	if (__sync_fetch_and_add(&domain->tasks, 1) >= MAX_DOMAIN_TASKS) {
		__sync_fetch_and_add(&domain->tasks, -1);
		act.code = GATE_DOMAIN_TASKS;
		deny(&act, 0);
		return -EAGAIN;
	}
	if (put_label(number, label->domain, label->exe, 0)) {
		__sync_fetch_and_add(&domain->tasks, -1);
		/* The gate of another build, in the moment when both are attached, was first. */
		if (label_of(number))
			return 0;
		act.code = GATE_LABEL_TABLE_FULL;
		deny(&act, 0);
		return -EAGAIN;
	}
	return 0;
}

/* A task enters a cgroup: a label sticks, so only unlabelled tasks get one. With
 * `forks` one that has not executed a program is taken for a manager's child. */
static __always_inline int scope_enter(struct task_struct *task, struct cgroup *cgroup, int forks)
{
	__u64 number = address_number(task);
	long found = domain_of_cgroup(cgroup);
	__u32 domain = (__u32)found;
	struct domain_state *entered;

	if (found == 0)
		return 0;
	if (found > 0) {
		if (label_of(number))
			return 1;
		if (!put_label(number, domain, 0, forks && (task->flags & PF_FORKNOEXEC))) {
			entered = bpf_map_lookup_elem(&domains, &domain);
			if (entered)
				__sync_fetch_and_add(&entered->tasks, 1);
			return 1;
		}
	}
	label_lost();
	return -1;
}

static __always_inline int is_below(struct cgroup *cgroup, __u64 id)
{
	struct kernfs_node *node = cgroup->kn;
	__u32 i;

	for (i = 0; i < MAX_CGROUP_DEPTH; i++) {
		if (!node)
			return 0;
		if (node->id == id)
			return 1;
		node = node->parent;
	}
	return 0;
}

static __always_inline int never(__u32 op, __u32 detail)
{
	struct act act = {.op = op, .gate.kind = KIND_NEVER};
	struct label *label;
	enum scope scope = subject(&act, &label);

	if (scope == UNGOVERNED)
		return 0;
	if (scope == GOVERNED)
		act.code = GATE_NEVER_GOVERNED;
	act.detail = detail;
	act.window_object = detail;
	return deny(&act, 0);
}

static __always_inline int is_in_domain(struct task_struct *task, __u32 domain)
{
	struct label *label = label_of(address_number(task));

	return label && label->domain == domain;
}

/* Acts on another task that end at the border of the domain. */
static __always_inline int other_task(__u32 op, struct task_struct *task, __u32 detail)
{
	struct act act = {.op = op, .gate.kind = KIND_NEVER};
	struct label *label;
	enum scope scope = subject(&act, &label);

	if (scope == UNGOVERNED)
		return 0;
	act.detail = detail;
	act.window_object = (__u64)task;
	if (scope == GOVERNED) {
		if (is_in_domain(task, act.gate.domain))
			return 0;
		act.code = GATE_OTHER_DOMAIN;
	}
	return deny(&act, 0);
}

/* A signal out of the domain needs a receipt for the program that runs there. */
static __always_inline int send_signal(struct task_struct *task, __u32 signal)
{
	struct act act = {.op = OP_KILL, .gate.kind = KIND_SIGNAL};
	struct label *label;
	enum scope scope = subject(&act, &label);
	struct dentry *dentry;
	struct file *program;
	struct mm_struct *mm;

	if (scope == UNGOVERNED)
		return 0;
	act.detail = signal;
	act.window_object = (__u64)task;
	if (scope == UNKNOWN)
		return deny(&act, 0);
	if (is_in_domain(task, act.gate.domain))
		return 0;
	act.code = GATE_OTHER_DOMAIN;
	mm = task->mm;
	if (!mm)
		return deny(&act, 0);
	program = mm->exe_file;
	if (!program)
		return deny(&act, 0);
	dentry = program->f_path.dentry;
	if (!dentry)
		return deny(&act, 0);
	act.gate.needs = NEED_USE;
	if (!judge_path(&act, dentry)) {
		act.window_object = (__u64)task;
		return deny(&act, dentry);
	}
	return commit(&act, dentry);
}

/* Things of the kernel's that have no name in a file system. */
static __always_inline int use_class(__u32 op, __u64 class, __u32 detail)
{
	struct act act = {.op = op, .gate.kind = KIND_WRITE};
	struct label *label;
	enum scope scope = subject(&act, &label);

	if (scope == UNGOVERNED)
		return 0;
	act.detail = detail;
	if (scope == GOVERNED && judge_class(&act, class))
		return 0;
	return deny(&act, 0);
}

/* Capabilities through which the rest of the gate could be gone round. */
#define BIT(n) (1ull << (n))
#define REFUSED_CAPABILITIES                                                          \
	(BIT(9) /* LINUX_IMMUTABLE */ | BIT(11) /* NET_BROADCAST */ | BIT(12) /* NET_ADMIN */ | \
	 BIT(13) /* NET_RAW */ | BIT(15) /* IPC_OWNER */ | BIT(16) /* SYS_MODULE */ |  \
	 BIT(17) /* SYS_RAWIO */ | BIT(18) /* SYS_CHROOT */ | BIT(19) /* SYS_PTRACE */ | \
	 BIT(20) /* SYS_PACCT */ | BIT(21) /* SYS_ADMIN */ | BIT(22) /* SYS_BOOT */ |  \
	 BIT(23) /* SYS_NICE */ | BIT(24) /* SYS_RESOURCE */ | BIT(25) /* SYS_TIME */ | \
	 BIT(26) /* SYS_TTY_CONFIG */ | BIT(27) /* MKNOD */ | BIT(28) /* LEASE */ |    \
	 BIT(29) /* AUDIT_WRITE */ | BIT(30) /* AUDIT_CONTROL */ | BIT(32) /* MAC_OVERRIDE */ | \
	 BIT(33) /* MAC_ADMIN */ | BIT(34) /* SYSLOG */ | BIT(35) /* WAKE_ALARM */ |   \
	 BIT(36) /* BLOCK_SUSPEND */ | BIT(37) /* AUDIT_READ */ | BIT(38) /* PERFMON */ | \
	 BIT(39) /* BPF */ | BIT(40) /* CHECKPOINT_RESTORE */)

static __always_inline int use_capability(int capability, __u32 options)
{
	struct act act = {.op = OP_CAPABILITY, .gate.kind = KIND_CAPABILITY};
	struct label *label;
	enum scope scope;

	if (capability >= 0 && capability <= 40 &&
	    !(REFUSED_CAPABILITIES & (1ull << (capability & 63))))
		return 0;
	scope = subject(&act, &label);
	if (scope == UNGOVERNED)
		return 0;
	act.detail = (__u32)capability;
	if (scope == GOVERNED && capability >= 0 && capability <= 63 &&
	    judge_class(&act, FIRST_CAPABILITY + (__u32)capability))
		return 0;
	if (options & CAP_OPT_NOAUDIT)
		return refuse(); /* the kernel only asks whether it might */
	act.window_object = (__u64)capability;
	return deny(&act, 0);
}

/* Is this our bpffs, and somebody but the daemon at it? Taking a link's pin
 * away, or the mount it is in, would lift enforcement: refused to every task. */
static __always_inline int is_guarded(struct super_block *sb)
{
	return settings.guard_dev && sb->s_dev == settings.guard_dev &&
	       settings.daemon_tgid != (__u32)(bpf_get_current_pid_tgid() >> 32);
}

/* Mounting over our pins would hide them: refused to every task, too. Not the
 * flags of one mount: a sandbox sets those of every mount it sees (bubblewrap,
 * ProtectSystem=), and mount_setattr(2) would pass no hook. */
static __always_inline int mount_at(struct path *path, __u32 detail)
{
	struct dentry *dentry = path->dentry;
	struct inode *inode = dentry->d_inode;
	int changes_flags = (detail & MS_REMOUNT) && (detail & MS_BIND);

	if (!changes_flags && PRESENT(inode) && is_guarded(inode->i_sb))
		return refuse();
	return never(OP_MOUNT, detail);
}

static __always_inline int unmount(struct vfsmount *mount)
{
	if (is_guarded(mount->mnt_sb))
		return refuse();
	return never(OP_MOUNT, 0);
}

#endif /* PROOFGATE_BPF_PROCESS_H_ */
