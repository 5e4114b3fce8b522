/* address.h: the addresses that are asked for and that a socket has. */

#ifndef PROOFGATE_BPF_ADDRESS_H_
#define PROOFGATE_BPF_ADDRESS_H_

#include "judge.h"

struct raw_address {
	__u16 family;
	__u16 port;
	__u32 rest[5]; /* IPv4: the address; IPv6: the flow, four words of address */
};

/* How the kernel's copies of addresses and control messages are read: by typed
 * loads where a pointer may be cast (6.2 and later); else by probe reads; not at
 * all, and so refused, where lockdown "confidentiality" takes those away. The
 * agent sets it before load. */
enum { READ_PROBE = 0, READ_CAST = 1, READ_NONE = 2 };
const volatile __u32 kernel_reads = READ_PROBE;

extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym __weak;

/* `size`: 8 (IPv4) or 24. */
static __always_inline int copy_address(struct raw_address *raw, const void *address, __u32 size)
{
	struct sockaddr_in6 *from;

	if (kernel_reads == READ_NONE)
		return -1;
	if (kernel_reads == READ_PROBE)
		return bpf_probe_read_kernel(raw, size, address) ? -1 : 0;
	from = bpf_rdonly_cast(address, bpf_core_type_id_kernel(struct sockaddr_in6));
	raw->family = from->sin6_family;
	raw->port = from->sin6_port;
	raw->rest[0] = from->sin6_flowinfo;
	if (size == 8)
		return 0;
	raw->rest[1] = from->sin6_addr.in6_u.u6_addr32[0];
	raw->rest[2] = from->sin6_addr.in6_u.u6_addr32[1];
	raw->rest[3] = from->sin6_addr.in6_u.u6_addr32[2];
	raw->rest[4] = from->sin6_addr.in6_u.u6_addr32[3];
	return 0;
}

static __always_inline void set_v6(struct address *to, const __u8 *bytes)
{
	const __u32 *words = (const __u32 *)bytes;
	__u32 *out = (__u32 *)to->bytes;

	if (words[0] == 0 && words[1] == 0 && words[2] == __builtin_bswap32(0xffff)) {
		to->family = AF_INET;
		out[0] = words[3];
		out[1] = 0;
		out[2] = 0;
		out[3] = 0;
		return;
	}
	to->family = AF_INET6;
	out[0] = words[0];
	out[1] = words[1];
	out[2] = words[2];
	out[3] = words[3];
}

static __always_inline __u8 protocol_of(struct sock *sk)
{
	return sk->sk_type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
}

/* Reads the kernel's copy of an inet address. */
static __always_inline int read_address(struct act *act, struct sock *sk, const void *address,
					int length)
{
	struct raw_address raw = {};
	__u16 family;

	if (length < 16 || copy_address(&raw, address, 8))
		return -1;
	family = raw.family;
	/* IPv4's UDP takes it for its own; IPv6's sends to the peer instead, see net_through. */
	if (family == AF_UNSPEC && sk->__sk_common.skc_family == AF_INET)
		family = AF_INET;
	act->address.proto = protocol_of(sk);
	act->address.port = raw.port;
	act->address_len = 16;
	if (family == AF_INET) {
		act->address.family = AF_INET;
		*(__u32 *)act->address.bytes = raw.rest[0];
		return 0;
	}
	if (family != AF_INET6 || length < 24 || copy_address(&raw, address, 24))
		return -1;
	set_v6(&act->address, (const __u8 *)&raw.rest[1]);
	return 0;
}

static __always_inline int peer_address(struct act *act, struct sock *sk)
{
	__u8 bytes[16];
	__u32 *words = (__u32 *)bytes;

	act->address.proto = protocol_of(sk);
	act->address.port = sk->__sk_common.skc_dport;
	act->address_len = 16;
	if (act->address.port == 0)
		return -1;
	if (sk->__sk_common.skc_family == AF_INET) {
		act->address.family = AF_INET;
		*(__u32 *)act->address.bytes = sk->__sk_common.skc_daddr;
		return 0;
	}
	words[0] = sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[0];
	words[1] = sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[1];
	words[2] = sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[2];
	words[3] = sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[3];
	set_v6(&act->address, bytes);
	return 0;
}

/* The address that a socket is bound to. */
static __always_inline void local_address(struct act *act, struct sock *sk)
{
	__u8 bytes[16];
	__u32 *words = (__u32 *)bytes;

	act->address.proto = protocol_of(sk);
	act->address.port = __builtin_bswap16(sk->__sk_common.skc_num);
	act->address_len = 16;
	if (sk->__sk_common.skc_family == AF_INET) {
		act->address.family = AF_INET;
		*(__u32 *)act->address.bytes = sk->__sk_common.skc_rcv_saddr;
		return;
	}
	words[0] = sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[0];
	words[1] = sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[1];
	words[2] = sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[2];
	words[3] = sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[3];
	set_v6(&act->address, bytes);
}

static __always_inline int same_host(const struct address *a, const struct address *b)
{
	const __u32 *left = (const __u32 *)a->bytes;
	const __u32 *right = (const __u32 *)b->bytes;

	return a->family == b->family && a->proto == b->proto && left[0] == right[0] &&
	       left[1] == right[1] && left[2] == right[2] && left[3] == right[3];
}

/* Is an opening about what the socket is tied to now? The kernel may refuse a
 * connect or bind that the gate has passed, and the socket stays what it was. A
 * port of 0 was given by a receipt for any. AF_UNIX: connecting cannot fail once
 * the gate has passed it, and a name says nothing of the peer. */
static __always_inline int is_about(struct act *act, struct opening *opening, struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	if (opening->came_in)
		return 1;
	if (family != AF_INET && family != AF_INET6)
		return opening->kind == KIND_CONNECT;
	if (opening->kind == KIND_BIND) {
		local_address(act, sk);
		return same_host(&act->address, &opening->address) &&
		       (!opening->address.port || opening->address.port == act->address.port);
	}
	return !peer_address(act, sk) && same_host(&act->address, &opening->address) &&
	       opening->address.port == act->address.port;
}

#endif /* PROOFGATE_BPF_ADDRESS_H_ */
