/* Class 6: the guard itself: the daemon, its files, the gate's objects. What
 * binds every task is tried by an ungoverned one; its twin is the same act on a
 * look-alike. */

#define _GNU_SOURCE
#include "attack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ACT(name) static int name(const struct place *p, const struct attack *a)
#define BEFORE(name) static int name(struct place *p, const struct attack *a)
#define AFTER(name) static void name(struct place *p, const struct attack *a)

/* The daemon; in the twin, the victim. */
static pid_t target(const struct place *p) { return p->phase == NONE ? p->daemon : p->victim; }
BEFORE(daemon_for_victim) { (void)a; if (p->phase == NONE) p->number[3] = p->daemon; else p->number[3] = p->victim; return 0; }
static int daemon_answers(void)
{
	static char answer[65536];

	return rpc("status", "{}", answer, sizeof(answer)) == 0;
}
/* Alive, not stopped, and run as before. */
static uint64_t target_state(const struct place *p, const struct attack *a)
{
	char path[64], text[4096];
	uint64_t sum = 5381;
	cpu_set_t cpus;
	struct rlimit limit;
	pid_t pid = (pid_t)p->number[3];
	char *at;

	(void)a;
	if (p->phase == NONE ? !daemon_answers() : kill(pid, SIGUSR1) || !victim_answers(pid))
		return 1;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (get(path, text, sizeof(text)) || !(at = strrchr(text, ')')))
		return 1;
	sum = sum * 33 + (at[2] == 'T' || at[2] == 't' || at[2] == 'Z');
	for (int field = 3; *at; at++)
		if (*at == ' ' && ++field && (field == 19 || field == 20 || field == 41 || field == 42))
			sum = sum * 33 + (uint64_t)(atoi(at + 1) + 200);
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	get(path, text, sizeof(text));
	sum = sum * 33 + (uint64_t)(atoi(text) + 2000);
	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	get(path, text, sizeof(text));
	for (at = text; *at; at++)
		sum = sum * 33 + (unsigned char)*at;
	CPU_ZERO(&cpus);
	sched_getaffinity(pid, sizeof(cpus), &cpus);
	sum = sum * 33 + (uint64_t)CPU_COUNT(&cpus);
	prlimit(pid, RLIMIT_NOFILE, NULL, &limit);
	sum = sum * 33 + limit.rlim_cur;
	return sum * 33 + (uint64_t)syscall(SYS_ioprio_get, 1, pid);
}

ACT(signal_it) { return kill(target(p), a->number); }
ACT(pidfd_signal_it)
{
	int fd = (int)syscall(SYS_pidfd_open, target(p), 0);

	return fd < 0 ? -1 : closing(fd, syscall(SYS_pidfd_send_signal, fd, a->number, NULL, 0));
}
ACT(thread_signal_it) { return (int)syscall(SYS_tgkill, target(p), target(p), a->number); }
ACT(owner_signal_it)
{
	int ends[2];

	(void)a;
	if (pipe(ends) || fcntl(ends[0], F_SETOWN, target(p)) || fcntl(ends[0], F_SETSIG, SIGKILL) || fcntl(ends[0], F_SETFL, O_ASYNC) ||
	    write(ends[1], "x", 1) != 1)
		return -1;
	usleep(50000);
	return 0;
}
ACT(seize_it) { (void)a; return ptrace(PTRACE_SEIZE, target(p), 0, 0); }
ACT(read_it)
{
	char path[64];
	int fd;

	(void)a;
	snprintf(path, sizeof(path), "/proc/%d/mem", target(p));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return closing(fd, fd);
}
ACT(take_its_fd)
{
	int fd = (int)syscall(SYS_pidfd_open, target(p), 0);
	int got = (int)syscall(SYS_pidfd_getfd, fd, a->number, 0);

	return closing(got, closing(fd, got));
}
ACT(proc_its_fd)
{
	char path[64];
	int fd;

	(void)a;
	snprintf(path, sizeof(path), "/proc/%d/fd/0", target(p));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return closing(fd, fd);
}
ACT(renice_it) { (void)a; return setpriority(PRIO_PROCESS, (id_t)target(p), 15); }
ACT(renice_its_user) { (void)a; (void)p; return setpriority(PRIO_USER, 0, 11); }
AFTER(nice_again) { (void)p; (void)a; setpriority(PRIO_USER, 0, 0); }
AFTER(let_it_run) { (void)a; kill(p->daemon, SIGCONT); }
ACT(confine_it)
{
	cpu_set_t one;

	(void)a;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	return sched_setaffinity(target(p), sizeof(one), &one);
}
ACT(idle_it) { (void)a; return sched_setscheduler(target(p), SCHED_IDLE, &(struct sched_param){0}); }
ACT(io_idle_it) { (void)a; return (int)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, target(p), IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0)); }
ACT(limit_it) { (void)a; return prlimit(target(p), RLIMIT_NOFILE, &(struct rlimit){3, 3}, NULL); }
ACT(migrate_it)
{
	unsigned long from = 1, to = 1;

	(void)a;
	return (int)syscall(SYS_migrate_pages, target(p), 64, &from, &to);
}
ACT(proc_write_it)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", target(p), a->argument);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -1 : closing(fd, write(fd, a->value, strlen(a->value)));
}

