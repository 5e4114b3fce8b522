/* Class 5: a deputy that is not governed: the kernel, its helpers, its
 * devices, and services that act for whoever asks. */

#define _GNU_SOURCE
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/fs.h>
#include <linux/keyctl.h>
#include <linux/loop.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <linux/rtc.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ACT(name) static int name(const struct place *p, const struct attack *a)
#define BEFORE(name) static int name(struct place *p, const struct attack *a)
#define AFTER(name) static void name(struct place *p, const struct attack *a)

/* Files of the kernel and of services: `watch` is written `value`, and after the
 * twin gets back what it held. */
static char kept[4096];
BEFORE(keep)
{
	(void)p;
	return get(a->watch, kept, sizeof(kept));
}
AFTER(restore)
{
	int fd = open(a->watch, O_WRONLY | O_CLOEXEC);

	(void)p;
	if (fd >= 0) {
		if (write(fd, kept, strlen(kept)) < 0 || kept[0] == '\n')
			(void)!write(fd, kept[0] == '\n' || !kept[0] ? "\n" : kept, 1);
		close(fd);
	}
}
static uint64_t content(const struct place *p, const struct attack *a)
{
	char text[4096];
	uint64_t sum = 5381;

	(void)p;
	get(a->watch, text, sizeof(text));
	for (char *at = text; *at; at++)
		sum = sum * 33 + (unsigned char)*at;
	return sum;
}
ACT(write_it)
{
	int fd = open(a->watch, O_WRONLY | O_CLOEXEC);

	(void)p;
	return fd < 0 ? -1 : closing(fd, write(fd, a->value, strlen(a->value)));
}
/* A file that a service would take for its orders. */
static uint64_t exists(const struct place *p, const struct attack *a) { (void)p; (void)a; return access(a->watch, F_OK) == 0; }
AFTER(remove_it) { (void)p; unlink(a->watch); }
ACT(create_it)
{
	int fd = open(a->watch, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	(void)p;
	return fd < 0 ? -1 : closing(fd, write(fd, "x\n", 2));
}
ACT(append_it)
{
	int fd = open(a->watch, O_WRONLY | O_APPEND | O_CLOEXEC);

	(void)p;
	return fd < 0 ? -1 : closing(fd, write(fd, "\n", 1));
}

/* Sockets of services. */
ACT(call_service)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, a->number | SOCK_CLOEXEC, 0);

	(void)p;
	strncpy(to.sun_path, a->argument, sizeof(to.sun_path) - 1);
	if (a->number == SOCK_DGRAM)
		return closing(fd, sendto(fd, a->value, strlen(a->value), 0, (struct sockaddr *)&to, sizeof(to)));
	return closing(fd, connect(fd, (struct sockaddr *)&to, sizeof(to)));
}

