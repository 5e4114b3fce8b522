/* gate.h: the decision core of the gate. Pure: reads its arguments, calls no
 * helper, so the same text runs in the hooks, in replay and in unit tests.
 *
 * One receipt covers one act, or does not and says why. Which receipts are
 * looked at is the business of the map look-ups in judge.h. */

#ifndef PROOFGATE_BPF_GATE_H_
#define PROOFGATE_BPF_GATE_H_

#include "wire.h"

enum { NEED_USE = 1, NEED_STANDING = 2, SEES_BINDINGS = 4 };

struct gate_act {
	__u64 exe;
	__u32 domain;
	__u32 kind;
	__u32 needs;	/* NEED_USE: one use will be taken; NEED_STANDING; SEES_BINDINGS: the
			 * caller compares what the receipt binds */
	__u32 distance; /* 0: the marked object itself; n: n directories below it */
	__u32 name_len; /* of the object's own name; 0 when it could not be read */
	__u32 epoch;	/* of the domain; receipts below it are dead */
	char name[NAME_BYTES];
};

/* Does a grant of this form on an object reach `distance` levels below it? */
static inline __u32 gate_reaches(__u32 form, const struct receipt_slot *receipt,
				 const struct gate_act *act)
{
	__u32 i;

	switch (form) {
	case FORM_FILE:
		return act->distance == 0;
	case FORM_DIR:
		return act->distance == 1;
	case FORM_TREE:
		return act->distance >= 1;
	case FORM_ADDRESS:
		return act->distance == 0;
	case FORM_NAMED:
		if (act->distance != 1 || act->name_len == 0 || act->name_len >= NAME_BYTES ||
		    act->name_len != receipt->name_len)
			return 0;
		for (i = 0; i < NAME_BYTES; i++) {
			if (i >= act->name_len)
				break;
			if (act->name[i] != receipt->name[i])
				return 0;
		}
		return 1;
	default:
		return 0;
	}
}

/* Is this receipt good for this act now? `now` is CLOCK_BOOTTIME in ns. */
static inline __u32 gate_decide(const struct receipt_slot *receipt, const struct gate_act *act,
				__u64 now)
{
	if (receipt->domain != act->domain || receipt->kind != act->kind)
		return GATE_NO_RECEIPT;
	if (receipt->state == SLOT_REVOKED)
		return GATE_REVOKED;
	if (receipt->state != SLOT_LIVE)
		return GATE_NO_RECEIPT;
	if (receipt->epoch < act->epoch)
		return GATE_REVOKED;
	if (receipt->exe != 0 && receipt->exe != act->exe)
		return GATE_EXE_MISMATCH;
	if ((act->needs & NEED_STANDING) && !(receipt->flags & RECEIPT_STANDING))
		return GATE_NEEDS_STANDING;
	if (now < receipt->not_before_boot_ns)
		return GATE_NOT_YET;
	if (now >= receipt->expires_boot_ns)
		return GATE_EXPIRED;
	if ((act->needs & NEED_USE) && receipt->used >= receipt->max_uses)
		return GATE_EXHAUSTED;
	if ((receipt->flags & RECEIPT_BOUND) && !(act->needs & SEES_BINDINGS))
		return GATE_BOUND;
	return GATE_OK;
}

/* Of two reasons for refusing, the one that tells a person more. */
static inline __u32 gate_nearer(__u32 a, __u32 b)
{
	if (a == GATE_OK)
		return b;
	if (b == GATE_OK)
		return a;
	return a > b ? a : b;
}

#endif /* PROOFGATE_BPF_GATE_H_ */
