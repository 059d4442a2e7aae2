/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What to do with a parsed packet of a pod: pass what belongs to an admitted flow, ask the policy about the rest. Each
 * function returns an outcome, or does not return because the policy program runs.
 */
#ifndef NP_JUDGE_H
#define NP_JUDGE_H

#include "packet.h"
#include "policy.h"
#include "source.h"

/* The pod's hook at which a packet is judged. */
struct np_hook {
	struct __sk_buff *skb;
	const struct np_endpoint *endpoint;
	__u32 slot; /* of the endpoint */
	__u32 arrival; /* to the pod: how the packet came in, as np_flow.arrival; from it NP_ARRIVAL_UNKNOWN */
	enum np_direction direction; /* NP_EGRESS: from the pod */
};

NP_INLINE struct np_question *np_scratch_question(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&np_scratch, &only);
}

/* The index of the pod's own side of a flow, from that of a packet's source. */
NP_INLINE __u32 np_own_side(__u32 source_side, enum np_direction direction)
{
	return direction == NP_EGRESS ? source_side : source_side ^ 1;
}

/*
 * What the pod has sent comes back to it: it leaves by the interface it came in by, and the pod's own hook has seen it there.
 * Its source may have been replaced on the way; a pod cannot block access to itself.
 */
NP_INLINE bool np_is_hairpin(const struct np_hook *hook, enum np_direction direction, __u32 arrival)
{
	return direction == NP_INGRESS && arrival == np_own_arrival(hook->skb);
}

