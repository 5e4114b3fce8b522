/* file.h: writing: content, names and metadata; reading where a domain asks;
 * what can be done through a descriptor without writing: ioctl, fcntl, locks. */

#ifndef PROOFGATE_BPF_FILE_H_
#define PROOFGATE_BPF_FILE_H_

#include "net.h"

/* Class of an object without a name of its own, 0 if it has one, or
 * REFUSED_DEVICE for a device node no receipt can cover. */
enum { REFUSED_DEVICE = 63 };

static __always_inline __u64 class_of(struct inode *inode, struct dentry *dentry)
{
	__u32 type = inode->i_mode & S_IFMT;
	unsigned long magic;
	__u32 rdev, major, minor;

	if (type == S_IFBLK)
		return REFUSED_DEVICE;
	if (type == S_IFCHR) {
		rdev = inode->i_rdev;
		major = rdev >> 20;
		minor = rdev & 0xfffff;
		if (major == 1 && (minor == 3 || minor == 5 || minor == 7))
			return CLASS_NULL;
		if (major == 4 || major == 5 || (major >= 136 && major <= 143))
			return CLASS_TTY;
		return REFUSED_DEVICE;
	}
	magic = inode->i_sb->s_magic;
	if (type == S_IFIFO && magic == PIPEFS_MAGIC)
		return CLASS_PIPE;
	if (magic == ANON_INODE_FS_MAGIC)
		return CLASS_ANON;
	/* Shared memory without a name, of small pages or large. */
	if ((magic == TMPFS_MAGIC || magic == HUGETLBFS_MAGIC) && type == S_IFREG &&
	    (__u64)dentry->d_parent == (__u64)dentry)
		return CLASS_ANON;
	return 0;
}

static __always_inline int write_class(struct act *act, __u64 class, struct file *file,
				       struct dentry *dentry)
{
	act->gate.needs = 0;
	if (class == REFUSED_DEVICE) {
		act->code = GATE_DEVICE_NODE;
		act->window_object = (__u64)dentry;
		return deny(act, dentry);
	}
	if (!judge_class(act, class))
		return deny(act, dentry);
	remember_class(act, file);
	return 0;
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
	__u32 gen;
	int denied;

	if (scope == UNGOVERNED)
		return 0;
	if (scope == UNKNOWN)
		return deny(&act, from);
	act.gate.needs = NEED_USE;
	if (!judge_path(&act, from))
		return deny(&act, from);
	slot = act.slot;
	gen = act.gen;
	act.slot = 0; /* a refusal of the other end is not this receipt's */
	act.gen = 0;
	if (!judge_path(&act, to))
		return deny(&act, to);
	denied = commit(&act, to);
	if (denied || act.slot == slot)
		return denied;
	act.slot = slot;
	act.gen = gen;
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

static __always_inline int open_under_receipt(struct act *act, struct file *file,
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

/* Is this device the terminal that controls the acting process? */
static __always_inline int is_own_terminal(__u32 major, __u32 minor, struct label *label)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct signal_struct *signal = task->signal;
	struct tty_struct *tty;
	struct tty_driver *driver;
	struct pt_regs *regs;

	if (major == 5 && (minor == 0 || minor == 2)) /* /dev/tty, /dev/ptmx */
		return 1;
	/* Only inside the ioctl that asked for it. */
	if (label && label->opens_peer) {
		regs = (struct pt_regs *)bpf_task_pt_regs(task);
		if (regs && (regs->orig_ax == 16 || regs->orig_ax == 54)) /* ioctl, 64 and 32 bits */
			return 1;
	}
	if (!signal)
		return 0;
	tty = signal->tty;
	if (!tty)
		return 0;
	driver = tty->driver;
	return driver && (__u32)driver->major == major &&
	       (__u32)(driver->minor_start + tty->index) == minor;
}

/* A device node, opened in whatever mode: an ioctl needs no write mode. */
static __always_inline int open_device(struct act *act, struct label *label, struct file *file,
				       struct dentry *dentry, __u32 type)
{
	struct inode *inode = file->f_inode;
	__u32 rdev = inode->i_rdev;
	__u32 major = rdev >> 20;
	__u32 minor = rdev & 0xfffff;
	__u64 class = class_of(inode, dentry);

