/* net.h: connecting and sending. */

#ifndef PROOFGATE_BPF_NET_H_
#define PROOFGATE_BPF_NET_H_

#include "emit.h"

struct raw_address {
	__u16 family;
	__u16 port;
	__u8 rest[20]; /* IPv4: 4 bytes of address; IPv6: 4 of flow, 16 of address */
};

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

	if (length < 16 || bpf_probe_read_kernel(&raw, 8, address))
		return -1;
	family = raw.family;
	if (family == AF_UNSPEC) /* UDP takes it for its own family */
		family = sk->__sk_common.skc_family;
	act->address.proto = protocol_of(sk);
	act->address.port = raw.port;
	act->address_len = 16;
	if (family == AF_INET) {
		act->address.family = AF_INET;
		*(__u32 *)act->address.bytes = *(__u32 *)raw.rest;
		return 0;
	}
	if (family != AF_INET6 || length < 24 || bpf_probe_read_kernel(&raw, 24, address))
		return -1;
	set_v6(&act->address, raw.rest + 4);
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

/* One use: a connect or an unconnected send to act->address. */
static __always_inline int reach_address(struct act *act)
{
	act->gate.needs = NEED_USE;
	act->gate.distance = 0;
	act->window_object = *(__u32 *)act->address.bytes + ((__u64)act->address.port << 32);
	if (!judge_address(act))
		return deny(act, 0);
	return commit(act, 0);
}

static __always_inline int bind_socket(struct act *act, struct file *file)
{
	if (act->code != GATE_OK || !file)
		return 0;
	if (bind_opening(act, file)) {
		act->code = GATE_OPENINGS_FULL;
		return deny(act, 0);
	}
	return 0;
}

static __always_inline int net_socket(int family, int type, int protocol, int kernel)
{
	struct act act = {.op = OP_SOCKET, .gate.kind = KIND_CONNECT};
	struct label *label;
	enum scope scope;

	if (kernel)
		return 0;
	scope = subject(&act, &label);
	if (scope == UNGOVERNED)
		return 0;
	if (scope == GOVERNED) {
		type &= 0xf;
		if (family == AF_UNIX)
			return 0;
		if ((family == AF_INET || family == AF_INET6) &&
		    ((type == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP)) ||
		     (type == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP))))
			return 0;
		if (family == AF_NETLINK && protocol == 0)
			return 0;
		act.code = GATE_FAMILY_REFUSED;
	}
	act.detail = ((__u32)family << 16) | ((__u32)protocol & 0xffff);
	act.window_object = act.detail;
	return deny(&act, 0);
}

static __always_inline int net_connect(struct socket *socket, struct sockaddr *address, int length)
{
	struct act act = {.op = OP_CONNECT, .gate.kind = KIND_CONNECT};
	struct label *label;
	enum scope scope = subject(&act, &label);
	struct sock *sk;
	__u16 family;
	__u64 key;
	int denied;

	if (scope == UNGOVERNED)
		return 0;
	if (scope == UNKNOWN)
		return deny(&act, 0);
	sk = socket->sk;
	if (!sk)
		return deny(&act, 0);
	family = sk->__sk_common.skc_family;
	if (family == AF_UNIX || family == AF_NETLINK)
		return 0; /* unix_stream_connect and unix_may_send; netlink reaches the kernel only */
	act.detail = family;
	if (family != AF_INET && family != AF_INET6) {
		act.code = GATE_FAMILY_REFUSED;
		return deny(&act, 0);
	}
	if (address->sa_family == AF_UNSPEC) { /* dissolves the association */
		key = (__u64)socket->file;
		bpf_map_delete_elem(&openings, &key);
		return 0;
	}
	if (read_address(&act, sk, address, length)) {
		act.code = GATE_ADDRESS_UNREADABLE;
		return deny(&act, 0);
	}
	denied = reach_address(&act);
	if (denied)
		return denied;
	return bind_socket(&act, socket->file);
}

