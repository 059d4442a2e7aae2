/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The service step: packets from a pod to an address that a Service has. The frame is changed before
 * the packet is judged, which is then judged as one to the backend: policies and np_verdict do not look at the frame, and what
 * they drop has been changed in vain.
 */
#ifndef NP_SERVICE_STEP_H
#define NP_SERVICE_STEP_H

#include "choice.h"
#include "judge.h"
#include "refusal.h"

/* The other step for what goes back to the pod. Returns only to drop. */
NP_INLINE struct np_outcome np_go_to_hairpin(const struct np_hook *hook)
{
	np_jump_to(hook->skb, NP_STEP_HAIRPIN);
	return np_outcome_of(NP_DROP_NO_STEP);
}

/* What becomes of a packet to an address that a Service has. */
enum np_way {
	NP_WAY_PLAIN, /* it is for no Service: its destination is what it says */
	NP_WAY_BACKEND, /* question->choice says where it goes, and question->flow is the flow there */
	NP_WAY_REFUSED, /* the Service has no endpoint */
};

/* What was found out about where the packet went before. */
struct np_former {
	struct np_flow_place front; /* its FRONTEND entry, where `is_known`; else what else has its ends, if something has */
	struct np_end backend;
	__u64 hash;
	bool is_known;
};

/* Finds the FRONTEND entry; where the packet's ends are those of a flow through a Service, under the alias. */
NP_INLINE void np_find_former(const struct np_hook *hook, struct np_flow_record *flow, struct np_former *former)
{
	struct np_flow_place holder;

	former->is_known = np_find_translation(hook, flow, former->hash, NP_ENTRY_FRONTEND, &former->front,
					       &former->backend);
	if (np_likely(former->is_known) || !former->front.set || !(former->front.flags & NP_ENTRY_BACKEND))
		return;
	holder = former->front;
	flow->own_address |= NP_OWN_ALIAS;
	former->hash = np_hash_flow(hook->slot, flow);
	former->is_known = np_find_translation(hook, flow, former->hash, NP_ENTRY_FRONTEND, &former->front,
					       &former->backend);
	if (former->is_known) {
		/* The alias is found by way of the other flow's entry, so that has to stay, though its flow may be over. */
		np_mark_flow(&holder, 0, 0);
	} else if (np_is_over(&holder, flow->protocol)) {
		/* What it had is free. */
		np_free_flow(&holder);
		flow->own_address &= NP_OWN_ADDRESS_MASK;
		former->hash = np_hash_flow(hook->slot, flow);
		former->front.set = NULL;
	}
}

/* Notes in the FRONTEND entry of a flow that stays where it is that it was seen. */
NP_INLINE void np_see_front(struct np_flow_place *front, const struct np_packet *packet)
{
	__u32 flags = np_flags_set_by(packet, NP_EGRESS, NP_ROLE_INITIATOR, false);

	if (np_has_no_connection(packet->protocol) && front->flags & NP_ENTRY_ANSWERED)
		flags = NP_ENTRY_STREAM;
	np_mark_flow(front, flags, np_flags_cleared_by(packet));
}

/* Where a packet to an address of a Service goes, or straight to an end that a flow through a Service has. */
NP_INLINE enum np_way np_find_way(const struct np_hook *hook, struct np_question *question, struct np_former *former)
{
	const struct np_packet *packet = &question->packet;
	struct np_flow_record *flow = &question->flow;
	struct np_choice *choice = &question->choice;
	const bool is_alias = flow->own_address & NP_OWN_ALIAS;
	const bool stays = former->is_known && !np_may_move(packet);
	const struct np_service *service = NULL;
	bool keeps = stays;

	choice->affinity = false;
	if (!stays) {
		/* In the middle of a connection that went to the address itself, before a Service had it. */
		if (!np_may_move(packet) && former->front.set && !is_alias && np_flow_role(former->front.flags) &&
		    !np_is_over(&former->front, packet->protocol))
			return NP_WAY_PLAIN;
		service = np_find_service(packet);
		if (service)
			keeps = former->is_known && np_is_still_usable(former->front.arrival);
		else
			keeps = former->is_known && is_alias && !former->front.arrival;
	}
	if (keeps) {
		choice->backend = former->front.arrival;
		np_see_front(&former->front, packet);
	} else if (service) {
		if (!np_choose_backend(service, hook->slot, former->hash, choice, &former->backend))
			return NP_WAY_REFUSED;
	} else if (is_alias) {
		choice->backend = 0;
		former->backend.address = packet->destination;
		former->backend.port = packet->destination_port;
	} else {
		/* What was a Service's address is none any more. */
		if (former->is_known)
			np_free_flow(&former->front);
		return NP_WAY_PLAIN;
	}
	choice->frontend = packet->destination;
	choice->port = packet->destination_port;
	choice->own_port = packet->source_port;
	choice->own_address = flow->own_address;
	choice->made = true;
	flow->own_address &= NP_OWN_ADDRESS_MASK;
	flow->other = packet->destination;
	flow->other_port = packet->destination_port;
	flow->remote = former->backend.address;
	flow->remote_port = former->backend.port;
	if (keeps)
		flow->own_port = np_port_beyond(former->front.flags, flow->own_port);
	former->is_known = keeps;
	return NP_WAY_BACKEND;
}

