/* Class 1, reaching out: every other door to a peer. */

#define _GNU_SOURCE
#include "attack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <linux/in6.h>
#include <linux/ipv6.h>
#include <linux/netlink.h>
#include <linux/filter.h>
#include <linux/vm_sockets.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define ACT(name) static int name(const struct place *p, const struct attack *a)
#define BEFORE(name) static int name(struct place *p, const struct attack *a)
#define AFTER(name) static void name(struct place *p, const struct attack *a)

static const char kText[] = "from inside\n";
#define LENGTH (sizeof(kText) - 1)

union any {
	struct sockaddr plain;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
};

static socklen_t inet_at(union any *to, const char *ip, int port)
{
	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET, ip, &to->v4.sin_addr) == 1) {
		to->v4.sin_family = AF_INET;
		to->v4.sin_port = htons((uint16_t)port);
		return sizeof(to->v4);
	}
	inet_pton(AF_INET6, ip, &to->v6.sin6_addr);
	to->v6.sin6_family = AF_INET6;
	to->v6.sin6_port = htons((uint16_t)port);
	return sizeof(to->v6);
}

static socklen_t unix_at(union any *to, const char *path)
{
	memset(to, 0, sizeof(*to));
	to->un.sun_family = AF_UNIX;
	if (path[0] != '@') {
		strncpy(to->un.sun_path, path, sizeof(to->un.sun_path) - 1);
		return sizeof(to->un);
	}
	memcpy(to->un.sun_path + 1, path + 1, strlen(path) - 1);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
}

/* tcp, udp: `argument` is the address, `number` the type. */
static int open_to(const struct place *p, const struct attack *a, union any *to, socklen_t *length)
{
	*length = inet_at(to, a->argument, p->port);
	return socket(to->plain.sa_family, a->number | SOCK_CLOEXEC, 0);
}
static int connected(const struct place *p, const struct attack *a)
{
	union any to;
	socklen_t length;
	int fd = open_to(p, a, &to, &length);

	if (fd >= 0 && connect(fd, &to.plain, length))
		return closing(fd, -1);
	return fd;
}
ACT(connect_send)
{
	int fd = connected(p, a);

	return fd < 0 ? -1 : closing(fd, send(fd, kText, LENGTH, MSG_NOSIGNAL));
}
ACT(connect_write)
{
	int fd = connected(p, a);

	return fd < 0 ? -1 : closing(fd, write(fd, kText, LENGTH));
}
ACT(connect_sendfile)
{
	int fd = connected(p, a);
	int from = open(PATH_OF(p, "g"), O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : closing(fd, closing(from, sendfile(fd, from, NULL, 4)));
}
ACT(connect_nonblocking)
{
	union any to;
	socklen_t length = inet_at(&to, a->argument, p->port);
	int fd = socket(to.plain.sa_family, a->number | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (connect(fd, &to.plain, length) && errno != EINPROGRESS)
		return closing(fd, -1);
	poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 1000);
	return closing(fd, send(fd, kText, LENGTH, MSG_NOSIGNAL));
}
ACT(fast_open)
{
	union any to;
	socklen_t length;
	int fd = open_to(p, a, &to, &length);

	return closing(fd, sendto(fd, kText, LENGTH, MSG_FASTOPEN | MSG_NOSIGNAL, &to.plain, length));
}
ACT(fast_open_message)
{
	union any to;
	struct iovec part = {(void *)kText, LENGTH};
	struct msghdr message = {.msg_name = &to, .msg_iov = &part, .msg_iovlen = 1};
	int fd = open_to(p, a, &to, &message.msg_namelen);

	return closing(fd, sendmsg(fd, &message, MSG_FASTOPEN | MSG_NOSIGNAL));
}
ACT(fast_open_connect)
{
	union any to;
	socklen_t length;
	int fd = open_to(p, a, &to, &length);
	int one = 1;

	if (setsockopt(fd, IPPROTO_TCP, 30 /* TCP_FASTOPEN_CONNECT */, &one, sizeof(one)) || connect(fd, &to.plain, length))
		return closing(fd, -1);
	return closing(fd, send(fd, kText, LENGTH, MSG_NOSIGNAL));
}
ACT(re_aim)
{
	union any to;
	socklen_t length;
	int fd = open_to(p, a, &to, &length);
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

	connect(fd, &nowhere, sizeof(nowhere));
	if (connect(fd, &to.plain, length))
		return closing(fd, -1);
	return closing(fd, send(fd, kText, LENGTH, MSG_NOSIGNAL));
}
ACT(send_to)
{
	union any to;
	socklen_t length;
	int fd = open_to(p, a, &to, &length);

	return closing(fd, sendto(fd, kText, LENGTH, 0, &to.plain, length));
}
ACT(send_unspecified) /* UDP takes AF_UNSPEC for AF_INET */
{
	union any to;
	socklen_t length;
	int fd = open_to(p, a, &to, &length);

	to.plain.sa_family = AF_UNSPEC;
	return closing(fd, sendto(fd, kText, LENGTH, 0, &to.plain, length));
}
ACT(send_message)
{
	union any to;
	struct iovec part = {(void *)kText, LENGTH};
	struct msghdr message = {.msg_name = &to, .msg_iov = &part, .msg_iovlen = 1};
	int fd = open_to(p, a, &to, &message.msg_namelen);

	return closing(fd, sendmsg(fd, &message, 0));
}
ACT(send_messages)
{
	union any to;
	struct iovec part = {(void *)kText, LENGTH};
	struct mmsghdr messages[2] = {{.msg_hdr = {.msg_name = &to, .msg_iov = &part, .msg_iovlen = 1}}};
	int fd = open_to(p, a, &to, &messages[0].msg_hdr.msg_namelen);

	messages[1] = messages[0];
	return closing(fd, sendmmsg(fd, messages, 2, 0));
}
ACT(send_zero_copy)
{
	static char page[65536];
	union any to;
	socklen_t length;
	int fd = open_to(p, a, &to, &length);
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one));
	return closing(fd, sendto(fd, page, 30000, MSG_ZEROCOPY, &to.plain, length));
}
ACT(send_in_parts)
{
	union any to;
	socklen_t length;
	int fd = open_to(p, a, &to, &length);

	if (sendto(fd, kText, LENGTH, MSG_MORE, &to.plain, length) < 0)
		return closing(fd, -1);
	return closing(fd, sendto(fd, kText, LENGTH, 0, &to.plain, length));
}
ACT(send_v4_by_v6)
{
	union any to;
	socklen_t length = inet_at(&to, "127.0.0.1", p->port);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)a;
	return closing(fd, sendto(fd, kText, LENGTH, 0, &to.plain, length));
}
ACT(send_empty)
{
	union any to;
	socklen_t length;
	int fd = open_to(p, a, &to, &length);

	return closing(fd, sendto(fd, NULL, 0, 0, &to.plain, length));
}
ACT(ring_connect)
{
	union any to;
	socklen_t length;
	struct ring ring;
	int fd = open_to(p, a, &to, &length);
	struct io_uring_sqe sqe = {.opcode = IORING_OP_CONNECT, .fd = fd, .addr = (uint64_t)&to, .off = length};

	if (ring_open(&ring, 0))
		return -1;
	return closing(fd, ring_do(&ring, &sqe));
}
ACT(ring_sendmsg)
{
	union any to;
	struct iovec part = {(void *)kText, LENGTH};
	struct msghdr message = {.msg_name = &to, .msg_iov = &part, .msg_iovlen = 1};
	struct ring ring;
	int fd = open_to(p, a, &to, &message.msg_namelen);
	struct io_uring_sqe sqe = {.opcode = IORING_OP_SENDMSG, .fd = fd, .addr = (uint64_t)&message, .len = 1};

	if (ring_open(&ring, 0))
		return -1;
	return closing(fd, ring_do(&ring, &sqe));
}

