/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Flows. One entry serves both directions and both hooks of both pods at its ends; each pod reads and writes only its
 * own side of it, so what one pod has admitted opens nothing at another.
 */
#ifndef NP_CONNTRACK_H
#define NP_CONNTRACK_H

#include "address.h"
#include "maps.h"

/* A side is read and written as one word, so revision and role are always of the same verdict. */
union np_side_word {
	struct np_flow_side side;
	__u64 word;
};

NP_INLINE struct np_flow_side np_read_side(const struct np_flow *flow, __u32 side)
{
	union np_side_word whole = {.word = *(const volatile __u64 *)&flow->side[side & 1]};

	return whole.side;
}

NP_INLINE void np_write_side(struct np_flow *flow, __u32 side, struct np_flow_side value)
{
	union np_side_word whole = {.side = value};

	*(volatile __u64 *)&flow->side[side & 1] = whole.word;
}

/* The key of a packet's flow. Returns the index of the side at the packet's source. */
NP_INLINE __u32 np_flow_key_of(const struct np_packet *packet, struct np_flow_key *key)
{
	const bool swapped = np_end_is_after(&packet->source, packet->source_port, &packet->destination,
					     packet->destination_port);
	const struct np_address *low = swapped ? &packet->destination : &packet->source;
	const struct np_address *high = swapped ? &packet->source : &packet->destination;

	key->low = *low;
	key->high = *high;
	key->low_port = swapped ? packet->destination_port : packet->source_port;
	key->high_port = swapped ? packet->source_port : packet->destination_port;
	key->protocol = packet->protocol;
	key->pad[0] = 0;
	key->pad[1] = 0;
	key->pad[2] = 0;
	return swapped;
}

/* The role of a pod whose policy of `direction` admitted a flow, and back. */
NP_INLINE __u32 np_role_of(enum np_direction direction)
{
	return direction == NP_EGRESS ? NP_ROLE_INITIATOR : NP_ROLE_RESPONDER;
}

NP_INLINE enum np_direction np_direction_of(__u32 role)
{
	return role == NP_ROLE_INITIATOR ? NP_EGRESS : NP_INGRESS;
}

/* For the collector of idle entries. Written only when it changes: entries are shared by all CPUs. */
NP_INLINE void np_touch_flow(struct np_flow *flow, const struct np_packet *packet, __u32 source_side)
{
	__u64 now = bpf_jiffies64();
	__u32 flags = flow->flags;

	if (flow->last_seen != now)
		flow->last_seen = now;
	if (packet->protocol != IPPROTO_TCP)
		return;
	if (packet->initiates)
		flags = 0;
	if (packet->tcp_flags & NP_TCP_FIN)
		flags |= source_side ? NP_FLOW_FIN_HIGH : NP_FLOW_FIN_LOW;
	if (packet->tcp_flags & NP_TCP_RST)
		flags |= NP_FLOW_RST;
	if (flow->flags != flags)
		flow->flags = flags;
}

/* Notes how the other end's packets come in. Written only when it changes: entries are shared by all CPUs. */
NP_INLINE void np_write_arrival(struct np_flow *flow, __u32 side, __u32 arrival)
{
	if (flow->arrival[side & 1] != arrival)
		flow->arrival[side & 1] = arrival;
}

/*
 * Records that the pod at `question->own_side` admits the flow. 0, or negative when that failed. Another hook or
 * CPU may have inserted the entry in the meantime: then only the own side of it is written.
 */
NP_INLINE int np_admit_flow(const struct np_question *question)
{
	struct np_flow_side admitted = {
		.revision = question->revision,
		.role = np_role_of(question->direction),
	};
	struct np_flow *flow;

	if (!question->known) {
		struct np_flow fresh = {.last_seen = bpf_jiffies64()};

		np_write_side(&fresh, question->own_side, admitted);
		/* Not by index: the verifier knows no variable offsets into the stack. */
		fresh.arrival[0] = question->own_side ? NP_ARRIVAL_UNKNOWN : question->arrival;
		fresh.arrival[1] = question->own_side ? question->arrival : NP_ARRIVAL_UNKNOWN;
		if (!bpf_map_update_elem(&np_flows, &question->key, &fresh, BPF_NOEXIST))
			return 0;
	}
	flow = bpf_map_lookup_elem(&np_flows, &question->key);
	if (!flow)
		return -1;
	if (question->arrived)
		np_write_arrival(flow, question->own_side, question->arrival);
	np_write_side(flow, question->own_side, admitted);
	flow->last_seen = bpf_jiffies64();
	return 0;
}

#endif
