/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What to do with a parsed packet of a pod before its policy is asked: pass what belongs to an admitted flow, where policy
 * needs state in both directions; for everything else policy comes first. Each function returns an outcome, or does not
 * return because another program goes on.
 */
#ifndef NP_JUDGE_H
#define NP_JUDGE_H

#include "events.h"
#include "packet.h"
#include "policy.h"
#include "service.h"
#include "translate.h"

/*
 * What the pod has sent comes back to it: it leaves by the interface it came in by, and the pod's own hook has seen it there.
 * Its source may have been replaced on the way; a pod cannot block access to itself.
 */
NP_INLINE bool np_is_hairpin(const struct np_hook *hook, enum np_direction direction, __u32 arrival)
{
	/* What comes in by an uplink of the node is seen where it comes in. */
	return direction == NP_INGRESS && arrival == np_own_arrival(hook) &&
	       !(hook->endpoint->flags & NP_ENDPOINT_HOST);
}

/*
 * The pod's answer to what came back to it under the node's address (np_is_hairpin), of no connection. It says nothing of whether somebody
 * translates it still, so it does not keep its flow alive. A connection needs no such care: who has forgotten one takes no packet from its
 * middle. From a pod there is one way to see that it came back, without a branch for each condition, which the verifier would follow.
 */
NP_INLINE bool np_answers_itself(const struct np_hook *hook, const struct np_flow_place *place, __u8 protocol, bool forward)
{
	const __u32 differs = (place->arrival ^ (hook->skb->ifindex + 1)) | (hook->endpoint->flags & NP_ENDPOINT_HOST);

	return !forward && hook->direction == NP_EGRESS && np_has_no_connection(protocol) && np_unlikely(!differs);
}

/* Whether it is so long ago that something came back to the pod that nobody may translate its answers any more. */
NP_INLINE bool np_is_hairpin_over(const struct np_flow_place *place)
{
	return np_is_older(np_flow_age(np_flow_clock(), place->last_seen), NP_HAIRPIN_SECONDS);
}

/*
 * What the pod has sent comes back to it as the answer to a query that was not allowed (dns_query.h). Only what came in from the pod
 * itself is looked at, and marks are nothing that a pod can set.
 */
NP_INLINE bool np_is_refusal(const struct np_hook *hook)
{
	return hook->arrival == np_own_arrival(hook) && hook->skb->mark == NP_REFUSAL_MARK;
}

/* Goes on in another program, with the packet that np_scratch has. Returns only to drop. */
NP_INLINE struct np_outcome np_pass_to_step(const struct np_hook *hook, const enum np_step step)
{
	np_jump_to(hook->skb, step);
	return np_outcome_of(NP_DROP_NO_STEP);
}

/* The cursor in the program that goes on. */
NP_INLINE void np_cursor_resume(struct np_cursor *cursor, struct __sk_buff *skb, const struct np_question *question)
{
	np_cursor_start(cursor, skb);
	cursor->offset = question->resume_offset;
	cursor->end = question->resume_end;
	cursor->direct = false;
}

/* Begins to judge the question's packet, which travels as the hook sees it. */
NP_INLINE void np_begin_question(const struct np_hook *hook, struct np_question *question, bool tracked)
{
	question->flow.flags = 0;
	question->choice.made = false;
	question->choice.back = false;
	question->endpoint = hook->slot;
	question->arrival = hook->arrival;
	question->revision = np_unlikely(hook->endpoint->flags & NP_ENDPOINT_HOST) ? question->host_revision :
										     hook->endpoint->revision;
	question->stage = NP_STAGE_OWN;
	question->own = NP_REASON_NONE;
	question->travel = hook->direction;
	question->direction = hook->direction;
	question->need = np_need_of(hook->endpoint, hook->direction);
	question->tracked = tracked;
	question->allowed = NP_REASON_ALLOWED;
	question->kept = 0;
	question->named = 0;
	question->names_done = false;
	question->reads = false;
	question->hello = NP_HELLO_NONE;
	question->proxy = NP_PROXY_RULES;
	question->is_proxied = false;
	if (np_config.fast_path)
		question->straight = tracked && !(hook->endpoint->flags & NP_ENDPOINT_HOST);
}

