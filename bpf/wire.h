/* wire.h: every type that the gate (BPF, C) and the agent (C++) exchange.
 *
 * Read by clang for the BPF target and by the C++ compilers. Fixed-width types
 * only, padding spelled out, enum numbers explicit and never reused. The layout
 * test compares each size and offset with the BTF of the compiled object. */

#ifndef PROOFGATE_BPF_WIRE_H_
#define PROOFGATE_BPF_WIRE_H_

#include <linux/types.h>

enum {
	MAX_DOMAINS = 64,	  /* index 0 is never used */
	MAX_RECEIPTS = 16384,	  /* live and quarantined slots; slot 0 is never used */
	MAX_GRANTS_PER_OBJECT = 64, /* live receipts naming one object; more is refused at issue */
	MAX_LABELS = 65536,	  /* governed threads on the host; a fork beyond it is refused */
	MAX_DOMAIN_TASKS = 16384, /* of one domain: its fork storm leaves room for the others */
	MAX_OPENINGS = 131072,	  /* files and sockets open under receipts; beyond it: refused */
	MAX_WALK = 48,		  /* directories between an object and its grant; beyond: refused */
	MAX_CGROUP_DEPTH = 32,	  /* cgroup levels walked; deeper than this is treated as unknown */
	NAME_BYTES = 32,	  /* the kernel's inline name, with its final zero */
	MAX_COMPONENTS = 10,	  /* path components in a record, leaf first */
	FIRST_CAPABILITY = 128,	  /* the object number of capability 0 */
	FIRST_OBJECT = 256,	  /* object numbers below are classes and capabilities */
	MAX_CODES = 64,
	MAX_NAMED_CGROUPS = 1024, /* governed from birth; more is refused at apply */
	MAX_BINDINGS = 256,	  /* live receipts with bindings; row 0 is never used */
	ARGV_BYTES = 4096,	  /* of bound arguments, final zeros and all */
	ENV_NAME_BYTES = 32,	  /* of a variable's name that the gate compares, '=' and all */
	ENV_VALUE_BYTES = 256,	  /* of a bound variable, "NAME=value" and its final zero */
	MAX_ENV_NAMES = 96,
	MAX_ENV_VALUES = 8,
	MAX_EXEC_CHUNKS = 8192,	  /* of 32 bytes or a string's rest, read of argv and environment */
	CONTENT_BYTES = 32,	  /* SHA-256 */
};

/* The name of a cgroup: over the kernel's hash of each name, leaf first,
 * name = (name ^ hash) * factor. */
#define CGROUP_NAME_FACTOR 0x9E3779B97F4A7C15ull

enum control_detail { CONTROL_NICE = 1, CONTROL_SCHEDULER = 2, CONTROL_IOPRIO = 3, CONTROL_LIMIT = 4, CONTROL_PAGES = 5 };

enum act_kind {
	KIND_EXEC = 1,
	KIND_LOAD = 2,
	KIND_WRITE = 3,
	KIND_CONNECT = 4,
	KIND_NEVER = 5, /* acts no receipt can cover: bpf(), others' memory, mounts */
	KIND_BIND = 6,	/* listening on an address */
	KIND_SIGNAL = 7, /* to a process outside the domain, named by its program */
	KIND_CAPABILITY = 8,
	KIND_READ = 9, /* regular files, in a domain that asks for it */
};

