/* fuzz CGROUP SECONDS SEED: random system calls by processes inside a governed
 * cgroup, each born outside with descriptors of the outside. Says how many calls
 * were made, and how many of them succeeded. What they may not have changed is
 * for the caller to look at (77-fuzz.sh).
 *
 * The supervisor stays outside, so that no child can end it. A child is told by
 * its number alone what to do: "fuzz CGROUP 0 SEED" does what one child does. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <linux/reboot.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 400, FDS = 64, CHILD_MS = 1500, AREA = 1 << 16 };
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct totals { /* shared with the children, for people only: they may scribble here */
	uint64_t calls, done;
};

static uint64_t state;
static int fds[FDS];
static int fd_count;
static pid_t pids[4]; /* the supervisor, what is to be left alone, the daemon, init */
static unsigned char *area; /* below 4 GiB, for 32-bit calls as well */

static uint64_t next(void)
{
	state += 0x9E3779B97F4A7C15ull;
	uint64_t z = state;
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
	return z ^ (z >> 31);
}
static uint64_t below(uint64_t n) { return next() % n; }

/* Inside the grant; outside it; what the kernel offers as files; and our own. */
static const char *const paths[] = {
	"/srv/f/own", "/srv/f/own/a", "/srv/f/own/b", "/srv/f/own/d", "/srv/f/own/d/x", "/srv/f/own/link",
	"/srv/f/not", "/srv/f/not/a", "/srv/f/not/b", "/srv/f/not/d", "/srv/f/not/new", "/srv/f/not/fifo",
	"/srv/f/not/exec", "/srv/f/own/../not/a", "/srv/f/out", "/etc/passwd", "/etc/shadow", "/root", "/",
	"/usr/bin/true", "/usr/local/bin/fuzz", "/tmp", "/dev/shm", "/dev/shm/x", "/dev/null", "/dev/zero", "/dev/mem",
	"/dev/kmsg", "/dev/vda", "/dev/ptmx", "/dev/pts/ptmx", "/dev/tty", "/dev/console", "/dev/loop-control",
	"/dev/net/tun", "/dev/fuse", "/proc/self/mem", "/proc/self/fd/0", "/proc/self/fd/3", "/proc/self/fd/9",
	"/proc/self/oom_score_adj", "/proc/self/attr/current", "/proc/self/uid_map", "/proc/self/comm",
	"/proc/1/oom_score_adj", "/proc/1/mem", "/proc/1/root/srv/f/not/a", "/proc/1/cwd/srv/f/not/a",
	"/proc/sys/kernel/hostname", "/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches",
	"/proc/sys/kernel/randomize_va_space", "/proc/sysrq-trigger", "/sys/kernel/debug", "/sys/kernel/tracing/trace_marker",
	"/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/fuzz/cgroup.procs", "/sys/fs/cgroup/fuzz/cgroup.freeze",
	"/sys/fs/cgroup/fuzz/pids.max", "/sys/fs/cgroup/proofgate", "/sys/kernel/mm/ksm/run", "/sys/power/state",
	"/run/proofgate/bpf/maps/settings", "/run/proofgate/bpf", "/run/proofgate/control.sock", "/var/lib/proofgate",
	"/var/lib/proofgate/host_key", "/run/systemd/private", "/run/dbus/system_bus_socket", "/dev/log", "/srv/sink/stream",
};