/* The service's cgroup; in the twin, one that the outside made. */
static const char *group(const struct place *p) { return p->phase == NONE ? "/sys/fs/cgroup/system.slice/proofgate.service" : "/sys/fs/cgroup/look-alike"; }
BEFORE(look_alike) { (void)a; (void)p; mkdir("/sys/fs/cgroup/look-alike", 0755); return 0; }
static uint64_t group_state(const struct place *p, const struct attack *a)
{
	char path[160], text[512];
	uint64_t sum = 5381;

	snprintf(path, sizeof(path), "%s/%s", group(p), a->argument);
	get(path, text, sizeof(text));
	for (char *at = text; *at; at++)
		sum = sum * 33 + (unsigned char)*at;
	return sum;
}
ACT(write_group)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", group(p), a->argument);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -1 : closing(fd, write(fd, a->value, strlen(a->value)));
}
AFTER(no_look_alike) { (void)a; (void)p; rmdir("/sys/fs/cgroup/look-alike"); }

/* Its files; in the twin, a file of the scene's. */
static const char *file_of(const struct place *p, const struct attack *a) { return p->phase == NONE ? a->argument : PATH_OF(p, "g"); }
static uint64_t file_state(const struct place *p, const struct attack *a)
{
	struct stat info;
	const char *path = file_of(p, a);
	char text[64];

	if (stat(path, &info))
		return 1;
	return (uint64_t)info.st_ino * 31 + info.st_mode + info.st_uid + info.st_nlink * 7 +
	       (S_ISREG(info.st_mode) && !strstr(path, "store") ? (uint64_t)info.st_size * 131 : 0) + (uint64_t)(getxattr(path, "user.attack", text, sizeof(text)) > 0);
}
ACT(write_its_file)
{
	int fd = open(file_of(p, a), O_WRONLY | O_APPEND | O_CLOEXEC);

	return fd < 0 ? -1 : closing(fd, write(fd, "x", 1));
}
ACT(unlink_its_file) { return unlink(file_of(p, a)); }
ACT(rename_its_file) { char to[160]; snprintf(to, sizeof(to), "%.150s.gone", file_of(p, a)); return rename(file_of(p, a), to); }
ACT(chmod_its_file) { return chmod(file_of(p, a), 0644 ^ 0666); }
ACT(mark_its_file) { return setxattr(file_of(p, a), "user.attack", "1", 1, 0); }
ACT(read_its_file)
{
	char text[16];
	int fd = open(file_of(p, a), O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : closing(fd, read(fd, text, sizeof(text)));
}
ACT(lock_its_file)
{
	int fd = open(file_of(p, a), O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : closing(fd, flock(fd, LOCK_EX | LOCK_NB));
}
ACT(create_there)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/attack", p->phase == NONE ? a->argument : p->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return closing(fd, fd);
}
/* The pinned objects. */
ACT(open_pin)
{
	union bpf_attr attr = {.pathname = (uint64_t)p->text};
	int fd = (int)syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr));

	(void)a;
	return closing(fd, fd);
}
static int first_pin(const char *dir, char *path, size_t room)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;

	if (!stream)
		return -1;
	while ((entry = readdir(stream)))
		if (entry->d_name[0] != '.') {
			char below[400];

			snprintf(below, sizeof(below), "%s/%s", dir, entry->d_name);
			if (entry->d_type == DT_DIR ? first_pin(below, path, room) == 0 : 1) {
				if (entry->d_type != DT_DIR)
					snprintf(path, room, "%s", below);
				closedir(stream);
				return 0;
			}
		}
	closedir(stream);
	return -1;
}
#define OWN_PINS "/run/proofgate/bpf"
#define OTHER_PINS "/run/look-alike"
/* A pin of ours; in the twin a pin in a bpffs of the test's own. */
BEFORE(find_pin)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};
	int fd;

	(void)a;
	if (p->phase == NONE)
		return first_pin(OWN_PINS, p->text, sizeof(p->text));
	mkdir(OTHER_PINS, 0755);
	if (mount("bpf", OTHER_PINS, "bpf", 0, NULL))
		return -1;
	snprintf(p->text, sizeof(p->text), OTHER_PINS "/map");
	fd = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	attr = (union bpf_attr){.pathname = (uint64_t)p->text, .bpf_fd = (uint32_t)fd};
	return closing(fd, syscall(SYS_bpf, BPF_OBJ_PIN, &attr, sizeof(attr)));
}
AFTER(no_other_pins)
{
	struct statfs info;

	(void)a;
	if (p->phase != NONE) {
		while (umount2(OTHER_PINS, MNT_DETACH) == 0)
			;
	} else if (statfs(OWN_PINS, &info) == 0 && info.f_type == 0x01021994 /* a tmpfs over it */) {
		umount2(OWN_PINS, MNT_DETACH);
	}
}
static uint64_t pin_state(const struct place *p, const struct attack *a)
{
	char text[160];
	struct stat info;
	int shown;

	(void)a;
	shown = first_pin(p->phase == NONE ? OWN_PINS : OTHER_PINS, text, sizeof(text)) == 0;
	return (uint64_t)(stat(p->text, &info) ? 1 : info.st_ino * 2) + (uint64_t)shown * 1000003 + (shown ? info.st_dev : 0);
}
static const char *pins(const struct place *p) { return p->phase == NONE ? OWN_PINS : OTHER_PINS; }
ACT(unlink_pin) { (void)a; return unlink(p->text); }
ACT(rename_pin) { char to[160]; (void)a; snprintf(to, sizeof(to), "%s-gone", p->text); return rename(p->text, to); }
ACT(unmount_pins) { (void)a; return umount2(pins(p), MNT_DETACH); }
ACT(mount_over_pins) { (void)a; return mount("none", pins(p), "tmpfs", 0, NULL); }
ACT(rename_their_directory) { (void)a; return rename(p->phase == NONE ? "/run/proofgate" : p->dir, p->phase == NONE ? "/run/gone" : "/srv/a/gone"); }
AFTER(back_again) { (void)a; if (p->phase != NONE) rename("/srv/a/gone", p->dir); }
static uint64_t directory_state(const struct place *p, const struct attack *a) { (void)a; return access(p->phase == NONE ? "/run/proofgate/bpf" : p->dir, F_OK) == 0; }

