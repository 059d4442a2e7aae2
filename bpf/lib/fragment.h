/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Fragments: the first one has the ports, the later ones are judged by it. Call after the source check only. */
#ifndef NP_FRAGMENT_H
#define NP_FRAGMENT_H

#include "address.h"
#include "hook.h"

/* Bytes that the first fragment of a datagram must have had before a later one may start. */
NP_INLINE __u32 np_least_transport_bytes(__u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return sizeof(struct np_tcp_header);
	case IPPROTO_SCTP:
		return sizeof(struct np_sctp_header);
	default:
		return NP_OCTAWORD_BYTES;
	}
}

/* As receivers reassemble: IPv4 by protocol too; in IPv6 only the first fragment's header counts. */
NP_INLINE void np_fragment_key_of(const struct np_packet *packet, struct np_fragment_key *key)
{
	key->source = packet->source;
	key->destination = packet->destination;
	key->identification = packet->fragment_identification;
	key->protocol = np_is_mapped_ipv4(&packet->source) ? packet->protocol : 0;
}

NP_INLINE enum np_reason np_remember_fragment(const struct np_fragment_key *key, struct np_packet *packet)
{
	struct np_fragment fragment = {};

	/* Real ICMP errors are never fragmented: one that is gets judged by its type, not by what it embeds. */
	if (packet->kind == NP_KIND_ICMP_ERROR)
		packet->kind = NP_KIND_STATELESS;
	fragment.source_port = packet->source_port;
	fragment.destination_port = packet->destination_port;
	fragment.headers = packet->fragment_headers;
	fragment.protocol = packet->protocol;
	fragment.kind = packet->kind;
	fragment.icmp_type = packet->icmp_type;
	return bpf_map_update_elem(&np_fragments, key, &fragment, BPF_ANY) ? NP_DROP_INTERNAL : NP_REASON_NONE;
}

NP_INLINE enum np_reason np_recall_fragment(const struct np_fragment_key *key, struct np_packet *packet)
{
	const struct np_fragment *first;

	if (packet->fragment_offset < np_least_transport_bytes(packet->protocol))
		return NP_DROP_FRAGMENT_TINY;
	first = bpf_map_lookup_elem(&np_fragments, key);
	if (!first)
		return NP_DROP_FRAGMENT_UNKNOWN;
	if (packet->fragment_offset < first->headers)
		return NP_DROP_FRAGMENT_TINY;
	packet->source_port = first->source_port;
	packet->destination_port = first->destination_port;
	packet->protocol = first->protocol;
	packet->kind = first->kind;
	packet->icmp_type = first->icmp_type;
	return NP_REASON_NONE;
}

/*
 * Gives the fragment that np_scratch has the ports of its datagram. Returns enum np_reason; NP_REASON_NONE: it can be judged.
 * A global function: it is verified once, not in every state of its callers.
 */
__attribute__((noinline)) int np_resolve_fragment(struct __sk_buff *skb)
{
	struct np_question *question = np_scratch_question();
	struct np_fragment_key key;
	struct np_packet *packet;

	asm volatile("" : : "r"(skb)); /* else clang passes nothing, which the verifier refuses */
	if (!question)
		return NP_DROP_INTERNAL;
	packet = &question->packet;
	np_fragment_key_of(packet, &key);
	return packet->fragment == NP_FRAGMENT_FIRST ? np_remember_fragment(&key, packet)
						     : np_recall_fragment(&key, packet);
}

#endif