/* Makes the packet one to the backend. Returns a reason to drop it, or none. */
NP_INLINE enum np_reason np_go_to_backend(const struct np_hook *hook, struct np_question *question)
{
	const struct np_flow_record *flow = &question->flow;
	struct np_packet *packet = &question->packet;
	const struct np_place place = np_place_of(question);
	enum np_reason reason =
		np_replace_end(hook->skb, packet, &place, false, &flow->remote, flow->remote_port);

	packet->destination = flow->remote;
	packet->destination_port = flow->remote_port;
	if (!reason && np_unlikely(flow->own_port != packet->source_port))
		reason = np_replace_port(hook->skb, packet, &place, true, flow->own_port);
	packet->source_port = flow->own_port;
	return reason;
}

/*
 * Whether a packet of a known flow passes: if the flow to the backend has an entry under the current revision, whatever policy says about
 * state: it is the one that translates the answers.
 */
NP_INLINE enum np_reason np_judge_in_step(const struct np_hook *hook, struct np_question *question,
					  struct np_former *former)
{
	const struct np_packet *packet = &question->packet;
	const __u64 hash = np_hash_flow(hook->slot, &question->flow);
	struct np_flow_place entry;

	if (!former->is_known || np_opens(packet) ||
	    !np_find_flow(hook->endpoint, hook->slot, &question->flow, hash, &entry) ||
	    !np_is_chosen(&entry, question) || np_flow_role(entry.flags) != NP_ROLE_INITIATOR ||
	    entry.revision != hook->endpoint->revision)
		return NP_REASON_NONE;
	/* Each query is a question to policy, however well the flow is known. */
	if (np_unlikely(entry.flags & NP_ENTRY_QUERIES))
		return NP_REASON_NONE;
	if (np_unlikely(entry.flags & (NP_ENTRY_HELLO | NP_ENTRY_PROXY))) {
		question->hello = entry.flags & NP_ENTRY_HELLO ? NP_HELLO_KNOWN : NP_HELLO_NONE;
		question->is_proxied = !!(entry.flags & NP_ENTRY_PROXY);
		question->proxy = NP_PROXY_KNOWN;
		return NP_REASON_ESTABLISHED;
	}
	np_see_packet(&entry, packet, NP_EGRESS);
	np_stamp_flow(&former->front, entry.revision, former->front.arrival);
	return NP_REASON_ESTABLISHED;
}

/* A packet whose destination is what it says. Returns only to drop. */
NP_INLINE struct np_outcome np_judge_plain(const struct np_hook *hook, struct np_question *question)
{
	const struct np_remote remote = np_identify(&question->packet.destination, NP_EGRESS, hook->arrival);

	return np_ask_own(hook, question, &remote);
}

/* A packet from the pod to an address that a Service has, or to that of hairpins. `question` has begun. */
NP_INLINE struct np_outcome np_judge_to_service(const struct np_hook *hook, struct np_question *question)
{
	const struct np_packet *packet = &question->packet;
	struct np_flow_record *flow = &question->flow;
	struct np_former former = {};
	enum np_reason reason, known;
	bool is_hairpin;

	if (np_unlikely(!np_is_service_protocol(packet->protocol)))
		return np_judge_plain(hook, question);
	np_fill_flow_key(hook->endpoint, packet, NP_EGRESS, flow);
	if (np_unlikely(np_is_hairpin_address(&packet->destination)))
		return np_go_to_hairpin(hook);
	former.hash = np_hash_flow(hook->slot, flow);
	np_find_former(hook, flow, &former);
	if (np_likely(former.is_known && np_send_on(hook, question, &former.front, &reason)))
		return np_outcome_of(reason);
	switch (np_find_way(hook, question, &former)) {
	case NP_WAY_PLAIN:
		return np_judge_plain(hook, question);
	case NP_WAY_REFUSED:
		return np_refuse(hook->skb);
	case NP_WAY_BACKEND:
		break;
	}
	is_hairpin = np_is_endpoint_address(hook->endpoint, &flow->remote);
	known = np_unlikely(is_hairpin) ? NP_REASON_NONE : np_judge_in_step(hook, question, &former);
	/* The port of before may be another flow's by now. */
	if (np_unlikely(!known) && !np_find_port(hook->skb))
		return np_outcome_of(NP_DROP_UNTRANSLATABLE);
	flow->flags = NP_ENTRY_BACKEND | np_port_flags(flow->own_port, question->choice.own_port);
	if (np_unlikely(is_hairpin))
		return np_go_to_hairpin(hook);
	reason = np_go_to_backend(hook, question);
	if (reason || known)
		return np_outcome_of(reason ? reason : known);
	question->need = NP_STATE_ALWAYS;
	return np_judge_plain(hook, question);
}

/* What is left to do for a packet to or from a Service that passes. Returns the reason to pass it, or one to drop it. */
NP_INLINE enum np_reason np_finish_service(const struct np_hook *hook, const struct np_question *question,
					   enum np_reason reason)
{
	if (np_unlikely(question->choice.made) && !np_keep_choice(hook->skb))
		return NP_DROP_CONNTRACK_FULL;
	return np_translate_back(hook, question, reason);
}

#endif
