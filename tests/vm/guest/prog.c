/* The program that must not run: it exits with 42. */
int main(void) { return 42; }