/* Goes on in the step for flows that the proxy carries. Returns only to drop. */
NP_INLINE enum np_reason np_go_to_proxy(const struct np_hook *hook, struct np_question *question, enum np_proxy_call call)
{
	question->proxy = call;
	np_jump_to(hook->skb, NP_STEP_PROXY);
	return NP_DROP_NO_STEP;
}

/* np_verdict goes on as after a policy program that allows everything. Returns only to drop. */
NP_INLINE struct np_outcome np_allow_unasked(const struct np_hook *hook, struct np_question *question)
{
	question->asked = NP_IDENTITY_UNKNOWN;
	question->asked_flags = 0;
	question->also = 0;
	hook->skb->cb[NP_CB_VERDICT] = NP_VERDICT_ALLOW | NP_DECISION_HOST << NP_CB_DECISION_SHIFT;
	hook->skb->cb[NP_CB_BASE] = 0;
	np_jump_to(hook->skb, NP_STEP_VERDICT);
	return np_outcome_of(NP_DROP_NO_STEP);
}

/*
 * Asks whether the opposite direction allows the answer in its own right. The node's answer may be generated here or
 * forwarded from elsewhere, which are two remotes; what answers the node itself is answered from here.
 */
NP_INLINE struct np_outcome np_ask_mirror(const struct np_hook *hook, struct np_question *question, enum np_stage stage)
{
	const struct np_packet *packet = &question->packet;
	const enum np_direction direction = np_opposite(question->travel);
	const bool from_node = direction == NP_EGRESS || np_is_syn_ack(packet) || np_has_ports_of_answer(packet);
	struct np_remote remote;

	remote = np_identify(np_remote_of(packet, question->travel), direction, NP_ARRIVAL_HERE);
	if (direction == NP_INGRESS && np_unlikely(np_is_host_identity(remote.identity)) && !from_node)
		remote.also = np_outside_identity(np_remote_of(packet, question->travel));
	question->stage = stage;
	question->direction = direction;
	return np_ask(hook, question, &remote);
}

/* Policy has nothing to say about packets of the direction. */
NP_INLINE bool np_is_open(const struct np_endpoint *endpoint, enum np_direction direction)
{
	return endpoint->flags >> (NP_ENDPOINT_OPEN_SHIFT + direction) & 1;
}

/* Takes down that the packet passes in its own right, as after a program that allows everything. */
NP_INLINE void np_note_open(const struct np_hook *hook, struct np_question *question, const struct np_remote *remote)
{
	question->own = NP_REASON_ALLOWED;
	question->rule_hit = hook->endpoint->open_hit[hook->direction & 1];
	question->decision = NP_DECISION_DEFAULT_ALLOW;
	question->decided = hook->direction;
	question->remote_identity = remote->identity;
	question->flags = remote->flags;
}

/*
 * Asks the policy about the packet in its own right; the source of one that came in is checked here. `remote` is who
 * np_identify says it is. Returns only to drop.
 */