/* AF_UNIX: `value` tells the listener, `number` the type. */
static const char *unix_path(const struct place *p, const struct attack *a)
{
	return a->number == SOCK_DGRAM ? p->dgram : a->number == SOCK_SEQPACKET ? p->packet : a->value ? p->abstract : p->stream;
}
ACT(unix_connect)
{
	union any to;
	socklen_t length = unix_at(&to, unix_path(p, a));
	int fd = socket(AF_UNIX, a->number | SOCK_CLOEXEC, 0);

	if (connect(fd, &to.plain, length))
		return closing(fd, -1);
	return closing(fd, send(fd, kText, LENGTH, MSG_NOSIGNAL));
}
ACT(unix_send_to)
{
	union any to;
	socklen_t length = unix_at(&to, unix_path(p, a));
	int fd = socket(AF_UNIX, a->number | SOCK_CLOEXEC, 0);

	return closing(fd, sendto(fd, kText, LENGTH, MSG_NOSIGNAL, &to.plain, length));
}
ACT(unix_sendmsg_fd) /* carries a descriptor out */
{
	union any to;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec part = {(void *)kText, LENGTH};
	struct msghdr message = {.msg_name = &to, .msg_namelen = unix_at(&to, unix_path(p, a)), .msg_iov = &part, .msg_iovlen = 1,
				 .msg_control = &control, .msg_controllen = sizeof(control)};
	int fd = socket(AF_UNIX, a->number | SOCK_CLOEXEC, 0);
	int carried = 0;

	control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
	memcpy(CMSG_DATA(&control.header), &carried, sizeof(carried));
	return closing(fd, sendmsg(fd, &message, MSG_NOSIGNAL));
}
ACT(unix_proc_path) /* the same socket by another name */
{
	union any to;
	char path[108];
	socklen_t length;
	int dir = open("/srv/sink", O_PATH | O_DIRECTORY);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)a;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, strrchr(p->stream, '/') + 1);
	length = unix_at(&to, path);
	return closing(fd, connect(fd, &to.plain, length));
}

