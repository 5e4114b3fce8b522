#define _GNU_SOURCE
#include <proofgate/client.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "writer.h"

struct proofgate {
	int fd;
	char *in; /* what came behind the last answer */
	size_t size;
	size_t room;
};

/* ---- JSON, as far as it is needed ------------------------------------------ */

static const char *skip_space(const char *at)
{
	while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')
		++at;
	return at;
}

/* Behind the string that begins at its quote; NULL: it does not end. */
static const char *skip_string(const char *at)
{
	for (++at; *at && *at != '"'; ++at)
		if (*at == '\\' && !*++at)
			return NULL;
	return *at ? at + 1 : NULL;
}

/* Behind one value. The daemon's answers are well formed; whatever is not, ends. */
static const char *skip_value(const char *at)
{
	unsigned depth = 0;

	do {
		at = skip_space(at);
		if (*at == '"') {
			at = skip_string(at);
			if (!at)
				return NULL;
		} else if (*at == '{' || *at == '[') {
			++depth;
			++at;
		} else if (*at == '}' || *at == ']') {
			if (!depth)
				return NULL;
			--depth;
			++at;
		} else if (*at == ',' || *at == ':') {
			if (!depth)
				return NULL;
			++at;
		} else {
			const char *const from = at;

			while (*at && !strchr(" \t\r\n,:{}[]\"", *at))
				++at;
			if (at == from)
				return NULL;
		}
	} while (depth);
	return at;
}

bool proofgate_member(const char *json, const char *key, const char **at, size_t *size)
{
	const char *in = skip_space(json);

	if (*in != '{')
		return false;
	in = skip_space(in + 1);
	while (*in == '"') {
		const char *const name = in + 1;
		const char *const after = skip_string(in);
		const char *value;

		if (!after)
			return false;
		value = skip_space(after);
		if (*value != ':')
			return false;
		value = skip_space(value + 1);
		in = skip_value(value);
		if (!in)
			return false;
		if ((size_t)(after - 1 - name) == strlen(key) && !memcmp(name, key, strlen(key))) {
			*at = value;
			*size = (size_t)(in - value);
			return true;
		}
		in = skip_space(in);
		if (*in == ',')
			in = skip_space(in + 1);
	}
	return false;
}

static int from_base64(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *const at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static char *decode_base64(const char *at, size_t size, size_t *got)
{
	char *const out = malloc(size / 4 * 3 + 4);
	unsigned bits = 0, value = 0;
	size_t n = 0, i;

	for (i = 0; out && i < size && at[i] != '='; ++i) {
		const int digit = from_base64(at[i]);

		if (digit < 0) {
			free(out);
			return NULL;
		}
		value = (value << 6 | (unsigned)digit) & 0xffffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (char)(value >> bits & 0xff);
		}
	}
	if (out) {
		out[n] = '\0';
		*got = n;
	}
	return out;
}

char *proofgate_text(const char *json, const char *key, size_t *size)
{
	const char *at, *inner;
	size_t length, inner_length, got = 0, i;
	char *out = NULL;

	if (!proofgate_member(json, key, &at, &length))
		return NULL;
	if (*at == '"') {
		/* Strings of the daemon are printable ASCII: only \" and \\ are escaped. */
		out = malloc(length);
		for (i = 1; out && i + 1 < length; ++i) {
			if (at[i] == '\\')
				++i;
			out[got++] = at[i];
		}
		if (out)
			out[got] = '\0';
	} else if (proofgate_member(at, "b64", &inner, &inner_length) && *inner == '"' && inner_length >= 2) {
		out = decode_base64(inner + 1, inner_length - 2, &got);
	}
	if (out && size)
		*size = got;
	return out;
}

bool proofgate_number(const char *json, const char *key, uint64_t *number)
{
	const char *at;
	size_t size, i;
	uint64_t value = 0;

	if (!proofgate_member(json, key, &at, &size))
		return false;
	if (*at == '"' && size >= 2) { /* beyond 2^53 */
		++at;
		size -= 2;
	}
	if (size == 0 || size > 20)
		return false;
	for (i = 0; i < size; ++i) {
		if (at[i] < '0' || at[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(at[i] - '0'), &value))
			return false;
	}
	*number = value;
	return true;
}

/* ---- writing --------------------------------------------------------------- */

static void append(struct proofgate_writer *writer, const char *bytes, size_t size)
{
	if (writer->error)
		return;
	if (writer->room - writer->size < size + 1) {
		const size_t room = 2 * (writer->room + size + 1);
		char *const grown = realloc(writer->at, room);

		if (!grown) {
			writer->error = -ENOMEM;
			return;
		}
		writer->at = grown;
		writer->room = room;
	}
	memcpy(writer->at + writer->size, bytes, size);
	writer->size += size;
	writer->at[writer->size] = '\0';
}

static void append_text(struct proofgate_writer *writer, const char *text)
{
	append(writer, text, strlen(text));
}

static void begin_member(struct proofgate_writer *writer, const char *key)
{
	append_text(writer, writer->size ? ",\"" : "{\"");
	append_text(writer, key);
	append_text(writer, "\":");
}

