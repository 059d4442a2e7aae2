/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where the checksum of a packet goes that is still to be made (CHECKSUM_PARTIAL). Two bytes of the packet are written on its way out, after
 * policy has read them. Who sends frames (PACKET_VNET_HDR, a tap device) says which two; what a socket of TCP or UDP has sent is as good, since
 * the pod may have changed it behind the socket (tc, nft), and the place has stayed. They must not be what policy has read: ports, addresses, the
 * names in a message.
 *
 * __sk_buff has nothing of that, so it is read from the kernel's sk_buff, whose layout the loader fills in (CO-RE).
 */
#ifndef NP_CHECKSUM_PLACE_H
#define NP_CHECKSUM_PLACE_H

#include <bpf/bpf_core_read.h>

#include "hook.h"

#define NP_SUM_OPEN 3 /* CHECKSUM_PARTIAL */
#define NP_NO_SUM (-1) /* no byte of the packet is still to be written */
#define NP_SUM_ANYWHERE 0 /* nobody knows which are */

/* What is read of an sk_buff: of the kernel's fields those that say where an open checksum is. */
struct sk_buff___np {
	__u8 ip_summed : 2;
	__u16 csum_start; /* from the buffer's beginning */
	__u16 csum_offset; /* from there */
	__u16 mac_header; /* of the frame, from the buffer's beginning */
} __attribute__((preserve_access_index));

#define NP_SKB_WINDOW 72 /* bytes that have all of them, in one read */
#define np_skb_offset(field) ((__u64)bpf_core_field_offset(struct sk_buff___np, field))

/*
 * From Linux 6.2 on programs get the sk_buff itself, and read it without a call. The kernel has the function if its BTF has the enum value
 * KF_bpf_cast_to_kern_ctx. In a kernel without it (older, or with another name) the sk_buff is read by bpf_probe_read_kernel.
 */
extern void *bpf_cast_to_kern_ctx(void *context) __weak __ksym;
enum special_kfunc_type___np { KF_bpf_cast_to_kern_ctx };

NP_INLINE bool np_has_cast(void)
{
	return bpf_core_enum_value_exists(enum special_kfunc_type___np, KF_bpf_cast_to_kern_ctx);
}

/* Reads one or two bytes of the sk_buff. False: they cannot be read. */
NP_INLINE bool np_read_skb(struct __sk_buff *skb, __u64 offset, void *into, const __u32 size)
{
	const void *from;

	if (!np_has_cast())
		return !bpf_probe_read_kernel(into, size, (const void *)skb + offset);
	from = bpf_cast_to_kern_ctx(skb) + offset;
	if (size == sizeof(__u8))
		*(__u8 *)into = *(const __u8 *)from;
	else
		*(__u16 *)into = *(const __u16 *)from;
	return true;
}

/* Whether the byte of ip_summed says that the checksum is still to be made. */
NP_INLINE bool np_says_open(__u64 summed)
{
	return summed << __CORE_RELO((struct sk_buff___np *)0, ip_summed, LSHIFT_U64) >>
		       __CORE_RELO((struct sk_buff___np *)0, ip_summed, RSHIFT_U64) ==
	       NP_SUM_OPEN;
}

/* Whether the packet's checksum is still to be made. */
NP_INLINE bool np_is_sum_open(struct __sk_buff *skb)
{
	__u8 summed = 0;

	return np_read_skb(skb, np_skb_offset(ip_summed), &summed, sizeof(summed)) && np_says_open(summed);
}

NP_INLINE int np_place_in_frame(__u16 start, __u16 offset, __u16 frame)
{
	return start < frame ? NP_SUM_ANYWHERE : start - frame + offset;
}

/* The first of the two bytes of the frame that are still to be written, NP_NO_SUM or NP_SUM_ANYWHERE. Takes little stack. */
NP_INLINE int np_sum_place_by_field(struct __sk_buff *skb)
{
	__u16 start = 0, offset = 0, frame = 0;
	__u8 summed = 0;

	if (!np_read_skb(skb, np_skb_offset(ip_summed), &summed, sizeof(summed)))
		return NP_SUM_ANYWHERE;
	if (!np_says_open(summed))
		return NP_NO_SUM;
	if (!np_read_skb(skb, np_skb_offset(csum_start), &start, sizeof(start)) ||
	    !np_read_skb(skb, np_skb_offset(csum_offset), &offset, sizeof(offset)) ||
	    !np_read_skb(skb, np_skb_offset(mac_header), &frame, sizeof(frame)))
		return NP_SUM_ANYWHERE;
	return np_place_in_frame(start, offset, frame);
}

/* The same, where reads are calls in one of them: each packet asks. */
NP_INLINE int np_sum_place(struct __sk_buff *skb)
{
	const __u64 first = np_skb_offset(ip_summed) & ~7ull;
	const __u64 size = np_skb_offset(mac_header) + sizeof(__u16) - first;
	__u8 window[NP_SKB_WINDOW] __attribute__((aligned(8)));
	__u16 start, offset, frame;

	if (np_has_cast())
		return np_sum_place_by_field(skb);
	if (size > sizeof(window) || bpf_probe_read_kernel(window, sizeof(window), (const void *)skb + first))
		return NP_SUM_ANYWHERE;
	if (!np_says_open(window[np_skb_offset(ip_summed) - first]))
		return NP_NO_SUM;
	__builtin_memcpy(&start, &window[np_skb_offset(csum_start) - first], sizeof(start));
	__builtin_memcpy(&offset, &window[np_skb_offset(csum_offset) - first], sizeof(offset));
	__builtin_memcpy(&frame, &window[np_skb_offset(mac_header) - first], sizeof(frame));
	return np_place_in_frame(start, offset, frame);
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
 * Whether the packet that np_scratch has may be written to where policy has read it. `reason`: what the parser says of it; what is no IP has no
 * checksum, and nobody leaves that of ICMP to others. Returns enum np_reason. A global function: it is verified once.
 */
__attribute__((noinline)) int np_check_sum_place(struct __sk_buff *skb, __u32 reason)
{
	const struct np_question *question = np_scratch_question();
	const int place = np_sum_place(skb);

	if (!question)
		return NP_DROP_INTERNAL;
	if (place == NP_NO_SUM)
		return NP_REASON_NONE;
	if (np_unlikely(reason == NP_REASON_ARP || question->packet.protocol == IPPROTO_ICMP ||
			question->packet.protocol == IPPROTO_ICMPV6))
		return NP_DROP_CHECKSUM_PLACE;
	return np_likely(place >= (int)np_first_open_byte(question)) ? NP_REASON_NONE : NP_DROP_CHECKSUM_PLACE;
}

/*
 * Whether what is behind the checksum of the packet that np_scratch has reaches its receiver as it is here. A global function, as it is rare.
 * The window of np_sum_place, below the callers' frames, would be more stack than Linux 6.1 allows.
 */
__attribute__((noinline)) int np_is_sum_exact(struct __sk_buff *skb)
{
	const struct np_question *question = np_scratch_question();
	const int place = np_sum_place_by_field(skb);

	return question && (place == NP_NO_SUM || place == (int)np_first_open_byte(question));
}

#endif
