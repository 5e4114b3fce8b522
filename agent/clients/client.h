/*
 * Client: a connection to Proofgate's daemon, from C. methods.h has one function
 * for each method; docs/format/control.md and session.md say what they answer.
 *
 *	struct proofgate *gate;
 *	struct proofgate_reply reply;
 *	if (proofgate_open(PROOFGATE_GOVERNED_SOCKET, &gate) == 0 &&
 *	    proofgate_governed_session_next(gate, &(struct proofgate_governed_session_next){0}, &reply) == 0) {
 *		if (reply.refused)
 *			fprintf(stderr, "%s\n", reply.message);
 *		else
 *			puts(reply.json);
 *		proofgate_reply_free(&reply);
 *	}
 *
 * Functions return 0, or -errno when there was no answer (then the connection is
 * of no more use). A refusal is an answer. One thread a connection.
 */
#ifndef PROOFGATE_CLIENT_H
#define PROOFGATE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PROOFGATE_MOST_BYTES (16u << 20) /* of an answer; more is -EMSGSIZE */

struct proofgate;

struct proofgate_reply {
	bool refused;
	char *json;    /* the result; of a refusal its data: code, decision, … */
	char *message; /* of a refusal, else NULL */
};

/* -errno of socket and connect; -ENAMETOOLONG. */
int proofgate_open(const char *socket_path, struct proofgate **gate);
void proofgate_close(struct proofgate *gate);

/* `params`: a JSON object. -ECONNRESET: this door is not for this user or cgroup;
 * -EBADMSG: an answer that is none. The reply is to be freed after 0 only. */
int proofgate_call(struct proofgate *gate, const char *method, const char *params, struct proofgate_reply *reply);
void proofgate_reply_free(struct proofgate_reply *reply);

/* A member of a JSON object, as it stands there; false: there is none. */
bool proofgate_member(const char *json, const char *key, const char **at, size_t *size);
/* Its text, to be freed; `size` (may be NULL) without the NUL behind it. NULL: none, or no text. */
char *proofgate_text(const char *json, const char *key, size_t *size);
bool proofgate_number(const char *json, const char *key, uint64_t *number);

#ifdef __cplusplus
}
#endif
#endif
