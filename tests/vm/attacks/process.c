/* Class 4: another process: leaving, reaching out of, or being handed something
 * from outside the domain. */

#define _GNU_SOURCE
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <linux/userfaultfd.h>
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define ACT(name) static int name(const struct place *p, const struct attack *a)
#define BEFORE(name) static int name(struct place *p, const struct attack *a)
#define AFTER(name) static void name(struct place *p, const struct attack *a)

/* For acts by a child: 0 when the child says 0, else its errno. */
static int said(pid_t pid)
{
	int status;

	if (pid < 0)
		return -1;
	if (waitpid(pid, &status, __WALL) != pid)
		return -1;
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	return errno ? -1 : 0;
}
static int write_file(const struct place *p)
{
	int fd = open(PATH_OF(p, "f"), O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -1 : closing(fd, write(fd, "changed", 7));
}

/* Still governed, whatever became of it. */
ACT(by_child)
{
	pid_t pid = fork();

	(void)a;
	if (pid == 0)
		_exit(write_file(p) ? errno : 0);
	return said(pid);
}
ACT(by_orphan) /* a grandchild in a session of its own, whose parent is gone */
{
	int ends[2];
	int error = ECHILD;
	pid_t pid;

	(void)a;
	if (pipe(ends))
		return -1;
	pid = fork();
	if (pid == 0) {
		setsid();
		if (fork())
			_exit(0);
		for (int i = 0; i < 1000 && getppid() == getpgid(0); i++)
			usleep(1000);
		error = write_file(p) ? errno : 0;
		if (write(ends[1], &error, sizeof(error)) < 0)
			_exit(1);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	close(ends[1]);
	if (read(ends[0], &error, sizeof(error)) != sizeof(error))
		error = EPIPE;
	errno = error;
	return error ? -1 : 0;
}
static int thread_error;
static void *in_thread(void *at)
{
	thread_error = write_file(at) ? errno : 0;
	return NULL;
}
ACT(by_thread)
{
	pthread_t thread;

	(void)a;
	pthread_create(&thread, NULL, in_thread, (void *)p);
	pthread_join(thread, NULL);
	errno = thread_error;
	return errno ? -1 : 0;
}
static char stack[65536] __attribute__((aligned(16)));
static int cloned(void *at) { return write_file(at) ? errno : 0; }
ACT(by_clone)
{
	return said(clone(cloned, stack + sizeof(stack), a->number | SIGCHLD, (void *)p));
}
ACT(by_many) /* a storm of births while others act */
{
	(void)a;
	for (int i = 0; i < 60; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			pid = fork();
			if (pid == 0 || i % 2)
				write_file(p);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	errno = EPERM;
	return p->phase == NONE ? -1 : 0;
}
ACT(after_setuid)
{
	pid_t pid = fork();

	(void)a;
	if (pid == 0) {
		if (setresgid(0, 0, 0) || setresuid(7, 7, 0) || setresuid(0, 0, 0))
			_exit(errno);
		_exit(write_file(p) ? errno : 0);
	}
	return said(pid);
}
static pid_t clone_into(int cgroup, uint64_t flags)
{
	struct clone_args args = {.flags = CLONE_INTO_CGROUP | flags, .exit_signal = SIGCHLD, .cgroup = (uint64_t)cgroup};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}
ACT(into_cgroup)
{
	int cgroup = open(a->argument, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t pid;

	if (cgroup < 0)
		return -1;
	pid = clone_into(cgroup, 0);
	if (pid == 0)
		_exit(write_file(p) ? errno : 0);
	return said(pid);
}
/* A cgroup that the outside made and handed over. */
BEFORE(pass_cgroup)
{
	(void)a;
	mkdir("/sys/fs/cgroup/elsewhere", 0755);
	p->given = open("/sys/fs/cgroup/elsewhere", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p->given < 0;
}
ACT(into_passed_cgroup)
{
	pid_t pid = clone_into(p->given, 0);

	(void)a;
	if (pid == 0)
		_exit(write_file(p) ? errno : 0);
	return said(pid);
}
/* A process there that stays. */
ACT(settle)
{
	int ends[2];
	char byte;
	pid_t pid;

	(void)a;
	if (pipe2(ends, O_CLOEXEC))
		return -1;
	pid = clone_into(p->given, 0);
	if (pid == 0) {
		setsid();
		if (write(ends[1], "", 1) != 1)
			_exit(1);
		close_range(0, ~0u, 0);
		for (;;)
			pause();
	}
	return pid < 0 || read(ends[0], &byte, 1) != 1 ? -1 : 0;
}
static uint64_t settlers(const struct place *p, const struct attack *a)
{
	char text[512];
	uint64_t lines = 0;

	(void)p;
	(void)a;
	text[0] = 0;
	get("/sys/fs/cgroup/elsewhere/cgroup.procs", text, sizeof(text));
	for (const char *at = text; *at; at++)
		lines += *at == '\n';
	return lines;
}
AFTER(evict)
{
	(void)p;
	(void)a;
	put("/sys/fs/cgroup/elsewhere/cgroup.kill", "1");
}
ACT(leave_by_write)
{
	int fd = open(a->argument, O_WRONLY | O_CLOEXEC);

	(void)p;
	if (fd < 0 || write(fd, "0", 1) != 1)
		return closing(fd, -1);
	step();
	return closing(fd, 0);
}
static int is_there(struct place *p, const struct attack *a)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "/proc/%d/cgroup", p->actor);
	get(path, text, sizeof(text));
	return strstr(text, a->value) != NULL;
}
ACT(make_cgroup)
{
	char path[256], text[512];
	char *at;

	(void)p;
	get("/proc/self/cgroup", text, sizeof(text));
	at = strstr(text, "0::");
	if (!at)
		return -1;
	at[strcspn(at, "\n")] = 0;
	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/%s", at + 3, a->argument);
	if (mkdir(path, 0755))
		return -1;
	rmdir(path);
	return 0;
}
/* Its own cgroup's files; in the twin, those of one that the outside made. */
BEFORE(make_elsewhere) { (void)p; (void)a; return mkdir("/sys/fs/cgroup/elsewhere", 0755) && errno != EEXIST; }
AFTER(remove_elsewhere) { (void)p; (void)a; rmdir("/sys/fs/cgroup/elsewhere"); }
ACT(write_own_cgroup)
{
	char path[600], text[512];
	char *at;
	int fd;

	get("/proc/self/cgroup", text, sizeof(text));
	at = strstr(text, "0::");
	if (!at)
		return -1;
	at[strcspn(at, "\n")] = 0;
	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/%s", p->phase == NONE ? at + 3 : "/elsewhere", a->argument);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -1 : closing(fd, write(fd, a->value, strlen(a->value)));
}

/* Signals to the outside. */
ACT(by_kill) { return kill(p->victim, a->number); }
ACT(by_tgkill) { return (int)syscall(SYS_tgkill, p->victim, p->victim, a->number); }
ACT(by_tkill) { return (int)syscall(SYS_tkill, p->victim, a->number); }
ACT(by_group) { return kill(-p->victim, a->number); }
ACT(by_sigqueue) { return sigqueue(p->victim, a->number, (union sigval){.sival_int = 1}); }
ACT(by_pidfd)
{
	int fd = (int)syscall(SYS_pidfd_open, p->victim, 0);

	return fd < 0 ? -1 : closing(fd, syscall(SYS_pidfd_send_signal, fd, a->number, NULL, 0));
}
ACT(by_given_pidfd) { return (int)syscall(SYS_pidfd_send_signal, p->given, a->number, NULL, 0); }
BEFORE(pass_pidfd) { (void)a; p->given = (int)syscall(SYS_pidfd_open, p->victim, 0); return p->given < 0; }
ACT(by_owner) /* the kernel sends it for the owner of a pipe */
{
	int ends[2];

	(void)a;
	if (pipe(ends) || fcntl(ends[0], F_SETOWN, p->victim) || fcntl(ends[0], F_SETSIG, SIGKILL) || fcntl(ends[0], F_SETFL, O_ASYNC) ||
	    write(ends[1], "x", 1) != 1)
		return -1;
	usleep(50000);
	return 0;
}
ACT(by_owner_ex)
{
	struct f_owner_ex owner = {.type = F_OWNER_PGRP, .pid = p->victim};
	int ends[2];

	(void)a;
	if (pipe(ends) || fcntl(ends[0], F_SETOWN_EX, &owner) || fcntl(ends[0], F_SETSIG, SIGKILL) || fcntl(ends[0], F_SETFL, O_ASYNC) ||
	    write(ends[1], "x", 1) != 1)
		return -1;
	usleep(50000);
	return 0;
}
ACT(by_socket_owner) /* SIGURG is ignored; SIGIO ends a process */
{
	int ends[2];
	int owner = p->victim;
	int one = 1;

	(void)a;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) || ioctl(ends[0], 0x8902 /* SIOCSPGRP */, &owner) || ioctl(ends[0], FIOASYNC, &one) ||
	    write(ends[1], "x", 1) != 1)
		return -1;
	usleep(50000);
	return 0;
}
/* Another's memory and descriptors. */
ACT(vm_write)
{
	struct iovec local = {(void *)"changed", 7}, remote = {(void *)p->victim_at, 7};

	(void)a;
	return process_vm_writev(p->victim, &local, 1, &remote, 1, 0) < 0 ? -1 : 0;
}
ACT(vm_read)
{
	char bytes[7];
	struct iovec local = {bytes, 7}, remote = {(void *)p->victim_at, 7};

	(void)a;
	return process_vm_readv(p->victim, &local, 1, &remote, 1, 0) < 0 ? -1 : 0;
}
static int proc_file(const struct place *p, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", p->victim, name);
	return open(path, flags | O_CLOEXEC);
}
ACT(mem_write)
{
	int fd = proc_file(p, "mem", O_RDWR);

	(void)a;
	return fd < 0 ? -1 : closing(fd, pwrite(fd, "changed", 7, (off_t)p->victim_at));
}
BEFORE(pass_mem) { (void)a; p->given = proc_file(p, "mem", O_RDWR); return p->given < 0; }
ACT(given_mem) { (void)a; return pwrite(p->given, "changed", 7, (off_t)p->victim_at) < 0 ? -1 : 0; }
ACT(mem_read)
{
	char bytes[7];
	int fd = proc_file(p, "mem", O_RDONLY);

	(void)a;
	return fd < 0 ? -1 : closing(fd, pread(fd, bytes, 7, (off_t)p->victim_at));
}
ACT(environ_read)
{
	char bytes[64];
	int fd = proc_file(p, "environ", O_RDONLY);

	(void)a;
	return fd < 0 ? -1 : closing(fd, read(fd, bytes, sizeof(bytes)) > 0 ? 0 : -1);
}
ACT(through_root) /* the files of another through its root */
{
	char path[200];
	int fd;

	(void)a;
	snprintf(path, sizeof(path), "/proc/%d/root%s", p->victim, PATH_OF(p, "f"));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -1 : closing(fd, write(fd, "changed", 7));
}
ACT(attach) { (void)a; if (ptrace(PTRACE_ATTACH, p->victim, 0, 0)) return -1; step(); return 0; }
ACT(seize) { (void)a; if (ptrace(PTRACE_SEIZE, p->victim, 0, 0) || ptrace(PTRACE_INTERRUPT, p->victim, 0, 0)) return -1; step(); return 0; }
static int is_traced(struct place *p, const struct attack *a)
{
	char path[64], text[4096];
	char *at;

	(void)a;
	snprintf(path, sizeof(path), "/proc/%d/status", p->victim);
	get(path, text, sizeof(text));
	at = strstr(text, "TracerPid:");
	return at && atoi(at + 10) != 0;
}
ACT(get_fd)
{
	int fd = (int)syscall(SYS_pidfd_open, p->victim, 0);
	int got = (int)syscall(SYS_pidfd_getfd, fd, 0, 0);

	(void)a;
	return closing(got, closing(fd, got));
}
ACT(compare) { (void)a; return syscall(SYS_kcmp, getpid(), p->victim, 0, 0, 0) < 0 ? -1 : 0; }
ACT(robust_list)
{
	void *head;
	size_t length;

	(void)a;
	return (int)syscall(SYS_get_robust_list, p->victim, &head, &length);
}
ACT(advise)
{
	int fd = (int)syscall(SYS_pidfd_open, p->victim, 0);
	struct iovec range = {(void *)p->victim_at, 4096};

	(void)a;
	return closing(fd, syscall(SYS_process_madvise, fd, &range, 1, MADV_COLD, 0));
}

/* How another is run. */
ACT(renice) { (void)a; return setpriority(PRIO_PROCESS, (id_t)p->victim, 7); }
ACT(renice_group) { (void)a; return setpriority(PRIO_PGRP, (id_t)p->victim, 7); }
ACT(affinity)
{
	cpu_set_t one;

	(void)a;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	return sched_setaffinity(p->victim, sizeof(one), &one);
}
ACT(scheduler) { (void)a; return sched_setscheduler(p->victim, SCHED_IDLE, &(struct sched_param){0}); }
ACT(scheduler_fifo) { (void)a; return sched_setscheduler(p->victim, SCHED_FIFO, &(struct sched_param){.sched_priority = 3}); }
ACT(attributes)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = {48, SCHED_BATCH, 0, 5, 0, 0, 0, 0};

	(void)a;
	return (int)syscall(SYS_sched_setattr, p->victim, &attr, 0);
}
ACT(io_priority) { (void)a; return (int)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, p->victim, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0)); }
ACT(limit)
{
	struct rlimit none = {1, 1};

	(void)a;
	return prlimit(p->victim, RLIMIT_NOFILE, &none, NULL);
}
ACT(move_pages_of)
{
	void *page = (void *)p->victim_at;
	int node = 0, status = 0;

	(void)a;
	return (int)syscall(SYS_move_pages, p->victim, 1, &page, &node, &status, 4 /* MPOL_MF_MOVE_ALL */);
}
ACT(migrate_pages_of)
{
	unsigned long from = 1, to = 1;

	(void)a;
	return (int)syscall(SYS_migrate_pages, p->victim, 64, &from, &to);
}
ACT(victim_file)
{
	int fd = proc_file(p, a->argument, O_WRONLY);

	return fd < 0 ? -1 : closing(fd, write(fd, a->value, strlen(a->value)));
}

