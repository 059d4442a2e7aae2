/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Neighbour discovery and listener reports: IPv6 does not work without them, so they pass under any policy. Only between
 * a pod and its own host: the hop limit proves or enforces that there is no router in between, and from a pod the
 * destination must be one that is not forwarded. Other messages of these types are judged like any ICMPv6, after the
 * source check.
 */
#ifndef NP_NEIGHBOUR_H
#define NP_NEIGHBOUR_H

#include "identity.h"
#include "source.h"

/* A pod is a host: it does not advertise routes, redirect its node, or query for listeners. */
NP_INLINE bool np_is_neighbour_message_from_host(__u8 type)
{
	return type == NP_ICMPV6_ROUTER_SOLICITATION || type == NP_ICMPV6_NEIGHBOUR_SOLICITATION ||
	       type == NP_ICMPV6_NEIGHBOUR_ADVERTISEMENT;
}

NP_INLINE bool np_is_neighbour_message(__u8 type)
{
	return type >= NP_ICMPV6_ROUTER_SOLICITATION && type <= NP_ICMPV6_REDIRECT;
}

NP_INLINE bool np_is_listener_report(__u8 type)
{
	return type == NP_ICMPV6_LISTENER_REPORT || type == NP_ICMPV6_LISTENER_DONE ||
	       type == NP_ICMPV6_LISTENER_REPORT_V2;
}

NP_INLINE bool np_is_link_source(const struct np_address *source)
{
	return np_is_ipv6_link_local(source) || np_is_unspecified(source);
}

NP_INLINE bool np_passes_from_pod(const struct np_packet *packet, const struct np_endpoint *endpoint)
{
	if (packet->hop_limit == NP_HOP_LIMIT_NEIGHBOUR && np_is_neighbour_message_from_host(packet->icmp_type)) {
		if (!np_is_link_source(&packet->source) && !np_is_endpoint_address(endpoint, &packet->source))
			return false;
		/* Probes of a gateway that is known by a global address go to that address. */
		return np_is_ipv6_link_multicast(&packet->destination) ||
		       np_is_ipv6_link_local(&packet->destination) ||
		       np_is_host_identity(np_identity_of(&packet->destination));
	}
	if (packet->hop_limit == NP_HOP_LIMIT_LISTENER && np_is_listener_report(packet->icmp_type))
		return np_is_link_source(&packet->source) && np_is_ipv6_multicast(&packet->destination);
	return false;
}

/* What arrives with a hop limit of 255 was sent by this host: forwarding would have taken one. */
NP_INLINE bool np_passes_to_pod(const struct np_packet *packet)
{
	if (np_is_neighbour_message(packet->icmp_type))
		return packet->hop_limit == NP_HOP_LIMIT_NEIGHBOUR;
	if (np_is_listener_report(packet->icmp_type) || packet->icmp_type == NP_ICMPV6_LISTENER_QUERY)
		return packet->hop_limit == NP_HOP_LIMIT_LISTENER && np_is_link_source(&packet->source) &&
		       np_is_ipv6_multicast(&packet->destination);
	return false;
}

NP_INLINE bool np_passes_as_neighbour(const struct np_packet *packet, const struct np_endpoint *endpoint,
				      const enum np_direction hook)
{
	if (np_likely(packet->protocol != IPPROTO_ICMPV6) || packet->kind != NP_KIND_STATELESS || packet->fragment ||
	    packet->icmp_code)
		return false;
	return hook == NP_EGRESS ? np_passes_from_pod(packet, endpoint) : np_passes_to_pod(packet);
}

#endif
