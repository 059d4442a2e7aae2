/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The one parser: frame -> np_packet, or the reason to drop it. */
#ifndef NP_PARSE_H
#define NP_PARSE_H

#include "parse_ipv4.h"
#include "parse_ipv6.h"
#include "parse_transport.h"

NP_INLINE enum np_reason np_parse_network(struct np_cursor *cursor, struct np_packet *packet, const bool ipv6,
					  const bool embedded)
{
	enum np_reason reason =
		ipv6 ? np_parse_ipv6(cursor, packet, embedded) : np_parse_ipv4(cursor, packet, embedded);

	if (np_unlikely(reason || packet->fragment == NP_FRAGMENT_LATER))
		return reason;
	cursor->transport = cursor->offset;
	reason = np_parse_transport(cursor, packet, ipv6, embedded);
	packet->fragment_headers = cursor->offset - cursor->fragmentable;
	return reason;
}

/*
 * NP_REASON_NONE: `packet` is filled and the cursor is behind the transport header. NP_REASON_ARP: passes. Else the
 * reason to drop. The ethertype is read from the frame, as the receiver does; a VLAN tag that the kernel has moved out
 * of the frame counts as well.
 */
NP_INLINE enum np_reason np_parse(struct np_cursor *cursor, struct np_packet *packet)
{
	__be16 ethertype;

	if (np_unlikely(cursor->skb->vlan_present))
		return NP_DROP_VLAN;
	if (np_unlikely(np_load(cursor, NP_ETHERTYPE_OFFSET, &ethertype)))
		return NP_DROP_TRUNCATED;
	cursor->offset = ETH_HLEN;
	if (np_likely(ethertype == bpf_htons(ETH_P_IP)))
		return np_parse_network(cursor, packet, false, false);
	switch (bpf_ntohs(ethertype)) {
	case ETH_P_IPV6:
		return np_parse_network(cursor, packet, true, false);
	case ETH_P_ARP:
		return NP_REASON_ARP;
	case ETH_P_8021Q:
	case ETH_P_8021AD:
		return NP_DROP_VLAN;
	default:
		return NP_DROP_ETHERTYPE;
	}
}

#endif
