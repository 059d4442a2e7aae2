/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NP_PARSE_TRANSPORT_H
#define NP_PARSE_TRANSPORT_H

#include "packet.h"

/* The header does not fit. In a first fragment that is an attempt to hide it. */
NP_INLINE enum np_reason np_transport_cut(const struct np_packet *packet)
{
	return packet->fragment == NP_FRAGMENT_NONE ? NP_DROP_TRUNCATED : NP_DROP_FRAGMENT_TINY;
}

NP_INLINE void np_set_ports(struct np_packet *packet, struct np_ports ports)
{
	packet->source_port = ports.source;
	packet->destination_port = ports.destination;
}

NP_INLINE enum np_reason np_parse_tcp(struct np_cursor *cursor, struct np_packet *packet)
{
	struct np_tcp_header tcp;
	__u32 length;

	if (np_unlikely(np_peek(cursor, &tcp)))
		return np_transport_cut(packet);
	length = (tcp.data_offset >> 4) * NP_WORD_BYTES;
	if (np_unlikely(length < sizeof(tcp)))
		return NP_DROP_BAD_HEADER;
	if (np_unlikely(cursor->offset + length > cursor->end))
		return np_transport_cut(packet);
	np_set_ports(packet, tcp.ports);
	packet->tcp_flags = tcp.flags;
	packet->initiates = (tcp.flags & (NP_TCP_SYN | NP_TCP_ACK)) == NP_TCP_SYN;
	cursor->offset += length;
	return NP_REASON_NONE;
}

NP_INLINE enum np_reason np_parse_udp(struct np_cursor *cursor, struct np_packet *packet)
{
	struct np_udp_header udp;

	if (np_unlikely(np_peek(cursor, &udp)))
		return np_transport_cut(packet);
	np_set_ports(packet, udp.ports);
	cursor->offset += sizeof(udp);
	return NP_REASON_NONE;
}

/* What a chunk is to TCP (np_packet.tcp_flags). Four bits for each type, so that there is no branch for the verifier to follow. */
NP_INLINE __u8 np_sctp_flags(__u8 chunk_type)
{
	const __u64 flags = (__u64)NP_TCP_SYN << 4 * NP_SCTP_INIT | (__u64)NP_TCP_SYN << 4 * NP_SCTP_INIT_ACK |
			    (__u64)NP_TCP_RST << 4 * NP_SCTP_ABORT | (__u64)NP_TCP_FIN << 4 * NP_SCTP_SHUTDOWN |
			    (__u64)NP_TCP_FIN << 4 * NP_SCTP_SHUTDOWN_ACK;
	const __u32 is_listed = ((__u32)chunk_type - 16) >> 31;

	return (flags >> (4 * (chunk_type & 15))) & 15 & -is_listed;
}

NP_INLINE enum np_reason np_parse_sctp(struct np_cursor *cursor, struct np_packet *packet)
{
	struct np_sctp_header sctp;

	if (np_peek(cursor, &sctp))
		return np_transport_cut(packet);
	np_set_ports(packet, sctp.ports);
	packet->initiates = sctp.chunk_type == NP_SCTP_INIT;
	packet->tcp_flags = np_sctp_flags(sctp.chunk_type);
	cursor->offset += sizeof(sctp);
	return NP_REASON_NONE;
}

/* The query's end gets the identifier as its port, the answering end the type of the query: see np_packet. */
NP_INLINE void np_set_query(struct np_packet *packet, __be16 identifier)
{
	packet->kind = NP_KIND_FLOW;
	packet->initiates = true;
	packet->source_port = identifier;
	packet->destination_port = bpf_htons(packet->icmp_type);
}

NP_INLINE void np_set_answer(struct np_packet *packet, __be16 identifier, __u8 query_type)
{
	packet->kind = NP_KIND_ICMP_REPLY;
	packet->source_port = bpf_htons(query_type);
	packet->destination_port = identifier;
}

