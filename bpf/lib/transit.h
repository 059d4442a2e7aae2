/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pods' flows that leave by an uplink under an address of the node (masqueraded). Packets that come back in such a flow are not the node's as
 * long as the kernel's NAT knows the flow. The NAT is not asked: an entry here lives a little shorter than that of the NAT.
 *
 * They have a table of their own, so that no pod's flows take room from those of the node, and in it a pod that has more than its
 * share makes room for the others: docs/decisions/0026-host-policies.md.
 */
#ifndef NP_TRANSIT_H
#define NP_TRANSIT_H

#include "flow.h"
#include "policy.h"

/*
 * For how long datagrams come back after the pod's latest one. Only what has left counts: it has passed the NAT, while what arrives
 * may be such that the NAT takes no notice of it (a wrong checksum). The kernel knows a flow for 30 s
 * (nf_conntrack_udp_timeout, _icmp_timeout), or for 120 s if it has been answered for more than two seconds
 * (nf_conntrack_udp_timeout_stream), of which we cannot be sure.
 */
#define NP_TRANSIT_SECONDS 28
#define NP_TRANSIT_STREAM_SECONDS 118
#define NP_RANK_OWNER_SHIFT 40 /* how many slots the entry's pod has */

NP_INLINE struct np_flow_set *np_transit_set_of(__u64 hash)
{
	const __u32 number = hash & (NP_TRANSIT_SETS - 1);

	return bpf_map_lookup_elem(&np_transits, &number);
}

/* Finds the entry of a flow whose key and hash are as in the node's own region. */
NP_INLINE bool np_find_transit(const struct np_flow_record *key, __u64 hash, struct np_flow_place *place)
{
	const struct np_flow_place nowhere = {};

	*place = nowhere;
	_Pragma("clang loop unroll(full)")
	for (__u32 choice = 0; choice < NP_FLOW_CHOICES; choice++) {
		struct np_flow_set *set = np_transit_set_of(np_flow_choice(hash, choice));

		if (!set || !np_is_in_set(set, key, hash, place))
			continue;
		if (np_likely(np_read_flow(place)))
			return true;
		break;
	}
	place->set = NULL;
	return false;
}

/* The question's packet as a flow at an uplink. Returns its hash. */
NP_INLINE __u64 np_fill_transit(const struct np_hook *hook, struct np_question *question)
{
	np_fill_flow_key(hook->endpoint, &question->packet, hook->direction, &question->flow);
	return np_hash_flow(hook->slot, &question->flow);
}

/*
 * Whether a socket of the node would get the datagram that np_scratch has. A global function: it is verified once, not in every
 * state of its callers.
 */
__attribute__((noinline)) int np_has_socket(struct __sk_buff *skb)
{
	const struct np_question *question = np_scratch_question();
	const struct np_packet *packet;
	struct bpf_sock_tuple ends = {};
	struct bpf_sock *socket;

	if (!question)
		return true;
	packet = &question->packet;
	if (np_is_mapped_ipv4(&packet->destination)) {
		ends.ipv4.saddr = packet->source.word[3];
		ends.ipv4.daddr = packet->destination.word[3];
		ends.ipv4.sport = packet->source_port;
		ends.ipv4.dport = packet->destination_port;
		socket = bpf_sk_lookup_udp(skb, &ends, sizeof(ends.ipv4), BPF_F_CURRENT_NETNS, 0);
	} else {
		__builtin_memcpy(ends.ipv6.saddr, &packet->source, sizeof(packet->source));
		__builtin_memcpy(ends.ipv6.daddr, &packet->destination, sizeof(packet->destination));
		ends.ipv6.sport = packet->source_port;
		ends.ipv6.dport = packet->destination_port;
		socket = bpf_sk_lookup_udp(skb, &ends, sizeof(ends.ipv6), BPF_F_CURRENT_NETNS, 0);
	}
	if (!socket)
		return false;
	bpf_sk_release(socket);
	return true;
}

