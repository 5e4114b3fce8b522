/* Class 1, writing: every other door to a file's content, names and metadata. */

#define _GNU_SOURCE
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char kText[] = "changed\n";
#define LENGTH (sizeof(kText) - 1)

/* Through a descriptor. */
static int by_write(int fd, const struct place *p) { (void)p; return write(fd, kText, LENGTH) < 0 ? -1 : 0; }
static int by_pwrite(int fd, const struct place *p) { (void)p; return pwrite(fd, kText, LENGTH, 3) < 0 ? -1 : 0; }
static int by_writev(int fd, const struct place *p)
{
	struct iovec part = {(void *)kText, LENGTH};

	(void)p;
	return writev(fd, &part, 1) < 0 ? -1 : 0;
}
static int by_pwritev2(int fd, const struct place *p)
{
	struct iovec part = {(void *)kText, LENGTH};

	(void)p;
	return pwritev2(fd, &part, 1, -1, RWF_APPEND) < 0 ? -1 : 0;
}
static int by_sendfile(int fd, const struct place *p)
{
	int from = open(PATH_OF(p, "g"), O_RDONLY | O_CLOEXEC);

	return closing(from, sendfile(fd, from, NULL, 4));
}
static int by_splice(int fd, const struct place *p)
{
	int ends[2];

	(void)p;
	if (pipe(ends) || write(ends[1], kText, LENGTH) < 0)
		return -1;
	return splice(ends[0], NULL, fd, NULL, LENGTH, 0) < 0 ? -1 : 0;
}
static int by_vmsplice(int fd, const struct place *p)
{
	struct iovec part = {(void *)kText, LENGTH};
	int ends[2];

	(void)p;
	if (pipe(ends) || vmsplice(ends[1], &part, 1, 0) < 0)
		return -1;
	return splice(ends[0], NULL, fd, NULL, LENGTH, SPLICE_F_MOVE) < 0 ? -1 : 0;
}
static int by_tee(int fd, const struct place *p)
{
	int one[2], two[2];

	(void)p;
	if (pipe(one) || pipe(two) || write(one[1], kText, LENGTH) < 0 || tee(one[0], two[1], LENGTH, 0) < 0)
		return -1;
	return splice(two[0], NULL, fd, NULL, LENGTH, 0) < 0 ? -1 : 0;
}
static int by_copy_range(int fd, const struct place *p)
{
	int from = open(PATH_OF(p, "g"), O_RDONLY | O_CLOEXEC);

	return closing(from, copy_file_range(from, NULL, fd, NULL, 4, 0));
}
static int by_aio(int fd, const struct place *p)
{
	aio_context_t context = 0;
	struct iocb block;
	struct iocb *list[] = {&block};
	struct io_event event;

	(void)p;
	memset(&block, 0, sizeof(block));
	block.aio_fildes = (uint32_t)fd;
	block.aio_lio_opcode = IOCB_CMD_PWRITE;
	block.aio_buf = (uint64_t)kText;
	block.aio_nbytes = LENGTH;
	if (syscall(SYS_io_setup, 1, &context) || syscall(SYS_io_submit, context, 1, list) != 1 ||
	    syscall(SYS_io_getevents, context, 1, 1, &event, NULL) != 1)
		return -1;
	if (event.res < 0) {
		errno = (int)-event.res;
		return -1;
	}
	return 0;
}
static int by_ring(int fd, unsigned setup, int opcode)
{
	struct ring ring;
	static struct iovec part = {(void *)kText, LENGTH};
	static char buffer[4096];
	struct io_uring_sqe sqe = {.opcode = (uint8_t)opcode, .fd = fd, .addr = (uint64_t)kText, .len = LENGTH};
	int ends[2];

	if (ring_open(&ring, setup))
		return -1;
	switch (opcode) {
	case IORING_OP_WRITEV:
		sqe.addr = (uint64_t)&part;
		sqe.len = 1;
		break;
	case IORING_OP_WRITE_FIXED: {
		struct iovec whole = {buffer, sizeof(buffer)};

		memcpy(buffer, kText, LENGTH);
		if (syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, &whole, 1) ||
		    syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, &fd, 1))
			return -1;
		sqe.addr = (uint64_t)buffer;
		sqe.fd = 0;
		sqe.flags = IOSQE_FIXED_FILE;
		break;
	}
	case IORING_OP_SPLICE:
		if (pipe(ends) || write(ends[1], kText, LENGTH) < 0)
			return -1;
		sqe.addr = 0;
		sqe.splice_off_in = (uint64_t)-1;
		sqe.off = 0;
		sqe.splice_fd_in = ends[0];
		break;
	case IORING_OP_FALLOCATE:
		sqe.addr = 65536;
		sqe.len = 0;
		break;
	case IORING_OP_FSETXATTR:
		sqe.addr = (uint64_t)"user.ring";
		sqe.addr2 = (uint64_t)"x";
		sqe.len = 1;
		break;
	}
	return ring_do(&ring, &sqe) < 0 ? -1 : 0;
}
static int by_ring_write(int fd, const struct place *p) { (void)p; return by_ring(fd, 0, IORING_OP_WRITE); }
static int by_ring_writev(int fd, const struct place *p) { (void)p; return by_ring(fd, 0, IORING_OP_WRITEV); }
static int by_ring_fixed(int fd, const struct place *p) { (void)p; return by_ring(fd, 0, IORING_OP_WRITE_FIXED); }
static int by_ring_polled(int fd, const struct place *p) { (void)p; return by_ring(fd, IORING_SETUP_SQPOLL, IORING_OP_WRITE); }
static int by_ring_splice(int fd, const struct place *p) { (void)p; return by_ring(fd, 0, IORING_OP_SPLICE); }
static int by_ring_fallocate(int fd, const struct place *p) { (void)p; return by_ring(fd, 0, IORING_OP_FALLOCATE); }
static int by_ring_fsetxattr(int fd, const struct place *p) { (void)p; return by_ring(fd, 0, IORING_OP_FSETXATTR); }
static int by_ftruncate(int fd, const struct place *p) { (void)p; return ftruncate(fd, 1); }
static int by_fallocate(int fd, const struct place *p) { (void)p; return fallocate(fd, 0, 0, 65536); }
static int by_punch(int fd, const struct place *p) { (void)p; return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096); }
static int by_zero(int fd, const struct place *p) { (void)p; return fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 4096); }
static int by_collapse(int fd, const struct place *p) { (void)p; return fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096); }
static int by_insert(int fd, const struct place *p) { (void)p; return fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, 4096); }
static int by_mmap(int fd, const struct place *p)
{
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	(void)p;
	if (at == MAP_FAILED)
		return -1;
	at[0] = 'X';
	return msync(at, 4096, MS_SYNC);
}
static int by_mmap_validate(int fd, const struct place *p)
{
	char *at = mmap(NULL, 4096, PROT_WRITE, MAP_SHARED_VALIDATE, fd, 0);

	(void)p;
	if (at == MAP_FAILED)
		return -1;
	at[0] = 'X';
	return msync(at, 4096, MS_SYNC);
}
static int by_mprotect(int fd, const struct place *p)
{
	char *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	(void)p;
	if (at == MAP_FAILED || mprotect(at, 4096, PROT_READ | PROT_WRITE))
		return -1;
	at[0] = 'X';
	return msync(at, 4096, MS_SYNC);
}
static int by_madvise_remove(int fd, const struct place *p)
{
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	(void)p;
	return at == MAP_FAILED ? -1 : madvise(at, 4096, MADV_REMOVE);
}
static int by_fchmod(int fd, const struct place *p) { (void)p; return fchmod(fd, 0600); }
static int by_fchown(int fd, const struct place *p) { (void)p; return fchown(fd, 7, 7); }
static int by_futimens(int fd, const struct place *p) { (void)p; return futimens(fd, (struct timespec[2]){{1, 0}, {1, 0}}); }
static int by_fsetxattr(int fd, const struct place *p) { (void)p; return fsetxattr(fd, "user.new", "1", 1, 0); }
static int by_fremovexattr(int fd, const struct place *p) { (void)p; return fremovexattr(fd, "user.kept"); }
static int by_setflags(int fd, const struct place *p)
{
	int flags = 0x40; /* FS_NODUMP_FL */

	(void)p;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}
