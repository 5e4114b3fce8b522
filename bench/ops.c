/* ops: what one operation costs, by the guest's monotonic clock.
 *
 * Under `scripts/vm --icount` that clock counts instructions, so a "ns" here is
 * an instruction. Each operation runs in batches short enough that most see no
 * timer tick; between batches the program sleeps, so that what runs behind an
 * act (the daemon's drain, the listener) runs outside the measured time. Prints
 * one JSON object a line: {"op", "min", "median", "max", "batches"}.
 *
 *   ops [--under seccomp|landlock|fanotify] [--only NAME,NAME] [--batches N]
 *   ops --serve        accepts and reads what the others send, at idle priority
 *
 * Static: it runs before anything else is installed, and under every peer. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TMPFS "/srv/bench/tmpfs"
#define EXT4 "/srv/bench/ext4"
#define PROGRAM "/opt/bench/nothing"
#define LIBRARY "/usr/lib/bench/library"
enum { PORT = 7171, MAX_BATCHES = 201 };

static void die(const char *what)
{
	fprintf(stderr, "ops: %s: %s\n", what, strerror(errno));
	exit(1);
}
#define MUST(call)                         \
	({                                 \
		__typeof__(call) r_ = (call); \
		if (r_ < 0)                \
			die(#call);        \
		r_;                        \
	})

static char page[4096];
static int null_fd, tmpfs_fd, ext4_fd, udp_fd, library_fd;
static struct sockaddr_in peer;

static void op_getppid(void) { syscall(SYS_getppid); }
static void op_write_null(void) { MUST(write(null_fd, page, 1)); }
static void op_write_1(void) { MUST(pwrite(tmpfs_fd, page, 1, 0)); }
static void op_pwrite(void) { MUST(pwrite(tmpfs_fd, page, sizeof(page), 0)); }
static void op_pread(void) { MUST(pread(tmpfs_fd, page, sizeof(page), 0)); }
static void op_write_ext4(void) { MUST(pwrite(ext4_fd, page, sizeof(page), 0)); }
static void op_open_read(void) { close(MUST(open(TMPFS "/file", O_RDONLY))); }
static void op_open_write(void) { close(MUST(open(TMPFS "/file", O_WRONLY))); }
static void op_create_unlink(void)
{
	close(MUST(open(TMPFS "/new", O_WRONLY | O_CREAT | O_EXCL, 0600)));
	MUST(unlink(TMPFS "/new"));
}
static void op_stat(void)
{
	struct stat info;
	MUST(stat(TMPFS "/file", &info));
}
static int renames;
static void op_rename(void)
{
	if (renames++ & 1)
		MUST(rename(TMPFS "/b", TMPFS "/a"));
	else
		MUST(rename(TMPFS "/a", TMPFS "/b"));
}
static void op_connect(void)
{
	/* A reset at close leaves no TIME_WAIT behind, whose number would count. */
	struct linger reset = {1, 0};
	int fd = MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(connect(fd, (struct sockaddr *)&peer, sizeof(peer)));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
}
static void op_udp(void)
{
	MUST(sendto(udp_fd, page, 1, 0, (struct sockaddr *)&peer, sizeof(peer)));
}
static void op_exec(void)
{
	static char *const arguments[] = {(char *)PROGRAM, NULL};
	static char *const environment[] = {NULL};
	int status = 0;
	pid_t child = vfork();

	if (child == 0) {
		execve(PROGRAM, arguments, environment);
		_exit(126);
	}
	MUST(waitpid(child, &status, 0));
	if (status != 0) {
		fprintf(stderr, "ops: %s ended with %#x\n", PROGRAM, status);
		exit(1);
	}
}
static void op_mmap(void)
{
	void *at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, library_fd, 0);
	if (at == MAP_FAILED)
		die("mmap");
	munmap(at, 4096);
}
static void op_mmap_exec(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, library_fd, 0);
	if (at == MAP_FAILED)
		die("mmap for execution");
	munmap(at, 4096);
}