	if (!(file->f_mode & FMODE_WRITE))
		act->op = OP_OPEN_READ;
	if (type == S_IFCHR && class == CLASS_TTY && !is_own_terminal(major, minor, label)) {
		act->code = GATE_OTHER_TERMINAL;
		act->window_object = rdev;
		return deny(act, dentry);
	}
	if (!(file->f_mode & FMODE_WRITE) && type == S_IFCHR &&
	    (class == CLASS_TTY || class == CLASS_NULL ||
	     (major == 1 && (minor == 8 || minor == 9)))) /* random, urandom */
		return 0;
	return write_class(act, class, file, dentry);
}

/* Reading a file or a named pipe, in a domain that asks for it. An opening, or a
 * descriptor from elsewhere at its first use, takes one use. */
static __always_inline int read_judged(struct act *act, struct file *file, struct dentry *dentry)
{
	struct domain_state *domain;
	struct opening *opening;
	__u32 number = act->gate.domain;
	__u64 key = address_number(file);
	__u64 magic;

	domain = bpf_map_lookup_elem(&domains, &number);
	if (!domain) {
		act->code = GATE_NO_DOMAIN;
		return deny(act, dentry);
	}
	if (!domain->judges_reads)
		return 0;
	magic = file->f_inode->i_sb->s_magic;
	if (magic == PROC_MAGIC || magic == SYSFS_MAGIC || magic == CGROUP2_MAGIC ||
	    class_of(file->f_inode, dentry))
		return 0; /* the kernel's own words, and things without a name */
	act->gate.kind = KIND_READ;
	opening = opening_of(key);
	if (opening && opening->kind == KIND_WRITE && opening->domain == number)
		return 0; /* opened for writing as well, and judged for that */
	if (opening && judge_opening(act, opening, key))
		return 0;
	return open_under_receipt(act, file, dentry);
}

/* Is this the cgroup.procs of the cgroup in which the acting task is? A service
 * manager and the child that it forked for a service both put the child there, and
 * either may be first; the child's own write then changes nothing. Until it has
 * executed a program it runs the manager's code, which nobody governed chose. */
static __always_inline int enters_own_cgroup(struct label *label, struct file *file,
					     struct dentry *dentry)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct inode *directory;
	__u64 *name;

	if (!label->is_entering || file->f_inode->i_sb->s_magic != CGROUP2_MAGIC)
		return 0;
	name = inline_name(dentry);
	if (dentry->d_name.len != 12 || name[0] != 0x702e70756f726763ull /* "cgroup.p" */ ||
	    (__u32)name[1] != 0x73636f72 /* "rocs" */)
		return 0;
	directory = dentry->d_parent->d_inode;
	return PRESENT(directory) && directory->i_ino == task->cgroups->dfl_cgrp->kn->id;
}

static __always_inline int file_opens(struct file *file)
{
	struct act act = {.op = OP_OPEN_WRITE, .gate.kind = KIND_WRITE};
	struct inode *inode = file->f_inode;
	__u32 type = inode->i_mode & S_IFMT;
	struct label *label = 0;
	struct dentry *dentry;
	enum scope scope = subject(&act, &label);
	__u64 class;

	if (scope == UNGOVERNED)
		return 0;
	dentry = file->f_path.dentry;
	if (scope == UNKNOWN)
		return deny(&act, dentry);
	if (type == S_IFCHR || type == S_IFBLK)
		return open_device(&act, label, file, dentry, type);
	if (!(file->f_mode & FMODE_WRITE)) {
		act.op = OP_OPEN_READ;
		if (is_state(inode)) {
			act.gate.kind = KIND_READ;
			act.code = GATE_GUARDED;
			act.window_object = (__u64)inode;
			return deny(&act, dentry);
		}
		/* Taking messages out of a queue changes it. */
		if (type == S_IFREG && inode->i_sb->s_magic == MQUEUE_MAGIC)
			return open_under_receipt(&act, file, dentry);
		if ((type != S_IFREG && type != S_IFIFO) || (file->f_flags & FMODE_EXEC) ||
		    !settings.judges_reads)
			return 0;
		return read_judged(&act, file, dentry);
	}
	class = class_of(inode, dentry);
	if (class)
		return write_class(&act, class, file, dentry);
	if (label && enters_own_cgroup(label, file, dentry))
		return 0;
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
	return open_under_receipt(&act, file, dentry);
}

static __always_inline int file_reads(struct file *file)
{
	struct act act = {.op = OP_READ, .gate.kind = KIND_READ};
	struct label *label;
	enum scope scope;
	__u32 type;

	if (!settings.judges_reads || (file->f_flags & FMODE_EXEC))
		return 0;
	type = file->f_inode->i_mode & S_IFMT;
	if (type != S_IFREG && type != S_IFIFO)
		return 0;
	scope = subject(&act, &label);
	if (scope == UNGOVERNED)
		return 0;
	if (scope == UNKNOWN)
		return deny(&act, file->f_path.dentry);
	return read_judged(&act, file, file->f_path.dentry);
}