/* bpf() on objects by their numbers. */
ACT(object_by_id)
{
	union bpf_attr attr = {.start_id = 1, .open_flags = 0};
	int fd = (int)syscall(SYS_bpf, a->number, &attr, sizeof(attr));

	(void)p;
	if (fd < 0 && errno == ENOENT) /* there is none of that number: asked and answered */
		return 0;
	return closing(fd, fd);
}
ACT(next_id)
{
	union bpf_attr attr = {.start_id = 0};

	(void)p;
	return (int)syscall(SYS_bpf, a->number, &attr, sizeof(attr));
}
/* A map of the outside's that it passed. */
BEFORE(pass_map)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 512, .map_flags = BPF_F_MMAPABLE};

	(void)a;
	p->given = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	return p->given < 0;
}
static uint64_t map_state(const struct place *p, const struct attack *a)
{
	uint32_t key = 0;
	uint64_t value = 0;
	union bpf_attr attr = {.map_fd = (uint32_t)p->given, .key = (uint64_t)&key, .value = (uint64_t)&value};

	(void)a;
	syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr));
	return value;
}
ACT(update_given_map)
{
	uint32_t key = 0;
	uint64_t value = 7;
	union bpf_attr attr = {.map_fd = (uint32_t)p->given, .key = (uint64_t)&key, .value = (uint64_t)&value};

	(void)a;
	return (int)syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
}
ACT(map_given_map)
{
	uint64_t *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, p->given, 0);

	(void)a;
	if (at == MAP_FAILED)
		return -1;
	at[0] = 9;
	return 0;
}
/* A flood of refusals: every one counted, none allowed. */
ACT(flood)
{
	char path[160];
	int made = 0;

	(void)a;
	for (int i = 0; i < 4000; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/flood-%d", p->dir, i % 97);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd >= 0) {
			made++;
			close(fd);
		}
	}
	errno = EPERM;
	return made ? 0 : -1;
}
/* Every descriptor it may have, then the act. */
ACT(exhaust_descriptors)
{
	struct rlimit all = {200, 200};
	int null, fd, last = -1;

	(void)a;
	setrlimit(RLIMIT_NOFILE, &all);
	while ((null = open("/dev/null", O_WRONLY)) >= 0)
		last = null;
	close(last);
	fd = open(PATH_OF(p, "new"), O_WRONLY | O_CREAT, 0644);
	return closing(fd, fd);
}