/* Operations a batch: about 0.3 M instructions each. */
static const struct {
	const char *name;
	void (*run)(void);
	int count;
} ops[] = {
	{"getppid", op_getppid, 1000},
	{"write 1 B /dev/null", op_write_null, 500},
	{"write 1 B tmpfs", op_write_1, 300},
	{"pwrite 4 KiB tmpfs", op_pwrite, 150},
	{"pread 4 KiB tmpfs", op_pread, 150},
	{"write 4 KiB ext4", op_write_ext4, 80},
	{"open+close reading", op_open_read, 60},
	{"open+close writing", op_open_write, 50},
	{"create+unlink", op_create_unlink, 24},
	{"stat", op_stat, 200},
	{"rename", op_rename, 40},
	{"TCP connect+close", op_connect, 8},
	{"UDP send", op_udp, 40},
	{"vfork+exec", op_exec, 4},
	{"mmap+munmap", op_mmap, 60},
	{"mmap+munmap for execution", op_mmap_exec, 60},
};
enum { OPS = sizeof(ops) / sizeof(ops[0]) };

static uint64_t now(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static uint64_t clock_cost(void)
{
	uint64_t best = UINT64_MAX;
	for (int i = 0; i < 101; i++) {
		uint64_t from = now(), took = now() - from;
		if (took < best)
			best = took;
	}
	return best;
}

static void measure(int op, int batches)
{
	static double cost[MAX_BATCHES];
	const struct timespec pause = {0, 3000000};
	uint64_t overhead = clock_cost();

	ops[op].run(); /* first sight: page cache, marks, slabs */
	for (int b = 0; b < batches; b++) {
		nanosleep(&pause, NULL);
		ops[op].run(); /* what waking up leaves behind */
		uint64_t from = now();
		for (int i = 0; i < ops[op].count; i++)
			ops[op].run();
		uint64_t took = now() - from;
		cost[b] = (double)(took > overhead ? took - overhead : 0) / ops[op].count;
	}
	qsort(cost, (size_t)batches, sizeof(cost[0]), by_value);
	printf("{\"op\":\"%s\",\"min\":%.1f,\"median\":%.1f,\"max\":%.1f,\"batches\":%d}\n", ops[op].name,
	       cost[0], cost[batches / 2], cost[batches - 1], batches);
	fflush(stdout);
}

static void serve(void)
{
	struct sched_param none = {0};
	struct pollfd waiting[2];
	int yes = 1;

	peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	waiting[0].fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	waiting[1].fd = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	setsockopt(waiting[0].fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	for (int i = 0; i < 2; i++) {
		MUST(bind(waiting[i].fd, (struct sockaddr *)&peer, sizeof(peer)));
		waiting[i].events = POLLIN;
	}
	MUST(listen(waiting[0].fd, 4096));
	/* Never in front of the program that is measured. */
	MUST(sched_setscheduler(0, SCHED_IDLE, &none));
	close(MUST(open("/run/bench-listening", O_CREAT | O_WRONLY, 0600)));
	for (;;) {
		int fd;
		poll(waiting, 2, -1);
		while ((fd = accept(waiting[0].fd, NULL, NULL)) >= 0)
			close(fd);
		while (recv(waiting[1].fd, page, sizeof(page), 0) >= 0) {
		}
	}
}

/* Thirty system calls that no measured operation uses are refused. */
static void under_seccomp(void)
{
	static const int refused[30] = {
		SYS_ptrace, SYS_mount, SYS_umount2, SYS_swapon, SYS_swapoff, SYS_reboot, SYS_init_module,
		SYS_delete_module, SYS_finit_module, SYS_kexec_load, SYS_kexec_file_load, SYS_bpf,
		SYS_perf_event_open, SYS_process_vm_readv, SYS_process_vm_writev, SYS_keyctl, SYS_add_key,
		SYS_request_key, SYS_userfaultfd, SYS_setns, SYS_unshare, SYS_pivot_root, SYS_chroot,
		SYS_acct, SYS_settimeofday, SYS_iopl, SYS_ioperm, SYS_open_by_handle_at, SYS_quotactl,
		SYS_syslog};
	struct sock_filter code[4 + 2 * 30 + 1];
	int n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (int i = 0; i < 30; i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)refused[i], 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {(unsigned short)n, code};
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

static void landlock_tree(int rules, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr tree = {.allowed_access = access};
	tree.parent_fd = MUST(open(path, O_PATH | O_CLOEXEC));
	MUST(syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &tree, 0));
	close(tree.parent_fd);
}

/* Writing and names in two trees, programs from one: what canon grants. */
static void under_landlock(void)
{
	const uint64_t write = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
			       LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
			       LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER;
	struct landlock_ruleset_attr attr = {.handled_access_fs = write | LANDLOCK_ACCESS_FS_EXECUTE};
	int rules = (int)MUST(syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0));

	landlock_tree(rules, TMPFS, write);
	landlock_tree(rules, EXT4, write);
	landlock_tree(rules, "/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE);
	landlock_tree(rules, "/opt/bench", LANDLOCK_ACCESS_FS_EXECUTE);
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	MUST(syscall(SYS_landlock_restrict_self, rules, 0));
}

/* Opening and executing on both mounts are put to a listener, who says yes:
 * the events that fapolicyd asks for. */
static pid_t under_fanotify(void)
{
	int ready[2];
	char byte;
	MUST(pipe(ready));
	pid_t child = MUST(fork());

	if (child == 0) {
		int fd = MUST(fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY | O_LARGEFILE));
		for (int i = 0; i < 2; i++)
			MUST(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN_PERM | FAN_OPEN_EXEC_PERM,
					   AT_FDCWD, i ? TMPFS : "/"));
		MUST(write(ready[1], "", 1));
		for (;;) {
			char events[4096];
			ssize_t got = MUST(read(fd, events, sizeof(events)));
			const struct fanotify_event_metadata *event = (const void *)events;
			for (; FAN_EVENT_OK(event, got); event = FAN_EVENT_NEXT(event, got)) {
				struct fanotify_response answer = {event->fd, FAN_ALLOW};
				MUST(write(fd, &answer, sizeof(answer)));
				close(event->fd);
			}
		}
	}
	MUST(read(ready[0], &byte, 1));
	return child;
}

