/* main.c: runs the table. See attack.h.
 *
 *   attacks list                    the table
 *   attacks run DIRECTORY [REGEX]   outside; writes DIRECTORY/results.jsonl
 *   attacks worker                  started by it, governed or not */

#define _GNU_SOURCE
#include "attack.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <regex.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

const char *const phase_names[] = {"none", "expired", "used", "revoked", "right", "standing", "free"};

enum { MOST_ATTACKS = 1000, ACT_SECONDS = 20 };
static const struct attack *attacks[MOST_ATTACKS];
static const char *files[MOST_ATTACKS];
static int attack_count;

struct message {
	char kind; /* A act, G go on, S at a step, R result */
	int succeeded;
	int error;
	pid_t pid;
	struct place place;
};

static void die(const char *what)
{
	fprintf(stderr, "attacks: %s: %s\n", what, strerror(errno));
	exit(3);
}

static void collect(void)
{
	const struct attack *const tables[] = {write_attacks, name_attacks, connect_attacks, exec_attacks, time_attacks,
					       process_attacks, deputy_attacks, guard_attacks, word_attacks};

	static const char *const names[] = {"write.c", "names.c", "connect.c", "exec.c", "time.c", "process.c", "deputy.c", "guard.c", "words.c"};

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (const struct attack *at = tables[i]; at->name; at++) {
			if (attack_count == MOST_ATTACKS)
				die("too many attacks");
			files[attack_count] = names[i];
			attacks[attack_count++] = at;
		}
}

int closing(int fd, long result)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return result < 0 ? -1 : 0;
}

int on_file(const struct place *place, const char *name, char path[160])
{
	return snprintf(path, 160, "%s/%s", place->dir, name);
}

/* io_uring */
int ring_map(struct ring *ring, int fd, const void *given)
{
	const struct io_uring_params *p = given;
	size_t sq_size = p->sq_off.array + p->sq_entries * sizeof(unsigned);
	size_t cq_size = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);
	char *sq = mmap(NULL, sq_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
	char *cq = mmap(NULL, cq_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_CQ_RING);
	void *sqes = mmap(NULL, p->sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			  IORING_OFF_SQES);

	if (sq == MAP_FAILED || cq == MAP_FAILED || sqes == MAP_FAILED)
		return -1;
	ring->fd = fd;
	ring->polled = (p->flags & IORING_SETUP_SQPOLL) != 0;
	ring->sq_head = (unsigned *)(sq + p->sq_off.head);
	ring->sq_tail = (unsigned *)(sq + p->sq_off.tail);
	ring->sq_mask = (unsigned *)(sq + p->sq_off.ring_mask);
	ring->sq_flags = (unsigned *)(sq + p->sq_off.flags);
	ring->sq_array = (unsigned *)(sq + p->sq_off.array);
	ring->cq_head = (unsigned *)(cq + p->cq_off.head);
	ring->cq_tail = (unsigned *)(cq + p->cq_off.tail);
	ring->cq_mask = (unsigned *)(cq + p->cq_off.ring_mask);
	ring->cqes = (struct io_uring_cqe *)(cq + p->cq_off.cqes);
	ring->sqes = sqes;
	return 0;
}

int ring_open(struct ring *ring, unsigned flags)
{
	struct io_uring_params params;
	int fd;

	memset(&params, 0, sizeof(params));
	params.flags = flags;
	params.sq_thread_idle = 2000;
	fd = (int)syscall(SYS_io_uring_setup, 4, &params);
	if (fd < 0)
		return -1;
	return ring_map(ring, fd, &params);
}

int ring_do(struct ring *ring, const struct io_uring_sqe *sqe)
{
	unsigned tail = *ring->sq_tail;
	unsigned index = tail & *ring->sq_mask;
	unsigned head;
	int result;

	ring->sqes[index] = *sqe;
	ring->sq_array[index] = index;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
	if (ring->polled) {
		if (syscall(SYS_io_uring_enter, ring->fd, 0, 0, IORING_ENTER_SQ_WAKEUP, NULL, 0) < 0)
			return -1;
		for (int i = 0; i < 4000; i++) {
			if (__atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) != *ring->cq_head)
				break;
			usleep(500);
		}
	} else if (syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0) {
		return -1;
	}
	head = *ring->cq_head;
	if (__atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) == head) {
		errno = ETIME;
		return -1;
	}
	result = ring->cqes[head & *ring->cq_mask].res;
	__atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
	if (result < 0) {
		errno = -result;
		return -1;
	}
	return result;
}