#define GUARD(name_, how, number_) {.class = 6, .name = "daemon: " name_, .effect = STATE, .twin = FREE, .before = daemon_for_victim, .act = how, .state = target_state, .number = number_}
#define ASK(name_, how, number_) {.class = 6, .name = "daemon: " name_, .effect = RETURNS, .twin = FREE, .act = how, .number = number_}
#define GROUP(name_, file, text) {.class = 6, .name = "daemon: " name_, .effect = STATE, .twin = FREE, .before = look_alike, .act = write_group, .state = group_state, .after = no_look_alike, .argument = file, .value = text}
#define FILES(name_, how, path) {.class = 6, .name = name_, .effect = STATE, .twin = FREE, .act = how, .state = file_state, .argument = path}
#define LOOKS(name_, how, path) {.class = 6, .name = name_, .effect = RETURNS, .twin = FREE, .act = how, .argument = path}
#define PINS(name_, how) {.class = 6, .name = name_, .effect = STATE, .twin = FREE, .before = find_pin, .act = how, .state = pin_state, .after = no_other_pins}
#define ANYBODY(name_, how) {.class = 6, .name = "ungoverned: " name_, .effect = STATE, .twin = FREE, .outside = 1, .before = find_pin, .act = how, .state = pin_state, .after = no_other_pins}
#define BPF(name_, how, command) {.class = 6, .name = "bpf: " name_, .effect = RETURNS, .twin = FREE, .act = how, .number = command}

