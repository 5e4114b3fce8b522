/* guard.h: the daemon and what belongs to it, out of reach; and cgroups that
 * are governed from their birth on. */

#ifndef PROOFGATE_BPF_GUARD_H_
#define PROOFGATE_BPF_GUARD_H_

#include "process.h"

/* Nice, affinity, policy, I/O priority, limits and pages of another task end at
 * the border of the domain, as signals do; the daemon is in none. */
static __always_inline int guard_control(struct task_struct *target, __u32 detail)
{
	return other_task(OP_TASK, target, detail);
}

/* A signal that F_SETOWN sends passes no task_kill. The daemon wants none. */
static __always_inline int guard_sigio(struct task_struct *target)
{
	if (settings.daemon_tgid && settings.daemon_tgid == (__u32)target->tgid)
		return refuse();
	return 0;
}

/* What names a cgroup: the kernel's hashes of the names on its path, leaf
 * first. The agent computes the same and tries it once before it relies on it.
 * 0: not of the unified hierarchy, or deeper than we look. */
static __always_inline __u64 cgroup_name(struct cgroup *cgroup)
{
	struct kernfs_node *node = cgroup->kn;
	__u64 name = 0;
	__u32 i;

	if (cgroup->root->hierarchy_id != 0)
		return 0;
	for (i = 0; i < MAX_CGROUP_DEPTH; i++) {
		if (!node)
			return 0;
		if (!node->parent)
			return name;
		name = (name ^ node->hash) * CGROUP_NAME_FACTOR;
		node = node->parent;
	}
	return 0;
}

/* Before anyone can enter it: governed if canon names its path. mkdir holds the
 * kernel's cgroup lock, so this program is never skipped as its own recursion. */
static __always_inline void guard_cgroup_born(struct cgroup *cgroup)
{
	__u64 name = cgroup_name(cgroup);
	__u64 id = cgroup->kn->id;
	__u32 *domain;

	if (!name)
		return;
	domain = bpf_map_lookup_elem(&named_cgroups, &name);
	if (!domain)
		return;
	if (!bpf_map_update_elem(&governed_cgroups, &id, domain, BPF_ANY))
		return;
	label_lost();
}

static __always_inline void guard_cgroup_gone(struct cgroup *cgroup)
{
	__u64 id = cgroup->kn->id;

	if (cgroup->root->hierarchy_id == 0)
		bpf_map_delete_elem(&governed_cgroups, &id);
}

#endif /* PROOFGATE_BPF_GUARD_H_ */