/* mov eax,1; mov edi,8; lea rsi,[rip+8]; mov edx,1; syscall; ret; 'x' */
const unsigned char trace_code[] = {0xb8, 1, 0, 0, 0, 0xbf, TRACE_FD, 0, 0, 0, 0x48, 0x8d, 0x35, 8, 0, 0, 0,
				    0xba, 1, 0, 0, 0, 0x0f, 0x05, 0xc3, 'x'};
const unsigned trace_code_size = sizeof(trace_code);

/* The worker: a child for each act, so that none can spoil the next. */
static void send_message(int to, const struct message *message, const int *fds, int count)
{
	struct iovec part = {(void *)message, sizeof(*message)};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

	memset(&control, 0, sizeof(control));
	if (count > 0) {
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, (size_t)count * sizeof(int));
	}
	if (sendmsg(to, &header, MSG_NOSIGNAL) != (ssize_t)sizeof(*message))
		die("send");
}

static int receive_message(int from, struct message *message, int *fds)
{
	struct iovec part = {message, sizeof(*message)};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	ssize_t got;

	do {
		got = recvmsg(from, &header, 0);
	} while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof(*message))
		return -1;
	if (fds) {
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);
		size_t count = 0;

		fds[0] = fds[1] = -1;
		if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS) {
			count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(fds, CMSG_DATA(cmsg), (count > 2 ? 2 : count) * sizeof(int));
		}
	}
	return 0;
}

static struct message current; /* in the child */

void step(void)
{
	struct message message = current;

	message.kind = 'S';
	message.pid = getpid();
	send_message(CONTROL_FD, &message, NULL, 0);
	if (receive_message(CONTROL_FD, &message, NULL) || message.kind != 'G')
		_exit(99);
}

static int act_now(const struct attack *attack, const struct place *place)
{
	int fd;

	if (!attack->through)
		return attack->act(place, attack);
	if (attack->given) {
		if (place->given < 0) {
			errno = EBADF; /* the descriptor did not come through */
			return -1;
		}
		return attack->through(place->given, place);
	}
	fd = open(PATH_OF(place, "f"), attack->open | O_CLOEXEC);
	return fd < 0 ? -1 : closing(fd, attack->through(fd, place));
}

static void child(int report, struct message *message)
{
	const struct attack *attack = attacks[message->place.row];
	char name[16];
	int result[2];

	snprintf(name, sizeof(name), "k%d.%s", message->place.row, phase_names[message->place.phase]);
	prctl(PR_SET_NAME, name);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGIO, SIG_IGN); /* somebody wants a lease back */
	current = *message;
	errno = 0;
	result[0] = act_now(attack, &message->place) == 0;
	result[1] = result[0] ? 0 : errno;
	if (write(report, result, sizeof(result)) != sizeof(result))
		_exit(98);
	_exit(0);
}

/* Programs of their own: the gate records the first refusal of its kind by a
 * program in a second, so each attempt is made by another copy. */
enum { COPIES = 24 };
static const char kCopies[] = "/usr/local/bin/attacks-%d";

static int worker_child(char **argv)
{
	struct message message;

	if (read(atoi(argv[2]), &message, sizeof(message)) != sizeof(message))
		return 97;
	close(atoi(argv[2]));
	child(atoi(argv[3]), &message);
	return 0;
}

static int worker(void)
{
	struct message message;
	int fds[2];
	static int turn;

	signal(SIGUSR2, SIG_IGN);
	while (receive_message(CONTROL_FD, &message, fds) == 0) {
		int report[2];
		int order[2];
		int result[2] = {0, ECHILD};
		struct pollfd waiting;
		int status;

		if (message.kind != 'A')
			continue; /* an answer to a child that did not wait for it */
		message.place.given = fds[0];
		message.place.given2 = fds[1];
		if (pipe2(report, 0) || pipe2(order, 0) || write(order[1], &message, sizeof(message)) != sizeof(message))
			die("pipe");
		message.pid = fork();
		if (message.pid < 0)
			die("fork");
		if (message.pid == 0) {
			char file[64], in[12], out[12];

			setpgid(0, 0);
			snprintf(file, sizeof(file), kCopies, turn % COPIES);
			snprintf(in, sizeof(in), "%d", order[0]);
			snprintf(out, sizeof(out), "%d", report[1]);
			close(report[0]);
			close(order[1]);
			execl(file, "attacks", "child", in, out, NULL);
			_exit(96);
		}
		turn++;
		close(order[0]);
		close(order[1]);
		close(report[1]);
		waiting = (struct pollfd){.fd = report[0], .events = POLLIN};
		if (poll(&waiting, 1, ACT_SECONDS * 1000) != 1)
			result[1] = ETIMEDOUT;
		else if (read(report[0], result, sizeof(result)) != sizeof(result))
			result[1] = ECHILD; /* it died on the way */
		kill(-message.pid, SIGKILL);
		if (result[1] != ECHILD)
			kill(message.pid, SIGKILL);
		waitpid(message.pid, &status, 0);
		if (result[1] == ECHILD)
			fprintf(stderr, "attacks: %s: the child ended with %x\n", attacks[message.place.row]->name, (unsigned)status);
		close(report[0]);
		for (int i = 0; i < 2; i++)
			if (fds[i] >= 0)
				close(fds[i]);
		message.kind = 'R';
		message.succeeded = result[0];
		message.error = result[1];
		send_message(CONTROL_FD, &message, NULL, 0);
	}
	return 0;
}