/* Redirects and source quenches are not errors here: they could steer a pod, so only policy lets them pass. */
NP_INLINE void np_classify_icmp(struct np_packet *packet, __be16 identifier)
{
	switch (packet->icmp_type) {
	case NP_ICMP_ECHO:
	case NP_ICMP_TIMESTAMP:
		np_set_query(packet, identifier);
		break;
	case NP_ICMP_ECHO_REPLY:
		np_set_answer(packet, identifier, NP_ICMP_ECHO);
		break;
	case NP_ICMP_TIMESTAMP_REPLY:
		np_set_answer(packet, identifier, NP_ICMP_TIMESTAMP);
		break;
	case NP_ICMP_UNREACHABLE:
	case NP_ICMP_TIME_EXCEEDED:
	case NP_ICMP_PARAMETER_PROBLEM:
		packet->kind = NP_KIND_ICMP_ERROR;
		break;
	default:
		packet->kind = NP_KIND_STATELESS;
	}
}

NP_INLINE void np_classify_icmpv6(struct np_packet *packet, __be16 identifier)
{
	switch (packet->icmp_type) {
	case NP_ICMPV6_ECHO:
		np_set_query(packet, identifier);
		break;
	case NP_ICMPV6_ECHO_REPLY:
		np_set_answer(packet, identifier, NP_ICMPV6_ECHO);
		break;
	case NP_ICMPV6_UNREACHABLE:
	case NP_ICMPV6_PACKET_TOO_BIG:
	case NP_ICMPV6_TIME_EXCEEDED:
	case NP_ICMPV6_PARAMETER_PROBLEM:
		packet->kind = NP_KIND_ICMP_ERROR;
		break;
	default:
		packet->kind = NP_KIND_STATELESS;
	}
}

NP_INLINE enum np_reason np_parse_icmp(struct np_cursor *cursor, struct np_packet *packet)
{
	struct np_icmp_header icmp;

	if (np_peek(cursor, &icmp))
		return np_transport_cut(packet);
	packet->icmp_type = icmp.type;
	packet->icmp_code = icmp.code;
	if (packet->protocol == IPPROTO_ICMP)
		np_classify_icmp(packet, icmp.identifier);
	else
		np_classify_icmpv6(packet, icmp.identifier);
	cursor->offset += sizeof(icmp);
	return NP_REASON_NONE;
}

/* The ports of a packet in an ICMP error, of which eight bytes are all that must be there. */
NP_INLINE enum np_reason np_parse_embedded_ports(struct np_cursor *cursor, struct np_packet *packet)
{
	struct np_embedded_transport transport;

	if (np_peek(cursor, &transport))
		return NP_DROP_TRUNCATED;
	np_set_ports(packet, transport.ports);
	return NP_REASON_NONE;
}

/* The transport header at the cursor. Protocols without ports keep 0 and so match only rules for every port. */
NP_INLINE enum np_reason np_parse_transport(struct np_cursor *cursor, struct np_packet *packet, const bool ipv6,
					    const bool embedded)
{
	switch (packet->protocol) {
	case IPPROTO_TCP:
		return embedded ? np_parse_embedded_ports(cursor, packet) : np_parse_tcp(cursor, packet);
	case IPPROTO_UDP:
		return embedded ? np_parse_embedded_ports(cursor, packet) : np_parse_udp(cursor, packet);
	case IPPROTO_SCTP:
		return embedded ? np_parse_embedded_ports(cursor, packet) : np_parse_sctp(cursor, packet);
	case IPPROTO_ICMP:
		return ipv6 ? NP_DROP_BAD_HEADER : np_parse_icmp(cursor, packet);
	case IPPROTO_ICMPV6:
		return ipv6 ? np_parse_icmp(cursor, packet) : NP_DROP_BAD_HEADER;
	default:
		return NP_REASON_NONE;
	}
}

#endif
