// SPDX-License-Identifier: GPL-2.0
/* pep.bpf.c: the index of hooks, in the order of surface. What each turns
 * into is in exec.h, file.h, net.h and process.h; the decision is in gate.h.
 *
 * Attached on 6.1 and 6.12. LSM programs return 0 or -EPERM (task_alloc:
 * -EAGAIN); an earlier refusal is passed on. */

#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "exec.h"
#include "file.h"
#include "net.h"
#include "process.h"
#include "guard.h"

char LICENSE[] SEC("license") = "GPL";

/* 1: inode_setattr has the idmap before the dentry (6.9 and later). The agent
 * reads it from the kernel's BTF; the other branch is dropped at load. */
const volatile __u32 setattr_has_idmap = 0;

/* Keeps the record's type in our BTF, for the layout test. */
const struct act_record *const volatile layout_witness = 0;

/* scope */
SEC("lsm/task_alloc")
int BPF_PROG(pep_task_alloc, struct task_struct *task, unsigned long flags, int ret)
{
	return ret || is_bystander() ? ret : scope_birth(task, flags);
}

SEC("lsm/task_free")
int BPF_PROG(pep_task_free, struct task_struct *task)
{
	scope_death(task);
	return 0;
}

SEC("fentry/css_set_move_task")
int BPF_PROG(pep_migrate, struct task_struct *task, struct css_set *from, struct css_set *to)
{
	if (to)
		scope_enter(task, to->dfl_cgrp, 1);
	return 0;
}

/* Labels the tasks that are already in a governed cgroup. Read by the agent
 * while the cgroup is frozen; one line per task: "tid domain result". */
SEC("iter/task")
int pep_adopt(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	int result;

	if (!task)
		return 0;
	result = scope_enter(task, task->cgroups->dfl_cgrp, 0);
	if (result != 0)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%d %d\n", task->pid, result);
	return 0;
}

