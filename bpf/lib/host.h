/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets of the node itself: what its uplinks receive for it and send of its own, and what it exchanges with its own pods. The node
 * is an endpoint like a pod, with policy programs and flows; but it has many addresses, so its flows are told apart by
 * the remote end and the ports alone.
 *
 * What only passes through the node is not the node's: by an uplink comes and goes what pods send and get, some of it under the
 * node's address (transit.h).
 */
#ifndef NP_HOST_H
#define NP_HOST_H

#include "flow.h"
#include "fragment.h"
#include "hook.h"
#include "intake.h"
#include "judge.h"
#include "neighbour.h"
#include "transit.h"

#define NP_ADDRESS_FAMILY_IPV4 2 /* AF_INET */
#define NP_ADDRESS_FAMILY_IPV6 10 /* AF_INET6 */

NP_INLINE const struct np_host *np_find_host(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&np_host, &only);
}

/* enum np_host_mode that is in force. Of a mode that was to be confirmed and was not, the one before it. */
NP_INLINE __u32 np_host_mode_of(const struct np_host *host)
{
	__u64 until;

	if (!np_config.hosts)
		return NP_HOST_OFF;
	until = np_read_once(host->until);
	if (np_likely(!until))
		return np_read_once(host->mode);
	return bpf_ktime_get_ns() < until ? np_read_once(host->mode) : np_read_once(host->former);
}

/* Chooses the policies that a packet of the node meets: once a change was to be confirmed and was not, those before it. */
NP_INLINE void np_choose_policies(const struct np_host *host, const struct np_endpoint *endpoint,
				  struct np_question *question)
{
	const __u64 until = np_read_once(host->until);
	const bool is_former = np_unlikely(until) && bpf_ktime_get_ns() >= until &&
			       np_read_once(host->former) == NP_HOST_ENFORCE;

	question->host_revision = is_former ? host->former_revision : endpoint->revision;
	question->host_policy[NP_INGRESS] = is_former ? host->former_policy[NP_INGRESS] : endpoint->policy[NP_INGRESS];
	question->host_policy[NP_EGRESS] = is_former ? host->former_policy[NP_EGRESS] : endpoint->policy[NP_EGRESS];
}

NP_INLINE bool np_is_entry_of_host(__u64 exact)
{
	return exact != NP_NO_ENTRY && np_is_host_identity(exact & ~NP_IDENTITY_FLAGS);
}

/* Whether what a pod sends there gets to the node: to an address of it, or one at which it answers beside others. */
NP_INLINE bool np_reaches_host(const struct np_address *address)
{
	return np_is_everybody(address) || np_is_entry_of_host(np_exact_entry(address));
}

/* How a packet at an uplink begins: its addresses. False: it is neither IPv4 nor IPv6. */
NP_INLINE bool np_read_ends(struct __sk_buff *skb, struct np_address *source, struct np_address *destination)
{
	__be16 ethertype;
	__be32 ends[2];

	if (bpf_skb_load_bytes(skb, NP_ETHERTYPE_OFFSET, &ethertype, sizeof(ethertype)))
		return false;
	if (np_likely(ethertype == bpf_htons(ETH_P_IP))) {
		if (bpf_skb_load_bytes(skb, ETH_HLEN + offsetof(struct np_ipv4_header, source), ends, sizeof(ends)))
			return false;
		np_map_ipv4(source, ends[0]);
		np_map_ipv4(destination, ends[1]);
		return true;
	}
	return ethertype == bpf_htons(ETH_P_IPV6) &&
	       !bpf_skb_load_bytes(skb, ETH_HLEN + offsetof(struct np_ipv6_header, source), source, sizeof(*source)) &&
	       !bpf_skb_load_bytes(skb, ETH_HLEN + offsetof(struct np_ipv6_header, destination), destination,
				   sizeof(*destination));
}

