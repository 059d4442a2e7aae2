/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Replacing an end (address and port) of a packet, checksums included.
 *
 * Everything goes through helpers that take offsets, so no packet pointer is held over a change. What pods send over a veth
 * has its transport checksum still to be made (CHECKSUM_PARTIAL: the field has the sum of the pseudo header only).
 * bpf_l4_csum_replace knows: of such a packet it changes the field for what is in the pseudo header (BPF_F_PSEUDO_HDR) and
 * leaves it alone for the rest, which is summed up later. So addresses and ports are two calls.
 *
 * TCP with headers of the usual sizes, which is nearly all there is, takes one call and direct access: rewrite_tcp.h.
 *
 * CHECKSUM_COMPLETE does not reach these hooks: what is forwarded to a pod or comes from one has lost it (skb_forward_csum),
 * so BPF_F_IPV6, which older kernels refuse, is not needed.
 */
#ifndef NP_REWRITE_H
#define NP_REWRITE_H

#include "crc32c.h"
#include "sums.h"

/* Where a packet's headers are: bytes from the start of the frame. */
struct np_place {
	__u32 network;
	__u32 transport; /* not valid of later fragments */
	__u32 end; /* of the packet */
};

/* One end of a packet. */
struct np_end {
	struct np_address address;
	__be16 port;
};

#define NP_IPV4_CHECKSUM_OFFSET offsetof(struct np_ipv4_header, checksum)

/*
 * SCTP's checksum has no pseudo header, so only another port changes it. 0 is what a packet has whose checksum is still to
 * be made (CHECKSUM_PARTIAL), and stays. That of a fragmented packet is over bytes that are not here.
 */
NP_INLINE enum np_reason np_fix_sctp(struct __sk_buff *skb, const struct np_packet *packet,
				     const struct np_place *place, __u32 port_offset, __be16 from, __be16 to)
{
	const __u32 at = place->transport + offsetof(struct np_sctp_header, checksum);
	const __u32 behind = place->end - place->transport - port_offset - sizeof(from);
	__u32 checksum;

	if (from == to)
		return NP_REASON_NONE;
	if (packet->fragment != NP_FRAGMENT_NONE)
		return NP_DROP_UNTRANSLATABLE;
	if (bpf_skb_load_bytes(skb, at, &checksum, sizeof(checksum)))
		return NP_DROP_INTERNAL;
	if (!checksum)
		return NP_REASON_NONE;
	/* On the wire the CRC has its lowest byte first, as memory has it here. */
	checksum ^= np_crc32c_change((__u16)(from ^ to), behind);
	return bpf_skb_store_bytes(skb, at, &checksum, sizeof(checksum), 0) ? NP_DROP_INTERNAL : NP_REASON_NONE;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "np_fix_sctp reads ports and checksum as they lie in memory");

/* Where the checksum of TCP or UDP is. */
NP_INLINE __u32 np_checksum_of(const struct np_packet *packet, const struct np_place *place)
{
	return place->transport + (packet->protocol == IPPROTO_UDP ? offsetof(struct np_udp_header, checksum) :
								     offsetof(struct np_tcp_header, checksum));
}

/* The transport checksum of TCP and UDP for another port. A UDP checksum of 0 is none, and stays. */
NP_INLINE enum np_reason np_fix_port(struct __sk_buff *skb, const struct np_packet *packet, const struct np_place *place,
				     __be16 from, __be16 to)
{
	const __u64 flags = packet->protocol == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;

	if (from == to)
		return NP_REASON_NONE;
	return bpf_l4_csum_replace(skb, np_checksum_of(packet, place), from, to, flags | sizeof(from)) ?
		       NP_DROP_INTERNAL : NP_REASON_NONE;
}

/* The same for another address too, which changes the pseudo header's sum by `addresses`. */
NP_INLINE enum np_reason np_fix_sum(struct __sk_buff *skb, const struct np_packet *packet, const struct np_place *place,
				    __s64 addresses, __be16 from, __be16 to)
{
	const __u64 flags = packet->protocol == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;

	if (bpf_l4_csum_replace(skb, np_checksum_of(packet, place), 0, addresses, flags | BPF_F_PSEUDO_HDR))
		return NP_DROP_INTERNAL;
	return np_fix_port(skb, packet, place, from, to);
}

