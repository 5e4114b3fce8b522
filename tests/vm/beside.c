/* beside UID: another user of BPF LSM. Refuses mkdir(2) to one user, EACCES, by a
 * program of its own; says "attached" and stays until its input ends. It takes no
 * library: the program is six instructions, and the hook's number is looked up
 * in the kernel's BTF (Documentation/bpf/btf.rst). */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char types[32 << 20]; /* the kernel's BTF is some megabytes */

static int fail(const char *what)
{
	perror(what);
	return 1;
}

/* How many bytes follow the three words of a type. */
static size_t tail_of(const struct btf_type *type)
{
	__u32 count = BTF_INFO_VLEN(type->info);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return count * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return count * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return count * 12;
	case BTF_KIND_FUNC_PROTO:
		return count * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return count * sizeof(struct btf_var_secinfo);
	default:
		return 0;
	}
}

/* The number of the function `name`, or 0. */
static __u32 find_function(const char *name)
{
	const struct btf_header *header = (const struct btf_header *)types;
	const char *at, *end, *names;
	size_t size = 0;
	ssize_t got;
	__u32 number;
	int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && size < sizeof(types) && (got = read(fd, types + size, sizeof(types) - size)) > 0)
		size += (size_t)got;
	if (size < sizeof(*header) || header->magic != BTF_MAGIC)
		return 0;
	at = types + header->hdr_len + header->type_off;
	end = at + header->type_len;
	names = types + header->hdr_len + header->str_off;
	for (number = 1; at < end; number++) {
		const struct btf_type *type = (const struct btf_type *)at;

		if (BTF_INFO_KIND(type->info) == BTF_KIND_FUNC && strcmp(names + type->name_off, name) == 0)
			return number;
		at += sizeof(*type) + tail_of(type);
	}
	return 0;
}

int main(int count, char **word)
{
	__s32 user = count == 2 ? atoi(word[1]) : 0;
	struct bpf_insn program[] = {
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_current_uid_gid},
		{.code = BPF_ALU | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_0},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = BPF_REG_1, .off = 1, .imm = user},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = -EACCES},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr load = {0}, attach = {0};
	char rest;
	int fd;

	if (user <= 0) {
		fprintf(stderr, "usage: beside UID\n");
		return 2;
	}
	load.prog_type = BPF_PROG_TYPE_LSM;
	load.expected_attach_type = BPF_LSM_MAC;
	load.attach_btf_id = find_function("bpf_lsm_inode_mkdir");
	load.insns = (__u64)program;
	load.insn_cnt = sizeof(program) / sizeof(program[0]);
	load.license = (__u64) "GPL";
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	if (fd < 0)
		return fail("beside: load");
	attach.raw_tracepoint.prog_fd = (__u32)fd;
	if (syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &attach, sizeof(attach)) < 0)
		return fail("beside: attach");
	puts("attached");
	fflush(stdout);
	while (read(STDIN_FILENO, &rest, 1) > 0)
		;
	return 0;
}