/* Descriptors that the outside opened and connected. */
static uint64_t heard_by_peer(const struct place *p, const struct attack *a)
{
	char buffer[4096];
	uint64_t count = 0;
	ssize_t got;

	(void)a;
	while ((got = recv((int)p->number[0], buffer, sizeof(buffer), MSG_DONTWAIT)) > 0)
		count += (uint64_t)got;
	return count;
}
AFTER(close_peer) { (void)a; close((int)p->number[0]); if (p->number[1] > 0) close((int)p->number[1]); }
/* A connected pair at an address that no phase's receipt names. */
BEFORE(pass_tcp)
{
	union any at;
	socklen_t length = inet_at(&at, "127.0.0.1", 0);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)a;
	if (bind(listener, &at.plain, length) || listen(listener, 1) || getsockname(listener, &at.plain, &length))
		return -1;
	p->given = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(p->given, &at.plain, length))
		return -1;
	p->number[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	return p->number[0] < 0;
}
BEFORE(pass_udp)
{
	union any at;
	socklen_t length = inet_at(&at, "127.0.0.1", 0);
	int peer = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)a;
	p->number[0] = peer;
	if (bind(peer, &at.plain, length) || getsockname(peer, &at.plain, &length))
		return -1;
	p->given = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return connect(p->given, &at.plain, length);
}
BEFORE(pass_unix)
{
	union any at;
	char path[64];
	socklen_t length;
	int peer = socket(AF_UNIX, a->number | SOCK_CLOEXEC, 0);

	snprintf(path, sizeof(path), "/srv/sink/own-%d-%d", p->row, (int)p->phase);
	length = unix_at(&at, path);
	p->given = socket(AF_UNIX, a->number | SOCK_CLOEXEC, 0);
	if (bind(peer, &at.plain, length) || (a->number != SOCK_DGRAM && listen(peer, 1)) || connect(p->given, &at.plain, length))
		return -1;
	p->number[0] = a->number == SOCK_DGRAM ? peer : accept4(peer, NULL, NULL, SOCK_CLOEXEC);
	return p->number[0] < 0;
}
static int given_send(int fd, const struct place *p) { (void)p; return send(fd, kText, LENGTH, MSG_NOSIGNAL) < 0 ? -1 : 0; }
static int given_write(int fd, const struct place *p) { (void)p; return write(fd, kText, LENGTH) < 0 ? -1 : 0; }
static int given_writev(int fd, const struct place *p)
{
	struct iovec part = {(void *)kText, LENGTH};

	(void)p;
	return writev(fd, &part, 1) < 0 ? -1 : 0;
}
static int given_sendmsg(int fd, const struct place *p)
{
	struct iovec part = {(void *)kText, LENGTH};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	(void)p;
	return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -1 : 0;
}
static int given_sendfile(int fd, const struct place *p)
{
	int from = open(PATH_OF(p, "g"), O_RDONLY | O_CLOEXEC);

	return closing(from, sendfile(fd, from, NULL, 4));
}
static int given_splice(int fd, const struct place *p)
{
	int ends[2];

	(void)p;
	if (pipe(ends) || write(ends[1], kText, LENGTH) < 0)
		return -1;
	return splice(ends[0], NULL, fd, NULL, LENGTH, 0) < 0 ? -1 : 0;
}
static int given_ring(int fd, const struct place *p)
{
	struct ring ring;
	struct io_uring_sqe sqe = {.opcode = IORING_OP_SEND, .fd = fd, .addr = (uint64_t)kText, .len = LENGTH};

	(void)p;
	return ring_open(&ring, 0) ? -1 : ring_do(&ring, &sqe) < 0 ? -1 : 0;
}
static int given_oob(int fd, const struct place *p) { (void)p; return send(fd, "!!", 2, MSG_OOB | MSG_NOSIGNAL) < 0 ? -1 : 0; }
/* A listener of the outside's: accept and answer whoever comes. */
BEFORE(pass_listener)
{
	union any at;
	socklen_t length = inet_at(&at, "127.0.0.1", 0);

	(void)a;
	p->given = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	p->number[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return bind(p->given, &at.plain, length) || listen(p->given, 4) || getsockname(p->given, &at.plain, &length) ||
	       connect((int)p->number[0], &at.plain, length);
}
static int given_accept(int fd, const struct place *p)
{
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	(void)p;
	return peer < 0 ? -1 : closing(peer, send(peer, kText, LENGTH, MSG_NOSIGNAL));
}
/* The same by a name in the file system. */
BEFORE(pass_unix_listener)
{
	union any at;
	char path[64];
	socklen_t length;

	snprintf(path, sizeof(path), "/srv/sink/own-%d-%d", p->row, (int)p->phase);
	length = unix_at(&at, path);
	p->given = socket(AF_UNIX, a->number | SOCK_CLOEXEC, 0);
	p->number[0] = socket(AF_UNIX, a->number | SOCK_CLOEXEC, 0);
	return bind(p->given, &at.plain, length) || listen(p->given, 4) || connect((int)p->number[0], &at.plain, length);
}
/* An IPv6 socket with a peer sends AF_UNSPEC to that peer, whatever else the
 * address says; here it says one that a live receipt names. */
BEFORE(pass_udp6)
{
	union any at;
	socklen_t length = inet_at(&at, "::1", 0);
	int peer = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)a;
	p->number[0] = peer;
	if (bind(peer, &at.plain, length) || getsockname(peer, &at.plain, &length))
		return -1;
	p->given = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return connect(p->given, &at.plain, length);
}
static int given_unspecified(int fd, const struct place *p)
{
	union any to;
	socklen_t length = inet_at(&to, "::1", p->port - (int)p->phase + (int)RIGHT);

	to.plain.sa_family = AF_UNSPEC;
	return sendto(fd, kText, LENGTH, 0, &to.plain, length) < 0 ? -1 : 0;
}
/* A socket of the outside's is first told to connect or bind to what a live
 * receipt names, in a way that the kernel refuses: it stays what it was. */