static int by_immutable(int fd, const struct place *p)
{
	int flags = 0x10; /* FS_IMMUTABLE_FL */

	(void)p;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}
static int by_fssetxattr(int fd, const struct place *p)
{
	struct fsxattr x;

	(void)p;
	memset(&x, 0, sizeof(x));
	x.fsx_xflags = FS_XFLAG_NODUMP;
	return ioctl(fd, FS_IOC_FSSETXATTR, &x);
}
static int by_proc_reopen(int fd, const struct place *p)
{
	char path[64];
	int again;

	(void)p;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_WRONLY | O_CLOEXEC);
	return again < 0 ? -1 : closing(again, write(again, kText, LENGTH));
}
static int by_append_flag(int fd, const struct place *p)
{
	(void)p;
	if (fcntl(fd, F_SETFL, O_APPEND))
		return -1;
	return write(fd, kText, LENGTH) < 0 ? -1 : 0;
}
static int by_dup(int fd, const struct place *p)
{
	int copy = dup(fd);

	(void)p;
	return closing(copy, write(copy, kText, LENGTH));
}
static int by_child(int fd, const struct place *p)
{
	int status;
	pid_t pid = fork();

	(void)p;
	if (pid < 0)
		return -1;
	if (pid == 0)
		_exit(write(fd, kText, LENGTH) < 0 ? errno : 0);
	waitpid(pid, &status, 0);
	errno = WEXITSTATUS(status);
	return errno ? -1 : 0;
}

