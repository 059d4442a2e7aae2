/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where DNS messages are while they are read: those of packets, and those that the proxy teaches. */
#ifndef NP_DNS_H
#define NP_DNS_H

#include "dns_read.h"
#include "hook.h"
#include "packet.h"

/* What the proxy teaches is read where no packet comes in between: on 6.1 a test run may be interrupted by packets. */
NP_INLINE struct np_lesson *np_lesson_scratch_of(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&np_lesson_scratch, &only);
}

NP_INLINE struct np_dns_message *np_dns_message(const struct __sk_buff *skb)
{
	__u32 only = 0;

	if (np_unlikely(np_is_lesson(skb))) {
		struct np_lesson *lesson = np_lesson_scratch_of();

		return lesson ? &lesson->message : NULL;
	}
	return bpf_map_lookup_elem(&np_dns_scratch, &only);
}

/*
 * Copies the payload of the packet that np_scratch has. False: it is not one datagram, whole, of a length that a message may have. A
 * GSO packet is refused: it holds several messages.
 */
NP_INLINE bool np_dns_copy(struct __sk_buff *skb, const struct np_question *question, struct np_dns_message *message)
{
	const struct np_udp_header *udp = (const struct np_udp_header *)message->udp;
	__u32 behind = question->resume_end - question->resume_offset - NP_DNS_HEADER_BYTES;

	/* What is behind the header, so that the verifier of 6.1 sees that it is not nothing. */
	asm volatile("" : "+r"(behind));
	if (question->packet.fragment != NP_FRAGMENT_NONE || skb->gso_size ||
	    behind > NP_DNS_MAX_BYTES - NP_DNS_HEADER_BYTES)
		return false;
	message->length = NP_DNS_HEADER_BYTES + behind;
	return !bpf_skb_load_bytes(skb, question->transport_offset, message->udp,
				   sizeof(*udp) + NP_DNS_HEADER_BYTES + behind) &&
	       bpf_ntohs(udp->length) == sizeof(*udp) + NP_DNS_HEADER_BYTES + behind;
}

#endif
