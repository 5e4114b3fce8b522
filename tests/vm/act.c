/* act: tries acts, one an argument ("verb path …"), and prints for each
 * "verb OK" or "verb ERRNO". The tests look at the effects, not only at this.
 *
 * storm N M VERB …: N processes try M times each; prints how many succeeded. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/fs.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char kText[] = "written by act\n";
#define LENGTH (sizeof(kText) - 1)

/* 0, or -1 and errno; closes what it opened. */
static int closing(int fd, long result)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return result < 0 ? -1 : 0;
}

static int into(const char *path, int flags, long (*write_some)(int))
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		return -1;
	return closing(fd, write_some(fd));
}

static long by_write(int fd) { return write(fd, kText, LENGTH); }
static long by_pwritev2(int fd)
{
	struct iovec part = {(void *)kText, LENGTH};
	return pwritev2(fd, &part, 1, 0, 0);
}
static long by_ftruncate(int fd) { return ftruncate(fd, 1); }
static long by_fallocate(int fd) { return fallocate(fd, 0, 0, 8192); }
static long by_sendfile(int fd)
{
	int from = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
	return closing(from, sendfile(fd, from, NULL, 4));
}
static long by_copy(int fd)
{
	int from = open("/srv/source", O_RDONLY | O_CLOEXEC);
	return closing(from, copy_file_range(from, NULL, fd, NULL, 4, 0));
}
static long by_splice(int fd)
{
	int ends[2];
	long result;

	if (pipe(ends) || write(ends[1], kText, LENGTH) < 0)
		return -1;
	result = splice(ends[0], NULL, fd, NULL, LENGTH, 0);
	close(ends[1]);
	return closing(ends[0], result);
}
static long by_mmap(int fd)
{
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return -1;
	at[0] = 'X';
	return munmap(at, 4096);
}
static long by_mprotect(int fd)
{
	char *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED || mprotect(at, 4096, PROT_READ | PROT_WRITE))
		return -1;
	at[0] = 'X';
	return munmap(at, 4096);
}
static long by_fchmod(int fd) { return fchmod(fd, 0600); }

static int execute(const char *path, int from_fd, int flags)
{
	char *const arguments[] = {"prog", NULL};
	int report[2];
	int error = 0;
	int status;
	pid_t child;

	if (pipe2(report, O_CLOEXEC))
		return -1;
	child = fork();
	if (child < 0)
		return -1;
	if (child == 0) {
		if (from_fd >= 0)
			syscall(SYS_execveat, from_fd, "", arguments, environ, flags);
		else
			execve(path, arguments, environ);
		error = errno;
		if (write(report[1], &error, sizeof(error)) < 0)
			_exit(99);
		_exit(98);
	}
	close(report[1]);
	if (read(report[0], &error, sizeof(error)) == sizeof(error)) {
		waitpid(child, &status, 0);
		close(report[0]);
		errno = error;
		return -1;
	}
	close(report[0]);
	waitpid(child, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 42)
		return 0; /* the program ran: it exits with 42 */
	errno = ENOEXEC;
	return -1;
}

static int execute_at(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : closing(fd, execute(path, fd, AT_EMPTY_PATH));
}

static int execute_memfd(const char *path)
{
	int from = open(path, O_RDONLY | O_CLOEXEC);
	int fd = memfd_create("prog", MFD_CLOEXEC);
	struct stat info;

	if (from < 0 || fd < 0 || fstat(from, &info) || sendfile(fd, from, NULL, (size_t)info.st_size) < 0)
		return -1;
	close(from);
	return closing(fd, execute("memfd", fd, AT_EMPTY_PATH));
}

static int execute_by_loader(const char *path)
{
	char *const arguments[] = {"ld.so", (char *)path, NULL};
	int status;
	pid_t child = fork();

	if (child < 0)
		return -1;
	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);
		dup2(null, 2);
		execve("/lib64/ld-linux-x86-64.so.2", arguments, environ);
		_exit(errno == EPERM ? 126 : 98);
	}
	waitpid(child, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 42)
		return 0;
	errno = EPERM; /* whichever step refused: it did not run */
	return -1;
}

static int load(const char *path, int at_once)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *at;

	if (fd < 0)
		return -1;
	at = mmap(NULL, 4096, at_once ? PROT_READ | PROT_EXEC : PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return closing(fd, -1);
	return closing(fd, at_once ? 0 : mprotect(at, 4096, PROT_READ | PROT_EXEC));
}

static int load_memfd(void)
{
	int fd = memfd_create("code", MFD_CLOEXEC);
	void *at;

	if (fd < 0 || ftruncate(fd, 4096))
		return -1;
	at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	return closing(fd, at == MAP_FAILED ? -1 : 0);
}

static socklen_t parse(const char *ip, const char *port, struct sockaddr_storage *to)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET, ip, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((unsigned short)atoi(port));
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, ip, &v6->sin6_addr) != 1) {
		fprintf(stderr, "act: %s is no address\n", ip);
		exit(2);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((unsigned short)atoi(port));
	return sizeof(*v6);
}

