/* file.h: writing: content, names and metadata. */

#ifndef PROOFGATE_BPF_FILE_H_
#define PROOFGATE_BPF_FILE_H_

#include "emit.h"

/* Class of an object without a name of its own, 0 if it has one, or
 * REFUSED_DEVICE for a device node no receipt can cover. */
enum { REFUSED_DEVICE = 63 };

static __always_inline __u64 class_of(struct inode *inode, struct dentry *dentry)
{
	__u32 type = inode->i_mode & S_IFMT;
	unsigned long magic = inode->i_sb->s_magic;
	__u32 rdev = inode->i_rdev;
	__u32 major = rdev >> 20;
	__u32 minor = rdev & 0xfffff;

	if (type == S_IFBLK)
		return REFUSED_DEVICE;
	if (type == S_IFCHR) {
		if (major == 1 && (minor == 3 || minor == 5 || minor == 7))
			return CLASS_NULL;
		if (major == 4 || major == 5 || (major >= 136 && major <= 143))
			return CLASS_TTY;
		return REFUSED_DEVICE;
	}
	if (type == S_IFIFO && magic == PIPEFS_MAGIC)
		return CLASS_PIPE;
	if (magic == ANON_INODE_FS_MAGIC)
		return CLASS_ANON;
	if (magic == TMPFS_MAGIC && type == S_IFREG && (__u64)dentry->d_parent == (__u64)dentry)
		return CLASS_ANON;
	return 0;
}

static __always_inline int write_class(struct act *act, __u64 class, struct dentry *dentry)
{
	act->gate.needs = 0;
	if (class == REFUSED_DEVICE) {
		act->code = GATE_DEVICE_NODE;
		act->window_object = (__u64)dentry;
		return deny(act, dentry);
	}
	if (judge_class(act, class))
		return 0;
	return deny(act, dentry);
}

/* One use for an act on a name or on metadata. */
static __always_inline int change(struct act *act, struct dentry *dentry)
{
	act->gate.needs = NEED_USE;
	if (!judge_path(act, dentry))
		return deny(act, dentry);
	return commit(act, dentry);
}

static __always_inline int write_change(__u32 op, struct dentry *dentry)
{
	struct act act = {.op = op, .gate.kind = KIND_WRITE};
	struct label *label;
	enum scope scope = subject(&act, &label);

	if (scope == UNGOVERNED)
		return 0;
	if (scope == UNKNOWN)
		return deny(&act, dentry);
	return change(&act, dentry);
}

/* Both ends of a link or a rename. One use when one receipt covers both. */
static __always_inline int write_change_two(__u32 op, struct dentry *from, struct dentry *to)
{
	struct act act = {.op = op, .gate.kind = KIND_WRITE};
	struct label *label;
	enum scope scope = subject(&act, &label);
	__u32 slot;
	int denied;

	if (scope == UNGOVERNED)
		return 0;
	if (scope == UNKNOWN)
		return deny(&act, from);
	act.gate.needs = NEED_USE;
	if (!judge_path(&act, from))
		return deny(&act, from);
	slot = act.slot;
	if (!judge_path(&act, to))
		return deny(&act, to);
	denied = commit(&act, to);
	if (denied || act.slot == slot)
		return denied;
	act.slot = slot;
	return commit(&act, from);
}

static __always_inline int write_create(struct dentry *dentry)
{
	struct act act = {.op = OP_CREATE, .gate.kind = KIND_WRITE};
	struct label *label = 0;
	enum scope scope = subject(&act, &label);
	int denied;

	if (scope == UNGOVERNED)
		return 0;
	if (scope == UNKNOWN)
		return deny(&act, dentry);
	denied = change(&act, dentry);
	if (denied || act.code != GATE_OK)
		return denied;
	/* open(O_CREAT) is one use: file_open finds the receipt here. */
	if (label) {
		label->created = (__u64)dentry;
		label->created_slot = act.slot;
		label->created_gen = act.gen;
	}
	return 0;
}

static __always_inline int open_for_writing(struct act *act, struct file *file,
					    struct dentry *dentry)
{
	int denied;

