/* Writer: the parameters of one call. What fails is remembered until the end. */
#ifndef PROOFGATE_WRITER_H
#define PROOFGATE_WRITER_H

#include <proofgate/client.h>

struct proofgate_writer {
	char *at;
	size_t size;
	size_t room;
	int error; /* -ENOMEM, or 0 */
};

/* NULL (false): not written. */
void proofgate_write_text(struct proofgate_writer *writer, const char *key, const char *text);
void proofgate_write_json(struct proofgate_writer *writer, const char *key, const char *json);
void proofgate_write_number(struct proofgate_writer *writer, const char *key, const uint64_t *number);
void proofgate_write_flag(struct proofgate_writer *writer, const char *key, bool flag);
int proofgate_finish(struct proofgate *gate, const char *method, struct proofgate_writer *writer,
		     struct proofgate_reply *reply);

#endif
