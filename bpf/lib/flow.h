/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an entry of the table of flows means: which flow a packet is of, who opened it, and what packets leave in it. Each
 * pod has entries of its own, so what one pod has admitted opens nothing at another.
 */
#ifndef NP_FLOW_H
#define NP_FLOW_H

#include "flow_change.h"
#include "flow_find.h"
#include "flow_insert.h"
#include "source.h"

/* The role of a pod whose policy of `direction` admitted a flow, and back. */
NP_INLINE __u32 np_role_of(enum np_direction direction)
{
	return direction == NP_EGRESS ? NP_ROLE_INITIATOR : NP_ROLE_RESPONDER;
}

NP_INLINE enum np_direction np_direction_of(__u32 role)
{
	return role == NP_ROLE_INITIATOR ? NP_EGRESS : NP_INGRESS;
}

/* The pod's role in an entry; NP_ROLE_NONE in one that is no flow by itself. */
NP_INLINE __u32 np_flow_role(__u32 flags)
{
	return flags >> NP_ENTRY_ROLE_SHIFT & 3;
}

NP_INLINE const struct np_address *np_remote_of(const struct np_packet *packet, enum np_direction travel)
{
	return travel == NP_EGRESS ? &packet->destination : &packet->source;
}

NP_INLINE __be16 np_remote_port_of(const struct np_packet *packet, enum np_direction travel)
{
	return travel == NP_EGRESS ? packet->destination_port : packet->source_port;
}

/* What tells the packet's flow from others of the endpoint, whichever way the packet goes. */
NP_INLINE void np_fill_flow_key(const struct np_endpoint *endpoint, const struct np_packet *packet,
				enum np_direction travel, struct np_flow_record *flow)
{
	const struct np_address *own = travel == NP_EGRESS ? &packet->source : &packet->destination;

	flow->remote = *np_remote_of(packet, travel);
	flow->own_port = travel == NP_EGRESS ? packet->source_port : packet->destination_port;
	flow->remote_port = np_remote_port_of(packet, travel);
	flow->protocol = packet->protocol;
	flow->own_address = !np_same_address(own, &endpoint->address[0]);
}

/* The first packet of a connection or association: always a question to policy. */
NP_INLINE bool np_opens(const struct np_packet *packet)
{
	return packet->initiates && packet->protocol != IPPROTO_ICMP && packet->protocol != IPPROTO_ICMPV6;
}

/*
 * Whether a packet may as well go to another backend of a Service than those before: what begins anew, and UDP. A connection stays
 * where it is until it ends, whatever becomes of the Service: nobody else could go on with it.
 */
