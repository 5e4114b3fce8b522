/* client_c DIR: goes through a session with the C client; says what it got. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <proofgate/methods.h>

static void say_text(const char *what, const struct proofgate_reply *reply, const char *key)
{
	char *const text = proofgate_text(reply->json, key, NULL);

	printf("%s %s\n", what, text ? text : "?");
	free(text);
}

static void say_refusal(const char *what, const struct proofgate_reply *reply)
{
	char *const code = reply->refused ? proofgate_text(reply->json, "code", NULL) : NULL;
	char *const decision = reply->refused ? proofgate_text(reply->json, "decision", NULL) : NULL;

	printf("%s refused: %s%s%s\n", what, code ? code : "?", decision ? " " : "", decision ? decision : "");
	free(code);
	free(decision);
}

/* The reply of one call that was answered; ends at any other. */
static struct proofgate_reply reply;
static void ask(int status)
{
	if (status != 0) {
		fprintf(stderr, "no answer: %s\n", strerror(-status));
		exit(1);
	}
}

static struct proofgate *open_door(const char *dir, const char *name)
{
	struct proofgate *gate;
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	ask(proofgate_open(path, &gate));
	return gate;
}

int main(int argc, char **argv)
{
	const uint64_t minutes = 600000, from = 0, count = 1000, zero = 0;
	struct proofgate *governed, *other;
	const char *at;
	char plans[1024], *session;
	size_t size;
	uint64_t number;

	if (argc != 2)
		return 2;
	governed = open_door(argv[1], "session.sock");
	ask(proofgate_governed_rights(governed, &reply));
	printf("rights %d\n", proofgate_member(reply.json, "rules", &at, &size) && *at == '[');
	proofgate_reply_free(&reply);
	ask(proofgate_governed_session_show(governed, &reply));
	say_refusal("show", &reply);
	proofgate_reply_free(&reply);
	ask(proofgate_governed_session_open(governed, &(struct proofgate_governed_session_open){.duration_ms = &minutes}, &reply));
	session = proofgate_text(reply.json, "session", &size);
	printf("opened %d\n", session && size == strlen(session) && size > 0);
	proofgate_reply_free(&reply);
	ask(proofgate_governed_session_evidence(
		governed, &(struct proofgate_governed_session_evidence){.kind = "model output", .content = "any \xff bytes \"quoted\"\n"}, &reply));
	free(proofgate_text(reply.json, "digest", &size));
	printf("evidence %zu\n", size);
	proofgate_reply_free(&reply);
	{
		char *const text = proofgate_text("{\"a\":{\"x\":[1,\"]}\"]},\"t\":{\"b64\":\"YjY0\"}}", "t", NULL);

		printf("bytes %s\n", text);
		free(text);
	}
	ask(proofgate_governed_session_complete(governed, &(struct proofgate_governed_session_complete){.plans = "{\"not\": \"a plan\"}"}, &reply));
	say_refusal("complete", &reply);
	proofgate_reply_free(&reply);
	snprintf(plans, sizeof(plans),
		 "{\"format\":1,\"plans\":[{\"steps\":[{\"any\":[{\"kind\":\"write\",\"object\":{\"file\":\"%s/free/a\"},\"uses\":1}]},"
		 "{\"any\":[{\"kind\":\"write\",\"object\":{\"file\":\"%s/pub/a\"},\"uses\":1}]}]}]}",
		 argv[1], argv[1]);
	ask(proofgate_governed_session_complete(governed, &(struct proofgate_governed_session_complete){.plans = plans}, &reply));
	say_text("decided", &reply, "code");
	proofgate_reply_free(&reply);
	ask(proofgate_governed_session_next(governed, &(struct proofgate_governed_session_next){0}, &reply));
	say_text("step", &reply, "state");
	proofgate_reply_free(&reply);
	ask(proofgate_governed_session_next(governed, &(struct proofgate_governed_session_next){.status = &zero}, &reply));
	say_refusal("next", &reply);
	proofgate_reply_free(&reply);
	other = open_door(argv[1], "approve.sock");
	ask(proofgate_approvers_session_approve(
		other, &(struct proofgate_approvers_session_approve){.session = session, .verdict = "approve"}, &reply));
	say_text("approved", &reply, "person");
	proofgate_reply_free(&reply);
	proofgate_close(other);
	for (int i = 0; i < 2; ++i) {
		ask(proofgate_governed_session_next(governed, &(struct proofgate_governed_session_next){0}, &reply));
		say_text("step", &reply, "state");
		proofgate_reply_free(&reply);
	}
	proofgate_close(governed);
	other = open_door(argv[1], "control.sock");
	ask(proofgate_operators_ledger_entries(other, &(struct proofgate_operators_ledger_entries){.from = &from, .count = &count}, &reply));
	printf("size %s\n", proofgate_number(reply.json, "size", &number) && number > 10 ? "beyond 10" : "?");
	proofgate_reply_free(&reply);
	ask(proofgate_call(other, "no.such", "{}", &reply));
	printf("no method %s\n", reply.refused ? "refused" : "?");
	proofgate_reply_free(&reply);
	proofgate_close(other);
	free(session);
	return 0;
}
