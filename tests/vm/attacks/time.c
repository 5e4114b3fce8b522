/* Class 3: another time. An act that a receipt covers begins; the receipt ends;
 * the act goes on. The twin is the same without the end. */

#define _GNU_SOURCE
#include "attack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ACT(name) static int name(const struct place *p, const struct attack *a)
#define BEFORE(name) static int name(struct place *p, const struct attack *a)
#define AFTER(name) static void name(struct place *p, const struct attack *a)

static char receipt[80]; /* outside: of the row at work */

/* Its own receipt, also in phase NONE: it ends in end_it(). */
BEFORE(own_receipt) { (void)a; return issue("a.write", p->dir, "", receipt); }
BEFORE(short_receipt) { (void)a; return issue("a.write", p->dir, p->phase == NONE ? ",\"ttl_ns\":1500000000" : "", receipt); }
static int end_it(struct place *p, const struct attack *a) { (void)a; if (p->phase == NONE) end_receipt(receipt); return 0; }
static int let_it_expire(struct place *p, const struct attack *a) { (void)a; if (p->phase == NONE) await_state(receipt, "expired"); return 0; }
/* Only what happens after the end counts. */
static uint64_t size_now(const struct place *p, const struct attack *a)
{
	struct stat info;

	(void)a;
	return stat(PATH_OF(p, "f"), &info) ? 1 : (uint64_t)info.st_size;
}

