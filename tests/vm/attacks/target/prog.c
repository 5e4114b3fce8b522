/* prog: what an exec attack tries to run. It leaves a byte in the trace pipe
 * and exits with 42. */
#include <unistd.h>

int main(void) { return write(8, "p", 1) == 1 ? 42 : 43; }
