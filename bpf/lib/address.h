/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Addresses: IPv6, IPv4 mapped into ::ffff:0:0/96. Comparisons take all words at once: a branch per word would double
 * the paths to verify each time.
 */
#ifndef NP_ADDRESS_H
#define NP_ADDRESS_H

#include "wire.h"

#define NP_ADDRESS_WORDS (sizeof(struct np_address) / sizeof(__be32))

#define NP_MAPPED_WORD bpf_htonl(0x0000ffff) /* third word of a mapped IPv4 address */

NP_INLINE void np_map_ipv4(struct np_address *to, __be32 address)
{
	to->word[0] = 0;
	to->word[1] = 0;
	to->word[2] = NP_MAPPED_WORD;
	to->word[3] = address;
}

NP_INLINE bool np_is_mapped_ipv4(const struct np_address *a)
{
	return !(a->word[0] | a->word[1] | (a->word[2] ^ NP_MAPPED_WORD));
}

NP_INLINE bool np_is_unspecified(const struct np_address *a)
{
	return !(a->word[0] | a->word[1] | a->word[2] | a->word[3]);
}

NP_INLINE bool np_is_ipv6_multicast(const struct np_address *a)
{
	return (bpf_ntohl(a->word[0]) >> 24) == 0xff;
}

/* fe80::/10 */
NP_INLINE bool np_is_ipv6_link_local(const struct np_address *a)
{
	return (bpf_ntohl(a->word[0]) >> 22) == (0xfe80 >> 6);
}

/* ff02::/16, flags zero: what no router forwards */
NP_INLINE bool np_is_ipv6_link_multicast(const struct np_address *a)
{
	return (bpf_ntohl(a->word[0]) >> 16) == 0xff02;
}

/*
 * An address that many listen to: 224.0.0.0/4, ff00::/8, 255.255.255.255. Of whatever scope: a node takes what goes to any group that a
 * process of it, or its kernel as a router, has joined (ff05::2).
 */
NP_INLINE bool np_is_group(const struct np_address *address)
{
	__u32 last = bpf_ntohl(address->word[3]);

	if (np_is_mapped_ipv4(address))
		return last >> 28 == 0xe || last == 0xffffffff;
	return np_is_ipv6_multicast(address);
}

/* 127.0.0.0/8 and ::1: where it is routed at all, each node's own. */
NP_INLINE bool np_is_loopback(const struct np_address *a)
{
	if (np_is_mapped_ipv4(a))
		return bpf_ntohl(a->word[3]) >> 24 == 127;
	return !(a->word[0] | a->word[1] | a->word[2] | (a->word[3] ^ bpf_htonl(1)));
}

/* An address at which every node answers: its own too. */
NP_INLINE bool np_is_everybody(const struct np_address *a)
{
	return np_is_group(a) || np_is_loopback(a);
}

NP_INLINE bool np_same_address(const struct np_address *a, const struct np_address *b)
{
	return !((a->word[0] ^ b->word[0]) | (a->word[1] ^ b->word[1]) | (a->word[2] ^ b->word[2]) |
		 (a->word[3] ^ b->word[3]));
}

#endif
