/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/* The kernel's readers of DNS messages (bpf/lib/dns_read.h, dns_records.h), compiled for this machine. */
#ifndef DNS_READ_NATIVE_H
#define DNS_READ_NATIVE_H

#include <netpold_abi.h>

enum np_native_lesson {
	NP_NATIVE_LEARNT = 0,
	NP_NATIVE_NONE = 1, /* it teaches nothing, and says nothing that it should not */
	NP_NATIVE_INEXACT = 2,
	NP_NATIVE_NO_RESPONSE = 3, /* or without a question that can be read */
};

/* Whether it is exactly a query; what is in the scratch then is `np_native_message`. */
int np_native_query(const __u8 *_Nullable bytes, __u32 count);
/* enum np_native_lesson. */
int np_native_answer(const __u8 *_Nullable bytes, __u32 count);
/* The message that was read last, in a buffer that still has what was in it before. */
const struct np_dns_message *_Nonnull np_native_message(void);
/* Where one of its addresses is; with the highest bit set it has four bytes, else sixteen. */
__u16 np_native_place(__u32 index);

#endif
