/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TLS connections that rules allow for their server name. What passes when, in the states of struct np_hello:
 *
 *   READING   once the server has answered to the SYN, the client's bytes, in order, up to the end of the ClientHello, where its name
 *             decides. What is ahead of them is dropped, and comes again. Of the server only what has no data.
 *   ALLOWED   everything. But up to its acknowledgement the ClientHello may be sent again only as it was: hello_copy.h. The server's first
 *             bytes say whether it takes this ClientHello or asks for another one, which is read then as the first was.
 *   DECIDED   everything, and from now on by the flow's entry alone. Rules that change ask about the name again.
 *   REFUSED   nothing but RSTs. The client gets one for whatever it sends.
 *
 * The first bytes of a ClientHello in several segments are with the server before the name is known; the name itself is not
 * acted upon there before the last one is.
 *
 * What is read is what the server reads: of the connection that it has answered to, and of no other that a SYN of the client only asks for;
 * of one path (multipath.h); without bytes that the client calls urgent, which may be no part of it.
 */
#ifndef NP_HELLO_CONNECTION_H
#define NP_HELLO_CONNECTION_H

#include "flow.h"
#include "hello_read.h"

/* What the step works on. */
struct np_hello_work {
	const struct np_hook *hook;
	struct np_question *question;
	struct np_hello *hello;
	struct np_flow_place place;
	__u32 slot; /* np_flow_slot */
	__u32 expects; /* of the client's packet: the sequence number that the server expects next, if nothing was lost */
	bool forward; /* the packet is the client's */
	bool is_news; /* the connection was decided */
};

/* The numbers of a TCP header that count here, in host order. */
struct np_hello_segment {
	__u32 sequence;
	__u32 acknowledgement;
	__u32 at; /* its first byte in the frame */
	__u32 length; /* of its data */
	__u8 flags;
};

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

/* Begins with a connection that a SYN has asked for. */
NP_INLINE void np_begin_hello(struct np_hello *hello, __u32 start)
{
	hello->start = start;
	hello->sequence = start;
	hello->acknowledged = start;
	hello->is_open = false;
	hello->is_again = false;
	hello->state = NP_HELLO_READING;
	hello->reason = 0;
	np_hello_rewind(hello);
}

/* Waits for the server's answer to a SYN, which says whether there is another connection. */
NP_INLINE void np_await_answer(struct np_hello *hello, __u32 start)
{
	hello->again = start;
	hello->is_again = true;
}

/* From now on nothing of the connection passes. Returns the reason. */
NP_INLINE enum np_reason np_refuse_hello(struct np_hello_work *work, enum np_reason reason)
{
	work->hello->state = NP_HELLO_REFUSED;
	work->hello->reason = reason;
	/* Half a name is none. */
	if (reason == NP_DROP_HELLO)
		work->hello->name[0] = 0;
	work->is_news = true;
	return reason;
}

#endif
