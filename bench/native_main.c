// Runs a kernel compiled for this machine: the reference for its results, and for how far an
// engine is from native code. Usage: KERNEL.native ROUNDS
#include <stdio.h>
#include <stdlib.h>

int bench(int rounds);

int main(int count, char** arguments) {
  if (count != 2) return 2;
  printf("%d\n", bench(atoi(arguments[1])));
  return 0;
}
