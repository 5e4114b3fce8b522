/* Class 1, running code: every other door to a program, and to code. */

#define _GNU_SOURCE
#include "attack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define ACT(name) static int name(const struct place *p, const struct attack *a)
#define BEFORE(name) static int name(struct place *p, const struct attack *a)
#define AFTER(name) static void name(struct place *p, const struct attack *a)

extern char **environ;

/* A page of this program's own text that nothing else runs in. */
__asm__(".text; .balign 4096; own_text: .skip 4096, 0xc3; .previous");
extern char own_text[];

static const char *of(const struct place *p, const char *name)
{
	static char path[2][96];
	static int turn;

	turn ^= 1;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", p->opt, name);
	return path[turn];
}

/* Runs `how` in a child; 0 when the program exited with 42. */
static int in_child(void (*how)(const struct place *, const struct attack *), const struct place *p, const struct attack *a)
{
	int status;
	pid_t child = fork();

	if (child < 0)
		return -1;
	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		dup2(null, 2);
		how(p, a);
		_exit(errno & 0x7f);
	}
	waitpid(child, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 42)
		return 0;
	errno = WIFEXITED(status) && WEXITSTATUS(status) < 40 ? WEXITSTATUS(status) : EPERM;
	return -1;
}

#define HOW(name) static void name(const struct place *p, const struct attack *a)
#define RUN(act_name, how) ACT(act_name) { return in_child(how, p, a); }
static char *const kArguments[] = {"prog", NULL};