static int opened(const struct place *p, int flags)
{
	int fd = open(PATH_OF(p, "f"), flags | O_CLOEXEC);

	if (fd >= 0)
		step();
	return fd;
}
ACT(later_write) { (void)a; int fd = opened(p, O_WRONLY | O_APPEND); return fd < 0 ? -1 : closing(fd, write(fd, "late", 4)); }
ACT(later_pwrite) { (void)a; int fd = opened(p, O_WRONLY); return fd < 0 ? -1 : closing(fd, pwrite(fd, "late", 4, 9000)); }
ACT(later_truncate) { (void)a; int fd = opened(p, O_WRONLY); return fd < 0 ? -1 : closing(fd, ftruncate(fd, 3)); }
ACT(later_fallocate) { (void)a; int fd = opened(p, O_WRONLY); return fd < 0 ? -1 : closing(fd, fallocate(fd, 0, 0, 50000)); }
ACT(later_sendfile)
{
	int fd = opened(p, O_WRONLY);
	int from = open(PATH_OF(p, "g"), O_RDONLY | O_CLOEXEC);

	(void)a;
	lseek(fd, 0, SEEK_END);
	return closing(fd, closing(from, sendfile(fd, from, NULL, 4)));
}
ACT(later_splice)
{
	int ends[2];
	int fd = opened(p, O_WRONLY);

	(void)a;
	lseek(fd, 0, SEEK_END);
	if (fd < 0 || pipe(ends) || write(ends[1], "late", 4) < 0)
		return -1;
	return closing(fd, splice(ends[0], NULL, fd, NULL, 4, 0));
}
ACT(later_copy)
{
	int fd = opened(p, O_WRONLY);
	int from = open(PATH_OF(p, "g"), O_RDONLY | O_CLOEXEC);
	loff_t at = 9000;

	(void)a;
	return closing(fd, closing(from, copy_file_range(from, NULL, fd, &at, 4, 0)));
}
ACT(later_aio)
{
	aio_context_t context = 0;
	struct iocb block;
	struct iocb *list[] = {&block};
	struct io_event event;
	int fd;

	(void)a;
	if (syscall(SYS_io_setup, 1, &context))
		return -1;
	fd = opened(p, O_WRONLY);
	memset(&block, 0, sizeof(block));
	block.aio_fildes = (uint32_t)fd;
	block.aio_lio_opcode = IOCB_CMD_PWRITE;
	block.aio_buf = (uint64_t) "late";
	block.aio_nbytes = 4;
	block.aio_offset = 9000;
	if (fd < 0 || syscall(SYS_io_submit, context, 1, list) != 1 || syscall(SYS_io_getevents, context, 1, 1, &event, NULL) != 1)
		return -1;
	errno = event.res < 0 ? (int)-event.res : 0;
	return event.res < 0 ? -1 : 0;
}
ACT(later_dup) { (void)a; int fd = opened(p, O_WRONLY | O_APPEND), copy = dup(fd); return closing(copy, write(copy, "late", 4)); }
ACT(later_child)
{
	int fd = open(PATH_OF(p, "f"), O_WRONLY | O_APPEND);
	int go[2];
	int status;
	pid_t pid;

	(void)a;
	if (fd < 0 || pipe(go))
		return -1;
	pid = fork();
	if (pid == 0) {
		char byte;

		if (read(go[0], &byte, 1) != 1)
			_exit(1);
		_exit(write(fd, "late", 4) < 0 ? errno : 0);
	}
	step();
	if (write(go[1], "g", 1) != 1)
		return -1;
	waitpid(pid, &status, 0);
	errno = WEXITSTATUS(status);
	return errno ? -1 : 0;
}
ACT(later_thread_reopen)
{
	char path[64];
	int fd = opened(p, O_WRONLY);

	(void)a;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, O_WRONLY | O_APPEND);
	return fd < 0 ? -1 : closing(fd, write(fd, "late", 4));
}
ACT(later_metadata) { (void)a; int fd = opened(p, O_WRONLY); return fd < 0 ? -1 : closing(fd, fchmod(fd, 0600)); }
ACT(later_create)
{
	int dir = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd;

	(void)a;
	close(openat(dir, "first", O_WRONLY | O_CREAT, 0644));
	step();
	fd = openat(dir, "second", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	return closing(fd, fd);
}
static uint64_t second_is_there(const struct place *p, const struct attack *a) { (void)a; return access(PATH_OF(p, "second"), F_OK) == 0; }
ACT(later_tmpfile)
{
	char path[64];
	int fd = open(p->dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);

	(void)a;
	if (fd < 0)
		return -1;
	step();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return closing(fd, linkat(AT_FDCWD, path, AT_FDCWD, PATH_OF(p, "second"), AT_SYMLINK_FOLLOW));
}
/* A FIFO with a name: it needs a receipt to open, and write() asks again. */
BEFORE(with_fifo)
{
	(void)a;
	issue("a.write", p->dir, "", receipt);
	if (mkfifo(PATH_OF(p, "fifo"), 0644))
		return -1;
	p->number[0] = open(PATH_OF(p, "fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return p->number[0] < 0;
}
static uint64_t fifo_bytes(const struct place *p, const struct attack *a)
{
	char buffer[256];
	ssize_t got = read((int)p->number[0], buffer, sizeof(buffer));

	(void)a;
	return got > 0 ? (uint64_t)got : 0;
}
AFTER(close_fifo) { (void)a; close((int)p->number[0]); }
ACT(later_fifo_write)
{
	int fd = open(PATH_OF(p, "fifo"), O_WRONLY | O_CLOEXEC);

	(void)a;
	if (fd < 0)
		return -1;
	step();
	return closing(fd, write(fd, "late", 4));
}
ACT(later_fifo_vmsplice)
{
	struct iovec part = {(void *)"late", 4};
	int fd = open(PATH_OF(p, "fifo"), O_WRONLY | O_CLOEXEC);

	(void)a;
	if (fd < 0)
		return -1;
	step();
	return closing(fd, vmsplice(fd, &part, 1, 0));
}
ACT(later_fifo_tee)
{
	int ends[2];
	int fd = open(PATH_OF(p, "fifo"), O_WRONLY | O_CLOEXEC);

	(void)a;
	if (fd < 0 || pipe(ends) || write(ends[1], "late", 4) < 0)
		return -1;
	step();
	return closing(fd, tee(ends[0], fd, 4, 0));
}

/* Sockets. */
static int listener = -1, peer = -1;
static uint64_t heard(const struct place *p, const struct attack *a)
{
	char buffer[256];
	uint64_t count = 0;
	ssize_t got;

	(void)p;
	(void)a;
	if (peer < 0)
		peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (peer >= 0 && (got = recv(peer, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0)
		count += (uint64_t)got;
	return count;
}
BEFORE(own_address)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(at);
	char object[64];

	peer = -1;
	listener = socket(AF_INET, (a->number ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bind(listener, (struct sockaddr *)&at, length) || (!a->number && listen(listener, 4)) ||
	    getsockname(listener, (struct sockaddr *)&at, &length))
		return -1;
	if (a->number)
		peer = dup(listener);
	p->port = ntohs(at.sin_port);
	snprintf(object, sizeof(object), "127.0.0.1:%d", p->port);
	return issue("a.tcp", object, "", receipt);
}
AFTER(close_sockets) { (void)p; (void)a; close(listener); if (peer >= 0) close(peer); }
static int joined(const struct place *p, int type)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)p->port)};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&at, sizeof(at)))
		return closing(fd, -1);
	return fd;
}
ACT(later_send)
{
	int fd = joined(p, a->number ? SOCK_DGRAM : SOCK_STREAM);

	if (fd < 0)
		return -1;
	step();
	return closing(fd, send(fd, "late", 4, MSG_NOSIGNAL));
}
/* A connect to what a live receipt names, which the kernel refuses, is no new
 * right for the old peer. */
