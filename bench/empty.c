/* empty: the floor. Attaches a program that returns 0 to every hook that the
 * gate's object attaches to, runs a command, and exits with its status.
 *
 *   empty pep.bpf.o COMMAND…
 *
 * The hooks are read from the object's sections, so the floor is always the
 * floor of the gate that was built; a hook that this kernel has not is left out,
 * as the daemon does. */

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct bpf_insn kReturnZero[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0},
	{.code = BPF_JMP | BPF_EXIT},
};

static int attach(const char *function, enum bpf_prog_type type, enum bpf_attach_type attach_type,
		  __u32 flags)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach_type,
		    .prog_flags = flags);
	int id = libbpf_find_vmlinux_btf_id(function, attach_type);

	if (id < 0)
		return 0;
	options.attach_btf_id = (__u32)id;
	int program = bpf_prog_load(type, "empty", "GPL", kReturnZero, 2, &options);
	if (program < 0 || bpf_raw_tracepoint_open(NULL, program) < 0) {
		fprintf(stderr, "empty: %s: ", function);
		perror("");
		_exit(1);
	}
	return 1;
}

static int silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level, (void)format, (void)arguments;
	return 0;
}

int main(int argc, char **argv)
{
	struct bpf_program *program = NULL;
	int hooks = 0;

	if (argc < 3) {
		fprintf(stderr, "Usage: empty OBJECT COMMAND…\n");
		return 2;
	}
	libbpf_set_print(silent);
	struct bpf_object *object = bpf_object__open_file(argv[1], NULL);
	if (!object) {
		perror(argv[1]);
		return 1;
	}
	bpf_object__for_each_program(program, object)
	{
		const char *section = bpf_program__section_name(program);
		const char *hook = strchr(section, '/');
		if (*section == '?')
			section++;
		if (!hook++)
			continue;
		if (!strncmp(section, "lsm/", 4))
			hooks += attach(hook, BPF_PROG_TYPE_LSM, BPF_LSM_MAC, 0);
		else if (!strncmp(section, "lsm.s/", 6))
			hooks += attach(hook, BPF_PROG_TYPE_LSM, BPF_LSM_MAC, BPF_F_SLEEPABLE);
		else if (!strncmp(section, "fentry/", 7))
			hooks += attach(hook, BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, 0);
		else if (!strncmp(section, "fexit/", 6))
			hooks += attach(hook, BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, 0);
		else if (!strncmp(section, "tp_btf/", 7))
			hooks += attach(hook, BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, 0);
		else if (strncmp(section, "iter", 4)) {
			fprintf(stderr, "empty: no floor for section %s\n", section);
			return 1;
		}
	}
	fprintf(stderr, "# %d hooks with empty programs\n", hooks);
	pid_t child = fork();
	if (child == 0) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	int status = 0;
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
