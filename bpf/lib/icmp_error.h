/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An ICMP error is judged by the packet it embeds, which travelled the other way: one that the pod sent (error to the
 * pod) or received (error from it). If the pod has admitted that packet's flow, or would let the packet pass without state,
 * the error passes, whoever sent it; any other error is judged by its type, like other ICMP messages.
 *
 * In a program of its own: parsing a second packet behind the first would square the number of states to verify.
 */
#ifndef NP_ICMP_ERROR_H
#define NP_ICMP_ERROR_H

#include "judge.h"
#include "transit.h"
#include "parse.h"
#include "translate_error.h"

/*
 * Parses the packet that the error in np_scratch is about, into the question's packet; the error is kept in `error`. Returns
 * enum np_reason; NP_REASON_NONE: there is one. A global function: it is verified once.
 */
__attribute__((noinline)) int np_parse_embedded(struct __sk_buff *skb)
{
	struct np_question *question = np_scratch_question();
	struct np_packet embedded = {};
	struct np_cursor cursor;
	enum np_reason reason;

	if (!question)
		return NP_DROP_INTERNAL;
	question->error = question->packet;
	np_cursor_resume(&cursor, skb, question);
	reason = np_parse_network(&cursor, &embedded, question->packet.protocol == IPPROTO_ICMPV6, true);
	question->packet = embedded;
	question->resume_end = cursor.end;
	question->transport_offset = cursor.transport;
	return reason || embedded.fragment == NP_FRAGMENT_LATER ? NP_DROP_ICMP_INNER : NP_REASON_NONE;
}

/* The error is judged as other messages are. */
NP_INLINE struct np_outcome np_judge_error_as_message(const struct np_hook *hook, struct np_question *question)
{
	question->packet = question->error;
	return np_judge_message(hook, question);
}

/* The error goes to the sender of the packet it is about, and this pod was an end of that packet's flow. */
NP_INLINE bool np_concerns_pod(const struct np_hook *hook, const struct np_packet *error,
			       const struct np_packet *embedded, enum np_direction travel)
{
	const struct np_address *own = travel == NP_EGRESS ? &embedded->source : &embedded->destination;

	return (hook->endpoint->flags & NP_ENDPOINT_HOST ? np_is_of_host(own) :
							   np_is_endpoint_address(hook->endpoint, own)) &&
	       np_same_address(&embedded->source, &error->destination) &&
	       (embedded->kind == NP_KIND_FLOW || embedded->kind == NP_KIND_ICMP_REPLY);
}

/* `question->packet` is the error. */
NP_INLINE struct np_outcome np_judge_error(const struct np_hook *hook, struct np_question *question)
{
	const enum np_direction travel = np_opposite(hook->direction);
	const struct np_packet *embedded = &question->packet;
	struct np_flow_place place;
	enum np_reason reason;
	bool known;
	__u32 role;
	__u64 hash;

	reason = np_parse_embedded(hook->skb);
	if (reason)
		return np_outcome_of(reason);
	if (!np_concerns_pod(hook, &question->error, embedded, travel))
		return np_judge_error_as_message(hook, question);

	np_begin_question(hook, question, true);
	question->straight = false;
	reason = np_translate_error(hook->skb);
	if (reason)
		return np_outcome_of(reason);
	question->travel = travel;
	question->need = np_need_of(hook->endpoint, travel);
	np_fill_flow_key(hook->endpoint, embedded, travel, &question->flow);
	hash = np_hash_flow(hook->slot, &question->flow);
	/* About a pod's packet under the node's address: whoever translates it back knows whether there was one. */
	if (np_config.hosts && hook->endpoint->flags & NP_ENDPOINT_HOST && travel == NP_EGRESS &&
	    np_find_transit(&question->flow, hash, &place) && np_is_in_transit(hook->skb, &place, embedded))
		return np_outcome_of(NP_REASON_TRANSIT);
	known = np_find_flow(hook->endpoint, hook->slot, &question->flow, hash, &place);
	role = known ? np_flow_role(place.flags) : NP_ROLE_NONE;
	if (role == NP_ROLE_NONE) {
		if (question->need == NP_STATE_ALWAYS)
			return np_judge_error_as_message(hook, question);
		return np_ask_stage(hook, question, NP_STAGE_EMBEDDED, travel, NP_ARRIVAL_UNKNOWN);
	}
	if (np_unlikely(place.flags & NP_ENTRY_PROXY))
		return np_outcome_of(np_go_to_proxy(hook, question, NP_PROXY_ERROR));
	/* An error of the pod's about what came back to it goes where its answers go. */
	if (np_answers_itself(hook, &place, embedded->protocol, travel != NP_INGRESS) && np_is_hairpin_over(&place))
		return np_judge_error_as_message(hook, question);
	if (place.revision == question->revision ||
	    np_is_hairpin(hook, np_direction_of(role), place.arrival))
		return np_outcome_of(NP_REASON_RELATED);
	np_keep_names(hook, question, &place);
	return np_ask_stage(hook, question, NP_STAGE_EMBEDDED_FLOW, np_direction_of(role), place.arrival);
}

#endif