/* Stores an address in the IP header at `network`, with the header's checksum if it has one. */
NP_INLINE enum np_reason np_store_address(struct __sk_buff *skb, __u32 network, bool source,
					  const struct np_address *from, const struct np_address *to, bool ipv4)
{
	__u32 at;

	if (ipv4) {
		at = network + (source ? offsetof(struct np_ipv4_header, source) :
					 offsetof(struct np_ipv4_header, destination));
		if (bpf_l3_csum_replace(skb, network + NP_IPV4_CHECKSUM_OFFSET, from->word[3], to->word[3],
					sizeof(to->word[3])) ||
		    bpf_skb_store_bytes(skb, at, &to->word[3], sizeof(to->word[3]), 0))
			return NP_DROP_INTERNAL;
		return NP_REASON_NONE;
	}
	at = network + (source ? offsetof(struct np_ipv6_header, source) :
				 offsetof(struct np_ipv6_header, destination));
	return bpf_skb_store_bytes(skb, at, to, sizeof(*to), 0) ? NP_DROP_INTERNAL : NP_REASON_NONE;
}

/*
 * Replaces the source (or destination) of a packet of TCP, UDP or SCTP by an address and port. `packet` is what the frame has.
 * Later fragments have no port. On a failure the frame may be half changed: it must not leave.
 */
NP_INLINE enum np_reason np_replace_end(struct __sk_buff *skb, const struct np_packet *packet,
					const struct np_place *place, const bool source, const struct np_address *to,
					__be16 to_port)
{
	const struct np_address *from = source ? &packet->source : &packet->destination;
	const __be16 from_port = source ? packet->source_port : packet->destination_port;
	const __u32 port_offset = source ? offsetof(struct np_ports, source) : offsetof(struct np_ports, destination);
	const bool ipv4 = np_is_mapped_ipv4(from);
	enum np_reason reason;
	__s64 change;

	if (np_is_mapped_ipv4(to) != ipv4)
		return NP_DROP_UNTRANSLATABLE;
	change = np_address_change(from, to, ipv4);
	if (change < 0)
		return NP_DROP_INTERNAL;
	if (packet->fragment != NP_FRAGMENT_LATER) {
		if (packet->protocol == IPPROTO_SCTP)
			reason = np_fix_sctp(skb, packet, place, port_offset, from_port, to_port);
		else
			reason = np_fix_sum(skb, packet, place, change, from_port, to_port);
		if (reason)
			return reason;
		if (from_port != to_port &&
		    bpf_skb_store_bytes(skb, place->transport + port_offset, &to_port, sizeof(to_port), 0))
			return NP_DROP_INTERNAL;
	}
	return np_store_address(skb, place->network, source, from, to, ipv4);
}

/* Replaces a port alone. */
NP_INLINE enum np_reason np_replace_port(struct __sk_buff *skb, const struct np_packet *packet, const struct np_place *place,
					 const bool source, __be16 to)
{
	const __be16 from = source ? packet->source_port : packet->destination_port;
	const __u32 port_offset = source ? offsetof(struct np_ports, source) : offsetof(struct np_ports, destination);
	enum np_reason reason;

	if (packet->fragment == NP_FRAGMENT_LATER)
		return NP_REASON_NONE;
	if (packet->protocol == IPPROTO_SCTP)
		reason = np_fix_sctp(skb, packet, place, port_offset, from, to);
	else
		reason = np_fix_port(skb, packet, place, from, to);
	if (reason)
		return reason;
	return bpf_skb_store_bytes(skb, place->transport + port_offset, &to, sizeof(to), 0) ? NP_DROP_INTERNAL :
											     NP_REASON_NONE;
}

/* The offset of the checksum in the transport header of a packet that an ICMP error embeds; 0: none to be kept right. */
NP_INLINE __u32 np_embedded_checksum_of(__u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return offsetof(struct np_tcp_header, checksum);
	case IPPROTO_UDP:
		return offsetof(struct np_udp_header, checksum);
	default:
		return 0;
	}
}