NP_INLINE struct np_outcome np_ask_own(const struct np_hook *hook, struct np_question *question,
				       const struct np_remote *remote)
{
	if (hook->direction == NP_INGRESS) {
		if (np_unlikely(np_is_hairpin(hook, hook->direction, hook->arrival))) {
			/* The service step has its entries already, which must stay the only ones of their ends. */
			if (remote->traits & NP_IDENTITY_FRONTEND && np_is_from_service(&question->packet))
				return np_outcome_of(NP_REASON_HAIRPIN);
			/* An answer made here is of no flow: what the pod asks next is asked anew. */
			if (np_is_refusal(hook))
				return np_outcome_of(NP_REASON_HAIRPIN);
			question->allowed = NP_REASON_HAIRPIN;
			return np_allow_unasked(hook, question);
		}
		/* On the fast path the hook where the packet is has just seen that the packet is its own pod's. */
		if (remote->may_be_here && !np_is_on_fast_path(hook->skb) &&
		    np_unlikely(!np_comes_from(&question->packet.source, hook->arrival)))
			return np_outcome_of(NP_DROP_FOREIGN_SOURCE);
	}
	if (np_is_open(hook->endpoint, hook->direction)) {
		if (question->need == NP_STATE_NEVER && np_likely(!np_is_passing_wanted())) {
			np_count_hit(hook->endpoint->open_hit[hook->direction & 1]);
			return np_outcome_of(NP_REASON_ALLOWED);
		}
		if (question->need == NP_STATE_MIRROR && question->tracked) {
			np_note_open(hook, question, remote);
			if (np_unlikely(!remote->is_plain))
				return np_ask_mirror(hook, question, NP_STAGE_MIRROR);
			question->stage = NP_STAGE_MIRROR;
			question->direction = np_opposite(hook->direction);
			return np_ask(hook, question, remote);
		}
	}
	return np_ask(hook, question, remote);
}

/* Policy decides, and there is no flow: ICMP messages by type, and what is sent to a group. */
NP_INLINE struct np_outcome np_judge_message(const struct np_hook *hook, struct np_question *question)
{
	struct np_remote remote;

	np_begin_question(hook, question, false);
	remote = np_identify(np_remote_of(&question->packet, hook->direction), hook->direction, hook->arrival);
	return np_ask_own(hook, question, &remote);
}

/*
 * A packet of an admitted flow came in by another way than those before. NP_REASON_NONE: the policy must be asked again, as
 * the remote may be another one: the node itself, somebody behind the node's address, or the pod itself.
 */
NP_INLINE enum np_reason np_judge_arrival(const struct np_hook *hook, const struct np_packet *packet,
					  struct np_flow_place *place, bool forward)
{
	__u32 own = np_own_arrival(hook);

	if (!np_comes_from(&packet->source, hook->arrival))
		return NP_DROP_FOREIGN_SOURCE;
	if (forward && (place->arrival == NP_ARRIVAL_HERE || hook->arrival == NP_ARRIVAL_HERE ||
			place->arrival == own || hook->arrival == own))
		return NP_REASON_NONE;
	np_stamp_flow(place, place->revision, hook->arrival);
	return forward ? NP_REASON_ESTABLISHED : NP_REASON_REPLY;
}

/* Goes on in the step for packets to Services. Returns only to drop. */
NP_INLINE enum np_reason np_go_to_service(const struct np_hook *hook)
{
	np_jump_to(hook->skb, NP_STEP_SERVICE);
	return NP_DROP_NO_STEP;
}

/* Notes by which names a flow was let in: they go on to count for it. */
NP_INLINE void np_keep_names(const struct np_hook *hook, struct np_question *question, const struct np_flow_place *place)
{
	struct np_address other;
	__be16 port;

	if (np_likely(!(place->flags & NP_ENTRY_NAMED)))
		return;
	if (np_read_other(place, &other, &port) && other.word[1] == hook->endpoint->names)
		question->kept = other.word[0];
}

/*
 * A SYN of the pod that may be one that was let in before and that nobody has answered: names go on to count for it as long as its entry
 * is there, which it does not renew. Else a connection that a name let begin would come to nothing by a lost packet, where DNS gives addresses
 * for seconds. A global function: verified once. Returns nothing of interest.
 */
__attribute__((noinline)) int np_keep_opening(struct __sk_buff *skb)
{
	struct np_question *question = np_scratch_question();
	struct np_hook hook = np_hook_of(skb);
	struct np_flow_place place;

	if (!question || !np_find_endpoint(&hook))
		return 0;
	np_fill_flow_key(hook.endpoint, &question->packet, NP_EGRESS, &question->flow);
	if (np_find_flow(hook.endpoint, hook.slot, &question->flow, np_hash_flow(hook.slot, &question->flow), &place) &&
	    np_flow_role(place.flags) == NP_ROLE_INITIATOR && !(place.flags & NP_ENTRY_ANSWERED) &&
	    !np_is_over(&place, question->packet.protocol))
		np_keep_names(&hook, question, &place);
	return 0;
}