/* Liveness of the receipt that a descriptor was opened under. One from elsewhere
 * is an opening here and now. */
static __always_inline int write_opened(struct act *act, struct file *file, struct dentry *dentry)
{
	__u64 number = address_number(file);
	struct opening *opening = opening_of(number);
	__u64 class;

	if (opening && judge_opening(act, opening, number))
		return 0;
	class = class_of(file->f_inode, dentry);
	if (class)
		return write_class(act, class, file, dentry);
	return open_under_receipt(act, file, dentry);
}

/* A write, ftruncate, … through a descriptor. */
static __always_inline int write_through(__u32 op, struct file *file)
{
	struct act act = {.op = op, .gate.kind = KIND_WRITE};
	struct label *label = 0;
	struct dentry *dentry;
	enum scope scope = subject(&act, &label);

	if (scope == UNGOVERNED)
		return 0;
	dentry = file->f_path.dentry;
	if (scope == UNKNOWN)
		return deny(&act, dentry);
	if ((file->f_inode->i_mode & S_IFMT) == S_IFSOCK)
		return net_write(file);
	if (op == OP_WRITE && label && enters_own_cgroup(label, file, dentry)) {
		label->is_entering = 0; /* once: it could put others there as well */
		return 0;
	}
	return write_opened(&act, file, dentry);
}

static __always_inline int covers_load(struct act *act, struct label *label, struct file *file,
				       struct dentry *dentry)
{
	__u64 object = object_of(file->f_inode);

	/* The program that an exec receipt let in. */
	if (object && (object == label->exe_next || object == label->exe))
		return 1;
	return judge_path(act, dentry);
}

static __always_inline int covers_shared_writes(struct act *act, struct file *file,
					       struct dentry *dentry)
{
	__u64 class = class_of(file->f_inode, dentry);

	/* Anonymous inodes that are shared with somebody else's kernel object: rings,
	 * BPF maps, performance buffers. Ours never had one. */
	if (class == CLASS_ANON && file->f_inode->i_sb->s_magic == ANON_INODE_FS_MAGIC) {
		act->gate.kind = KIND_NEVER;
		act->code = GATE_NEVER_GOVERNED;
		act->window_object = class;
		return 0;
	}
	if (class == REFUSED_DEVICE) {
		act->code = GATE_DEVICE_NODE;
		act->window_object = (__u64)dentry;
		return 0;
	}
	if (class)
		return judge_class(act, class);
	act->gate.needs = NEED_STANDING;
	return judge_path(act, dentry);
}

/* What a mapping of a file lets its process do. */
enum { MAPS_TO_READ = 1, MAPS_TO_RUN = 2, MAPS_TO_RUN_CHANGED = 4, MAPS_TO_WRITE = 8 };