HOW(how_execve) { (void)a; execve(of(p, "prog"), kArguments, environ); }
RUN(run_execve, how_execve)
HOW(how_script) { (void)a; execve(of(p, "script"), kArguments, environ); }
RUN(run_script, how_script)
HOW(how_at) { (void)a; syscall(SYS_execveat, open(of(p, "prog"), O_RDONLY | O_CLOEXEC), "", kArguments, environ, AT_EMPTY_PATH); }
RUN(run_at, how_at)
HOW(how_at_path) { (void)a; syscall(SYS_execveat, open(of(p, "prog"), O_PATH | O_CLOEXEC), "", kArguments, environ, AT_EMPTY_PATH); }
RUN(run_at_path, how_at_path)
HOW(how_relative) { (void)a; syscall(SYS_execveat, open(p->opt, O_PATH | O_DIRECTORY), "prog", kArguments, environ, 0); }
RUN(run_relative, how_relative)
HOW(how_proc)
{
	char path[64];

	(void)a;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", open(of(p, "prog"), O_PATH));
	execve(path, kArguments, environ);
}
RUN(run_proc, how_proc)
HOW(how_root)
{
	char path[128];

	(void)a;
	snprintf(path, sizeof(path), "/proc/self/root/%s", of(p, "prog"));
	execve(path, kArguments, environ);
}
RUN(run_root, how_root)
HOW(how_vfork)
{
	(void)a;
	int status;
	const char *path = of(p, "prog");
	pid_t pid = vfork();

	if (pid == 0) {
		execve(path, kArguments, environ);
		_exit(errno);
	}
	waitpid(pid, &status, 0);
	_exit(WEXITSTATUS(status));
}
RUN(run_vfork, how_vfork)
static char stack[65536] __attribute__((aligned(16)));
static int cloned(void *at)
{
	execve(at, kArguments, environ);
	_exit(errno);
}
HOW(how_clone)
{
	int status;
	pid_t pid = clone(cloned, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)of(p, "prog"));

	(void)a;
	waitpid(pid, &status, 0);
	_exit(WEXITSTATUS(status));
}
RUN(run_clone, how_clone)
HOW(how_spawn)
{
	int status;
	pid_t pid;

	(void)a;
	errno = posix_spawn(&pid, of(p, "prog"), NULL, NULL, kArguments, environ);
	if (errno)
		return;
	waitpid(pid, &status, 0);
	_exit(WEXITSTATUS(status));
}
RUN(run_spawn, how_spawn)
HOW(how_int80)
{
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	uint32_t *pointers = (uint32_t *)(low + 512);
	long result;

	(void)a;
	strcpy(low, of(p, "prog"));
	pointers[0] = (uint32_t)(uintptr_t)low;
	pointers[1] = 0;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(11), "b"(low), "c"(pointers), "d"(pointers + 1) : "r8", "r9", "r10", "r11", "memory");
	errno = (int)-result;
}
RUN(run_int80, how_int80)
HOW(how_memfd)
{
	int from = open(of(p, "prog"), O_RDONLY | O_CLOEXEC);
	int fd = memfd_create("prog", 0);
	struct stat info;

	(void)a;
	if (fstat(from, &info) || sendfile(fd, from, NULL, (size_t)info.st_size) < 0)
		return;
	syscall(SYS_execveat, fd, "", kArguments, environ, AT_EMPTY_PATH);
}
RUN(run_memfd, how_memfd)
HOW(how_sealed)
{
	int from = open(of(p, "prog"), O_RDONLY | O_CLOEXEC);
	int fd = memfd_create("prog", MFD_ALLOW_SEALING);
	char path[64];
	struct stat info;

	(void)a;
	if (fstat(from, &info) || sendfile(fd, from, NULL, (size_t)info.st_size) < 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", open("/dev/null", O_RDONLY));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	execve(path, kArguments, environ);
}
RUN(run_sealed, how_sealed)
static const char kLoader[] = "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
HOW(how_loader)
{
	char *const arguments[] = {"ld.so", (char *)of(p, "dynamic"), NULL};

	(void)a;
	execve(kLoader, arguments, environ);
}
RUN(run_loader, how_loader)
HOW(how_loader_preload)
{
	char *const arguments[] = {"ld.so", "--preload", (char *)of(p, "lib.so"), "/usr/lib/x86_64-linux-gnu/libc.so.6", NULL};

	(void)a;
	execve(kLoader, arguments, environ);
}
ACT(run_loader_preload) { in_child(how_loader_preload, p, a); errno = EPERM; return p->phase == NONE ? -1 : 0; }
HOW(how_preload)
{
	char variable[128];
	char *environment[] = {variable, NULL};

	snprintf(variable, sizeof(variable), "%s=%s", a->argument, of(p, "lib.so"));
	execve("/usr/bin/touch", (char *[]){"touch", "--version", NULL}, environment);
}
ACT(run_preload) { in_child(how_preload, p, a); errno = EPERM; return p->phase == NONE ? -1 : 0; }

/* Code that the act calls itself. */
static int call(void *at)
{
	((void (*)(void))at)();
	return 0;
}
ACT(map_file)
{
	int fd = open(of(p, "code"), O_RDONLY | O_CLOEXEC);
	void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, a->number, fd, 0);

	return at == MAP_FAILED ? closing(fd, -1) : closing(fd, call(at));
}
ACT(protect_file)
{
	int fd = open(of(p, "code"), O_RDONLY | O_CLOEXEC);
	void *at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);

	(void)a;
	if (at == MAP_FAILED || mprotect(at, 4096, PROT_READ | PROT_EXEC))
		return closing(fd, -1);
	return closing(fd, call(at));
}
ACT(protect_key)
{
	int fd = open(of(p, "code"), O_RDONLY | O_CLOEXEC);
	void *at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);

	(void)a;
	if (at == MAP_FAILED || syscall(SYS_pkey_mprotect, at, 4096, PROT_READ | PROT_EXEC, -1))
		return closing(fd, -1);
	return closing(fd, call(at));
}
ACT(implied_exec) /* every readable mapping is executable */
{
	int fd = open(of(p, "code"), O_RDONLY | O_CLOEXEC);
	void *at;

	(void)a;
	if (personality(READ_IMPLIES_EXEC) < 0)
		return -1;
	at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	return at == MAP_FAILED ? closing(fd, -1) : closing(fd, call(at));
}
ACT(changed_copy) /* a private copy of granted code, changed */
{
	int fd = open("/usr/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY | O_CLOEXEC);
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0x30000);

	(void)p;
	(void)a;
	if (at == MAP_FAILED)
		return closing(fd, -1);
	memcpy(at, trace_code, trace_code_size);
	if (mprotect(at, 4096, PROT_READ | PROT_EXEC))
		return closing(fd, -1);
	return closing(fd, call(at));
}
ACT(writable_code) /* granted code, mapped writable and executable at once */
{
	int fd = open("/usr/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY | O_CLOEXEC);
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, fd, 0x30000);

	(void)p;
	(void)a;
	if (at == MAP_FAILED)
		return closing(fd, -1);
	memcpy(at, trace_code, trace_code_size);
	return closing(fd, call(at));
}
ACT(exec_then_writable) /* granted code made writable later */
{
	int fd = open("/usr/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY | O_CLOEXEC);
	char *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0x30000);

	(void)p;
	(void)a;
	if (at == MAP_FAILED || mprotect(at, 4096, PROT_READ | PROT_WRITE | PROT_EXEC))
		return closing(fd, -1);
	memcpy(at, trace_code, trace_code_size);
	return closing(fd, call(at));
}
ACT(text_then_writable) /* its own text */
{
	char *at = own_text;

	(void)p;
	(void)a;
	if (mprotect(at, 4096, PROT_READ | PROT_WRITE))
		return -1;
	memcpy(at, trace_code, trace_code_size);
	if (mprotect(at, 4096, PROT_READ | PROT_EXEC))
		return -1;
	return call(at);
}
ACT(anonymous)
{
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, a->number | MAP_ANONYMOUS, -1, 0);

	(void)p;
	if (at == MAP_FAILED)
		return -1;
	memcpy(at, trace_code, trace_code_size);
	return call(at);
}
ACT(anonymous_later)
{
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)p;
	(void)a;
	if (at == MAP_FAILED)
		return -1;
	memcpy(at, trace_code, trace_code_size);
	return mprotect(at, 4096, PROT_READ | PROT_EXEC) ? -1 : call(at);
}
ACT(anonymous_moved) /* mremap of a part, then mprotect */
{
	char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *moved;

	(void)p;
	(void)a;
	memcpy(at, trace_code, trace_code_size);
	moved = mremap(at, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, at + (1 << 24));
	return moved == MAP_FAILED || mprotect(moved, 4096, PROT_READ | PROT_EXEC) ? -1 : call(moved);
}
ACT(on_the_stack)
{
	unsigned char code[64] __attribute__((aligned(64))); /* in one page */
	char *page = (char *)((uintptr_t)code & ~4095ul);

	(void)p;
	(void)a;
	memcpy(code, trace_code, trace_code_size);
	if (mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC))
		return -1;
	return call(code);
}
ACT(heap_later)
{
	char *at = (char *)(((uintptr_t)sbrk(16384) + 4095) & ~4095ul);

	(void)p;
	(void)a;
	memcpy(at, trace_code, trace_code_size);
	return mprotect(at, 4096, PROT_READ | PROT_EXEC) ? -1 : call(at);
}
ACT(implied_heap) /* brk itself maps executable memory under this personality */
{
	char *at;

	(void)p;
	(void)a;
	if (personality(READ_IMPLIES_EXEC) < 0)
		return -1;
	at = (char *)(((uintptr_t)sbrk(1 << 22) + 8191) & ~4095ul);
	if ((intptr_t)at < 4096)
		return -1;
	memcpy(at, trace_code, trace_code_size);
	return call(at);
}
ACT(memfd_code)
{
	int fd = memfd_create("code", MFD_CLOEXEC);
	void *at;

	(void)p;
	if (ftruncate(fd, 4096) || write(fd, trace_code, trace_code_size) < 0)
		return -1;
	at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, a->number, fd, 0);
	return at == MAP_FAILED ? -1 : call(at);
}
ACT(memfd_later)
{
	int fd = memfd_create("code", MFD_CLOEXEC);
	void *at;

	(void)p;
	(void)a;
	if (ftruncate(fd, 4096) || write(fd, trace_code, trace_code_size) < 0)
		return -1;
	at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	return at == MAP_FAILED || mprotect(at, 4096, PROT_READ | PROT_EXEC) ? -1 : call(at);
}
ACT(shared_memory)
{
	int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0700);
	char *at = shmat(id, NULL, 0);
	void *code;

	(void)p;
	(void)a;
	if (at == (void *)-1)
		return -1;
	memcpy(at, trace_code, trace_code_size);
	code = shmat(id, NULL, SHM_EXEC | SHM_RDONLY);
	shmctl(id, IPC_RMID, NULL);
	return code == (void *)-1 ? -1 : call(code);
}
ACT(remapped) /* remap_file_pages under READ_IMPLIES_EXEC went past the hook once */
{
	int fd = memfd_create("code", MFD_CLOEXEC);
	char *at;

	(void)p;
	(void)a;
	if (ftruncate(fd, 8192) || write(fd, trace_code, trace_code_size) < 0)
		return -1;
	at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED || personality(READ_IMPLIES_EXEC) < 0 || remap_file_pages(at + 4096, 4096, 0, 0, 0))
		return -1;
	return call(at + 4096);
}
ACT(own_memory)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	uintptr_t at = (uintptr_t)own_text;

	(void)p;
	(void)a;
	if (fd < 0 || pwrite(fd, trace_code, trace_code_size, (off_t)at) < 0)
		return closing(fd, -1);
	return closing(fd, call((void *)at));
}
static int traced(int by_process_vm)
{
	uintptr_t at = (uintptr_t)own_text;
	int status;
	pid_t pid = fork();
	int refused = 0;

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(errno);
		raise(SIGSTOP);
		call((void *)at);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status)) {
		errno = WEXITSTATUS(status);
		return -1;
	}
	if (by_process_vm) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/mem", pid);
		fd = open(path, O_RDWR);
		refused = fd < 0 || pwrite(fd, trace_code, trace_code_size, (off_t)at) < 0;
	} else {
		for (unsigned i = 0; i < trace_code_size && !refused; i += 8) {
			long word = 0;

			memcpy(&word, trace_code + i, trace_code_size - i < 8 ? trace_code_size - i : 8);
			refused = ptrace(PTRACE_POKETEXT, pid, at + i, word) != 0;
		}
	}
	if (refused) {
		int saved = errno;

		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		errno = saved;
		return -1;
	}
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);
	return 0;
}
ACT(trace_me) { (void)p; (void)a; return traced(0); }
ACT(trace_me_mem) { (void)p; (void)a; return traced(1); }
ACT(write_child)
{
	int status;
	pid_t pid = fork();
	struct iovec local = {(void *)"changed", 7}, remote = {(void *)&stack, 7};
	long result;
	int saved;

	(void)a;
	(void)p;
	if (pid == 0) {
		pause();
		_exit(0);
	}
	result = process_vm_writev(pid, &local, 1, &remote, 1, 0);
	saved = errno;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	errno = saved;
	return result < 0 ? -1 : 0;
}
/* A handler that the kernel would run for a format of files. */
AFTER(unregister) { (void)p; (void)a; put("/proc/sys/fs/binfmt_misc/attack", "-1"); }
ACT(register_format)
{
	char line[200];
	int fd = open("/proc/sys/fs/binfmt_misc/register", O_WRONLY | O_CLOEXEC);

	(void)a;
	snprintf(line, sizeof(line), ":attack:M::attack::%s:", of(p, "prog"));
	return fd < 0 ? -1 : closing(fd, write(fd, line, strlen(line)));
}
static uint64_t formats(const struct place *p, const struct attack *a)
{
	(void)p;
	(void)a;
	return access("/proc/sys/fs/binfmt_misc/attack", F_OK) == 0;
}
BEFORE(mount_formats)
{
	(void)p;
	(void)a;
	return access("/proc/sys/fs/binfmt_misc/register", F_OK) && system("mount -t binfmt_misc none /proc/sys/fs/binfmt_misc");
}
/* A receipt is bound to a program; another program in its clothes. */
BEFORE(bound_receipt)
{
	char id[80];

	(void)a;
	return issue("a.write", p->dir, ",\"exe\":\"/usr/bin/touch\"", id);
}
HOW(how_touch)
{
	char *const arguments[] = {"touch", (char *)PATH_OF(p, "new"), NULL};

	(void)a;
	execve("/usr/bin/touch", arguments, environ);
}
ACT(write_as_touch)
{
	int fd;

	if (p->phase != NONE) {
		in_child(how_touch, p, a);
		errno = EPERM;
		return access(PATH_OF(p, "new"), F_OK);
	}
	fd = open(PATH_OF(p, "new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	return closing(fd, fd);
}
ACT(rename_exe) /* /proc/self/exe says touch from here on */
{
	int fd = open("/usr/bin/touch", O_RDONLY | O_CLOEXEC);

	if (p->phase == NONE) {
		prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, fd, 0, 0);
		prctl(PR_SET_NAME, "touch");
	}
	return write_as_touch(p, a);
}
/* Starts touch under ptrace and turns its first openat into another. */
ACT(traced_touch)
{
	int status;
	pid_t pid;

	if (p->phase != NONE)
		return write_as_touch(p, a);
	pid = fork();
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(errno);
		execve("/usr/bin/touch", (char *[]){"touch", "-c", "/tmp/nothing", NULL}, environ);
		_exit(errno);
	}
	for (int i = 0; i < 400; i++) {
		struct user_regs_struct registers;

		if (waitpid(pid, &status, 0) != pid || WIFEXITED(status) || WIFSIGNALED(status))
			break;
		if (ptrace(PTRACE_GETREGS, pid, 0, &registers) == 0 && registers.orig_rax == SYS_close) {
			/* creat(path) with the path on its stack */
			const char *path = PATH_OF(p, "new");
			uintptr_t at = (registers.rsp - 4096) & ~7ul;

			for (size_t k = 0; k <= strlen(path); k += 8) {
				long word = 0;

				memcpy(&word, path + k, strlen(path) - k < 8 ? strlen(path) - k : 8);
				ptrace(PTRACE_POKEDATA, pid, at + k, word);
			}
			registers.orig_rax = SYS_creat;
			registers.rdi = at;
			registers.rsi = 0644;
			ptrace(PTRACE_SETREGS, pid, 0, &registers);
		}
		if (ptrace(PTRACE_SYSCALL, pid, 0, 0))
			break;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	errno = EPERM;
	return access(PATH_OF(p, "new"), F_OK);
}
#define EXEC(name_, how) {.class = 1, .name = "exec: " name_, .effect = TRACE, .twin = RIGHT, .variants = 1, .act = how}
#define LOAD(name_, how, flags) {.class = 1, .name = "load: " name_, .effect = TRACE, .twin = RIGHT, .variants = 2, .act = how, .number = flags}
#define ANON(name_, how, flags) {.class = 1, .name = "load: " name_, .effect = TRACE, .twin = STANDING, .act = how, .number = flags}

const struct attack exec_attacks[] = {
	{.class = 0, .name = "use up: exec", .act = run_execve},
	EXEC("execve", run_execve),
	EXEC("a script and its interpreter", run_script),
	EXEC("execveat with AT_EMPTY_PATH", run_at),
	EXEC("execveat of an O_PATH descriptor", run_at_path),
	EXEC("execveat relative to a directory", run_relative),
	EXEC("a name in /proc/self/fd", run_proc),
	EXEC("a name in /proc/self/root", run_root),
	EXEC("vfork and execve", run_vfork),
	EXEC("clone(CLONE_VM | CLONE_VFORK) and execve", run_clone),
	EXEC("posix_spawn", run_spawn),
	EXEC("32-bit execve", run_int80),
	{.class = 1, .name = "exec: a copy in a memfd", .effect = TRACE, .twin = FREE, .act = run_memfd},
	{.class = 1, .name = "exec: a sealed memfd by its name in /proc", .effect = TRACE, .twin = FREE, .act = run_sealed},
	{.class = 1, .name = "exec: ld.so with the program", .effect = TRACE, .twin = FREE, .act = run_loader},
	{.class = 1, .name = "exec: a handler for binfmt_misc", .effect = STATE, .twin = FREE, .before = mount_formats, .act = register_format, .state = formats, .after = unregister},
	{.class = 1, .name = "load: ld.so --preload", .effect = TRACE, .twin = RIGHT, .act = run_loader_preload},
	{.class = 1, .name = "load: LD_PRELOAD", .effect = TRACE, .twin = FREE, .act = run_preload, .argument = "LD_PRELOAD"},
	LOAD("mmap, private", map_file, MAP_PRIVATE),
	LOAD("mmap, shared", map_file, MAP_SHARED),
	LOAD("mprotect", protect_file, 0),
	LOAD("pkey_mprotect", protect_key, 0),
	{.class = 1, .name = "load: mmap under READ_IMPLIES_EXEC", .effect = TRACE, .twin = FREE, .act = implied_exec},
	ANON("a changed private copy of granted code", changed_copy, 0),
	ANON("granted code mapped writable and executable", writable_code, 0),
	ANON("granted code made writable", exec_then_writable, 0),
	ANON("its own text, changed", text_then_writable, 0),
	ANON("anonymous memory", anonymous, MAP_PRIVATE),
	ANON("anonymous shared memory", anonymous, MAP_SHARED),
	ANON("anonymous memory made executable", anonymous_later, 0),
	ANON("anonymous memory, moved, made executable", anonymous_moved, 0),
	ANON("the stack", on_the_stack, 0),
	ANON("the heap", heap_later, 0),
	{.class = 1, .name = "load: the heap, born executable under READ_IMPLIES_EXEC", .effect = TRACE, .twin = STANDING, .act = implied_heap},
	{.class = 1, .name = "load: memfd, private", .effect = TRACE, .twin = FREE, .act = memfd_code, .number = MAP_PRIVATE},
	{.class = 1, .name = "load: memfd, shared", .effect = TRACE, .twin = FREE, .act = memfd_code, .number = MAP_SHARED},
	{.class = 1, .name = "load: memfd made executable", .effect = TRACE, .twin = FREE, .act = memfd_later},
	{.class = 1, .name = "load: SysV shared memory with SHM_EXEC", .effect = TRACE, .twin = FREE, .act = shared_memory},
	{.class = 1, .name = "load: remap_file_pages", .effect = TRACE, .twin = FREE, .act = remapped},
	{.class = 1, .name = "load: /proc/self/mem over its own text", .effect = TRACE, .twin = FREE, .act = own_memory},
	{.class = 1, .name = "load: PTRACE_TRACEME and POKETEXT by its own parent", .effect = TRACE, .twin = FREE, .act = trace_me},
	{.class = 1, .name = "load: PTRACE_TRACEME and /proc/PID/mem", .effect = TRACE, .twin = FREE, .act = trace_me_mem},
	{.class = 1, .name = "load: LD_AUDIT", .effect = TRACE, .twin = FREE, .act = run_preload, .argument = "LD_AUDIT"},
	{.class = 1, .name = "load: process_vm_writev into a child", .effect = RETURNS, .twin = FREE, .act = write_child},
	{.class = 1, .name = "exec: another program where a receipt names one", .effect = SCENE, .twin = RIGHT, .before = bound_receipt, .act = write_as_touch},
	{.class = 1, .name = "exec: PR_SET_MM_EXE_FILE to the program that a receipt names", .effect = SCENE, .twin = RIGHT, .before = bound_receipt, .act = rename_exe},
	{.class = 1, .name = "exec: the program that a receipt names, traced", .effect = SCENE, .twin = RIGHT, .before = bound_receipt, .act = traced_touch},
	{0},
};
