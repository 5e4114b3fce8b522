/* tamper: what root outside governed cgroups could do to the gate's tables, and
 * how tests fill them.
 *
 *   forget-cgroup ID    takes a cgroup out of the table of governed ones
 *   set-daemon PID      names another process the daemon
 *   more-uses           gives each live receipt for one use a thousand
 *   fill MAP            fills a table with rows that mean nothing; prints how many
 *   drain MAP           takes those rows out again */

#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/wire.h"

static long bpf(int command, union bpf_attr *attributes)
{
	return syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static int open_map(const char *name)
{
	char path[128];
	union bpf_attr attributes = {0};
	int fd;

	snprintf(path, sizeof(path), "/run/proofgate/bpf/maps/%s", name);
	attributes.pathname = (uintptr_t)path;
	fd = (int)bpf(BPF_OBJ_GET, &attributes);
	if (fd < 0) {
		perror(path);
		exit(1);
	}
	return fd;
}

static long element(int command, int map, const void *key, void *value)
{
	union bpf_attr attributes = {0};

	attributes.map_fd = (uint32_t)map;
	attributes.key = (uintptr_t)key;
	attributes.value = (uintptr_t)value;
	return bpf(command, &attributes);
}

static struct bpf_map_info info_of(int map)
{
	struct bpf_map_info info = {0};
	union bpf_attr attributes = {0};

	attributes.info.bpf_fd = (uint32_t)map;
	attributes.info.info_len = sizeof(info);
	attributes.info.info = (uintptr_t)&info;
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes)) {
		perror("map info");
		exit(1);
	}
	return info;
}

/* Keys that nothing has: the last domain, a high object or address. */
static void make_key(const char *name, unsigned char *key, uint32_t size, uint32_t number)
{
	memset(key, 0, size);
	if (!strcmp(name, "addresses")) {
		struct address_key *address = (void *)key;
		address->prefix_bits = 192;
		address->domain = MAX_DOMAINS - 1;
		address->address.family = 10;
		memcpy(address->address.bytes + 12, &number, sizeof(number));
		address->address.bytes[0] = 0xee;
		return;
	}
	memcpy(key, &number, sizeof(number));
	key[7] = 0xee;
	if (!strcmp(name, "grants"))
		((struct grant_key *)key)->domain = MAX_DOMAINS - 1;
}

static int each_key(const char *name, int command)
{
	int map = open_map(name);
	struct bpf_map_info info = info_of(map);
	unsigned char key[64];
	unsigned char *value = calloc(1, info.value_size);
	uint32_t number;

	for (number = 0; number < info.max_entries; number++) {
		long failed;

		make_key(name, key, info.key_size, number);
		/* The kernel refuses to delete with a value, and fetches memory for
		 * rows that are not allocated beforehand a little behind. */
		do {
			failed = element(command, map, key, command == BPF_MAP_UPDATE_ELEM ? value : NULL);
		} while (failed && errno == ENOMEM && sched_yield() == 0);
		if (failed && command == BPF_MAP_UPDATE_ELEM)
			break;
	}
	if (command == BPF_MAP_UPDATE_ELEM && number < info.max_entries && errno != E2BIG && errno != ENOSPC) {
		perror(name);
		return 1;
	}
	if (command == BPF_MAP_UPDATE_ELEM)
		printf("%s: %u of %u rows\n", name, number, info.max_entries);
	return 0;
}

/* The rows that are looked at first: taken in the name of nobody, or given back. */
static void take_rows(const char *name, int take)
{
	int map = open_map(name);
	struct bpf_map_info info = info_of(map);
	uint64_t *value = calloc(1, info.value_size);
	const uint64_t nobody = 2;

	for (uint32_t row = 0; row < info.max_entries; row++) {
		if (element(BPF_MAP_LOOKUP_ELEM, map, &row, value) || *value != (take ? 0 : nobody))
			continue;
		*value = take ? nobody : 0;
		element(BPF_MAP_UPDATE_ELEM, map, &row, value);
	}
}

static int each_row(const char *name, int command)
{
	if (!strcmp(name, "labels")) take_rows("label_rows", command == BPF_MAP_UPDATE_ELEM);
	if (!strcmp(name, "openings")) take_rows("opening_rows", command == BPF_MAP_UPDATE_ELEM);
	return each_key(name, command);
}

static int forget_cgroup(uint64_t id)
{
	return element(BPF_MAP_DELETE_ELEM, open_map("governed_cgroups"), &id, NULL) ? 1 : 0;
}

static int set_daemon(uint32_t pid)
{
	int map = open_map("settings");
	struct gate_settings settings;
	uint32_t zero = 0;

	if (element(BPF_MAP_LOOKUP_ELEM, map, &zero, &settings))
		return 1;
	settings.daemon_tgid = pid;
	return element(BPF_MAP_UPDATE_ELEM, map, &zero, &settings) ? 1 : 0;
}

static int more_uses(void)
{
	int map = open_map("receipts");
	int changed = 0;

	for (uint32_t slot = 1; slot < MAX_RECEIPTS; slot++) {
		struct receipt_slot receipt;

		if (element(BPF_MAP_LOOKUP_ELEM, map, &slot, &receipt))
			return 1;
		if (receipt.state != SLOT_LIVE || receipt.max_uses != 1)
			continue;
		receipt.max_uses = 1000;
		changed += element(BPF_MAP_UPDATE_ELEM, map, &slot, &receipt) == 0;
	}
	return changed ? 0 : 1;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 3 && !strcmp(what, "forget-cgroup")) return forget_cgroup(strtoull(argv[2], NULL, 10));
	if (argc == 3 && !strcmp(what, "set-daemon")) return set_daemon((uint32_t)atoi(argv[2]));
	if (argc == 2 && !strcmp(what, "more-uses")) return more_uses();
	if (argc == 3 && !strcmp(what, "fill")) return each_row(argv[2], BPF_MAP_UPDATE_ELEM);
	if (argc == 3 && !strcmp(what, "drain")) return each_row(argv[2], BPF_MAP_DELETE_ELEM);
	fprintf(stderr, "tamper: unknown '%s'\n", what);
	return 2;
}