/* Outside. */
static int connect_control(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "/run/proofgate/control.sock"};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	struct timeval patience = {30, 0}; /* a daemon that was stopped */

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return closing(fd, -1);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

int rpc_raw(const char *bytes, size_t length, char *answer, int room)
{
	int fd = connect_control();
	int size = 0;

	if (fd < 0)
		return -1;
	for (size_t sent = 0; sent < length;) {
		ssize_t count = send(fd, bytes + sent, length - sent, MSG_NOSIGNAL);

		if (count <= 0)
			break;
		sent += (size_t)count;
	}
	shutdown(fd, SHUT_WR);
	while (size < room - 1) {
		ssize_t got = recv(fd, answer + size, (size_t)(room - 1 - size), 0);

		if (got <= 0)
			break;
		size += (int)got;
		if (memchr(answer, '\n', (size_t)size))
			break;
	}
	answer[size] = 0;
	close(fd);
	return size;
}

int rpc(const char *method, const char *params, char *answer, int room)
{
	char request[4096];
	int fd = connect_control();
	int size = 0;
	int length;

	if (fd < 0)
		return -1;
	length = snprintf(request, sizeof(request), "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}\n", method, params);
	if (send(fd, request, (size_t)length, MSG_NOSIGNAL) != length)
		return closing(fd, -1);
	while (size < room - 1) {
		ssize_t got = recv(fd, answer + size, (size_t)(room - 1 - size), 0);

		if (got <= 0)
			break;
		size += (int)got;
		if (memchr(answer, '\n', (size_t)size))
			break;
	}
	answer[size] = 0;
	close(fd);
	return strstr(answer, "\"result\":") ? 0 : -1;
}

int issue(const char *rule, const char *object, const char *more, char id[80])
{
	char params[512];
	char answer[8192];
	char *at;

	snprintf(params, sizeof(params), "{\"domain\":\"a\",\"rule\":\"%s\",\"object\":\"%s\"%s}", rule, object, more);
	if (rpc("receipt.issue", params, answer, sizeof(answer)) || !(at = strstr(answer, "\"id\":\""))) {
		fprintf(stderr, "attacks: issue %s %s: %s\n", rule, object, answer);
		exit(3);
	}
	snprintf(id, 80, "%.64s", at + 6);
	return 0;
}

void end_receipt(const char *id)
{
	char params[256];
	char answer[4096];

	snprintf(params, sizeof(params), "{\"id\":\"%s\"}", id);
	if (rpc("receipt.revoke", params, answer, sizeof(answer))) {
		fprintf(stderr, "attacks: revoke: %s\n", answer);
		exit(3);
	}
}

int await_state(const char *id, const char *state)
{
	static char answer[1 << 20];

	for (int i = 0; i < 600; i++) {
		char *row;

		if (rpc("receipt.list", "{}", answer, sizeof(answer)) == 0 && (row = strstr(answer, id))) {
			char want[64];
			char *end;

			/* The object that holds the id. */
			while (row > answer && *row != '{')
				row--;
			end = strchr(row, '}');
			snprintf(want, sizeof(want), "\"state\":\"%s\"", state);
			for (char *at = strstr(row, want); at; at = NULL)
				if (!end || at < end + 200)
					return 0;
		}
		usleep(20000);
	}
	fprintf(stderr, "attacks: a receipt never became %s\n", state);
	exit(3);
}

int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	return fd < 0 ? -1 : closing(fd, write(fd, text, strlen(text)));
}

int get(const char *path, char *text, int room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got;

	text[0] = 0;
	if (fd < 0)
		return -1;
	got = read(fd, text, (size_t)room - 1);
	text[got > 0 ? got : 0] = 0;
	return closing(fd, got);
}