/* What chattr shows is not in stat. */
static uint64_t inode_flags(const struct place *place, const struct attack *attack)
{
	int fd = open(PATH_OF(place, "f"), O_RDONLY | O_CLOEXEC);
	int flags = 0, version = 0;
	struct fsxattr x;

	(void)attack;
	memset(&x, 0, sizeof(x));
	ioctl(fd, FS_IOC_GETFLAGS, &flags);
	ioctl(fd, FS_IOC_GETVERSION, &version);
	ioctl(fd, FS_IOC_FSGETXATTR, &x);
	close(fd);
	return ((uint64_t)(unsigned)flags << 32 ^ (uint64_t)(unsigned)version) + x.fsx_xflags * 7;
}
static void clear_flags(struct place *place, const struct attack *attack)
{
	int fd = open(PATH_OF(place, "f"), O_RDONLY | O_CLOEXEC);
	int flags = 0;

	(void)attack;
	ioctl(fd, FS_IOC_SETFLAGS, &flags);
	close(fd);
}

/* Locks are an effect on whoever else wants the file. */
static int by_flock(int fd, const struct place *p) { (void)p; if (flock(fd, LOCK_EX | LOCK_NB)) return -1; step(); return 0; }
static int by_record_lock(int fd, const struct place *p)
{
	struct flock lock = {.l_type = F_RDLCK};

	(void)p;
	if (fcntl(fd, F_SETLK, &lock))
		return -1;
	step();
	return 0;
}
static int by_ofd_lock(int fd, const struct place *p)
{
	struct flock lock = {.l_type = F_RDLCK};

	(void)p;
	if (fcntl(fd, F_OFD_SETLK, &lock))
		return -1;
	step();
	return 0;
}
static int by_lease(int fd, const struct place *p) { (void)p; if (fcntl(fd, F_SETLEASE, F_RDLCK)) return -1; step(); return 0; }
static int is_locked(struct place *place, const struct attack *attack)
{
	int fd = open(PATH_OF(place, "f"), O_RDWR | O_CLOEXEC | O_NONBLOCK);
	struct flock lock = {.l_type = F_WRLCK};
	int found = fd < 0; /* a lease: EWOULDBLOCK */

	(void)attack;
	if (!found && flock(fd, LOCK_EX | LOCK_NB))
		found = 1;
	if (!found && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		found = 1;
	if (fd >= 0)
		close(fd);
	return found;
}

/* By name. */
#define ACT(name) static int name(const struct place *p, const struct attack *a)
ACT(open_truncate) { (void)a; int fd = open(PATH_OF(p, "f"), O_WRONLY | O_TRUNC | O_CLOEXEC); return closing(fd, fd); }
ACT(read_truncate) { (void)a; int fd = open(PATH_OF(p, "f"), O_RDONLY | O_TRUNC | O_CLOEXEC); return closing(fd, fd); }
ACT(no_access_truncate) { (void)a; int fd = open(PATH_OF(p, "f"), 3 | O_TRUNC | O_CLOEXEC); return closing(fd, fd); }
ACT(truncate_name) { (void)a; return truncate(PATH_OF(p, "f"), 1); }
ACT(create_write) { (void)a; int fd = open(PATH_OF(p, "new"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644); return closing(fd, fd); }
ACT(create_read) { (void)a; int fd = open(PATH_OF(p, "new"), O_RDONLY | O_CREAT | O_CLOEXEC, 0644); return closing(fd, fd); }
ACT(creat_name) { (void)a; int fd = creat(PATH_OF(p, "f"), 0644); return closing(fd, fd); }
ACT(make_directory) { (void)a; return mkdir(PATH_OF(p, "new"), 0755); }
ACT(make_regular) { (void)a; return mknod(PATH_OF(p, "new"), S_IFREG | 0644, 0); }
ACT(make_fifo) { (void)a; return mkfifo(PATH_OF(p, "new"), 0644); }
ACT(make_socket) { (void)a; return mknod(PATH_OF(p, "new"), S_IFSOCK | 0644, 0); }
ACT(make_symlink) { (void)a; return symlink("/etc/passwd", PATH_OF(p, "new")); }
ACT(link_name) { (void)a; return link(PATH_OF(p, "f"), PATH_OF(p, "new")); }
ACT(link_fd)
{
	char proc[64];
	int fd = open(PATH_OF(p, "f"), O_PATH | O_CLOEXEC);

	(void)a;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	return closing(fd, linkat(AT_FDCWD, proc, AT_FDCWD, PATH_OF(p, "new"), AT_SYMLINK_FOLLOW));
}
ACT(link_empty_path)
{
	int fd = open(PATH_OF(p, "f"), O_PATH | O_CLOEXEC);

	(void)a;
	return closing(fd, linkat(fd, "", AT_FDCWD, PATH_OF(p, "new"), AT_EMPTY_PATH));
}
ACT(unlink_name) { (void)a; return unlink(PATH_OF(p, "f")); }
ACT(remove_directory) { (void)a; return rmdir(PATH_OF(p, "empty")); }
ACT(rename_name) { (void)a; return rename(PATH_OF(p, "f"), PATH_OF(p, "new")); }
ACT(rename_over) { (void)a; return rename(PATH_OF(p, "f"), PATH_OF(p, "g")); }
ACT(rename_exchange) { (void)a; return renameat2(AT_FDCWD, PATH_OF(p, "f"), AT_FDCWD, PATH_OF(p, "g"), RENAME_EXCHANGE); }
ACT(rename_noreplace) { (void)a; return renameat2(AT_FDCWD, PATH_OF(p, "f"), AT_FDCWD, PATH_OF(p, "new"), RENAME_NOREPLACE); }
ACT(rename_directory) { (void)a; return rename(PATH_OF(p, "empty"), PATH_OF(p, "new")); }
ACT(temporary)
{
	char proc[64];
	int fd = open(p->dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);

	(void)a;
	if (fd < 0)
		return -1;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	return closing(fd, linkat(AT_FDCWD, proc, AT_FDCWD, PATH_OF(p, "new"), AT_SYMLINK_FOLLOW));
}
ACT(change_mode) { (void)a; return chmod(PATH_OF(p, "f"), 0600); }
ACT(change_mode_proc)
{
	char proc[64];
	int fd = open(PATH_OF(p, "f"), O_PATH | O_CLOEXEC);

	(void)a;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	return closing(fd, chmod(proc, 04755));
}
ACT(change_owner) { (void)a; return chown(PATH_OF(p, "f"), 7, 7); }
ACT(change_link_owner) { (void)a; return lchown(PATH_OF(p, "link"), 7, 7); }
ACT(change_owner_path)
{
	int fd = open(PATH_OF(p, "f"), O_PATH | O_CLOEXEC);

	(void)a;
	return closing(fd, fchownat(fd, "", 7, 7, AT_EMPTY_PATH));
}
ACT(change_times) { (void)a; return utimensat(AT_FDCWD, PATH_OF(p, "f"), (struct timespec[2]){{1, 0}, {1, 0}}, 0); }
ACT(change_directory_mode) { (void)a; return chmod(PATH_OF(p, "empty"), 0700); }
ACT(set_xattr) { (void)a; return setxattr(PATH_OF(p, "f"), "user.new", "1", 1, 0); }
ACT(set_trusted) { (void)a; return setxattr(PATH_OF(p, "f"), "trusted.new", "1", 1, 0); }
ACT(set_file_capability)
{
	/* VFS_CAP_REVISION_2, effective, CAP_NET_RAW and CAP_SYS_ADMIN */
	uint32_t value[] = {0x02000001, (1u << 21) | (1u << 13), 0, 0, 0};

	(void)a;
	return setxattr(PATH_OF(p, "f"), "security.capability", value, sizeof(value), 0);
}
ACT(set_acl)
{
	/* version 2; user_obj rw, user 7 rwx, group_obj r, mask rwx, other r */
	static const unsigned char acl[] = {2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 7, 0, 7, 0, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255,
					    16, 0, 7, 0, 255, 255, 255, 255, 32, 0, 4, 0, 255, 255, 255, 255};

	(void)a;
	return setxattr(PATH_OF(p, "f"), "system.posix_acl_access", acl, sizeof(acl), 0);
}
ACT(set_default_acl)
{
	static const unsigned char acl[] = {2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 4, 0, 4, 0, 255, 255, 255, 255, 32, 0, 4, 0, 255, 255, 255, 255};

	(void)a;
	return setxattr(PATH_OF(p, "empty"), "system.posix_acl_default", acl, sizeof(acl), 0);
}
ACT(set_link_xattr) { (void)a; return lsetxattr(PATH_OF(p, "link"), "trusted.new", "1", 1, 0); }
ACT(remove_xattr) { (void)a; return removexattr(PATH_OF(p, "f"), "user.kept"); }
ACT(bind_socket_file)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)a;
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/new", p->dir);
	return closing(fd, bind(fd, (struct sockaddr *)&at, sizeof(at)));
}
ACT(dump_core)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	int status;
	pid_t pid;

	(void)a;
	setrlimit(RLIMIT_CORE, &all);
	if (chdir(p->dir))
		return -1;
	pid = fork();
	if (pid == 0)
		abort();
	waitpid(pid, &status, 0);
	errno = EPERM;
	return WCOREDUMP(status) ? 0 : -1;
}
static int ring_name(const struct place *p, struct io_uring_sqe sqe)
{
	struct ring ring;
	int result;

	(void)p;
	if (ring_open(&ring, 0))
		return -1;
	result = ring_do(&ring, &sqe);
	return result < 0 ? -1 : 0;
}
ACT(ring_open_create)
{
	(void)a;
	return ring_name(p, (struct io_uring_sqe){.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uint64_t)PATH_OF(p, "new"), .len = 0644, .open_flags = O_CREAT | O_WRONLY});
}
ACT(ring_open_truncate)
{
	(void)a;
	return ring_name(p, (struct io_uring_sqe){.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uint64_t)PATH_OF(p, "f"), .open_flags = O_TRUNC | O_WRONLY});
}
ACT(ring_unlink)
{
	(void)a;
	return ring_name(p, (struct io_uring_sqe){.opcode = IORING_OP_UNLINKAT, .fd = AT_FDCWD, .addr = (uint64_t)PATH_OF(p, "f")});
}
ACT(ring_rename)
{
	(void)a;
	return ring_name(p, (struct io_uring_sqe){.opcode = IORING_OP_RENAMEAT, .fd = AT_FDCWD, .len = (uint32_t)AT_FDCWD, .addr = (uint64_t)PATH_OF(p, "f"), .addr2 = (uint64_t)PATH_OF(p, "new")});
}
ACT(ring_mkdir)
{
	(void)a;
	return ring_name(p, (struct io_uring_sqe){.opcode = IORING_OP_MKDIRAT, .fd = AT_FDCWD, .addr = (uint64_t)PATH_OF(p, "new"), .len = 0755});
}
ACT(ring_symlink)
{
	(void)a;
	return ring_name(p, (struct io_uring_sqe){.opcode = IORING_OP_SYMLINKAT, .fd = AT_FDCWD, .addr = (uint64_t)"/etc", .addr2 = (uint64_t)PATH_OF(p, "new")});
}
ACT(ring_link)
{
	(void)a;
	return ring_name(p, (struct io_uring_sqe){.opcode = IORING_OP_LINKAT, .fd = AT_FDCWD, .len = (uint32_t)AT_FDCWD, .addr = (uint64_t)PATH_OF(p, "f"), .addr2 = (uint64_t)PATH_OF(p, "new")});
}
ACT(ring_setxattr)
{
	(void)a;
	return ring_name(p, (struct io_uring_sqe){.opcode = IORING_OP_SETXATTR, .addr = (uint64_t)"user.ring", .addr2 = (uint64_t)"1", .len = 1, .addr3 = (uint64_t)PATH_OF(p, "f")});
}