/*
 * Whether the pod's packet that np_scratch has goes on to the node. Where its destination was a Service's, the frame says which it
 * is by now. A global function: it is verified once, not in every state of its callers.
 */
__attribute__((noinline)) int np_goes_to_host(struct __sk_buff *skb)
{
	const struct np_question *question = np_scratch_question();
	struct np_address source, destination;
	__u64 exact;

	if (!question)
		return true;
	exact = np_exact_entry(&question->packet.destination);
	if (np_likely(exact == NP_NO_ENTRY || !(exact & NP_IDENTITY_FRONTEND)))
		return np_is_everybody(&question->packet.destination) || np_is_entry_of_host(exact);
	return !np_read_ends(skb, &source, &destination) || np_reaches_host(&destination);
}

/*
 * Whether the node's own stack takes a packet that an uplink has received. Of addresses that are pods' and the node's the tables say
 * so; of all others the routes, so that an address that the node got just now is known for its own.
 */
NP_INLINE bool np_is_for_host(struct __sk_buff *skb, const struct np_address *source, const struct np_address *destination)
{
	const __u64 exact = np_exact_entry(destination);
	const __u32 identity = exact & ~NP_IDENTITY_FLAGS;
	struct bpf_fib_lookup route = {};
	long found;

	if (np_is_group(destination))
		return true;
	if (exact != NP_NO_ENTRY && np_is_host_identity(identity))
		return true;
	if (exact != NP_NO_ENTRY && identity >= NP_IDENTITY_FIRST_POD)
		return false;
	route.ifindex = skb->ifindex;
	if (np_is_mapped_ipv4(destination)) {
		route.family = NP_ADDRESS_FAMILY_IPV4;
		route.ipv4_src = source->word[3];
		route.ipv4_dst = destination->word[3];
	} else {
		route.family = NP_ADDRESS_FAMILY_IPV6;
		__builtin_memcpy(route.ipv6_src, source, sizeof(*source));
		__builtin_memcpy(route.ipv6_dst, destination, sizeof(*destination));
	}
	found = bpf_fib_lookup(skb, &route, sizeof(route), 0);
	switch (found) {
	case BPF_FIB_LKUP_RET_SUCCESS:
	case BPF_FIB_LKUP_RET_NO_NEIGH:
	case BPF_FIB_LKUP_RET_FRAG_NEEDED:
	case BPF_FIB_LKUP_RET_UNSUPP_LWT:
	case BPF_FIB_LKUP_RET_BLACKHOLE:
	case BPF_FIB_LKUP_RET_UNREACHABLE:
	case BPF_FIB_LKUP_RET_PROHIBIT:
		return false;
	default:
		/* Delivered here, not forwarded, or unknown: the node's policy is asked. */
		return true;
	}
}

/* How a packet meets the fail-safe list. */
enum np_failsafe_match {
	NP_FAILSAFE_NONE = 0,
	NP_FAILSAFE_OPENS = 1, /* of an exchange that the list lets in or out, in the direction of its opening */
	NP_FAILSAFE_ANSWERS = 2,
};

/*
 * Whether the fail-safe list has the port of the packet that np_scratch has. What answers passes by its port alone where that opens
 * nothing: from a port of the node, or in a connection that only a SYN would open. A datagram from a remote port is an answer only to
 * what was sent. A global function: the list is walked by the verifier once, not in every state of its callers.
 */
