/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The fast path (fast_path.h) at its shortest. If the sender's entry lets a packet pass, and the receiver has an entry of the flow under its
 * current revision, the packet is delivered by the program that has parsed it. All others go on in np_fast_path. Both decide alike: here the
 * same answer is found with one parser, no jump and few calls.
 */
#ifndef NP_FAST_PATH_DIRECT_H
#define NP_FAST_PATH_DIRECT_H

#include "events.h"
#include "judge.h"
#include "fast_path.h"

/* Flags of an entry whose packets more than the entry decides about, or that are changed on their way. */
#define NP_ENTRY_NOT_PLAIN \
	(NP_ENTRY_FRONTEND | NP_ENTRY_BACKEND | NP_ENTRY_QUERIES | NP_ENTRY_HELLO | NP_ENTRY_PROXY)

/*
 * np_judge_known at the receiving pod's hook, for flows that need nothing else. The packet opens no connection. NP_REASON_NONE:
 * np_fast_path has to judge it; nothing is noted yet.
 */
NP_INLINE enum np_reason np_judge_receiver(const struct np_hook *hook, struct np_question *question)
{
	const struct np_packet *packet = &question->packet;
	const __u32 revision = hook->endpoint->revision;
	struct np_flow_place place;
	__u64 hash;

	if (np_need_of(hook->endpoint, NP_INGRESS) != NP_STATE_ALWAYS)
		return NP_REASON_NONE;
	np_fill_flow_key(hook->endpoint, packet, NP_INGRESS, &question->flow);
	hash = np_hash_flow(hook->slot, &question->flow);
	if (!np_find_flow(hook->endpoint, hook->slot, &question->flow, hash, &place) ||
	    np_unlikely(place.revision != revision || place.arrival != hook->arrival ||
			place.flags & NP_ENTRY_NOT_PLAIN || np_flow_role(place.flags) == NP_ROLE_NONE))
		return NP_REASON_NONE;
	np_see_packet(&place, packet, NP_INGRESS);
	return np_flow_role(place.flags) == np_role_of(NP_INGRESS) ? NP_REASON_ESTABLISHED : NP_REASON_REPLY;
}

/* Whether the frame still has the destination that was parsed: a packet to a Service has that of its backend by now (np_send_on). */
NP_INLINE bool np_is_as_parsed(const struct __sk_buff *skb, const struct np_packet *packet)
{
	const void *data = (const void *)(long)skb->data;
	const void *data_end = (const void *)(long)skb->data_end;
	const struct np_ipv4_header *ip = data + ETH_HLEN;
	const struct np_ipv6_header *ip6 = data + ETH_HLEN;

	if (np_likely(np_is_mapped_ipv4(&packet->destination)))
		return (const void *)(ip + 1) <= data_end && ip->destination == packet->destination.word[3];
	return (const void *)(ip6 + 1) <= data_end && np_same_address(&ip6->destination, &packet->destination);
}

/*
 * Delivers the packet in np_scratch to the receiving pod and counts it at both pods. Only for packets that np_parse_plain parsed, that open
 * no connection, and that the sender's policy allowed under reason `sent`. Returns the hook's action. NP_ACTION_NEXT: the packet goes on as
 * if this function had not been called; NP_ACTION_SHOT: it could not be delivered to the pod that cb[0] names now. A global function: it is
 * verified once.
 */
__attribute__((noinline)) int np_fast_path_direct(struct __sk_buff *skb, __u32 sent)
{
	struct np_question *question = np_scratch_question();
	const struct np_hook hook = np_hook_of(skb);
	struct np_hook other = {.skb = skb, .direction = NP_INGRESS};
	const struct np_packet *packet;
	const struct np_path_end *end;
	enum np_reason received;
	struct np_path path;
	int to;

	if (!question)
		return NP_ACTION_NEXT;
	packet = &question->packet;
	to = np_find_fast_path(&hook, packet, &path);
	if (to < 0 || !np_is_as_parsed(skb, packet))
		return NP_ACTION_NEXT;
	other.slot = to;
	if (!np_find_endpoint(&other) || !np_is_endpoint_address(other.endpoint, &packet->destination))
		return NP_ACTION_NEXT;
	end = np_way_out(skb, packet, other.endpoint, other.slot);
	if (!end)
		return NP_ACTION_NEXT;
	other.arrival = np_arrival_of(skb, false);
	received = np_judge_receiver(&other, question);
	if (!received)
		return NP_ACTION_NEXT;
	np_see_path(&path, packet);
	np_count(sent, skb->len);
	if (np_likely(np_hand_over(skb, end, other.endpoint->ifindex) == NP_ACTION_REDIRECT)) {
		np_count(received, skb->len);
		return NP_ACTION_REDIRECT;
	}
	np_enter_as(skb, other.slot | NP_CB_FAST_PATH, NP_INGRESS);
	return NP_ACTION_SHOT;
}

#endif