/*
 * Whether the pod's packet is a question to policy though it is of a flow that policy has admitted: a query, or what may be one
 * against the direction of a flow that somebody has opened from where queries go.
 */
NP_INLINE bool np_may_be_query(const struct np_hook *hook, const struct np_packet *packet, __u32 flags, bool forward)
{
	return hook->direction == NP_EGRESS &&
	       (flags & NP_ENTRY_QUERIES ||
		(!forward && hook->endpoint->flags & NP_ENDPOINT_NAMES && packet->protocol == IPPROTO_UDP));
}

/* Goes on in the step that reads what a resolver answers, which then passes for a reason. Returns only to drop. */
NP_INLINE enum np_reason np_go_to_dns_answer(const struct np_hook *hook, struct np_question *question,
					     enum np_reason reason, bool is_news)
{
	question->names_reason = reason;
	question->names_news = is_news;
	np_jump_to(hook->skb, NP_STEP_DNS_ANSWER);
	return NP_DROP_NO_STEP;
}

/* Goes on in the step for flows that wait for their server's name. Returns only to drop. */
NP_INLINE enum np_reason np_go_to_hello(const struct np_hook *hook, struct np_question *question)
{
	question->hello = NP_HELLO_KNOWN;
	np_jump_to(hook->skb, NP_STEP_HELLO);
	return NP_DROP_NO_STEP;
}

/*
 * Passes a packet of a flow that the pod has admitted under the current revision. NP_REASON_NONE: it is none, or the policy
 * must be asked all the same.
 */
NP_INLINE enum np_reason np_judge_known(const struct np_hook *hook, struct np_question *question)
{
	const struct np_packet *packet = &question->packet;
	struct np_flow_place place;
	enum np_reason reason;
	bool forward;
	__u64 hash;

	np_fill_flow_key(hook->endpoint, packet, hook->direction, &question->flow);
	hash = np_hash_flow(hook->slot, &question->flow);
	if (!np_find_flow(hook->endpoint, hook->slot, &question->flow, hash, &place))
		return NP_REASON_NONE;
	if (np_unlikely(place.flags & (NP_ENTRY_FRONTEND | NP_ENTRY_BACKEND))) {
		/* To a Service; or straight to a backend, with the ports of a flow through a Service. */
		if (hook->direction == NP_EGRESS)
			return np_send_on(hook, question, &place, &reason) ? reason : np_go_to_service(hook);
		/* Its answers must not pass without their translation, whatever policy says of them in their own right. */
		if (place.flags & NP_ENTRY_BACKEND)
			question->need = NP_STATE_ALWAYS;
	}
	forward = np_flow_role(place.flags) == np_role_of(hook->direction);
	if (np_unlikely(place.revision != question->revision || np_flow_role(place.flags) == NP_ROLE_NONE ||
			np_opens(packet) || !np_belongs(packet, forward) ||
			np_is_forgotten(&place, packet->protocol, forward) ||
			np_answers_itself(hook, &place, packet->protocol, forward) ||
			np_may_be_query(hook, packet, place.flags, forward))) {
		np_keep_names(hook, question, &place);
		return NP_REASON_NONE;
	}
	if (np_unlikely(place.flags & NP_ENTRY_PROXY))
		return np_go_to_proxy(hook, question, NP_PROXY_KNOWN);
	reason = forward ? NP_REASON_ESTABLISHED : NP_REASON_REPLY;
	if (hook->direction == NP_INGRESS && np_unlikely(place.arrival != hook->arrival)) {
		/* An answer made here, by np_dns_query or np_hello. */
		if (np_is_refusal(hook) ||
		    (place.flags & NP_ENTRY_HELLO && np_is_hairpin(hook, hook->direction, hook->arrival)))
			return NP_REASON_HAIRPIN;
		reason = np_judge_arrival(hook, packet, &place, forward);
	}
	if (reason && reason < NP_REASON_FIRST_DROP) {
		if (np_unlikely(place.flags & NP_ENTRY_HELLO))
			return np_go_to_hello(hook, question);
		np_see_packet(&place, packet, hook->direction);
		if (np_unlikely(place.flags & NP_ENTRY_QUERIES))
			return np_note_frontend(hook, question, &place) ?
				       np_go_to_dns_answer(hook, question, reason, false) : NP_DROP_INTERNAL;
		reason = np_send_back(hook, question, &place, reason);
	}
	return reason;
}

