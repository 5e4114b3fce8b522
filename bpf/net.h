/* net.h: connecting, sending, binding, listening, accepting. */

#ifndef PROOFGATE_BPF_NET_H_
#define PROOFGATE_BPF_NET_H_

#include "emit.h"
#include "address.h"

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

/* Does the opening of a socket cover its use? `made` tells whether all of it is
 * of one piece, as another thread may be connecting the same socket. */
static __always_inline int socket_holds(struct act *act, struct opening *opening, struct sock *sk,
					__u64 file, int counts)
{
	struct receipt_slot *receipt;
	__u64 made;

	if (!opening)
		return 0;
	made = opening->made;
	barrier();
	if (!is_about(act, opening, sk))
		return 0;
	receipt = opening_holds(act, opening, file);
	barrier();
	if (!receipt || opening->made != made)
		return 0;
	if (counts && !opening->of_class)
		__sync_fetch_and_add(&receipt->checked, 1);
	return 1;
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

/* To the audit system: what is said there needs capabilities, which are judged
 * one by one; without the one to write, nothing can be. */
static __always_inline int may_audit(struct act *act, int family, int protocol)
{
	__u32 kind = act->gate.kind;
	int covered;

	if (family != AF_NETLINK || protocol != NETLINK_AUDIT)
		return 0;
	act->gate.kind = KIND_CAPABILITY;
	covered = judge_class(act, FIRST_CAPABILITY + CAP_AUDIT_WRITE);
	act->gate.kind = kind;
	return covered;
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
		if (may_audit(&act, family, protocol))
			return 0;
		act.code = GATE_FAMILY_REFUSED;
	}
	act.detail = ((__u32)family << 16) | ((__u32)protocol & 0xffff);
	act.window_object = act.detail;
	return deny(&act, 0);
}

/* The other end of an AF_UNIX connection or send. `established`: the socket came
 * connected from elsewhere; then an unnamed end is that of a client or a pair. */
static __always_inline int unix_reach(struct act *act, struct sock *other, int established)
{
	struct unix_sock *peer = bpf_skc_to_unix_sock(other);
	struct dentry *dentry;

	act->window_object = (__u64)other;
	if (!peer)
		return deny(act, 0);
	dentry = peer->path.dentry;
	if (dentry) {
		act->gate.needs = NEED_USE;
		if (!judge_path(act, dentry))
			return deny(act, dentry);
		return commit(act, dentry);
	}
	if (peer->addr) {
		if (judge_class(act, CLASS_ABSTRACT))
			return 0;
	} else if (established) { /* the other half of a pair */
		act->gate.kind = KIND_WRITE;
		if (judge_class(act, CLASS_PIPE))
			return 0;
	}
	act->window_object = (__u64)other;
	return deny(act, 0);
}

/* Sending through an AF_UNIX socket for which there is no live opening: one that
 * was inherited or passed, connected elsewhere, is judged by its peer now. */
static __always_inline int unix_through(struct act *act, struct sock *sk, struct file *file)
{
	struct unix_sock *self;
	struct sock *peer;
	int denied;

	if (sk->sk_type == SOCK_DGRAM)
		return 0; /* unix_may_send judges each */
	self = bpf_skc_to_unix_sock(sk);
	if (!self)
		return deny(act, 0);
	peer = self->peer;
	if (!PRESENT(peer))
		return 0; /* not connected; the kernel will say so */
	act->op = OP_UNIX_SEND;
	denied = unix_reach(act, peer, 1);
	if (denied)
		return denied;
	/* A class has no slot: nothing to remember, and the look-up is cheap. */
	return act->slot ? bind_socket(act, file) : 0;
}

struct control {
	__u64 length; /* of a cmsghdr with what follows */
	__u32 level;
	__u32 type;
};

enum { MAX_CONTROLS = 8 };