static uint64_t fold(uint64_t hash, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;

	while (length--)
		hash = (hash ^ *at++) * 0x100000001b3ull;
	return hash;
}

/* Everything about a file, or all in a directory, that an act could change. */
static uint64_t digest(uint64_t hash, const char *path)
{
	struct stat info;
	char buffer[16384];
	ssize_t got;

	if (lstat(path, &info))
		return fold(hash, "absent", 6);
	hash = fold(hash, &info.st_ino, sizeof(info.st_ino));
	hash = fold(hash, &info.st_dev, sizeof(info.st_dev));
	hash = fold(hash, &info.st_nlink, sizeof(info.st_nlink));
	hash = fold(hash, &info.st_mode, sizeof(info.st_mode));
	hash = fold(hash, &info.st_uid, sizeof(info.st_uid));
	hash = fold(hash, &info.st_gid, sizeof(info.st_gid));
	hash = fold(hash, &info.st_size, sizeof(info.st_size));
	hash = fold(hash, &info.st_mtim, sizeof(info.st_mtim));
	hash = fold(hash, &info.st_ctim, sizeof(info.st_ctim));
	if (S_ISLNK(info.st_mode)) {
		got = readlink(path, buffer, sizeof(buffer));
		return fold(hash, buffer, got > 0 ? (size_t)got : 0);
	}
	got = listxattr(path, buffer, sizeof(buffer));
	for (ssize_t at = 0; at < got; at += (ssize_t)strlen(buffer + at) + 1) {
		char value[1024];
		ssize_t length = getxattr(path, buffer + at, value, sizeof(value));

		hash = fold(hash, buffer + at, strlen(buffer + at));
		hash = fold(hash, value, length > 0 ? (size_t)length : 0);
	}
	if (S_ISREG(info.st_mode)) {
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

		while (fd >= 0 && (got = read(fd, buffer, sizeof(buffer))) > 0)
			hash = fold(hash, buffer, (size_t)got);
		if (fd >= 0)
			close(fd);
	} else if (S_ISDIR(info.st_mode)) {
		struct dirent **entries;
		int count = scandir(path, &entries, NULL, alphasort);

		for (int i = 0; i < count; i++) {
			if (strcmp(entries[i]->d_name, ".") && strcmp(entries[i]->d_name, "..")) {
				snprintf(buffer, sizeof(buffer), "%s/%s", path, entries[i]->d_name);
				hash = fold(hash, entries[i]->d_name, strlen(entries[i]->d_name));
				hash = digest(hash, buffer);
			}
			free(entries[i]);
		}
		if (count >= 0)
			free(entries);
	}
	return hash;
}

uint64_t digest_of(const char *path) { return digest(0xcbf29ce484222325ull, path); }

static void make_scene(const struct place *place)
{
	static char large[8192];
	int fd;

	memset(large, 'a', sizeof(large));
	mkdir(place->tree, 0755);
	if (mkdir(place->dir, 0755) || mkdir(PATH_OF(place, "empty"), 0755) || symlink("f", PATH_OF(place, "link")))
		die(place->dir);
	fd = open(PATH_OF(place, "f"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, large, sizeof(large)) != sizeof(large) || fsetxattr(fd, "user.kept", "1", 1, 0))
		die(place->dir);
	close(fd);
	if (put(PATH_OF(place, "g"), "bbbb\n"))
		die(place->dir);
}

/* Listeners: one of each sort for each phase. */
struct listener {
	int fd;
	int type;
};
static struct listener listeners[PHASES][12];
static int listener_count[PHASES];