/* Mounts, namespaces, roots. */
static uint64_t mounts(const struct place *p, const struct attack *a)
{
	static char text[65536];
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	ssize_t got = 0, some;
	uint64_t sum = 5381;

	(void)p;
	(void)a;
	while ((some = read(fd, text + got, sizeof(text) - (size_t)got)) > 0)
		got += some;
	close(fd);
	for (ssize_t i = 0; i < got; i++)
		sum = sum * 33 + (unsigned char)text[i];
	return sum;
}
AFTER(unmount_scene) { (void)a; umount2(PATH_OF(p, "empty"), MNT_DETACH); umount2(p->dir, MNT_DETACH); }
BEFORE(mounted) { (void)a; return mount("none", PATH_OF(p, "empty"), "tmpfs", 0, NULL); }
ACT(mount_tmpfs) { (void)a; return mount("none", PATH_OF(p, "empty"), "tmpfs", 0, NULL); }
ACT(mount_bind) { (void)a; return mount("/srv/a/right", PATH_OF(p, "empty"), NULL, MS_BIND, NULL); }
/* A mount moves only below a parent that is not shared. */
BEFORE(mounted_private)
{
	(void)a;
	return mount("none", PATH_OF(p, "empty"), "tmpfs", 0, NULL) || mount("none", PATH_OF(p, "empty"), NULL, MS_PRIVATE, NULL) ||
	       mkdir(PATH_OF(p, "empty/x"), 0755) || mkdir(PATH_OF(p, "empty/y"), 0755) || mount("none", PATH_OF(p, "empty/x"), "tmpfs", 0, NULL);
}
ACT(mount_move) { (void)a; return mount(PATH_OF(p, "empty/x"), PATH_OF(p, "empty/y"), NULL, MS_MOVE, NULL); }
ACT(remount) { (void)a; return mount("none", PATH_OF(p, "empty"), NULL, MS_REMOUNT | MS_NOEXEC, NULL); }
ACT(propagation) { (void)a; return mount("none", PATH_OF(p, "empty"), NULL, MS_PRIVATE | MS_REC, NULL) || mount("none", PATH_OF(p, "empty"), NULL, MS_UNBINDABLE, NULL); }
ACT(unmount_it) { (void)a; return umount2(PATH_OF(p, "empty"), MNT_DETACH); }
ACT(new_mount)
{
	int fs = (int)syscall(SYS_fsopen, "tmpfs", 0);
	int fd;

	(void)a;
	if (fs < 0 || syscall(SYS_fsconfig, fs, 6 /* CREATE */, NULL, NULL, 0))
		return -1;
	fd = (int)syscall(SYS_fsmount, fs, 0, 0);
	return fd < 0 ? -1 : (int)syscall(SYS_move_mount, fd, "", AT_FDCWD, PATH_OF(p, "empty"), 4 /* F_EMPTY_PATH */);
}
ACT(open_file_system) { (void)p; (void)a; int fd = (int)syscall(SYS_fsopen, "tmpfs", 0); return closing(fd, fd); }
ACT(pick_file_system) { (void)a; int fd = (int)syscall(SYS_fspick, AT_FDCWD, PATH_OF(p, "empty"), 0); return closing(fd, fd); }
ACT(clone_tree) { (void)a; int fd = (int)syscall(SYS_open_tree, AT_FDCWD, p->dir, 1); return closing(fd, fd); }
BEFORE(pass_tree) { (void)a; p->given = (int)syscall(SYS_open_tree, AT_FDCWD, "/srv/a/right", 1 | O_CLOEXEC); return p->given < 0; }
ACT(attach_tree) { (void)a; return (int)syscall(SYS_move_mount, p->given, "", AT_FDCWD, PATH_OF(p, "empty"), 4); }
ACT(set_mount_attributes)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

	(void)a;
	return (int)syscall(SYS_mount_setattr, AT_FDCWD, PATH_OF(p, "empty"), 0, &attr, sizeof(attr));
}
ACT(pivot) /* in a mount namespace of its own, where the twin gets that far */
{
	char old[160];

	(void)a;
	if (p->phase == FREE && (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL)))
		return -1;
	if (p->phase == FREE && (mount(p->dir, p->dir, NULL, MS_BIND, NULL)))
		return -1;
	snprintf(old, sizeof(old), "%s/empty", p->dir);
	return (int)syscall(SYS_pivot_root, p->dir, old);
}
ACT(change_root) { (void)a; return chroot(p->dir); }
ACT(new_namespaces)
{
	pid_t pid = fork();
	int status;

	(void)p;
	if (pid == 0)
		_exit(unshare(a->number) ? errno : 0);
	waitpid(pid, &status, 0);
	errno = WEXITSTATUS(status);
	return errno ? -1 : 0;
}
static char clone_stack[65536] __attribute__((aligned(16)));
static int nothing(void *at) { (void)at; return 0; }
ACT(clone_namespaces)
{
	pid_t pid = clone(nothing, clone_stack + sizeof(clone_stack), a->number | SIGCHLD, NULL);

	(void)p;
	if (pid < 0)
		return -1;
	waitpid(pid, NULL, 0);
	return 0;
}
ACT(join_namespace)
{
	int fd = open(a->argument, O_RDONLY | O_CLOEXEC);

	(void)p;
	return fd < 0 ? -1 : closing(fd, setns(fd, a->number));
}
BEFORE(pass_namespace) { p->given = open(a->argument, O_RDONLY | O_CLOEXEC); return p->given < 0; }
ACT(join_passed) { return setns(p->given, a->number); }
ACT(user_then_mount)
{
	pid_t pid = fork();
	int status;

	(void)a;
	if (pid == 0) {
		if (p->phase == FREE ? unshare(CLONE_NEWNS) : unshare(CLONE_NEWUSER | CLONE_NEWNS))
			_exit(errno);
		if (mount("none", PATH_OF(p, "empty"), "tmpfs", 0, NULL))
			_exit(errno);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	errno = WEXITSTATUS(status);
	return errno ? -1 : 0;
}

/* The kernel itself. */
ACT(set_host_name) { (void)p; (void)a; return sethostname("changed", 7); }
ACT(set_domain_name) { (void)p; (void)a; return setdomainname("changed", 7); }
static uint64_t host_names(const struct place *p, const struct attack *a)
{
	struct utsname names;
	uint64_t sum = 5381;

	(void)p;
	(void)a;
	uname(&names);
	for (char *at = names.nodename; *at; at++)
		sum = sum * 33 + (unsigned char)*at;
	for (char *at = names.domainname; *at; at++)
		sum = sum * 33 + (unsigned char)*at;
	return sum;
}
AFTER(restore_names) { (void)p; (void)a; (void)!sethostname("proofgate-vm", 12); (void)!setdomainname("(none)", 6); }
static struct timespec wall;
BEFORE(note_time) { (void)p; (void)a; return clock_gettime(CLOCK_REALTIME, &wall); }
static uint64_t hour(const struct place *p, const struct attack *a)
{
	struct timespec now;

	(void)p;
	(void)a;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)(now.tv_sec > wall.tv_sec + 1800);
}
AFTER(restore_time) { (void)p; (void)a; clock_settime(CLOCK_REALTIME, &wall); }
ACT(set_time) { (void)p; (void)a; struct timespec to = wall; clock_gettime(CLOCK_REALTIME, &to); to.tv_sec += 3600; return clock_settime(CLOCK_REALTIME, &to); }
ACT(set_time_of_day) { (void)p; (void)a; struct timeval to; gettimeofday(&to, NULL); to.tv_sec += 3600; return settimeofday(&to, NULL); }
ACT(step_time) { (void)p; (void)a; struct timex by = {.modes = ADJ_SETOFFSET, .time = {3600, 0}}; return adjtimex(&by) < 0 ? -1 : 0; }
ACT(adjust_time) { (void)p; (void)a; struct timex by = {.modes = ADJ_TICK, .tick = 10000}; return adjtimex(&by) < 0 ? -1 : 0; }
ACT(set_rtc)
{
	struct rtc_time time;
	int fd = open("/dev/rtc0", O_RDONLY | O_CLOEXEC);

	(void)p;
	(void)a;
	return fd < 0 || ioctl(fd, RTC_RD_TIME, &time) ? closing(fd, -1) : closing(fd, ioctl(fd, RTC_SET_TIME, &time));
}
ACT(reboot_off) { (void)p; (void)a; return reboot(RB_DISABLE_CAD); }
ACT(load_kernel) { (void)p; (void)a; return (int)syscall(SYS_kexec_load, 0, 0, NULL, 0) ; }
/* A module by its file: one that is there and not loaded. */
static uint64_t module_is_loaded(const struct place *p, const struct attack *a)
{
	char path[128];

	(void)p;
	snprintf(path, sizeof(path), "/sys/module/%s", a->value);
	return access(path, F_OK) == 0;
}
AFTER(unload)
{
	char line[160];

	(void)p;
	snprintf(line, sizeof(line), "modprobe -r %s 2>/dev/null", a->value);
	(void)!system(line);
}
BEFORE(find_module)
{
	FILE *pipe;
	char line[160];

	if (!strcmp(a->value, ""))
		return 0;
	unload(p, a);
	snprintf(line, sizeof(line), "modprobe --show-depends %s | tail -n 1 | cut -d' ' -f2", a->value);
	pipe = popen(line, "re");
	if (!pipe || fscanf(pipe, "%120s", p->text) != 1)
		return -1;
	pclose(pipe);
	return module_is_loaded(p, a) != 0;
}
ACT(load_module_file)
{
	const char *suffix = strrchr(p->text, '.');
	int flags = suffix && strcmp(suffix, ".ko") ? 4 /* MODULE_INIT_COMPRESSED_FILE */ : 0;
	int fd = open(p->text, O_RDONLY | O_CLOEXEC);

	(void)a;
	return fd < 0 ? -1 : closing(fd, syscall(SYS_finit_module, fd, "", flags));
}
ACT(open_device) { (void)p; int fd = open(a->argument, O_RDONLY | O_NONBLOCK | O_CLOEXEC); return closing(fd, fd); }
BEFORE(pick_device) { unload(p, a); return access(a->argument, F_OK) || module_is_loaded(p, a); }
ACT(remove_module) { (void)p; return (int)syscall(SYS_delete_module, a->value, O_NONBLOCK); }
BEFORE(load_first)
{
	char line[160];

	(void)p;
	snprintf(line, sizeof(line), "modprobe %s", a->value);
	return system(line);
}
ACT(swap_on) { (void)a; return swapon(p->text, 0); }
BEFORE(make_swap)
{
	char line[512];

	(void)a;
	snprintf(p->text, sizeof(p->text), "/root/swap-%d-%d", p->row, (int)p->phase);
	snprintf(line, sizeof(line), "dd if=/dev/zero of=%s bs=64k count=8 status=none && chmod 600 %s && mkswap -q %s >/dev/null 2>&1", p->text, p->text, p->text);
	return system(line);
}
static uint64_t swaps(const struct place *p, const struct attack *a)
{
	char text[4096];

	(void)a;
	get("/proc/swaps", text, sizeof(text));
	return strstr(text, p->text) != NULL;
}
AFTER(stop_swap) { (void)a; swapoff(p->text); unlink(p->text); }
ACT(account) { (void)a; return acct(PATH_OF(p, "g")); }
AFTER(stop_account) { (void)p; (void)a; acct(NULL); }
static uint64_t g_grows(const struct place *p, const struct attack *a)
{
	struct stat info;
	pid_t pid = fork();

	(void)a;
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	return stat(PATH_OF(p, "g"), &info) ? 0 : (uint64_t)info.st_size;
}
ACT(quota) { (void)p; (void)a; return quotactl(QCMD(Q_SYNC, USRQUOTA), NULL, 0, NULL); }
ACT(clear_log) { (void)p; (void)a; return klogctl(5, NULL, 0) < 0 ? -1 : 0; }
ACT(read_log) { (void)p; (void)a; char text[64]; return klogctl(3, text, sizeof(text)) < 0 ? -1 : 0; }
ACT(console_level) { (void)p; (void)a; return klogctl(8, NULL, 4) < 0 ? -1 : 0; }
ACT(ports) { (void)p; (void)a; return iopl(3); }
ACT(port) { (void)p; (void)a; return ioperm(0x80, 1, 1); }
ACT(perf)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_CPU_CLOCK};
	int fd = (int)syscall(SYS_perf_event_open, &attr, a->number ? -1 : p->victim, a->number ? 0 : -1, -1, 0);

	return closing(fd, fd);
}
ACT(faults) { (void)p; (void)a; int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC); return closing(fd, fd); }
ACT(watch_mount)
{
	int fd = fanotify_init(FAN_CLASS_CONTENT, O_RDONLY);

	(void)p;
	(void)a;
	return closing(fd, fd);
}
ACT(ring_at_birth) { (void)p; (void)a; struct ring ring; return ring_open(&ring, 0); }
ACT(ring_polled) { (void)p; (void)a; struct ring ring; return ring_open(&ring, 2 /* IORING_SETUP_SQPOLL */); }
ACT(make_device) { return mknod(PATH_OF(p, "new"), (a->number ? S_IFBLK : S_IFCHR) | 0600, makedev(a->number ? 259 : 1, a->number ? 0 : 1)); }
ACT(write_device) { (void)p; int fd = open(a->argument, O_WRONLY | O_NONBLOCK | O_CLOEXEC); return closing(fd, fd); }
ACT(read_device)
{
	char bytes[512];
	int fd = open(a->argument, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	(void)p;
	return fd < 0 ? -1 : closing(fd, read(fd, bytes, sizeof(bytes)));
}
ACT(add_loop)
{
	int fd = open("/dev/loop-control", O_RDONLY | O_CLOEXEC);

	(void)p;
	return fd < 0 ? -1 : closing(fd, ioctl(fd, LOOP_CTL_ADD, a->number + (int)p->phase));
}
static uint64_t loops(const struct place *p, const struct attack *a)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/block/loop%d", a->number + (int)p->phase);
	return access(path, F_OK) == 0;
}
BEFORE(free_loop)
{
	FILE *pipe = popen("losetup -f", "re");

	(void)a;
	if (!pipe || fscanf(pipe, "%60s", p->text) != 1)
		return -1;
	pclose(pipe);
	return 0;
}
ACT(bind_loop)
{
	int file = open(PATH_OF(p, "f"), O_RDONLY | O_CLOEXEC);
	int fd = open(p->text, O_RDONLY | O_CLOEXEC);

	(void)a;
	return fd < 0 ? -1 : closing(fd, closing(file, ioctl(fd, LOOP_SET_FD, file)));
}
static uint64_t loop_is_bound(const struct place *p, const struct attack *a)
{
	char path[96];

	(void)a;
	snprintf(path, sizeof(path), "/sys/block/%.40s/loop/backing_file", p->text + 5);
	return access(path, F_OK) == 0;
}
AFTER(release_loop)
{
	int fd = open(p->text, O_RDONLY | O_CLOEXEC);

	(void)a;
	ioctl(fd, LOOP_CLR_FD, 0);
	close(fd);
}
ACT(request_key) /* the kernel starts /sbin/request-key for it */
{
	(void)a;
	(void)p;
	return syscall(SYS_request_key, "user", "debug:loop:proofgate", "callout", KEY_SPEC_PROCESS_KEYRING) < 0 ? -1 : 0;
}
static int bpf_call(int command, union bpf_attr *attr) { return (int)syscall(SYS_bpf, command, attr, sizeof(*attr)); }
ACT(bpf_new_map)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};
	int fd = bpf_call(BPF_MAP_CREATE, &attr);

	(void)p;
	(void)a;
	return closing(fd, fd);
}
ACT(bpf_new_program)
{
	struct bpf_insn code[] = {{.code = 0xb7}, {.code = 0x95}};
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insn_cnt = 2, .insns = (uint64_t)code, .license = (uint64_t) "GPL"};
	int fd = bpf_call(BPF_PROG_LOAD, &attr);

	(void)p;
	(void)a;
	return closing(fd, fd);
}

