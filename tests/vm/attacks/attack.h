/* attack.h: one attempt to have an effect that no live receipt covers.
 *
 * `attacks run` (main.c) stays outside every governed cgroup. It builds a place
 * for each attempt, lets a governed worker try it there, and looks at the
 * effect from outside. Then the twin: the same function in another place, under
 * the right receipt, or by an ungoverned worker where no receipt can cover it;
 * it must have the effect, else the attempt shows nothing. */

#ifndef PROOFGATE_TESTS_VM_ATTACKS_ATTACK_H_
#define PROOFGATE_TESTS_VM_ATTACKS_ATTACK_H_

#include <linux/io_uring.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Under what an attempt is made. */
enum phase {
	NONE,	 /* no receipt names the place; live ones name its neighbours */
	EXPIRED, /* one did, and has run out */
	USED,	 /* one did, and is used up */
	REVOKED, /* one did, and was revoked */
	RIGHT,	 /* twin: a live receipt covers it */
	STANDING, /* twin: a domain with standing grants */
	FREE,	 /* twin: an ungoverned process */
	PHASES
};

enum effect {
	SCENE,	 /* anything in the place's directory changed */
	ARRIVAL, /* a listener of the phase got a connection, a byte or a message */
	TRACE,	 /* foreign code wrote to the trace pipe */
	VICTIM,	 /* the ungoverned process is not as it was */
	RETURNS, /* the call succeeded: what it gives is the effect */
	STATE,	 /* state() gives another number */
	STEP,	 /* at_step() said so */
};

struct place {
	int row;
	enum phase phase;
	char dir[64];  /* of this attempt: files f (8 KiB) and g, directory empty, link to f */
	char tree[32]; /* of the phase; receipts name this */
	char opt[32];  /* programs of the phase */
	char stream[64], dgram[64], packet[64], abstract[32]; /* AF_UNIX listeners of the phase */
	int port;      /* 127.0.0.1 and ::1, TCP and UDP */
	int given;     /* a descriptor that the outside opened and passed, or -1 */
	int given2;
	pid_t victim;  /* an ungoverned process */
	uint64_t victim_at; /* a page in it */
	pid_t daemon;
	pid_t actor;   /* in at_step and after: who acts */
	char text[128];	 /* of the row: set by before() */
	long number[4];
};

struct attack {
	int class;
	const char *name;
	const char *hook;     /* what refuses when there is no record of it */
	const char *gap;      /* the effect does happen: why, and what narrows it */
	enum effect effect;
	enum phase twin;
	int variants;	      /* also EXPIRED, USED and REVOKED */
	int given;	      /* pass f, opened for reading and writing, or what before() opens */
	int outside;	      /* binds every task: an ungoverned process tries */
	int open;	      /* flags to open f with, for through() */
	const char *argument; /* for acts that serve several rows */
	const char *value;
	const char *watch;
	int number;
	/* In the worker's child: 0, or -1 and errno. */
	int (*act)(const struct place *place, const struct attack *attack);
	int (*through)(int fd, const struct place *place);
	/* Outside. */
	int (*before)(struct place *place, const struct attack *attack);
	uint64_t (*state)(const struct place *place, const struct attack *attack);
	int (*at_step)(struct place *place, const struct attack *attack);
	void (*after)(struct place *place, const struct attack *attack);
};

extern const struct attack write_attacks[], name_attacks[], connect_attacks[], exec_attacks[],
	time_attacks[], process_attacks[], deputy_attacks[], guard_attacks[], word_attacks[];

/* In the child: waits while the outside looks or changes something. */
void step(void);

/* Outside. */
int rpc(const char *method, const char *params, char *answer, int room); /* 0: a result */
int rpc_raw(const char *bytes, size_t length, char *answer, int room);
int issue(const char *rule, const char *object, const char *more, char id[80]);
void end_receipt(const char *id);
int await_state(const char *id, const char *state);
int victim_answers(pid_t pid); /* to SIGUSR1; 0 when it is dead or stopped */
uint64_t digest_of(const char *path);
int put(const char *path, const char *text); /* writes a file, 0 or -1 */
int get(const char *path, char *text, int room);
extern const char *const phase_names[];

/* Both sides. */
int closing(int fd, long result); /* 0 or -1, errno kept */
int on_file(const struct place *place, const char *name, char path[160]);
#define PATH_OF(place, name) \
	({ static __thread char at_[4][160]; static __thread int n_; n_ = (n_ + 1) & 3; on_file(place, name, at_[n_]); at_[n_]; })

/* io_uring, without a library. */

struct ring {
	int fd;
	int polled;
	unsigned *sq_head, *sq_tail, *sq_mask, *sq_array, *sq_flags, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};
int ring_open(struct ring *ring, unsigned flags);
int ring_map(struct ring *ring, int fd, const void *params);

extern struct io_uring_params ring_params[2]; /* of RING_FD and POLLED_RING_FD */
void ring_serves(int polled, int file);	/* outside: its only registered file */
int ring_do(struct ring *ring, const struct io_uring_sqe *sqe); /* its result, or -1 and errno */

/* Code that writes one byte to the trace pipe and returns. */
enum { RING_FD = 6, POLLED_RING_FD = 7, TRACE_FD = 8, CONTROL_FD = 9 };
extern const unsigned char trace_code[];
extern const unsigned trace_code_size;

#endif /* PROOFGATE_TESTS_VM_ATTACKS_ATTACK_H_ */