NP_INLINE bool np_may_move(const struct np_packet *packet)
{
	return packet->protocol == IPPROTO_UDP || packet->initiates;
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
 * Whether a packet of which nothing is known answers rather than asks, by its ports: clients have the higher ones. A guess;
 * it decides only which of two questions is the flow's own, when policy answers them differently.
 */
NP_INLINE bool np_has_ports_of_answer(const struct np_packet *packet)
{
	return bpf_ntohs(packet->source_port) < bpf_ntohs(packet->destination_port);
}

/* Whether it goes from a port of servers to a higher one. */
NP_INLINE bool np_is_from_server(const struct np_packet *packet)
{
	return np_has_ports_of_answer(packet) && bpf_ntohs(packet->source_port) < NP_FIRST_CLIENT_PORT;
}

NP_INLINE bool np_is_syn_ack(const struct np_packet *packet)
{
	return !packet->initiates && packet->tcp_flags & NP_TCP_SYN;
}

/* Whether the ports say nothing about who asks: they are equal, or both are ones that clients use. */
NP_INLINE bool np_has_ports_of_anybody(const struct np_packet *packet)
{
	return packet->source_port == packet->destination_port ||
	       bpf_ntohs(packet->destination_port) >= NP_FIRST_CLIENT_PORT;
}

/*
 * Whether a packet of an unknown flow may be an answer. Of a connection a SYN with ACK is one, a SYN alone is none, and in the
 * middle one to the lower port is none, unless clients use such ports. In doubt it is one, for that opens nothing.
 *
 * A datagram of an unknown flow begins a new one, but for some time after the pod's policies allow less: then it may be an
 * answer under way of a flow that was revoked and had no entry.
 */
NP_INLINE bool np_may_answer(const struct np_packet *packet, __u32 slot)
{
	const __u32 *changed;
	__u32 age;

	if (packet->initiates)
		return false;
	if (!np_has_no_connection(packet->protocol))
		return np_is_syn_ack(packet) || np_has_ports_of_answer(packet) || np_has_ports_of_anybody(packet);
	changed = bpf_map_lookup_elem(&np_policy_changes, &slot);
	age = changed ? np_flow_age(np_flow_clock(), np_read_once(*changed)) : 0;
	if (np_likely(np_is_older(age, NP_REVOKED_SECONDS)))
		return false;
	return np_is_from_server(packet) ||
	       (!np_is_older(age, NP_DOUBT_SECONDS) &&
		(np_has_ports_of_answer(packet) || np_has_ports_of_anybody(packet)));
}

/* The flags that a packet sets in its entry. */
NP_INLINE __u32 np_flags_set_by(const struct np_packet *packet, enum np_direction travel, __u32 role, bool is_first)
{
	const bool forward = role == np_role_of(travel);
	bool answers = !forward;
	__u32 flags = 0;

	if (np_has_no_connection(packet->protocol))
		return answers ? NP_ENTRY_ANSWERED : 0;
	if (packet->tcp_flags & NP_TCP_RST)
		return NP_ENTRY_RST;
	if (packet->tcp_flags & NP_TCP_FIN && !packet->initiates)
		flags |= travel == NP_EGRESS ? NP_ENTRY_FIN_OWN : NP_ENTRY_FIN_REMOTE;
	/*
	 * Of a connection to the pod the pod's own SYN with ACK is no proof of anybody at the other end, who may have lent an
	 * address to send SYNs from: what comes after it is. The pod resets a TCP connection whose other end has made that up; of
	 * an SCTP association it says nothing, but answers only to the cookie that its INIT ACK has brought.
	 */
	if (role == NP_ROLE_RESPONDER) {
		if (packet->protocol == IPPROTO_TCP)
			answers = !is_first;
		answers = answers && !(packet->tcp_flags & NP_TCP_SYN);
	}
	return answers ? flags | NP_ENTRY_ANSWERED : flags;
}

/* The flags that a packet clears: one RST may have been anybody's, and a SYN starts anew. */
NP_INLINE __u32 np_flags_cleared_by(const struct np_packet *packet)
{
	if (np_has_no_connection(packet->protocol) || packet->tcp_flags & NP_TCP_RST)
		return 0;
	return packet->initiates ? NP_ENTRY_FIN_OWN | NP_ENTRY_FIN_REMOTE | NP_ENTRY_RST : NP_ENTRY_RST;
}

/* Notes in its entry that a packet has passed. */
NP_INLINE void np_see_packet(struct np_flow_place *place, const struct np_packet *packet, enum np_direction travel)
{
	__u32 flags = np_flags_set_by(packet, travel, np_flow_role(place->flags), false);

	if (np_has_no_connection(packet->protocol) && !flags && place->flags & NP_ENTRY_ANSWERED)
		flags = NP_ENTRY_STREAM;
	np_mark_flow(place, flags, np_flags_cleared_by(packet));
}

/*
 * Whether an entry is over that a packet would pass by as an answer: of no connection, and silent for too long, though nobody has
 * collected it. What asks goes on in it, if policy lets it.
 */
NP_INLINE bool np_is_forgotten(const struct np_flow_place *place, __u8 protocol, bool forward)
{
	return !forward && np_has_no_connection(protocol) &&
	       np_unlikely(np_is_older(np_flow_age(np_flow_clock(), place->last_seen), np_flow_timeout(protocol, place->flags)));
}

/*
 * Whether another flow may take the entry's place, the other way round too: both ends have closed, or it is forgotten. A RST
 * alone must have lingered, as it may have been anybody's.
 */
NP_INLINE bool np_is_over(const struct np_flow_place *place, __u8 protocol)
{
	const __u32 fins = NP_ENTRY_FIN_OWN | NP_ENTRY_FIN_REMOTE;

	return (place->flags & fins) == fins ||
	       np_is_older(np_flow_age(np_flow_clock(), place->last_seen), np_flow_timeout(protocol, place->flags));
}

#endif
