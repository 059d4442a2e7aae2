/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/* The kernel's reader of ClientHellos (bpf/lib/hello_read.h), compiled for this machine: the same source, a hundred times as fast to ask. */
#ifndef HELLO_READ_NATIVE_H
#define HELLO_READ_NATIVE_H

#include <netpold_abi.h>

/* Ready for the first byte of a connection. */
void np_native_begin(struct np_hello *_Nonnull hello);
/* Reads a segment's bytes. enum np_hello_progress: 0 it goes on, 1 it is whole, 2 it is none. `*read`: how many were read. */
int np_native_read(struct np_hello *_Nonnull hello, const __u8 *_Nullable bytes, __u32 count, __u32 *_Nonnull read);

#endif
