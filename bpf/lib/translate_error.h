/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ICMP errors about packets between a pod and a Service. */
#ifndef NP_TRANSLATE_ERROR_H
#define NP_TRANSLATE_ERROR_H

#include "service.h"
#include "translate.h"

/*
 * An ICMP error about a packet between the pod and a backend, which the pod knows as one to or from the frontend. np_scratch
 * has the embedded packet as `packet`, with the places of its headers, and `error`; both become what policy is to see: the
 * packet as it was on the way. Returns enum np_reason.
 *
 * To the pod, about what it has sent: the error names the frontend again, and comes from it if the backend itself has sent
 * it; a router keeps its name. From the pod, about what it has got: it names the backend, and goes to it.
 *
 * A global function: it is verified once, not in every state of the parser.
 */
__attribute__((noinline)) int np_translate_error(struct __sk_buff *skb)
{
	struct np_question *question = np_scratch_question();
	struct np_hook hook = np_hook_of(skb);
	const bool to_pod = hook.direction == NP_INGRESS;
	struct np_flow_record key = {};
	struct np_flow_place entry;
	struct np_place place;
	enum np_reason reason;
	struct np_end other, own;
	__u32 checksum;

	if (!question || !np_find_endpoint(&hook))
		return NP_DROP_INTERNAL;
	if (question->packet.kind != NP_KIND_FLOW || !np_is_service_protocol(question->packet.protocol))
		return NP_REASON_NONE;
	np_fill_flow_key(hook.endpoint, &question->packet, np_opposite(hook.direction), &key);
	if (to_pod ? !np_find_translation(&hook, &key, np_hash_flow(hook.slot, &key), NP_ENTRY_BACKEND, &entry, &other) :
		     !np_find_front(&hook, &key, &entry, &other))
		return NP_REASON_NONE;
	/* The proxy, not the pod, has sent the packet, and knows the backend. */
	if (to_pod && np_unlikely(entry.flags & NP_ENTRY_PROXY))
		return NP_REASON_NONE;
	place.network = question->resume_offset;
	place.transport = question->transport_offset;
	place.end = question->resume_end;
	checksum = place.network - sizeof(struct np_icmp_header) + offsetof(struct np_icmp_header, checksum);
	reason = np_replace_embedded_end(skb, &question->packet, &place, checksum, !to_pod, &other);
	own.address = to_pod ? question->packet.source : question->packet.destination;
	own.port = np_port_beyond(entry.flags, key.own_port);
	if (!reason && own.port != key.own_port)
		reason = np_replace_embedded_end(skb, &question->packet, &place, checksum, to_pod, &own);
	if (!reason && (!to_pod || np_same_address(&question->error.source, &question->packet.destination)))
		reason = np_replace_error_end(skb, &question->error, ETH_HLEN, checksum, to_pod, &other.address);
	if (!to_pod) {
		question->packet.source = other.address;
		question->packet.source_port = other.port;
		question->packet.destination_port = own.port;
		question->error.destination = other.address;
	}
	return reason;
}

#endif