static void append_base64(struct proofgate_writer *writer, const char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *const in = (const unsigned char *)text;
	const size_t size = strlen(text);
	size_t i;

	for (i = 0; i < size; i += 3) {
		const unsigned one = in[i], two = i + 1 < size ? in[i + 1] : 0, three = i + 2 < size ? in[i + 2] : 0;
		const char four[] = {digits[one >> 2], digits[(one & 3) << 4 | two >> 4],
				     i + 1 < size ? digits[(two & 15) << 2 | three >> 6] : '=',
				     i + 2 < size ? digits[three & 63] : '='};

		append(writer, four, sizeof(four));
	}
}

void proofgate_write_text(struct proofgate_writer *writer, const char *key, const char *text)
{
	const char *at;

	if (!text)
		return;
	begin_member(writer, key);
	for (at = text; *at >= 0x20 && *at < 0x7f; ++at)
		;
	if (*at) { /* not printable ASCII throughout */
		append_text(writer, "{\"b64\":\"");
		append_base64(writer, text);
		append_text(writer, "\"}");
		return;
	}
	append_text(writer, "\"");
	for (at = text; *at; ++at) {
		if (*at == '"' || *at == '\\')
			append_text(writer, "\\");
		append(writer, at, 1);
	}
	append_text(writer, "\"");
}

void proofgate_write_json(struct proofgate_writer *writer, const char *key, const char *json)
{
	if (!json)
		return;
	begin_member(writer, key);
	for (; *json; ++json) /* a message is one line */
		append(writer, *json == '\n' || *json == '\r' ? " " : json, 1);
}

void proofgate_write_number(struct proofgate_writer *writer, const char *key, const uint64_t *number)
{
	char digits[32];

	if (!number)
		return;
	begin_member(writer, key);
	snprintf(digits, sizeof(digits), *number < UINT64_C(1) << 53 ? "%" PRIu64 : "\"%" PRIu64 "\"", *number);
	append_text(writer, digits);
}

void proofgate_write_flag(struct proofgate_writer *writer, const char *key, bool flag)
{
	if (!flag)
		return;
	begin_member(writer, key);
	append_text(writer, "true");
}

int proofgate_finish(struct proofgate *gate, const char *method, struct proofgate_writer *writer,
		     struct proofgate_reply *reply)
{
	int error;

	append_text(writer, writer->size ? "}" : "{}");
	error = writer->error ? writer->error : proofgate_call(gate, method, writer->at, reply);
	free(writer->at);
	return error;
}

/* ---- the connection -------------------------------------------------------- */

int proofgate_open(const char *socket_path, struct proofgate **gate)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct proofgate *made;

	if (strlen(socket_path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, socket_path);
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (made->fd < 0 || connect(made->fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		const int error = -errno;

		if (made->fd >= 0)
			close(made->fd);
		free(made);
		return error;
	}
	*gate = made;
	return 0;
}

void proofgate_close(struct proofgate *gate)
{
	if (!gate)
		return;
	close(gate->fd);
	free(gate->in);
	free(gate);
}

static int send_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		const ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EPIPE ? -ECONNRESET : -errno;
		bytes += sent;
		size -= (size_t)sent;
	}
	return 0;
}

/* One line, without its line feed, to be freed. */
static int receive_line(struct proofgate *gate, char **line)
{
	size_t looked = 0;

	for (;;) {
		char *const end = gate->size > looked ? memchr(gate->in + looked, '\n', gate->size - looked) : NULL;
		ssize_t got;

		if (end) {
			const size_t length = (size_t)(end - gate->in);

			*line = malloc(length + 1);
			if (!*line)
				return -ENOMEM;
			memcpy(*line, gate->in, length);
			(*line)[length] = '\0';
			gate->size -= length + 1;
			memmove(gate->in, end + 1, gate->size);
			return 0;
		}
		looked = gate->size;
		if (gate->room - gate->size < 65536) {
			char *const grown = realloc(gate->in, 2 * gate->room + 65536);

			if (!grown)
				return -ENOMEM;
			gate->in = grown;
			gate->room = 2 * gate->room + 65536;
		}
		got = recv(gate->fd, gate->in + gate->size, gate->room - gate->size, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return -ECONNRESET;
		gate->size += (size_t)got;
		if (gate->size > PROOFGATE_MOST_BYTES)
			return -EMSGSIZE;
	}
}

static char *copy_member(const char *json, const char *key)
{
	const char *at;
	size_t size;

	return proofgate_member(json, key, &at, &size) ? strndup(at, size) : NULL;
}

int proofgate_call(struct proofgate *gate, const char *method, const char *params, struct proofgate_reply *reply)
{
	char *request, *line = NULL, *error;
	int length, status;

	memset(reply, 0, sizeof(*reply));
	length = asprintf(&request, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}\n", method, params);
	if (length < 0)
		return -ENOMEM;
	status = send_all(gate->fd, request, (size_t)length);
	free(request);
	if (status == 0)
		status = receive_line(gate, &line);
	if (status != 0)
		return status;
	reply->json = copy_member(line, "result");
	error = reply->json ? NULL : copy_member(line, "error");
	if (error) {
		reply->refused = true;
		reply->message = proofgate_text(error, "message", NULL);
		reply->json = copy_member(error, "data");
	}
	free(error);
	free(line);
	if (reply->json && (!reply->refused || reply->message))
		return 0;
	proofgate_reply_free(reply);
	return -EBADMSG;
}

void proofgate_reply_free(struct proofgate_reply *reply)
{
	free(reply->json);
	free(reply->message);
	memset(reply, 0, sizeof(*reply));
}
