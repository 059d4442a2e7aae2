/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From the frame to np_scratch: the packet, and where its headers are. Plain packets, which nearly all are, without a call
 * and with every header at an offset known at compile time; all others by the one parser (parse.h), as a global function.
 *
 * What comes out is in the map, not on the stack: so the verifier, which follows no values through a map, goes on behind
 * the parser in one state.
 */
#ifndef NP_INTAKE_H
#define NP_INTAKE_H

#include "hook.h"
#include "parse.h"

/* Notes where the packet's headers are, for steps that change it. */
NP_INLINE void np_note_places(struct np_question *question, __u32 transport, __u32 payload, __u32 end)
{
	question->transport_offset = transport;
	question->resume_offset = payload;
	question->resume_end = end;
}

/* Fields of a packet that is not what they are for. */
NP_INLINE void np_clear_rest(struct np_packet *packet)
{
	packet->kind = NP_KIND_FLOW;
	packet->icmp_type = 0;
	packet->icmp_code = 0;
	packet->fragment = NP_FRAGMENT_NONE;
	packet->fragment_identification = 0;
	packet->fragment_offset = 0;
	packet->fragment_headers = 0;
}

/*
 * TCP or UDP at `transport`, an offset known at compile time, up to `end`. True: the packet's ports and flags are filled in.
 * False: it is none that is plain, whatever it is.
 */
NP_INLINE bool np_parse_plain_transport(struct __sk_buff *skb, struct np_question *question, const __u32 transport,
				       __u32 end, __u8 protocol)
{
	void *header = (void *)(long)skb->data + transport;
	void *data_end = (void *)(long)skb->data_end;
	struct np_packet *packet = &question->packet;

	if (np_likely(protocol == IPPROTO_TCP)) {
		const struct np_tcp_header *tcp = header;
		__u32 length;

		if (np_unlikely(header + sizeof(*tcp) > data_end))
			return false;
		length = (tcp->data_offset >> 4) * NP_WORD_BYTES;
		if (np_unlikely(length < sizeof(*tcp) || transport + length > end))
			return false;
		packet->source_port = tcp->ports.source;
		packet->destination_port = tcp->ports.destination;
		packet->tcp_flags = tcp->flags;
		packet->initiates = (tcp->flags & (NP_TCP_SYN | NP_TCP_ACK)) == NP_TCP_SYN;
		np_note_places(question, transport, transport + length, end);
		return true;
	}
	if (np_likely(protocol == IPPROTO_UDP)) {
		const struct np_udp_header *udp = header;

		if (np_unlikely(header + sizeof(*udp) > data_end || transport + sizeof(*udp) > end))
			return false;
		packet->source_port = udp->ports.source;
		packet->destination_port = udp->ports.destination;
		packet->tcp_flags = 0;
		packet->initiates = false;
		np_note_places(question, transport, transport + sizeof(*udp), end);
		return true;
	}
	return false;
}

/*
 * A whole TCP or UDP packet over IPv4 without options or IPv6 without extension headers, its headers in the linear part.
 * False: it is none, and np_parse_any must be asked. Never a packet that np_parse would refuse.
 */
NP_INLINE bool np_parse_plain(struct __sk_buff *skb, struct np_question *question)
{
	void *data = (void *)(long)skb->data;
	void *data_end = (void *)(long)skb->data_end;
	struct np_packet *packet = &question->packet;
	const struct np_ipv4_header *ip = data + ETH_HLEN;
	const struct np_ipv6_header *ip6 = data + ETH_HLEN;
	__be16 ethertype;
	__u32 end;

	if (np_unlikely(skb->vlan_present || (void *)(ip + 1) > data_end))
		return false;
	ethertype = *(__be16 *)(data + NP_ETHERTYPE_OFFSET);
	if (np_likely(ethertype == bpf_htons(ETH_P_IP))) {
		end = ETH_HLEN + bpf_ntohs(ip->total_length);
		if (np_unlikely(ip->version_length != (4 << 4 | NP_IPV4_MIN_WORDS) || end > skb->len ||
				ip->fragment & bpf_htons(NP_IPV4_MORE_FRAGMENTS | NP_IPV4_OFFSET_MASK)))
			return false;
		np_map_ipv4(&packet->source, ip->source);
		np_map_ipv4(&packet->destination, ip->destination);
		packet->protocol = ip->protocol;
		packet->hop_limit = ip->time_to_live;
		np_clear_rest(packet);
		return np_parse_plain_transport(skb, question, ETH_HLEN + sizeof(*ip), end, ip->protocol);
	}
	if (ethertype != bpf_htons(ETH_P_IPV6) || (void *)(ip6 + 1) > data_end)
		return false;
	end = ETH_HLEN + sizeof(*ip6) + bpf_ntohs(ip6->payload_length);
	if ((ip6->version_class_flow & bpf_htonl(NP_IPV6_VERSION_MASK)) != bpf_htonl(NP_IPV6_VERSION) ||
	    end > skb->len || np_is_mapped_ipv4(&ip6->source) || np_is_mapped_ipv4(&ip6->destination))
		return false;
	packet->source = ip6->source;
	packet->destination = ip6->destination;
	packet->protocol = ip6->next_header;
	packet->hop_limit = ip6->hop_limit;
	np_clear_rest(packet);
	return np_parse_plain_transport(skb, question, ETH_HLEN + sizeof(*ip6), end, ip6->next_header);
}

/* Any packet. Returns enum np_reason, as np_parse. A global function: it is verified once, not in every caller. */
__attribute__((noinline)) int np_parse_any(struct __sk_buff *skb)
{
	struct np_question *question = np_scratch_question();
	const struct np_packet nothing = {};
	struct np_cursor cursor;
	enum np_reason reason;

	if (!question)
		return NP_DROP_INTERNAL;
	np_cursor_start(&cursor, skb);
	question->packet = nothing;
	reason = np_parse(&cursor, &question->packet);
	np_note_places(question, cursor.transport, cursor.offset, cursor.end);
	return reason;
}

#endif
