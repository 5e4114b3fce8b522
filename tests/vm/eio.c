/* eio.so: preloaded into the daemon, makes what reaches the disk fail with the
 * error number that /run/eio holds, while that file is there. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fault(void)
{
	char text[16] = {0};
	int fd = (int)syscall(SYS_openat, AT_FDCWD, "/run/eio", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (syscall(SYS_read, fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	syscall(SYS_close, fd);
	return atoi(text);
}

static int failing(void)
{
	int saved = errno;
	int code = fault();

	errno = code ? code : saved;
	return code;
}

int fsync(int fd) { return failing() ? -1 : (int)syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return failing() ? -1 : (int)syscall(SYS_fdatasync, fd); }
