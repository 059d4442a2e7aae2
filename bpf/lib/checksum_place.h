/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where the checksum of a packet goes that is still to be made (CHECKSUM_PARTIAL). Two bytes of the packet are written on its way out, after
 * policy has read them; a pod that sends frames of its own (PACKET_VNET_HDR, a tap device) says which two. Of a socket of
 * TCP or UDP they are the checksum. Of anybody else they must not be what policy has read: ports, addresses, the names in a message.
 *
 * No program of 6.1 sees ip_summed or csum_start. What helpers do shows both: bpf_l4_csum_replace changes no sum that is still to be made, and
 * bpf_skb_change_tail refuses a length that ends before the sum's place does.
 */
#ifndef NP_CHECKSUM_PLACE_H
#define NP_CHECKSUM_PLACE_H

#include "dns.h"
#include "hook.h"

#define NP_FAMILY_IPV4 2 /* AF_INET */
#define NP_FAMILY_IPV6 10 /* AF_INET6 */
#define NP_EINVAL 22

/* Whether the pod's packet was made by a socket of IP: not by one that sends frames, nor by something that the pod forwards for. */
NP_INLINE bool np_is_of_socket(struct __sk_buff *skb)
{
	const struct bpf_sock *socket = skb->sk;

	return socket && (socket->family == NP_FAMILY_IPV4 || socket->family == NP_FAMILY_IPV6);
}

/* Whether the packet's checksum is still to be made. The ethertype is changed for a moment: any two bytes would do. */
NP_INLINE bool np_is_sum_open(struct __sk_buff *skb, bool *failed)
{
	__be16 before = 0, after = 1;

	*failed = bpf_skb_load_bytes(skb, NP_ETHERTYPE_OFFSET, &before, sizeof(before)) ||
		  bpf_l4_csum_replace(skb, NP_ETHERTYPE_OFFSET, 0, 1, sizeof(before)) ||
		  bpf_skb_load_bytes(skb, NP_ETHERTYPE_OFFSET, &after, sizeof(after)) ||
		  bpf_skb_store_bytes(skb, NP_ETHERTYPE_OFFSET, &before, sizeof(before), 0);
	return before == after;
}

/* The first byte of the packet that np_scratch has which may be written after policy: its checksum, if it has one that hosts leave open. */
NP_INLINE __u32 np_first_open_byte(const struct np_question *question)
{
	const struct np_packet *packet = &question->packet;

	if (packet->fragment == NP_FRAGMENT_LATER)
		return question->resume_offset;
	switch (packet->protocol) {
	case IPPROTO_TCP:
		return question->transport_offset + offsetof(struct np_tcp_header, checksum);
	case IPPROTO_UDP:
		return question->transport_offset + offsetof(struct np_udp_header, checksum);
	case IPPROTO_SCTP:
		return question->transport_offset + offsetof(struct np_sctp_header, checksum);
	default:
		return question->transport_offset;
	}
}

/*
 * Whether the packet that np_scratch has, which no socket of IP has made, may be written to where policy has read it. `reason`: what the parser
 * says of it; what is no IP has no checksum, and nobody leaves that of ICMP to others. Returns enum np_reason. A global
 * function, as it is rare.
 */
__attribute__((noinline)) int np_check_sum_place(struct __sk_buff *skb, __u32 reason)
{
	const struct np_question *question = np_scratch_question();
	bool failed;
	long status;

	if (!question)
		return NP_DROP_INTERNAL;
	if (!np_is_sum_open(skb, &failed))
		return failed ? NP_DROP_INTERNAL : NP_REASON_NONE;
	if (failed)
		return NP_DROP_INTERNAL;
	if (reason == NP_REASON_ARP || question->packet.protocol == IPPROTO_ICMP ||
	    question->packet.protocol == IPPROTO_ICMPV6)
		return NP_DROP_CHECKSUM_PLACE;
	/* One byte less than there must be at least. If that is not refused, the packet is cut off by it, and dropped. */
	status = bpf_skb_change_tail(skb, np_first_open_byte(question) + sizeof(__be16) - 1, 0);
	return status == -NP_EINVAL ? NP_REASON_NONE : status ? NP_DROP_INTERNAL : NP_DROP_CHECKSUM_PLACE;
}

/*
 * Whether what is behind the checksum of the packet that np_scratch has reaches its receiver as it is here. False: nobody knows, and the packet
 * may be cut off. The packet is cut off behind its checksum for a moment, which is refused if the sum's place is further on. What the
 * kernel cuts into segments gets its sums there. A global function, as it is rare.
 */
__attribute__((noinline)) int np_is_sum_exact(struct __sk_buff *skb)
{
	const struct np_question *question = np_scratch_question();
	struct np_dns_message *scratch = np_dns_message(skb);
	const __u32 length = skb->len;
	__u32 first, more;
	bool failed;

	if (!question || !scratch)
		return false;
	if (!np_is_sum_open(skb, &failed) || failed)
		return !failed;
	if (skb->gso_size)
		return true;
	first = np_first_open_byte(question) + sizeof(__be16);
	more = length - first - 1;
	/* So that the verifier of 6.1 sees that it is not nothing. */
	asm volatile("" : "+r"(more));
	if (more >= NP_DNS_MAX_BYTES)
		return false;
	return !bpf_skb_load_bytes(skb, first, scratch->bytes, more + 1) && !bpf_skb_change_tail(skb, first, 0) &&
	       !bpf_skb_change_tail(skb, length, 0) &&
	       !bpf_skb_store_bytes(skb, first, scratch->bytes, more + 1, 0);
}

#endif
