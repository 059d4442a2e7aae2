/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NP_PARSE_IPV6_H
#define NP_PARSE_IPV6_H

#include "address.h"
#include "packet.h"

/* A bit set of the numbers below 64: one test for all of them. */
#define NP_EXTENSION_HEADERS                                                                                    \
	(1ull << IPPROTO_HOPOPTS | 1ull << IPPROTO_ROUTING | 1ull << IPPROTO_FRAGMENT | 1ull << IPPROTO_AH |    \
	 1ull << IPPROTO_DSTOPTS)

NP_INLINE bool np_is_extension_header(__u8 next_header)
{
	return next_header < 64 && NP_EXTENSION_HEADERS >> next_header & 1;
}

/* A chain that ends inside the first fragment's headers would hide the ports (RFC 7112). */
NP_INLINE enum np_reason np_chain_cut(const struct np_packet *packet)
{
	return packet->fragment == NP_FRAGMENT_NONE ? NP_DROP_TRUNCATED : NP_DROP_FRAGMENT_TINY;
}

/* The fragment header at the cursor. A packet in one piece may carry one (atomic fragment): it stays whole. */
NP_INLINE enum np_reason np_parse_ipv6_fragment(struct np_cursor *cursor, struct np_packet *packet)
{
	struct np_ipv6_fragment header;
	__u16 offset_more;

	if (np_peek(cursor, &header))
		return NP_DROP_TRUNCATED;
	if (cursor->fragmentable)
		return NP_DROP_EXTENSION_HEADERS; /* a second one */
	cursor->offset += sizeof(header);
	cursor->fragmentable = cursor->offset;
	packet->protocol = header.next_header;
	offset_more = bpf_ntohs(header.offset_more);
	if (offset_more & (NP_IPV6_OFFSET_MASK | NP_IPV6_MORE_FRAGMENTS)) {
		packet->fragment_identification = header.identification;
		packet->fragment_offset = offset_more & NP_IPV6_OFFSET_MASK;
		packet->fragment = packet->fragment_offset ? NP_FRAGMENT_LATER : NP_FRAGMENT_FIRST;
	}
	return NP_REASON_NONE;
}

/* Any other extension header at the cursor, of kind packet->protocol. */
NP_INLINE enum np_reason np_parse_ipv6_extension(struct np_cursor *cursor, struct np_packet *packet, const bool first)
{
	struct np_ipv6_extension header;
	__u32 length;

	if (np_peek(cursor, &header))
		return np_chain_cut(packet);
	if (packet->protocol == IPPROTO_HOPOPTS && !first)
		return NP_DROP_EXTENSION_HEADERS;
	/* The packet would go on to an address that policy has not seen. */
	if (packet->protocol == IPPROTO_ROUTING && header.segments_left)
		return NP_DROP_SOURCE_ROUTE;
	length = packet->protocol == IPPROTO_AH ? (header.length + 2) * NP_WORD_BYTES
						: (header.length + 1) * NP_OCTAWORD_BYTES;
	if (cursor->offset + length > cursor->end)
		return np_chain_cut(packet);
	cursor->offset += length;
	packet->protocol = header.next_header;
	return NP_REASON_NONE;
}

/* IPv6 at the cursor, as np_parse_ipv4. Unknown next headers are the packet's protocol. */
NP_INLINE enum np_reason np_parse_ipv6(struct np_cursor *cursor, struct np_packet *packet, const bool embedded)
{
	struct np_ipv6_header ip;

	if (np_peek(cursor, &ip))
		return NP_DROP_TRUNCATED;
	if ((ip.version_class_flow & bpf_htonl(NP_IPV6_VERSION_MASK)) != bpf_htonl(NP_IPV6_VERSION))
		return NP_DROP_BAD_HEADER;
	/* Before anything is refused, so that a drop can say whose packet it was. */
	packet->source = ip.source;
	packet->destination = ip.destination;
	packet->protocol = ip.next_header;
	packet->hop_limit = ip.hop_limit;
	/* Not valid on the wire, and would be mistaken for IPv4 addresses. */
	if (np_is_mapped_ipv4(&ip.source) || np_is_mapped_ipv4(&ip.destination))
		return NP_DROP_BAD_HEADER;
	cursor->offset += sizeof(ip);

	if (!embedded) {
		__u32 available = cursor->end - cursor->offset;
		__u32 length = bpf_ntohs(ip.payload_length);

		if (length == 0 && cursor->skb->gso_size)
			length = available;
		if (length > available)
			return NP_DROP_TRUNCATED;
		cursor->end = cursor->offset + length;
	}

	for (int i = 0; i < NP_MAX_EXTENSION_HEADERS; i++) {
		enum np_reason reason;

		if (!np_is_extension_header(packet->protocol))
			return NP_REASON_NONE;
		cursor->direct = false;
		if (packet->protocol == IPPROTO_FRAGMENT)
			reason = np_parse_ipv6_fragment(cursor, packet);
		else
			reason = np_parse_ipv6_extension(cursor, packet, i == 0);
		if (reason)
			return reason;
		if (packet->fragment == NP_FRAGMENT_LATER)
			return NP_REASON_NONE;
	}
	return np_is_extension_header(packet->protocol) ? NP_DROP_EXTENSION_HEADERS : NP_REASON_NONE;
}

#endif