/* Goes on in another program, with the packet and the place of the cursor in np_scratch. Returns only to drop. */
NP_INLINE struct np_outcome np_pass_to_step(const struct np_hook *hook, const struct np_cursor *cursor,
					    const struct np_packet *packet, enum np_step step)
{
	struct np_question *question = np_scratch_question();

	if (!question)
		return np_outcome_of(NP_DROP_INTERNAL);
	question->packet = *packet;
	question->resume_offset = cursor->offset;
	question->resume_end = cursor->end;
	bpf_tail_call(hook->skb, &np_steps, step);
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

/* Policy decides, and nothing is remembered: ICMP messages by type, and what is sent to a group. */
NP_INLINE struct np_outcome np_judge_stateless(const struct np_hook *hook, const struct np_packet *packet)
{
	struct np_question *question = np_scratch_question();
	__u16 port = packet->kind == NP_KIND_FLOW ? bpf_ntohs(packet->destination_port) : packet->icmp_type;

	if (!question)
		return np_outcome_of(NP_DROP_INTERNAL);
	if (np_unlikely(np_is_hairpin(hook, hook->direction, hook->arrival)))
		return np_outcome_of(NP_REASON_HAIRPIN);
	question->packet = *packet;
	question->endpoint = hook->slot;
	question->arrival = hook->arrival;
	question->arrived = hook->direction == NP_INGRESS;
	question->revision = hook->endpoint->revision;
	question->direction = hook->direction;
	question->remember = false;
	question->reason = NP_REASON_ALLOWED;
	return np_ask_policy(hook->skb, hook->endpoint, question, np_remote_of(packet, hook->direction), port);
}

/*
 * Policy of `direction` decides about the flow of `question->packet`, which travels as seen at a hook of
 * `travel`. The policy is always asked as the initiator's packet would: by the port of the answering end. `arrival` and
 * `arrived` of the question are set.
 */
NP_INLINE struct np_outcome np_judge_by_policy(const struct np_hook *hook, struct np_question *question,
					       enum np_direction travel, enum np_direction direction,
					       enum np_reason allowed)
{
	const struct np_packet *packet = &question->packet;
	__be16 port = direction == travel ? packet->destination_port : packet->source_port;

	question->endpoint = hook->slot;
	question->revision = hook->endpoint->revision;
	question->direction = direction;
	question->remember = true;
	question->reason = allowed;
	if (np_unlikely(np_is_hairpin(hook, direction, question->arrival)))
		return np_outcome_of(np_admit_flow(question) ? NP_DROP_CONNTRACK_FULL : NP_REASON_HAIRPIN);
	return np_ask_policy(hook->skb, hook->endpoint, question, np_remote_of(packet, travel), bpf_ntohs(port));
}

/*
 * A packet against the direction in which its flow was admitted is a reply only if it starts nothing: a SYN from the
 * server's port, or an echo request back, is a new exchange. And an ICMP reply belongs to no flow that its sender opened.
 */
NP_INLINE bool np_belongs(const struct np_packet *packet, bool forward)
{
	return forward ? packet->kind != NP_KIND_ICMP_REPLY : !packet->initiates;
}

/*
 * A packet of an admitted flow came in by another way than those before. NP_REASON_NONE: the policy must be asked again, as
 * the remote may be another one: the node itself, somebody behind the node's address, or the pod itself.
 */
NP_INLINE enum np_reason np_judge_arrival(const struct np_hook *hook, const struct np_packet *packet,
					  struct np_flow *flow, __u32 own_side, bool forward)
{
	__u32 before = flow->arrival[own_side & 1];
	__u32 own = np_own_arrival(hook->skb);

	if (!np_comes_from(&packet->source, hook->arrival))
		return NP_DROP_FOREIGN_SOURCE;
	if (forward && (before == NP_ARRIVAL_HERE || hook->arrival == NP_ARRIVAL_HERE || before == own ||
			hook->arrival == own))
		return NP_REASON_NONE;
	np_write_arrival(flow, own_side, hook->arrival);
	return forward ? NP_REASON_ESTABLISHED : NP_REASON_REPLY;
}

/* Packets of flows: one lookup, and for flows that this pod has admitted under the current revision nothing more. */
NP_INLINE struct np_outcome np_judge_flow(const struct np_hook *hook, const struct np_packet *packet)
{
	struct np_flow_key key;
	__u32 source_side = np_flow_key_of(packet, &key);
	__u32 own_side = np_own_side(source_side, hook->direction);
	struct np_flow *flow = bpf_map_lookup_elem(&np_flows, &key);
	enum np_direction direction = hook->direction;
	enum np_reason allowed = NP_REASON_ALLOWED;
	struct np_question *question;

	if (np_likely(flow)) {
		struct np_flow_side own = np_read_side(flow, own_side);
		bool forward = own.role == np_role_of(hook->direction);

		if (np_likely(own.role != NP_ROLE_NONE && np_belongs(packet, forward))) {
			if (np_likely(own.revision == hook->endpoint->revision)) {
				enum np_reason reason = forward ? NP_REASON_ESTABLISHED : NP_REASON_REPLY;

				if (hook->direction == NP_INGRESS &&
				    np_unlikely(flow->arrival[own_side & 1] != hook->arrival))
					reason = np_judge_arrival(hook, packet, flow, own_side, forward);
				if (np_likely(reason)) {
					np_touch_flow(flow, packet, source_side);
					return np_outcome_of(reason);
				}
			}
			direction = np_direction_of(own.role);
			allowed = NP_REASON_REVALIDATED;
		}
	}
	if (packet->kind == NP_KIND_ICMP_REPLY && allowed == NP_REASON_ALLOWED)
		return np_judge_stateless(hook, packet);

	question = np_scratch_question();
	if (!question)
		return np_outcome_of(NP_DROP_INTERNAL);
	question->packet = *packet;
	question->key = key;
	question->own_side = own_side;
	question->known = flow != NULL;
	question->arrived = hook->direction == NP_INGRESS;
	question->arrival = question->arrived ? hook->arrival : flow ? flow->arrival[own_side & 1] : NP_ARRIVAL_UNKNOWN;
	return np_judge_by_policy(hook, question, hook->direction, direction, allowed);
}

#endif