static int fails_to_connect(int fd, const struct place *p, const char *ip)
{
	union any to;
	socklen_t length = inet_at(&to, ip, p->port - (int)p->phase + (int)RIGHT);

	return connect(fd, &to.plain, length) ? 0 : -1;
}
static int given_misled(int fd, const struct place *p) { return fails_to_connect(fd, p, "127.0.0.1") ? -1 : given_send(fd, p); }
static int given_misled_by_family(int fd, const struct place *p) { return fails_to_connect(fd, p, "::1") ? -1 : given_send(fd, p); }
static int given_misled_write(int fd, const struct place *p) { return fails_to_connect(fd, p, "::1") ? -1 : given_write(fd, p); }
static int given_misled_shutdown(int fd, const struct place *p) { return fails_to_connect(fd, p, "127.0.0.1") ? -1 : shutdown(fd, SHUT_RDWR); }
enum { OTHER_PORT = 9400 };
static int may_bind(void)
{
	char object[64], id[80];

	snprintf(object, sizeof(object), "127.0.0.1:%d", OTHER_PORT);
	return issue("a.bind", object, "", id);
}
BEFORE(pass_tcp_and_bind) { return may_bind() || pass_tcp(p, a); }
BEFORE(pass_listener_and_bind) { return may_bind() || pass_listener(p, a); }
static int fails_to_bind(int fd)
{
	union any to;
	socklen_t length = inet_at(&to, "127.0.0.1", OTHER_PORT);

	return bind(fd, &to.plain, length) ? 0 : -1;
}
static int given_bound_send(int fd, const struct place *p) { return fails_to_bind(fd) ? -1 : given_send(fd, p); }
static int given_bound_accept(int fd, const struct place *p) { return fails_to_bind(fd) ? -1 : given_accept(fd, p); }
/* It gets a name that it may have, and fails to listen there. */
static int given_named_send(int fd, const struct place *p)
{
	union any at;
	char path[64];
	socklen_t length;

	snprintf(path, sizeof(path), "/srv/a/right/name-%d-%d", p->row, (int)p->phase);
	length = unix_at(&at, path);
	if (bind(fd, &at.plain, length) || !listen(fd, 1))
		return -1;
	return given_send(fd, p);
}
/* What can be done to somebody's socket without sending. */
static int given_shutdown(int fd, const struct place *p) { (void)p; return shutdown(fd, SHUT_RDWR); }
static int given_dissolve(int fd, const struct place *p)
{
	struct sockaddr nobody = {.sa_family = AF_UNSPEC};

	(void)p;
	return connect(fd, &nobody, sizeof(nobody));
}
static int given_filter(int fd, const struct place *p)
{
	struct sock_filter nothing = {.code = 6 /* BPF_RET | BPF_K */};
	struct sock_fprog program = {.len = 1, .filter = &nothing};

	(void)p;
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}
static uint64_t peer_ended(const struct place *p, const struct attack *a)
{
	char byte;
	ssize_t got = recv((int)p->number[0], &byte, 1, MSG_DONTWAIT | MSG_PEEK);

	(void)a;
	return got == 0 ? 1 : got < 0 && errno != EAGAIN ? 2 : 0;
}
static uint64_t refuses_clients(const struct place *p, const struct attack *a)
{
	union any at;
	socklen_t length = sizeof(at);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)a;
	/* Its address as it was: a closed listener has none. */
	length = sizeof(at.v4);
	getpeername((int)p->number[0], &at.plain, &length);
	return closing(client, connect(client, &at.plain, length)) != 0;
}
/* A server of the outside's that somebody sends to: does it hear? */
BEFORE(pass_udp_server)
{
	union any at;
	socklen_t length = inet_at(&at, "127.0.0.1", 0);

	(void)a;
	p->given = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	p->number[0] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	p->number[1] = 0;
	return bind(p->given, &at.plain, length) || getsockname(p->given, &at.plain, &length) || connect((int)p->number[0], &at.plain, length);
}
static uint64_t is_deaf(const struct place *p, const struct attack *a)
{
	char text[16];

	(void)a;
	if (send((int)p->number[0], "?", 1, 0) != 1)
		return 2;
	poll(&(struct pollfd){.fd = p->given, .events = POLLIN}, 1, 3000); /* a busy machine delivers later */
	return recv(p->given, text, sizeof(text), MSG_DONTWAIT) != 1;
}
static int given_sendto_elsewhere(int fd, const struct place *p)
{
	union any to;
	socklen_t length = inet_at(&to, "127.0.0.1", p->port);

	return sendto(fd, kText, LENGTH, 0, &to.plain, length) < 0 ? -1 : 0;
}

/* Packets made by hand, and socket families that the gate does not know. */
static int build_packet(unsigned char packet[64], int port)
{
	struct iphdr *ip = (struct iphdr *)packet;
	struct udphdr *udp = (struct udphdr *)(packet + 20);
	unsigned sum = 0;

	memset(packet, 0, 64);
	ip->version = 4;
	ip->ihl = 5;
	ip->ttl = 64;
	ip->protocol = IPPROTO_UDP;
	ip->tot_len = htons(20 + 8 + LENGTH);
	ip->saddr = ip->daddr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < 10; i++)
		sum += ((uint16_t *)packet)[i];
	ip->check = (uint16_t)~((sum & 0xffff) + (sum >> 16));
	udp->source = htons(9);
	udp->dest = htons((uint16_t)port);
	udp->len = htons(8 + LENGTH);
	memcpy(packet + 28, kText, LENGTH);
	return 28 + LENGTH;
}
ACT(raw_socket)
{
	unsigned char packet[64];
	union any to;
	socklen_t length = inet_at(&to, "127.0.0.1", 0);
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	(void)a;
	return closing(fd, sendto(fd, packet, (size_t)build_packet(packet, p->port), 0, &to.plain, length));
}
ACT(packet_socket)
{
	unsigned char packet[64];
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_halen = 6};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IP));

	(void)a;
	(void)p;
	to.sll_ifindex = (int)if_nametoindex("lo");
	build_packet(packet, 9);
	memcpy(packet + 16, "\x7f\x09\x09\x09", 4);
	return closing(fd, sendto(fd, packet, 28 + LENGTH, 0, (struct sockaddr *)&to, sizeof(to)));
}
ACT(other_family)
{
	int family = atoi(a->argument), type = atoi(strchr(a->argument, ' ') + 1);
	int fd = socket(family, type | SOCK_CLOEXEC, a->number);

	(void)p;
	return closing(fd, fd);
}
ACT(other_stream) /* MPTCP falls back to TCP, SCTP has listeners of its own */
{
	union any to;
	socklen_t length = inet_at(&to, "127.0.0.1", p->port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, a->number);

	if (fd < 0 || connect(fd, &to.plain, length))
		return closing(fd, -1);
	return closing(fd, send(fd, kText, LENGTH, MSG_NOSIGNAL));
}
/* A route that the sender writes itself: the packet goes to another host first. */
static int sniffer = -1;
BEFORE(sniff)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};

	(void)p;
	(void)a;
	at.sll_ifindex = (int)if_nametoindex("lo");
	sniffer = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));
	if (system("ip -6 address replace fd00::9/128 dev lo"))
		return -1;
	return sniffer < 0 || bind(sniffer, (struct sockaddr *)&at, sizeof(at));
}
AFTER(stop_sniffing) { (void)p; (void)a; close(sniffer); }
/* Packets on the way to the host of the detour, 127.9.9.9 or fd00::9. */
static uint64_t sniffed(const struct place *p, const struct attack *a)
{
	static uint64_t count;
	unsigned char packet[2048];
	ssize_t got;
	struct in6_addr six;

	(void)p;
	(void)a;
	inet_pton(AF_INET6, "fd00::9", &six);
	while ((got = recv(sniffer, packet, sizeof(packet), 0)) > 0) {
		if (got > 20 && packet[0] >> 4 == 4 && memcmp(packet + 16, "\x7f\x09\x09\x09", 4) == 0)
			count++;
		if (got > 40 && packet[0] >> 4 == 6 && memcmp(packet + 24, &six, 16) == 0)
			count++;
	}
	return count;
}
/* The receipt of phase RIGHT names where the packet says that it goes. */
ACT(source_route)
{
	static const unsigned char options[] = {131 /* LSRR */, 7, 4, 127, 9, 9, 9, 0};
	union any to;
	socklen_t length = inet_at(&to, "127.0.0.1", 7005);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)p;
	(void)a;
	if (setsockopt(fd, IPPROTO_IP, IP_OPTIONS, options, sizeof(options)))
		return closing(fd, -1);
	return closing(fd, sendto(fd, kText, LENGTH, 0, &to.plain, length));
}
ACT(source_route_message)
{
	static const unsigned char options[] = {131, 7, 4, 127, 9, 9, 9, 0};
	union any to;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(options))];
	} control = {0};
	struct iovec part = {(void *)kText, LENGTH};
	struct msghdr message = {.msg_name = &to, .msg_namelen = inet_at(&to, "127.0.0.1", 7005), .msg_iov = &part, .msg_iovlen = 1,
				 .msg_control = &control, .msg_controllen = sizeof(control)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)p;
	(void)a;
	control.header = (struct cmsghdr){.cmsg_level = IPPROTO_IP, .cmsg_type = IP_RETOPTS, .cmsg_len = CMSG_LEN(sizeof(options))};
	memcpy(CMSG_DATA(&control.header), options, sizeof(options));
	return closing(fd, sendmsg(fd, &message, 0));
}
ACT(source_route_connected)
{
	static const unsigned char options[] = {131, 7, 4, 127, 9, 9, 9, 0};
	union any to;
	socklen_t length = inet_at(&to, "127.0.0.1", 7005);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)p;
	(void)a;
	if (setsockopt(fd, IPPROTO_IP, IP_OPTIONS, options, sizeof(options)))
		return closing(fd, -1);
	if (connect(fd, &to.plain, length) && errno != EINPROGRESS)
		return closing(fd, -1);
	return closing(fd, 0);
}
ACT(routing_header)
{
	struct {
		unsigned char next, length, type, left;
		uint32_t reserved;
		struct in6_addr at;
	} header = {0, 2, 2, 1, 0, {{{0}}}};
	union any to;
	socklen_t length = inet_at(&to, "::1", 7005);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)p;
	(void)a;
	inet_pton(AF_INET6, "fd00::9", &header.at);
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_RTHDR, &header, sizeof(header)))
		return closing(fd, -1);
	return closing(fd, sendto(fd, kText, LENGTH, 0, &to.plain, length));
}

