/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NP_PARSE_IPV4_H
#define NP_PARSE_IPV4_H

#include "address.h"
#include "packet.h"

/*
 * The `length` bytes of options at `offset` of the frame. Source routes are refused: the packet would not go to the
 * destination that policy sees. Anything else is for the receiver. Returns enum np_reason.
 *
 * Walks all bytes and acts on those where an option starts, so that each read has a constant offset for the verifier. A
 * global function: the loop is verified once, not in every state of the parser.
 */
__attribute__((noinline)) int np_check_ipv4_options(struct __sk_buff *skb, __u32 offset, __u32 length)
{
	__u8 options[NP_IPV4_MAX_OPTIONS + 1] = {}; /* one more: the length byte behind the last byte is read as well */
	__u32 next = 0, more = length - 1;

	/* Not possible with a header length of four bits, but the verifier does not know; nor (that of 6.1) what is not 0. */
	asm volatile("" : "+r"(more));
	if (more >= NP_IPV4_MAX_OPTIONS)
		return NP_DROP_BAD_HEADER;
	if (bpf_skb_load_bytes(skb, offset, options, more + 1))
		return NP_DROP_TRUNCATED;

	for (__u32 at = 0; at < NP_IPV4_MAX_OPTIONS; at++) {
		__u8 type = options[at];

		if (at >= length || (at == next && type == NP_IPV4_OPTION_END))
			break;
		if (at != next)
			continue;
		if (type == NP_IPV4_OPTION_LOOSE_ROUTE || type == NP_IPV4_OPTION_STRICT_ROUTE)
			return NP_DROP_SOURCE_ROUTE;
		if (type == NP_IPV4_OPTION_NOP) {
			next = at + 1;
			continue;
		}
		next = at + options[at + 1];
		if (options[at + 1] < NP_IPV4_MIN_OPTION || next > length)
			return NP_DROP_BAD_HEADER;
	}
	return NP_REASON_NONE;
}

/*
 * IPv4 at the cursor: sets addresses, protocol, hop limit and fragment fields; leaves the cursor at the transport
 * header and its end at the end of the datagram. `embedded`: the packet in an ICMP error, cut short by rule.
 */
NP_INLINE enum np_reason np_parse_ipv4(struct np_cursor *cursor, struct np_packet *packet, const bool embedded)
{
	struct np_ipv4_header ip;
	__u32 header, fragment;

	if (np_unlikely(np_peek(cursor, &ip)))
		return NP_DROP_TRUNCATED;
	/* First, so that a drop can say whose packet it was. */
	np_map_ipv4(&packet->source, ip.source);
	np_map_ipv4(&packet->destination, ip.destination);
	packet->protocol = ip.protocol;
	packet->hop_limit = ip.time_to_live;
	header = (ip.version_length & 0xf) * NP_WORD_BYTES;
	if (np_unlikely(header != sizeof(ip)))
		cursor->direct = false;
	if (np_unlikely(ip.version_length >> 4 != 4 || header < sizeof(ip)))
		return NP_DROP_BAD_HEADER;

	if (embedded) {
		if (cursor->offset + header > cursor->end)
			return NP_DROP_TRUNCATED;
	} else {
		__u32 available = cursor->end - cursor->offset;
		__u32 length = bpf_ntohs(ip.total_length);

		if (np_unlikely(length == 0) && cursor->skb->gso_size)
			length = available;
		if (np_unlikely(length < header))
			return NP_DROP_BAD_HEADER;
		if (np_unlikely(length > available))
			return NP_DROP_TRUNCATED;
		cursor->end = cursor->offset + length;

		if (np_unlikely(header > sizeof(ip))) {
			enum np_reason reason = np_check_ipv4_options(cursor->skb, cursor->offset + sizeof(ip),
								      header - sizeof(ip));

			if (reason)
				return reason;
		}
	}

	cursor->offset += header;

	fragment = bpf_ntohs(ip.fragment) & (NP_IPV4_MORE_FRAGMENTS | NP_IPV4_OFFSET_MASK);
	if (np_unlikely(fragment)) {
		packet->fragment_identification = ip.identification;
		packet->fragment_offset = (fragment & NP_IPV4_OFFSET_MASK) * NP_OCTAWORD_BYTES;
		packet->fragment = packet->fragment_offset ? NP_FRAGMENT_LATER : NP_FRAGMENT_FIRST;
		cursor->fragmentable = cursor->offset;
	}
	return NP_REASON_NONE;
}

#endif