/* Whether a packet goes to an address that a Service has, from a pod whose packets are translated here. */
NP_INLINE bool np_goes_to_service(const struct np_hook *hook, const struct np_remote *remote)
{
	return hook->direction == NP_EGRESS && np_unlikely(remote->traits & NP_IDENTITY_FRONTEND) &&
	       hook->endpoint->flags & NP_ENDPOINT_SERVICES;
}

/* Whether the other end of the packet is a Service's endpoint. */
NP_INLINE bool np_has_backend(const struct np_hook *hook, const struct np_packet *packet, const struct np_remote *remote)
{
	return np_unlikely(remote->traits & NP_IDENTITY_BACKEND) &&
	       np_is_backend_end(np_remote_of(packet, hook->direction), np_remote_port_of(packet, hook->direction),
				 packet->protocol);
}

/* Packets of flows. `question` has begun. */
NP_INLINE struct np_outcome np_judge_flow(const struct np_hook *hook, struct np_question *question)
{
	const struct np_packet *packet = &question->packet;
	const bool has_state = question->need == NP_STATE_ALWAYS && !np_opens(packet);
	/* UDP goes to a Service from its next packet on when there is one, whatever entry it has. */
	const bool at_once = has_state && !(hook->direction == NP_EGRESS && np_may_move(packet) &&
					    hook->endpoint->flags & NP_ENDPOINT_SERVICES);
	bool look = at_once, to_service = false;
	struct np_remote remote = {}; /* the compiler may load it before it is known whether it is needed */

	if (!at_once) {
		remote = np_identify(np_remote_of(packet, hook->direction), hook->direction, hook->arrival);
		to_service = np_goes_to_service(hook, &remote);
		look = has_state;
		if (np_unlikely(to_service)) {
			look = !np_may_move(packet);
		} else if ((hook->direction == NP_EGRESS || !np_opens(packet)) && np_has_backend(hook, packet, &remote)) {
			look = true;
			/* Remembered, so that a flow through a Service with the same ports gets another one there. */
			if (hook->direction == NP_EGRESS)
				question->need = NP_STATE_ALWAYS;
		}
	}
	if (look) {
		enum np_reason reason = np_judge_known(hook, question);

		if (np_likely(reason))
			return np_outcome_of(reason);
	}
	if (at_once) {
		remote = np_identify(np_remote_of(packet, hook->direction), hook->direction, hook->arrival);
		to_service = np_goes_to_service(hook, &remote);
	}
	if (np_unlikely(hook->endpoint->names) && hook->direction == NP_EGRESS && np_opens(packet))
		np_keep_opening(hook->skb);
	return np_unlikely(to_service) ? np_outcome_of(np_go_to_service(hook)) : np_ask_own(hook, question, &remote);
}

/* A packet whose kind and ports are known, in a flow or not. Does not return when the policy program or a step goes on. */
NP_INLINE struct np_outcome np_judge_parsed(const struct np_hook *hook, struct np_question *question)
{
	/* Multicast and broadcast have many receivers, and a flow has only one end here. */
	if (question->packet.kind == NP_KIND_STATELESS ||
	    (hook->direction == NP_INGRESS && !np_is_endpoint_address(hook->endpoint, &question->packet.destination)))
		return np_judge_message(hook, question);
	np_begin_question(hook, question, true);
	return np_judge_flow(hook, question);
}

#endif