enum act_op {
	OP_EXEC = 1,
	OP_MAP_EXEC = 2,
	OP_PROTECT_EXEC = 3,
	OP_OPEN_WRITE = 4,
	OP_WRITE = 5, /* through an opening, or a first write through a descriptor from elsewhere */
	OP_MAP_WRITE = 6,
	OP_TRUNCATE = 7,
	OP_CREATE = 8,
	OP_MKDIR = 9,
	OP_MKNOD = 10,
	OP_SYMLINK = 11,
	OP_LINK = 12,
	OP_UNLINK = 13,
	OP_RMDIR = 14,
	OP_RENAME = 15,
	OP_SETATTR = 16,
	OP_SETXATTR = 17,
	OP_CONNECT = 18,
	OP_SEND_TO = 19,
	OP_SEND = 20, /* through a connected socket */
	OP_UNIX_CONNECT = 21,
	OP_UNIX_SEND = 22,
	OP_SOCKET = 23,
	OP_BPF = 24,
	OP_PTRACE = 25,
	OP_KILL = 26,
	OP_MOUNT = 27,
	OP_CAPABILITY = 28,
	OP_FORK = 29,
	OP_BIND = 30,
	OP_LISTEN = 31,
	OP_ACCEPT = 32,
	OP_OPEN_READ = 33,
	OP_READ = 34,
	OP_IOCTL = 35,
	OP_FCNTL = 36,
	OP_LOCK = 37,
	OP_RECEIVE = 38,   /* a descriptor from another process */
	OP_ANON_INODE = 39, /* io_uring, userfaultfd */
	OP_IPC = 40,
	OP_KEY = 41,
	OP_NAMESPACE = 42,
	OP_ROOT = 43, /* chroot, pivot_root */
	OP_PERF = 44,
	OP_MODULE = 45, /* asking the kernel to load a module, firmware, a kernel */
	OP_QUOTA = 46,
	OP_TIME = 47,
	OP_TASK = 48, /* priority, scheduling, limits and pages of another task */
	OP_SOCKET_OPTION = 49,
	OP_LOG = 50, /* the kernel's log */
	OP_SHUTDOWN = 51,
	OP_PERSONALITY = 52,
};

/* Why the gate refused. Append only. */
enum gate_code {
	GATE_OK = 0,
	GATE_NO_RECEIPT = 1,	/* nothing names this object for this domain and kind */
	GATE_EXE_MISMATCH = 2,	/* a receipt does, for another program */
	GATE_NEEDS_STANDING = 3, /* shared writable mappings cannot be taken back */
	GATE_NOT_YET = 4,
	GATE_REVOKED = 5,
	GATE_EXPIRED = 6,
	GATE_EXHAUSTED = 7,
	GATE_WALK_BOUND = 8,
	GATE_RECORD_UNAVAILABLE = 9,
	GATE_LABEL_TABLE_FULL = 10,
	GATE_OPENINGS_FULL = 11,
	GATE_ADDRESS_UNREADABLE = 12,
	GATE_FAMILY_REFUSED = 13,
	GATE_NEVER_GOVERNED = 14,
	GATE_OTHER_DOMAIN = 15,
	GATE_SCOPE_UNKNOWN = 16,
	GATE_DEVICE_NODE = 17,
	GATE_NO_DOMAIN = 18, /* the label names a domain the tables do not hold */
	GATE_IOCTL_REFUSED = 19,
	GATE_OTHER_TERMINAL = 20, /* a terminal that is not the process's own */
	GATE_DOMAIN_TASKS = 21, /* the domain has as many threads as it may */
	GATE_GUARDED = 22,	/* Proofgate's own state: no receipt reaches it */
	GATE_BOUND = 23,	/* a receipt covers the program and binds how it runs; judged by exec only */
	GATE_ARGV_MISMATCH = 24,
	GATE_ENV_MISMATCH = 25,
	GATE_CONTENT_MISMATCH = 26,
	GATE_BINDING_UNREADABLE = 27, /* the arguments or the environment could not be read to their end */
	GATE_CONTENT_UNKNOWN = 28, /* no digest that holds until the program runs */
	GATE_BOUND_SCRIPT = 29, /* bindings are for the program that runs, not for a script */
};

enum grant_form {
	FORM_FILE = 1,	/* the marked inode itself */
	FORM_DIR = 2,	/* its direct children */
	FORM_TREE = 3,	/* everything below it in the same file system */
	FORM_NAMED = 4, /* the child with the receipt's name */
	FORM_ADDRESS = 5,
};

/* Classes of objects that have no name of their own; they are object numbers. */
enum object_class {
	CLASS_PIPE = 1,	 /* anonymous pipes and unnamed AF_UNIX pairs */
	CLASS_TTY = 2,	 /* terminals */
	CLASS_NULL = 3,	 /* /dev/null, /dev/zero, /dev/full */
	CLASS_ANON = 4,	 /* memfd, eventfd and other anonymous inodes */
	CLASS_ANON_EXEC = 5, /* executable memory with no file behind it */
	CLASS_IPC = 6,	 /* System V message queues, semaphores, shared memory */
	CLASS_KEYS = 7,	 /* keyrings */
	CLASS_ABSTRACT = 8, /* AF_UNIX names without a file */
	CLASS_GUARDED = 62, /* mark of what is Proofgate's own: ends the walk */
};

