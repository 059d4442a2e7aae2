/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the server of a connection sends, and what that says of the client's. When it passes: hello_connection.h. */
#ifndef NP_HELLO_SERVER_H
#define NP_HELLO_SERVER_H

#include "hello_connection.h"

/* Goes on with the connection that the server has just answered to. */
NP_INLINE void np_answer_hello(struct np_hello *hello, const struct np_hello_segment *segment)
{
	np_begin_hello(hello, hello->again);
	hello->is_open = true;
	hello->answered = segment->sequence + 1;
	hello->served = hello->answered;
}

/*
 * The server's first bytes, once the name has decided. NP_REASON_NONE: they may pass. Where it asks for another ClientHello, that is read as the
 * first one was; what the client has sent behind the first one without waiting may have been that, and would not have been read.
 */
NP_INLINE enum np_reason np_judge_first_answer(struct np_hello_work *work, const struct np_hello_segment *segment)
{
	struct np_hello *hello = work->hello;

	if (segment->sequence != hello->answered)
		return NP_DROP_HELLO_ORDER;
	switch ((enum np_hello_answer)np_read_server(work->hook->skb, segment->at, segment->length)) {
	case NP_ANSWER_OTHER:
		return NP_REASON_NONE;
	case NP_ANSWER_RETRY:
		if (hello->part == NP_HELLO_BEHIND)
			return np_refuse_hello(work, NP_DROP_HELLO);
		np_hello_rewind(hello);
		hello->part = NP_HELLO_RETRIED;
		hello->state = NP_HELLO_READING;
		return NP_REASON_NONE;
	case NP_ANSWER_UNKNOWN:
		return NP_DROP_HELLO_ORDER;
	}
	return NP_DROP_HELLO_ORDER;
}

/* A packet of the server. */
NP_INLINE enum np_reason np_judge_server(struct np_hello_work *work, const struct np_hello_segment *segment)
{
	const __u32 end = segment->sequence + segment->length + !!(segment->flags & NP_TCP_FIN);
	bool acknowledges = segment->flags & NP_TCP_ACK;
	struct np_hello *hello = work->hello;
	enum np_reason reason;
	__s32 ahead;

	if (segment->flags & NP_TCP_RST)
		return NP_REASON_REPLY;
	if (hello->is_again && segment->flags & NP_TCP_SYN && acknowledges && segment->acknowledgement == hello->again &&
	    work->question->packet.fragment == NP_FRAGMENT_NONE) {
		np_answer_hello(hello, segment);
		/* What the former connection's entry was left with. */
		np_mark_flow(&work->place, NP_ENTRY_HELLO, 0);
	}
	switch (hello->state) {
	case NP_HELLO_READING:
		/* But for what asks for a second ClientHello, again. */
		if (segment->length && (!hello->is_open || np_ahead(end, hello->served) > 0))
			return NP_DROP_HELLO_ORDER;
		break;
	case NP_HELLO_ALLOWED:
		if (segment->length && hello->served == hello->answered) {
			reason = np_judge_first_answer(work, segment);
			if (reason)
				return reason;
		}
		break;
	case NP_HELLO_DECIDED:
		break;
	case NP_HELLO_REFUSED:
		return hello->reason;
	default:
		return NP_DROP_HELLO_ORDER;
	}
	/* What is of another connection of the same ends, or beyond what has passed, says nothing of this one. */
	acknowledges = acknowledges && hello->is_open && np_ahead(segment->sequence, hello->answered) >= -1 &&
		       np_ahead(segment->sequence, hello->served) <= 0;
	if (acknowledges && np_ahead(end, hello->served) > 0)
		hello->served = end;
	ahead = np_ahead(segment->acknowledgement, hello->sequence);
	if (acknowledges && ahead <= 0 && np_ahead(segment->acknowledgement, hello->acknowledged) > 0) {
		hello->acknowledged = segment->acknowledgement;
		hello->reason = 0;
	}
	if (hello->state == NP_HELLO_ALLOWED && acknowledges && ahead >= 0 && hello->served != hello->answered)
		hello->state = NP_HELLO_DECIDED;
	return NP_REASON_REPLY;
}

#endif
