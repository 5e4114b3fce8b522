// SPDX-License-Identifier: GPL-2.0
/* core.bpf.c: the gate's decision for BPF_PROG_TEST_RUN, which LSM programs do
 * not have. Attached to nothing; what runs is the text of gate.h and judge.h. */

#include "../bpf/kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "../bpf/judge.h"

char LICENSE[] SEC("license") = "GPL";

/* What the runner sets: the act, and the object it is done to. */
const volatile __u64 task = 1;
const volatile __u64 object = FIRST_OBJECT;
const volatile __u32 domain = 1;

/* What any program costs. */
SEC("tc")
int core_empty(struct __sk_buff *packet)
{
	return 0;
}

/* gate_decide on one receipt: what an act through an opening comes to. */
SEC("tc")
int core_decide(struct __sk_buff *packet)
{
	struct gate_act act = {.domain = domain, .kind = KIND_WRITE, .needs = NEED_USE};
	__u32 slot = 1;
	struct receipt_slot *receipt = bpf_map_lookup_elem(&receipts, &slot);

	if (!receipt)
		return refuse();
	return (int)gate_decide(receipt, &act, bpf_ktime_get_boot_ns());
}

/* Label, grants, receipt: a whole decision on a marked object. */
SEC("tc")
int core_judge(struct __sk_buff *packet)
{
	struct act act = {.op = OP_OPEN_WRITE, .gate.kind = KIND_WRITE, .gate.needs = NEED_USE};
	__u64 key = task;
	struct label *label = bpf_map_lookup_elem(&labels, &key);

	if (!label)
		return refuse();
	act.gate.domain = label->domain;
	act.gate.exe = label->exe;
	act.now = bpf_ktime_get_boot_ns();
	if (!judge_object(&act, object))
		return act.code ? (int)act.code : GATE_NO_RECEIPT;
	return GATE_OK;
}

/* The same for a task without a label. */
SEC("tc")
int core_ungoverned(struct __sk_buff *packet)
{
	__u64 key = task + 1;

	return bpf_map_lookup_elem(&labels, &key) ? refuse() : 0;
}
