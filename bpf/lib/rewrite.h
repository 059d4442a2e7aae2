/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Replacing an end (address and port) of a packet, checksums included.
 *
 * Everything goes through helpers that take offsets, so no packet pointer is held over a change. What pods send over a veth
 * has its transport checksum still to be made (CHECKSUM_PARTIAL: the field has the sum of the pseudo header only).
 * bpf_l4_csum_replace knows: of such a packet it changes the field for what is in the pseudo header (BPF_F_PSEUDO_HDR) and
 * leaves it alone for the rest, which is summed up later. So addresses and ports are two calls.
 *
 * TCP with headers of the usual sizes, which is nearly all there is, takes one call and direct access: np_replace_tcp_end.
 *
 * CHECKSUM_COMPLETE does not reach these hooks: what is forwarded to a pod or comes from one has lost it (skb_forward_csum),
 * so BPF_F_IPV6, which older kernels refuse, is not needed.
 */
#ifndef NP_REWRITE_H
#define NP_REWRITE_H

#include "address.h"

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

#define NP_CRC32C 0x82f63b78u /* the polynomial, lowest bit first */
#define NP_CRC32C_ONE 0x80000000u /* the polynomial 1, likewise */

/* What changes in a sum of 16-bit words when `from` becomes `to`, on top of `seed`. Of both, `size` bytes, 4n. */
#define np_sum_change(from, to, size, seed) bpf_csum_diff((void *)(from), size, (void *)(to), size, seed)

NP_INLINE __s64 np_port_change(__be16 from, __be16 to, __u32 seed)
{
	__be32 before = from, after = to;

	return np_sum_change(&before, &after, sizeof(before), seed);
}

NP_INLINE __s64 np_address_change(const struct np_address *from, const struct np_address *to, bool ipv4)
{
	return ipv4 ? np_sum_change(&from->word[3], &to->word[3], sizeof(from->word[3]), 0) :
		      np_sum_change(from, to, sizeof(*from), 0);
}

/* x^8, x^16, x^32 ...: what 1, 2, 4 ... more bytes behind multiply by. */
#define NP_CRC32C_POWERS(POWER)                                                                                   \
	POWER(0, 0x00800000) POWER(1, 0x00008000) POWER(2, 0x82f63b78) POWER(3, 0x6ea2d55c)                       \
	POWER(4, 0x18b8ea18) POWER(5, 0x510ac59a) POWER(6, 0xb82be955) POWER(7, 0xb8fdb1e7)                       \
	POWER(8, 0x88e56f72) POWER(9, 0x74c360a4) POWER(10, 0xe4172b16) POWER(11, 0x0d65762a)                     \
	POWER(12, 0x35d73a62) POWER(13, 0x28461564) POWER(14, 0xbf455269) POWER(15, 0xe2ea32dc)

/* The lowest bit, as a number that the compiler knows nothing about: else it would branch, and the verifier follow both. */
NP_INLINE __u32 np_bit(__u32 number)
{
	number &= 1;
	asm volatile("" : "+r"(number));
	return number;
}

/* The product of two polynomials modulo that of CRC32c, both with the lowest power in the highest bit. */
NP_INLINE __u32 np_crc32c_times(__u32 a, __u32 b)
{
	__u32 product = 0;

	_Pragma("clang loop unroll(disable)")
	for (int bit = 31; bit >= 0; bit--) {
		product ^= b * np_bit(a >> bit);
		b = b >> 1 ^ NP_CRC32C * np_bit(b);
	}
	return product;
}

/*
 * How the CRC32c of a message changes when two of its bytes do, by `change` (first byte lowest), with `behind` bytes after
 * them: the CRC is linear, so this is the remainder of `change` moved up by so many bytes. No helper computes one.
 *
 * A function of its own, and global: so it is verified once, not in every state that a caller may be in.
 */
__attribute__((noinline)) __u32 np_crc32c_change(__u32 change, __u32 behind)
{
	__u32 result = NP_CRC32C_ONE >> 16; /* the two bytes themselves */

#define NP_CRC32C_STEP(bit, power)                                                                                \
	result = np_crc32c_times(result, NP_CRC32C_ONE ^ (NP_CRC32C_ONE ^ power) * np_bit(behind >> bit));
	NP_CRC32C_POWERS(NP_CRC32C_STEP)
#undef NP_CRC32C_STEP
	return np_crc32c_times(change, result);
}

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

/* A sum of 16-bit words, in 16 bits. */
NP_INLINE __u32 np_fold_words(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* What changes in a sum of words when one becomes another. */
NP_INLINE __u32 np_change_of_words(__u16 from, __u16 to)
{
	return np_fold_words((__u64)(__u16)~from + to);
}

/* The same of addresses. */
NP_INLINE __u32 np_change_of_address(const struct np_address *from, const struct np_address *to, const bool ipv4)
{
	__u64 sum = (__u64)(__u32)~from->word[3] + to->word[3];

	if (!ipv4)
		sum += (__u64)(__u32)~from->word[0] + to->word[0] + (__u32)~from->word[1] + to->word[1] +
		       (__u32)~from->word[2] + to->word[2];
	return np_fold_words(sum);
}

/* Whether numbers are the same as sums: 0 and 0xffff are. */
NP_INLINE bool np_is_same_sum(__u16 a, __u16 b)
{
	const __u32 difference = np_change_of_words(b, a);

	return difference == 0 || difference == 0xffff;
}

/* A checksum when the sum of its words has changed: RFC 1624, 3. */
NP_INLINE __be16 np_checksum_after(__be16 checksum, __u32 change)
{
	return ~np_fold_words((__u64)(__u16)~checksum + change);
}

/* The TCP header at an offset, NULL when it is not in the linear part. */
NP_INLINE struct np_tcp_header *np_tcp_header_at(const struct __sk_buff *skb, const __u32 offset)
{
	struct np_tcp_header *tcp = (void *)(long)skb->data + offset;

	return (void *)(tcp + 1) <= (void *)(long)skb->data_end ? tcp : NULL;
}

/* The sum of a packet's pseudo header, which is all that the field has whose checksum is still to be made. */
NP_INLINE __u32 np_pseudo_words(const struct np_packet *packet, __u32 length, const bool ipv4)
{
	const struct np_address *a = &packet->source, *b = &packet->destination;
	__u64 sum = (__u64)a->word[3] + b->word[3] + bpf_htonl(length) + bpf_htonl(packet->protocol);

	if (!ipv4)
		sum += (__u64)a->word[0] + a->word[1] + a->word[2] + b->word[0] + b->word[1] + b->word[2];
	return np_fold_words(sum);
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