	act->gate.needs = NEED_USE;
	if (!judge_path(act, dentry))
		return deny(act, dentry);
	denied = commit(act, dentry);
	if (denied || act->code != GATE_OK)
		return denied;
	if (bind_opening(act, file)) {
		act->code = GATE_OPENINGS_FULL;
		return deny(act, dentry);
	}
	return 0;
}

static __always_inline int write_open(struct file *file)
{
	struct act act = {.op = OP_OPEN_WRITE, .gate.kind = KIND_WRITE};
	struct label *label = 0;
	struct dentry *dentry;
	enum scope scope;
	__u64 class;

	if (!(file->f_mode & FMODE_WRITE))
		return 0;
	scope = subject(&act, &label);
	if (scope == UNGOVERNED)
		return 0;
	dentry = file->f_path.dentry;
	if (scope == UNKNOWN)
		return deny(&act, dentry);
	class = class_of(file->f_inode, dentry);
	if (class)
		return write_class(&act, class, dentry);
	if ((file->f_mode & FMODE_CREATED) && label && label->created == (__u64)dentry) {
		act.slot = label->created_slot;
		act.gen = label->created_gen;
		label->created = 0;
		if (bind_opening(&act, file)) {
			act.code = GATE_OPENINGS_FULL;
			return deny(&act, dentry);
		}
		return 0;
	}
	return open_for_writing(&act, file, dentry);
}

/* A write, ftruncate, … through a descriptor: liveness of the receipt it was
 * opened under. A descriptor from elsewhere is an opening here and now. */
static __always_inline int write_through(__u32 op, struct file *file)
{
	struct act act = {.op = op, .gate.kind = KIND_WRITE};
	struct label *label;
	struct opening *opening;
	struct dentry *dentry;
	enum scope scope = subject(&act, &label);
	__u64 key = (__u64)file;
	__u64 class;

	if (scope == UNGOVERNED)
		return 0;
	dentry = file->f_path.dentry;
	if (scope == UNKNOWN)
		return deny(&act, dentry);
	if ((file->f_inode->i_mode & S_IFMT) == S_IFSOCK) {
		/* 6.1: sendfile and splice to a socket skip socket_sendmsg. */
		act.gate.kind = KIND_CONNECT;
		act.op = OP_SEND;
		opening = bpf_map_lookup_elem(&openings, &key);
		if (!opening || opening->slot == 0 || judge_opening(&act, opening))
			return 0;
		act.window_object = key;
		return deny(&act, dentry);
	}
	class = class_of(file->f_inode, dentry);
	if (class)
		return write_class(&act, class, dentry);
	opening = bpf_map_lookup_elem(&openings, &key);
	if (opening && judge_opening(&act, opening))
		return 0;
	return open_for_writing(&act, file, dentry);
}

static __always_inline int write_map(struct file *file)
{
	struct act act = {.op = OP_MAP_WRITE, .gate.kind = KIND_WRITE};
	struct label *label;
	struct dentry *dentry;
	enum scope scope = subject(&act, &label);
	__u64 class;

	if (scope == UNGOVERNED)
		return 0;
	dentry = file->f_path.dentry;
	if (scope == UNKNOWN)
		return deny(&act, dentry);
	class = class_of(file->f_inode, dentry);
	if (class)
		return write_class(&act, class, dentry);
	act.gate.needs = NEED_STANDING;
	if (judge_path(&act, dentry))
		return 0;
	return deny(&act, dentry);
}

static __always_inline int write_attributes(struct dentry *dentry, struct iattr *attributes)
{
	__u32 valid = attributes->ia_valid;

	if ((valid & ATTR_FILE) && (valid & ATTR_SIZE))
		return write_through(OP_TRUNCATE, attributes->ia_file);
	/* The kernel dropping set-id bits inside a write that was judged. */
	if ((valid & ATTR_FORCE) && !(valid & ATTR_SIZE))
		return 0;
	return write_change((valid & ATTR_SIZE) ? OP_TRUNCATE : OP_SETATTR, dentry);
}

#endif /* PROOFGATE_BPF_FILE_H_ */