#define FILE_OF(name_, path, text) {.class = 5, .name = name_, .effect = STATE, .twin = FREE, .before = keep, .act = write_it, .state = content, .after = restore, .watch = path, .value = text}
#define ORDER(name_, path) {.class = 5, .name = name_, .effect = STATE, .twin = FREE, .act = create_it, .state = exists, .after = remove_it, .watch = path}
#define CALL(name_, path, type, text) {.class = 5, .name = name_, .effect = RETURNS, .twin = FREE, .act = call_service, .argument = path, .number = type, .value = text}
#define MOUNT(name_, make, how) {.class = 5, .name = name_, .effect = STATE, .twin = FREE, .before = make, .act = how, .state = mounts, .after = unmount_scene}
#define GET(name_, how) {.class = 5, .name = name_, .effect = RETURNS, .twin = FREE, .act = how}
#define GETN(name_, how, number_) {.class = 5, .name = name_, .effect = RETURNS, .twin = FREE, .act = how, .number = number_}
#define GETS(name_, how, text, number_) {.class = 5, .name = name_, .effect = RETURNS, .twin = FREE, .act = how, .argument = text, .number = number_}

const struct attack deputy_attacks[] = {
	FILE_OF("core_pattern", "/proc/sys/kernel/core_pattern", "|/srv/a/none/prog"),
	FILE_OF("modprobe path", "/proc/sys/kernel/modprobe", "/srv/a/none/prog"),
	FILE_OF("poweroff command", "/proc/sys/kernel/poweroff_cmd", "/srv/a/none/prog"),
	FILE_OF("sysctl of the network", "/proc/sys/net/ipv4/ip_forward", "1"),
	FILE_OF("sysctl of the memory", "/proc/sys/vm/overcommit_memory", "1"),
	FILE_OF("sysctl of ptrace", "/proc/sys/kernel/yama/ptrace_scope", "1"),
	FILE_OF("host name by sysctl", "/proc/sys/kernel/hostname", "changed"),
	FILE_OF("module parameter", "/sys/module/printk/parameters/time", "N"),
	FILE_OF("kernel tracing", "/sys/kernel/tracing/tracing_on", "0"),
	FILE_OF("block device queue", "/sys/block/nvme0n1/queue/nr_requests", "64"),
	{.class = 5, .name = "sysrq trigger", .effect = RETURNS, .twin = FREE, .act = write_it, .watch = "/proc/sysrq-trigger", .value = "s"},
	{.class = 5, .name = "uevent", .effect = RETURNS, .twin = FREE, .act = write_it, .watch = "/sys/class/mem/null/uevent", .value = "change"},
	ORDER("cron: system table", "/etc/cron.d/attack"),
	ORDER("cron: a user's table", "/var/spool/cron/crontabs/attack"),
	ORDER("systemd: unit", "/etc/systemd/system/attack.service"),
	ORDER("systemd: unit in /run", "/run/systemd/system/attack.service"),
	ORDER("udev: rule", "/etc/udev/rules.d/99-attack.rules"),
	ORDER("tmpfiles.d", "/etc/tmpfiles.d/attack.conf"),
	ORDER("modules-load.d", "/etc/modules-load.d/attack.conf"),
	ORDER("modprobe.d", "/etc/modprobe.d/attack.conf"),
	ORDER("ld.so.preload", "/etc/ld.so.preload"),
	ORDER("profile.d", "/etc/profile.d/attack.sh"),
	ORDER("authorized_keys", "/root/.ssh/authorized_keys"),
	ORDER("a new program in the path", "/usr/local/bin/attack-new"),
	ORDER("a new library", "/usr/lib/x86_64-linux-gnu/libattack.so"),
	ORDER("binfmt.d", "/etc/binfmt.d/attack.conf"),
	ORDER("a shell's start file", "/root/.bash_login"),
	{.class = 5, .name = "passwd", .effect = STATE, .twin = FREE, .before = keep, .act = append_it, .state = content, .after = restore, .watch = "/etc/passwd"},
	CALL("systemd's private socket", "/run/systemd/private", SOCK_STREAM, ""),
	CALL("the system bus", "/run/dbus/system_bus_socket", SOCK_STREAM, ""),
	CALL("systemd's notify socket", "/run/systemd/notify", SOCK_DGRAM, "STATUS=x"),
	CALL("the journal: syslog", "/run/systemd/journal/dev-log", SOCK_DGRAM, "<13>attack: x"),
	CALL("the journal: native", "/run/systemd/journal/socket", SOCK_DGRAM, "MESSAGE=x\n"),
	CALL("the journal: stdout", "/run/systemd/journal/stdout", SOCK_STREAM, ""),
	CALL("udev's control socket", "/run/udev/control", SOCK_SEQPACKET, ""),
	CALL("user database service", "/run/systemd/userdb/io.systemd.DynamicUser", SOCK_STREAM, ""),
	MOUNT("mount a tmpfs", NULL, mount_tmpfs),
	MOUNT("bind mount", NULL, mount_bind),
	MOUNT("move a mount", mounted_private, mount_move),
	MOUNT("remount", mounted, remount),
	MOUNT("change a mount's propagation", mounted, propagation),
	MOUNT("umount", mounted, unmount_it),
	MOUNT("fsopen, fsmount, move_mount", NULL, new_mount),
	MOUNT("attach a passed detached mount", pass_tree, attach_tree),
	MOUNT("mount_setattr", mounted, set_mount_attributes),
	GET("fsopen", open_file_system),
	{.class = 5, .name = "fspick", .effect = RETURNS, .twin = FREE, .before = mounted, .act = pick_file_system, .after = unmount_scene},
	GET("open_tree", clone_tree),
	GET("pivot_root", pivot),
	GET("chroot", change_root),
	GETN("unshare: mounts", new_namespaces, CLONE_NEWNS),
	GETN("unshare: users", new_namespaces, CLONE_NEWUSER),
	GETN("unshare: users and mounts", new_namespaces, CLONE_NEWUSER | CLONE_NEWNS),
	GETN("unshare: users and network", new_namespaces, CLONE_NEWUSER | CLONE_NEWNET),
	GETN("unshare: network", new_namespaces, CLONE_NEWNET),
	GETN("unshare: processes", new_namespaces, CLONE_NEWPID),
	GETN("unshare: IPC", new_namespaces, CLONE_NEWIPC),
	GETN("unshare: host name", new_namespaces, CLONE_NEWUTS),
	GETN("unshare: cgroups", new_namespaces, CLONE_NEWCGROUP),
	GETN("clone with a new user namespace", clone_namespaces, CLONE_NEWUSER),
	GETN("clone with new processes and mounts", clone_namespaces, CLONE_NEWPID | CLONE_NEWNS),
	GETS("setns: mounts of PID 1", join_namespace, "/proc/1/ns/mnt", CLONE_NEWNS),
	GETS("setns: network of PID 1", join_namespace, "/proc/1/ns/net", CLONE_NEWNET),
	{.class = 5, .name = "setns: a passed namespace", .effect = RETURNS, .twin = FREE, .before = pass_namespace, .act = join_passed, .argument = "/proc/1/ns/uts", .number = CLONE_NEWUTS},
	GET("mount in a user namespace of its own", user_then_mount),
	{.class = 5, .name = "sethostname", .effect = STATE, .twin = FREE, .act = set_host_name, .state = host_names, .after = restore_names},
	{.class = 5, .name = "setdomainname", .effect = STATE, .twin = FREE, .act = set_domain_name, .state = host_names, .after = restore_names},
	{.class = 5, .name = "clock_settime", .effect = STATE, .twin = FREE, .before = note_time, .act = set_time, .state = hour, .after = restore_time},
	{.class = 5, .name = "settimeofday", .effect = STATE, .twin = FREE, .before = note_time, .act = set_time_of_day, .state = hour, .after = restore_time},
	{.class = 5, .name = "adjtimex: an offset", .effect = STATE, .twin = FREE, .before = note_time, .act = step_time, .state = hour, .after = restore_time},
	GET("adjtimex: the tick", adjust_time),
	GET("RTC", set_rtc),
	GET("reboot()", reboot_off),
	GET("kexec_load", load_kernel),
	{.class = 5, .name = "finit_module", .effect = STATE, .twin = FREE, .before = find_module, .act = load_module_file, .state = module_is_loaded, .after = unload, .value = "dummy"},
	{.class = 5, .name = "delete_module", .effect = STATE, .twin = FREE, .before = load_first, .act = remove_module, .state = module_is_loaded, .after = unload, .value = "dummy"},
	{.class = 5, .name = "module by opening a device node", .effect = STATE, .twin = FREE, .before = pick_device, .act = open_device, .state = module_is_loaded, .after = unload, .argument = "/dev/vhost-vsock", .value = "vhost_vsock"},
	{.class = 5, .name = "swapon", .effect = STATE, .twin = FREE, .before = make_swap, .act = swap_on, .state = swaps, .after = stop_swap},
	{.class = 5, .name = "acct", .effect = STATE, .twin = FREE, .act = account, .state = g_grows, .after = stop_account},
	GET("quotactl: sync", quota),
	GET("syslog: clear", clear_log),
	GET("syslog: read", read_log),
	GET("syslog: console level", console_level),
	GET("iopl", ports),
	GET("ioperm", port),
	GETN("perf_event_open: another's process", perf, 0),
	GETN("perf_event_open: a CPU", perf, 1),
	GET("userfaultfd", faults),
	GET("fanotify that may refuse", watch_mount),
	GET("io_uring", ring_at_birth),
	GET("io_uring with a polling thread", ring_polled),
	GET("bpf: map", bpf_new_map),
	GET("bpf: program", bpf_new_program),
	{.class = 5, .name = "mknod: character device", .effect = SCENE, .twin = FREE, .act = make_device, .number = 0},
	{.class = 5, .name = "mknod: block device", .effect = SCENE, .twin = FREE, .act = make_device, .number = 1},
	GETS("disk, open for writing", write_device, "/dev/nvme0n1", 0),
	GETS("disk, read", read_device, "/dev/nvme0n1", 0),
	GETS("kernel memory", read_device, "/dev/mem", 0),
	GETS("kernel log device", write_device, "/dev/kmsg", 0),
	GETS("console memory", write_device, "/dev/vcs1", 0),
	GETS("console", write_device, "/dev/tty1", 0),
	GETS("serial console", write_device, "/dev/ttyS0", 0),
	GETS("FUSE device", write_device, "/dev/fuse", 0),
	GETS("network tunnel", write_device, "/dev/net/tun", 0),
	{.class = 5, .name = "loop device: add", .effect = STATE, .twin = FREE, .act = add_loop, .state = loops, .number = 40},
	{.class = 5, .name = "loop device: bind a file", .effect = STATE, .twin = FREE, .before = free_loop, .act = bind_loop, .state = loop_is_bound, .after = release_loop},
	GET("request_key", request_key),
	{0},
};
