/* lib: what a load attack tries to load. Its constructor leaves a trace. */
#include <unistd.h>

int lib_traced;
__attribute__((constructor)) static void trace(void) { lib_traced = write(8, "l", 1) == 1; }
