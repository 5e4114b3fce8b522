/* kernel.h: the kernel structures and fields the gate reads, relocated by
 * CO-RE. It is our whole dependency on kernel internals (6.1 and 6.12). */

#ifndef PROOFGATE_BPF_KERNEL_H_
#define PROOFGATE_BPF_KERNEL_H_

#include <linux/bpf.h>
#include <linux/types.h>

typedef unsigned short umode_t;
typedef _Bool bool;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
	union {
		struct {
			__u32 hash;
			__u32 len;
		};
	};
	const unsigned char *name;
};

struct super_block {
	__u32 s_dev;
	unsigned long s_magic;
};

typedef struct {
	__u32 val;
} kgid_t;

typedef struct {
	int counter;
} atomic_t;

struct inode {
	umode_t i_mode;
	kgid_t i_gid;
	unsigned long i_ino;
	__u32 i_rdev;
	__u32 i_fsnotify_mask;
	atomic_t i_writecount;
	struct super_block *i_sb;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	unsigned char d_iname[32];
};

/* 6.12.y: the inline name became a union and grew. Until 6.1 goes. */
struct shortname_store___new {
	unsigned char string[40];
};
struct dentry___new {
	struct shortname_store___new d_shortname;
};

struct path {
	struct dentry *dentry;
};

struct vfsmount {
	struct super_block *mnt_sb;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_flags;
	unsigned int f_mode;
};

struct iattr {
	unsigned int ia_valid;
	struct file *ia_file;
};

struct mm_struct {
	struct file *exe_file;
};

struct vm_area_struct {
	unsigned long vm_flags;
	struct file *vm_file;
	void *anon_vma;
};

struct kernfs_node {
	struct kernfs_node *parent;
	unsigned int hash;
	__u64 id;
};

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup {
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct pt_regs {
	unsigned long bx;
	unsigned long orig_ax;
	unsigned long di;
};

struct tty_driver {
	int major;
	int minor_start;
};

struct tty_struct {
	struct tty_driver *driver;
	int index;
};

struct signal_struct {
	struct tty_struct *tty;
};

typedef struct {
	__u32 val;
} kuid_t;

struct cred {
	kuid_t uid;
};

struct task_struct {
	unsigned int flags;
	const struct cred *cred;
	const struct cred *real_cred;
	void *io_uring;
	int pid;
	int tgid;
	struct css_set *cgroups;
	struct mm_struct *mm;
	struct signal_struct *signal;
	char comm[16];
};

struct linux_binprm {
	unsigned long p; /* where the strings start: argv, then the environment, then: */
	struct file *file;
	int argc;
	int envc;
	unsigned long exec; /* the name that was executed */
};

struct in6_addr {
	union {
		__u8 u6_addr8[16];
		__u32 u6_addr32[4];
	} in6_u;
};

struct sock_common {
	__u32 skc_daddr;
	__u32 skc_rcv_saddr;
	__u16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct sock_cgroup_data {
	struct cgroup *cgroup;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_type;
	__u16 sk_protocol;
	struct socket *sk_socket;
	struct sock_cgroup_data sk_cgrp_data; /* of who made it */
};

struct unix_address {
	int len;
};

struct unix_sock {
	struct sock sk;
	struct unix_address *addr;
	struct path path;
	struct sock *peer;
};

struct socket {
	short type;
	struct file *file;
	struct sock *sk;
};

struct sockaddr {
	__u16 sa_family;
	char sa_data[14];
};

struct sockaddr_in6 {
	__u16 sin6_family;
	__u16 sin6_port;
	__u32 sin6_flowinfo; /* of an IPv4 address: the address */
	struct in6_addr sin6_addr;
};

struct cmsghdr {
	unsigned long cmsg_len;
	int cmsg_level;
	int cmsg_type;
};

struct msghdr {
	void *msg_name;
	int msg_namelen;
	union {
		void *msg_control;
	};
	unsigned long msg_controllen;
};

struct kern_ipc_perm;
struct key;
struct kernel_siginfo;
struct user_namespace;

struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

enum {
	FMODE_READ = 0x1,
	FMODE_WRITE = 0x2,
	FMODE_EXEC = 0x20, /* in f_flags: the kernel opens it to run it */
	FMODE_CREATED = 0x100000,
	MAY_WRITE = 2,
	MAY_READ = 4,
	MAY_APPEND = 8,
	PROT_WRITE = 2,
	PROT_EXEC = 4,
	MAP_SHARED = 1,
	MS_REMOUNT = 32,
	MS_BIND = 4096,
	MAP_TYPE = 0xf,
	VM_SHARED = 8,
	S_IFMT = 0170000,
	S_IFSOCK = 0140000,
	S_IFREG = 0100000,
	S_IFDIR = 0040000,
	S_IFBLK = 0060000,
	S_IFCHR = 0020000,
	S_IFIFO = 0010000,
	ATTR_SIZE = 1 << 3,
	ATTR_FORCE = 1 << 9,
	ATTR_FILE = 1 << 13,
	AF_UNSPEC = 0,
	AF_UNIX = 1,
	AF_INET = 2,
	AF_INET6 = 10,
	AF_NETLINK = 16,
	NETLINK_AUDIT = 9,
	CAP_AUDIT_WRITE = 29,
	SOCK_STREAM = 1,
	SOCK_DGRAM = 2,
	SOCK_SEQPACKET = 5,
	IPPROTO_TCP = 6,
	IPPROTO_UDP = 17,
	IPPROTO_IP = 0,
	IPPROTO_IPV6 = 41,
	IP_OPTIONS = 4,
	IPV6_RTHDR = 57,
	IPV6_2292RTHDR = 5,
	IPV6_2292PKTOPTIONS = 6,
	UDP_CORK = 1,
	TCP_CORK = 3,
	SOL_SOCKET = 1,
	F_WRLCK = 1,
	F_SETOWN = 8,
	F_SETOWN_EX = 15,
	F_SETLEASE = 1024,
	F_SETPIPE_SZ = 1031,
	F_ADD_SEALS = 1033,
	TCP_LISTEN = 10,
	READ_IMPLIES_EXEC = 0x0400000,
	KEY_NEED_WRITE = 3,
	KEY_NEED_SEARCH = 4,
	PTRACE_MODE_ATTACH = 2,
	CAP_OPT_NOAUDIT = 2,
	SIGKILL = 9,
	PF_IO_WORKER = 0x10,
	PF_FORKNOEXEC = 0x40,
	PF_DUMPCORE = 0x200,
	HASH_ALGO_SHA256 = 4,
	FS_PERMISSION_EVENTS = 0x00170000, /* fanotify: open, access, open to run, before access */
	EPERM = 1,
	EAGAIN = 11,
};

#define CLONE_INTO_CGROUP 0x200000000ull
#define PIPEFS_MAGIC 0x50495045
#define ANON_INODE_FS_MAGIC 0x09041934
#define TMPFS_MAGIC 0x01021994
#define HUGETLBFS_MAGIC 0x958458f6
#define EXT4_MAGIC 0xEF53
#define XFS_MAGIC 0x58465342
#define BTRFS_MAGIC 0x9123683E
#define SOCKFS_MAGIC 0x534F434B
#define MQUEUE_MAGIC 0x19800202
#define PROC_MAGIC 0x9fa0
#define SYSFS_MAGIC 0x62656572
#define CGROUP2_MAGIC 0x63677270

#endif /* PROOFGATE_BPF_KERNEL_H_ */
