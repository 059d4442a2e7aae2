/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Multipath TCP (RFC 8684), whose bytes have places of their own: where a segment says that it goes is not where the server's program
 * reads it. Clients fall back to plain TCP where the option that asks for it is gone from their SYN, as middle boxes take it out.
 */
#ifndef NP_MULTIPATH_H
#define NP_MULTIPATH_H

#include "hook.h"

#define NP_TCP_MAX_OPTIONS 40 /* bytes */
#define NP_TCP_OPTION_END 0
#define NP_TCP_OPTION_NOP 1
#define NP_TCP_OPTION_MULTIPATH 30
#define NP_TCP_MIN_OPTION 2 /* bytes: kind and length, which END and NOP do not have */

/* One more than there can be: the length byte behind the last byte is read as well. In words, to be summed up. */
struct np_tcp_options {
	__u8 byte[NP_TCP_MAX_OPTIONS + NP_WORD_BYTES];
};

/* Puts other options in the place of the packet's `more` + 1 bytes of them, and keeps the checksum right. */
NP_INLINE bool np_store_options(struct __sk_buff *skb, __u32 transport, struct np_tcp_options *before,
				struct np_tcp_options *after, __u32 more)
{
	const __s64 change = bpf_csum_diff((void *)before, sizeof(*before), (void *)after, sizeof(*after), 0);

	return change >= 0 && more < NP_TCP_MAX_OPTIONS &&
	       !bpf_l4_csum_replace(skb, transport + offsetof(struct np_tcp_header, checksum), 0, change, 0) &&
	       !bpf_skb_store_bytes(skb, transport + sizeof(struct np_tcp_header), after, more + 1, 0);
}

/* What a walk over a packet's options knows. */
struct np_option_walk {
	struct np_tcp_options options; /* with what does nothing in the place of those of Multipath TCP */
	__u32 length; /* bytes of them */
	__u32 next; /* where the next option begins */
	bool is_multipath; /* the one that is walked */
	bool found; /* one of Multipath TCP */
	bool is_faulty; /* nobody can read them */
};

/* One byte of them, by bpf_loop: the verifier follows one step, not all ways through forty. */
static long np_step_option(__u32 at, struct np_option_walk *walk)
{
	__u8 kind;

	if (at >= NP_TCP_MAX_OPTIONS || at >= walk->length)
		return 1;
	kind = walk->options.byte[at];
	if (at == walk->next) {
		if (kind == NP_TCP_OPTION_END)
			return 1;
		walk->is_multipath = kind == NP_TCP_OPTION_MULTIPATH;
		walk->found |= walk->is_multipath;
		walk->next = at + (kind == NP_TCP_OPTION_NOP ? 1 : walk->options.byte[at + 1]);
		if (walk->next > walk->length || (kind != NP_TCP_OPTION_NOP && walk->next < at + NP_TCP_MIN_OPTION)) {
			walk->is_faulty = true;
			return 1;
		}
	}
	if (walk->is_multipath)
		walk->options.byte[at] = NP_TCP_OPTION_NOP;
	return 0;
}

/*
 * Takes the options of Multipath TCP out of the TCP header of the packet in np_scratch, if `takes`. False: they are still in it, or its
 * options cannot be read. A global function, for its stack.
 */
__attribute__((noinline)) int np_remove_multipath(struct __sk_buff *skb, __u32 takes)
{
	const struct np_question *question = np_scratch_question();
	struct np_option_walk walk = {};
	struct np_tcp_options before;
	__u32 transport, more;

	if (!question)
		return false;
	transport = question->transport_offset;
	walk.length = question->resume_offset - transport - sizeof(struct np_tcp_header);
	if (!walk.length)
		return true;
	more = walk.length - 1;
	/* Not possible with a header length of four bits, but the verifier does not know; nor (that of 6.1) what is not 0. */
	asm volatile("" : "+r"(more));
	if (more >= NP_TCP_MAX_OPTIONS ||
	    bpf_skb_load_bytes(skb, transport + sizeof(struct np_tcp_header), &walk.options, more + 1))
		return false;
	before = walk.options;
	if (bpf_loop(NP_TCP_MAX_OPTIONS, np_step_option, &walk, 0) < 0 || walk.is_faulty)
		return false;
	return !walk.found || (takes && np_store_options(skb, transport, &before, &walk.options, more));
}

#endif