__attribute__((noinline)) __u32 np_match_failsafe(struct __sk_buff *skb)
{
	const struct np_host *host = np_find_host();
	const struct np_question *question = np_scratch_question();
	const enum np_direction direction = np_hook_of(skb).direction;
	const struct np_packet *packet;
	__u32 match = NP_FAILSAFE_NONE;
	__u16 to, from;

	if (!host || !question)
		return NP_FAILSAFE_NONE;
	packet = &question->packet;
	if (packet->kind != NP_KIND_FLOW)
		return NP_FAILSAFE_NONE;
	to = bpf_ntohs(packet->destination_port);
	from = bpf_ntohs(packet->source_port);
	_Pragma("clang loop unroll(disable)")
	for (int i = 0; i < NP_HOST_FAILSAFES; i++) {
		const struct np_failsafe *entry = &host->failsafe[i];

		if (!entry->protocol)
			break;
		if (entry->protocol != packet->protocol)
			continue;
		if (entry->direction == direction) {
			if (entry->first <= to && to <= entry->last)
				return NP_FAILSAFE_OPENS;
		} else if (entry->first <= from && from <= entry->last && !np_opens(packet) &&
			   (entry->direction == NP_INGRESS || !np_has_no_connection(packet->protocol))) {
			match = NP_FAILSAFE_ANSWERS;
		}
	}
	return match;
}

/* What a packet is of connections that the node opens to its pods, as the kubelet's probes are. */
enum np_probe {
	NP_PROBE_NONE = 0,
	NP_PROBE_OPENS = 1, /* the node's SYN: its entry is to be known */
	NP_PROBE_KNOWN = 2,
};

/* Whether nobody can say that a packet between the node and a pod is of no such connection. */
NP_INLINE bool np_may_be_probe(const struct np_host *host, const struct np_packet *packet, enum np_direction direction)
{
	return host->passes_probes && packet->protocol == IPPROTO_TCP && packet->kind == NP_KIND_FLOW &&
	       (direction == NP_EGRESS || !np_opens(packet));
}

/*
 * Whether a packet between the node and a pod is of a connection that the node has opened. Its entry says so: by the packet alone,
 * what the node answers to a pod looks like what it asks of one.
 */
NP_INLINE enum np_probe np_find_probe(const struct np_hook *hook, struct np_question *question, const struct np_host *host)
{
	const struct np_packet *packet = &question->packet;
	struct np_flow_place place;
	__u64 hash;

	if (!np_may_be_probe(host, packet, hook->direction))
		return NP_PROBE_NONE;
	if (np_opens(packet))
		return NP_PROBE_OPENS;
	np_fill_flow_key(hook->endpoint, packet, hook->direction, &question->flow);
	hash = np_hash_flow(hook->slot, &question->flow);
	if (!np_find_flow(hook->endpoint, hook->slot, &question->flow, hash, &place) ||
	    np_flow_role(place.flags) != NP_ROLE_INITIATOR ||
	    (hook->direction == NP_INGRESS && !np_comes_from(&packet->source, hook->arrival)))
		return NP_PROBE_NONE;
	np_see_packet(&place, packet, hook->direction);
	return NP_PROBE_KNOWN;
}

/*
 * Takes a packet of the node up to where its policy is asked. `*outcome`: what becomes of it. True: it is to be judged. Of what says
 * something about the link (ARP, neighbour discovery) no policy speaks.
 */
NP_INLINE bool np_prepare_of_host(struct np_hook *hook, struct np_question *question, struct np_outcome *outcome)
{
	const struct np_packet *packet = &question->packet;
	enum np_reason reason;

	if (np_likely(np_parse_plain(hook->skb, question))) {
		hook->arrival = hook->direction == NP_INGRESS ? np_arrival_of(hook->skb, false) : NP_ARRIVAL_UNKNOWN;
		return true;
	}
	reason = np_parse_any(hook->skb);
	np_set_arrival(hook, packet);
	if (!reason && np_may_be_neighbour(packet))
		reason = NP_REASON_NEIGHBOUR_DISCOVERY;
	if (!reason && packet->fragment != NP_FRAGMENT_NONE) {
		if (hook->direction == NP_INGRESS && !np_comes_from(&packet->source, hook->arrival))
			reason = NP_DROP_FOREIGN_SOURCE;
		else
			reason = np_resolve_fragment(hook->skb);
	}
	*outcome = np_outcome_of(reason);
	return !reason;
}