static __always_inline int map_file(__u32 op, struct file *file, __u32 does)
{
	struct act act = {.op = op, .gate.kind = KIND_LOAD};
	struct label *label = 0;
	struct dentry *dentry = file->f_path.dentry;
	enum scope scope = subject(&act, &label);
	__u32 type;
	int denied;

	if (scope == UNGOVERNED)
		return 0;
	if (scope == UNKNOWN || !label)
		return deny(&act, dentry);
	if ((does & MAPS_TO_READ) && settings.judges_reads && !(file->f_flags & FMODE_EXEC)) {
		type = file->f_inode->i_mode & S_IFMT;
		if (type == S_IFREG || type == S_IFIFO) {
			act.op = OP_READ;
			denied = read_judged(&act, file, dentry);
			if (denied)
				return denied;
			act.op = op;
			act.gate.kind = KIND_LOAD;
			act.gate.needs = 0;
		}
	}
	if ((does & MAPS_TO_RUN) && !covers_load(&act, label, file, dentry))
		return deny(&act, dentry);
	/* Private and writable: what runs is what is written over it. */
	if ((does & MAPS_TO_RUN_CHANGED) && !judge_class(&act, CLASS_ANON_EXEC))
		return deny(&act, dentry);
	if (does & MAPS_TO_WRITE) {
		act.op = OP_MAP_WRITE;
		act.gate.kind = KIND_WRITE;
		if (!covers_shared_writes(&act, file, dentry))
			return deny(&act, dentry);
	}
	return 0;
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

/* ---- what needs no write mode */

enum ioctl_class { IOCTL_HARMLESS, IOCTL_ATTRIBUTES, IOCTL_PEER, IOCTL_REFUSED };

/* An allow-list: an ioctl that is not known to stay with its file is refused. */
static __always_inline enum ioctl_class ioctl_class(__u32 type, __u32 major, __u32 command)
{
	switch (command) {
	case 0x5401: /* TCGETS: isatty() asks it of everything */
	case 0x541b: /* FIONREAD */
	case 0x5421: /* FIONBIO */
	case 0x5450: /* FIONCLEX */
	case 0x5451: /* FIOCLEX */
	case 0x5452: /* FIOASYNC */
	case 0x5460: /* FIOQSIZE */
	case 0x0002: /* FIGETBSZ */
		return IOCTL_HARMLESS;
	}
	if (type == S_IFSOCK)
		switch (command) {
		case 0x5411: /* SIOCOUTQ */
		case 0x8904: /* SIOCGPGRP */
		case 0x8905: /* SIOCATMARK */
		case 0x8906: /* SIOCGSTAMP */
		case 0x8907: /* SIOCGSTAMPNS */
		case 0x8910: /* SIOCGIFNAME */
		case 0x8912: /* SIOCGIFCONF */
		case 0x8913: /* SIOCGIFFLAGS */
		case 0x8915: /* SIOCGIFADDR */
		case 0x8917: /* SIOCGIFDSTADDR */
		case 0x8919: /* SIOCGIFBRDADDR */
		case 0x891b: /* SIOCGIFNETMASK */
		case 0x8921: /* SIOCGIFMTU */
		case 0x8927: /* SIOCGIFHWADDR */
		case 0x8933: /* SIOCGIFINDEX */
			return IOCTL_HARMLESS;
		}
	if (type == S_IFCHR && major != 1 && major != 4 && major != 5 &&
	    (major < 136 || major > 143))
		return IOCTL_REFUSED;
	/* What programs ask of any descriptor, to see whether it is a terminal.
	 * TCGETS … TIOCSPGRP, TIOCOUTQ; not TIOCSTI (0x5412) */
	if (command >= 0x5401 && command <= 0x5411)
		return IOCTL_HARMLESS;
	switch (command) {
	case 0x5413: /* TIOCGWINSZ */
	case 0x5414: /* TIOCSWINSZ */
	case 0x5415: /* TIOCMGET */
	case 0x5419: /* TIOCGSOFTCAR */
	case 0x5420: /* TIOCPKT */
	case 0x5422: /* TIOCNOTTY */
	case 0x5424: /* TIOCGETD */
	case 0x5425: /* TCSBRKP */
	case 0x5429: /* TIOCGSID */
	case 0x802c542a: /* TCGETS2 */
	case 0x402c542b: /* TCSETS2 */
	case 0x402c542c: /* TCSETSW2 */
	case 0x402c542d: /* TCSETSF2 */
	case 0x80045430: /* TIOCGPTN */
	case 0x40045431: /* TIOCSPTLCK */
	case 0x80045438: /* TIOCGPKT */
	case 0x80045439: /* TIOCGPTLCK */
	case 0x80045440: /* TIOCGEXCL */
	case 0x80045200: /* RNDGETENTCNT */
		return IOCTL_HARMLESS;
	case 0x5441: /* TIOCGPTPEER */
		return IOCTL_PEER;
	}
	if (type == S_IFREG || type == S_IFDIR)
		switch (command) {
		case 0x80086601: /* FS_IOC_GETFLAGS */
		case 0x80046601: /* the same for 32 bits */
		case 0x80087601: /* FS_IOC_GETVERSION */
		case 0x801c581f: /* FS_IOC_FSGETXATTR */
		case 0xc020660b: /* FS_IOC_FIEMAP */
		case 0x81009431: /* FS_IOC_GETFSLABEL */
		case 0xc0046686: /* FS_IOC_MEASURE_VERITY */
		case 0x40049409: /* FICLONE, FICLONERANGE, FIDEDUPERANGE: judged as writes */
		case 0x4020940d:
		case 0xc0189436:
		case 0x40305828: /* FS_IOC_RESVSP and its like: judged as fallocate */
		case 0x40305829:
		case 0x4030582a:
		case 0x4030582b:
		case 0x40305839:
			return IOCTL_HARMLESS;
		case 0x40086602: /* FS_IOC_SETFLAGS */
		case 0x40046602:
		case 0x401c5820: /* FS_IOC_FSSETXATTR */
		case 0x40087602: /* FS_IOC_SETVERSION */
		case 0x40806685: /* FS_IOC_ENABLE_VERITY */
			return IOCTL_ATTRIBUTES;
		}
	return IOCTL_REFUSED;
}

static __always_inline int file_controls(struct file *file, __u32 command)
{
	struct act act = {.op = OP_IOCTL, .gate.kind = KIND_WRITE};
	struct label *label = 0;
	enum scope scope = subject(&act, &label);
	struct dentry *dentry;
	struct inode *inode;

	if (scope == UNGOVERNED)
		return 0;
	dentry = file->f_path.dentry;
	act.detail = command;
	act.window_object = command;
	if (scope == UNKNOWN || !label)
		return deny(&act, dentry);
	inode = file->f_inode;
	label->opens_peer = 0;
	switch (ioctl_class(inode->i_mode & S_IFMT, inode->i_rdev >> 20, command)) {
	case IOCTL_HARMLESS:
		return 0;
	case IOCTL_PEER:
		label->opens_peer = 1;
		return 0;
	case IOCTL_ATTRIBUTES:
		return change(&act, dentry);
	default:
		act.gate.kind = KIND_NEVER;
		act.code = GATE_IOCTL_REFUSED;
		return deny(&act, dentry);
	}
}

/* Signals from a descriptor to somebody else, and leases, which hold up others.
 * Seals and the size of a pipe are changes of the file itself. */
static __always_inline int file_fcntl(struct file *file, __u32 command, __u64 argument)
{
	struct act act = {.op = OP_FCNTL, .gate.kind = KIND_NEVER};
	struct label *label;
	enum scope scope;

	int changes = command == F_ADD_SEALS || command == F_SETPIPE_SZ;

	if (!changes && command != F_SETOWN && command != F_SETOWN_EX && command != F_SETLEASE)
		return 0;
	scope = subject(&act, &label);
	if (scope == UNGOVERNED)
		return 0;
	if (scope == GOVERNED) {
		if (changes) {
			act.gate.kind = KIND_WRITE;
			return write_opened(&act, file, file->f_path.dentry);
		}
		if (command == F_SETOWN &&
		    (argument == 0 || argument == bpf_get_current_pid_tgid() >> 32))
			return 0;
		act.code = GATE_NEVER_GOVERNED;
	}
	act.detail = command;
	act.window_object = command;
	return deny(&act, file->f_path.dentry);
}

/* flock(2) excludes others from a file that one may only read. */
static __always_inline int file_locks(struct file *file, __u32 command)
{
	struct act act = {.op = OP_LOCK, .gate.kind = KIND_WRITE};
	struct label *label;
	struct dentry *dentry;
	enum scope scope;

	if (command != F_WRLCK || (file->f_mode & FMODE_WRITE))
		return 0;
	scope = subject(&act, &label);
	if (scope == UNGOVERNED)
		return 0;
	dentry = file->f_path.dentry;
	if (scope == UNKNOWN)
		return deny(&act, dentry);
	if (judge_path(&act, dentry))
		return 0;
	return deny(&act, dentry);
}

static __always_inline int is_ring(struct dentry *dentry)
{
	return *inline_name(dentry) == 0x6e6972755f6f695bull; /* "[io_urin" */
}

/* A descriptor from another process. Most are judged at their use; into a pipe
 * data can go by vmsplice and tee, which ask nobody, and a ring is worked by
 * whoever made it. */
static __always_inline int file_arrives(struct file *file)
{
	struct act act = {.op = OP_RECEIVE, .gate.kind = KIND_WRITE};
	struct label *label;
	struct dentry *dentry;
	struct inode *inode;
	enum scope scope = subject(&act, &label);

	if (scope == UNGOVERNED)
		return 0;
	dentry = file->f_path.dentry;
	if (scope == UNKNOWN)
		return deny(&act, dentry);
	inode = file->f_inode;
	if (inode->i_sb->s_magic == ANON_INODE_FS_MAGIC && is_ring(dentry)) {
		act.gate.kind = KIND_NEVER;
		act.code = GATE_NEVER_GOVERNED;
		act.window_object = (__u64)inode;
		return deny(&act, dentry);
	}
	/* Sending through a message queue asks nobody. */
	if (inode->i_sb->s_magic == MQUEUE_MAGIC)
		return open_under_receipt(&act, file, dentry);
	if ((inode->i_mode & S_IFMT) != S_IFIFO || !(file->f_mode & FMODE_WRITE))
		return 0;
	if (inode->i_sb->s_magic == PIPEFS_MAGIC)
		return write_class(&act, CLASS_PIPE, file, dentry);
	return open_under_receipt(&act, file, dentry);
}

#endif /* PROOFGATE_BPF_FILE_H_ */