static void listen_on(enum phase phase, int family, int type, const void *address, socklen_t length)
{
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1;
	int queue = 16;

	if (family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (type == SOCK_STREAM && family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, 23 /* TCP_FASTOPEN */, &queue, sizeof(queue));
	if (fd < 0 || bind(fd, address, length) || (type != SOCK_DGRAM && listen(fd, 64)))
		die("listen");
	listeners[phase][listener_count[phase]++] = (struct listener){fd, type};
}

static void listen_unix(enum phase phase, int type, const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t length = sizeof(at);

	if (path[0] == '@') {
		memcpy(at.sun_path + 1, path + 1, strlen(path) - 1);
		length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	} else {
		unlink(path);
		strncpy(at.sun_path, path, sizeof(at.sun_path) - 1);
	}
	listen_on(phase, AF_UNIX, type, &at, length);
}

static int arrivals(enum phase phase)
{
	char buffer[4096];
	int count = 0;

	for (int i = 0; i < listener_count[phase]; i++) {
		struct listener *at = &listeners[phase][i];

		if (at->type == SOCK_DGRAM) {
			while (recv(at->fd, buffer, sizeof(buffer), MSG_DONTWAIT) >= 0)
				count++;
		} else {
			int peer;

			while ((peer = accept4(at->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
				count++;
				close(peer);
			}
		}
	}
	return count;
}

static int trace_pipe[2];
static int traces(void)
{
	char buffer[256];
	int count = 0;
	ssize_t got;

	while ((got = read(trace_pipe[0], buffer, sizeof(buffer))) > 0)
		count += (int)got;
	return count;
}

/* The victim: an ungoverned process that does nothing but be there. */
static char *victim_page;
static int victim_pipe[2];
static void answer_ping(int signal_number)
{
	(void)signal_number;
	if (write(victim_pipe[1], "p", 1) != 1)
		_exit(1);
}

/* After what was sent before: it answers, or has died, or was stopped. */
int victim_answers(pid_t pid)
{
	char path[64], text[1024];
	char *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (;;) {
		struct pollfd waiting = {.fd = victim_pipe[0], .events = POLLIN};

		if (poll(&waiting, 1, 20) == 1) {
			char byte;

			return read(victim_pipe[0], &byte, 1) == 1;
		}
		get(path, text, sizeof(text));
		at = strrchr(text, ')');
		if (!at || strchr("TtZX", at[2]))
			return 0;
	}
}

static pid_t new_victim(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		struct sigaction answer = {.sa_handler = answer_ping, .sa_flags = SA_RESTART};

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "victim");
		setpgid(0, 0);
		sigaction(SIGUSR1, &answer, NULL);
		answer_ping(0);
		for (;;)
			pause();
	}
	setpgid(pid, pid);
	if (!victim_answers(pid))
		die("the victim");
	return pid;
}

static uint64_t victim_digest(pid_t pid)
{
	char path[64];
	char text[4096];
	char *at;
	uint64_t hash = 7;
	cpu_set_t cpus;
	struct rlimit limit;
	static const char *const files[] = {"cgroup", "oom_score_adj", "uid_map", "timerslack_ns"};
	int number[8] = {0};

	if (kill(pid, SIGUSR1) || !victim_answers(pid))
		return 0;
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		get(path, text, sizeof(text));
		hash = fold(hash, text, strlen(text));
	}
	/* Of stat: running or stopped, priority and nice, real-time priority, policy. */
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	get(path, text, sizeof(text));
	at = strrchr(text, ')');
	if (at) {
		number[0] = at[2] == 'T' || at[2] == 't';
		for (int field = 3; *at && field < 42; at++)
			if (*at == ' ' && (++field == 19 || field == 20 || field == 41 || field == 42))
				number[field % 8] = atoi(at + 1);
	}
	hash = fold(hash, number, sizeof(number));
	sched_getaffinity(pid, sizeof(cpus), &cpus);
	hash = fold(hash, &cpus, sizeof(cpus));
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		prlimit(pid, (enum __rlimit_resource)i, NULL, &limit);
		hash = fold(hash, &limit, sizeof(limit));
	}
	number[0] = (int)syscall(SYS_ioprio_get, 1, pid);
	hash = fold(hash, number, sizeof(number));
	return fold(hash, victim_page, 4096);
}

static pid_t daemon_pid(void)
{
	FILE *pipe = popen("systemctl show -P MainPID proofgate.service", "r");
	int pid = 0;

	if (!pipe || fscanf(pipe, "%d", &pid) != 1 || pclose(pipe) || pid <= 1)
		die("the daemon's pid");
	return pid;
}

/* Rings that the outside made and every worker inherits: they cannot be passed. */
struct io_uring_params ring_params[2];
static int rings[2];
static void make_ring(int polled)
{
	ring_params[polled].flags = polled ? IORING_SETUP_SQPOLL : 0;
	ring_params[polled].sq_thread_idle = 5000;
	rings[polled] = (int)syscall(SYS_io_uring_setup, 4, &ring_params[polled]);
	if (rings[polled] < 0)
		die("io_uring_setup");
}
void ring_serves(int polled, int file)
{
	syscall(SYS_io_uring_register, rings[polled], IORING_UNREGISTER_FILES, NULL, 0);
	if (syscall(SYS_io_uring_register, rings[polled], IORING_REGISTER_FILES, &file, 1))
		die("io_uring_register");
}

