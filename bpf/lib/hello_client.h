/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the client of a connection sends: its SYN, and what is read up to the end of its ClientHello. When it passes: hello_connection.h. */
#ifndef NP_HELLO_CLIENT_H
#define NP_HELLO_CLIENT_H

#include "checksum_place.h"
#include "hello_copy.h"
#include "hello_names.h"
#include "multipath.h"

/*
 * Whether a packet of the client is of the connection that the server has answered to. One that answers to each SYN (SYN cookies) goes on
 * with the one whose answer the client acknowledges.
 */
NP_INLINE bool np_is_of_answered(const struct np_hello *hello, const struct np_hello_segment *segment)
{
	return hello->is_open && segment->flags & NP_TCP_ACK && np_ahead(segment->acknowledgement, hello->answered) >= 0 &&
	       np_ahead(segment->acknowledgement, hello->served) <= 0;
}

/* Whether a packet of the client gets to the server as it is here, and on one path. `takes`: what asks for more is taken out of it. */
NP_INLINE bool np_is_as_read(const struct np_hook *hook, bool takes)
{
	if (hook->direction == NP_EGRESS && !np_is_sum_exact(hook->skb))
		return false;
	return np_remove_multipath(hook->skb, takes);
}

/*
 * A SYN that passes, whose flow has its entry. It may be anybody's, or one that never gets to the server: so a connection that the server has
 * answered to stays as it is until the server answers to the new one. What comes again may be answered anew as long as nothing was read.
 */
NP_INLINE enum np_reason np_open_hello(struct np_hello_work *work, const struct np_hello_segment *segment)
{
	const __u32 start = segment->sequence + 1;
	const __u32 version = np_flow_version(&work->place);
	struct np_hello *hello = work->hello;

	if (!np_is_as_read(work->hook, true))
		return NP_DROP_HELLO_ORDER;
	if (hello->version != version) {
		hello->version = version;
		np_begin_hello(hello, start);
	}
	if (hello->start != start || hello->sequence == start || hello->state == NP_HELLO_REFUSED)
		np_await_answer(hello, start);
	np_renew_hello(work);
	return work->question->allowed;
}

/*
 * The part of a segment that was read before: `length` bytes from its first one on. NP_REASON_NONE: it is what it was, or the server has
 * it already.
 */
NP_INLINE enum np_reason np_judge_repetition(struct np_hello_work *work, const struct np_hello_segment *segment, __u32 length)
{
	struct np_hello *hello = work->hello;
	const __s32 known = np_ahead(hello->acknowledged, segment->sequence);
	const __u32 from = known > 0 ? known : 0;

	if (from >= length)
		return NP_REASON_NONE;
	hello->offset = segment->at + from;
	hello->end = segment->at + length;
	hello->place = segment->sequence + from - hello->start;
	switch ((enum np_hello_likeness)np_compare_bytes(work->hook->skb, hello, work->slot)) {
	case NP_HELLO_SAME:
		return NP_REASON_NONE;
	case NP_HELLO_OTHER:
		return np_refuse_hello(work, NP_DROP_HELLO);
	case NP_HELLO_UNLIKE:
		break;
	}
	/*
	 * The server may have it, and its acknowledgement be under way. If it comes once more the server has not: nobody could ever send it
	 * again, so the client begins anew.
	 */
	if (hello->reason == NP_DROP_HELLO_ORDER)
		return np_refuse_hello(work, NP_DROP_NOT_PROXIED);
	hello->reason = NP_DROP_HELLO_ORDER;
	return NP_DROP_HELLO_ORDER;
}

/* Reads on, `length` bytes from `at` in the frame. */
NP_INLINE enum np_reason np_read_on(struct np_hello_work *work, __u32 at, __u32 length)
{
	struct __sk_buff *skb = work->hook->skb;
	struct np_hello *hello = work->hello;
	enum np_hello_progress progress;
	const __u32 place = hello->sequence - hello->start;

	hello->offset = at;
	hello->end = at + length;
	progress = np_hello_read(skb, hello);
	if (progress == NP_HELLO_BAD)
		return np_refuse_hello(work, NP_DROP_HELLO);
	hello->end = hello->offset;
	hello->offset = at;
	hello->place = place;
	hello->sequence += hello->end - at;
	np_keep_bytes(skb, hello, work->slot);
	if (progress == NP_HELLO_WHOLE) {
		if (!np_decide_hello(work))
			return np_refuse_hello(work, NP_DROP_SERVER_NAME);
		hello->state = NP_HELLO_ALLOWED;
		if (hello->sequence - hello->start - place != length)
			hello->part = NP_HELLO_BEHIND;
		work->is_news = true;
	}
	return work->is_news ? NP_REASON_ALLOWED : NP_REASON_ESTABLISHED;
}

/* A packet of the client. */
NP_INLINE enum np_reason np_judge_client(struct np_hello_work *work, const struct np_hello_segment *segment)
{
	struct np_hello *hello = work->hello;
	const __s32 ahead = np_ahead(segment->sequence, hello->sequence);
	__u32 before = 0;
	enum np_reason reason;

	work->expects = hello->state == NP_HELLO_READING ? hello->sequence : segment->sequence;
	if (hello->state == NP_HELLO_DECIDED || segment->flags & NP_TCP_RST)
		return NP_REASON_ESTABLISHED;
	if (hello->state == NP_HELLO_REFUSED)
		return hello->reason;
	if (segment->flags & NP_TCP_SYN || !np_is_of_answered(hello, segment) || !np_is_as_read(work->hook, false))
		return NP_DROP_HELLO_ORDER;
	/* A byte that is urgent may be no part of what the server reads. It may be of another segment than the one that says so. */
	if (segment->flags & NP_TCP_URG)
		return np_refuse_hello(work, NP_DROP_HELLO);
	if (!segment->length)
		return NP_REASON_ESTABLISHED;
	if (ahead < 0) {
		before = -(__u32)ahead;
		if (before > segment->length)
			before = segment->length;
		reason = np_judge_repetition(work, segment, before);
		if (reason)
			return reason;
	}
	if (before == segment->length)
		return NP_REASON_ESTABLISHED;
	if (hello->state == NP_HELLO_ALLOWED) {
		hello->part = NP_HELLO_BEHIND;
		return NP_REASON_ESTABLISHED;
	}
	if (ahead > 0)
		return NP_DROP_HELLO_ORDER;
	return np_read_on(work, segment->at + before, segment->length - before);
}

#endif