/* Takes the labels off the tasks of one cgroup: detach. */
SEC("iter/task")
int pep_release(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct label *label;
	__u64 number;

	if (!task || !settings.release_cgroup)
		return 0;
	if (!is_below(task->cgroups->dfl_cgrp, settings.release_cgroup))
		return 0;
	number = address_number(task);
	label = label_of(number);
	if (!label)
		return 0;
	count_out(label);
	if (!drop_label(number))
		BPF_SEQ_PRINTF(ctx->meta->seq, "%d 1\n", task->pid);
	return 0;
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(pep_cgroup_born, struct cgroup *cgroup, const char *path)
{
	guard_cgroup_born(cgroup);
	return 0;
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(pep_cgroup_gone, struct cgroup *cgroup, const char *path)
{
	guard_cgroup_gone(cgroup);
	return 0;
}

/* exec */
SEC("lsm/bprm_creds_for_exec")
int BPF_PROG(pep_exec_begin, struct linux_binprm *bprm, int ret)
{
	if (!ret && !is_bystander())
		exec_begin();
	return ret;
}

SEC("lsm/bprm_check_security")
int BPF_PROG(pep_exec_stage, struct linux_binprm *bprm, int ret)
{
	return ret || is_bystander() ? ret : exec_stage(bprm);
}

/* Sleepable, as the digest of a file and a program's strings may have to be read
 * from where they were swapped to. */
SEC("lsm.s/bprm_creds_from_file")
int BPF_PROG(pep_content, struct linux_binprm *bprm, struct file *file, int ret)
{
	return ret || is_bystander() ? ret : exec_content(bprm);
}

SEC("lsm.s/bprm_committed_creds")
int BPF_PROG(pep_exec_done, struct linux_binprm *bprm)
{
	if (!is_bystander())
		exec_done(bprm);
	return 0;
}

/* load, shared writable mappings */
SEC("lsm/mmap_file")
int BPF_PROG(pep_mmap_file, struct file *file, unsigned long reqprot, unsigned long prot,
	     unsigned long flags, int ret)
{
	__u32 does = MAPS_TO_READ;

	if (ret || is_bystander())
		return ret;
	/* Anonymous memory has no file; an open file has a mode. */
	if (!PRESENT(file) || !file->f_mode)
		return prot & PROT_EXEC ? load_anonymous(OP_MAP_EXEC) : 0;
	if (prot & PROT_EXEC)
		does |= MAPS_TO_RUN;
	if ((prot & PROT_EXEC) && (prot & PROT_WRITE) && (flags & MAP_TYPE) != MAP_SHARED)
		does |= MAPS_TO_RUN_CHANGED;
	if ((prot & PROT_WRITE) && (flags & MAP_SHARED) && (file->f_mode & FMODE_WRITE))
		does |= MAPS_TO_WRITE;
	return map_file(OP_MAP_EXEC, file, does);
}

SEC("lsm/file_mprotect")
int BPF_PROG(pep_mprotect, struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot,
	     int ret)
{
	struct file *file;
	__u32 does = 0;
	int is_shared;

	if (ret || !(prot & (PROT_EXEC | PROT_WRITE)) || is_bystander())
		return ret;
	file = vma->vm_file;
	if (!file)
		return prot & PROT_EXEC ? load_anonymous(OP_PROTECT_EXEC) : 0;
	is_shared = !!(vma->vm_flags & VM_SHARED);
	if (prot & PROT_EXEC) {
		if (vma->anon_vma || ((prot & PROT_WRITE) && !is_shared))
			does |= MAPS_TO_RUN_CHANGED;
		else
			does |= MAPS_TO_RUN;
	}
	if ((prot & PROT_WRITE) && is_shared)
		does |= MAPS_TO_WRITE;
	return does ? map_file(OP_PROTECT_EXEC, file, does) : 0;
}

/* personality(2) and brk(2) pass no LSM hook; the heap is born executable under
 * READ_IMPLIES_EXEC. Who may not have such memory never runs again. */
SEC("fentry/__x64_sys_personality")
int BPF_PROG(pep_personality, const struct pt_regs *registers)
{
	load_by_personality((__u32)registers->di);
	return 0;
}

SEC("?fentry/__ia32_sys_personality") /* where the kernel has 32-bit calls */
int BPF_PROG(pep_personality_32, const struct pt_regs *registers)
{
	load_by_personality((__u32)registers->bx);
	return 0;
}

/* write: content; read */
SEC("lsm/file_open")
int BPF_PROG(pep_file_open, struct file *file, int ret)
{
	return ret || is_bystander() ? ret : file_opens(file);
}

SEC("lsm/file_permission")
int BPF_PROG(pep_file_permission, struct file *file, int mask, int ret)
{
	int writes = mask & (MAY_WRITE | MAY_APPEND);

	if (ret || (!writes && !settings.judges_reads) || is_bystander())
		return ret;
	if (writes)
		return write_holds(file) ? 0 : write_through(OP_WRITE, file);
	return mask & MAY_READ ? file_reads(file) : 0;
}

SEC("lsm/file_free_security")
int BPF_PROG(pep_file_free, struct file *file)
{
	drop_opening(file);
	return 0;
}

/* what needs no write mode; descriptors from elsewhere */
SEC("lsm/file_ioctl")
int BPF_PROG(pep_ioctl, struct file *file, unsigned int command, unsigned long argument, int ret)
{
	return ret || is_bystander() ? ret : file_controls(file, command);
}

SEC("?lsm/file_ioctl_compat") /* 6.8 and later; before, file_ioctl sees 32-bit calls */
int BPF_PROG(pep_ioctl_compat, struct file *file, unsigned int command, unsigned long argument,
	     int ret)
{
	return ret || is_bystander() ? ret : file_controls(file, command);
}

SEC("lsm/file_fcntl")
int BPF_PROG(pep_fcntl, struct file *file, unsigned int command, unsigned long argument, int ret)
{
	return ret || is_bystander() ? ret : file_fcntl(file, command, argument);
}

SEC("lsm/file_lock")
int BPF_PROG(pep_lock, struct file *file, unsigned int command, int ret)
{
	return ret || is_bystander() ? ret : file_locks(file, command);
}

SEC("lsm/file_receive")
int BPF_PROG(pep_receive, struct file *file, int ret)
{
	return ret || is_bystander() ? ret : file_arrives(file);
}

/* io_uring and userfaultfd are the kernel's only users. */
SEC("lsm/inode_init_security_anon")
int BPF_PROG(pep_anon_inode, struct inode *inode, const struct qstr *name,
	     const struct inode *context, int ret)
{
	return ret || is_bystander() ? ret : never(OP_ANON_INODE, 0);
}

/* write: names */
SEC("lsm/inode_create")
int BPF_PROG(pep_create, struct inode *dir, struct dentry *dentry, umode_t mode, int ret)
{
	return ret || is_bystander() ? ret : write_create(dentry);
}

SEC("lsm/inode_mkdir")
int BPF_PROG(pep_mkdir, struct inode *dir, struct dentry *dentry, umode_t mode, int ret)
{
	return ret || is_bystander() ? ret : write_change(OP_MKDIR, dentry);
}

SEC("lsm/inode_mknod")
int BPF_PROG(pep_mknod, struct inode *dir, struct dentry *dentry, umode_t mode, unsigned int dev,
	     int ret)
{
	return ret || is_bystander() ? ret : write_change(OP_MKNOD, dentry);
}

SEC("lsm/inode_symlink")
int BPF_PROG(pep_symlink, struct inode *dir, struct dentry *dentry, const char *target, int ret)
{
	return ret || is_bystander() ? ret : write_change(OP_SYMLINK, dentry);
}

SEC("lsm/inode_link")
int BPF_PROG(pep_link, struct dentry *from, struct inode *dir, struct dentry *to, int ret)
{
	return ret || is_bystander() ? ret : write_change_two(OP_LINK, from, to);
}

SEC("lsm/inode_unlink")
int BPF_PROG(pep_unlink, struct inode *dir, struct dentry *dentry, int ret)
{
	if (ret)
		return ret;
	if (is_guarded(dir->i_sb))
		return refuse();
	return is_bystander() ? 0 : write_change(OP_UNLINK, dentry);
}

SEC("lsm/inode_rmdir")
int BPF_PROG(pep_rmdir, struct inode *dir, struct dentry *dentry, int ret)
{
	if (ret)
		return ret;
	if (is_guarded(dir->i_sb))
		return refuse();
	return is_bystander() ? 0 : write_change(OP_RMDIR, dentry);
}

SEC("lsm/inode_rename")
int BPF_PROG(pep_rename, struct inode *old_dir, struct dentry *from, struct inode *new_dir,
	     struct dentry *to, int ret)
{
	if (ret)
		return ret;
	if (is_guarded(old_dir->i_sb))
		return refuse();
	return is_bystander() ? 0 : write_change_two(OP_RENAME, from, to);
}

/* write: metadata */
SEC("lsm/inode_setattr")
int pep_setattr(unsigned long long *ctx)
{
	if (setattr_has_idmap) {
		if ((int)ctx[3] || is_bystander())
			return (int)ctx[3];
		return write_attributes((struct dentry *)ctx[1], (struct iattr *)ctx[2]);
	}
	if ((int)ctx[2] || is_bystander())
		return (int)ctx[2];
	return write_attributes((struct dentry *)ctx[0], (struct iattr *)ctx[1]);
}

SEC("lsm/inode_setxattr")
int BPF_PROG(pep_setxattr, void *idmap, struct dentry *dentry, const char *name, const void *value,
	     unsigned long size, int flags, int ret)
{
	return ret || is_bystander() ? ret : write_change(OP_SETXATTR, dentry);
}

SEC("lsm/inode_removexattr")
int BPF_PROG(pep_removexattr, void *idmap, struct dentry *dentry, const char *name, int ret)
{
	return ret || is_bystander() ? ret : write_change(OP_SETXATTR, dentry);
}

SEC("?lsm/inode_set_acl") /* 6.2 and later; before, an ACL is an xattr */
int BPF_PROG(pep_set_acl, void *idmap, struct dentry *dentry, const char *name, void *acl, int ret)
{
	return ret || is_bystander() ? ret : write_change(OP_SETXATTR, dentry);
}

SEC("?lsm/inode_remove_acl") /* 6.2 and later */
int BPF_PROG(pep_remove_acl, void *idmap, struct dentry *dentry, const char *name, int ret)
{
	return ret || is_bystander() ? ret : write_change(OP_SETXATTR, dentry);
}

/* connect */
SEC("lsm/socket_create")
int BPF_PROG(pep_socket, int family, int type, int protocol, int kernel, int ret)
{
	return ret || is_bystander() ? ret : net_socket(family, type, protocol, kernel);
}

SEC("lsm/socket_connect")
int BPF_PROG(pep_connect, struct socket *socket, struct sockaddr *address, int length, int ret)
{
	return ret || is_bystander() ? ret : net_connect(socket, address, length);
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(pep_sendmsg, struct socket *socket, struct msghdr *message, int size, int ret)
{
	return ret || is_bystander() ? ret : net_send(socket, message);
}

SEC("lsm/socket_setsockopt")
int BPF_PROG(pep_setsockopt, struct socket *socket, int level, int option, int ret)
{
	return ret || is_bystander() ? ret : net_option(socket, level, option);
}

SEC("lsm/socket_shutdown")
int BPF_PROG(pep_shutdown, struct socket *socket, int how, int ret)
{
	return ret || is_bystander() ? ret : net_shutdown(socket);
}

/* bind */
SEC("lsm/socket_bind")
int BPF_PROG(pep_bind, struct socket *socket, struct sockaddr *address, int length, int ret)
{
	return ret || is_bystander() ? ret : net_bind(socket, address, length);
}

SEC("lsm/socket_listen")
int BPF_PROG(pep_listen, struct socket *socket, int backlog, int ret)
{
	return ret || is_bystander() ? ret : net_listen(socket);
}

SEC("lsm/socket_accept")
int BPF_PROG(pep_accept, struct socket *socket, struct socket *accepted, int ret)
{
	return ret || is_bystander() ? ret : net_accept(socket, accepted);
}

SEC("lsm/unix_stream_connect")
int BPF_PROG(pep_unix_connect, struct sock *sock, struct sock *other, struct sock *newsk, int ret)
{
	return ret || is_bystander() ? ret : unix_connect(sock, other);
}

SEC("lsm/unix_may_send")
int BPF_PROG(pep_unix_send, struct socket *socket, struct socket *other, int ret)
{
	return ret || is_bystander() ? ret : unix_send(other);
}

/* never in a governed domain; guard */
SEC("lsm/bpf")
int BPF_PROG(pep_bpf, int cmd, union bpf_attr *attr, unsigned int size, int ret)
{
	return ret || is_bystander() ? ret : never(OP_BPF, (__u32)cmd);
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(pep_ptrace, struct task_struct *child, unsigned int mode, int ret)
{
	if (ret || is_bystander())
		return ret;
	if (mode & PTRACE_MODE_ATTACH)
		return never(OP_PTRACE, mode);
	return other_task(OP_PTRACE, child, mode);
}

/* Whoever traces a program may do what its receipts let it do. */
SEC("lsm/ptrace_traceme")
int BPF_PROG(pep_traceme, struct task_struct *parent, int ret)
{
	return ret || is_bystander() ? ret : never(OP_PTRACE, 0);
}

SEC("lsm/task_kill")
int BPF_PROG(pep_kill, struct task_struct *target, struct kernel_siginfo *info, int signal,
	     const struct cred *cred, int ret)
{
	/* SEND_SIG_PRIV: the kernel itself */
	if (ret || (__u64)info == 1 || is_bystander())
		return ret;
	return send_signal(target, (__u32)signal);
}

SEC("lsm/sb_mount")
int BPF_PROG(pep_mount, const char *dev, struct path *path, const char *type, unsigned long flags,
	     void *data, int ret)
{
	return ret ? ret : mount_at(path, (__u32)flags);
}

SEC("lsm/sb_umount")
int BPF_PROG(pep_umount, struct vfsmount *mount, int flags, int ret)
{
	return ret ? ret : unmount(mount);
}

SEC("lsm/move_mount")
int BPF_PROG(pep_move_mount, struct path *from, struct path *to, int ret)
{
	return ret ? ret : mount_at(to, 0);
}

SEC("lsm/sb_remount")
int BPF_PROG(pep_remount, struct super_block *sb, void *options, int ret)
{
	return ret || is_bystander() ? ret : never(OP_MOUNT, 0);
}

SEC("lsm/sb_pivotroot")
int BPF_PROG(pep_pivot_root, const struct path *old, const struct path *new, int ret)
{
	return ret || is_bystander() ? ret : never(OP_ROOT, 0);
}

SEC("lsm/userns_create")
int BPF_PROG(pep_userns, const struct cred *cred, int ret)
{
	return ret || is_bystander() ? ret : never(OP_NAMESPACE, 0);
}

/* Its arguments differ between kernels, so none is read. */
SEC("lsm/perf_event_open")
int pep_perf(unsigned long long *ctx)
{
	return never(OP_PERF, 0);
}

SEC("lsm/kernel_module_request")
int BPF_PROG(pep_module, char *name, int ret)
{
	return ret || is_bystander() ? ret : never(OP_MODULE, 0);
}

SEC("lsm/kernel_load_data")
int BPF_PROG(pep_load_data, int id, bool contents, int ret)
{
	return ret || is_bystander() ? ret : never(OP_MODULE, (__u32)id);
}

SEC("lsm/kernel_read_file")
int BPF_PROG(pep_read_file, struct file *file, int id, bool contents, int ret)
{
	return ret || is_bystander() ? ret : never(OP_MODULE, (__u32)id);
}

SEC("lsm/quotactl")
int BPF_PROG(pep_quotactl, int commands, int type, int id, struct super_block *sb, int ret)
{
	return ret || is_bystander() ? ret : never(OP_QUOTA, (__u32)commands);
}

SEC("lsm/quota_on")
int BPF_PROG(pep_quota_on, struct dentry *dentry, int ret)
{
	return ret || is_bystander() ? ret : never(OP_QUOTA, 0);
}

SEC("lsm/settime")
int BPF_PROG(pep_settime, const void *time, const void *zone, int ret)
{
	return ret || is_bystander() ? ret : never(OP_TIME, 0);
}

SEC("lsm/syslog")
int BPF_PROG(pep_syslog, int type, int ret)
{
	/* reading: open and close, read, read all, sizes */
	if (ret || (type >= 0 && type <= 3) || type == 9 || type == 10)
		return ret;
	return never(OP_LOG, (__u32)type);
}

/* what carries data out of the domain without a name in a file system */
SEC("lsm/ipc_permission")
int BPF_PROG(pep_ipc, struct kern_ipc_perm *object, short flag, int ret)
{
	return ret || is_bystander() ? ret : use_class(OP_IPC, CLASS_IPC, 0);
}

SEC("lsm/msg_queue_alloc_security")
int BPF_PROG(pep_ipc_queue, struct kern_ipc_perm *object, int ret)
{
	return ret || is_bystander() ? ret : use_class(OP_IPC, CLASS_IPC, 1);
}

SEC("lsm/sem_alloc_security")
int BPF_PROG(pep_ipc_sem, struct kern_ipc_perm *object, int ret)
{
	return ret || is_bystander() ? ret : use_class(OP_IPC, CLASS_IPC, 2);
}

SEC("lsm/shm_alloc_security")
int BPF_PROG(pep_ipc_shm, struct kern_ipc_perm *object, int ret)
{
	return ret || is_bystander() ? ret : use_class(OP_IPC, CLASS_IPC, 3);
}

SEC("lsm/msg_queue_msgctl")
int BPF_PROG(pep_ipc_qctl, struct kern_ipc_perm *object, int command, int ret)
{
	return ret || is_bystander() ? ret : use_class(OP_IPC, CLASS_IPC, (__u32)command);
}

SEC("lsm/sem_semctl")
int BPF_PROG(pep_ipc_sctl, struct kern_ipc_perm *object, int command, int ret)
{
	return ret || is_bystander() ? ret : use_class(OP_IPC, CLASS_IPC, (__u32)command);
}

SEC("lsm/shm_shmctl")
int BPF_PROG(pep_ipc_mctl, struct kern_ipc_perm *object, int command, int ret)
{
	return ret || is_bystander() ? ret : use_class(OP_IPC, CLASS_IPC, (__u32)command);
}

SEC("lsm/key_alloc")
int BPF_PROG(pep_key_alloc, struct key *key, const struct cred *cred, unsigned long flags, int ret)
{
	return ret || is_bystander() ? ret : use_class(OP_KEY, CLASS_KEYS, 0);
}

SEC("lsm/key_permission")
int BPF_PROG(pep_key, struct key *key, const struct cred *cred, int need, int ret)
{
	if (ret || need < KEY_NEED_WRITE || need == KEY_NEED_SEARCH)
		return ret;
	return use_class(OP_KEY, CLASS_KEYS, (__u32)need);
}

SEC("lsm/capable")
int BPF_PROG(pep_capable, const struct cred *cred, struct user_namespace *ns, int capability,
	     unsigned int options, int ret)
{
	return ret || is_bystander() ? ret : use_capability(capability, options);
}

/* guard: other tasks, the daemon among them */
SEC("lsm/task_setnice")
int BPF_PROG(pep_setnice, struct task_struct *target, int nice, int ret)
{
	return ret || is_bystander() ? ret : guard_control(target, CONTROL_NICE);
}

SEC("lsm/task_setscheduler")
int BPF_PROG(pep_setscheduler, struct task_struct *target, int ret)
{
	return ret || is_bystander() ? ret : guard_control(target, CONTROL_SCHEDULER);
}

SEC("lsm/task_setioprio")
int BPF_PROG(pep_setioprio, struct task_struct *target, int ioprio, int ret)
{
	return ret || is_bystander() ? ret : guard_control(target, CONTROL_IOPRIO);
}

SEC("lsm/task_setrlimit")
int BPF_PROG(pep_setrlimit, struct task_struct *target, unsigned int resource, void *limit, int ret)
{
	return ret || is_bystander() ? ret : guard_control(target, CONTROL_LIMIT);
}

SEC("lsm/task_movememory")
int BPF_PROG(pep_movememory, struct task_struct *target, int ret)
{
	return ret || is_bystander() ? ret : guard_control(target, CONTROL_PAGES);
}

SEC("lsm/file_send_sigiotask")
int BPF_PROG(pep_sigio, struct task_struct *target, void *owner, int signal, int ret)
{
	return ret ? ret : guard_sigio(target);
}