ACT(later_misled)
{
	struct sockaddr_in6 other = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = htons((uint16_t)(7001 + (int)RIGHT))};
	int fd = joined(p, a->number ? SOCK_DGRAM : SOCK_STREAM);

	if (fd < 0)
		return -1;
	step();
	if (!connect(fd, (struct sockaddr *)&other, sizeof(other)))
		return closing(fd, -1);
	return closing(fd, send(fd, "late", 4, MSG_NOSIGNAL));
}
ACT(later_socket_write)
{
	int fd = joined(p, a->number ? SOCK_DGRAM : SOCK_STREAM);

	if (fd < 0)
		return -1;
	step();
	return closing(fd, write(fd, "late", 4));
}
ACT(later_socket_sendfile)
{
	int fd = joined(p, SOCK_STREAM);
	int from = open(PATH_OF(p, "g"), O_RDONLY | O_CLOEXEC);

	(void)a;
	if (fd < 0)
		return -1;
	step();
	return closing(fd, closing(from, sendfile(fd, from, NULL, 4)));
}
ACT(later_socket_splice)
{
	int fd = joined(p, SOCK_STREAM);
	int ends[2];

	(void)a;
	if (fd < 0 || pipe(ends) || write(ends[1], "late", 4) < 0)
		return -1;
	step();
	return closing(fd, splice(ends[0], NULL, fd, NULL, 4, 0));
}
ACT(later_reconnect)
{
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)p->port)};
	int fd = joined(p, SOCK_DGRAM);

	(void)a;
	if (fd < 0)
		return -1;
	step();
	if (connect(fd, &nowhere, sizeof(nowhere)) || connect(fd, (struct sockaddr *)&at, sizeof(at)))
		return closing(fd, -1);
	return closing(fd, send(fd, "late", 4, 0));
}
ACT(later_uncork)
{
	int fd = joined(p, SOCK_DGRAM);
	int one = 1, zero = 0;

	(void)a;
	if (fd < 0 || setsockopt(fd, IPPROTO_UDP, UDP_CORK, &one, sizeof(one)) || send(fd, "late", 4, 0) < 0)
		return -1;
	step();
	return closing(fd, setsockopt(fd, IPPROTO_UDP, UDP_CORK, &zero, sizeof(zero)));
}

/* AF_UNIX, at the listeners of the phase RIGHT; another receipt each time. */
BEFORE(own_unix)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	(void)a;
	peer = -1;
	snprintf(p->text, sizeof(p->text), "/srv/sink/late.%s", p->phase == NONE ? "none" : "right");
	snprintf(at.sun_path, sizeof(at.sun_path), "%.100s", p->text);
	unlink(p->text);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return bind(listener, (struct sockaddr *)&at, sizeof(at)) || listen(listener, 4) || issue("a.unix", p->text, "", receipt);
}
ACT(later_unix)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)a;
	snprintf(at.sun_path, sizeof(at.sun_path), "%.100s", p->text);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)))
		return closing(fd, -1);
	step();
	return closing(fd, send(fd, "late", 4, MSG_NOSIGNAL));
}

/* One use, from all CPUs at once. */
BEFORE(one_use) { (void)a; return issue("a.write", p->dir, p->phase == NONE ? ",\"uses\":1" : "", receipt); }
static uint64_t more_than_one(const struct place *p, const struct attack *a)
{
	char path[160];
	int count = 0;

	(void)a;
	for (int i = 0; i < 64; i++) {
		snprintf(path, sizeof(path), "%s/many-%d", p->dir, i);
		count += access(path, F_OK) == 0;
	}
	return count > 1;
}
struct racer {
	pthread_t thread;
	int number;
	const struct place *place;
	int done;
};
static pthread_barrier_t barrier;
static void *race(void *at)
{
	struct racer *racer = at;

	pthread_barrier_wait(&barrier);
	for (int i = racer->number; i < 64; i += 8) {
		char path[160];
		int fd;

		snprintf(path, sizeof(path), "%s/many-%d", racer->place->dir, i);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd >= 0) {
			racer->done++;
			close(fd);
		}
	}
	return NULL;
}
ACT(race_for_one)
{
	struct racer racers[8];
	int done = 0;

	(void)a;
	pthread_barrier_init(&barrier, NULL, 8);
	for (int i = 0; i < 8; i++) {
		racers[i] = (struct racer){.number = i, .place = p};
		pthread_create(&racers[i].thread, NULL, race, &racers[i]);
	}
	for (int i = 0; i < 8; i++) {
		pthread_join(racers[i].thread, NULL);
		done += racers[i].done;
	}
	errno = EPERM;
	return done > 1 ? 0 : -1;
}

