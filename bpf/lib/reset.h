/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ends of a TCP connection that policy has ended are told so: each in the name of the other, as it knows that. */
#ifndef NP_RESET_H
#define NP_RESET_H

#include "refusal.h"

/* The ends of a packet. */
struct np_ends {
	struct np_address source;
	struct np_address destination;
	__be16 source_port;
	__be16 destination_port;
};

NP_INLINE void np_keep_ends(const struct np_packet *packet, struct np_ends *ends)
{
	ends->source = packet->source;
	ends->destination = packet->destination;
	ends->source_port = packet->source_port;
	ends->destination_port = packet->destination_port;
}

NP_INLINE void np_restore_ends(struct np_packet *packet, const struct np_ends *ends)
{
	packet->source = ends->source;
	packet->destination = ends->destination;
	packet->source_port = ends->source_port;
	packet->destination_port = ends->destination_port;
}

/* From here on the question's packet has the ends that the pod knows: of what goes to a Service, or comes from its backend, the Service's. */
NP_INLINE void np_name_ends_of_pod(struct np_question *question)
{
	struct np_packet *packet = &question->packet;
	const struct np_choice *choice = &question->choice;

	if (choice->made) {
		packet->destination = choice->frontend;
		packet->destination_port = choice->port;
		packet->source_port = choice->own_port;
	} else if (choice->back) {
		packet->source = question->flow.other;
		packet->source_port = question->flow.other_port;
		if (choice->own_port)
			packet->destination_port = choice->own_port;
	}
}

/* The question's packet in the other direction. */
NP_INLINE void np_turn_ends(struct np_packet *packet)
{
	struct np_ends ends;

	np_keep_ends(packet, &ends);
	packet->source = ends.destination;
	packet->destination = ends.source;
	packet->source_port = ends.destination_port;
	packet->destination_port = ends.source_port;
}

/*
 * Makes the packet that np_scratch has the RST that answers it; the pod hears it from the address that it has sent to. 0: it is
 * dropped without. A global function, for its stack.
 */
__attribute__((noinline)) int np_reset_connection(struct __sk_buff *skb)
{
	struct np_question *question = np_scratch_question();
	struct np_ends ends;
	int answered;

	if (!question)
		return false;
	np_keep_ends(&question->packet, &ends);
	np_name_ends_of_pod(question);
	answered = np_answer_reset(skb);
	np_restore_ends(&question->packet, &ends);
	return answered;
}

/* Whether a packet has been made the RSTs for both ends of its connection. */
enum np_told {
	NP_TOLD_NOBODY = 0,
	NP_TOLD_BOTH = 1,
};

/*
 * Makes the packet that np_scratch has, which has data, the RST that answers it, and one for its receiver, which expects
 * `sequence` (host order) next. One of them goes to the pod, the other one comes in as if the pod had sent it: the latter is a copy, since
 * programs at the pod's other hook would run on the same np_scratch. What is left as the packet goes to the pod. Returns enum
 * np_told. A global function, for its stack.
 */
__attribute__((noinline)) int np_reset_both(struct __sk_buff *skb, __u32 sequence)
{
	struct np_question *question = np_scratch_question();
	struct np_reset_numbers answer, onward = {.flags = NP_TCP_RST, .sequence = bpf_htonl(sequence)};
	const bool is_sent = np_own_direction(skb) == NP_EGRESS;
	struct np_place place;
	struct np_ends ends;
	bool is_open;
	int failed;

	if (!question || question->packet.protocol != IPPROTO_TCP)
		return NP_TOLD_NOBODY;
	place = np_place_of(question);
	if (!np_is_answerable(&question->packet) || !np_may_refuse(question->endpoint) ||
	    np_answering_reset(skb, &place, question->resume_offset, &answer))
		return NP_TOLD_NOBODY;
	is_open = np_is_plain_sum_open(skb, &question->packet, &place);
	np_keep_ends(&question->packet, &ends);
	np_name_ends_of_pod(question);
	/* First the RST in the pod's name: `onward` if the pod sent the packet, `answer` if the packet was for the pod. */
	if (is_sent)
		np_turn_ends(&question->packet);
	failed = np_write_reset(skb, &question->packet, is_sent ? &onward : &answer, is_open) ||
		 (!is_sent && np_swap_macs(skb));
	/* Who is not told now is told by the answer to the next packet: np_reset_connection. */
	if (!failed)
		(void)bpf_clone_redirect(skb, skb->ifindex, BPF_F_INGRESS);
	np_turn_ends(&question->packet);
	failed = failed || np_write_reset(skb, &question->packet, is_sent ? &answer : &onward, is_open) || np_swap_macs(skb);
	np_restore_ends(&question->packet, &ends);
	return failed ? NP_TOLD_NOBODY : NP_TOLD_BOTH;
}

#endif
