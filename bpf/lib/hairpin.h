/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A pod that is chosen as its own backend. It gets the packet from an address that is nobody's, so that its answer does not
 * stay inside the pod but comes by here. Both ways the packet goes back where it has come from, past everybody else, and no
 * policy is asked: a pod cannot be kept from itself. One BACKEND entry serves both: the pod's to itself.
 */
#ifndef NP_HAIRPIN_H
#define NP_HAIRPIN_H

#include "choice.h"
#include "refusal.h"

/* The packet leaves to the pod that has sent it. */
NP_INLINE struct np_outcome np_return_to_pod(struct __sk_buff *skb)
{
	struct np_outcome outcome = np_outcome_of(NP_REASON_HAIRPIN);

	if (np_swap_macs(skb))
		return np_outcome_of(NP_DROP_INTERNAL);
	outcome.action = bpf_redirect(skb->ifindex, 0);
	return outcome;
}

/* Admits the flow in `question->flow`, of the pod to itself. False: there is no room. */
NP_INLINE bool np_admit_hairpin(const struct np_hook *hook, struct np_question *question)
{
	struct np_flow_record *flow = &question->flow;
	const __u64 hash = np_hash_flow(hook->slot, flow);
	struct np_flow_place entry;

	if (np_find_flow(hook->endpoint, hook->slot, flow, hash, &entry) && np_is_chosen(&entry, question)) {
		np_see_packet(&entry, &question->packet, NP_EGRESS);
		return true;
	}
	flow->revision = question->revision;
	flow->arrival = NP_ARRIVAL_UNKNOWN;
	flow->last_seen = np_flow_clock();
	flow->flags |= NP_ROLE_INITIATOR << NP_ENTRY_ROLE_SHIFT |
		       np_flags_set_by(&question->packet, NP_EGRESS, NP_ROLE_INITIATOR, true);
	return np_insert_flow(hook->skb, hash);
}

/* The packet to the Service, whose backend is the remote of `question->flow`: the pod itself. */
NP_INLINE struct np_outcome np_send_hairpin(const struct np_hook *hook, struct np_question *question)
{
	const struct np_flow_record *flow = &question->flow;
	struct np_packet *packet = &question->packet;
	const struct np_place place = np_place_of(question);
	enum np_reason reason;
	struct np_address nobody;

	if (!np_admit_hairpin(hook, question))
		return np_outcome_of(NP_DROP_CONNTRACK_FULL);
	reason = np_replace_end(hook->skb, packet, &place, false, &flow->remote, flow->remote_port);
	packet->destination = flow->remote;
	packet->destination_port = flow->remote_port;
	if (reason)
		return np_outcome_of(reason);
	np_hairpin_address(&nobody, np_is_mapped_ipv4(&packet->source));
	reason = np_replace_end(hook->skb, packet, &place, true, &nobody, flow->own_port);
	if (reason)
		return np_outcome_of(reason);
	/* No revision: its packets come by here, always. */
	question->revision = 0;
	return np_keep_choice(hook->skb) ? np_return_to_pod(hook->skb) : np_outcome_of(NP_DROP_CONNTRACK_FULL);
}

/* The pod's answer as its own backend: it comes from the Service that the pod talks to. */
NP_INLINE struct np_outcome np_return_answer(const struct np_hook *hook, struct np_question *question)
{
	struct np_flow_record *flow = &question->flow;
	struct np_packet *packet = &question->packet;
	const struct np_place place = np_place_of(question);
	struct np_flow_place entry;
	enum np_reason reason;

	/* As the end of the pod that has sent to the Service sees it: its own port, and the pod as the remote. */
	flow->remote = packet->source;
	flow->remote_port = packet->source_port;
	flow->own_port = packet->destination_port;
	if (!np_find_flow(hook->endpoint, hook->slot, flow, np_hash_flow(hook->slot, flow), &entry) ||
	    !(entry.flags & NP_ENTRY_BACKEND) || !np_read_other(&entry, &flow->other, &flow->other_port))
		return np_outcome_of(NP_DROP_UNTRANSLATABLE);
	np_see_packet(&entry, packet, NP_INGRESS);
	question->choice.own_port = entry.flags >> NP_ENTRY_PORT_SHIFT;
	np_mark_front(hook->skb, np_flags_set_by(packet, NP_INGRESS, NP_ROLE_INITIATOR, false));
	reason = np_replace_end(hook->skb, packet, &place, false, &flow->remote,
				np_port_beyond(entry.flags, packet->destination_port));
	packet->destination = flow->remote;
	if (!reason)
		reason = np_replace_end(hook->skb, packet, &place, true, &flow->other, flow->other_port);
	return reason ? np_outcome_of(reason) : np_return_to_pod(hook->skb);
}

/* `question` is what the service step has left. */
NP_INLINE struct np_outcome np_judge_hairpin(const struct np_hook *hook, struct np_question *question)
{
	return question->choice.made ? np_send_hairpin(hook, question) : np_return_answer(hook, question);
}

#endif
