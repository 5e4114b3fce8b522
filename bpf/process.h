/* process.h: who is governed, and the acts that no receipt can cover. */

#ifndef PROOFGATE_BPF_PROCESS_H_
#define PROOFGATE_BPF_PROCESS_H_

#include "emit.h"

static __always_inline int scope_birth(struct task_struct *task)
{
	struct act act = {.op = OP_FORK, .gate.kind = KIND_NEVER};
	struct label *label = 0;
	enum scope scope = subject(&act, &label);
	__u64 key = (__u64)task;
	struct label copy;

	if (scope == UNGOVERNED)
		return 0;
	if (scope == UNKNOWN || !label) {
		deny(&act, 0);
		return -EAGAIN;
	}
	copy = *label;
	if (bpf_map_update_elem(&labels, &key, &copy, BPF_ANY)) {
		act.code = GATE_LABEL_TABLE_FULL;
		deny(&act, 0);
		return -EAGAIN;
	}
	return 0;
}

/* A task enters a cgroup: a label sticks, so only unlabelled tasks get one. */
static __always_inline int scope_enter(struct task_struct *task, struct cgroup *cgroup)
{
	struct gate_settings *state;
	struct label fresh = {};
	__u64 key = (__u64)task;
	__u32 zero = 0;
	long domain = domain_of_cgroup(cgroup);

	if (domain == 0)
		return 0;
	if (domain > 0) {
		if (bpf_map_lookup_elem(&labels, &key))
			return 1;
		fresh.domain = (__u32)domain;
		if (!bpf_map_update_elem(&labels, &key, &fresh, BPF_NOEXIST))
			return 1;
	}
	state = bpf_map_lookup_elem(&settings, &zero);
	if (state)
		__sync_fetch_and_add(&state->labels_lost, 1);
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

/* Signals and looks at others' memory end at the border of the domain. */
static __always_inline int other_task(__u32 op, struct task_struct *task, __u32 detail, int never_ok)
{
	struct act act = {.op = op, .gate.kind = KIND_NEVER};
	struct label *label;
	struct label *target;
	enum scope scope = subject(&act, &label);
	__u64 key = (__u64)task;

	if (scope == UNGOVERNED)
		return 0;
	act.detail = detail;
	act.window_object = key;
	if (scope == GOVERNED) {
		target = bpf_map_lookup_elem(&labels, &key);
		if (target && target->domain == act.gate.domain && !never_ok)
			return 0;
		act.code = target && never_ok ? GATE_NEVER_GOVERNED : GATE_OTHER_DOMAIN;
	}
	return deny(&act, 0);
}

/* Capabilities through which the rest of the gate could be gone round. */
#define BIT(n) (1ull << (n))
#define REFUSED_CAPABILITIES                                                          \
	(BIT(12) /* NET_ADMIN */ | BIT(13) /* NET_RAW */ | BIT(16) /* SYS_MODULE */ | \
	 BIT(17) /* SYS_RAWIO */ | BIT(19) /* SYS_PTRACE */ | BIT(20) /* SYS_PACCT */ | \
	 BIT(21) /* SYS_ADMIN */ | BIT(22) /* SYS_BOOT */ | BIT(25) /* SYS_TIME */ |  \
	 BIT(26) /* SYS_TTY_CONFIG */ | BIT(27) /* MKNOD */ | BIT(30) /* AUDIT_CONTROL */ | \
	 BIT(32) /* MAC_OVERRIDE */ | BIT(33) /* MAC_ADMIN */ | BIT(34) /* SYSLOG */ | \
	 BIT(38) /* PERFMON */ | BIT(39) /* BPF */ | BIT(40) /* CHECKPOINT_RESTORE */)

static __always_inline int use_capability(int capability, __u32 options)
{
	struct act act = {.op = OP_CAPABILITY, .gate.kind = KIND_NEVER};
	struct label *label;
	enum scope scope;

	if (capability < 0 || capability > 40 ||
	    !(REFUSED_CAPABILITIES & (1ull << (capability & 63))))
		return 0;
	scope = subject(&act, &label);
	if (scope == UNGOVERNED)
		return 0;
	if (options & CAP_OPT_NOAUDIT)
		return refuse(); /* the kernel only asks whether it might */
	if (scope == GOVERNED)
		act.code = GATE_NEVER_GOVERNED;
	act.detail = (__u32)capability;
	act.window_object = (__u64)capability;
	return deny(&act, 0);
}

/* Is this our bpffs, and somebody but the daemon at it? Taking a link's pin
 * away, or the mount it is in, would lift enforcement: refused to every task. */
static __always_inline int is_guarded(struct super_block *sb)
{
	struct gate_settings *state;
	__u32 zero = 0;

	state = bpf_map_lookup_elem(&settings, &zero);
	return state && state->guard_dev && sb->s_dev == state->guard_dev &&
	       state->daemon_tgid != (__u32)(bpf_get_current_pid_tgid() >> 32);
}

static __always_inline int unmount(struct vfsmount *mount)
{
	if (is_guarded(mount->mnt_sb))
		return refuse();
	return never(OP_MOUNT, 0);
}

#endif /* PROOFGATE_BPF_PROCESS_H_ */