/* The object under the name changes while it is being opened. */
static pid_t swapper;
BEFORE(swap_links)
{
	(void)a;
	snprintf(p->text, sizeof(p->text), "/srv/a/right/swap-%d-%d", p->row, (int)p->phase);
	if (mkdir(p->text, 0755))
		return -1;
	swapper = fork();
	if (swapper == 0) {
		char name[160], other[160], own[160];

		snprintf(name, sizeof(name), "%s/name", p->text);
		snprintf(other, sizeof(other), "%s/other", p->text);
		snprintf(own, sizeof(own), "%s/own", p->text);
		put(own, "own");
		for (;;) { /* the name is a link now to the one, now to the other */
			unlink(other);
			if (symlink(own, other) || rename(other, name))
				_exit(1);
			unlink(other);
			if (symlink(PATH_OF(p, "f"), other) || rename(other, name))
				_exit(1);
		}
	}
	return swapper < 0;
}
BEFORE(swap_directories)
{
	(void)a;
	snprintf(p->text, sizeof(p->text), "/srv/a/right/swap-%d-%d", p->row, (int)p->phase);
	if (mkdir(p->text, 0755))
		return -1;
	swapper = fork();
	if (swapper == 0) {
		char name[160], own[160], aside[160];

		/* name is a directory of ours, or a link to the directory that is not */
		snprintf(own, sizeof(own), "%s/own", p->text);
		snprintf(name, sizeof(name), "%s/name", p->text);
		snprintf(aside, sizeof(aside), "%s/aside", p->text);
		mkdir(own, 0755);
		for (;;) {
			unlink(aside);
			if (symlink(own, aside) || rename(aside, name) || symlink(p->dir, aside) || rename(aside, name))
				_exit(1);
		}
	}
	return swapper < 0;
}
AFTER(stop_swapping) { (void)p; (void)a; kill(swapper, SIGKILL); waitpid(swapper, NULL, 0); }
static int is_changed(const struct place *p)
{
	char text[2];

	return access(PATH_OF(p, "new"), F_OK) == 0 || (get(PATH_OF(p, "f"), text, sizeof(text)) == 0 && text[0] == 'c');
}
/* Until both have been under the name: the one that may, and the other. */
ACT(open_swapped)
{
	char path[160];
	int own = 0, other = 0;

	snprintf(path, sizeof(path), "%s/name%s", p->text, a->argument);
	for (int i = 0; i < 200000 && (own < 40 || other < 40); i++) {
		int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

		if (fd >= 0) {
			if (write(fd, "changed", 7) != 7)
				return -1;
			own++;
			close(fd);
			if (p->phase == FREE)
				other += is_changed(p);
		} else if (errno == EPERM) {
			other++;
		}
	}
	errno = own >= 40 && other >= 40 ? EPERM : ETIME;
	return p->phase == NONE ? -1 : 0;
}
/* The clock of the wall is nobody's clock. */
static struct timespec wall;
BEFORE(expired_receipt) { (void)a; issue("a.write", p->dir, p->phase == NONE ? ",\"ttl_ns\":50000000" : "", receipt); if (p->phase == NONE) await_state(receipt, "expired"); return 0; }
static int set_clock_back(struct place *p, const struct attack *a)
{
	struct timespec back;

	(void)p;
	(void)a;
	clock_gettime(CLOCK_REALTIME, &wall);
	back = wall;
	back.tv_sec -= 7200;
	clock_settime(CLOCK_REALTIME, &back);
	return 0;
}
AFTER(set_clock_right) { (void)p; (void)a; clock_settime(CLOCK_REALTIME, &wall); }
ACT(write_when_told) { (void)a; step(); int fd = open(PATH_OF(p, "f"), O_WRONLY | O_CLOEXEC); return fd < 0 ? -1 : closing(fd, write(fd, "late", 4)); }