static __always_inline int copy_control(struct control *control, const void *at)
{
	struct cmsghdr *from;

	if (kernel_reads == READ_NONE)
		return -1;
	if (kernel_reads == READ_PROBE)
		return bpf_probe_read_kernel(control, sizeof(*control), at) ? -1 : 0;
	from = bpf_rdonly_cast(at, bpf_core_type_id_kernel(struct cmsghdr));
	control->length = from->cmsg_len;
	control->level = from->cmsg_level;
	control->type = from->cmsg_type;
	return 0;
}

/* Ancillary data of a send: what is known not to change where it goes. */
static __always_inline int controls_are_harmless(struct msghdr *message)
{
	__u64 left = message->msg_controllen;
	const void *at = message->msg_control;
	struct control control;
	__u32 i = 0;

	if (left == 0)
		return 1;
	do {
		if (left < sizeof(control))
			return 1;
		if (copy_control(&control, at))
			return 0;
		if (control.length < sizeof(control) || control.length > left)
			return 1; /* the kernel refuses it */
		if (control.level == IPPROTO_IP) {
			/* IP_TOS, IP_TTL, IP_PKTINFO */
			if (control.type != 1 && control.type != 2 && control.type != 8)
				return 0;
		} else if (control.level == IPPROTO_IPV6) {
			/* PKTINFO, HOPLIMIT, TCLASS, DONTFRAG, FLOWINFO, and two old ones */
			if (control.type != 50 && control.type != 52 && control.type != 67 &&
			    control.type != 62 && control.type != 11 && control.type != 2 &&
			    control.type != 8)
				return 0;
		} else if (control.level != SOL_SOCKET && control.level != IPPROTO_UDP) {
			return 0;
		}
		control.length = (control.length + 7) & ~7ull;
		if (control.length >= left)
			return 1;
		left -= control.length;
		at += control.length;
		i++;
		barrier_var(i);
	} while (i < MAX_CONTROLS);
	return 0;
}

/* A send through a socket. `message`: from socket_sendmsg, which counts; none:
 * from file_permission, which 6.1's sendfile and splice reach alone. */
static __always_inline int net_through(struct act *act, struct socket *socket, struct file *file,
				       struct msghdr *message)
{
	__u64 key = address_number(file);
	struct opening *opening;
	struct sock *sk = socket->sk;
	__u16 family;
	int denied;

	if (!sk)
		return deny(act, 0);
	family = sk->__sk_common.skc_family;
	act->detail = family;
	opening = opening_of(key);
	if (family == AF_UNIX) {
		if (socket_holds(act, opening, sk, key, !!message))
			return 0;
		return unix_through(act, sk, file);
	}
	if (family == AF_NETLINK && sk->sk_protocol == 0)
		return 0; /* reaches the kernel only, and what it may change needs NET_ADMIN */
	if (may_audit(act, family, sk->sk_protocol))
		return 0;
	if ((family != AF_INET && family != AF_INET6) ||
	    (sk->sk_type != SOCK_STREAM && sk->sk_type != SOCK_DGRAM) ||
	    (sk->sk_protocol != IPPROTO_TCP && sk->sk_protocol != IPPROTO_UDP)) {
		act->code = GATE_FAMILY_REFUSED;
		act->window_object = act->detail;
		return deny(act, 0);
	}
	if (message && !controls_are_harmless(message)) {
		act->code = GATE_NEVER_GOVERNED;
		act->window_object = key;
		return deny(act, 0);
	}
	if (message && message->msg_name && message->msg_namelen > 0 &&
	    (sk->sk_type != SOCK_STREAM || sk->__sk_common.skc_dport == 0)) {
		act->op = OP_SEND_TO;
		if (read_address(act, sk, message->msg_name, message->msg_namelen)) {
			act->code = GATE_ADDRESS_UNREADABLE;
			return deny(act, 0);
		}
		denied = reach_address(act);
		if (denied || sk->sk_type != SOCK_STREAM)
			return denied;
		return bind_socket(act, file); /* Fast Open connects in a send */
	}
	if (socket_holds(act, opening, sk, key, !!message))
		return 0;
	if (peer_address(act, sk))
		return 0; /* not connected; the kernel will say so */
	denied = reach_address(act);
	if (denied)
		return denied;
	return bind_socket(act, file);
}