/*
 * Whether what translates addresses still knows the flow of an entry. Where it may have forgotten a stream, the packet would be the
 * node's own: then it is taken for the pod's only if nobody on the node waits for it.
 */
NP_INLINE bool np_is_in_transit(struct __sk_buff *skb, const struct np_flow_place *place, const struct np_packet *packet)
{
	const __u32 age = np_flow_age(np_flow_clock(), place->last_seen);

	if (!np_has_no_connection(packet->protocol))
		return !np_is_older(age, np_flow_timeout(packet->protocol, place->flags));
	if (np_likely(!np_is_older(age, NP_TRANSIT_SECONDS)))
		return true;
	return packet->protocol == IPPROTO_UDP && place->flags & NP_ENTRY_STREAM &&
	       !np_is_older(age, NP_TRANSIT_STREAM_SECONDS) && !np_has_socket(skb);
}

/* Whether a packet that came in for an address of the node comes back in a pod's flow. */
NP_INLINE bool np_returns_to_pod(const struct np_hook *hook, struct np_question *question)
{
	const struct np_packet *packet = &question->packet;
	struct np_flow_place place;
	__u32 flags;
	__u64 hash;

	if (packet->initiates)
		return false;
	hash = np_fill_transit(hook, question);
	if (np_likely(!np_find_transit(&question->flow, hash, &place) || !np_is_in_transit(hook->skb, &place, packet)))
		return false;
	flags = np_flags_set_by(packet, NP_INGRESS, NP_ROLE_INITIATOR, false);
	if (np_has_no_connection(packet->protocol))
		np_set_flags(&place, flags);
	else
		np_mark_flow(&place, flags, np_flags_cleared_by(packet));
	return true;
}

/* How many slots of a set a pod has. Without branches, of which the verifier would follow each. */
NP_INLINE __u32 np_count_of(const struct np_flow_set *set, __u32 arrival)
{
	__u32 count = 0;

	_Pragma("clang loop unroll(full)")
	for (__u32 way = 0; way < NP_FLOW_WAYS; way++)
		count += ((__u64)(np_read_once(set->flow[way].arrival) ^ arrival) - 1) >> 63;
	return count;
}

/* np_spare_of as a global function: it is verified once, not for each slot. */
__attribute__((noinline)) __u32 np_rank_spare(struct __sk_buff *skb, __u32 protocol, __u32 flags, __u32 age)
{
	asm volatile("" : : "r"(skb)); /* else clang passes nothing, which the verifier refuses */
	return np_spare_of(protocol, flags, age);
}

/*
 * Which entry of a set makes room for one of a pod, if it goes before `*best`: what is over; else one of the pod that has most of both
 * sets, so that nobody's flows take the place of those of somebody who has fewer.
 */
NP_INLINE void np_choose_excess(struct __sk_buff *skb, struct np_flow_set *set, struct np_flow_set *first, struct np_flow_set *second,
				__u32 mine, struct np_flow_place *best, __u64 *best_rank)
{
	const __u32 now = np_flow_clock();

	_Pragma("clang loop unroll(disable)")
	for (__u32 way = 0; way < NP_FLOW_WAYS; way++) {
		const __u64 control = np_read_once(set->control[way]);
		const struct np_flow_record *flow = &set->flow[way];
		const __u32 owner = np_read_once(flow->arrival);
		const __u32 theirs = np_count_of(first, owner) + np_count_of(second, owner);
		const __u32 age = np_flow_age(now, np_read_once(flow->last_seen));
		__u64 spare = np_rank_spare(skb, flow->protocol, np_read_once(flow->flags), age);
		__u64 is_over, excess, rank;
		__u32 chosen = way;

		/* Without branches from here on, of which the verifier would follow each. */
		np_forget(spare, control);
		is_over = (NP_SPARE_UNANSWERED - spare) >> 63;
		/* One that is answered goes only to whom has two less. */
		excess = (__u64)theirs - mine - 2 * ((spare - 1) >> 63);
		rank = is_over << 63 | (__u64)theirs << NP_RANK_OWNER_SHIFT | spare << 32 | age;
		if (((control ^ NP_SLOT_LIVE) & NP_SLOT_STATE_MASK) | (excess >> 63 & ~is_over))
			continue;
		np_forget(rank, control);
		if (rank < *best_rank)
			continue;
		np_forget(chosen, control);
		*best_rank = rank;
		best->set = set;
		best->way = chosen;
		best->control = control;
	}
}