struct team {
	const char *domain; /* NULL: ungoverned */
	int control;
	pid_t pid;
};
static struct team attackers = {"a", -1, 0}, holders = {"s", -1, 0}, outsiders = {NULL, -1, 0};

static void start(struct team *team)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends))
		die("socketpair");
	team->pid = fork();
	if (team->pid < 0)
		die("fork");
	if (team->pid == 0) {
		/* Above all that is in use, so that none goes over another. */
		for (int polled = 0; polled < 2; polled++)
			rings[polled] = fcntl(rings[polled], F_DUPFD, 300);
		trace_pipe[1] = fcntl(trace_pipe[1], F_DUPFD, 300);
		ends[1] = fcntl(ends[1], F_DUPFD, 300);
		dup2(rings[0], RING_FD);
		dup2(rings[1], POLLED_RING_FD);
		dup2(trace_pipe[1], TRACE_FD);
		dup2(ends[1], CONTROL_FD);
		for (int fd = 10; fd < 512; fd++)
			close(fd);
		if (team->domain)
			execlp("proofgate", "proofgate", "run", "--domain", team->domain, "--", "/usr/local/bin/attacks", "worker", NULL);
		else
			execl("/usr/local/bin/attacks", "attacks", "worker", NULL);
		die("a worker");
	}
	close(ends[1]);
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	team->control = ends[0];
}

static struct team *team_of(enum phase phase)
{
	return phase == FREE ? &outsiders : phase == STANDING ? &holders : &attackers;
}

static uint64_t boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

struct outcome {
	uint64_t began, ended; /* boot time */
	int succeeded;
	int error;
	int effect;
};

static uint64_t look(const struct attack *attack, struct place *place)
{
	switch (attack->effect) {
	case SCENE: return digest_of(place->dir);
	case VICTIM: return victim_digest(place->victim);
	case STATE: return attack->state(place, attack);
	default: return 0;
	}
}

static void place_for(struct place *place, int row, enum phase phase)
{
	memset(place, 0, sizeof(*place));
	place->row = row;
	place->phase = phase;
	place->given = place->given2 = -1;
	snprintf(place->tree, sizeof(place->tree), "%s/%s", phase == STANDING ? "/srv/s" : "/srv/a", phase_names[phase]);
	snprintf(place->dir, sizeof(place->dir), "%s/%d", place->tree, row);
	snprintf(place->opt, sizeof(place->opt), "/opt/a/%s", phase_names[phase]);
	snprintf(place->stream, sizeof(place->stream), "/srv/sink/%s.stream", phase_names[phase]);
	snprintf(place->dgram, sizeof(place->dgram), "/srv/sink/%s.dgram", phase_names[phase]);
	snprintf(place->packet, sizeof(place->packet), "/srv/sink/%s.packet", phase_names[phase]);
	snprintf(place->abstract, sizeof(place->abstract), "@%s", phase_names[phase]);
	place->port = 7001 + (int)phase;
}

static struct outcome attempt(int row, enum phase phase, pid_t daemon)
{
	const struct attack *attack = attacks[row];
	struct team *team = attack->outside ? &outsiders : team_of(phase);
	struct message message = {.kind = 'A'};
	struct place *place = &message.place;
	struct outcome outcome = {0};
	uint64_t before;
	int fds[2];

