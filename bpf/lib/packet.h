/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How the parser reads headers from the frame. The result is struct np_packet of netpold_abi.h. */
#ifndef NP_PACKET_H
#define NP_PACKET_H

#include "wire.h"

/* Parser state. Offsets are in bytes from the start of the frame. */
struct np_cursor {
	struct __sk_buff *skb;
	void *data;
	void *data_end;
	__u32 offset; /* of the next header */
	__u32 end; /* of the packet according to its headers, so padding is not read as packet */
	__u32 fragmentable; /* where the fragmentable part starts */
	__u32 transport; /* where the transport header starts; of later fragments nothing */
	bool direct; /* no header of variable length so far: the next one is at an offset known at compile time */
};

NP_INLINE void np_cursor_start(struct np_cursor *cursor, struct __sk_buff *skb)
{
	cursor->skb = skb;
	cursor->data = (void *)(long)skb->data;
	cursor->data_end = (void *)(long)skb->data_end;
	cursor->offset = 0;
	cursor->end = skb->len;
	cursor->fragmentable = 0;
	cursor->transport = 0;
	cursor->direct = true;
}

/*
 * Copies the header at `from` into `*to`, a struct of at most 4-byte alignment (IP headers start at 4n + 2 of
 * the frame, as the kernel aligns them). 0, or negative when the frame ends before.
 *
 * Direct access where possible. Beyond the linear part, and behind headers of variable length, a helper copies it:
 * rare, and the verifier needs no state for each offset at which the next header may start.
 */
#define np_load(cursor, from, to)                                                                                 \
	({                                                                                                        \
		int np_status = 0;                                                                                \
		if (np_likely((cursor)->direct && (cursor)->data + (from) + sizeof(*(to)) <= (cursor)->data_end)) \
			*(to) = *(typeof(to))((cursor)->data + (from));                                           \
		else                                                                                              \
			np_status = bpf_skb_load_bytes((cursor)->skb, from, to, sizeof(*(to)));                   \
		np_status;                                                                                        \
	})

/* The same at the cursor, within the packet. Does not advance. */
#define np_peek(cursor, to)                                                                                       \
	(np_unlikely((cursor)->offset + sizeof(*(to)) > (cursor)->end) ? -1 :                                     \
	 np_load(cursor, (cursor)->offset, to))

#endif