static __always_inline int net_send(struct socket *socket, struct msghdr *message)
{
	struct act act = {.op = OP_SEND, .gate.kind = KIND_CONNECT};
	struct label *label;
	enum scope scope = subject(&act, &label);
	struct file *file = socket->file;

	if (scope == UNGOVERNED)
		return 0;
	if (scope == UNKNOWN)
		return deny(&act, 0);
	if (!PRESENT(file))
		return 0; /* a socket of the kernel's own */
	return net_through(&act, socket, file, message);
}

/* write(2), sendfile(2) and splice(2) to a socket. */
static __always_inline int net_write(struct file *file)
{
	struct act act = {.op = OP_SEND, .gate.kind = KIND_CONNECT};
	struct label *label;
	enum scope scope = subject(&act, &label);
	struct socket *socket;

	if (scope == UNGOVERNED)
		return 0;
	socket = bpf_sock_from_file(file);
	if (scope == UNKNOWN || !socket)
		return deny(&act, 0);
	return net_through(&act, socket, file, 0);
}

static __always_inline int net_bind(struct socket *socket, struct sockaddr *address, int length)
{
	struct act act = {.op = OP_BIND, .gate.kind = KIND_BIND};
	struct label *label;
	enum scope scope = subject(&act, &label);
	struct sock *sk;
	__u16 family;
	int denied;

	if (scope == UNGOVERNED)
		return 0;
	sk = socket->sk;
	if (scope == UNKNOWN || !sk)
		return deny(&act, 0);
	family = sk->__sk_common.skc_family;
	act.detail = family;
	if (family == AF_NETLINK)
		return 0; /* its port number; groups need NET_ADMIN */
	if (family == AF_UNIX) {
		/* A name in the file system is made by inode_mknod, a write. */
		if (length > 2 && address->sa_data[0])
			return 0;
		if (judge_class(&act, CLASS_ABSTRACT))
			return 0;
		return deny(&act, 0);
	}
	if (family != AF_INET && family != AF_INET6) {
		act.code = GATE_FAMILY_REFUSED;
		return deny(&act, 0);
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

/* Was it made in this domain? One that came from elsewhere is somebody else's. */
static __noinline int is_own_socket(struct sock *sk, __u32 domain)
{
	struct cgroup *cgroup = sk->sk_cgrp_data.cgroup;

	return cgroup && domain_of_cgroup(cgroup) == domain;
}

/* Is a listener still covered? One that was bound elsewhere, or not at all, is
 * judged by the address it has now. */
static __always_inline int listener_holds(struct act *act, struct socket *socket)
{
	__u64 key = address_number(socket->file);
	struct opening *opening = opening_of(key);
	struct sock *sk = socket->sk;
	int denied;

	if (!sk)
		return deny(act, 0);
	act->gate.kind = KIND_BIND;
	if (opening && opening->kind == KIND_BIND && !opening->came_in &&
	    socket_holds(act, opening, sk, key, 1))
		return 0;
	local_address(act, sk);
	denied = reach_address(act);
	if (denied)
		return denied;
	return bind_socket(act, socket->file);
}

/* The same of an AF_UNIX listener, by its name: the use was taken when bind made
 * it, or is taken now from who has it from elsewhere. */
static __always_inline int unix_listener_holds(struct act *act, struct socket *socket)
{
	__u64 key = address_number(socket->file);
	struct opening *opening = opening_of(key);
	struct sock *sk = socket->sk;
	struct unix_sock *self;
	struct dentry *dentry;
	int denied;

	if (!sk)
		return deny(act, 0);
	self = bpf_skc_to_unix_sock(sk);
	if (!self)
		return deny(act, 0);
	dentry = self->path.dentry;
	act->window_object = (__u64)sk;
	if (!dentry) {
		act->gate.kind = KIND_BIND;
		if (!self->addr || judge_class(act, CLASS_ABSTRACT))
			return 0; /* without any name: the kernel refuses it */
		return deny(act, 0);
	}
	act->gate.kind = KIND_WRITE;
	if (opening && opening->kind == KIND_WRITE && !opening->came_in &&
	    judge_opening(act, opening, key))
		return 0;
	if (is_own_socket(sk, act->gate.domain)) {
		if (judge_path(act, dentry))
			return 0;
		return deny(act, dentry);
	}
	act->gate.needs = NEED_USE;
	if (!judge_path(act, dentry))
		return deny(act, dentry);
	denied = commit(act, dentry);
	if (denied)
		return denied;
	return bind_socket(act, socket->file);
}

static __always_inline int net_listen(struct socket *socket)
{
	struct act act = {.op = OP_LISTEN, .gate.kind = KIND_BIND};
	struct label *label;
	enum scope scope = subject(&act, &label);
	struct sock *sk;
	__u16 family;

	if (scope == UNGOVERNED)
		return 0;
	sk = socket->sk;
	if (scope == UNKNOWN || !sk)
		return deny(&act, 0);
	family = sk->__sk_common.skc_family;
	if (family == AF_UNIX)
		return unix_listener_holds(&act, socket);
	if (family != AF_INET && family != AF_INET6) {
		act.code = GATE_FAMILY_REFUSED;
		return deny(&act, 0);
	}
	return listener_holds(&act, socket);
}

/* What came in may be answered while the listener's receipt is live. */
static __always_inline int net_accept(struct socket *socket, struct socket *accepted)
{
	struct act act = {.op = OP_ACCEPT, .gate.kind = KIND_BIND};
	struct label *label;
	enum scope scope = subject(&act, &label);
	struct file *file = accepted->file;
	struct opening opening;
	struct sock *sk;
	__u16 family;
	int denied;

	if (scope == UNGOVERNED)
		return 0;
	sk = socket->sk;
	if (scope == UNKNOWN || !sk)
		return deny(&act, 0);
	family = sk->__sk_common.skc_family;
	if (family == AF_UNIX) {
		denied = unix_listener_holds(&act, socket);
	} else if (family == AF_INET || family == AF_INET6) {
		denied = listener_holds(&act, socket);
	} else {
		act.code = GATE_FAMILY_REFUSED;
		return deny(&act, 0);
	}
	if (denied || act.code != GATE_OK || !PRESENT(file))
		return denied;
	opening = opening_under(&act, file);
	opening.came_in = 1;
	if (put_opening(&opening)) {
		act.code = GATE_OPENINGS_FULL;
		return deny(&act, 0);
	}
	return 0;
}

/* Changing a socket that came from elsewhere, without sending: options, its end,
 * its association. Judged as use of what it is tied to. */
static __noinline int foreign_use(struct act *act, struct socket *socket)
{
	struct file *file = socket->file;
	struct sock *sk = socket->sk;
	__u64 key = address_number(file);
	struct opening *opening;
	struct unix_sock *self;
	__u16 family;

	if (!sk || !PRESENT(file))
		return 0; /* gone, or the kernel's own */
	if (is_own_socket(sk, act->gate.domain))
		return 0;
	opening = opening_of(key);
	if (opening && opening->domain == act->gate.domain && is_about(act, opening, sk))
		return 0;
	family = sk->__sk_common.skc_family;
	if (family == AF_UNIX) {
		self = bpf_skc_to_unix_sock(sk);
		if (!self)
			return deny(act, 0);
		if (!PRESENT(self->peer))
			return unix_listener_holds(act, socket);
	} else if (family == AF_INET || family == AF_INET6) {
		if (sk->__sk_common.skc_state == TCP_LISTEN ||
		    (sk->__sk_common.skc_dport == 0 && sk->__sk_common.skc_num != 0))
			return listener_holds(act, socket);
	}
	return net_through(act, socket, file, 0);
}

static __always_inline int net_connect(struct socket *socket, struct sockaddr *address, int length)
{
	struct act act = {.op = OP_CONNECT, .gate.kind = KIND_CONNECT};
	struct label *label;
	enum scope scope = subject(&act, &label);
	struct sock *sk;
	__u16 family;
	int denied;

	if (scope == UNGOVERNED)
		return 0;
	if (scope == UNKNOWN)
		return deny(&act, 0);
	sk = socket->sk;
	if (!sk)
		return deny(&act, 0);
	family = sk->__sk_common.skc_family;
	act.detail = family;
	if (address->sa_family == AF_UNSPEC) { /* dissolves the association */
		denied = foreign_use(&act, socket);
		if (denied)
			return denied;
		drop_opening(socket->file);
		return 0;
	}
	if (family == AF_UNIX || family == AF_NETLINK)
		return 0; /* unix_stream_connect and unix_may_send; netlink reaches the kernel only */
	if (family != AF_INET && family != AF_INET6) {
		act.code = GATE_FAMILY_REFUSED;
		return deny(&act, 0);
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

/* Source routes, and memberships, which the kernel announces to a group of the
 * caller's choice. The numbers are those of linux/in.h and linux/in6.h. */
static __always_inline int sends_elsewhere(int level, int option)
{
	if (level == IPPROTO_IP)
		return option == IP_OPTIONS || option == 35 /* ADD_MEMBERSHIP */ ||
		       option == 39 /* ADD_SOURCE_MEMBERSHIP */ || option == 42 /* JOIN_GROUP */ ||
		       option == 46 /* JOIN_SOURCE_GROUP */ || option == 48 /* MSFILTER */ ||
		       option == 41 /* IP_MSFILTER */;
	if (level == IPPROTO_IPV6)
		return option == IPV6_RTHDR || option == IPV6_2292RTHDR ||
		       option == IPV6_2292PKTOPTIONS || option == 20 /* JOIN_GROUP */ ||
		       option == 27 /* JOIN_ANYCAST */ || option == 32 /* FLOWLABEL_MGR */ ||
		       option == 42 || option == 46 || option == 48;
	return 0;
}

/* Options that send to somewhere else than what was judged (source routes), or
 * later (a cork that is drawn after the receipt ended). */
static __always_inline int net_option(struct socket *socket, int level, int option)
{
	struct act act = {.op = OP_SOCKET_OPTION, .gate.kind = KIND_CONNECT};
	int is_route = sends_elsewhere(level, option);
	int is_cork = (level == IPPROTO_UDP && option == UDP_CORK) ||
		      (level == IPPROTO_TCP && option == TCP_CORK);
	struct opening *opening;
	struct sock *sk;
	struct label *label;
	enum scope scope = subject(&act, &label);
	__u64 key;

	if (scope == UNGOVERNED)
		return 0;
	act.detail = ((__u32)level << 16) | (__u32)option;
	act.window_object = act.detail;
	if (scope == UNKNOWN)
		return deny(&act, 0);
	if (is_cork) {
		key = address_number(socket->file);
		opening = opening_of(key);
		sk = socket->sk;
		if (sk && socket_holds(&act, opening, sk, key, 0))
			return 0;
		is_route = opening || level == IPPROTO_UDP;
	}
	if (is_route) {
		if (!is_cork)
			act.gate.kind = KIND_NEVER;
		if (act.code == GATE_OK)
			act.code = GATE_NEVER_GOVERNED;
		return deny(&act, 0);
	}
	return foreign_use(&act, socket);
}

/* shutdown(2) of a connection or a listener that others hold as well. */
static __always_inline int net_shutdown(struct socket *socket)
{
	struct act act = {.op = OP_SHUTDOWN, .gate.kind = KIND_CONNECT};
	struct label *label;
	enum scope scope = subject(&act, &label);

	if (scope == UNGOVERNED)
		return 0;
	if (scope == UNKNOWN)
		return deny(&act, 0);
	return foreign_use(&act, socket);
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
	denied = unix_reach(&act, other, 0);
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
	return unix_reach(&act, sk, 1);
}

#endif /* PROOFGATE_BPF_NET_H_ */
