/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Replacing an end of nearly all packets of TCP, with at most one helper and direct access. All others: rewrite.h. */
#ifndef NP_REWRITE_TCP_H
#define NP_REWRITE_TCP_H

#include "rewrite.h"

/* The TCP header at an offset, NULL when it is not in the linear part. */
NP_INLINE struct np_tcp_header *np_tcp_header_at(const struct __sk_buff *skb, const __u32 offset)
{
	struct np_tcp_header *tcp = (void *)(long)skb->data + offset;

	return (void *)(tcp + 1) <= (void *)(long)skb->data_end ? tcp : NULL;
}

/*
 * The sum of the TCP header at `offset` for another address and port. A field that is not the pseudo header's sum has a finished
 * sum, which needs no helper. Else it is left to one: whether the sum is still to be made is seen from how that changes it for the
 * address: then up by the change, else, as it is the complement, down. `change` is not 0 where ports differ.
 */
NP_INLINE enum np_reason np_fix_tcp_sum(struct __sk_buff *skb, const __u32 offset, __u32 pseudo, __u32 change,
					__u32 port_change)
{
	struct np_tcp_header *tcp = np_tcp_header_at(skb, offset);
	__be16 before;

	if (!tcp)
		return NP_DROP_INTERNAL;
	before = tcp->checksum;
	if (!skb->gso_size && !np_is_same_sum(before, pseudo)) {
		tcp->checksum = np_checksum_after(before, change + port_change);
		return NP_REASON_NONE;
	}
	if (bpf_l4_csum_replace(skb, offset + offsetof(struct np_tcp_header, checksum), 0, change, BPF_F_PSEUDO_HDR))
		return NP_DROP_INTERNAL;
	tcp = np_tcp_header_at(skb, offset);
	if (!tcp)
		return NP_DROP_INTERNAL;
	if (port_change && np_is_same_sum(np_fold_words(tcp->checksum + change), before))
		tcp->checksum = np_checksum_after(tcp->checksum, port_change);
	return NP_REASON_NONE;
}

/* A replacement of np_replace_tcp_end over one family. `change`: of the address. */
NP_INLINE enum np_reason np_replace_tcp_over(struct __sk_buff *skb, const struct np_packet *packet,
					     const struct np_place *place, const bool ipv4, const bool source,
					     const struct np_address *to, __be16 to_port, __u32 change)
{
	const __u32 offset = ETH_HLEN + (ipv4 ? sizeof(struct np_ipv4_header) : sizeof(struct np_ipv6_header));
	const __be16 from_port = source ? packet->source_port : packet->destination_port;
	const __u32 port_change = from_port == to_port ? 0 : np_change_of_words(from_port, to_port);
	enum np_reason reason = np_fix_tcp_sum(skb, offset, np_pseudo_words(packet, place->end - offset, ipv4), change,
					       port_change);
	struct np_tcp_header *tcp = np_tcp_header_at(skb, offset);

	if (reason || !tcp)
		return reason ? reason : NP_DROP_INTERNAL;
	if (source)
		tcp->ports.source = to_port;
	else
		tcp->ports.destination = to_port;
	if (ipv4) {
		struct np_ipv4_header *ip = (void *)(long)skb->data + ETH_HLEN;

		ip->checksum = np_checksum_after(ip->checksum, change);
		if (source)
			ip->source = to->word[3];
		else
			ip->destination = to->word[3];
	} else {
		struct np_ipv6_header *ip = (void *)(long)skb->data + ETH_HLEN;

		if (source)
			ip->source = *to;
		else
			ip->destination = *to;
	}
	return NP_REASON_NONE;
}

/*
 * As np_replace_end, with at most one helper, of nearly all packets of TCP: over IPv4 without options or IPv6 without extensions,
 * headers in the linear part. False: it is none of these, and nothing was changed. `*reason`: what became of it.
 */
NP_INLINE bool np_replace_tcp_end(struct __sk_buff *skb, const struct np_packet *packet, const struct np_place *place,
				  const bool source, const struct np_address *to, __be16 to_port,
				  enum np_reason *reason)
{
	const struct np_address *from = source ? &packet->source : &packet->destination;
	const __be16 from_port = source ? packet->source_port : packet->destination_port;
	const bool ipv4 = np_is_mapped_ipv4(from);
	__u32 change;

	if (np_unlikely(packet->protocol != IPPROTO_TCP || packet->fragment != NP_FRAGMENT_NONE ||
			np_is_mapped_ipv4(to) != ipv4))
		return false;
	if (np_likely(ipv4)) {
		change = np_change_of_address(from, to, true);
		if (np_unlikely(place->transport != ETH_HLEN + sizeof(struct np_ipv4_header) ||
				!np_tcp_header_at(skb, ETH_HLEN + sizeof(struct np_ipv4_header)) ||
				(from_port != to_port && np_is_same_sum(change, 0))))
			return false;
		*reason = np_replace_tcp_over(skb, packet, place, true, source, to, to_port, change);
		return true;
	}
	change = np_change_of_address(from, to, false);
	if (place->transport != ETH_HLEN + sizeof(struct np_ipv6_header) ||
	    !np_tcp_header_at(skb, ETH_HLEN + sizeof(struct np_ipv6_header)) ||
	    (from_port != to_port && np_is_same_sum(change, 0)))
		return false;
	*reason = np_replace_tcp_over(skb, packet, place, false, source, to, to_port, change);
	return true;
}

#endif