enum slot_state {
	SLOT_FREE = 0,
	SLOT_LIVE = 1,
	SLOT_REVOKED = 2,
};

enum domain_mode {
	MODE_NONE = 0,
	MODE_ENFORCE = 1,
	MODE_OBSERVE = 2, /* would-be denials are recorded, nothing is blocked */
};

enum record_verdict {
	VERDICT_ALLOW = 1,
	VERDICT_DENY = 2,
	VERDICT_WOULD_DENY = 3,
};

enum receipt_flag {
	RECEIPT_STANDING = 1,
	RECEIPT_BOUND = 2, /* the row `binding` says how the program must run */
};

enum binding_flag {
	BIND_ARGV = 1,	 /* all of it */
	BIND_ARGV_PREFIX = 2, /* its first strings; the rest is free */
	BIND_ENV = 4,
	BIND_CONTENT = 8,
};

/* One receipt as the kernel sees it. The agent writes every field but `used`
 * and `checked` through a shared mapping and sets `state` last. */
struct receipt_slot {
	__u32 state;  /* enum slot_state */
	__u32 gen;    /* changes when the slot gets another receipt; never 0 while live */
	__u32 domain;
	__u32 kind;
	__u64 not_before_boot_ns;
	__u64 expires_boot_ns;
	__u64 max_uses;
	__u64 used;    /* counts up; values above max_uses are refused attempts */
	__u64 checked; /* acts through openings; counted, not limited */
	__u64 exe;     /* object number of the only program that may, or 0 */
	__u32 flags;
	__u32 name_len; /* FORM_NAMED */
	char name[NAME_BYTES];
	__u32 binding;	/* RECEIPT_BOUND: its row in `bindings` */
	__u32 epoch;	/* of its domain when it was put here; see gate_epochs */
};

/* The start of a string of the environment: those bytes of `text` that `mask`
 * has set must be there. */
struct env_name {
	__u64 text[ENV_NAME_BYTES / 8];
	__u64 mask[ENV_NAME_BYTES / 8];
};

struct env_value {
	struct env_name start; /* its first bytes, final zero and all if there is room */
	__u32 bytes;	       /* with the final zero */
	__u32 pad;
	char text[ENV_VALUE_BYTES]; /* zero behind the final zero */
};

/* How the program of one exec receipt must run. Written by the agent before the
 * receipt is live; `gen` last, and zero while it writes. */
struct exec_binding {
	__u32 slot;
	__u32 gen;   /* of the receipt */
	__u32 flags; /* enum binding_flag */
	__u32 argc;
	__u32 argv_bytes;
	__u32 names;  /* filled in no_env */
	__u32 values; /* filled in env */
	__u32 pad;
	__u8 content[CONTENT_BYTES];
	char argv[ARGV_BYTES]; /* the strings, each with its final zero; zero behind */
	struct env_name no_env[MAX_ENV_NAMES]; /* must not be there, unless it is one of: */
	struct env_value env[MAX_ENV_VALUES];  /* must be there */
};

struct grant {
	__u32 slot;
	__u32 gen;
	__u32 form;
	__u32 pad;
};

struct grant_key { /* zero padding: map keys are compared bytewise */
	__u64 object;
	__u32 domain;
	__u32 kind;
};

/* `of` comes first, and is looked at last: a row that is freed while it is read
 * may be another's by then, and is written from its beginning. */
struct grant_list {
	struct grant_key of; /* zero in `addresses`, which waits before it frees */
	__u32 count;
	__u32 pad;
	struct grant grants[MAX_GRANTS_PER_OBJECT];
};

struct address {
	__u8 family; /* AF_INET or AF_INET6; v4-mapped addresses are AF_INET */
	__u8 proto;  /* IPPROTO_TCP or IPPROTO_UDP */
	__u16 port;  /* network byte order */
	__u8 bytes[16];
};

struct address_key {
	__u32 prefix_bits; /* 64 + bits of the address */
	__u32 domain;
	struct address address;
};

struct mark {
	__u64 object; /* unique for the life of the inode in memory */
};

/* `owner` is the number of the task's address (address_number in judge.h), in a
 * row of label_rows with its lowest bit set while the row is being filled. */