/* A packet of the node that is parsed. Does not return when the policy program or a step goes on. */
NP_INLINE struct np_outcome np_judge_of_host(const struct np_hook *hook, struct np_question *question,
					     const struct np_host *host, const bool at_pod)
{
	const struct np_packet *packet = &question->packet;
	const __u32 match = np_match_failsafe(hook->skb); /* enum np_failsafe_match */
	const bool is_ready = hook->endpoint && hook->endpoint->flags & NP_ENDPOINT_READY;
	enum np_probe probe = NP_PROBE_NONE;

	if (match == NP_FAILSAFE_ANSWERS)
		return np_outcome_of(NP_REASON_FAILSAFE);
	if (match == NP_FAILSAFE_OPENS &&
	    (hook->direction == NP_INGRESS || !is_ready || !np_has_no_connection(packet->protocol)))
		return np_outcome_of(NP_REASON_FAILSAFE);
	if (!is_ready)
		return np_outcome_of(at_pod && np_may_be_probe(host, packet, hook->direction) ? NP_REASON_FAILSAFE :
												NP_DROP_NOT_READY);
	if (at_pod)
		probe = np_find_probe(hook, question, host);
	if (probe == NP_PROBE_KNOWN)
		return np_outcome_of(NP_REASON_FAILSAFE);
	if (np_unlikely(packet->kind == NP_KIND_ICMP_ERROR))
		return np_pass_to_step(hook, NP_STEP_ICMP_ERROR);
	if (!at_pod && hook->direction == NP_INGRESS && np_returns_to_pod(hook, question))
		return np_outcome_of(NP_REASON_TRANSIT);
	if (packet->kind == NP_KIND_STATELESS || np_is_group(&packet->destination))
		return np_judge_message(hook, question);
	np_begin_question(hook, question, true);
	/* A datagram that was sent to a fail-safe port, or a SYN to a pod: their answers are to be known. */
	if (match == NP_FAILSAFE_OPENS || (probe == NP_PROBE_OPENS && !np_is_open(hook->endpoint, NP_EGRESS))) {
		question->need = NP_STATE_ALWAYS;
		question->allowed = NP_REASON_FAILSAFE;
		return np_allow_unasked(hook, question);
	}
	return np_judge_flow(hook, question);
}

/*
 * A packet of the node, from the frame on. `at_pod`: its other end is a pod of this node, at whose hook it is. Does not return when the
 * policy program or a step goes on.
 */
NP_INLINE struct np_outcome np_judge_host_packet(struct np_hook *hook, struct np_question *question,
						 const struct np_host *host, const bool at_pod)
{
	struct np_outcome outcome = {};

	np_enter_as(hook->skb, host->slot, hook->direction);
	if (!at_pod)
		question->origin = 0;
	hook->endpoint = bpf_map_lookup_elem(&np_endpoints, &hook->slot);
	if (hook->endpoint)
		np_choose_policies(host, hook->endpoint, question);
	if (!np_prepare_of_host(hook, question, &outcome))
		return outcome;
	/* An IPv6 packet that was forwarded and cut into fragments anew looks like one that was generated here. */
	if (hook->direction == NP_EGRESS && np_unlikely(question->packet.fragment) && !hook->skb->sk &&
	    !np_reaches_host(&question->packet.source))
		return np_outcome_of(NP_REASON_TRANSIT);
	return np_judge_of_host(hook, question, host, at_pod);
}

/* Remembers the flow of a pod's packet that leaves under an address of the node (np_note_transit). False: it is to be dropped. */
NP_INLINE bool np_keep_transit(struct np_hook *hook, struct np_question *question, const struct np_host *host)
{
	struct __sk_buff *skb = hook->skb;

	hook->slot = host->slot;
	np_enter_as(skb, host->slot, NP_EGRESS);
	if (!np_find_endpoint(hook) || (!np_parse_plain(skb, question) && np_parse_any(skb)) ||
	    np_note_transit(hook, question))
		return true;
	question->origin = 0;
	question->straight = false;
	return false;
}

#endif