/* SysV and POSIX IPC with the outside; keyrings. */
BEFORE(make_queue)
{
	struct { long type; char text[8]; } message = {1, "secret"};

	(void)a;
	p->number[0] = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
	return p->number[0] < 0 || msgsnd((int)p->number[0], &message, 8, 0);
}
static uint64_t queue_state(const struct place *p, const struct attack *a)
{
	struct msqid_ds info;

	(void)a;
	return msgctl((int)p->number[0], IPC_STAT, &info) ? 99 : (uint64_t)info.msg_qnum * 1000000 + info.msg_perm.mode;
}
AFTER(remove_queue) { (void)a; msgctl((int)p->number[0], IPC_RMID, NULL); }
ACT(send_to_queue)
{
	struct { long type; char text[8]; } message = {1, "out"};

	(void)a;
	return msgsnd((int)p->number[0], &message, 8, IPC_NOWAIT);
}
ACT(take_from_queue)
{
	struct { long type; char text[8]; } message;

	(void)a;
	return msgrcv((int)p->number[0], &message, 8, 0, IPC_NOWAIT) < 0 ? -1 : 0;
}
ACT(change_queue)
{
	struct msqid_ds info = {.msg_perm = {.mode = 0666}, .msg_qbytes = 4096};

	(void)a;
	return msgctl((int)p->number[0], IPC_SET, &info);
}
ACT(delete_queue) { (void)a; return msgctl((int)p->number[0], IPC_RMID, NULL); }
BEFORE(make_semaphore) { (void)a; p->number[0] = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600); return p->number[0] < 0; }
static uint64_t semaphore_state(const struct place *p, const struct attack *a) { (void)a; int value = semctl((int)p->number[0], 0, GETVAL); return (uint64_t)(unsigned)value; }
AFTER(remove_semaphore) { (void)a; semctl((int)p->number[0], 0, IPC_RMID); }
ACT(raise_semaphore) { (void)a; return semop((int)p->number[0], &(struct sembuf){.sem_op = 3}, 1); }
ACT(set_semaphore) { (void)a; return semctl((int)p->number[0], 0, SETVAL, 5); }
ACT(delete_semaphore) { (void)a; return semctl((int)p->number[0], 0, IPC_RMID); }
BEFORE(make_segment)
{
	(void)a;
	p->number[0] = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
	p->number[1] = (long)shmat((int)p->number[0], NULL, 0);
	return p->number[1] == -1;
}
static uint64_t segment_state(const struct place *p, const struct attack *a)
{
	struct shmid_ds info;

	(void)a;
	return *(unsigned char *)p->number[1] + (shmctl((int)p->number[0], IPC_STAT, &info) ? 1000u : info.shm_perm.mode * 1000u);
}
AFTER(remove_segment) { (void)a; shmdt((void *)p->number[1]); shmctl((int)p->number[0], IPC_RMID, NULL); }
ACT(write_segment)
{
	char *at = shmat((int)p->number[0], NULL, 0);

	(void)a;
	if (at == (void *)-1)
		return -1;
	at[0] = 'x';
	return 0;
}
ACT(delete_segment) { (void)a; return shmctl((int)p->number[0], IPC_RMID, NULL); }
BEFORE(make_mq)
{
	struct mq_attr size = {.mq_maxmsg = 4, .mq_msgsize = 16};

	(void)a;
	snprintf(p->text, sizeof(p->text), "/outside-%d-%d", p->row, (int)p->phase);
	p->number[0] = mq_open(p->text, O_RDWR | O_CREAT | O_NONBLOCK, 0600, &size);
	return p->number[0] < 0 || mq_send((mqd_t)p->number[0], "secret", 6, 0);
}
static uint64_t mq_state(const struct place *p, const struct attack *a)
{
	struct mq_attr now;

	(void)a;
	return mq_getattr((mqd_t)p->number[0], &now) ? 99 : (uint64_t)now.mq_curmsgs;
}
AFTER(remove_mq) { (void)a; mq_close((mqd_t)p->number[0]); mq_unlink(p->text); }
ACT(mq_write)
{
	mqd_t queue = mq_open(p->text, O_WRONLY | O_NONBLOCK);

	(void)a;
	return queue < 0 ? -1 : mq_send(queue, "out", 3, 0);
}
ACT(mq_take)
{
	char text[16];
	mqd_t queue = mq_open(p->text, O_RDONLY | O_NONBLOCK);

	(void)a;
	return queue < 0 ? -1 : mq_receive(queue, text, sizeof(text), NULL) < 0 ? -1 : 0;
}
BEFORE(pass_mq) { if (make_mq(p, a)) return -1; p->given = dup((int)p->number[0]); return 0; }
ACT(mq_given) { (void)a; return mq_send((mqd_t)p->given, "out", 3, 0); }
ACT(mq_new)
{
	struct mq_attr size = {.mq_maxmsg = 4, .mq_msgsize = 16};
	char name[32];
	mqd_t queue;

	(void)a;
	snprintf(name, sizeof(name), "/inside-%d", (int)p->phase);
	queue = mq_open(name, O_RDWR | O_CREAT, 0600, &size);
	return queue < 0 ? -1 : 0;
}
static uint64_t inside_mq(const struct place *p, const struct attack *a)
{
	char name[32];
	mqd_t queue;

	(void)a;
	snprintf(name, sizeof(name), "/inside-%d", (int)p->phase);
	queue = mq_open(name, O_RDONLY);
	if (queue < 0)
		return 0;
	mq_close(queue);
	return 1;
}
/* The keyring of uid 0 is every root process's. */
static int add_key(const char *type, const char *name, const char *payload, int keyring) { return (int)syscall(SYS_add_key, type, name, payload, strlen(payload), keyring); }
BEFORE(make_key)
{
	(void)a;
	snprintf(p->text, sizeof(p->text), "outside-%d-%d", p->row, (int)p->phase);
	p->number[0] = add_key("user", p->text, "first", -4 /* user keyring */);
	return p->number[0] < 0 || syscall(SYS_keyctl, 5 /* SETPERM */, p->number[0], 0x3f3f0000);
}
static uint64_t key_state(const struct place *p, const struct attack *a)
{
	char text[64] = "";
	long got = syscall(SYS_keyctl, 11 /* READ */, p->number[0], text, sizeof(text) - 1);
	char list[4096];
	long all = syscall(SYS_keyctl, 11, -4, list, sizeof(list));

	(void)a;
	return (uint64_t)got * 1000 + (uint64_t)(unsigned char)text[0] + (uint64_t)all * 100000;
}
AFTER(remove_key) { (void)a; syscall(SYS_keyctl, 9 /* UNLINK */, p->number[0], -4); }
ACT(key_add) { (void)a; return add_key("user", phase_names[p->phase], "data", -4) < 0 ? -1 : 0; }
ACT(key_update) { (void)a; return (int)syscall(SYS_keyctl, 2 /* UPDATE */, p->number[0], "other!", 6); }
ACT(key_revoke) { (void)a; return (int)syscall(SYS_keyctl, 3 /* REVOKE */, p->number[0]); }
ACT(key_read)
{
	char text[64];

	(void)a;
	return syscall(SYS_keyctl, 11, p->number[0], text, sizeof(text)) < 0 ? -1 : 0;
}
/* Things of the kernel that the outside opened. */
BEFORE(serve_ring)
{
	int file = open(PATH_OF(p, "f"), O_RDWR | O_CLOEXEC);

	ring_serves(a->number, file);
	_Static_assert(sizeof(struct io_uring_params) <= sizeof(p->text), "the parameters fit");
	memcpy(p->text, &ring_params[a->number], sizeof(struct io_uring_params));
	return closing(file, 0);
}
ACT(inherited_ring)
{
	struct ring ring;
	struct io_uring_sqe sqe = {.opcode = IORING_OP_WRITE, .fd = 0, .flags = IOSQE_FIXED_FILE, .addr = (uint64_t) "changed", .len = 7};

	if (ring_map(&ring, a->number ? POLLED_RING_FD : RING_FD, p->text))
		return -1;
	return ring_do(&ring, &sqe) < 0 ? -1 : 0;
}
static char *fault_page;
BEFORE(pass_faults) /* an outside process lets us fill its pages in */
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range;

	(void)a;
	fault_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p->given = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	range = (struct uffdio_register){.range = {(uint64_t)fault_page, 4096}, .mode = UFFDIO_REGISTER_MODE_MISSING};
	p->victim_at = (uint64_t)fault_page;
	return p->given < 0 || ioctl(p->given, UFFDIO_API, &api) || ioctl(p->given, UFFDIO_REGISTER, &range);
}
static uint64_t page_filled(const struct place *p, const struct attack *a)
{
	unsigned char in = 0;

	(void)p;
	(void)a;
	mincore(fault_page, 4096, &in);
	return in & 1;
}
AFTER(drop_page) { (void)p; (void)a; munmap(fault_page, 4096); }
ACT(fill_page)
{
	static char page[4096] __attribute__((aligned(4096))) = "from inside";
	struct uffdio_copy copy = {.dst = p->victim_at, .src = (uint64_t)page, .len = 4096};

	(void)a;
	return ioctl(p->given, UFFDIO_COPY, &copy);
}
ACT(given_write) { (void)p; return write(p->given, a->value, strlen(a->value)) < 0 ? -1 : 0; }
static uint64_t file_sum(const struct place *p, const struct attack *a)
{
	char text[256];
	uint64_t sum = 5381;

	(void)p;
	get(a->watch, text, sizeof(text));
	for (char *at = text; *at; at++)
		sum = sum * 33 + (unsigned char)*at;
	return sum;
}
BEFORE(pass_file)
{
	(void)p;
	p->given = open(a->watch, O_RDWR | O_CLOEXEC);
	return p->given < 0;
}
/* A terminal that is another's. */
BEFORE(open_terminal)
{
	int slave;
	char path[64];

	p->number[0] = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (p->number[0] < 0 || grantpt((int)p->number[0]) || unlockpt((int)p->number[0]) || ptsname_r((int)p->number[0], path, sizeof(path)))
		return -1;
	snprintf(p->text, sizeof(p->text), "%s", path);
	slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	p->number[1] = slave;
	(void)a;
	return slave < 0;
}
AFTER(close_terminal) { (void)a; close((int)p->number[0]); close((int)p->number[1]); }
/* What came out at the master, and what waits as input at the slave. */
static uint64_t terminal_state(const struct place *p, const struct attack *a)
{
	char text[256];
	ssize_t out = read((int)p->number[0], text, sizeof(text));
	int in = 0;
	struct { unsigned short r, c, x, y; } size = {0};

	(void)a;
	ioctl((int)p->number[1], FIONREAD, &in);
	ioctl((int)p->number[1], 0x5413 /* TIOCGWINSZ */, &size);
	return (uint64_t)(out > 0 ? out : 0) + (uint64_t)in * 1000 + size.r * 1000000ull;
}
ACT(write_terminal)
{
	int fd = open(p->text, O_WRONLY | O_NOCTTY | O_CLOEXEC);

	(void)a;
	return fd < 0 ? -1 : closing(fd, write(fd, "\033[2Jboo\n", 8));
}
ACT(write_terminal_as_peer) /* TIOCGPTPEER opens a terminal that is its own; then another */
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

	ioctl(master, 0x5441 /* TIOCGPTPEER */, O_RDWR | O_NOCTTY);
	return closing(master, write_terminal(p, a));
}
ACT(inject_terminal)
{
	int fd = open(p->text, O_RDONLY | O_NOCTTY | O_CLOEXEC);

	(void)a;
	if (fd < 0)
		return -1;
	for (const char *at = "id\n"; *at; at++)
		if (ioctl(fd, 0x5412 /* TIOCSTI */, at))
			return closing(fd, -1);
	return closing(fd, 0);
}
ACT(resize_terminal)
{
	struct { unsigned short r, c, x, y; } size = {33, 7, 0, 0};
	int fd = open(p->text, O_RDONLY | O_NOCTTY | O_CLOEXEC);

	(void)a;
	return fd < 0 ? -1 : closing(fd, ioctl(fd, 0x5414 /* TIOCSWINSZ */, &size));
}
/* A FIFO of the outside's, read empty. */
BEFORE(full_fifo)
{
	(void)a;
	if (mkfifo(PATH_OF(p, "fifo"), 0644))
		return -1;
	p->number[0] = open(PATH_OF(p, "fifo"), O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return write((int)p->number[0], "secret", 6) != 6;
}
static uint64_t fifo_state(const struct place *p, const struct attack *a) { int count = 0; (void)a; ioctl((int)p->number[0], FIONREAD, &count); return (uint64_t)count; }
AFTER(close_first) { (void)a; close((int)p->number[0]); }
ACT(drain_fifo)
{
	char text[16];
	int fd = open(PATH_OF(p, "fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	(void)a;
	return fd < 0 ? -1 : closing(fd, read(fd, text, sizeof(text)));
}

#define STAY(name_, how) {.class = 4, .name = name_, .effect = SCENE, .twin = RIGHT, .act = how}
#define HIT(name_, how, signal) {.class = 4, .name = name_, .effect = VICTIM, .twin = FREE, .act = how, .number = signal}
#define LEAK(name_, how) {.class = 4, .name = name_, .effect = RETURNS, .twin = FREE, .act = how}
#define TOLD(name_, make, how, state_, after_) {.class = 4, .name = name_, .effect = STATE, .twin = FREE, .before = make, .act = how, .state = state_, .after = after_}

const struct attack process_attacks[] = {
	STAY("child", by_child),
	STAY("orphan in a session of its own", by_orphan),
	STAY("thread", by_thread),
	{.class = 4, .name = "clone(CLONE_VM)", .effect = SCENE, .twin = RIGHT, .act = by_clone, .number = CLONE_VM},
	{.class = 4, .name = "clone(CLONE_VM | CLONE_VFORK)", .effect = SCENE, .twin = RIGHT, .act = by_clone, .number = CLONE_VM | CLONE_VFORK},
	STAY("storm of births", by_many),
	STAY("uid changed and changed back", after_setuid),
	{.class = 4, .name = "CLONE_INTO_CGROUP: the root", .effect = SCENE, .twin = FREE, .act = into_cgroup, .argument = "/sys/fs/cgroup/init.scope"},
	{.class = 4, .name = "CLONE_INTO_CGROUP: another's slice", .effect = SCENE, .twin = FREE, .act = into_cgroup, .argument = "/sys/fs/cgroup/system.slice/proofgate.service"},
	{.class = 4, .name = "CLONE_INTO_CGROUP: a passed cgroup", .effect = SCENE, .twin = FREE, .before = pass_cgroup, .after = remove_elsewhere, .act = into_passed_cgroup},
	{.class = 4, .name = "CLONE_INTO_CGROUP: a process that stays there", .effect = STATE, .twin = FREE, .before = pass_cgroup, .act = settle, .state = settlers, .after = evict},
	{.class = 4, .name = "leave by cgroup.procs of the root", .effect = STEP, .twin = FREE, .act = leave_by_write, .argument = "/sys/fs/cgroup/init.scope/cgroup.procs", .value = "0::/init.scope", .at_step = is_there},
	{.class = 4, .name = "make a cgroup below its own", .effect = RETURNS, .twin = FREE, .act = make_cgroup, .argument = "below"},
	{.class = 4, .name = "make its cgroup threaded", .effect = RETURNS, .twin = FREE, .before = make_elsewhere, .after = remove_elsewhere, .act = write_own_cgroup, .argument = "cgroup.type", .value = "threaded"},
	{.class = 4, .name = "lift its cgroup's limit of processes", .effect = RETURNS, .twin = FREE, .before = make_elsewhere, .after = remove_elsewhere, .act = write_own_cgroup, .argument = "pids.max", .value = "max"},
	HIT("kill", by_kill, SIGKILL),
	HIT("kill: stop", by_kill, SIGSTOP),
	HIT("kill: terminate", by_kill, SIGTERM),
	HIT("kill a process group", by_group, SIGKILL),
	HIT("tgkill", by_tgkill, SIGKILL),
	HIT("tkill", by_tkill, SIGKILL),
	HIT("sigqueue", by_sigqueue, SIGTERM),
	HIT("pidfd_send_signal", by_pidfd, SIGKILL),
	{.class = 4, .name = "pidfd_send_signal to a passed pidfd", .effect = VICTIM, .twin = FREE, .before = pass_pidfd, .act = by_given_pidfd, .number = SIGKILL},
	HIT("signal by F_SETOWN and F_SETSIG", by_owner, 0),
	HIT("signal by F_SETOWN_EX to a group", by_owner_ex, 0),
	HIT("signal by SIOCSPGRP of a socket", by_socket_owner, 0),
	HIT("process_vm_writev", vm_write, 0),
	LEAK("process_vm_readv", vm_read),
	HIT("/proc/PID/mem, write", mem_write, 0),
	LEAK("/proc/PID/mem, read", mem_read),
	{.class = 4, .name = "/proc/PID/mem, passed", .effect = VICTIM, .twin = FREE, .before = pass_mem, .act = given_mem},
	LEAK("/proc/PID/environ", environ_read),
	{.class = 4, .name = "file through /proc/PID/root", .effect = SCENE, .twin = FREE, .act = through_root},
	{.class = 4, .name = "PTRACE_ATTACH", .effect = STEP, .twin = FREE, .act = attach, .at_step = is_traced},
	{.class = 4, .name = "PTRACE_SEIZE", .effect = STEP, .twin = FREE, .act = seize, .at_step = is_traced},
	LEAK("pidfd_getfd", get_fd),
	LEAK("kcmp", compare),
	LEAK("get_robust_list", robust_list),
	LEAK("process_madvise", advise),
	HIT("setpriority", renice, 0),
	HIT("setpriority of a group", renice_group, 0),
	HIT("sched_setaffinity", affinity, 0),
	HIT("sched_setscheduler", scheduler, 0),
	HIT("sched_setscheduler: real time", scheduler_fifo, 0),
	HIT("sched_setattr", attributes, 0),
	HIT("ioprio_set", io_priority, 0),
	HIT("prlimit", limit, 0),
	LEAK("move_pages", move_pages_of),
	LEAK("migrate_pages", migrate_pages_of),
	{.class = 4, .name = "/proc/PID/oom_score_adj", .effect = VICTIM, .twin = FREE, .act = victim_file, .argument = "oom_score_adj", .value = "900"},
	{.class = 4, .name = "/proc/PID/timerslack_ns", .effect = VICTIM, .twin = FREE, .act = victim_file, .argument = "timerslack_ns", .value = "77777"},
	TOLD("SysV message queue: send", make_queue, send_to_queue, queue_state, remove_queue),
	TOLD("SysV message queue: take", make_queue, take_from_queue, queue_state, remove_queue),
	TOLD("SysV message queue: change", make_queue, change_queue, queue_state, remove_queue),
	TOLD("SysV message queue: delete", make_queue, delete_queue, queue_state, remove_queue),
	TOLD("SysV semaphore: raise", make_semaphore, raise_semaphore, semaphore_state, remove_semaphore),
	TOLD("SysV semaphore: set", make_semaphore, set_semaphore, semaphore_state, remove_semaphore),
	TOLD("SysV semaphore: delete", make_semaphore, delete_semaphore, semaphore_state, remove_semaphore),
	TOLD("SysV shared memory: write", make_segment, write_segment, segment_state, remove_segment),
	TOLD("SysV shared memory: delete", make_segment, delete_segment, segment_state, remove_segment),
	TOLD("POSIX message queue: send", make_mq, mq_write, mq_state, remove_mq),
	TOLD("POSIX message queue: take", make_mq, mq_take, mq_state, remove_mq),
	TOLD("POSIX message queue: send through a passed descriptor", pass_mq, mq_given, mq_state, remove_mq),
	TOLD("POSIX message queue: create", NULL, mq_new, inside_mq, NULL),
	TOLD("user keyring: add a key", make_key, key_add, key_state, remove_key),
	TOLD("user keyring: change a key", make_key, key_update, key_state, remove_key),
	TOLD("user keyring: revoke a key", make_key, key_revoke, key_state, remove_key),
	{.class = 4, .name = "user keyring: read a key", .effect = RETURNS, .twin = FREE, .before = make_key, .act = key_read, .after = remove_key},
	{.class = 4, .name = "inherited io_uring", .effect = SCENE, .twin = FREE, .before = serve_ring, .act = inherited_ring},
	{.class = 4, .name = "inherited io_uring with a polling thread outside", .effect = SCENE, .twin = FREE, .before = serve_ring, .act = inherited_ring, .number = 1},
	TOLD("passed userfaultfd", pass_faults, fill_page, page_filled, drop_page),
	{.class = 4, .name = "passed descriptor of a sysctl", .effect = STATE, .twin = FREE, .before = pass_file, .act = given_write, .state = file_sum, .value = "changed", .watch = "/proc/sys/kernel/domainname"},
	TOLD("terminal of another: write", open_terminal, write_terminal, terminal_state, close_terminal),
	TOLD("terminal of another: write, after TIOCGPTPEER", open_terminal, write_terminal_as_peer, terminal_state, close_terminal),
	TOLD("terminal of another: TIOCSTI", open_terminal, inject_terminal, terminal_state, close_terminal),
	TOLD("terminal of another: resize", open_terminal, resize_terminal, terminal_state, close_terminal),
	{.class = 4, .name = "FIFO of the outside, read empty", .gap = "reading is judged where a domain asks for it", .effect = STATE, .twin = FREE, .before = full_fifo, .act = drain_fifo, .state = fifo_state, .after = close_first},
	{0},
};
