/* nothing: the smallest program, so that vfork+exec measures the kernel. */
#include <sys/syscall.h>

void _start(void)
{
	__asm__ volatile("syscall" ::"a"(SYS_exit_group), "D"(0));
	__builtin_unreachable();
}
