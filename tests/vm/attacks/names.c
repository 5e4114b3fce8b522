/* Class 2: another name for an object that no receipt covers, most of them
 * below a directory that one does cover. */

#define _GNU_SOURCE
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ACT(name) static int name(const struct place *p, const struct attack *a)
#define BEFORE(name) static int name(struct place *p, const struct attack *a)
#define AFTER(name) static void name(struct place *p, const struct attack *a)

static int write_at(int dir, const char *path)
{
	int fd = openat(dir, path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -1 : closing(fd, write(fd, "changed", 7));
}

/* The alias, in the tree of a live receipt. */
static void alias(struct place *p, const char *kind)
{
	snprintf(p->text, sizeof(p->text), "/srv/a/right/%s-%d-%s", kind, p->row, phase_names[p->phase]);
}

BEFORE(with_symlink) { (void)a; alias(p, "symlink"); return symlink(PATH_OF(p, "f"), p->text); }
BEFORE(with_directory_symlink) { (void)a; alias(p, "dirlink"); return symlink(p->dir, p->text); }
BEFORE(with_chain)
{
	char from[160], to[160];

	(void)a;
	alias(p, "chain");
	snprintf(to, sizeof(to), "%s", PATH_OF(p, "f"));
	for (int i = 30; i >= 0; i--) {
		if (i)
			snprintf(from, sizeof(from), "%s.%d", p->text, i);
		else
			snprintf(from, sizeof(from), "%s", p->text);
		if (symlink(to, from))
			return -1;
		snprintf(to, sizeof(to), "%s", from);
	}
	return 0;
}
BEFORE(with_dangling) { (void)a; alias(p, "dangling"); return symlink(PATH_OF(p, "new"), p->text); }
BEFORE(with_bind)
{
	(void)a;
	alias(p, "bind");
	return mkdir(p->text, 0755) || mount(p->dir, p->text, NULL, MS_BIND, NULL);
}
BEFORE(with_file_bind)
{
	(void)a;
	alias(p, "filebind");
	return put(p->text, "") || mount(PATH_OF(p, "f"), p->text, NULL, MS_BIND, NULL);
}
AFTER(unmount) { (void)a; umount2(p->text, MNT_DETACH); }
BEFORE(with_tmpfs)
{
	(void)a;
	alias(p, "tmpfs");
	return mkdir(p->text, 0755) || mount("none", p->text, "tmpfs", 0, NULL);
}
static uint64_t text_state(const struct place *p, const struct attack *a) { (void)a; return digest_of(p->text); }
BEFORE(with_overlay)
{
	char options[512];

	(void)a;
	snprintf(p->text, sizeof(p->text), "/mnt/overlay-%d-%s", p->row, phase_names[p->phase]);
	snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s/upper,workdir=%s/work", p->dir, p->text, p->text);
	if (mkdir(p->text, 0755) || mount("none", p->text, "tmpfs", 0, NULL) || mkdir(PATH_OF(p, "m"), 0755))
		return -1;
	{
		char path[160];

		snprintf(path, sizeof(path), "%s/upper", p->text);
		if (mkdir(path, 0755))
			return -1;
		snprintf(path, sizeof(path), "%s/work", p->text);
		if (mkdir(path, 0755))
			return -1;
		snprintf(path, sizeof(path), "%s/merged", p->text);
		if (mkdir(path, 0755) || mount("overlay", path, "overlay", 0, options))
			return -1;
	}
	return 0;
}
static uint64_t overlay_state(const struct place *p, const struct attack *a)
{
	char path[160];

	(void)a;
	snprintf(path, sizeof(path), "%s/upper", p->text);
	return digest_of(path) ^ digest_of(p->dir);
}
AFTER(remove_overlay)
{
	char path[160];

	(void)a;
	snprintf(path, sizeof(path), "%s/merged", p->text);
	umount2(path, MNT_DETACH);
	umount2(p->text, MNT_DETACH);
}
static char *merged(const struct place *p, const char *name)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s/merged/%s", p->text, name);
	return path;
}
ACT(overlay_write) { (void)a; return write_at(AT_FDCWD, merged(p, "f")); }
ACT(overlay_chmod) { (void)a; return chmod(merged(p, "f"), 0600); }
ACT(overlay_truncate) { (void)a; return truncate(merged(p, "f"), 1); }
ACT(overlay_unlink) { (void)a; return unlink(merged(p, "f")); }
ACT(overlay_create) { (void)a; int fd = open(merged(p, "new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644); return closing(fd, fd); }

ACT(write_alias) { (void)a; return write_at(AT_FDCWD, p->text); }
ACT(write_below_alias)
{
	char path[160];

	(void)a;
	snprintf(path, sizeof(path), "%s/f", p->text);
	return write_at(AT_FDCWD, path);
}
ACT(create_alias) { (void)a; int fd = open(p->text, O_WRONLY | O_CREAT | O_CLOEXEC, 0644); return closing(fd, fd); }
ACT(create_below_alias)
{
	char path[160];
	int fd;

	(void)a;
	snprintf(path, sizeof(path), "%s/new", p->text);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	return closing(fd, fd);
}
ACT(through_dots)
{
	char path[160];

	(void)a;
	snprintf(path, sizeof(path), "/srv/a/right/../%s/%d/../%d/./f", phase_names[p->phase], p->row, p->row);
	return write_at(AT_FDCWD, path);
}
ACT(through_proc)
{
	char path[200];

	snprintf(path, sizeof(path), a->argument, PATH_OF(p, "f"));
	return write_at(AT_FDCWD, path);
}
ACT(through_cwd) { (void)a; return chdir(p->dir) ? -1 : write_at(AT_FDCWD, "/proc/self/cwd/f"); }
ACT(through_directory_fd)
{
	char path[64];

	(void)a;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/f", open(p->dir, O_RDONLY | O_DIRECTORY));
	return write_at(AT_FDCWD, path);
}
ACT(through_dev_fd)
{
	char path[64];

	(void)a;
	snprintf(path, sizeof(path), "/dev/fd/%d", open(PATH_OF(p, "f"), O_RDONLY));
	return write_at(AT_FDCWD, path);
}
ACT(through_path_fd)
{
	char path[64];

	(void)a;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", open(PATH_OF(p, "f"), O_PATH));
	return write_at(AT_FDCWD, path);
}
ACT(in_root)
{
	struct open_how how = {.flags = O_WRONLY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	int root = open("/srv", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[64];
	int fd;

	(void)a;
	snprintf(path, sizeof(path), "/../a/%s/%d/f", phase_names[p->phase], p->row);
	fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	return fd < 0 ? -1 : closing(fd, write(fd, "changed", 7));
}
ACT(after_chroot)
{
	char path[64];

	(void)a;
	snprintf(path, sizeof(path), "/%s/%d/f", phase_names[p->phase], p->row);
	if (chroot("/srv/a"))
		return -1;
	return write_at(AT_FDCWD, path);
}
ACT(by_passed_directory) { (void)a; return write_at(p->given, "f"); }
BEFORE(pass_directory) { (void)a; p->given = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC); return p->given < 0; }
BEFORE(pass_path) { (void)a; p->given = open(p->dir, O_PATH | O_DIRECTORY | O_CLOEXEC); return p->given < 0; }
BEFORE(pass_clone)
{
	(void)a;
	p->given = (int)syscall(SYS_open_tree, AT_FDCWD, p->dir, 1 /* OPEN_TREE_CLONE */ | O_CLOEXEC);
	return p->given < 0;
}
static int by_handle(const char *mount_point, const char *path)
{
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} at;
	int mount_id;
	int mount_fd = open(mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd;

	memset(&at, 0, sizeof(at));
	at.handle.handle_bytes = MAX_HANDLE_SZ;
	if (name_to_handle_at(AT_FDCWD, path, &at.handle, &mount_id, 0))
		return -1;
	fd = open_by_handle_at(mount_fd, &at.handle, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -1 : closing(fd, write(fd, "changed", 7));
}
ACT(handle) { (void)a; return by_handle("/", PATH_OF(p, "f")); }
/* As above, but nothing holds the names in memory when the handle is opened. */
BEFORE(forget_names)
{
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} *at = (void *)p->text;
	int mount_id;

	(void)a;
	_Static_assert(sizeof(p->text) >= 64, "room for a handle");
	at->handle.handle_bytes = 64;
	if (name_to_handle_at(AT_FDCWD, PATH_OF(p, "f"), &at->handle, &mount_id, 0))
		return -1;
	return 0;
}
ACT(handle_forgotten)
{
	struct file_handle *at = (void *)p->text;
	int mount_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd;

	(void)a;
	step(); /* the outside drops its caches */
	fd = open_by_handle_at(mount_fd, at, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -1 : closing(fd, write(fd, "changed", 7));
}
static int drop_caches(struct place *p, const struct attack *a) { (void)p; (void)a; sync(); put("/proc/sys/vm/drop_caches", "2"); return 0; }
BEFORE(in_shm)
{
	(void)a;
	snprintf(p->text, sizeof(p->text), "/dev/shm/%d-%s", p->row, phase_names[p->phase]);
	return put(p->text, "text");
}
ACT(handle_tmpfs) { (void)a; return by_handle("/dev/shm", p->text); }
ACT(write_shm) { (void)a; return write_at(AT_FDCWD, p->text); }

/* Depth: the walk upwards has a bound. */
static int deep(const struct place *p, int depth, const char *name)
{
	int at = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < depth && at >= 0; i++) {
		int next;

		mkdirat(at, name, 0755);
		next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
	}
	return at;
}
BEFORE(make_deep)
{
	/* Both in the tree of the live receipt, so that the depth alone differs. */
	snprintf(p->dir, sizeof(p->dir), "/srv/a/right/deep-%d-%s", p->row, phase_names[p->phase]);
	mkdir(p->dir, 0755);
	p->given = deep(p, p->phase == RIGHT ? 40 : 60, a->argument);
	return p->given < 0;
}
static uint64_t new_is_there(const struct place *p, const struct attack *a) { (void)a; return faccessat(p->given, "new", F_OK, 0) == 0; }
ACT(create_deep) { (void)a; int fd = openat(p->given, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0644); return closing(fd, fd); }
#define LONG "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789" \
	     "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
BEFORE(make_long) { (void)a; p->given = deep(p, 30, LONG); return p->given < 0; }

/* A receipt for one name that is not there yet; another, much like it. */
BEFORE(receipt_for_name)
{
	char id[80];

	return issue("a.write", PATH_OF(p, a->argument), "", id);
}
ACT(create_like)
{
	int fd = open(PATH_OF(p, p->phase == NONE ? a->value : a->argument), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	return closing(fd, fd);
}
ACT(make_like)
{
	return mkdir(PATH_OF(p, p->phase == NONE ? a->value : a->argument), 0755);
}
/* A receipt for a file that the outside then replaces: the number may be the same. */
BEFORE(receipt_for_replaced)
{
	char id[80];

	(void)a;
	issue("a.write", PATH_OF(p, "f"), "", id);
	if (p->phase != NONE)
		return 0;
	return unlink(PATH_OF(p, "f")) || put(PATH_OF(p, "f"), "another file");
}
BEFORE(receipt_for_moved)
{
	char id[80];

	(void)a;
	issue("a.write", PATH_OF(p, "g"), "", id);
	if (p->phase != NONE)
		return 0;
	/* The file goes elsewhere; another takes its name. */
	return rename(PATH_OF(p, "g"), "/root/moved") || rename(PATH_OF(p, "f"), PATH_OF(p, "g"));
}
ACT(write_g) { (void)a; return write_at(AT_FDCWD, PATH_OF(p, "g")); }
ACT(write_f) { (void)a; return write_at(AT_FDCWD, PATH_OF(p, "f")); }
BEFORE(receipt_for_children)
{
	char object[160];
	char id[80];

	(void)a;
	snprintf(object, sizeof(object), "%s/*", p->dir);
	return issue("a.write", object, "", id);
}
ACT(create_grandchild) { (void)a; int fd = open(PATH_OF(p, p->phase == NONE ? "empty/new" : "new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644); return closing(fd, fd); }
/* A rename or link needs both ends: in the tree of the live receipt, and not. */
ACT(rename_out) { (void)a; return rename(p->text, PATH_OF(p, "new")); }
ACT(rename_in) { (void)a; return rename(PATH_OF(p, "f"), p->text); }
ACT(link_out) { (void)a; return link(p->text, PATH_OF(p, "new")); }
ACT(link_in) { (void)a; return link(PATH_OF(p, "f"), p->text); }
ACT(exchange_in) { (void)a; return renameat2(AT_FDCWD, PATH_OF(p, "f"), AT_FDCWD, p->text, RENAME_EXCHANGE); }
ACT(move_directory_in) { (void)a; return rename(PATH_OF(p, "empty"), p->text); }
BEFORE(with_own_file) { (void)a; alias(p, "own"); return put(p->text, "own"); }
BEFORE(with_no_file) { (void)a; alias(p, "fresh"); return 0; }
ACT(int80_write)
{
	/* The 32-bit way in: open and write with pointers below 4 GiB. */
	char *low = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long fd, result;

	(void)a;
	strcpy(low, PATH_OF(p, "f"));
	__asm__ volatile("int $0x80" : "=a"(fd) : "a"(5), "b"(low), "c"(O_WRONLY), "d"(0) : "r8", "r9", "r10", "r11", "memory");
	if (fd < 0) {
		errno = (int)-fd;
		return -1;
	}
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(4), "b"(fd), "c"(low), "d"(4) : "r8", "r9", "r10", "r11", "memory");
	errno = result < 0 ? (int)-result : 0;
	return result < 0 ? -1 : 0;
}

#define NAME31 "1234567890123456789012345678901"
#define ROW(name_, effect_, twin_) .class = 2, .name = name_, .effect = effect_, .twin = twin_

const struct attack name_attacks[] = {
	{ROW("symbolic link in a granted tree", SCENE, RIGHT), .before = with_symlink, .act = write_alias},
	{ROW("symbolic link to the directory", SCENE, RIGHT), .before = with_directory_symlink, .act = write_below_alias},
	{ROW("chain of 31 symbolic links", SCENE, RIGHT), .before = with_chain, .act = write_alias},
	{ROW("create through a dangling symbolic link", SCENE, RIGHT), .before = with_dangling, .act = create_alias},
	{ROW("bind mount in a granted tree", SCENE, RIGHT), .before = with_bind, .act = write_below_alias, .after = unmount},
	{ROW("bind mount of the file in a granted tree", SCENE, RIGHT), .before = with_file_bind, .act = write_alias, .after = unmount},
	{ROW("tmpfs mounted in a granted tree", STATE, FREE), .before = with_tmpfs, .act = create_below_alias, .state = text_state, .after = unmount},
	{ROW("dots out of a granted tree", SCENE, RIGHT), .act = through_dots},
	{ROW("/proc/self/root", SCENE, RIGHT), .act = through_proc, .argument = "/proc/self/root%s"},
	{ROW("/proc/thread-self/root", SCENE, RIGHT), .act = through_proc, .argument = "/proc/thread-self/root%s"},
	{ROW("slashes and dots in the path", SCENE, RIGHT), .act = through_proc, .argument = "//.//./%s"},
	{ROW("/proc/self/cwd", SCENE, RIGHT), .act = through_cwd},
	{ROW("directory descriptor in /proc/self/fd", SCENE, RIGHT), .act = through_directory_fd},
	{ROW("descriptor for reading in /dev/fd", SCENE, RIGHT), .act = through_dev_fd},
	{ROW("O_PATH descriptor in /proc/self/fd", SCENE, RIGHT), .act = through_path_fd},
	{ROW("openat2 with RESOLVE_IN_ROOT", SCENE, RIGHT), .act = in_root},
	{ROW("chroot", SCENE, FREE), .act = after_chroot},
	{ROW("passed directory descriptor", SCENE, RIGHT), .before = pass_directory, .act = by_passed_directory},
	{ROW("passed O_PATH descriptor", SCENE, RIGHT), .before = pass_path, .act = by_passed_directory},
	{ROW("passed detached mount (open_tree)", SCENE, RIGHT), .before = pass_clone, .act = by_passed_directory},
	{ROW("open_by_handle_at", SCENE, RIGHT), .act = handle},
	{ROW("open_by_handle_at of a file that no name leads to in memory", SCENE, FREE), .before = forget_names, .act = handle_forgotten, .at_step = drop_caches},
	{ROW("open_by_handle_at on tmpfs", STATE, FREE), .before = in_shm, .act = handle_tmpfs, .state = text_state},
	{ROW("file in /dev/shm", STATE, FREE), .before = in_shm, .act = write_shm, .state = text_state},
	{ROW("overlay: open for writing", STATE, FREE), .before = with_overlay, .act = overlay_write, .state = overlay_state, .after = remove_overlay},
	{ROW("overlay: chmod", STATE, FREE), .before = with_overlay, .act = overlay_chmod, .state = overlay_state, .after = remove_overlay},
	{ROW("overlay: truncate", STATE, FREE), .before = with_overlay, .act = overlay_truncate, .state = overlay_state, .after = remove_overlay},
	{ROW("overlay: unlink", STATE, FREE), .before = with_overlay, .act = overlay_unlink, .state = overlay_state, .after = remove_overlay},
	{ROW("overlay: create", STATE, FREE), .before = with_overlay, .act = overlay_create, .state = overlay_state, .after = remove_overlay},
	{ROW("directory deeper than the walk", STATE, RIGHT), .before = make_deep, .act = create_deep, .state = new_is_there, .argument = "d"},
	{ROW("path longer than PATH_MAX", STATE, RIGHT), .before = make_long, .act = create_deep, .state = new_is_there},
	{ROW("name that begins like a granted one", SCENE, RIGHT), .before = receipt_for_name, .act = create_like, .argument = "fresh", .value = "fresh2"},
	{ROW("name that a granted one begins with", SCENE, RIGHT), .before = receipt_for_name, .act = create_like, .argument = "fresh", .value = "fres"},
	{ROW("name in another case", SCENE, RIGHT), .before = receipt_for_name, .act = create_like, .argument = "fresh", .value = "Fresh"},
	{ROW("name with a space after it", SCENE, RIGHT), .before = receipt_for_name, .act = create_like, .argument = "fresh", .value = "fresh "},
	{ROW("name in another Unicode form", SCENE, RIGHT), .before = receipt_for_name, .act = create_like, .argument = "\xc3\xa9t\xc3\xa9", .value = "e\xcc\x81te\xcc\x81"},
	{ROW("name of 32 bytes beside a granted one of 31", SCENE, RIGHT), .before = receipt_for_name, .act = create_like, .argument = NAME31, .value = NAME31 "2"},
	{ROW("directory beside a granted name", SCENE, RIGHT), .before = receipt_for_name, .act = make_like, .argument = "fresh", .value = "fresh-dir"},
	{ROW("file that took the place of a granted one", SCENE, RIGHT), .before = receipt_for_replaced, .act = write_f},
	{ROW("file renamed over a granted name", SCENE, RIGHT), .before = receipt_for_moved, .act = write_g},
	{ROW("grandchild of a directory whose children are granted", SCENE, RIGHT), .before = receipt_for_children, .act = create_grandchild},
	{ROW("rename out of a granted tree", SCENE, RIGHT), .before = with_own_file, .act = rename_out},
	{ROW("rename into a granted tree", SCENE, RIGHT), .before = with_no_file, .act = rename_in},
	{ROW("link out of a granted tree", SCENE, RIGHT), .before = with_own_file, .act = link_out},
	{ROW("link into a granted tree", SCENE, RIGHT), .before = with_no_file, .act = link_in},
	{ROW("exchange with a file of a granted tree", SCENE, RIGHT), .before = with_own_file, .act = exchange_in},
	{ROW("move a directory into a granted tree", SCENE, RIGHT), .before = with_no_file, .act = move_directory_in},
	{ROW("32-bit system calls", SCENE, RIGHT), .act = int80_write},
	{0},
};
