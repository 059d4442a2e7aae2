/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records about names, which are rate-limited: what they tell is counted elsewhere. */
#ifndef NP_NAME_EVENTS_H
#define NP_NAME_EVENTS_H

#include "address.h"
#include "dns.h"
#include "dns_records.h"
#include "events.h"
#include "refusal.h"

#define NP_NAME_DENIALS_PER_JIFFY 8 /* records of an endpoint and CPU that tell of no address */
#define NP_NAME_RECORDS_PER_JIFFY 64 /* and of all */
#define NP_NAME_RING_SHARE (NP_NAME_RING_BYTES / 2) /* for those that tell of no address, bytes */
#define NP_NAME_CROWDED_PER_JIFFY 1 /* of an endpoint and CPU beyond that: the rest is for whoever tells little */
#define NP_NAME_WAKEUP_BYTES (NP_NAME_RING_BYTES / 8)

/* An address that an answer has at a place. */
NP_INLINE void np_dns_address(const struct np_dns_message *message, __u32 place, struct np_address *address)
{
	const struct np_address *there = np_dns_bytes(message, place);

	if (place & NP_DNS_PLACE_IPV4)
		np_map_ipv4(address, there->word[0]);
	else
		*address = *there;
}

/* Whether the endpoint may write another record in this jiffy. */
NP_INLINE bool np_may_tell(__u32 slot, __u32 kind, __u64 unread)
{
	struct np_refusal_budget *budget = bpf_map_lookup_elem(&np_refusals, &slot);

	if (!budget)
		return false;
	np_renew_refusals(budget);
	if (kind != NP_NAME_LEARNT &&
	    (budget->named >= NP_NAME_DENIALS_PER_JIFFY || unread >= NP_NAME_RING_SHARE))
		return false;
	/* A pod with a server of its own learns as much as it likes, and other pods' records wait in the same ring. */
	if (budget->named >= (unread >= NP_NAME_RING_SHARE ? NP_NAME_CROWDED_PER_JIFFY : NP_NAME_RECORDS_PER_JIFFY))
		return false;
	budget->named++;
	return true;
}

/*
 * Writes a record about the name of the message in np_dns_scratch, with the addresses from the place `first` on. A global function:
 * verified once. Returns nothing of interest.
 */
__attribute__((noinline)) int np_tell_name(struct __sk_buff *skb, __u32 kind, __u32 first)
{
	const struct np_question *question = np_scratch_question();
	const struct np_dns_message *message = np_dns_message(skb);
	const __u32 slot = np_own_slot(skb);
	const __u64 unread = bpf_ringbuf_query(&np_name_events, BPF_RB_AVAIL_DATA);
	struct np_name_event *event;
	__u32 count = 0;

	if (!question || !message || !np_may_tell(slot, kind, unread))
		return 0;
	event = bpf_ringbuf_reserve(&np_name_events, sizeof(*event), 0);
	if (!event)
		return 0;
	event->time = bpf_ktime_get_ns();
	event->endpoint = slot;
	event->expires = kind == NP_NAME_LEARNT ? message->expires : 0;
	event->rule_base = kind == NP_NAME_DENIED ? question->l7_base : 0;
	event->rules = kind == NP_NAME_DENIED ? question->l7_rules : 0;
	event->kind = kind;
	event->type = message->type;
	if (np_is_lesson(skb)) {
		const struct np_address nobody = {};

		if (bpf_skb_load_bytes(skb, ETH_HLEN, &event->remote, sizeof(event->remote)))
			event->remote = nobody;
	} else {
		event->remote = *np_remote_of(&question->packet, question->travel);
	}
	__builtin_memcpy(event->name, message->name, sizeof(event->name));
	_Pragma("clang loop unroll(disable)")
	for (__u32 i = 0; i < NP_NAME_EVENT_ADDRESSES; i++) {
		const __u32 index = first + i;
		const struct np_address nobody = {};
		__u32 place = 0;

		event->address[i] = nobody;
		if (kind == NP_NAME_LEARNT && index < message->count)
			place = message->place[index & (NP_DNS_MAX_RECORDS - 1)];
		if (!place)
			continue;
		np_dns_address(message, place, &event->address[count & (NP_NAME_EVENT_ADDRESSES - 1)]);
		count++;
		np_forget(count, place);
	}
	event->count = count;
	if (kind == NP_NAME_LEARNT && !count) {
		bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP);
		return 0;
	}
	bpf_ringbuf_submit(event, np_wakeup_flag(unread, NP_NAME_WAKEUP_BYTES));
	return 0;
}

#endif
