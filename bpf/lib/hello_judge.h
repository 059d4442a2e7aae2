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
#ifndef NP_HELLO_JUDGE_H
#define NP_HELLO_JUDGE_H

#include "checksum_place.h"
#include "events.h"
#include "hello_copy.h"
#include "hello_read.h"
#include "judge.h"
#include "multipath.h"
#include "name.h"
#include "proxy.h"

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
__attribute__((noinline)) __u64 np_hello_rules(struct __sk_buff *skb, struct np_hello *hello)
{
	struct np_hello_reading reading = {.skb = skb, .hello = hello};
	const __u32 revision = np_names_in_force();
	const struct np_name_rule *rule;

	if (!hello || !hello->name_length || !revision)
		return 0;
	hello->number = 0;
	hello->walk = NP_NAME_START;
	hello->place = revision;
	bpf_loop(NP_NAME_BYTES, np_hello_walk_step, &reading, 0);
	hello->number = 0;
	rule = np_name_rule(hello->base, revision, np_name_set(revision, hello->walk));
	return rule ? rule->rules & hello->rules : 0;
}

/* Lets the connection's name decide, again or for the first time. False: no rule allows it. */
NP_INLINE bool np_decide_hello(struct np_hello_work *work)
{
	const struct np_hello *hello = work->hello;
	const __u64 rules = np_hello_rules(work->hook->skb, work->hello);
	const struct np_answer answer = {
		.decision = NP_DECISION_RULE,
		.word = hello->word,
		.bit = rules & -rules,
		.base = hello->base,
	};

	work->question->rule_hit = rules ? np_rule_hit_of(&answer) : 0;
	return rules;
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

/* Goes on with the connection that the server has just answered to. */
NP_INLINE void np_answer_hello(struct np_hello *hello, const struct np_hello_segment *segment)
{
	np_begin_hello(hello, hello->again);
	hello->is_open = true;
	hello->answered = segment->sequence + 1;
	hello->served = hello->answered;
}

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

/* Takes over what the policy answers now. A name that is known already must be one of these rules too. */
NP_INLINE void np_renew_hello(struct np_hello_work *work)
{
	const struct np_question *question = work->question;
	struct np_hello *hello = work->hello;
	const bool is_same = hello->base == question->l7_base && hello->rules == question->l7_rules &&
			     hello->word == question->l7_word;

	hello->identity = question->asked;
	if (is_same)
		return;
	hello->base = question->l7_base;
	hello->rules = question->l7_rules;
	hello->word = question->l7_word;
	if ((hello->state == NP_HELLO_ALLOWED || hello->state == NP_HELLO_DECIDED) && !np_decide_hello(work))
		(void)np_refuse_hello(work, NP_DROP_SERVER_NAME);
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