const struct attack guard_attacks[] = {
	GUARD("kill", signal_it, SIGKILL),
	{.class = 6, .name = "daemon: stop", .effect = STATE, .twin = FREE, .before = daemon_for_victim, .act = signal_it, .state = target_state, .after = let_it_run, .number = SIGSTOP},
	GUARD("terminate", signal_it, SIGTERM),
	GUARD("kill by tgkill", thread_signal_it, SIGKILL),
	GUARD("kill by pidfd", pidfd_signal_it, SIGKILL),
	GUARD("kill by F_SETOWN", owner_signal_it, 0),
	ASK("PTRACE_SEIZE", seize_it, 0),
	ASK("read its memory", read_it, 0),
	ASK("take its descriptor", take_its_fd, 0),
	ASK("open its descriptor in /proc", proc_its_fd, 0),
	GUARD("setpriority", renice_it, 0),
	{.class = 6, .name = "daemon: setpriority of all that uid 0 runs", .effect = STATE, .twin = FREE, .before = daemon_for_victim, .act = renice_its_user, .state = target_state, .after = nice_again},
	GUARD("sched_setaffinity", confine_it, 0),
	GUARD("sched_setscheduler", idle_it, 0),
	GUARD("ioprio_set", io_idle_it, 0),
	GUARD("prlimit", limit_it, 0),
	ASK("migrate_pages", migrate_it, 0),
	{.class = 6, .name = "daemon: oom_score_adj", .effect = STATE, .twin = FREE, .before = daemon_for_victim, .act = proc_write_it, .state = target_state, .argument = "oom_score_adj", .value = "1000"},
	GROUP("freeze its cgroup", "cgroup.freeze", "1"),
	GROUP("limit its cgroup's processes", "pids.max", "5"),
	GROUP("limit its cgroup's memory", "memory.max", "4194304"),
	GROUP("limit its cgroup's depth", "cgroup.max.depth", "3"),
	FILES("host key: write", write_its_file, "/var/lib/proofgate/host_key"),
	FILES("host key: unlink", unlink_its_file, "/var/lib/proofgate/host_key"),
	FILES("host key: chmod", chmod_its_file, "/var/lib/proofgate/host_key"),
	LOOKS("host key: read", read_its_file, "/var/lib/proofgate/host_key"),
	FILES("anchor: write", write_its_file, "/var/lib/proofgate/ledger/anchor"),
	FILES("anchor: rename", rename_its_file, "/var/lib/proofgate/ledger/anchor"),
	FILES("ledger: current file", write_its_file, "/var/lib/proofgate/ledger/store/CURRENT"),
	LOOKS("ledger: lock", lock_its_file, "/var/lib/proofgate/ledger/store/LOCK"),
	LOOKS("ledger: create a file in the store", create_there, "/var/lib/proofgate/ledger/store"),
	FILES("state directory: chmod", chmod_its_file, "/var/lib/proofgate"),
	FILES("state directory: rename", rename_its_file, "/var/lib/proofgate"),
	FILES("state directory: xattr", mark_its_file, "/var/lib/proofgate"),
	FILES("daemon's binary: write", write_its_file, "/usr/sbin/proofgated"),
	FILES("daemon's binary: unlink", unlink_its_file, "/usr/sbin/proofgated"),
	FILES("daemon's binary: rename", rename_its_file, "/usr/sbin/proofgated"),
	FILES("command line's binary: write", write_its_file, "/usr/bin/proofgate"),
	FILES("unit: write", write_its_file, "/lib/systemd/system/proofgate.service"),
	FILES("unit: unlink", unlink_its_file, "/lib/systemd/system/proofgate.service"),
	LOOKS("unit: drop-in", create_there, "/etc/systemd/system"),
	FILES("control socket: unlink", unlink_its_file, "/run/proofgate/control.sock"),
	FILES("control socket: chmod", chmod_its_file, "/run/proofgate/control.sock"),
	LOOKS("a file beside the control socket", create_there, "/run/proofgate"),
	{.class = 6, .name = "/run/proofgate: rename", .effect = STATE, .twin = FREE, .act = rename_their_directory, .state = directory_state, .after = back_again},
	PINS("pin: unlink", unlink_pin),
	PINS("pin: rename", rename_pin),
	PINS("pins: umount", unmount_pins),
	PINS("pins: mount over", mount_over_pins),
	ANYBODY("pin: unlink", unlink_pin),
	ANYBODY("pin: rename", rename_pin),
	ANYBODY("pins: umount", unmount_pins),
	ANYBODY("pins: mount over", mount_over_pins),
	{.class = 6, .name = "pin: open", .effect = RETURNS, .twin = FREE, .before = find_pin, .act = open_pin, .after = no_other_pins},
	BPF("program by id", object_by_id, BPF_PROG_GET_FD_BY_ID),
	BPF("map by id", object_by_id, BPF_MAP_GET_FD_BY_ID),
	BPF("link by id", object_by_id, BPF_LINK_GET_FD_BY_ID),
	BPF("BTF by id", object_by_id, BPF_BTF_GET_FD_BY_ID),
	BPF("next program", next_id, BPF_PROG_GET_NEXT_ID),
	BPF("next map", next_id, BPF_MAP_GET_NEXT_ID),
	BPF("next link", next_id, BPF_LINK_GET_NEXT_ID),
	{.class = 6, .name = "bpf: update a passed map", .effect = STATE, .twin = FREE, .before = pass_map, .act = update_given_map, .state = map_state},
	{.class = 6, .name = "bpf: map a passed map", .effect = STATE, .twin = FREE, .before = pass_map, .act = map_given_map, .state = map_state},
	{.class = 6, .name = "flood of 4,000 refusals", .effect = SCENE, .twin = RIGHT, .act = flood},
	{.class = 6, .name = "all descriptors in use", .effect = SCENE, .twin = RIGHT, .act = exhaust_descriptors},
	{0},
};