enum how { CONNECT, SENDTO, SENDMSG, SENDMMSG, FASTOPEN, REAIM, CONNECT_SENDFILE };

static int reach(const char *ip, const char *port, int type, enum how how)
{
	struct sockaddr_storage to;
	socklen_t length = parse(ip, port, &to);
	struct iovec part = {(void *)kText, LENGTH};
	struct mmsghdr message = {.msg_hdr = {.msg_name = &to, .msg_namelen = length, .msg_iov = &part, .msg_iovlen = 1}};
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	int fd = socket(to.ss_family, type | SOCK_CLOEXEC, 0);
	int from;

	if (fd < 0)
		return -1;
	switch (how) {
	case CONNECT:
		if (connect(fd, (struct sockaddr *)&to, length))
			return closing(fd, -1);
		return closing(fd, send(fd, kText, LENGTH, MSG_NOSIGNAL));
	case CONNECT_SENDFILE:
		if (connect(fd, (struct sockaddr *)&to, length))
			return closing(fd, -1);
		from = open("/srv/source", O_RDONLY | O_CLOEXEC);
		return closing(fd, closing(from, sendfile(fd, from, NULL, 4)));
	case SENDTO:
		return closing(fd, sendto(fd, kText, LENGTH, MSG_NOSIGNAL, (struct sockaddr *)&to, length));
	case SENDMSG:
		return closing(fd, sendmsg(fd, &message.msg_hdr, MSG_NOSIGNAL));
	case SENDMMSG:
		return closing(fd, sendmmsg(fd, &message, 1, MSG_NOSIGNAL));
	case FASTOPEN:
		return closing(fd, sendto(fd, kText, LENGTH, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&to, length));
	case REAIM:
		connect(fd, &nowhere, sizeof(nowhere));
		if (connect(fd, (struct sockaddr *)&to, length))
			return closing(fd, -1);
		return closing(fd, send(fd, kText, LENGTH, MSG_NOSIGNAL));
	}
	return closing(fd, -1);
}

static int reach_unix(const char *path, int type, int connected)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	socklen_t length = sizeof(to);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (path[0] == '@') { /* abstract */
		memcpy(to.sun_path + 1, path + 1, strlen(path) - 1);
		length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	} else {
		strncpy(to.sun_path, path, sizeof(to.sun_path) - 1);
	}
	if (fd < 0)
		return -1;
	if (!connected)
		return closing(fd, sendto(fd, kText, LENGTH, MSG_NOSIGNAL, (struct sockaddr *)&to, length));
	if (connect(fd, (struct sockaddr *)&to, length))
		return closing(fd, -1);
	return closing(fd, send(fd, kText, LENGTH, MSG_NOSIGNAL));
}

static int link_temporary(const char *dir, const char *name)
{
	char proc[64];
	int fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);

	if (fd < 0)
		return -1;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	return closing(fd, linkat(AT_FDCWD, proc, AT_FDCWD, name, AT_SYMLINK_FOLLOW));
}

static int use_bpf(void)
{
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	return (int)syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &attributes, sizeof(attributes));
}

/* Leaves by writing itself into another cgroup. */
static int move_to(const char *procs)
{
	return into(procs, O_WRONLY, by_write) && errno == EINVAL ? 0 : -1;
}

