/* maps.h: every map, with who writes it, who reads it, its capacity and what
 * happens when it is full. All are pinned in our own bpffs. */

#ifndef PROOFGATE_BPF_MAPS_H_
#define PROOFGATE_BPF_MAPS_H_

#include <bpf/bpf_helpers.h>

#include "wire.h"

/* Labels, by the number of the task's address. One whose row in label_rows, the
 * hash of that number, was free is there; the others are in `labels`. Written by
 * task_alloc, css_set_move_task and the iterators. Preallocated. Full: the fork
 * is refused. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << PRESENCE_BITS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct label);
} label_rows SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_LABELS);
	__type(key, __u64);
	__type(value, struct label);
} labels SEC(".maps");

/* cgroup id → domain. Written by the agent at attach and detach. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u32);
} governed_cgroups SEC(".maps");

/* Name of a cgroup's path → domain of the cgroups that will have it. Written by
 * the agent only. Full: the canon is not applied. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_NAMED_CGROUPS);
	__type(key, __u64);
	__type(value, __u32);
} named_cgroups SEC(".maps");

/* Inode → object number. Written by the agent through an fd, and by exec for
 * the program being run. Goes with the inode. Allocation failure: no grant. */
struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct mark);
} marks SEC(".maps");

/* (object, domain, kind) → receipts that name it. Written by the agent only.
 * Full: the receipt is not installed. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct grant_key);
	__type(value, struct grant_list);
} grants SEC(".maps");

/* Longest prefix → receipts; each node carries those of the shorter prefixes
 * too. Written by the agent only. Full: the receipt is not installed. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct address_key);
	__type(value, struct grant_list);
} addresses SEC(".maps");

/* Receipts by slot. The agent writes through a mapping; the hooks count. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_RECEIPTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct receipt_slot);
} receipts SEC(".maps");

/* How the programs of bound exec receipts must run, by receipt_slot.binding. As
 * receipts. Full: the receipt is not issued. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_BINDINGS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct exec_binding);
} bindings SEC(".maps");

/* Domain number → mode and counters. As receipts. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_DOMAINS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct domain_state);
} domains SEC(".maps");

/* One row each, in sections of their own so that programs read them without a
 * look-up. The agent maps them; `presence` is written by the hooks with each row
 * of labels and openings, and `whole` by the agent when both began together. */
struct gate_settings settings SEC(".data.settings");
struct gate_presence presence SEC(".data.presence");

/* By domain. Written by the agent through a mapping, read by every judgement. */
struct gate_epochs epochs SEC(".data.epochs");

/* The receipts that files were opened under, by the number of the file's address,
 * in two parts like labels. Written by the hooks, removed by file_free_security.
 * Preallocated. Full: the opening is refused. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << PRESENCE_BITS);
	__type(key, __u32);
	__type(value, struct opening);
} opening_rows SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_OPENINGS);
	__type(key, __u64);
	__type(value, struct opening);
} openings SEC(".maps");

/* First denial of a kind in a window gets a full record. Least recently used
 * rows are replaced; exact counts are in `domains`. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct denial_key);
	__type(value, struct denial_window);
} denial_windows SEC(".maps");

/* One ring a domain, so that no domain's flood denies another's acts. Created
 * by the agent when the domain comes into force. Full: listed acts are refused. */
struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, MAX_DOMAINS);
	__uint(key_size, sizeof(__u32));
	__array(values, struct ring);
} rings SEC(".maps");

#endif /* PROOFGATE_BPF_MAPS_H_ */