/* btrfs, in a loop mount that the driver made at /mnt/btrfs. */
static int on_btrfs(struct place *place, const struct attack *attack)
{
	char from[160], id[80];
	struct stat info;

	(void)attack;
	if (stat("/mnt/btrfs/f", &info))
		return -1;
	snprintf(place->text, sizeof(place->text), "/mnt/btrfs/%s", phase_names[place->phase]);
	mkdir(place->text, 0755);
	snprintf(place->text, sizeof(place->text), "/mnt/btrfs/%s/%d", phase_names[place->phase], place->row);
	if (mkdir(place->text, 0755))
		return -1;
	snprintf(from, sizeof(from), "%s/f", place->text);
	if (put(from, "some text to begin with\n") || truncate(from, 65536))
		return -1;
	if (place->phase == RIGHT)
		issue("a.btrfs", place->text, "", id);
	place->given = open(from, O_RDWR | O_CLOEXEC);
	return 0;
}
static uint64_t btrfs_state(const struct place *place, const struct attack *attack)
{
	(void)attack;
	return digest_of(place->text);
}
struct btrfs_vol_args {
	int64_t fd;
	char name[4088];
};
ACT(btrfs_clone)
{
	int from = open("/mnt/btrfs/f", O_RDONLY | O_CLOEXEC);

	(void)a;
	return closing(from, ioctl(p->given, FICLONE, from));
}
ACT(btrfs_subvolume)
{
	static struct btrfs_vol_args args;
	int fd = open(p->text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)a;
	strcpy(args.name, "new");
	return closing(fd, ioctl(fd, _IOW(0x94, 14, struct btrfs_vol_args), &args));
}
ACT(btrfs_snapshot)
{
	static struct btrfs_vol_args args;
	int fd = open(p->text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)a;
	args.fd = open("/mnt/btrfs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	strcpy(args.name, "snap");
	return closing(fd, ioctl(fd, _IOW(0x94, 1, struct btrfs_vol_args), &args));
}

#define FD(name_, how, flags) \
	{.class = 1, .name = "write: " name_, .effect = SCENE, .twin = RIGHT, .variants = 1, .open = flags, .through = how}, \
	{.class = 1, .name = "write: " name_ " through a passed descriptor", .effect = SCENE, .twin = RIGHT, .given = 1, .through = how}
#define NAME(name_, how) {.class = 1, .name = "write: " name_, .effect = SCENE, .twin = RIGHT, .variants = 1, .act = how}

const struct attack write_attacks[] = {
	/* class 0: takes the only use of phase USED's receipt */
	{.class = 0, .name = "use up: write", .act = change_times},
	FD("write", by_write, O_WRONLY),
	FD("pwrite", by_pwrite, O_WRONLY),
	FD("writev", by_writev, O_WRONLY),
	FD("pwritev2 with RWF_APPEND", by_pwritev2, O_WRONLY),
	FD("O_APPEND by F_SETFL", by_append_flag, O_WRONLY),
	FD("sendfile", by_sendfile, O_WRONLY),
	FD("splice", by_splice, O_WRONLY),
	FD("vmsplice and splice", by_vmsplice, O_WRONLY),
	FD("tee and splice", by_tee, O_WRONLY),
	FD("copy_file_range", by_copy_range, O_WRONLY),
	FD("AIO", by_aio, O_WRONLY),
	FD("ftruncate", by_ftruncate, O_WRONLY),
	FD("fallocate", by_fallocate, O_WRONLY),
	FD("fallocate: punch a hole", by_punch, O_WRONLY),
	FD("fallocate: zero a range", by_zero, O_WRONLY),
	FD("fallocate: collapse a range", by_collapse, O_WRONLY),
	FD("fallocate: insert a range", by_insert, O_WRONLY),
	FD("dup", by_dup, O_WRONLY),
	FD("from a child", by_child, O_WRONLY),
	FD("open for reading, open again through /proc/self/fd", by_proc_reopen, O_RDONLY),
	FD("fchmod", by_fchmod, O_RDONLY),
	FD("fchown", by_fchown, O_RDONLY),
	FD("futimens", by_futimens, O_RDONLY),
	FD("fsetxattr", by_fsetxattr, O_RDONLY),
	FD("fremovexattr", by_fremovexattr, O_RDONLY),
	{.class = 1, .name = "write: io_uring WRITE", .effect = SCENE, .twin = FREE, .given = 1, .through = by_ring_write},
	{.class = 1, .name = "write: io_uring WRITEV", .effect = SCENE, .twin = FREE, .given = 1, .through = by_ring_writev},
	{.class = 1, .name = "write: io_uring WRITE_FIXED with a registered file", .effect = SCENE, .twin = FREE, .given = 1, .through = by_ring_fixed},
	{.class = 1, .name = "write: io_uring with a polling thread", .effect = SCENE, .twin = FREE, .given = 1, .through = by_ring_polled},
	{.class = 1, .name = "write: io_uring SPLICE", .effect = SCENE, .twin = FREE, .given = 1, .through = by_ring_splice},
	{.class = 1, .name = "write: io_uring FALLOCATE", .effect = SCENE, .twin = FREE, .given = 1, .through = by_ring_fallocate},
	{.class = 1, .name = "write: io_uring FSETXATTR", .effect = SCENE, .twin = FREE, .given = 1, .through = by_ring_fsetxattr},
	{.class = 1, .name = "write: io_uring OPENAT, create", .effect = SCENE, .twin = FREE, .act = ring_open_create},
	{.class = 1, .name = "write: io_uring OPENAT, truncate", .effect = SCENE, .twin = FREE, .act = ring_open_truncate},
	{.class = 1, .name = "write: io_uring UNLINKAT", .effect = SCENE, .twin = FREE, .act = ring_unlink},
	{.class = 1, .name = "write: io_uring RENAMEAT", .effect = SCENE, .twin = FREE, .act = ring_rename},
	{.class = 1, .name = "write: io_uring MKDIRAT", .effect = SCENE, .twin = FREE, .act = ring_mkdir},
	{.class = 1, .name = "write: io_uring SYMLINKAT", .effect = SCENE, .twin = FREE, .act = ring_symlink},
	{.class = 1, .name = "write: io_uring LINKAT", .effect = SCENE, .twin = FREE, .act = ring_link},
	{.class = 1, .name = "write: io_uring SETXATTR", .effect = SCENE, .twin = FREE, .act = ring_setxattr},
	{.class = 1, .name = "write: shared mapping", .effect = SCENE, .twin = STANDING, .given = 1, .through = by_mmap},
	{.class = 1, .name = "write: shared mapping, MAP_SHARED_VALIDATE", .effect = SCENE, .twin = STANDING, .given = 1, .through = by_mmap_validate},
	{.class = 1, .name = "write: shared mapping made writable by mprotect", .effect = SCENE, .twin = STANDING, .given = 1, .through = by_mprotect},
	{.class = 1, .name = "write: madvise(MADV_REMOVE)", .effect = SCENE, .twin = STANDING, .given = 1, .through = by_madvise_remove},
	{.class = 1, .name = "write: FS_IOC_SETFLAGS", .effect = STATE, .twin = RIGHT, .variants = 1, .open = O_RDONLY, .through = by_setflags, .state = inode_flags},
	{.class = 1, .name = "write: FS_IOC_SETFLAGS, immutable", .effect = STATE, .twin = FREE, .open = O_RDONLY, .through = by_immutable, .state = inode_flags, .after = clear_flags},
	{.class = 1, .name = "write: FS_IOC_FSSETXATTR", .effect = STATE, .twin = RIGHT, .open = O_RDONLY, .through = by_fssetxattr, .state = inode_flags},
	{.class = 1, .name = "write: flock on a file opened for reading", .effect = STEP, .twin = RIGHT, .open = O_RDONLY, .through = by_flock, .at_step = is_locked},
	{.class = 1, .name = "write: record lock", .gap = "shared locks are how readers work; they hold up writers of files that may be read", .effect = STEP, .twin = RIGHT, .open = O_RDONLY, .through = by_record_lock, .at_step = is_locked},
	{.class = 1, .name = "write: open file description lock", .gap = "shared locks are how readers work; they hold up writers of files that may be read", .effect = STEP, .twin = RIGHT, .open = O_RDONLY, .through = by_ofd_lock, .at_step = is_locked},
	{.class = 1, .name = "write: lease", .effect = STEP, .twin = FREE, .open = O_RDONLY, .through = by_lease, .at_step = is_locked},
	NAME("O_TRUNC", open_truncate),
	NAME("O_RDONLY with O_TRUNC", read_truncate),
	NAME("access mode 3 with O_TRUNC", no_access_truncate),
	NAME("truncate", truncate_name),
	NAME("create", create_write),
	NAME("create, open for reading", create_read),
	NAME("creat over a file", creat_name),
	NAME("mkdir", make_directory),
	NAME("mknod, a file", make_regular),
	NAME("mknod, a FIFO", make_fifo),
	NAME("mknod, a socket", make_socket),
	NAME("bind a socket to a name", bind_socket_file),
	NAME("symlink", make_symlink),
	NAME("link", link_name),
	NAME("link through /proc/self/fd", link_fd),
	NAME("linkat with AT_EMPTY_PATH", link_empty_path),
	NAME("unlink", unlink_name),
	NAME("rmdir", remove_directory),
	NAME("rename", rename_name),
	NAME("rename over a file", rename_over),
	NAME("rename, exchange", rename_exchange),
	NAME("rename, no replace", rename_noreplace),
	NAME("rename a directory", rename_directory),
	NAME("O_TMPFILE and linkat", temporary),
	NAME("chmod", change_mode),
	NAME("chmod set-uid through /proc/self/fd", change_mode_proc),
	NAME("chmod of a directory", change_directory_mode),
	NAME("chown", change_owner),
	NAME("lchown of a symbolic link", change_link_owner),
	NAME("fchownat of an O_PATH descriptor", change_owner_path),
	NAME("utimensat", change_times),
	NAME("setxattr", set_xattr),
	NAME("setxattr, file capabilities", set_file_capability),
	NAME("setxattr, POSIX ACL", set_acl),
	NAME("setxattr, default POSIX ACL", set_default_acl),
	{.class = 1, .name = "write: setxattr, trusted", .effect = SCENE, .twin = FREE, .act = set_trusted},
	{.class = 1, .name = "write: setxattr, trusted, of a symbolic link", .effect = SCENE, .twin = FREE, .act = set_link_xattr},
	NAME("removexattr", remove_xattr),
	NAME("core dump into the working directory", dump_core),
	{.class = 1, .name = "write: FICLONE into a passed descriptor (btrfs)", .effect = STATE, .twin = RIGHT, .before = on_btrfs, .act = btrfs_clone, .state = btrfs_state},
	{.class = 1, .name = "write: btrfs subvolume", .effect = STATE, .twin = FREE, .before = on_btrfs, .act = btrfs_subvolume, .state = btrfs_state},
	{.class = 1, .name = "write: btrfs snapshot", .effect = STATE, .twin = FREE, .before = on_btrfs, .act = btrfs_snapshot, .state = btrfs_state},
	{0},
};