static const char *a_path(void) { return paths[below(COUNT(paths))]; }
static int an_fd(void)
{
	uint64_t pick = below(16);
	if (pick == 0)
		return AT_FDCWD;
	if (pick == 1)
		return (int)below(24);
	return fd_count ? fds[below((uint64_t)fd_count)] : 0;
}
static int dir_fd(void) { return below(3) ? AT_FDCWD : an_fd(); }
static void keep(long fd)
{
	if (fd >= 0 && fd < 1 << 20)
		fds[fd_count < FDS ? fd_count++ : (int)below(FDS)] = (int)fd;
}
static uint64_t a_number(void)
{
	static const uint64_t edges[] = {0, 1, 2, 3, 4, 7, 8, 16, 4095, 4096, 4097, 65535, 1u << 20, 0x7fffffff,
					 0x80000000, 0xffffffff, 1ull << 32, 0x7fffffffffffffff, ~0ull, ~0ull - 1};
	switch (below(4)) {
	case 0: return edges[below(COUNT(edges))];
	case 1: return 1ull << below(64);
	case 2: return below(256);
	default: return next();
	}
}
static int some_flags(void)
{
	int flags = 0;
	for (uint64_t n = below(4); n; n--)
		flags |= 1 << below(31);
	return flags;
}
/* Somewhere in the area, with something there that may mean something. */
static void *some_memory(void)
{
	unsigned char *at = area + below(AREA - 4096) / 8 * 8;
	switch (below(6)) {
	case 0: memset(at, 0, 256); break;
	case 1: strcpy((char *)at, a_path()); break;
	case 2: for (int i = 0; i < 64; i += 8) *(uint64_t *)(at + i) = a_number(); break;
	case 3: for (int i = 0; i < 64; i += 8) *(uint64_t *)(at + i) = (uint64_t)(uintptr_t)(area + below(AREA - 64)); break;
	case 4: memset(at, 'x', 64); break;
	default: break;
	}
	return at;
}
static socklen_t an_address(struct sockaddr_storage *to)
{
	memset(to, 0, sizeof(*to));
	switch (below(6)) {
	case 0: case 1: {
		struct sockaddr_in *in = (struct sockaddr_in *)to;
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)(7000 + below(3)));
		in->sin_addr.s_addr = htonl(below(4) ? INADDR_LOOPBACK : (uint32_t)next());
		return sizeof(*in);
	}
	case 2: case 3: {
		struct sockaddr_in6 *in = (struct sockaddr_in6 *)to;
		in->sin6_family = AF_INET6;
		in->sin6_port = htons((uint16_t)(7000 + below(3)));
		if (below(2))
			in->sin6_addr = in6addr_loopback;
		else
			inet_pton(AF_INET6, "::ffff:127.0.0.1", &in->sin6_addr);
		return sizeof(*in);
	}
	case 4: {
		struct sockaddr_un *un = (struct sockaddr_un *)to;
		un->sun_family = AF_UNIX;
		strcpy(un->sun_path, below(2) ? "/srv/sink/stream" : a_path());
		if (below(4) == 0)
			un->sun_path[0] = 0;
		return sizeof(*un);
	}
	default:
		to->ss_family = (sa_family_t)below(50);
		memcpy((char *)to + 2, some_memory(), 60);
		return (socklen_t)below(64);
	}
}
static pid_t a_pid(void)
{
	switch (below(5)) {
	case 0: return pids[below(COUNT(pids))];
	case 1: return getpid();
	case 2: return (pid_t)-pids[below(COUNT(pids))];
	case 3: return -1;
	default: return (pid_t)below(4000);
	}
}

