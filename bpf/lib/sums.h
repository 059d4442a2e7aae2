/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How the checksums of IP, TCP, UDP and ICMP change: sums of 16-bit words. */
#ifndef NP_SUMS_H
#define NP_SUMS_H

#include "address.h"

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

/* The sum of a packet's pseudo header, which is all that the field has whose checksum is still to be made. */
NP_INLINE __u32 np_pseudo_words(const struct np_packet *packet, __u32 length, const bool ipv4)
{
	const struct np_address *a = &packet->source, *b = &packet->destination;
	__u64 sum = (__u64)a->word[3] + b->word[3] + bpf_htonl(length) + bpf_htonl(packet->protocol);

	if (!ipv4)
		sum += (__u64)a->word[0] + a->word[1] + a->word[2] + b->word[0] + b->word[1] + b->word[2];
	return np_fold_words(sum);
}

#endif
