/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hello of a packet's connection: how it is found and kept, and what becomes of the packet and of what is reported. What passes when:
 * hello_connection.h.
 *
 * One CPU at a time reads a connection (np_hello.busy); a packet of it that another one has meanwhile is dropped. So no two
 * packets are read in each other's place, and no later SYN of the same ends is let pass by what an earlier one has sent.
 */
#ifndef NP_HELLO_H
#define NP_HELLO_H

#include "events.h"
#include "hello_client.h"
#include "hello_server.h"
#include "judge.h"
#include "proxy.h"

/* What a new connection begins as. */
const struct np_hello np_hello_none = {};

/* Tells who listens which name was refused. */
NP_INLINE void np_report_name(const struct np_hello_work *work)
{
	const struct np_question *question = work->question;
	const struct np_hello *hello = work->hello;
	struct np_name_event *event;

	/* Learnt names must find room: half of the ring is theirs. */
	if (bpf_ringbuf_query(&np_name_events, BPF_RB_AVAIL_DATA) >= NP_NAME_RING_BYTES / 2)
		return;
	event = bpf_ringbuf_reserve(&np_name_events, sizeof(*event), 0);
	if (!event)
		return;
	__builtin_memset(event, 0, sizeof(*event));
	event->time = bpf_ktime_get_ns();
	event->endpoint = work->hook->slot;
	event->rule_base = hello->base;
	event->kind = NP_NAME_SERVER_DENIED;
	event->rules = hello->rules;
	event->remote = *np_remote_of(&question->packet, question->travel);
	__builtin_memcpy(event->name, hello->name, sizeof(event->name));
	bpf_ringbuf_submit(event, 0);
}

/*
 * Drops a packet, and resets the connection where it will come to nothing: at the end that has sent the packet, in the name of the other end, or
 * of the Service by which the client knows it; and once, by the client's packet that ends the connection, at the server too. If data before
 * that RST was lost, its sequence number is not the expected one. The server then sends an ACK, and that ACK is answered with a RST that
 * it accepts.
 */
NP_INLINE struct np_outcome np_deny_hello(struct np_hello_work *work, enum np_reason reason)
{
	struct __sk_buff *skb = work->hook->skb;
	struct np_outcome outcome = np_outcome_of(reason);

	if (reason == NP_DROP_HELLO_ORDER || reason == NP_DROP_NAME_ROOM)
		return outcome;
	if (!work->forward && (!work->hello || work->hello->state != NP_HELLO_REFUSED ||
			       !np_note_frontend(work->hook, work->question, &work->place)))
		return outcome;
	np_mark_flow(&work->place, NP_ENTRY_RST, 0);
	if (work->forward && work->is_news && !(work->hook->endpoint->flags & NP_ENDPOINT_HOST)) {
		if (np_reset_both(skb, work->expects) == NP_TOLD_BOTH)
			outcome.action = work->hook->direction == NP_EGRESS ? NP_ACTION_REDIRECT : NP_ACTION_NEXT;
	} else if (np_reset_connection(skb)) {
		outcome.action = NP_ACTION_REDIRECT;
	}
	return outcome;
}

/* The connection's entry, made for a SYN where there is none. NULL: there is none, or no room for it. */
NP_INLINE struct np_hello *np_find_hello(__u32 slot, bool opens)
{
	struct np_hello *hello = bpf_map_lookup_elem(&np_hellos, &slot);

	if (hello || !opens || bpf_map_update_elem(&np_hellos, &slot, &np_hello_none, BPF_NOEXIST))
		return hello;
	return bpf_map_lookup_elem(&np_hellos, &slot);
}

/*
 * Whether the hello is of the packet's flow, and was read for as long as packets of the flow passed. Without NP_ENTRY_HELLO a plain rule has
 * let packets pass: then only a hello that was decided before was read to its end.
 */
NP_INLINE bool np_has_hello(const struct np_hello_work *work)
{
	const struct np_hello *hello = work->hello;

	return hello->version == np_flow_version(&work->place) &&
	       (work->place.flags & NP_ENTRY_HELLO || (hello->state >= NP_HELLO_DECIDED && !hello->is_again));
}

/* Judges a packet of a connection that is locked. */
NP_INLINE enum np_reason np_judge_hello(struct np_hello_work *work)
{
	struct np_question *question = work->question;
	struct np_hello *hello = work->hello;
	struct np_hello_segment segment;
	enum np_reason reason;

	/* Of a later fragment the header is elsewhere. */
	if (question->packet.fragment != NP_FRAGMENT_NONE && (!np_has_hello(work) || hello->state != NP_HELLO_DECIDED))
		return NP_DROP_HELLO_ORDER;
	if (!np_load_segment(work->hook->skb, question, &segment))
		return NP_DROP_HELLO_ORDER;
	if (question->hello == NP_HELLO_OPENS)
		return np_open_hello(work, &segment);
	if (!np_has_hello(work))
		return question->hello == NP_HELLO_ASKED ? NP_DROP_NOT_PROXIED : NP_DROP_NAME_ROOM;
	if (question->hello == NP_HELLO_ASKED)
		np_renew_hello(work);
	reason = work->forward ? np_judge_client(work, &segment) : np_judge_server(work, &segment);
	if (hello->state == NP_HELLO_DECIDED && !hello->is_again && work->place.flags & NP_ENTRY_HELLO)
		np_release_flow(&work->place, NP_ENTRY_HELLO);
	/* Its next packets may go to a backend by what the Service's entry says alone only when it is decided. */
	if (hello->state != NP_HELLO_DECIDED || hello->is_again)
		question->flow.flags |= NP_ENTRY_HELLO;
	return reason;
}