static long shaped(void)
{
	static struct sockaddr_storage address;
	static struct msghdr message;
	static struct iovec part;
	void *memory = some_memory();
	int fd = an_fd();
	long made;

	part.iov_base = memory;
	part.iov_len = below(4096);
	switch (below(76)) {
	case 0: case 1: case 2:
		made = syscall(SYS_openat, dir_fd(), a_path(), (int)(below(3) | (below(2) ? 0u : (uint64_t)some_flags())) , 0600);
		return keep(made), made;
	case 3: made = syscall(SYS_openat, dir_fd(), a_path(), O_RDWR | O_CREAT, 0600); return keep(made), made;
	case 4: made = syscall(SYS_openat, dir_fd(), a_path(), O_PATH | (int)(below(2) ? O_NOFOLLOW : 0)); return keep(made), made;
	case 5: made = syscall(SYS_openat, dir_fd(), a_path(), O_TMPFILE | O_RDWR, 0600); return keep(made), made;
	case 6: return syscall(SYS_write, fd, memory, below(4096));
	case 7: return syscall(SYS_pwritev2, fd, &part, 1, below(8192), 0, some_flags());
	case 8: return syscall(SYS_sendfile, fd, an_fd(), 0, below(8192));
	case 9: return syscall(SYS_splice, fd, 0, an_fd(), 0, below(8192), below(16));
	case 10: return syscall(SYS_tee, fd, an_fd(), below(8192), below(16));
	case 11: return syscall(SYS_vmsplice, fd, &part, 1, below(16));
	case 12: return syscall(SYS_copy_file_range, fd, 0, an_fd(), 0, below(8192), 0);
	case 13: return syscall(SYS_renameat2, dir_fd(), a_path(), dir_fd(), a_path(), below(8));
	case 14: return syscall(SYS_linkat, dir_fd(), a_path(), dir_fd(), a_path(), below(2) ? AT_SYMLINK_FOLLOW : 0);
	case 15: return syscall(SYS_linkat, fd, "", dir_fd(), a_path(), AT_EMPTY_PATH);
	case 16: return syscall(SYS_symlinkat, a_path(), dir_fd(), a_path());
	case 17: return syscall(SYS_unlinkat, dir_fd(), a_path(), below(2) ? AT_REMOVEDIR : 0);
	case 18: return syscall(SYS_mkdirat, dir_fd(), a_path(), 0755);
	case 19: return syscall(SYS_mknodat, dir_fd(), a_path(), (1u << (12 + below(4))) | 0600, below(4096));
	case 20: return syscall(SYS_fchmodat, dir_fd(), a_path(), below(4096));
	case 21: return syscall(SYS_fchownat, dir_fd(), a_path(), below(3), below(3), below(2) ? 0 : AT_EMPTY_PATH);
	case 22: return syscall(SYS_truncate, a_path(), below(8192));
	case 23: return syscall(SYS_ftruncate, fd, below(8192));
	case 24: return syscall(SYS_fallocate, fd, below(128), below(8192), below(8192));
	case 25: return syscall(SYS_utimensat, below(2) ? fd : AT_FDCWD, below(2) ? 0 : a_path(), 0, 0);
	case 26: return syscall(SYS_setxattr, a_path(), "user.f", memory, below(64), 0);
	case 27: return syscall(SYS_fsetxattr, fd, below(2) ? "user.f" : "security.capability", memory, 20, 0);
	case 28: return syscall(SYS_removexattr, a_path(), "user.kept");
	case 29: return syscall(SYS_mount, a_path(), a_path(), below(2) ? "tmpfs" : 0, (unsigned long)some_flags(), 0);
	case 30: return syscall(SYS_umount2, a_path(), below(8));
	case 31: made = syscall(SYS_open_tree, dir_fd(), a_path(), below(2) ? 1 : 0); return keep(made), made;
	case 32: return syscall(SYS_move_mount, fd, "", dir_fd(), a_path(), 4);
	case 33: made = syscall(SYS_fsopen, below(2) ? "tmpfs" : "proc", 0); return keep(made), made;
	case 34: made = syscall(SYS_fsmount, fd, 0, 0); return keep(made), made;
	case 35: return syscall(SYS_mount_setattr, dir_fd(), a_path(), below(2) ? 0x8000 : 0, memory, 32);
	case 36: case 37: {
		static const int families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_PACKET, 38 /* ALG */, 40 /* VSOCK */, 44 /* XDP */, 2, 10};
		made = syscall(SYS_socket, below(8) ? families[below(COUNT(families))] : (int)below(48), 1 + (int)below(5),
			       below(2) ? 0 : (int)below(263));
		return keep(made), made;
	}
	case 38: case 39: { socklen_t length = an_address(&address); return syscall(SYS_connect, fd, &address, length); }
	case 40: case 41: {
		socklen_t length = an_address(&address);
		return syscall(SYS_sendto, fd, memory, below(512), (below(2) ? MSG_DONTWAIT : some_flags()) | MSG_NOSIGNAL, &address, length);
	}
	case 42: { socklen_t length = an_address(&address); return syscall(SYS_bind, fd, &address, length); }
	case 43: return syscall(SYS_listen, fd, below(4));
	case 44: made = syscall(SYS_accept4, fd, 0, 0, SOCK_NONBLOCK); return keep(made), made;
	case 45: case 46: {
		static union { struct cmsghdr head; char bytes[CMSG_SPACE(sizeof(int))]; } control;
		memset(&message, 0, sizeof(message));
		if (below(2)) {
			message.msg_name = &address;
			message.msg_namelen = an_address(&address);
		}
		message.msg_iov = &part;
		message.msg_iovlen = 1;
		if (below(2)) {
			control.head.cmsg_len = CMSG_LEN(sizeof(int));
			control.head.cmsg_level = below(4) ? SOL_SOCKET : IPPROTO_IP;
			control.head.cmsg_type = (int)(below(4) ? SCM_RIGHTS : below(40));
			int passed = an_fd();
			memcpy(CMSG_DATA(&control.head), &passed, sizeof(passed));
			message.msg_control = &control;
			message.msg_controllen = sizeof(control);
		}
		return syscall(SYS_sendmsg, fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL | (below(4) ? 0 : some_flags()));
	}
	case 47: return syscall(SYS_setsockopt, fd, below(4) ? below(2) : below(300), below(80), memory, below(64));
	case 48: { int pair[2]; made = syscall(SYS_socketpair, AF_UNIX, 1 + (int)below(2), 0, pair); if (!made) keep(pair[0]), keep(pair[1]); return made; }
	case 49: { int pair[2]; made = syscall(SYS_pipe2, pair, O_NONBLOCK); if (!made) keep(pair[0]), keep(pair[1]); return made; }
	case 50: {
		static const unsigned commands[] = {0x5401, 0x5412 /* TIOCSTI */, 0x540E, 0x5410, 0x541C /* LINUX */, 0x40045431, 0x5441,
			0x40086602 /* FS_IOC_SETFLAGS */, 0x40049409 /* FICLONE */, 0x4020940d, 0xc0189436 /* FIDEDUPERANGE */, 0x4C00, 0x4C82,
			0x1276, 0x125D, 0x8933, 0x8914 /* SIOCSIFFLAGS */, 0x8916, 0x89A0, 0x400454ca /* TUNSETIFF */, 0xC0109207, 0x2400, 0x40042408};
		return syscall(SYS_ioctl, fd, below(4) ? commands[below(COUNT(commands))] : (unsigned)next(), below(2) ? (uint64_t)(uintptr_t)memory : a_number());
	}
	case 51: return syscall(SYS_fcntl, fd, below(2) ? (uint64_t)(1024 + below(16)) : below(40), below(2) ? (uint64_t)(uintptr_t)memory : (uint64_t)a_pid());
	case 52: return syscall(SYS_flock, fd, (below(4) + 1) | LOCK_NB);
	case 53: {
		long at = syscall(SYS_mmap, 0, below(16384) + 1, below(8), (below(2) ? MAP_SHARED : MAP_PRIVATE) | (below(3) ? 0 : MAP_ANONYMOUS), fd, below(4) * 4096);
		if (at > 0 || at < -4095)
			syscall(SYS_mprotect, at, 4096, below(8));
		return at;
	}
	case 54: return syscall(SYS_pkey_mprotect, area, AREA, below(4) ? 3 : below(8), -1);
	case 55: made = syscall(SYS_memfd_create, "f", below(8)); return keep(made), made;
	case 56: return syscall(SYS_shmat, syscall(SYS_shmget, below(4), 4096, 0600 | (int)(below(2) ? 01000 : 0)), 0, below(2) ? 0100000 : 0);
	case 57: return syscall(SYS_msgsnd, syscall(SYS_msgget, below(4), 0600 | (int)(below(2) ? 01000 : 0)), memory, below(64), 04000);
	case 58: return syscall(SYS_semctl, syscall(SYS_semget, below(4), 1, 0600 | (int)(below(2) ? 01000 : 0)), 0, below(20), memory);
	case 59: made = syscall(SYS_mq_open, "f", O_RDWR | O_CREAT, 0600, 0); return keep(made), made;
	case 60: return syscall(SYS_add_key, below(2) ? "user" : "keyring", "f", memory, below(2) ? 16 : 0, -(int)(1 + below(6)));
	case 61: return below(2) ? syscall(SYS_keyctl, below(32), a_number(), memory, below(64), a_number())
				 : syscall(SYS_request_key, "user", a_path(), "f", -(int)(1 + below(6)));
	case 62: made = syscall(SYS_bpf, below(36), memory, below(128)); return keep(made), made;
	case 63: made = syscall(SYS_perf_event_open, memory, (int)below(2) - 1, (int)below(2) - 1, -1, 0); return keep(made), made;
	case 64: return syscall(SYS_ptrace, below(2) ? 0x4206 : below(32), a_pid(), 0, 0);
	case 65: return below(2) ? syscall(SYS_process_vm_writev, a_pid(), &part, 1, &part, 1, 0) : syscall(SYS_process_madvise, fd, &part, 1, below(26), 0);
	case 66:
		made = below(2) ? syscall(SYS_pidfd_open, a_pid(), 0) : syscall(SYS_pidfd_getfd, fd, (int)below(16), 0);
		return keep(made), made;
	case 67: {
		static const int calls[] = {SYS_kill, SYS_tkill, SYS_setpriority, SYS_ioprio_set, SYS_prlimit64, SYS_sched_setaffinity, SYS_sched_setscheduler, SYS_setpgid, SYS_pidfd_send_signal};
		int call = calls[below(COUNT(calls))];
		if (call == SYS_kill || call == SYS_tkill)
			return syscall(call, a_pid(), (int)below(65));
		if (call == SYS_setpriority || call == SYS_ioprio_set)
			return syscall(call, (int)below(4), a_pid(), (int)below(20));
		if (call == SYS_pidfd_send_signal)
			return syscall(call, fd, (int)below(65), 0, 0);
		if (call == SYS_prlimit64)
			return syscall(call, a_pid(), below(16), memory, 0);
		return syscall(call, a_pid(), below(8), memory);
	}
	case 68: return syscall(SYS_personality, below(2) ? 0x0400000 : a_number());
	case 69: return syscall(SYS_prctl, below(70), a_number(), a_number(), memory, 0);
	case 70: return below(2) ? syscall(SYS_setns, fd, some_flags()) : syscall(SYS_unshare, some_flags());
	case 71: {
		static aio_context_t context;
		static struct iocb block;
		struct iocb *list = &block;
		if (!context)
			syscall(SYS_io_setup, 8, &context);
		memset(&block, 0, sizeof(block));
		block.aio_lio_opcode = (uint16_t)below(9);
		block.aio_fildes = (uint32_t)fd;
		block.aio_buf = (uint64_t)(uintptr_t)memory;
		block.aio_nbytes = below(512);
		return syscall(SYS_io_submit, context, 1, &list);
	}
	case 72:
		made = below(3) == 0   ? syscall(SYS_io_uring_setup, 4, memory)
		       : below(2) == 0 ? syscall(SYS_userfaultfd, some_flags())
				       : syscall(SYS_fanotify_init, below(8), below(4));
		return keep(made), made;
	case 73: {
		static struct { struct file_handle head; unsigned char bytes[128]; } handle;
		int mount;
		handle.head.handle_bytes = 128;
		syscall(SYS_name_to_handle_at, dir_fd(), a_path(), &handle, &mount, 0);
		made = syscall(SYS_open_by_handle_at, fd, &handle, below(3));
		return keep(made), made;
	}
	case 74: {
		static char *none[] = {"f", 0};
		switch (below(8)) {
		case 0: return syscall(SYS_execveat, dir_fd(), a_path(), none, none, below(2) ? AT_EMPTY_PATH : 0);
		case 1: return syscall(SYS_execveat, fd, "", none, none, AT_EMPTY_PATH);
		case 2: return syscall(SYS_fork) == 0 ? 0 : 1;
		case 3: return syscall(SYS_clone, (below(2) ? SIGCHLD : (unsigned long)some_flags()) & ~(unsigned long)(CLONE_VM | CLONE_VFORK), 0, 0, 0, 0);
		case 4: return syscall(SYS_chroot, a_path());
		case 5: return syscall(SYS_pivot_root, a_path(), a_path());
		case 6: return syscall(SYS_seccomp, below(4), below(16), memory);
		default: return syscall(SYS_setresuid, below(3) - 1, below(3) - 1, below(3) - 1);
		}
	}
	default:
		switch (below(14)) {
		case 0: return syscall(SYS_sethostname, "fuzzed", 6);
		case 1: return syscall(SYS_settimeofday, memory, 0);
		case 2: return syscall(SYS_clock_settime, below(4), memory);
		case 3: return syscall(SYS_clock_adjtime, 0, memory);
		case 4: return syscall(SYS_swapon, a_path(), 0);
		case 5: return syscall(SYS_acct, a_path());
		case 6: return syscall(SYS_quotactl, (int)next(), a_path(), 0, memory);
		case 7: return syscall(SYS_init_module, memory, 4096, "");
		case 8: return syscall(SYS_finit_module, fd, "", 0);
		case 9: return syscall(SYS_kexec_load, 0, 0, 0, 0);
		case 10: return syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, below(2) ? LINUX_REBOOT_CMD_RESTART : LINUX_REBOOT_CMD_CAD_OFF, 0);
		case 11: return syscall(SYS_syslog, below(11), memory, 64);
		case 12: return syscall(SYS_vhangup);
		default: return syscall(SYS_ioperm, 0x80, 1, 1);
		}
	}
}