/* The same header, kept in a flow label. */
ACT(flow_label)
{
	struct {
		struct in6_flowlabel_req request;
		union {
			struct cmsghdr header;
			char bytes[CMSG_SPACE(24)];
		} control;
	} option;
	struct {
		unsigned char next, length, type, left;
		uint32_t reserved;
		struct in6_addr at;
	} header = {0, 2, 2, 1, 0, {{{0}}}};
	union any to;
	socklen_t length = inet_at(&to, "::1", 7005);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int one = 1;

	(void)p;
	(void)a;
	_Static_assert(sizeof(header) == 24, "a routing header with one address");
	inet_pton(AF_INET6, "fd00::9", &header.at);
	memset(&option, 0, sizeof(option));
	option.request.flr_dst = to.v6.sin6_addr;
	option.request.flr_label = htonl(0x4711);
	option.request.flr_share = IPV6_FL_S_EXCL;
	option.request.flr_flags = IPV6_FL_F_CREATE;
	option.control.header = (struct cmsghdr){.cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_RTHDR, .cmsg_len = CMSG_LEN(sizeof(header))};
	memcpy(CMSG_DATA(&option.control.header), &header, sizeof(header));
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_FLOWLABEL_MGR, &option, sizeof(option)) ||
	    setsockopt(fd, IPPROTO_IPV6, 33 /* IPV6_FLOWINFO_SEND */, &one, sizeof(one)))
		return closing(fd, -1);
	to.v6.sin6_flowinfo = htonl(0x4711);
	return closing(fd, sendto(fd, kText, LENGTH, 0, &to.plain, length));
}
ACT(routing_header_message)
{
	struct {
		unsigned char next, length, type, left;
		uint32_t reserved;
		struct in6_addr at;
	} header = {0, 2, 2, 1, 0, {{{0}}}};
	union any to;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(header))];
	} control = {0};
	struct iovec part = {(void *)kText, LENGTH};
	struct msghdr message = {.msg_name = &to, .msg_namelen = inet_at(&to, "::1", 7005), .msg_iov = &part, .msg_iovlen = 1,
				 .msg_control = &control, .msg_controllen = sizeof(control)};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)p;
	(void)a;
	inet_pton(AF_INET6, "fd00::9", &header.at);
	control.header = (struct cmsghdr){.cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_RTHDR, .cmsg_len = CMSG_LEN(sizeof(header))};
	memcpy(CMSG_DATA(&control.header), &header, sizeof(header));
	return closing(fd, sendmsg(fd, &message, 0));
}
/* The kernel tells the network which group was joined. */
ACT(join_group)
{
	struct ip_mreqn group = {.imr_ifindex = 1};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)p;
	inet_pton(AF_INET, a->argument, &group.imr_multiaddr);
	if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)))
		return closing(fd, -1);
	step();
	return closing(fd, 0);
}
static int is_joined(struct place *p, const struct attack *a)
{
	char text[4096];

	(void)p;
	get("/proc/net/igmp", text, sizeof(text));
	return strstr(text, a->value) != NULL;
}

