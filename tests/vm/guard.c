/* guard PID|child VERB…: acts on another process by every door, and prints for
 * each "verb OK" or "verb ERRNO". "child" is one of its own. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char page[4096] __attribute__((aligned(4096)));

static long affinity(pid_t pid)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	return sched_setaffinity(pid, sizeof(one), &one);
}

static long scheduler(pid_t pid)
{
	struct sched_param none = {0};

	return sched_setscheduler(pid, SCHED_BATCH, &none);
}

static long limit(pid_t pid)
{
	struct rlimit few = {64, 64};

	return prlimit(pid, RLIMIT_NOFILE, &few, NULL);
}

static long move_pages_of(pid_t pid)
{
	void *pages[] = {page};
	int nodes[] = {0}, status[] = {0};

	return syscall(SYS_move_pages, pid, 1ul, pages, nodes, status, 0);
}

static long migrate_pages_of(pid_t pid)
{
	unsigned long nodes = 1;

	return syscall(SYS_migrate_pages, pid, 64ul, &nodes, &nodes);
}

static long open_memory(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	return open(path, O_RDWR | O_CLOEXEC);
}

static long write_memory(pid_t pid)
{
	struct iovec from = {page, 8}, to = {page, 8};

	return process_vm_writev(pid, &from, 1, &to, 1, 0);
}

static long kill_by_pidfd(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -1 : syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
}

/* The kernel sends this signal itself, when the pipe becomes readable. */
static long kill_by_owner(pid_t pid)
{
	int ends[2];

	if (pipe(ends) || fcntl(ends[0], F_SETOWN, pid) || fcntl(ends[0], F_SETSIG, SIGKILL) ||
	    fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK))
		return -1;
	return write(ends[1], "x", 1);
}

static long act(const char *verb, pid_t pid)
{
	if (!strcmp(verb, "nice")) return setpriority(PRIO_PROCESS, (id_t)pid, 5);
	if (!strcmp(verb, "affinity")) return affinity(pid);
	if (!strcmp(verb, "scheduler")) return scheduler(pid);
	if (!strcmp(verb, "ioprio")) return syscall(SYS_ioprio_set, 1, pid, 3 << 13);
	if (!strcmp(verb, "limit")) return limit(pid);
	if (!strcmp(verb, "move_pages")) return move_pages_of(pid);
	if (!strcmp(verb, "migrate_pages")) return migrate_pages_of(pid);
	if (!strcmp(verb, "ptrace")) return ptrace(PTRACE_SEIZE, pid, 0, 0);
	if (!strcmp(verb, "kill")) return kill(pid, SIGKILL);
	if (!strcmp(verb, "mem")) return open_memory(pid);
	if (!strcmp(verb, "vm_write")) return write_memory(pid);
	if (!strcmp(verb, "pidfd_kill")) return kill_by_pidfd(pid);
	if (!strcmp(verb, "sigio")) return kill_by_owner(pid);
	fprintf(stderr, "guard: unknown verb '%s'\n", verb);
	exit(2);
}

int main(int argc, char **argv)
{
	pid_t child = 0;
	pid_t pid;

	if (argc < 3)
		return 2;
	if (!strcmp(argv[1], "child")) {
		child = fork();
		if (child == 0) {
			pause();
			_exit(0);
		}
	}
	pid = child ? child : atoi(argv[1]);
	for (int i = 2; i < argc; i++)
		printf("%s %s\n", argv[i], act(argv[i], pid) < 0 ? strerrorname_np(errno) : "OK");
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	return 0;
}
