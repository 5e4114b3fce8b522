/* Class 7: the words. Bytes for the control socket that would widen what canon
 * permits, from a governed process, and from an ungoverned one that writes them
 * wrong. The effect would be a receipt that is live, or a domain that is less
 * governed than before. */

#define _GNU_SOURCE
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ACT(name) static int name(const struct place *p, const struct attack *a)
#define BEFORE(name) static int name(struct place *p, const struct attack *a)

static int dial(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "/run/proofgate/control.sock"};
	struct timeval patience = {10, 0};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return connect(fd, (struct sockaddr *)&to, sizeof(to)) ? closing(fd, -1) : fd;
}
static int ask(int fd, const char *bytes, size_t length, char *answer, int room)
{
	int size = 0;

	for (size_t sent = 0; sent < length;) {
		ssize_t count = send(fd, bytes + sent, length - sent, MSG_NOSIGNAL);

		if (count <= 0)
			return -1;
		sent += (size_t)count;
	}
	shutdown(fd, SHUT_WR);
	while (size < room - 1) {
		ssize_t got = recv(fd, answer + size, (size_t)(room - 1 - size), 0);

		if (got <= 0 || memchr(answer + size, '\n', (size_t)got)) {
			size += got > 0 ? (int)got : 0;
			break;
		}
		size += (int)got;
	}
	answer[size] = 0;
	return 0;
}
static const char kIssue[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"receipt.issue\",\"params\":{\"domain\":\"a\",\"rule\":\"a.write\",\"object\":\"%s\"}}\n";

/* From inside: asks for its own receipt, then acts. */
ACT(ask_for_itself)
{
	char request[400], answer[8192];
	int fd = dial();

	(void)a;
	if (fd < 0)
		return -1;
	snprintf(request, sizeof(request), kIssue, p->dir);
	if (ask(fd, request, strlen(request), answer, sizeof(answer)) || !strstr(answer, "\"result\"")) {
		errno = EACCES;
		return closing(fd, -1);
	}
	return closing(fd, 0);
}
BEFORE(pass_dialled) { (void)a; p->given = dial(); return p->given < 0; }
ACT(ask_through_passed)
{
	char request[400], answer[8192];

	(void)a;
	snprintf(request, sizeof(request), kIssue, p->dir);
	if (ask(p->given, request, strlen(request), answer, sizeof(answer)))
		return -1;
	errno = EACCES;
	return strstr(answer, "\"result\"") ? 0 : -1;
}
ACT(detach_itself)
{
	char request[600], answer[8192], text[512];
	char *at;
	int fd;

	(void)a;
	get("/proc/self/cgroup", text, sizeof(text));
	at = strstr(text, "0::");
	if (!at)
		return -1;
	at[strcspn(at, "\n")] = 0;
	fd = dial();
	if (fd < 0)
		return -1;
	snprintf(request, sizeof(request), "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{}}\n", p->phase == NONE ? "detach" : "status");
	errno = EACCES;
	return ask(fd, request, strlen(request), answer, sizeof(answer)) || !strstr(answer, "\"result\"") ? closing(fd, -1) : closing(fd, 0);
}

/* From outside, wrong. `argument` is the request; in the twin, `value`. What
 * would be live is counted in the daemon's own list. */
static uint64_t live_receipts(const struct place *p, const struct attack *a)
{
	static char answer[1 << 20];
	uint64_t count = 0;

	(void)p;
	(void)a;
	if (rpc("receipt.list", "{}", answer, sizeof(answer)))
		return 0; /* the daemon is gone: that is a difference too */
	for (char *at = answer; (at = strstr(at, "\"state\":\"live\"")); at++)
		count++;
	return count + 1;
}
ACT(say)
{
	static char request[2 << 20], answer[65536];
	const char *text = p->phase == NONE ? a->argument : a->value;
	char *at = request;
	int fd = dial();

	if (fd < 0)
		return -1;
	/* @ is the place; ~N repeats the next character N times. */
	for (; *text; text++) {
		if (*text == '@') {
			at = stpcpy(at, p->dir);
		} else if (*text == '~') {
			long times = strtol(text + 1, (char **)&text, 10);

			memset(at, *text, (size_t)times);
			at += times;
		} else {
			*at++ = *text;
		}
	}
	*at++ = '\n';
	errno = EACCES;
	if (ask(fd, request, (size_t)(at - request), answer, sizeof(answer)) || !strstr(answer, "\"result\":"))
		return closing(fd, -1);
	return closing(fd, 0);
}

#define HEAD "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"receipt.issue\",\"params\":{\"domain\":\"a\",\"rule\":\"a.write\",\"object\":\"@\""
#define RIGHT_WORDS HEAD "}}"
#define SAY(name_, words) {.class = 7, .name = name_, .hook = "agent", .outside = 1, .effect = STATE, .twin = FREE, .act = say, .state = live_receipts, .argument = words, .value = RIGHT_WORDS}

const struct attack word_attacks[] = {
	{.class = 7, .name = "governed: ask for a receipt of its own", .effect = STATE, .twin = FREE, .act = ask_for_itself, .state = live_receipts},
	{.class = 7, .name = "governed: ask through a passed connection", .effect = STATE, .twin = FREE, .before = pass_dialled, .act = ask_through_passed, .state = live_receipts},
	{.class = 7, .name = "governed: detach itself", .effect = RETURNS, .twin = FREE, .act = detach_itself},
	SAY("a member twice", HEAD ",\"rule\":\"a.write\"}}"),
	SAY("an unknown member", HEAD ",\"force\":true}}"),
	SAY("uses: more than the rule gives", HEAD ",\"uses\":1000001}}"),
	SAY("uses: beyond 64 bits", HEAD ",\"uses\":18446744073709551617}}"),
	SAY("uses: below zero", HEAD ",\"uses\":-1}}"),
	SAY("uses: a fraction", HEAD ",\"uses\":1.5}}"),
	SAY("uses: none", HEAD ",\"uses\":0}}"),
	SAY("uses: a text", HEAD ",\"uses\":\"1\"}}"),
	SAY("time: more than the rule gives", HEAD ",\"ttl_ns\":3600000000001}}"),
	SAY("time: none", HEAD ",\"ttl_ns\":0}}"),
	SAY("time: beyond 64 bits", HEAD ",\"ttl_ns\":36893488147419103232}}"),
	SAY("object outside the rule", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"receipt.issue\",\"params\":{\"domain\":\"a\",\"rule\":\"a.write\",\"object\":\"/etc\"}}"),
	SAY("object that begins like the rule's", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"receipt.issue\",\"params\":{\"domain\":\"a\",\"rule\":\"a.write\",\"object\":\"/srv/abc\"}}"),
	SAY("object above the rule's", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"receipt.issue\",\"params\":{\"domain\":\"a\",\"rule\":\"a.write\",\"object\":\"/srv/**\"}}"),
	SAY("object with dots", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"receipt.issue\",\"params\":{\"domain\":\"a\",\"rule\":\"a.write\",\"object\":\"/srv/a/../../etc/passwd\"}}"),
	SAY("object with a zero byte", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"receipt.issue\",\"params\":{\"domain\":\"a\",\"rule\":\"a.write\",\"object\":\"/srv/a\\u0000/etc\"}}"),
	SAY("object through /proc/self/root", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"receipt.issue\",\"params\":{\"domain\":\"a\",\"rule\":\"a.write\",\"object\":\"/proc/self/root/etc\"}}"),
	SAY("object that is relative", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"receipt.issue\",\"params\":{\"domain\":\"a\",\"rule\":\"a.write\",\"object\":\"srv/a\"}}"),
	SAY("a wider network than the rule's", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"receipt.issue\",\"params\":{\"domain\":\"a\",\"rule\":\"a.tcp\",\"object\":\"0.0.0.0/0\"}}"),
	SAY("a v4-mapped network", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"receipt.issue\",\"params\":{\"domain\":\"a\",\"rule\":\"a.tcp\",\"object\":\"[::ffff:10.0.0.1]:80\"}}"),
	SAY("a rule of another domain", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"receipt.issue\",\"params\":{\"domain\":\"s\",\"rule\":\"a.write\",\"object\":\"@\"}}"),
	SAY("a standing grant as a rule", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"receipt.issue\",\"params\":{\"domain\":\"a\",\"rule\":\"run\"}}"),
	SAY("a domain that is not there", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"receipt.issue\",\"params\":{\"domain\":\"b\",\"rule\":\"a.write\",\"object\":\"@\"}}"),
	SAY("params as a list", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"receipt.issue\",\"params\":[\"a\",\"a.write\",\"@\"]}"),
	SAY("another version of the protocol", "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"receipt.issue\",\"params\":{\"domain\":\"a\",\"rule\":\"a.write\",\"object\":\"@\"}}"),
	SAY("bytes after the message", RIGHT_WORDS "x"),
	SAY("a comment in it", "/* */" RIGHT_WORDS),
	SAY("depth 100,000", "~100000[" RIGHT_WORDS),
	SAY("a byte that is no UTF-8", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"receipt.issue\",\"params\":{\"domain\":\"a\xff\",\"rule\":\"a.write\",\"object\":\"@\"}}"),
	SAY("a name of a megabyte", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"receipt.issue\",\"params\":{\"domain\":\"~1000000a\",\"rule\":\"a.write\",\"object\":\"@\"}}"),
	SAY("a method of the daemon's inside", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"receipt.install\",\"params\":{\"domain\":\"a\",\"rule\":\"a.write\",\"object\":\"@\"}}"),
	SAY("canon with a duplicate key", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"canon.apply\",\"params\":{\"file\":\"x\",\"text\":\"format: 1\\nformat: 1\\n\"}}"),
	SAY("canon with an anchor", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"canon.apply\",\"params\":{\"file\":\"x\",\"text\":\"format: &a 1\\ntenant: test\\ndomain: a\\nmode: enforce\\n\"}}"),
	SAY("canon of another format", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"canon.apply\",\"params\":{\"file\":\"x\",\"text\":\"format: 2\\ntenant: test\\ndomain: a\\nmode: enforce\\n\"}}"),
	{0},
};