	place_for(place, row, phase);
	make_scene(place);
	place->daemon = daemon && kill(daemon, 0) == 0 ? daemon : daemon_pid();
	memset(victim_page, 'v', 4096);
	place->victim = new_victim();
	place->victim_at = (uint64_t)victim_page;
	if (attack->given && !attack->before)
		place->given = open(PATH_OF(place, "f"), O_RDWR | O_CLOEXEC);
	if (attack->before && attack->before(place, attack)) {
		fprintf(stderr, "attacks: %s (%s): the place could not be made: %s\n", attack->name, phase_names[phase], strerror(errno));
		outcome.error = ENOTSUP;
		outcome.effect = -1;
		goto done;
	}
	fds[0] = place->given;
	fds[1] = place->given2;
	arrivals(phase);
	traces();
	before = look(attack, place);
	outcome.began = boot_ns();
	send_message(team->control, &message, fds, fds[0] < 0 ? 0 : fds[1] < 0 ? 1 : 2);
	for (;;) {
		struct message reply;

		if (receive_message(team->control, &reply, NULL)) {
			fprintf(stderr, "attacks: %s: the worker is gone\n", attack->name);
			exit(3);
		}
		if (reply.kind == 'S') {
			place->actor = reply.pid;
			if (attack->at_step)
				outcome.effect |= attack->at_step(place, attack);
			reply.kind = 'G';
			send_message(team->control, &reply, NULL, 0);
			continue;
		}
		outcome.succeeded = reply.succeeded;
		outcome.error = reply.error;
		place->actor = reply.pid;
		break;
	}
	outcome.ended = boot_ns();
	switch (attack->effect) {
	case ARRIVAL: outcome.effect |= arrivals(phase) > 0; break;
	case TRACE: outcome.effect |= traces() > 0; break;
	case RETURNS: outcome.effect |= outcome.succeeded; break;
	case STEP: break;
	default: outcome.effect |= look(attack, place) != before; break;
	}
done:
	if (attack->after)
		attack->after(place, attack);
	kill(place->victim, SIGKILL);
	waitpid(place->victim, NULL, 0);
	if (place->given >= 0)
		close(place->given);
	if (place->given2 >= 0)
		close(place->given2);
	return outcome;
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void report(FILE *out, int row, enum phase phase, const struct outcome *outcome)
{
	const struct attack *attack = attacks[row];

	fprintf(out,
		"{\"row\":%d,\"class\":%d,\"name\":\"%s\",\"hook\":\"%s\",\"gap\":\"%s\",\"test\":\"%s\",\"phase\":\"%s\",\"twin\":\"%s\",\"ok\":%d,"
		"\"errno\":\"%s\",\"effect\":%d,\"began\":%llu,\"ended\":%llu}\n",
		row, attack->class, attack->name, attack->hook ? attack->hook : "", attack->gap ? attack->gap : "", files[row], phase_names[phase], phase_names[attack->twin],
		outcome->succeeded, outcome->error ? strerrorname_np(outcome->error) : "", outcome->effect,
		(unsigned long long)outcome->began, (unsigned long long)outcome->ended);
	fflush(out);
}

/* The receipts of some phases, whatever the kind. */
static void prepare(const enum phase *phases)
{
	static const char *const rules[] = {"a.write", "a.exec", "a.load", "a.tcp", "a.unix"};
	char ids[3][16][80];
	int count[3] = {0};

	for (enum phase phase; (phase = *phases) != NONE; phases++)
		for (int rule = 0; rule < 5; rule++) {
			static const char *const sorts[] = {"stream", "dgram", "packet"};
			struct place place;
			char object[96];
			char id[80];
			const char *more = phase == EXPIRED ? ",\"ttl_ns\":50000000" : phase == USED ? ",\"uses\":1" : "";

			place_for(&place, 0, phase);
			for (int sort = 0; sort < (rule == 4 ? 3 : 1); sort++) {
				if (rule == 0)
					snprintf(object, sizeof(object), "%s", place.tree);
				else if (rule == 3)
					snprintf(object, sizeof(object), "127.0.0.0/8:%d", place.port);
				else if (rule == 4)
					snprintf(object, sizeof(object), "/srv/sink/%s.%s", phase_names[phase], sorts[sort]);
				else
					snprintf(object, sizeof(object), "%s", place.opt);
				issue(rules[rule], object, more, id);
				if (phase == EXPIRED || phase == REVOKED)
					strcpy(ids[phase == REVOKED][count[phase == REVOKED]++], id);
			}
			if (rule == 3) {
				snprintf(object, sizeof(object), "[::1]:%d", place.port);
				issue(rules[rule], object, more, id);
				if (phase == EXPIRED || phase == REVOKED)
					strcpy(ids[phase == REVOKED][count[phase == REVOKED]++], id);
			}
		}
	for (int i = 0; i < count[1]; i++)
		end_receipt(ids[1][i]);
	for (int i = 0; i < count[0]; i++)
		await_state(ids[0][i], "expired");
}

static void make_code(const char *dir)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/code", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	if (fd < 0 || write(fd, trace_code, trace_code_size) != (ssize_t)trace_code_size || ftruncate(fd, 4096))
		die(path);
	close(fd);
}

static void make_dir(const char *path)
{
	if (mkdir(path, 0755) && errno != EEXIST)
		die(path);
}

