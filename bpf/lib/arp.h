/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ARP: who asks decides where the answers go, so a pod speaks for its own address and frame only. Resolution, probes
 * (sender 0.0.0.0) and announcements of its own address pass, padded with zeros or not at all: they pass under any policy.
 *
 * To a pod: what is about its address, and announcements of others: without them a neighbour that moved would be lost until
 * the pod probes it. Whose they may be is checked here too, for what comes from no pod's hook.
 */
#ifndef NP_ARP_H
#define NP_ARP_H

#include "judge.h"
#include "packet.h"

NP_INLINE bool np_same_mac(const struct np_mac *a, const struct np_mac *b)
{
	__u32 different = 0;

	_Pragma("clang loop unroll(full)")
	for (int i = 0; i < ETH_ALEN; i++)
		different |= a->byte[i] ^ b->byte[i];
	return !different;
}

NP_INLINE bool np_is_arp_of_pods(const struct np_arp *arp)
{
	return arp->hardware == bpf_htons(NP_ARP_ETHERNET) && arp->protocol == bpf_htons(ETH_P_IP) &&
	       arp->hardware_bytes == ETH_ALEN && arp->protocol_bytes == sizeof(arp->sender) &&
	       (arp->operation == bpf_htons(NP_ARP_REQUEST) || arp->operation == bpf_htons(NP_ARP_REPLY));
}

NP_INLINE void np_map_arp_address(struct np_address *to, const __u8 *from)
{
	__be32 address;

	__builtin_memcpy(&address, from, sizeof(address));
	np_map_ipv4(to, address);
}

/* Whether what pads an ARP frame, which is no longer than the shortest frame of Ethernet, are zeros. */
NP_INLINE bool np_is_padded_with_zeros(struct __sk_buff *skb)
{
	const __u32 start = ETH_HLEN + sizeof(struct np_arp);
	const __u32 length = skb->len;
	__u8 end[ETH_ZLEN - ETH_HLEN - sizeof(struct np_arp)];
	__u8 found = 0;

	if (np_likely(length <= start))
		return true;
	/* Always as many bytes as there may be, those of the message among them: so their number is known to the verifier. */
	if (bpf_skb_load_bytes(skb, length - sizeof(end), end, sizeof(end)))
		return false;
	_Pragma("clang loop unroll(full)")
	for (__u32 i = 0; i < sizeof(end); i++)
		found |= length - sizeof(end) + i < start ? 0 : end[i];
	return !found;
}

/* `packet` has sender and target as source and destination. */
NP_INLINE enum np_reason np_judge_arp_from_pod(const struct np_hook *hook, const struct np_packet *packet,
					       const struct np_arp *arp, const struct np_mac *frame)
{
	const bool is_probe = !packet->source.word[3] && arp->operation == bpf_htons(NP_ARP_REQUEST);

	if (!np_same_mac(&arp->sender_mac, frame))
		return NP_DROP_ARP_SPOOFED;
	return is_probe || np_is_endpoint_address(hook->endpoint, &packet->source) ? NP_REASON_ARP :
										     NP_DROP_ARP_SPOOFED;
}

NP_INLINE enum np_reason np_judge_arp_to_pod(const struct np_hook *hook, const struct np_packet *packet)
{
	if (!np_may_announce(&packet->source, hook->arrival))
		return NP_DROP_FOREIGN_SOURCE;
	return np_is_endpoint_address(hook->endpoint, &packet->destination) ||
			       np_same_address(&packet->source, &packet->destination) ?
		       NP_REASON_ARP :
		       NP_DROP_ARP_TARGET;
}

/*
 * ARP behind the Ethernet header; np_scratch's packet gets its addresses. Returns enum np_reason. A global function: it is
 * verified once, not in every state of the parser.
 */
__attribute__((noinline)) int np_judge_arp(struct __sk_buff *skb)
{
	struct np_question *question = np_scratch_question();
	struct np_hook at = np_hook_of(skb);
	const struct np_hook *hook = &at;
	struct np_packet *packet;
	struct np_arp arp;
	struct np_mac frame;

	if (!question || !np_find_endpoint(&at))
		return NP_DROP_INTERNAL;
	packet = &question->packet;
	np_set_arrival(&at, packet);
	if (bpf_skb_load_bytes(skb, ETH_HLEN, &arp, sizeof(arp)) ||
	    bpf_skb_load_bytes(skb, NP_SOURCE_MAC_OFFSET, &frame, sizeof(frame)))
		return NP_DROP_TRUNCATED;
	/* What pads it to the shortest frame is nobody's message. */
	if (!np_is_arp_of_pods(&arp) || skb->len > ETH_ZLEN ||
	    (hook->direction == NP_EGRESS && !np_is_padded_with_zeros(skb)))
		return NP_DROP_ARP_INVALID;
	np_map_arp_address(&packet->source, arp.sender);
	np_map_arp_address(&packet->destination, arp.target);
	return hook->direction == NP_EGRESS ? np_judge_arp_from_pod(hook, packet, &arp, &frame) :
					      np_judge_arp_to_pod(hook, packet);
}

#endif