static int one(int count, char **word)
{
	const char *verb = word[0];
	const char *path = count > 1 ? word[1] : "";
	const char *more = count > 2 ? word[2] : "";

#define VERB(name) (strcmp(verb, name) == 0)
	if (VERB("write")) return into(path, O_WRONLY, by_write);
	if (VERB("append")) return into(path, O_WRONLY | O_APPEND, by_write);
	if (VERB("create")) return into(path, O_WRONLY | O_CREAT | O_EXCL, by_write);
	if (VERB("open_trunc")) return into(path, O_WRONLY | O_TRUNC, by_write);
	if (VERB("pwritev2")) return into(path, O_WRONLY, by_pwritev2);
	if (VERB("ftruncate")) return into(path, O_WRONLY, by_ftruncate);
	if (VERB("fallocate")) return into(path, O_WRONLY, by_fallocate);
	if (VERB("sendfile")) return into(path, O_WRONLY, by_sendfile);
	if (VERB("copy_range")) return into(path, O_WRONLY, by_copy);
	if (VERB("splice")) return into(path, O_WRONLY, by_splice);
	if (VERB("mmap_shared")) return into(path, O_RDWR, by_mmap);
	if (VERB("mprotect_shared")) return into(path, O_RDWR, by_mprotect);
	if (VERB("fchmod")) return into(path, O_RDONLY, by_fchmod);
	if (VERB("truncate")) return truncate(path, 1);
	if (VERB("mkdir")) return mkdir(path, 0755);
	if (VERB("rmdir")) return rmdir(path);
	if (VERB("mknod")) return mknod(path, S_IFREG | 0644, 0);
	if (VERB("mkfifo")) return mknod(path, S_IFIFO | 0644, 0);
	if (VERB("unlink")) return unlink(path);
	if (VERB("rename")) return rename(path, more);
	if (VERB("exchange")) return renameat2(AT_FDCWD, path, AT_FDCWD, more, RENAME_EXCHANGE);
	if (VERB("link")) return link(path, more);
	if (VERB("symlink")) return symlink(path, more);
	if (VERB("tmpfile")) return link_temporary(path, more);
	if (VERB("chmod")) return chmod(path, 0600);
	if (VERB("chown")) return chown(path, 7, 7);
	if (VERB("utimes")) return utimensat(AT_FDCWD, path, (struct timespec[2]){{1, 0}, {1, 0}}, 0);
	if (VERB("setxattr")) return setxattr(path, "user.act", "x", 1, 0);
	if (VERB("removexattr")) return removexattr(path, "user.kept");
	if (VERB("inherited")) return by_write(atoi(path)) < 0 ? -1 : 0;
	if (VERB("exec")) return execute(path, -1, 0);
	if (VERB("execveat")) return execute_at(path);
	if (VERB("memfd")) return execute_memfd(path);
	if (VERB("loader")) return execute_by_loader(path);
	if (VERB("load")) return load(path, 1);
	if (VERB("load_mprotect")) return load(path, 0);
	if (VERB("load_memfd")) return load_memfd();
	if (VERB("tcp")) return reach(path, more, SOCK_STREAM, CONNECT);
	if (VERB("tcp_sendfile")) return reach(path, more, SOCK_STREAM, CONNECT_SENDFILE);
	if (VERB("fastopen")) return reach(path, more, SOCK_STREAM, FASTOPEN);
	if (VERB("udp")) return reach(path, more, SOCK_DGRAM, CONNECT);
	if (VERB("udp_reaim")) return reach(path, more, SOCK_DGRAM, REAIM);
	if (VERB("sendto")) return reach(path, more, SOCK_DGRAM, SENDTO);
	if (VERB("sendmsg")) return reach(path, more, SOCK_DGRAM, SENDMSG);
	if (VERB("sendmmsg")) return reach(path, more, SOCK_DGRAM, SENDMMSG);
	if (VERB("unix")) return reach_unix(path, SOCK_STREAM, 1);
	if (VERB("unix_dgram")) return reach_unix(path, SOCK_DGRAM, 1);
	if (VERB("unix_sendto")) return reach_unix(path, SOCK_DGRAM, 0);
	if (VERB("packet")) { int fd = socket(AF_PACKET, SOCK_RAW, 0); return closing(fd, fd); }
	if (VERB("rawsocket")) { int fd = socket(AF_INET, SOCK_RAW, 1); return closing(fd, fd); }
	if (VERB("vsock")) { int fd = socket(AF_VSOCK, SOCK_STREAM, 0); return closing(fd, fd); }
	if (VERB("bpf")) return use_bpf();
	if (VERB("ptrace")) return (int)ptrace(PTRACE_SEIZE, atoi(path), 0, 0);
	if (VERB("kill")) return kill(atoi(path), SIGKILL);
	if (VERB("mem")) { char file[64]; snprintf(file, sizeof(file), "/proc/%s/mem", path); return into(file, O_RDWR, by_write); }
	if (VERB("umount")) return umount2(path, MNT_DETACH);
	if (VERB("mount")) return mount("none", path, "tmpfs", 0, NULL);
	if (VERB("unshare")) return unshare(CLONE_NEWNS);
	if (VERB("leave")) return move_to(path);
	if (VERB("setuid")) return setuid((uid_t)atoi(path));
	fprintf(stderr, "act: unknown verb '%s'\n", verb);
	exit(2);
}

static int act(char *line)
{
	char *word[8];
	int count = 0;
	char *rest = NULL;

	for (char *at = strtok_r(line, " ", &rest); at && count < 8; at = strtok_r(NULL, " ", &rest))
		word[count++] = at;
	errno = 0;
	if (one(count, word) == 0) {
		printf("%s OK\n", word[0]);
		return 0;
	}
	printf("%s %s\n", word[0], strerrorname_np(errno));
	return 1;
}

static int storm(int processes, int times, int count, char **word)
{
	long *succeeded = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (int p = 0; p < processes; p++) {
		pid_t child = fork();
		if (child < 0) {
			perror("act: fork");
			return 2;
		}
		if (child == 0) {
			for (int t = 0; t < times; t++)
				if (one(count, word) == 0)
					__atomic_add_fetch(succeeded, 1, __ATOMIC_SEQ_CST);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	printf("%ld\n", *succeeded);
	return 0;
}

int main(int argc, char **argv)
{
	int refused = 0;

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 4 && strcmp(argv[1], "storm") == 0)
		return storm(atoi(argv[2]), atoi(argv[3]), argc - 4, argv + 4);
	for (int i = 1; i < argc; i++)
		refused += act(argv[i]);
	return refused ? 1 : 0;
}