static __always_inline int net_send(struct socket *socket, struct msghdr *message)
{
	struct act act = {.op = OP_SEND, .gate.kind = KIND_CONNECT};
	struct label *label;
	enum scope scope = subject(&act, &label);
	struct opening *opening;
	struct sock *sk;
	__u16 family;
	__u64 key;
	int denied;

	if (scope == UNGOVERNED)
		return 0;
	if (scope == UNKNOWN)
		return deny(&act, 0);
	key = (__u64)socket->file;
	if (!key)
		return 0; /* a socket of the kernel's own */
	sk = socket->sk;
	if (!sk)
		return deny(&act, 0);
	family = sk->__sk_common.skc_family;
	opening = bpf_map_lookup_elem(&openings, &key);
	if (family != AF_INET && family != AF_INET6) {
		if (!opening || opening->slot == 0 || judge_opening(&act, opening))
			return 0;
		act.window_object = key;
		return deny(&act, 0);
	}
	if (message->msg_name && message->msg_namelen > 0 &&
	    (sk->sk_type != SOCK_STREAM || sk->__sk_common.skc_dport == 0)) {
		act.op = OP_SEND_TO;
		if (read_address(&act, sk, message->msg_name, message->msg_namelen)) {
			act.code = GATE_ADDRESS_UNREADABLE;
			return deny(&act, 0);
		}
		denied = reach_address(&act);
		if (denied || sk->sk_type != SOCK_STREAM)
			return denied;
		return bind_socket(&act, socket->file); /* Fast Open connects in a send */
	}
	if (opening && opening->domain == act.gate.domain && opening->slot == 0)
		return 0;
	if (opening && judge_opening(&act, opening))
		return 0;
	if (peer_address(&act, sk))
		return 0; /* not connected; the kernel will say so */
	denied = reach_address(&act);
	if (denied)
		return denied;
	return bind_socket(&act, socket->file);
}

static __always_inline int net_accept(struct socket *accepted)
{
	struct act act = {.op = OP_SOCKET, .gate.kind = KIND_CONNECT};
	struct label *label;
	enum scope scope = subject(&act, &label);
	struct file *file = accepted->file;

	if (scope == UNGOVERNED)
		return 0;
	if (scope == UNKNOWN)
		return deny(&act, 0);
	if (file && bind_opening(&act, file)) {
		act.code = GATE_OPENINGS_FULL;
		return deny(&act, 0);
	}
	return 0;
}

static __always_inline int unix_reach(struct act *act, struct sock *other)
{
	struct unix_sock *peer = bpf_skc_to_unix_sock(other);
	struct dentry *dentry;

	if (!peer)
		return deny(act, 0);
	dentry = peer->path.dentry;
	if (dentry) {
		act->gate.needs = NEED_USE;
		if (!judge_path(act, dentry))
			return deny(act, dentry);
		return commit(act, dentry);
	}
	if (!peer->addr) { /* the other half of a pair */
		act->gate.kind = KIND_WRITE;
		if (judge_class(act, CLASS_PIPE))
			return 0;
	}
	act->window_object = (__u64)other;
	return deny(act, 0);
}

static __always_inline int unix_connect(struct sock *sock, struct sock *other)
{
	struct act act = {.op = OP_UNIX_CONNECT, .gate.kind = KIND_CONNECT};
	struct label *label;
	enum scope scope = subject(&act, &label);
	struct socket *socket;
	int denied;

	if (scope == UNGOVERNED)
		return 0;
	if (scope == UNKNOWN)
		return deny(&act, 0);
	denied = unix_reach(&act, other);
	if (denied)
		return denied;
	socket = sock->sk_socket;
	return socket ? bind_socket(&act, socket->file) : 0;
}

static __always_inline int unix_send(struct socket *other)
{
	struct act act = {.op = OP_UNIX_SEND, .gate.kind = KIND_CONNECT};
	struct label *label;
	enum scope scope = subject(&act, &label);
	struct sock *sk;

	if (scope == UNGOVERNED)
		return 0;
	if (scope == UNKNOWN)
		return deny(&act, 0);
	sk = other->sk;
	if (!sk)
		return deny(&act, 0);
	return unix_reach(&act, sk);
}

#endif /* PROOFGATE_BPF_NET_H_ */
