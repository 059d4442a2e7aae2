/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TLS connections that rules allow for their server name. What passes when, in the states of struct np_hello:
 *
 *   READING   the client's bytes, in order, up to the end of the ClientHello, where its name decides. What is ahead of them is
 *             dropped, and comes again. Of the server only what has no data.
 *   ALLOWED   everything. But up to its acknowledgement the ClientHello may be sent again only as it was: hello_copy.h.
 *   DECIDED   everything, and from now on by the flow's entry alone. Rules that change ask about the name again.
 *   REFUSED   nothing but RSTs. The client gets one for whatever it sends.
 *
 * The first bytes of a ClientHello in several segments are with the server before the name is known; the name itself is not
 * acted upon there before the last one is.
 *
 * One CPU at a time reads a connection (np_hello.busy); a packet of it that another one has meanwhile is dropped. So no two
 * packets are read in each other's place, and no later SYN of the same ends is let pass by what an earlier one has sent.
 */
#ifndef NP_HELLO_H
#define NP_HELLO_H

#include "events.h"
#include "hello_copy.h"
#include "hello_read.h"
#include "judge.h"
#include "name.h"
#include "refusal.h"

/* What the step works on. */
struct np_hello_work {
	const struct np_hook *hook;
	struct np_question *question;
	struct np_hello *hello;
	struct np_flow_place place;
	__u32 slot; /* np_flow_slot */
	bool forward; /* the packet is the client's */
};

/* The numbers of a TCP header that count here, in host order. */
struct np_hello_segment {
	__u32 sequence;
	__u32 acknowledgement;
	__u32 at; /* its first byte in the frame */
	__u32 length; /* of its data */
	__u8 flags;
};

/* What a new connection begins as. */
const struct np_hello np_hello_none = {};

/* How far a sequence number is ahead of another one. */
NP_INLINE __s32 np_ahead(__u32 sequence, __u32 of)
{
	return sequence - of;
}

NP_INLINE bool np_load_segment(struct __sk_buff *skb, const struct np_question *question, struct np_hello_segment *segment)
{
	struct np_tcp_header tcp;

	if (bpf_skb_load_bytes(skb, question->transport_offset, &tcp, sizeof(tcp)))
		return false;
	segment->sequence = bpf_ntohl(tcp.sequence);
	segment->acknowledgement = bpf_ntohl(tcp.acknowledgement);
	segment->flags = tcp.flags;
	segment->at = question->resume_offset;
	segment->length = question->resume_end - question->resume_offset;
	return true;
}

/* One byte of the name, or the length of one of its labels: hello->walk is the automaton's state, hello->number what is left of the label. */
static long np_hello_walk_step(__u32 step, struct np_hello_reading *reading)
{
	struct np_hello *hello = reading->hello;
	const __u32 revision = hello->place;
	const __u8 byte = hello->name[step & (NP_NAME_BYTES - 1)];
	__u32 class = NP_NAME_CLASS_END;

	if (hello->number) {
		hello->number--;
		class = np_name_class(byte);
	} else {
		hello->number = byte;
		if (!step)
			return 0;
	}
	hello->walk = np_name_step(revision, hello->walk, class);
	return class == NP_NAME_CLASS_END && !byte;
}

/* The L7 bits that the connection's name satisfies, by the automaton that is in force now. */
NP_INLINE __u64 np_hello_rules(struct __sk_buff *skb, struct np_hello *hello)
{
	struct np_hello_reading reading = {.skb = skb, .hello = hello};
	const __u32 revision = np_names_in_force();
	const struct np_name_rule *rule;

	if (!hello->name_length || !revision)
		return 0;
	hello->number = 0;
	hello->walk = NP_NAME_START;
	hello->place = revision;
	bpf_loop(NP_NAME_BYTES, np_hello_walk_step, &reading, 0);
	hello->number = 0;
	rule = np_name_rule(hello->base, revision, np_name_set(revision, hello->walk));
	return rule ? rule->rules & hello->rules : 0;
}

/* Lets the connection's name decide, again or for the first time. NP_REASON_NONE: some rule allows it, the lowest of them decides. */
NP_INLINE enum np_reason np_decide_hello(struct np_hello_work *work)
{
	const struct np_hello *hello = work->hello;
	const struct np_answer answer = {
		.decision = NP_DECISION_RULE,
		.word = hello->word,
		.bit = np_hello_rules(work->hook->skb, work->hello),
		.base = hello->base,
	};

	if (!answer.bit)
		return NP_DROP_SERVER_NAME;
	return NP_REASON_NONE;
}

/* Begins with a connection whose SYN is there. */
NP_INLINE void np_begin_hello(struct np_hello *hello, __u32 start)
{
	hello->start = start;
	hello->sequence = start;
	hello->acknowledged = start;
	hello->is_again = false;
	hello->state = NP_HELLO_READING;
	np_hello_rewind(hello);
}
#endif
