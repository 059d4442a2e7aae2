/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "dns_read_native.h"

/* What the kernel gives to programs, as far as the readers use it. */
#define NP_INLINE static inline __attribute__((always_inline, unused))

struct __sk_buff {
	__u32 cb[NP_CB_COUNT];
};

static struct np_flow_seed np_flow_seed = {.word = {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9}};
static struct np_dns_message scratch;

#define bpf_map_lookup_elem(map, key) ((void)(key), (map))
#define bpf_ntohs(value) __builtin_bswap16(value)
#define bpf_ntohl(value) __builtin_bswap32(value)
#define bpf_loop(most, step, context, flags)                                                                      \
	do {                                                                                                      \
		for (__u32 np_turn = 0; np_turn < (most) && !step(np_turn, context); np_turn++)                    \
			;                                                                                         \
	} while (0)

/* bpf/lib/name.h, without an automaton: what names satisfy is not read here. */
#define NP_NAME_H
#define np_names_in_force() 0
#define np_name_class(byte) (byte)
#define np_name_step(revision, state, class) ((void)(class), (state))
#define np_name_set(revision, state) 0

typedef __u16 __be16;
typedef __u32 __be32;

int np_dns_read_question(struct __sk_buff *skb);
int np_dns_read_records(struct __sk_buff *skb);

#include "../../bpf/lib/dns_records.h"

NP_INLINE struct np_dns_message *np_dns_message(const struct __sk_buff *skb)
{
	(void)skb;
	return &scratch;
}

/* As np_dns_take, of a datagram. */
static bool take(const __u8 *bytes, __u32 count)
{
	scratch.name_length = 0;
	if (count < NP_DNS_HEADER_BYTES || count > NP_DNS_MAX_BYTES)
		return false;
	scratch.length = count;
	memcpy(scratch.bytes, bytes, count);
	return true;
}

int np_native_query(const __u8 *bytes, __u32 count)
{
	struct __sk_buff skb = {};

	return take(bytes, count) && !(np_dns_short(&scratch, NP_DNS_FLAGS_OFFSET) & NP_DNS_RESPONSE) &&
	       np_dns_read_query(&skb, &scratch);
}

int np_native_answer(const __u8 *bytes, __u32 count)
{
	struct __sk_buff skb = {};

	if (!take(bytes, count) ||
	    (np_dns_short(&scratch, NP_DNS_FLAGS_OFFSET) & (NP_DNS_RESPONSE | NP_DNS_OPCODE_MASK)) != NP_DNS_RESPONSE ||
	    !np_dns_read_question(&skb))
		return NP_NATIVE_NO_RESPONSE;
	switch (np_read_response(&skb, &scratch)) {
	case NP_LESSON_LEARNT:
		return NP_NATIVE_LEARNT;
	case NP_LESSON_NONE:
		return NP_NATIVE_NONE;
	case NP_LESSON_INEXACT:
		break;
	}
	return NP_NATIVE_INEXACT;
}

const struct np_dns_message *np_native_message(void)
{
	return &scratch;
}

__u16 np_native_place(__u32 index)
{
	return scratch.place[index & (NP_DNS_MAX_RECORDS - 1)];
}
