/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the parser says about a packet, and how it reads one. */
#ifndef NP_PACKET_H
#define NP_PACKET_H

#include "wire.h"

/* How a packet is to be judged. */
enum np_kind {
	NP_KIND_FLOW, /* belongs to a flow; a new flow is remembered */
	NP_KIND_ICMP_REPLY, /* answer to an ICMP query; without a known flow judged like NP_KIND_STATELESS */
	NP_KIND_STATELESS, /* ICMP message judged by its type alone */
	NP_KIND_ICMP_ERROR, /* judged by the packet that it embeds */
};

enum np_fragment_place {
	NP_FRAGMENT_NONE, /* a whole packet */
	NP_FRAGMENT_FIRST, /* has the transport header */
	NP_FRAGMENT_LATER, /* has no transport header: ports and kind are not set by the parser */
};

struct np_packet {
	struct np_address source;
	struct np_address destination;
	__be16 source_port; /* of ICMP queries: see np_flow_key */
	__be16 destination_port;
	__u8 protocol; /* IPv6: the last header */
	__u8 kind; /* enum np_kind */
	__u8 initiates; /* asks for a new exchange: TCP SYN without ACK, SCTP INIT, ICMP query */
	__u8 icmp_type;
	__u8 tcp_flags;
	__u8 hop_limit;
	__u8 fragment; /* enum np_fragment_place */
	__u8 icmp_code;
	__u32 fragment_identification; /* as in np_fragment_key */
	__u16 fragment_offset; /* bytes */
	__u16 fragment_headers; /* first fragment: bytes of the fragmentable part up to the end of the transport header */
};

/* Where the parser stands. Offsets count bytes from the start of the frame. */
struct np_cursor {
	struct __sk_buff *skb;
	void *data;
	void *data_end;
	__u32 offset; /* of the next header */
	__u32 end; /* of the packet according to its headers, so padding is not read as packet */
	__u32 fragmentable; /* where the fragmentable part starts */
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
	cursor->direct = true;
}

/*
 * Copies the header at `from` into `*to`, a struct of at most 4-byte alignment (IP headers start at 4n + 2 of
 * the frame, as the kernel aligns them). 0, or negative when the frame ends before.
 *
 * Direct access where possible. Beyond the linear part, and behind headers of variable length, a helper copies it:
 * rare, and the verifier needs no state for each offset at which the next header may start.
 */
#define np_load(cursor, from, to)                                                               \
	({                                                                                      \
		int np_status = 0;                                                              \
		if (np_likely((cursor)->direct && (cursor)->data + (from) + sizeof(*(to)) <= (cursor)->data_end)) \
			*(to) = *(typeof(to))((cursor)->data + (from));                         \
		else                                                                            \
			np_status = bpf_skb_load_bytes((cursor)->skb, from, to, sizeof(*(to))); \
		np_status;                                                                      \
	})

/* The same at the cursor, within the packet. Does not advance. */
#define np_peek(cursor, to)                                                             \
	(np_unlikely((cursor)->offset + sizeof(*(to)) > (cursor)->end) ? -1 : np_load(cursor, (cursor)->offset, to))

#endif