static int wanted(const char *only, const char *name)
{
	const char *at = only;
	size_t length = strlen(name);

	if (!only)
		return 1;
	while (*at) {
		const char *end = strchrnul(at, ',');
		if ((size_t)(end - at) == length && memcmp(at, name, length) == 0)
			return 1;
		at = *end ? end + 1 : end;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *under = "", *only = NULL;
	int batches = 21;
	pid_t listener = 0;

	peer.sin_family = AF_INET;
	peer.sin_port = htons(PORT);
	peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--serve"))
			serve();
		else if (!strcmp(argv[i], "--under") && i + 1 < argc)
			under = argv[++i];
		else if (!strcmp(argv[i], "--only") && i + 1 < argc)
			only = argv[++i];
		else if (!strcmp(argv[i], "--batches") && i + 1 < argc)
			batches = atoi(argv[++i]);
		else {
			fprintf(stderr, "ops: unknown argument '%s'\n", argv[i]);
			return 2;
		}
	}
	if (batches < 5 || batches > MAX_BATCHES) {
		fprintf(stderr, "ops: 5 to %d batches\n", MAX_BATCHES);
		return 2;
	}
	if (!strcmp(under, "seccomp"))
		under_seccomp();
	else if (!strcmp(under, "landlock"))
		under_landlock();
	else if (!strcmp(under, "fanotify"))
		listener = under_fanotify();
	else if (*under) {
		fprintf(stderr, "ops: no condition '%s'\n", under);
		return 2;
	}
	null_fd = MUST(open("/dev/null", O_WRONLY));
	tmpfs_fd = MUST(open(TMPFS "/data", O_RDWR));
	ext4_fd = MUST(open(EXT4 "/data", O_RDWR));
	library_fd = MUST(open(LIBRARY, O_RDONLY));
	udp_fd = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	for (int op = 0; op < OPS; op++)
		if (wanted(only, ops[op].name))
			measure(op, batches);
	if (listener > 0)
		kill(listener, SIGKILL);
	return 0;
}
