/* race argv PROGRAM GOOD EVIL N: executes PROGRAM N times from children that
 * share this memory, with one argument that a second thread changes from GOOD to
 * EVIL and back all the time. Prints how many of them were killed. */

#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char word[64];
static const char *words[2];
static volatile int stop;
static char *command[3];
extern char **environ;

static void *change(void *unused)
{
	(void)unused;
	for (unsigned i = 0; !stop; i++)
		memcpy(word, words[i & 1], strlen(words[i & 1]) + 1);
	return NULL;
}

static int child(void *unused)
{
	(void)unused;
	execve(command[0], command, environ);
	_exit(126);
}

int main(int argc, char **argv)
{
	static char stack[65536] __attribute__((aligned(16)));
	pthread_t thread;
	int killed = 0;

	if (argc != 6 || strcmp(argv[1], "argv"))
		return 2;
	words[0] = argv[3];
	words[1] = argv[4];
	command[0] = argv[2];
	command[1] = word;
	pthread_create(&thread, NULL, change, NULL);
	for (int i = 0; i < atoi(argv[5]); i++) {
		int status;
		/* As vfork does: the other threads go on meanwhile. */
		int pid = clone(child, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);

		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			return 1;
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
			killed++;
	}
	stop = 1;
	pthread_join(thread, NULL);
	printf("killed %d\n", killed);
	return 0;
}
