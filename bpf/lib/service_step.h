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

/*
 * Whether a packet may as well go to another backend than those before: what begins anew, and UDP. A connection stays where it
 * is until it ends, whatever becomes of the Service: nobody else could go on with it.
 */
NP_INLINE bool np_may_move(const struct np_packet *packet)
{
	return packet->protocol == IPPROTO_UDP || packet->initiates;
}

/* The other step for what goes back to the pod. Returns only to drop. */
NP_INLINE struct np_outcome np_go_to_hairpin(const struct np_hook *hook)
{
	bpf_tail_call(hook->skb, &np_steps, NP_STEP_HAIRPIN);
	return np_outcome_of(NP_DROP_NO_STEP);
}

/* What becomes of a packet to an address that a Service has. */
enum np_way {
	NP_WAY_PLAIN, /* it is for no Service: its destination is what it says */
	NP_WAY_BACKEND, /* question->choice says where it goes, and question->flow is the flow there */
	NP_WAY_REFUSED, /* the Service has no endpoint */
};

/* Where a packet to an address of a Service goes. */
NP_INLINE enum np_way np_find_way(const struct np_hook *hook, struct np_question *question)
{
	const struct np_packet *packet = &question->packet;
	struct np_flow_record *flow = &question->flow;
	struct np_choice *choice = &question->choice;
	const struct np_service *service = NULL;
	struct np_flow_place front;
	struct np_end backend;
	bool is_known;
	__u64 hash;

	hash = np_hash_flow(hook->slot, flow);
	is_known = np_find_translation(hook, flow, hash, NP_ENTRY_FRONTEND, &front, &backend);
	if (!is_known || np_may_move(packet)) {
		service = np_find_service(packet);
		if (!service)
			return NP_WAY_PLAIN;
	}
	if (is_known && (!service || np_is_still_usable(front.arrival, front.revision))) {
		choice->backend = front.arrival;
		choice->generation = front.revision;
		choice->affinity = false;
		np_mark_flow(&front, np_flags_set_by(packet, NP_EGRESS, NP_ROLE_INITIATOR, false),
			     np_flags_cleared_by(packet));
	} else if (!service || !np_choose_backend(service, hook->slot, hash, choice, &backend)) {
		return NP_WAY_REFUSED;
	}
	choice->frontend = packet->destination;
	choice->port = packet->destination_port;
	choice->made = true;
	flow->other = packet->destination;
	flow->other_port = packet->destination_port;
	flow->remote = backend.address;
	flow->remote_port = backend.port;
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
	return reason;
}

/*
 * Passes the packet if its flow has an entry under the current revision, whatever policy says about state: the entry of a
 * Service's flow is the one that translates its answers.
 */
NP_INLINE enum np_reason np_judge_in_step(const struct np_hook *hook, const struct np_question *question)
{
	const struct np_packet *packet = &question->packet;
	const __u64 hash = np_hash_flow(hook->slot, &question->flow);
	struct np_flow_place entry;
	bool forward;

	if (question->choice.made ? !np_find_backend_entry(hook, &question->flow, hash, &entry) :
				    !np_find_flow(hook->endpoint, hook->slot, &question->flow, hash, &entry))
		return NP_REASON_NONE;
	forward = np_flow_role(entry.flags) == NP_ROLE_INITIATOR;
	if (np_flow_role(entry.flags) == NP_ROLE_NONE || np_opens(packet) || !np_belongs(packet, forward) ||
	    entry.revision != hook->endpoint->revision)
		return NP_REASON_NONE;
	np_see_packet(&entry, packet, NP_EGRESS);
	return forward ? NP_REASON_ESTABLISHED : NP_REASON_REPLY;
}

/* A packet from the pod to an address that a Service has, or to that of hairpins. `question` has begun. */
NP_INLINE struct np_outcome np_judge_to_service(const struct np_hook *hook, struct np_question *question)
{
	const struct np_packet *packet = &question->packet;
	enum np_way way = NP_WAY_PLAIN;
	struct np_remote remote;
	enum np_reason reason;

	np_fill_flow_key(hook->endpoint, packet, NP_EGRESS, &question->flow);
	if (np_is_service_protocol(packet->protocol)) {
		if (np_unlikely(np_is_hairpin_address(&packet->destination)))
			return np_go_to_hairpin(hook);
		way = np_find_way(hook, question);
	}
	if (way == NP_WAY_REFUSED)
		return np_refuse(hook->skb);
	if (way == NP_WAY_BACKEND) {
		if (np_unlikely(np_is_endpoint_address(hook->endpoint, &question->flow.remote)))
			return np_go_to_hairpin(hook);
		reason = np_go_to_backend(hook, question);
		if (reason)
			return np_outcome_of(reason);
		question->need = NP_STATE_ALWAYS;
	}
	reason = np_judge_in_step(hook, question);
	if (np_likely(reason))
		return np_outcome_of(reason);
	if (way == NP_WAY_BACKEND)
		question->flow.flags = NP_ENTRY_BACKEND;
	remote = np_identify(&packet->destination, NP_EGRESS, hook->arrival);
	return np_ask_own(hook, question, &remote);
}

#endif
