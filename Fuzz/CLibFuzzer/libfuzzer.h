/* The one function of libFuzzer that a program with a main of its own calls. compiler-rt has no header for it; it is described in
   https://llvm.org/docs/LibFuzzer.html#using-libfuzzer-as-a-library. */
#ifndef NETPOLD_LIBFUZZER_H
#define NETPOLD_LIBFUZZER_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test_one)(const uint8_t *bytes, size_t count));

#endif