static int run(const char *directory, const char *pattern)
{
	regex_t wanted;
	char path[256];
	FILE *out;
	pid_t daemon;
	double began = now_s(), prepared;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	syscall(SYS_keyctl, 8 /* KEYCTL_LINK */, -4, -3); /* uid 0's keys into this session */
	if (regcomp(&wanted, pattern, REG_EXTENDED | REG_NOSUB))
		die("the regular expression");
	make_dir("/srv/sink");
	snprintf(path, sizeof(path), "%s/results.jsonl", directory);
	out = fopen(path, "we");
	if (!out)
		die(path);
	victim_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pipe2(trace_pipe, O_NONBLOCK) || pipe2(victim_pipe, O_CLOEXEC))
		die("pipe");
	for (int polled = 0; polled < 2; polled++)
		make_ring(polled);
	fcntl(trace_pipe[0], F_SETFD, FD_CLOEXEC);
	for (int phase = 0; phase < PHASES; phase++) {
		struct place place;
		struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};

		place_for(&place, 0, (enum phase)phase);
		make_dir(place.tree);
		make_code(place.opt);
		v4.sin_port = v6.sin6_port = htons((uint16_t)place.port);
		listen_on((enum phase)phase, AF_INET, SOCK_STREAM, &v4, sizeof(v4));
		listen_on((enum phase)phase, AF_INET, SOCK_DGRAM, &v4, sizeof(v4));
		listen_on((enum phase)phase, AF_INET6, SOCK_STREAM, &v6, sizeof(v6));
		listen_on((enum phase)phase, AF_INET6, SOCK_DGRAM, &v6, sizeof(v6));
		listen_unix((enum phase)phase, SOCK_STREAM, place.stream);
		listen_unix((enum phase)phase, SOCK_DGRAM, place.dgram);
		listen_unix((enum phase)phase, SOCK_SEQPACKET, place.packet);
		listen_unix((enum phase)phase, SOCK_STREAM, place.abstract);
	}
	daemon = daemon_pid();
	prepare((const enum phase[]){EXPIRED, USED, REVOKED, RIGHT, NONE});
	prepared = now_s();
	start(&attackers);
	start(&holders);
	start(&outsiders);
	/* The only use of each receipt of phase USED. */
	for (int row = 0; row < attack_count; row++)
		if (attacks[row]->class == 0)
			attempt(row, USED, daemon);
	fprintf(stderr, "attacks: prepared after %.1f s\n", now_s() - began);
	for (int row = 0; row < attack_count; row++) {
		const struct attack *attack = attacks[row];
		char full[160];

		snprintf(full, sizeof(full), "%d %s", attack->class, attack->name);
		if (attack->class == 0 || regexec(&wanted, full, 0, NULL, 0))
			continue;
		if (attack->variants && now_s() - prepared > 30) {
			/* The gate forgets why a receipt is dead after a minute. */
			prepare((const enum phase[]){EXPIRED, REVOKED, NONE});
			prepared = now_s();
		}
		for (int phase = NONE; phase < PHASES; phase++) {
			struct outcome outcome;

			if (phase != NONE && phase != (int)attack->twin && !(phase < RIGHT && attack->variants && (attack->variants == 1 || phase != USED)))
				continue;
			outcome = attempt(row, (enum phase)phase, daemon);
			report(out, row, (enum phase)phase, &outcome);
			if ((outcome.effect != 0) != (phase == (int)attack->twin || attack->gap))
				fprintf(stderr, "attacks: %s (%s): effect %d, %s, after %.1f s\n", full, phase_names[phase], outcome.effect,
					outcome.error ? strerrorname_np(outcome.error) : "success", now_s() - began);
		}
	}
	/* Nothing comes late. */
	for (int phase = 0; phase <= REVOKED; phase++)
		fprintf(out, "{\"late\":\"%s\",\"count\":%d}\n", phase_names[phase], arrivals((enum phase)phase));
	fclose(out);
	close(attackers.control);
	close(holders.control);
	close(outsiders.control);
	for (int i = 0; i < 3; i++)
		waitpid((struct team *[]){&attackers, &holders, &outsiders}[i]->pid, NULL, 0);
	fprintf(stderr, "attacks: %d attempts, %.1f s\n", attack_count, now_s() - began);
	return 0;
}

int main(int argc, char **argv)
{
	collect();
	if (argc == 2 && strcmp(argv[1], "worker") == 0)
		return worker();
	if (argc == 4 && strcmp(argv[1], "child") == 0)
		return worker_child(argv);
	if (argc == 2 && strcmp(argv[1], "list") == 0) {
		for (int row = 0; row < attack_count; row++)
			printf("%s %d %s\n", files[row], attacks[row]->class, attacks[row]->name);
		return 0;
	}
	if (argc >= 3 && strcmp(argv[1], "run") == 0)
		return run(argv[2], argc > 3 ? argv[3] : ".");
	fprintf(stderr, "usage: attacks run DIRECTORY [REGEX]\n");
	return 2;
}
