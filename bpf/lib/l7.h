/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where a packet goes on of which the policy says that L7 rules decide. */
#ifndef NP_L7_H
#define NP_L7_H

#include "judge.h"
#include "name.h"
#include "policy.h"

/* Takes down what the policy said, for the step that goes on. */
NP_INLINE void np_note_l7(struct np_question *question, const struct np_answer *answer)
{
	question->l7_rules = answer->rules;
	question->l7_base = answer->base;
	question->l7_word = answer->word;
}

/* Whether an answer of the policy is one that a step makes another answer of. */
NP_INLINE bool np_is_l7(const struct np_answer *answer)
{
	return answer->verdict == NP_VERDICT_L7 || answer->verdict == NP_VERDICT_ALLOW_READ;
}

/*
 * The policy was asked about a flow of queries, not about a query: what belongs to it passes, for it is the queries that are filtered,
 * and from now on each of them is.
 */
NP_INLINE bool np_is_of_queries(struct np_question *question, const struct np_answer *answer)
{
	if (question->direction != NP_EGRESS || question->packet.protocol != IPPROTO_UDP)
		return false;
	if (answer->verdict == NP_VERDICT_L7 && !(answer->rules & np_name_bits(answer->base, NP_NAME_SET_DNS)))
		return false;
	question->flow.flags |= NP_ENTRY_QUERIES;
	return true;
}

/*
 * A packet of TCP that only rules about server names match: a SYN passes, and np_hello goes on once its flow has an entry; what is in
 * the middle of a connection goes there if it has one.
 */
NP_INLINE enum np_reason np_route_hello(struct np_question *question)
{
	if (question->also || !question->tracked)
		return NP_DROP_L7_UNAVAILABLE;
	if (!question->packet.initiates) {
		question->hello = NP_HELLO_ASKED;
		return NP_DROP_L7_UNAVAILABLE;
	}
	/* What a fragment has no room for comes in others. */
	if (question->resume_end > question->resume_offset || question->packet.fragment != NP_FRAGMENT_NONE)
		return NP_DROP_SYN_DATA;
	question->hello = NP_HELLO_OPENS;
	question->flow.flags |= NP_ENTRY_HELLO;
	question->need = NP_STATE_ALWAYS;
	return NP_REASON_ALLOWED;
}

/*
 * A plain rule lets a new connection begin in the flow entry of an earlier one whose ClientHello was read: that ClientHello does not count
 * for it.
 */
NP_INLINE void np_leave_hello(const struct np_flow_place *place)
{
	const __u32 slot = np_flow_slot(place);
	struct np_hello *hello = bpf_map_lookup_elem(&np_hellos, &slot);

	if (hello && hello->version == np_flow_version(place))
		hello->version = np_flow_version(place) - 1;
}

/* Whether rules about server names, and no others, match. */
NP_INLINE bool np_asks_for_hello(const struct np_question *question, const struct np_answer *answer)
{
	return answer->verdict == NP_VERDICT_L7 && question->packet.protocol == IPPROTO_TCP && answer->rules &&
	       !(answer->rules & ~np_name_bits(answer->base, NP_NAME_SET_SERVER));
}

/*
 * The policy of the packet's own direction has answered NP_VERDICT_L7 or NP_VERDICT_ALLOW_READ: goes on in the step that decides such a
 * packet. Returns only if there is no such step, with what the answer means by itself.
 *
 * UDP goes to np_dns_query. TCP that np_hello does not decide goes to the proxy at the end of np_verdict.
 */
NP_INLINE enum np_reason np_route_l7(const struct np_hook *hook, struct np_question *question,
				     const struct np_answer *answer)
{
	const bool is_udp = question->packet.protocol == IPPROTO_UDP;

	if (is_udp && question->stage != NP_STAGE_OWN)
		return np_is_of_queries(question, answer) ? NP_REASON_ALLOWED : np_reason_of(answer);
	/* What the opposite direction says of the answer is no rule of this packet. */
	if (question->stage != NP_STAGE_OWN && question->stage != NP_STAGE_REPLY)
		return np_reason_of(answer);
	np_note_l7(question, answer);
	question->hello = NP_HELLO_NONE;
	if (np_asks_for_hello(question, answer))
		return np_route_hello(question);
	if (is_udp && hook->direction == NP_EGRESS && question->tracked)
		np_jump_to(hook->skb, NP_STEP_NAMES);
	return np_reason_of(answer);
}

/*
 * A packet that L7 rules are to decide goes on where they are known; what else they match is dropped. A connection that the proxy
 * carries stays there. Does not return when a step goes on.
 */
NP_INLINE struct np_outcome np_go_to_l7(const struct np_hook *hook, struct np_question *question)
{
	if (question->packet.protocol != IPPROTO_TCP || !question->tracked || question->also ||
	    question->stage >= NP_STAGE_EMBEDDED)
		return np_outcome_of(NP_DROP_L7_UNAVAILABLE);
	if (question->hello == NP_HELLO_ASKED && !question->is_proxied)
		return np_pass_to_step(hook, NP_STEP_HELLO);
	return np_outcome_of(np_go_to_proxy(hook, question, NP_PROXY_RULES));
}

#endif