struct label {
	__u64 owner;
	__u32 domain;
	__u32 is_entering; /* 1: came from outside as a fork, and has not executed a program since */
	__u64 exe;	/* object number of the running program */
	__u64 exe_next; /* of the one being executed */
	__u64 created;	/* dentry of the file this thread is creating by open(2) */
	__u32 created_slot;
	__u32 created_gen;
	__u32 exec_slot; /* receipt that this execve has already used */
	__u32 exec_gen;
	__u32 opens_peer; /* inside TIOCGPTPEER: the terminal that is opened is its own */
	__u32 bound_distance; /* of the program from: */
	__u64 bound_object; /* that bound receipts name for the program being executed, or 0 */
	__u32 content_known; /* 1: what it holds has this digest: */
	__u32 pad2;
	__u8 content[CONTENT_BYTES];
};

struct opening {
	__u64 file; /* number of its address; first, and looked at last, as grant_list.of */
	__u32 domain;
	__u32 kind;
	__u32 slot;
	__u32 gen;
	__u32 of_class; /* 1: an object without a name, whose use is not counted */
	__u32 came_in;	/* 1: a connection that a listener accepted */
	struct address address; /* of an inet socket: that was asked for, to be connected or bound to */
	__u32 pad;
	__u64 made; /* boot time, and so another for each; written last */
};

struct domain_state {
	__u32 mode; /* enum domain_mode */
	__u32 judges_reads; /* 1: reading regular files needs a receipt, too */
	__u64 tasks; /* that carry its label */
	__u64 act_seq;	/* records of allowed acts, dense */
	__u64 deny_seq; /* denials, dense */
	__u64 unrecorded; /* denials counted without a record of their own */
	__u64 denials[MAX_CODES];
	__u64 would_deny; /* observe mode */
};

/* A receipt whose epoch is below its domain's is dead: one store ends all that the
 * domain holds, at every hook that begins after it. With EPOCH_STOPPED set it is
 * above that of any receipt, those written later as well. */
#define EPOCH_STOPPED 0x80000000u
struct gate_epochs {
	__u32 domains[MAX_DOMAINS];
};

/* Whose addresses have a row: none with this hash means that a look-up of a
 * label or an opening would find nothing. */
enum { PRESENCE_BITS = 14 };
struct gate_presence {
	__u32 whole; /* 0: rows may be missing here; nothing is concluded */
	__u32 pad;
	__u32 labels[1 << PRESENCE_BITS];
	__u32 openings[1 << PRESENCE_BITS];
};

struct gate_settings {
	__u64 next_object;
	__u64 labels_lost;  /* tasks that entered a governed cgroup without a label */
	__u64 scope_repairs;
	__u64 release_cgroup; /* id of the cgroup whose tasks pep_release lets go */
	__u32 daemon_tgid;
	__u32 guard_dev;    /* s_dev of our own bpffs, kernel encoding; 0 before it exists */
	__u32 judges_reads; /* 1: some domain does */
	__u32 state_gid;    /* group of our own state; 0 before it is known */
};

struct denial_key {
	__u64 object;
	__u64 exe;
	__u32 domain;
	__u16 op;
	__u8 kind;
	__u8 code;
};

struct denial_window {
	__u64 last_full_boot_ns;
	__u64 count;
};

struct act_record {
	__u32 version; /* 1 */
	__u32 verdict;
	__u32 domain;
	__u32 code;
	__u64 seq; /* act_seq or deny_seq of the domain, from 1 */
	__u64 boot_ns;
	__u32 kind;
	__u32 op;
	__u32 slot;
	__u32 gen;
	__u64 exe;
	__u64 object; /* mark of the object, 0 if it has none */
	__u64 ino;    /* for people; never compared */
	__u64 cgroup;
	__u32 dev;    /* s_dev, kernel encoding; for people */
	__u32 mode;
	__u32 tgid;
	__u32 tid;
	__u32 uid;
	__u32 detail; /* bpf command, signal, capability, socket family */
	struct address address;
	__u32 address_len; /* 0: none */
	char comm[16];
	__u32 depth; /* components filled, leaf first */
	__u32 more;  /* 1: the path goes on above */
	char components[MAX_COMPONENTS][NAME_BYTES]; /* "" for a name of 32 bytes or more */
};

#endif /* PROOFGATE_BPF_WIRE_H_ */