/*
 * The transport checksum of an embedded packet, as far as it is there: TCP's is not in the eight bytes that must be. Adds to
 * `*change` what changes in the error's own sum. A UDP checksum of 0 is none.
 */
NP_INLINE enum np_reason np_fix_embedded_sum(struct __sk_buff *skb, const struct np_packet *embedded,
					     const struct np_place *place, __u32 difference, __s64 *change)
{
	const __u32 in_header = np_embedded_checksum_of(embedded->protocol);
	const __u32 at = place->transport + in_header;
	__be16 before, after;
	__u32 sum;

	if (!in_header || at + sizeof(before) > place->end)
		return NP_REASON_NONE;
	if (bpf_skb_load_bytes(skb, at, &before, sizeof(before)))
		return NP_DROP_INTERNAL;
	if (!before && embedded->protocol == IPPROTO_UDP)
		return NP_REASON_NONE;
	sum = (__u16)~before + (difference & 0xffff) + (difference >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	after = ~sum;
	if (!after && embedded->protocol == IPPROTO_UDP)
		after = 0xffff; /* the same number, and not "none" */
	if (bpf_skb_store_bytes(skb, at, &after, sizeof(after), 0))
		return NP_DROP_INTERNAL;
	*change = np_port_change(before, after, *change);
	return *change < 0 ? NP_DROP_INTERNAL : NP_REASON_NONE;
}

/*
 * Replaces the source (or destination) of the packet that an ICMP error embeds. `place` is the embedded packet's,
 * `checksum` the offset of the error's own. An IPv4 header's checksum takes its address's change out of the error's sum.
 */
NP_INLINE enum np_reason np_replace_embedded_end(struct __sk_buff *skb, const struct np_packet *embedded,
						 const struct np_place *place, __u32 checksum, const bool source,
						 const struct np_end *to)
{
	const struct np_address *address = source ? &embedded->source : &embedded->destination;
	const __be16 port = source ? embedded->source_port : embedded->destination_port;
	const __u32 port_offset = source ? offsetof(struct np_ports, source) : offsetof(struct np_ports, destination);
	const bool ipv4 = np_is_mapped_ipv4(address);
	enum np_reason reason;
	__s64 addresses, both, change;

	if (np_is_mapped_ipv4(&to->address) != ipv4)
		return NP_DROP_UNTRANSLATABLE;
	addresses = np_address_change(address, &to->address, ipv4);
	both = np_port_change(port, to->port, addresses);
	change = np_port_change(port, to->port, ipv4 ? 0 : addresses);
	if (addresses < 0 || both < 0 || change < 0)
		return NP_DROP_INTERNAL;
	reason = np_fix_embedded_sum(skb, embedded, place, both, &change);
	if (reason)
		return reason;
	if (bpf_skb_store_bytes(skb, place->transport + port_offset, &to->port, sizeof(to->port), 0) ||
	    bpf_l4_csum_replace(skb, checksum, 0, change, 0))
		return NP_DROP_INTERNAL;
	return np_store_address(skb, place->network, source, address, &to->address, ipv4);
}

/* Replaces the source (or destination) address of an ICMP error itself. ICMPv6 has a pseudo header, ICMP none. */
NP_INLINE enum np_reason np_replace_error_end(struct __sk_buff *skb, const struct np_packet *error, __u32 network,
					      __u32 checksum, const bool source, const struct np_address *to)
{
	const struct np_address *address = source ? &error->source : &error->destination;
	const bool ipv4 = np_is_mapped_ipv4(address);
	__s64 change;

	if (np_is_mapped_ipv4(to) != ipv4)
		return NP_DROP_UNTRANSLATABLE;
	change = np_address_change(address, to, ipv4);
	if (change < 0)
		return NP_DROP_INTERNAL;
	if (!ipv4 && bpf_l4_csum_replace(skb, checksum, 0, change, BPF_F_PSEUDO_HDR))
		return NP_DROP_INTERNAL;
	return np_store_address(skb, network, source, address, to, ipv4);
}

#endif