/* Receiving: the outside comes in. */
BEFORE(bind_receipt)
{
	char object[64], id[80];

	if (p->phase != RIGHT)
		return 0;
	snprintf(object, sizeof(object), strchr(a->argument, ':') ? "[%s]:%d" : "%s:%d", a->argument, a->number + (int)p->phase);
	return issue("a.bind", object, "", id);
}
ACT(listen_tcp)
{
	union any at;
	socklen_t length = inet_at(&at, a->argument, 9100 + (int)p->phase);
	int fd = socket(at.plain.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, &at.plain, length) || listen(fd, 4))
		return closing(fd, -1);
	step();
	return closing(fd, 0);
}
static int can_connect(struct place *p, const struct attack *a)
{
	union any to;
	socklen_t length = inet_at(&to, a->argument, 9100 + (int)p->phase);
	int fd = socket(to.plain.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return closing(fd, connect(fd, &to.plain, length)) == 0;
}
ACT(bind_udp)
{
	union any at;
	socklen_t length = inet_at(&at, a->argument, 9200 + (int)p->phase);
	int fd = socket(at.plain.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char byte;

	if (bind(fd, &at.plain, length))
		return closing(fd, -1);
	step();
	return closing(fd, recv(fd, &byte, 1, MSG_DONTWAIT));
}
static int is_bound(struct place *p, const struct attack *a)
{
	union any at;
	socklen_t length = inet_at(&at, a->argument, 9200 + (int)p->phase);
	int fd = socket(at.plain.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int taken = bind(fd, &at.plain, length) && errno == EADDRINUSE;

	sendto(fd, "x", 1, 0, &at.plain, length);
	close(fd);
	return taken;
}
ACT(listen_unbound)
{
	union any at;
	socklen_t length = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)a;
	(void)p;
	return closing(fd, listen(fd, 4) || getsockname(fd, &at.plain, &length) || at.v4.sin_port == 0 ? -1 : 0);
}
/* A port that an outside server shares: its clients may come to us. */
BEFORE(share_port)
{
	union any at;
	socklen_t length = inet_at(&at, "127.0.0.1", 9300 + (int)p->phase);
	int one = 1;

	(void)a;
	p->number[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt((int)p->number[0], SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	return bind((int)p->number[0], &at.plain, length) || listen((int)p->number[0], 64);
}
ACT(steal_port)
{
	union any at;
	socklen_t length = inet_at(&at, "127.0.0.1", 9300 + (int)p->phase);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1, stolen = 0;

	(void)a;
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (bind(fd, &at.plain, length) || listen(fd, 64))
		return closing(fd, -1);
	step();
	while (accept(fd, NULL, NULL) >= 0)
		stolen++;
	return closing(fd, stolen ? 0 : -1);
}
static int many_clients(struct place *p, const struct attack *a)
{
	(void)a;
	for (int i = 0; i < 40; i++) {
		union any at;
		socklen_t length = inet_at(&at, "127.0.0.1", 9300 + (int)p->phase);
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		connect(fd, &at.plain, length);
		close(fd);
	}
	return 0;
}
ACT(listen_abstract)
{
	union any at;
	char name[32];
	socklen_t length;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(name, sizeof(name), "@inside-%d", (int)p->phase);
	(void)a;
	length = unix_at(&at, name);
	if (bind(fd, &at.plain, length) || listen(fd, 4))
		return closing(fd, -1);
	step();
	return closing(fd, 0);
}
static int can_connect_abstract(struct place *p, const struct attack *a)
{
	union any to;
	char name[32];
	socklen_t length;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)a;
	snprintf(name, sizeof(name), "@inside-%d", (int)p->phase);
	length = unix_at(&to, name);
	return closing(fd, connect(fd, &to.plain, length)) == 0;
}

#define NET(name_, how, ip, type) {.class = 1, .name = "connect: " name_, .effect = ARRIVAL, .twin = RIGHT, .variants = 1, .act = how, .argument = ip, .number = type}
#define UNIX(name_, how, type) {.class = 1, .name = "connect: " name_, .effect = ARRIVAL, .twin = RIGHT, .variants = 1, .act = how, .number = type}
#define GIVEN(name_, make, how, type) {.class = 1, .name = "connect: " name_, .effect = STATE, .twin = FREE, .before = make, .given = 1, .through = how, .state = heard_by_peer, .after = close_peer, .number = type}
#define TOUCHED(name_, make, how, what, type) {.class = 1, .name = "connect: " name_, .effect = STATE, .twin = FREE, .before = make, .given = 1, .through = how, .state = what, .after = close_peer, .number = type}
#define FAMILY(name_, family_type, protocol) {.class = 1, .name = "connect: " name_, .effect = RETURNS, .twin = FREE, .act = other_family, .argument = family_type, .number = protocol}

const struct attack connect_attacks[] = {
	{.class = 0, .name = "use up: connect", .act = connect_send, .argument = "127.0.0.1", .number = SOCK_STREAM},
	{.class = 0, .name = "use up: connect v6", .act = connect_send, .argument = "::1", .number = SOCK_STREAM},
	{.class = 0, .name = "use up: unix stream", .act = unix_connect, .number = SOCK_STREAM},
	{.class = 0, .name = "use up: unix datagram", .act = unix_send_to, .number = SOCK_DGRAM},
	{.class = 0, .name = "use up: unix packet", .act = unix_connect, .number = SOCK_SEQPACKET},
	NET("TCP", connect_send, "127.0.0.1", SOCK_STREAM),
	NET("TCP, not waiting", connect_nonblocking, "127.0.0.1", SOCK_STREAM),
	NET("TCP over IPv6", connect_send, "::1", SOCK_STREAM),
	NET("TCP to a v4-mapped address", connect_send, "::ffff:127.0.0.1", SOCK_STREAM),
	NET("TCP and write", connect_write, "127.0.0.1", SOCK_STREAM),
	NET("TCP and sendfile", connect_sendfile, "127.0.0.1", SOCK_STREAM),
	NET("Fast Open by sendto", fast_open, "127.0.0.1", SOCK_STREAM),
	NET("Fast Open by sendmsg", fast_open_message, "127.0.0.1", SOCK_STREAM),
	NET("Fast Open by connect", fast_open_connect, "127.0.0.1", SOCK_STREAM),
	NET("Fast Open to a v4-mapped address", fast_open, "::ffff:127.0.0.1", SOCK_STREAM),
	NET("UDP connect and send", connect_send, "127.0.0.1", SOCK_DGRAM),
	NET("UDP connect and write", connect_write, "127.0.0.1", SOCK_DGRAM),
	NET("UDP aimed anew after AF_UNSPEC", re_aim, "127.0.0.1", SOCK_DGRAM),
	NET("sendto", send_to, "127.0.0.1", SOCK_DGRAM),
	NET("sendto over IPv6", send_to, "::1", SOCK_DGRAM),
	NET("sendto a v4-mapped address", send_to, "::ffff:127.0.0.1", SOCK_DGRAM),
	NET("sendto with family AF_UNSPEC", send_unspecified, "127.0.0.1", SOCK_DGRAM),
	NET("sendmsg", send_message, "127.0.0.1", SOCK_DGRAM),
	NET("sendmmsg", send_messages, "127.0.0.1", SOCK_DGRAM),
	NET("sendto with MSG_ZEROCOPY", send_zero_copy, "127.0.0.1", SOCK_DGRAM),
	NET("sendto in two parts with MSG_MORE", send_in_parts, "127.0.0.1", SOCK_DGRAM),
	NET("sendto an IPv4 address through an IPv6 socket", send_v4_by_v6, "127.0.0.1", SOCK_DGRAM),
	NET("empty datagram", send_empty, "127.0.0.1", SOCK_DGRAM),
	{.class = 1, .name = "connect: TCP to 0.0.0.0", .effect = ARRIVAL, .twin = FREE, .act = connect_send, .argument = "0.0.0.0", .number = SOCK_STREAM},
	{.class = 1, .name = "connect: TCP to ::", .effect = ARRIVAL, .twin = FREE, .act = connect_send, .argument = "::", .number = SOCK_STREAM},
	{.class = 1, .name = "connect: sendto 0.0.0.0", .effect = ARRIVAL, .twin = FREE, .act = send_to, .argument = "0.0.0.0", .number = SOCK_DGRAM},
	{.class = 1, .name = "connect: io_uring CONNECT", .effect = ARRIVAL, .twin = FREE, .act = ring_connect, .argument = "127.0.0.1", .number = SOCK_STREAM},
	{.class = 1, .name = "connect: io_uring SENDMSG", .effect = ARRIVAL, .twin = FREE, .act = ring_sendmsg, .argument = "127.0.0.1", .number = SOCK_DGRAM},
	UNIX("AF_UNIX stream", unix_connect, SOCK_STREAM),
	UNIX("AF_UNIX datagram, connected", unix_connect, SOCK_DGRAM),
	UNIX("AF_UNIX datagram, sendto", unix_send_to, SOCK_DGRAM),
	UNIX("AF_UNIX datagram with a descriptor", unix_sendmsg_fd, SOCK_DGRAM),
	UNIX("AF_UNIX seqpacket", unix_connect, SOCK_SEQPACKET),
	UNIX("AF_UNIX stream by a name in /proc/self/fd", unix_proc_path, SOCK_STREAM),
	{.class = 1, .name = "connect: AF_UNIX abstract", .effect = ARRIVAL, .twin = FREE, .act = unix_connect, .number = SOCK_STREAM, .value = "abstract"},
	GIVEN("passed TCP connection, send", pass_tcp, given_send, 0),
	GIVEN("passed TCP connection, write", pass_tcp, given_write, 0),
	GIVEN("passed TCP connection, writev", pass_tcp, given_writev, 0),
	GIVEN("passed TCP connection, sendmsg", pass_tcp, given_sendmsg, 0),
	GIVEN("passed TCP connection, sendfile", pass_tcp, given_sendfile, 0),
	GIVEN("passed TCP connection, splice", pass_tcp, given_splice, 0),
	GIVEN("passed TCP connection, urgent data", pass_tcp, given_oob, 0),
	GIVEN("passed TCP connection, io_uring SEND", pass_tcp, given_ring, 0),
	GIVEN("passed UDP socket, send", pass_udp, given_send, 0),
	GIVEN("passed UDP socket, sendfile", pass_udp, given_sendfile, 0),
	GIVEN("passed UDP socket, splice", pass_udp, given_splice, 0),
	{.class = 1, .name = "connect: passed UDP socket, sendto elsewhere", .effect = ARRIVAL, .twin = RIGHT, .before = pass_udp, .given = 1, .through = given_sendto_elsewhere, .after = close_peer},
	GIVEN("passed AF_UNIX stream, send", pass_unix, given_send, SOCK_STREAM),
	GIVEN("passed AF_UNIX stream, write", pass_unix, given_write, SOCK_STREAM),
	GIVEN("passed AF_UNIX stream, sendfile", pass_unix, given_sendfile, SOCK_STREAM),
	GIVEN("passed AF_UNIX stream, splice", pass_unix, given_splice, SOCK_STREAM),
	GIVEN("passed AF_UNIX datagram socket, send", pass_unix, given_send, SOCK_DGRAM),
	GIVEN("passed AF_UNIX seqpacket, send", pass_unix, given_send, SOCK_SEQPACKET),
	GIVEN("passed listener: accept and answer", pass_listener, given_accept, 0),
	GIVEN("passed AF_UNIX listener: accept and answer", pass_unix_listener, given_accept, SOCK_STREAM),
	GIVEN("passed AF_UNIX seqpacket listener: accept and answer", pass_unix_listener, given_accept, SOCK_SEQPACKET),
	GIVEN("passed IPv6 UDP socket, sendto with family AF_UNSPEC", pass_udp6, given_unspecified, 0),
	GIVEN("passed TCP connection, send after a connect that fails", pass_tcp, given_misled, 0),
	GIVEN("passed UDP socket, send after a connect of another family that fails", pass_udp, given_misled_by_family, 0),
	GIVEN("passed UDP socket, write after a connect of another family that fails", pass_udp, given_misled_write, 0),
	GIVEN("passed TCP connection, send after a bind that fails", pass_tcp_and_bind, given_bound_send, 0),
	GIVEN("passed listener: accept and answer after a bind that fails", pass_listener_and_bind, given_bound_accept, 0),
	GIVEN("passed AF_UNIX stream, send after it got a name and failed to listen", pass_unix, given_named_send, SOCK_STREAM),
	TOUCHED("passed TCP connection, shut down after a connect that fails", pass_tcp, given_misled_shutdown, peer_ended, 0),
	TOUCHED("passed TCP connection, shut down", pass_tcp, given_shutdown, peer_ended, 0),
	TOUCHED("passed TCP connection, dissolved by AF_UNSPEC", pass_tcp, given_dissolve, peer_ended, 0),
	TOUCHED("passed AF_UNIX stream, shut down", pass_unix, given_shutdown, peer_ended, SOCK_STREAM),
	TOUCHED("passed listener, shut down", pass_listener, given_shutdown, refuses_clients, 0),
	TOUCHED("passed listener, dissolved by AF_UNSPEC", pass_listener, given_dissolve, refuses_clients, 0),
	TOUCHED("passed UDP server, made deaf by a filter", pass_udp_server, given_filter, is_deaf, 0),
	{.class = 1, .name = "connect: raw socket", .effect = ARRIVAL, .twin = FREE, .act = raw_socket},
	{.class = 1, .name = "connect: packet socket", .effect = STATE, .twin = FREE, .before = sniff, .act = packet_socket, .state = sniffed, .after = stop_sniffing},
	{.class = 1, .name = "connect: MPTCP", .effect = ARRIVAL, .twin = FREE, .act = other_stream, .number = 262},
	{.class = 1, .name = "connect: AF_SMC", .effect = RETURNS, .twin = FREE, .act = other_family, .argument = "43 1", .number = 0},
	FAMILY("SCTP", "2 1", 132),
	FAMILY("UDP-Lite", "2 2", 136),
	FAMILY("ICMP by a datagram socket", "2 2", 1),
	FAMILY("ICMP by a raw socket", "2 3", 1),
	FAMILY("AF_VSOCK", "40 1", 0),
	FAMILY("AF_ALG", "38 5", 0),
	FAMILY("AF_XDP", "44 3", 0),
	FAMILY("AF_KEY", "15 3", 2),
	FAMILY("netlink: generic", "16 3", 16),
	FAMILY("netlink: uevents", "16 3", 15),
	FAMILY("netlink: audit", "16 3", 9),
	FAMILY("netlink: connector", "16 3", 11),
	FAMILY("netlink: netfilter", "16 3", 12),
	FAMILY("netlink: user sockets", "16 3", 2),
	{.class = 1, .name = "connect: IP source route to another host", .effect = STATE, .twin = FREE, .before = sniff, .act = source_route, .state = sniffed, .after = stop_sniffing},
	{.class = 1, .name = "connect: IP source route in a message", .effect = STATE, .twin = FREE, .before = sniff, .act = source_route_message, .state = sniffed, .after = stop_sniffing},
	{.class = 1, .name = "connect: IP source route of a TCP connection", .effect = STATE, .twin = FREE, .before = sniff, .act = source_route_connected, .state = sniffed, .after = stop_sniffing},
	{.class = 1, .name = "connect: IPv6 routing header", .effect = STATE, .twin = FREE, .before = sniff, .act = routing_header, .state = sniffed, .after = stop_sniffing},
	{.class = 1, .name = "connect: IPv6 routing header in a message", .effect = STATE, .twin = FREE, .before = sniff, .act = routing_header_message, .state = sniffed, .after = stop_sniffing},
	{.class = 1, .name = "connect: IPv6 routing header in a flow label", .effect = STATE, .twin = FREE, .before = sniff, .act = flow_label, .state = sniffed, .after = stop_sniffing},
	{.class = 1, .name = "connect: join a multicast group", .effect = STEP, .twin = FREE, .act = join_group, .at_step = is_joined, .argument = "239.9.9.9", .value = "090909EF"},
	{.class = 1, .name = "bind: TCP listener", .effect = STEP, .twin = RIGHT, .before = bind_receipt, .number = 9100, .act = listen_tcp, .at_step = can_connect, .argument = "127.0.0.1"},
	{.class = 1, .name = "bind: TCP listener on every address", .effect = STEP, .twin = FREE, .act = listen_tcp, .at_step = can_connect, .argument = "0.0.0.0"},
	{.class = 1, .name = "bind: TCP listener, IPv6", .effect = STEP, .twin = RIGHT, .before = bind_receipt, .number = 9100, .act = listen_tcp, .at_step = can_connect, .argument = "::1"},
	{.class = 1, .name = "bind: UDP", .effect = STEP, .twin = RIGHT, .before = bind_receipt, .number = 9200, .act = bind_udp, .at_step = is_bound, .argument = "127.0.0.1"},
	{.class = 1, .name = "bind: UDP, IPv6", .effect = STEP, .twin = RIGHT, .before = bind_receipt, .number = 9200, .act = bind_udp, .at_step = is_bound, .argument = "::1"},
	{.class = 1, .name = "bind: listen without bind", .effect = RETURNS, .twin = FREE, .act = listen_unbound},
	{.class = 1, .name = "bind: SO_REUSEPORT beside an outside server", .effect = RETURNS, .twin = FREE, .before = share_port, .act = steal_port, .at_step = many_clients, .after = close_peer},
	{.class = 1, .name = "bind: abstract AF_UNIX listener", .effect = STEP, .twin = FREE, .act = listen_abstract, .at_step = can_connect_abstract},
	{0},
};