/* Takes down whose policy decides, for counters and events. */
NP_INLINE void np_note_hello(struct np_hello_work *work, __u32 role)
{
	struct np_question *question = work->question;

	question->decided = np_direction_of(role);
	question->remote_identity = work->hello->identity;
}

/* Judges a packet. `*is_news`: it is worth a record. */
NP_INLINE struct np_outcome np_judge_hello_flow(const struct np_hook *hook, struct np_question *question, bool *is_news)
{
	struct np_hello_work work = {.hook = hook, .question = question};
	const struct np_packet *packet = &question->packet;
	const bool opens = question->hello == NP_HELLO_OPENS;
	struct np_outcome outcome = np_outcome_of(NP_DROP_NOT_PROXIED);
	enum np_reason reason;
	__u32 role;
	__u64 hash;

	*is_news = false;
	question->rule_hit = 0;
	question->decision = NP_DECISION_RULE;
	question->decided = hook->direction;
	question->remote_identity = NP_IDENTITY_UNKNOWN;
	question->flags = 0;
	np_fill_flow_key(hook->endpoint, packet, question->travel, &question->flow);
	hash = np_hash_flow(hook->slot, &question->flow);
	if (!np_find_flow(hook->endpoint, hook->slot, &question->flow, hash, &work.place))
		return outcome;
	role = np_flow_role(work.place.flags);
	work.forward = role == np_role_of(question->travel);
	work.slot = np_flow_slot(&work.place);
	if (role == NP_ROLE_NONE || (opens && !work.forward))
		return outcome;
	work.hello = np_find_hello(work.slot, opens);
	if (!work.hello)
		/* Of a known flow it is gone only if it was collected as that of the flow before: the client begins anew. */
		return opens ? np_outcome_of(NP_DROP_NAME_ROOM) : np_deny_hello(&work, NP_DROP_NOT_PROXIED);
	if (!np_lock(&work.hello->busy))
		return np_outcome_of(NP_DROP_HELLO_ORDER);
	reason = np_judge_hello(&work);
	np_note_hello(&work, role);
	if (question->hello == NP_HELLO_ASKED && reason < NP_REASON_FIRST_DROP && !work.is_news &&
	    work.place.revision != question->revision) {
		reason = NP_REASON_REVALIDATED;
		work.is_news = true;
	}
	*is_news = work.is_news;
	if (reason >= NP_REASON_FIRST_DROP) {
		outcome = np_deny_hello(&work, reason);
		/* One that was lost is no name that was refused. */
		if (work.is_news && reason != NP_DROP_NOT_PROXIED && outcome.action != NP_ACTION_SHOT)
			np_report_name(&work);
	} else {
		outcome = np_outcome_of(reason);
	}
	np_unlock(&work.hello->busy);
	if (reason >= NP_REASON_FIRST_DROP)
		return outcome;
	if (question->hello == NP_HELLO_ASKED)
		np_stamp_flow(&work.place, question->revision,
			      question->travel == NP_INGRESS ? question->arrival : work.place.arrival);
	np_see_packet(&work.place, packet, question->travel);
	if (!np_note_frontend(hook, question, &work.place))
		return np_outcome_of(NP_DROP_INTERNAL);
	return outcome;
}

/* What np_judge_hello_packet returns: enum np_reason, and flags. */
#define NP_HELLO_REASON 0xff
#define NP_HELLO_ANSWERED 0x100 /* the packet has become its own answer, and goes back */
#define NP_HELLO_NEWS 0x200 /* it is worth a record */
#define NP_HELLO_TURNED 0x400 /* it goes on to the pod, if it is dropped as what it says to end the connection */

/* Judges the packet that np_scratch has. A global function, for its stack. */
__attribute__((noinline)) int np_judge_hello_packet(struct __sk_buff *skb)
{
	struct np_question *question = np_scratch_question();
	struct np_hook hook = np_hook_of(skb);
	struct np_outcome outcome;
	bool is_news;

	if (!question || !np_find_endpoint(&hook))
		return NP_DROP_NOT_READY;
	outcome = np_judge_hello_flow(&hook, question, &is_news);
	return outcome.reason | (outcome.action == NP_ACTION_REDIRECT ? NP_HELLO_ANSWERED : 0) |
	       (outcome.action == NP_ACTION_NEXT ? NP_HELLO_TURNED : 0) |
	       (is_news ? NP_HELLO_NEWS : 0);
}

#endif
