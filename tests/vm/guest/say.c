/* say: prints its arguments; with "wait" it stays. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "wait")) {
		printf("waiting\n");
		fflush(stdout);
		sleep(60);
	}
	printf("said %s", argc > 1 ? argv[1] : "");
	for (int i = 2; i < argc; i++)
		printf(" %s", argv[i]);
	printf("\n");
	return 0;
}