#define LATER(name_, how) {.class = 3, .name = "after revocation: " name_, .effect = STATE, .twin = RIGHT, .before = own_receipt, .act = how, .state = size_now, .at_step = end_it}
#define EXPIRY(name_, how) {.class = 3, .name = "after expiry: " name_, .effect = STATE, .twin = RIGHT, .before = short_receipt, .act = how, .state = size_now, .at_step = let_it_expire}
#define SOCKET(name_, how, datagram) {.class = 3, .name = "after revocation: " name_, .effect = STATE, .twin = RIGHT, .before = own_address, .act = how, .state = heard, .at_step = end_it, .after = close_sockets, .number = datagram}

const struct attack time_attacks[] = {
	LATER("write", later_write),
	LATER("pwrite", later_pwrite),
	LATER("ftruncate", later_truncate),
	LATER("fallocate", later_fallocate),
	LATER("sendfile", later_sendfile),
	LATER("splice", later_splice),
	LATER("copy_file_range", later_copy),
	LATER("AIO", later_aio),
	LATER("write to a dup", later_dup),
	LATER("write by a child that inherited it", later_child),
	LATER("open again through /proc/self/fd", later_thread_reopen),
	{.class = 3, .name = "after revocation: fchmod", .effect = SCENE, .twin = RIGHT, .before = own_receipt, .act = later_metadata, .at_step = end_it},
	{.class = 3, .name = "after revocation: create in a directory held open", .effect = STATE, .twin = RIGHT, .before = own_receipt, .act = later_create, .state = second_is_there, .at_step = end_it},
	{.class = 3, .name = "after revocation: link a temporary file", .effect = STATE, .twin = RIGHT, .before = own_receipt, .act = later_tmpfile, .state = second_is_there, .at_step = end_it},
	EXPIRY("write", later_write),
	EXPIRY("ftruncate", later_truncate),
	EXPIRY("splice", later_splice),
	{.class = 3, .name = "after revocation: write to a FIFO", .effect = STATE, .twin = RIGHT, .before = with_fifo, .act = later_fifo_write, .state = fifo_bytes, .at_step = end_it, .after = close_fifo},
	{.class = 3, .name = "after revocation: vmsplice into a FIFO", .gap = "vmsplice asks no hook; only a FIFO that was opened under a receipt", .effect = STATE, .twin = RIGHT, .before = with_fifo, .act = later_fifo_vmsplice, .state = fifo_bytes, .at_step = end_it, .after = close_fifo},
	{.class = 3, .name = "after revocation: tee into a FIFO", .gap = "tee asks no hook; only a FIFO that was opened under a receipt", .effect = STATE, .twin = RIGHT, .before = with_fifo, .act = later_fifo_tee, .state = fifo_bytes, .at_step = end_it, .after = close_fifo},
	SOCKET("TCP send", later_send, 0),
	SOCKET("TCP write", later_socket_write, 0),
	SOCKET("TCP sendfile", later_socket_sendfile, 0),
	SOCKET("TCP splice", later_socket_splice, 0),
	SOCKET("UDP send", later_send, 1),
	SOCKET("TCP send after a connect elsewhere that fails", later_misled, 0),
	SOCKET("UDP send after a connect elsewhere that fails", later_misled, 1),
	SOCKET("UDP write", later_socket_write, 1),
	SOCKET("UDP connected anew", later_reconnect, 1),
	SOCKET("UDP datagram corked before, flushed after", later_uncork, 1),
	{.class = 3, .name = "after revocation: AF_UNIX stream", .effect = STATE, .twin = RIGHT, .before = own_unix, .act = later_unix, .state = heard, .at_step = end_it, .after = close_sockets},
	{.class = 3, .name = "one use raced by eight threads", .effect = STATE, .twin = RIGHT, .before = one_use, .act = race_for_one, .state = more_than_one},
	{.class = 3, .name = "symbolic link swapped while it is opened", .effect = SCENE, .twin = FREE, .before = swap_links, .act = open_swapped, .argument = "", .after = stop_swapping},
	{.class = 3, .name = "directory swapped while a file is created in it", .effect = SCENE, .twin = FREE, .before = swap_directories, .act = open_swapped, .argument = "/new", .after = stop_swapping},
	{.class = 3, .name = "expired receipt, the clock set back two hours", .effect = SCENE, .twin = RIGHT, .before = expired_receipt, .act = write_when_told, .at_step = set_clock_back, .after = set_clock_right},
	{0},
};