/*
 * Makes an entry of the flow that np_scratch has. False: there is no room for another one of its pod. A global function: it is
 * verified once, not in every state of its callers.
 */
__attribute__((noinline)) int np_insert_transit(struct __sk_buff *skb, __u64 hash)
{
	const struct np_question *question = np_scratch_question();
	struct np_flow_set *first = np_transit_set_of(np_flow_choice(hash, 0));
	struct np_flow_set *second = np_transit_set_of(np_flow_choice(hash, 1));
	struct np_flow_place best = {};
	__u64 best_rank = 0;
	__u32 mine;

	asm volatile("" : : "r"(skb)); /* else clang passes nothing, which the verifier refuses */
	if (!question || !first || !second)
		return false;
	if (np_likely(np_write_free(first, second, &question->flow, hash)))
		return true;
	mine = np_count_of(first, question->flow.arrival) + np_count_of(second, question->flow.arrival);
	np_choose_excess(skb, first, first, second, mine, &best, &best_rank);
	np_choose_excess(skb, second, first, second, mine, &best, &best_rank);
	return best.set && np_write_flow(best.set, best.way, best.control, &question->flow, hash);
}

/*
 * Notes a packet in the node's own entry of the flow that np_scratch has. False: there is none. A global function: it is verified once,
 * not in every state of its callers.
 */
__attribute__((noinline)) int np_see_host_flow(struct __sk_buff *skb, __u64 hash)
{
	const struct np_question *question = np_scratch_question();
	struct np_hook hook = np_hook_of(skb);
	struct np_flow_place place;

	if (!question || !np_find_endpoint(&hook) ||
	    !np_find_flow(hook.endpoint, hook.slot, &question->flow, hash, &place) ||
	    np_flow_role(place.flags) == NP_ROLE_NONE)
		return false;
	np_see_packet(&place, &question->packet, NP_EGRESS);
	return true;
}

/*
 * Remembers a pod's flow that leaves under an address of the node, so that what comes back in it is known; one that the node has
 * admitted, as to a NodePort, is. False: it could not be remembered, and what comes back would be refused.
 */
NP_INLINE bool np_note_transit(const struct np_hook *hook, struct np_question *question)
{
	const struct np_packet *packet = &question->packet;
	struct np_flow_record *flow = &question->flow;
	struct np_flow_place place;
	__u32 flags;
	__u64 hash;

	if (packet->kind != NP_KIND_FLOW || packet->fragment == NP_FRAGMENT_LATER || packet->tcp_flags & NP_TCP_RST)
		return true;
	hash = np_fill_transit(hook, question);
	if (np_likely(np_find_transit(flow, hash, &place))) {
		flags = np_flags_set_by(packet, NP_EGRESS, NP_ROLE_INITIATOR, false);
		if (np_has_no_connection(packet->protocol) && place.flags & NP_ENTRY_ANSWERED)
			flags = NP_ENTRY_STREAM;
		np_mark_flow(&place, flags, np_flags_cleared_by(packet));
		/* The NAT has given the ends to another pod. */
		np_stamp_flow(&place, place.revision, np_arrival_of(hook->skb, false));
		return true;
	}
	if (np_see_host_flow(hook->skb, hash))
		return true;
	flow->revision = hook->endpoint->revision;
	flow->arrival = np_arrival_of(hook->skb, false);
	flow->last_seen = np_flow_clock();
	flow->flags = 0;
	flow->other_port = 0;
	__builtin_memset(&flow->other, 0, sizeof(flow->other));
	return np_insert_transit(hook->skb, hash) || np_need_of(hook->endpoint, NP_EGRESS) == NP_STATE_NEVER;
}

#endif
