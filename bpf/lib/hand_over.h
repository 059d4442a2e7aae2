/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How a packet leaves by the fast path, changed as the stack would have. Without maps: `netpold bench-net` measures it alone. */
#ifndef NP_HAND_OVER_H
#define NP_HAND_OVER_H

#include "wire.h"

#define NP_HOP_LIMIT_OFFSET (ETH_HLEN + 6) /* of IPv6: the next header and the hop limit */
#define NP_TIME_TO_LIVE_OFFSET (ETH_HLEN + 8) /* of IPv4 */
#define NP_HEADER_SUM_OFFSET (ETH_HLEN + 10) /* of IPv4 */
#define NP_FORWARDED_BYTES (NP_HEADER_SUM_OFFSET + 2) /* of the frame: all that forwarding changes */

/*
 * Hands a packet that the policies of both ends let pass to a pod, as the stack would have forwarded it. Returns the hook's action;
 * NP_ACTION_SHOT: a helper has failed. What changes is written in place where that can be: each call of a helper costs more than all of it.
 */
NP_INLINE int np_hand_over(struct __sk_buff *skb, const struct np_path_end *end, __u32 ifindex)
{
	const __u32 *from = (const __u32 *)end;
	void *data = (void *)(long)skb->data;
	__u32 *frame = data;
	__be16 ethertype;
	__u8 hops[2];

	if (data + NP_FORWARDED_BYTES > (void *)(long)skb->data_end)
		return NP_ACTION_SHOT;
	/* Both addresses of the frame: of what a device has summed up they are no part. */
	frame[0] = from[0];
	frame[1] = from[1];
	frame[2] = from[2];
	ethertype = *(__be16 *)(data + NP_ETHERTYPE_OFFSET);
	if (np_likely(ethertype == bpf_htons(ETH_P_IP))) {
		__u32 checksum = *(__sum16 *)(data + NP_HEADER_SUM_OFFSET);

		/* RFC 1141: one less in the upper byte of the word of the time to live is one more in the sum's complement. */
		checksum += bpf_htons(0x0100);
		/* Of what a device has summed up, nothing changes: the header's sum is the same. */
		*(__sum16 *)(data + NP_HEADER_SUM_OFFSET) = checksum + (checksum >= 0xffff);
		--*(__u8 *)(data + NP_TIME_TO_LIVE_OFFSET);
	} else {
		if (bpf_skb_load_bytes(skb, NP_HOP_LIMIT_OFFSET, hops, sizeof(hops)))
			return NP_ACTION_SHOT;
		hops[1]--;
		if (bpf_skb_store_bytes(skb, NP_HOP_LIMIT_OFFSET, hops, sizeof(hops), BPF_F_RECOMPUTE_CSUM))
			return NP_ACTION_SHOT;
	}
	return bpf_redirect_peer(ifindex, 0);
}

#endif
