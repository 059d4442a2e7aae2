/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What comes out of the proxy's namespace. Only packets of flows that it carries get on: to the pod that sends the flow to it, or in
 * that pod's name to the other end. A pod's own to_pod program sees everything on its way to it, and knows by the interface where it comes
 * from.
 */
#ifndef NP_FROM_PROXY_H
#define NP_FROM_PROXY_H

#include "flow.h"
#include "host.h"
#include "intake.h"
#include "outcome.h"
#include "proxied.h"

/* Which pod sends the flow of a packet to the proxy. */
struct np_carrier {
	const struct np_proxied_side *side; /* NULL: the packet is of no such flow */
	enum np_direction travel; /* NP_EGRESS: the packet is the pod's by its source */
};

NP_INLINE const struct np_proxied_side *np_find_redirecting(struct np_proxied_key *key, enum np_direction side)
{
	const struct np_proxied_side *found;

	key->side = side;
	found = bpf_map_lookup_elem(&np_proxied, key);
	return found && found->flags & NP_PROXIED_REDIRECTS ? found : NULL;
}

/* The packet goes to the server or to the client; the client's side comes first. */
NP_INLINE void np_find_carrier(const struct np_packet *packet, struct np_carrier *carrier)
{
	struct np_proxied_key up = {
		.client = packet->source,
		.client_port = packet->source_port,
		.server = packet->destination,
		.server_port = packet->destination_port,
	};
	struct np_proxied_key down = {
		.client = packet->destination,
		.client_port = packet->destination_port,
		.server = packet->source,
		.server_port = packet->source_port,
	};

	carrier->travel = NP_EGRESS;
	carrier->side = np_find_redirecting(&up, NP_EGRESS);
	if (carrier->side)
		return;
	carrier->travel = NP_INGRESS;
	carrier->side = np_find_redirecting(&down, NP_EGRESS);
	if (carrier->side)
		return;
	carrier->side = np_find_redirecting(&up, NP_INGRESS);
	if (carrier->side)
		return;
	carrier->travel = NP_EGRESS;
	carrier->side = np_find_redirecting(&down, NP_INGRESS);
}

/* Whether the pod has an entry by which the proxy carries the packet's flow, which is then at `place`. */
NP_INLINE bool np_is_carried(struct np_hook *hook, struct np_question *question, const struct np_carrier *carrier,
			     struct np_flow_place *place)
{
	const struct np_packet *packet = &question->packet;

	hook->slot = carrier->side->endpoint;
	if (!np_find_endpoint(hook) ||
	    !np_is_endpoint_address(hook->endpoint, carrier->travel == NP_EGRESS ? &packet->source : &packet->destination))
		return false;
	np_fill_flow_key(hook->endpoint, packet, carrier->travel, &question->flow);
	return np_find_flow(hook->endpoint, hook->slot, &question->flow, np_hash_flow(hook->slot, &question->flow), place) &&
	       place->flags & NP_ENTRY_PROXY;
}

/*
 * Notes that the proxy has ended its connection to the other end, if the pod never had one of the flow: then the flow is over, and
 * there is nothing else by which that would be seen. A SYN of the proxy to the pod clears it.
 */
NP_INLINE void np_note_unused(struct np_flow_place *place, const struct np_packet *packet)
{
	if (packet->tcp_flags & (NP_TCP_FIN | NP_TCP_RST) && !(place->flags & NP_ENTRY_ANSWERED))
		np_mark_flow(place, NP_ENTRY_RST, 0);
}

/*
 * Sends a packet straight to a pod of this node, by the route and neighbour that the stack would take. Not through the stack: its
 * connection tracking does not see all of a bridged pod's packets and might take these for invalid ones.
 */
NP_INLINE int np_send_to_local_pod(struct __sk_buff *skb, const struct np_packet *packet)
{
	const bool ipv4 = np_is_mapped_ipv4(&packet->destination);
	struct bpf_fib_lookup route = {
		.family = ipv4 ? 2 : 10, /* AF_INET, AF_INET6 */
		.l4_protocol = IPPROTO_TCP,
		.ifindex = skb->ifindex,
	};
	long status;

	if (ipv4) {
		route.ipv4_src = packet->source.word[3];
		route.ipv4_dst = packet->destination.word[3];
	} else {
		__builtin_memcpy(route.ipv6_src, &packet->source, sizeof(route.ipv6_src));
		__builtin_memcpy(route.ipv6_dst, &packet->destination, sizeof(route.ipv6_dst));
	}
	status = bpf_fib_lookup(skb, &route, sizeof(route), 0);
	if (status == BPF_FIB_LKUP_RET_NO_NEIGH)
		return bpf_redirect_neigh(route.ifindex, NULL, 0, 0);
	if (status || bpf_skb_store_bytes(skb, 0, route.dmac, ETH_ALEN, 0) ||
	    bpf_skb_store_bytes(skb, NP_SOURCE_MAC_OFFSET, route.smac, ETH_ALEN, 0))
		return NP_ACTION_NEXT;
	return bpf_redirect(route.ifindex, 0);
}

/* Where a packet from the proxy goes. */
NP_INLINE struct np_outcome np_deliver(struct np_hook *hook, struct np_question *question)
{
	struct __sk_buff *skb = hook->skb;
	const struct np_packet *packet = &question->packet;
	struct np_outcome outcome = np_outcome_of(NP_REASON_ESTABLISHED);
	struct np_carrier carrier;
	struct np_flow_place place;
	struct np_mac own, peer;

	if (!np_parse_plain(skb, question) || packet->protocol != IPPROTO_TCP)
		return np_outcome_of(NP_DROP_PROXY_UNKNOWN);
	np_find_carrier(packet, &carrier);
	if (!carrier.side)
		return np_outcome_of(NP_DROP_PROXY_UNKNOWN);
	__builtin_memcpy(&own, carrier.side->own_mac, sizeof(own));
	__builtin_memcpy(&peer, carrier.side->peer_mac, sizeof(peer));
	if (!np_is_carried(hook, question, &carrier, &place))
		return np_outcome_of(NP_DROP_PROXY_UNKNOWN);
	/* It may be an answer of ours, made of a frame that was for another host by its address. */
	if (bpf_skb_change_type(skb, 0))
		return np_outcome_of(NP_DROP_INTERNAL);
	if (carrier.travel == NP_INGRESS) {
		if (bpf_skb_store_bytes(skb, 0, &own, sizeof(own), 0) ||
		    bpf_skb_store_bytes(skb, NP_SOURCE_MAC_OFFSET, &peer, sizeof(peer), 0))
			return np_outcome_of(NP_DROP_INTERNAL);
		outcome.action = bpf_redirect(hook->endpoint->ifindex, 0);
		return outcome;
	}
	np_note_unused(&place, packet);
	if (bpf_map_lookup_elem(&np_sources, &packet->destination))
		outcome.action = np_send_to_local_pod(skb, packet);
	return outcome;
}

/*
 * What the proxy sends to the node in a pod's name is a packet of the pod to the node: the node's ingress policy is asked, as after the
 * pod's own where there is no proxy between. True: it is to be asked, and cb prepared.
 */
NP_INLINE bool np_is_to_host_from_proxy(struct __sk_buff *skb, struct np_question *question)
{
	const struct np_host *host = np_find_host();

	if (!host || np_likely(np_host_mode_of(host) == NP_HOST_OFF) || !np_reaches_host(&question->packet.destination))
		return false;
	question->origin = 0;
	np_enter_as(skb, host->slot, NP_INGRESS);
	return true;
}

#endif
