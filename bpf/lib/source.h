/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sources. From a pod: its own addresses only. To a pod: an address of a local pod is believed only if the packet came in
 * by one of that pod's interfaces or by a master of one (bridge, VRF), where the owner's from_pod has seen it.
 */
#ifndef NP_SOURCE_H
#define NP_SOURCE_H

#include "hook.h"
#include "identity.h"
#include "packet.h"
#include "proxied.h"

/* An unused slot of the endpoint is all-zero like the unspecified address, which belongs to no endpoint. */
NP_INLINE bool np_is_endpoint_address(const struct np_endpoint *endpoint, const struct np_address *address)
{
	_Pragma("clang loop unroll(full)")
	for (int i = 0; i < NP_ENDPOINT_ADDRESSES; i++)
		if (np_same_address(address, &endpoint->address[i]))
			return !np_is_unspecified(address);
	return false;
}

/*
 * How a packet that leaves to a pod came in. The kernel forgets the interface when it cuts a forwarded IPv6 packet into
 * fragments anew (ip6_copy_metadata, 6.18 and before); what was generated here has a socket.
 */
NP_INLINE __u32 np_arrival_of(const struct __sk_buff *skb, bool is_fragment)
{
	__u32 link = skb->ingress_ifindex;

	if (np_unlikely(is_fragment) && !link && !skb->sk)
		return NP_ARRIVAL_UNKNOWN;
	return link + 1;
}

NP_INLINE void np_set_arrival(struct np_hook *hook, const struct np_packet *packet)
{
	hook->arrival = hook->direction == NP_INGRESS ? np_arrival_of(hook->skb, packet->fragment) :
							NP_ARRIVAL_UNKNOWN;
}

/* The arrival of what comes back to the pod that sent it: by the interface at which the packet leaves. */
NP_INLINE __u32 np_own_arrival(const struct np_hook *hook)
{
	__u32 own = hook->skb->ifindex;

	/* Both are loaded: the compiler would choose one of two pointers, and the verifier wants to know which. */
	asm volatile("" : "+r"(own));
	if (np_unlikely(np_is_on_fast_path(hook->skb)))
		own = hook->endpoint->ifindex;
	return own + 1;
}

/* False: the source is a local pod's address, and the packet did not come from that pod. */
NP_INLINE bool np_comes_from(const struct np_address *address, __u32 arrival)
{
	const struct np_source *source = bpf_map_lookup_elem(&np_sources, address);
	bool known = false;

	if (!source)
		return true;
	if (arrival <= NP_ARRIVAL_HERE)
		return false;
	_Pragma("clang loop unroll(full)")
	for (int i = 0; i < NP_SOURCE_LINKS; i++)
		known |= source->links[i] == arrival - 1;
	/* In the name of a pod whose flow it carries, as np_from_proxy has made sure. */
	return known || np_is_from_proxy(arrival);
}

/*
 * Whether a pod's packet has another packet in it that a node might take out (IPIP, SIT, GRE): the source of that one is not checked by
 * anybody who knows the pod, and other pods would believe it. Of UDP nobody knows which ports a node's tunnels have.
 */
NP_INLINE bool np_is_for_tunnel(const struct np_packet *packet)
{
	__u32 identity;
	__u64 exact;

	if (np_likely(packet->protocol != IPPROTO_IPIP && packet->protocol != IPPROTO_IPV6 && packet->protocol != IPPROTO_GRE))
		return false;
	exact = np_exact_entry(&packet->destination);
	identity = exact & ~NP_IDENTITY_FLAGS;
	return np_is_everybody(&packet->destination) ||
	       (exact != NP_NO_ENTRY && (np_is_host_identity(identity) || identity == NP_IDENTITY_REMOTE_NODE ||
					 identity == NP_IDENTITY_KUBE_APISERVER ||
					 (identity >= NP_IDENTITY_FIRST_NODE && identity < NP_IDENTITY_FIRST_HOST)));
}

/*
 * As np_comes_from, for what ARP and neighbour discovery say of an address: the node may speak for everybody (proxy), and
 * only the node for itself.
 */
NP_INLINE bool np_may_announce(const struct np_address *address, __u32 arrival)
{
	return arrival == NP_ARRIVAL_HERE || (np_comes_from(address, arrival) && !np_is_of_host(address));
}

/* The source of any packet but a plain one to the pod: NP_REASON_NONE, it may be judged. */
NP_INLINE enum np_reason np_check_source(const struct np_hook *hook, const struct np_packet *packet)
{
	if (hook->direction == NP_EGRESS) {
		if (np_unlikely(!np_is_endpoint_address(hook->endpoint, &packet->source)))
			return NP_DROP_SPOOFED_SOURCE;
		return np_is_for_tunnel(packet) ? NP_DROP_TUNNEL : NP_REASON_NONE;
	}
	/* What tells something about other packets. That of a flow or a message comes with its judgement. */
	if (np_likely(packet->fragment == NP_FRAGMENT_NONE && packet->kind != NP_KIND_ICMP_ERROR))
		return NP_REASON_NONE;
	return np_comes_from(&packet->source, hook->arrival) ? NP_REASON_NONE : NP_DROP_FOREIGN_SOURCE;
}

#endif