/* Any call with any arguments, but those that would only end or stop the child. */
static long shapeless(void)
{
	uint64_t arguments[6];
	long number;

	do
		number = (long)below(463);
	while (number == SYS_exit || number == SYS_exit_group || number == SYS_rt_sigreturn || number == SYS_vfork ||
	       number == SYS_pause || number == SYS_munmap || number == SYS_rt_sigsuspend || number == SYS_clone ||
	       number == SYS_clone3 || number == SYS_close_range);
	for (unsigned i = 0; i < 6; i++)
		switch (below(5)) {
		case 0: arguments[i] = (uint64_t)an_fd(); break;
		case 1: arguments[i] = (uint64_t)(uintptr_t)some_memory(); break;
		case 2: arguments[i] = (uint64_t)(uintptr_t)strcpy(some_memory(), a_path()); break;
		case 3: arguments[i] = (uint64_t)some_flags(); break;
		default: arguments[i] = a_number();
		}
	return syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

/* A call of the 32-bit table: other numbers, other structures, the same acts. */
static long narrow(void)
{
	static const unsigned tame[] = {1, 2, 29, 72, 119, 173, 179, 190, 252, 91, 120, 436};
	unsigned number;
	unsigned a[5];
	long result;

again:
	number = (unsigned)below(463);
	for (unsigned i = 0; i < COUNT(tame); i++)
		if (number == tame[i])
			goto again;
	for (unsigned i = 0; i < 5; i++)
		switch (below(4)) {
		case 0: a[i] = (unsigned)an_fd(); break;
		case 1: a[i] = (unsigned)(uintptr_t)some_memory(); break;
		case 2: a[i] = (unsigned)(uintptr_t)strcpy(some_memory(), a_path()); break;
		default: a[i] = (unsigned)a_number();
		}
	__asm__ volatile("int $0x80" : "=a"(result)
			 : "a"((long)number), "b"((long)a[0]), "c"((long)a[1]), "d"((long)a[2]), "S"((long)a[3]), "D"((long)a[4])
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

static void act(struct totals *totals)
{
	for (int i = 0; i < CALLS; i++) {
		long result;
		switch (below(8)) {
		case 0: result = shapeless(); break;
		case 1: result = narrow(); break;
		default: result = shaped();
		}
		if (i % 16 == 0)
			alarm(1); /* what blocks is interrupted */
		__sync_fetch_and_add(&totals->calls, 1);
		if (result >= 0)
			__sync_fetch_and_add(&totals->done, 1);
	}
}

static void ignore(int signal) { (void)signal; }

/* Descriptors of the outside that a child has in its hands. */
static void hold(void)
{
	static const struct { const char *path; int flags; } files[] = {
		{"/srv/f/not/a", O_RDWR}, {"/srv/f/not/b", O_RDONLY}, {"/srv/f/not", O_RDONLY | O_DIRECTORY}, {"/srv/f/not/a", O_PATH},
		{"/", O_RDONLY | O_DIRECTORY}, {"/srv/f/not/fifo", O_RDWR | O_NONBLOCK}, {"/dev/vda", O_RDONLY}, {"/proc/1", O_RDONLY | O_DIRECTORY},
		{"/sys/fs/cgroup", O_RDONLY | O_DIRECTORY}, {"/dev/kmsg", O_RDWR},
	};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(7001), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int sock;

	for (unsigned i = 0; i < COUNT(files); i++)
		keep(open(files[i].path, files[i].flags));
	keep(sock = socket(AF_INET, SOCK_DGRAM, 0));
	connect(sock, (struct sockaddr *)&to, sizeof(to));
	keep(socket(AF_INET, SOCK_DGRAM, 0));
	keep(socket(AF_NETLINK, SOCK_RAW, 0));
}

static void child(const char *cgroup, uint64_t seed, struct totals *totals)
{
	char procs[256];
	struct rlimit small = {1 << 16, 1 << 16};
	struct sigaction quiet = {.sa_handler = ignore};
	int entry;

	state = seed;
	for (int i = 0; i < 3; i++)
		keep(i);
	hold();
	setrlimit(RLIMIT_FSIZE, &small);
	sigaction(SIGALRM, &quiet, 0);
	sigaction(SIGPIPE, &quiet, 0);
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", cgroup);
	entry = open(procs, O_WRONLY | O_CLOEXEC);
	if (entry < 0 || write(entry, "0", 1) != 1)
		_exit(99);
	close(entry);
	act(totals);
	_exit(0);
}

static uint64_t now_ms(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

/* A child that SIGKILL does not end hangs in the kernel: said with where. */
static int ends(pid_t pid, int *status)
{
	uint64_t until = now_ms() + 30000;
	struct timespec left = {0, 100000000};
	sigset_t wanted;
	char path[64], stack[4096];

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGCHLD);
	while (waitpid(pid, status, WNOHANG | __WALL) == 0) {
		if (now_ms() >= until) {
			snprintf(path, sizeof(path), "/proc/%d/stack", pid);
			int fd = open(path, O_RDONLY | O_CLOEXEC);
			ssize_t got = fd < 0 ? 0 : read(fd, stack, sizeof(stack) - 1);
			fprintf(stderr, "fuzz: child %d cannot be ended:\n%.*s", pid, (int)(got > 0 ? got : 0), stack);
			return 0;
		}
		sigtimedwait(&wanted, 0, &left);
	}
	return 1;
}

/* A child and its children at once: one may hold a pipe's lock in its sleep, for
 * which another waits and cannot be killed. */
static void kill_all(const char *cgroup)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.kill", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		perror(path);
	close(fd);
}

int main(int argc, char **argv)
{
	struct totals *totals = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t seed, end, children = 0;

	if (argc != 6) {
		fprintf(stderr, "usage: fuzz CGROUP SECONDS SEED VICTIM-PID DAEMON-PID\n");
		return 2;
	}
	area = mmap(0, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	seed = strtoull(argv[3], 0, 0);
	pids[0] = getpid();
	pids[1] = atoi(argv[4]);
	pids[2] = atoi(argv[5]);
	pids[3] = 1;
	end = now_ms() + strtoull(argv[2], 0, 0) * 1000;
	do {
		uint64_t until = now_ms() + CHILD_MS;
		pid_t pid = fork();
		int status = 0;

		if (pid == 0)
			child(argv[1], seed, totals);
		if (pid < 0) {
			perror("fork");
			return 1;
		}
		/* A child that sleeps is ended after a while. */
		sigset_t wanted;
		sigemptyset(&wanted);
		sigaddset(&wanted, SIGCHLD);
		sigprocmask(SIG_BLOCK, &wanted, 0);
		while (waitpid(pid, &status, WNOHANG | __WALL) == 0) {
			uint64_t at = now_ms();
			struct timespec left = {0, 100000000};
			if (at >= until) {
				kill_all(argv[1]);
				if (!ends(pid, &status)) {
					fprintf(stderr, "fuzz: its seed was %llu\n", (unsigned long long)seed);
					return 1;
				}
				break;
			}
			sigtimedwait(&wanted, 0, &left);
		}
		if (WIFEXITED(status) && WEXITSTATUS(status) == 99) {
			fprintf(stderr, "fuzz: a child could not enter %s\n", argv[1]);
			return 1;
		}
		kill_all(argv[1]);
		while (waitpid(-1, 0, WNOHANG | __WALL) > 0)
			;
		seed++;
		children++;
	} while (now_ms() < end);
	printf("%llu children made %llu calls, %llu succeeded\n", (unsigned long long)children, (unsigned long long)totals->calls,
	       (unsigned long long)totals->done);
	return 0;
}
