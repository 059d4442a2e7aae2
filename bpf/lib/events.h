/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counters, which are exact, and event records, which are rate-limited; suppressed ones are counted. */
#ifndef NP_EVENTS_H
#define NP_EVENTS_H

#include "flow.h"
#include "hook.h"

/* A record wakes the reader within so many unread bytes above the threshold: a few records, as CPUs race past it. */
#define NP_WAKEUP_BAND_BYTES 1024

#define NP_MAX_EVENT_LENGTH 0xffff

/* Whether a passed packet is worth a record. */
enum np_news {
	NP_NEWS_NONE = 0,
	NP_NEWS_SURE = 1, /* it is of a flow that was not known before, or not under this revision */
	NP_NEWS_PERHAPS = 2, /* no entry remembers its flow: np_recent_flows tells */
};

NP_INLINE void np_count(__u32 reason, __u32 bytes)
{
	struct np_counter *counter = bpf_map_lookup_elem(&np_reasons, &reason);

	if (!counter)
		return; /* not possible: np_reasons has an entry for every reason */
	counter->packets++;
	counter->bytes += bytes;
}

/* Counts what decided: an index of np_rule_hits, 0 = nothing that has a counter. */
NP_INLINE void np_count_hit(__u32 rule_hit)
{
	__u64 *hits = rule_hit ? bpf_map_lookup_elem(&np_rule_hits, &rule_hit) : NULL;

	if (hits)
		++*hits;
}

/* Begins another jiffy's budget when it is another jiffy. */
NP_INLINE void np_renew_budget(struct np_event_budget *budget)
{
	__u64 now = bpf_jiffies64();

	if (budget->jiffy == now)
		return;
	budget->jiffy = now;
	budget->written = 0;
	budget->remotes = 0;
}

/* Whether a passed packet gets a record. */
NP_INLINE bool np_within_reason_budget(struct np_event_budget *budget)
{
	np_renew_budget(budget);
	if (budget->written >= NP_EVENT_RATE_PER_JIFFY)
		return false;
	budget->written++;
	return true;
}

/* Whether a drop gets a record: by the endpoint's rate, or as the first of its remote end's group. */
NP_INLINE bool np_within_drop_budget(struct np_event_budget *budget, const struct np_packet *packet, __u8 direction)
{
	const struct np_address *remote = direction == NP_EGRESS ? &packet->destination : &packet->source;
	/* Fibonacci hashing: the upper bits of the product depend on all bits of the address. */
	__u32 group = ((remote->word[2] ^ remote->word[3]) * 0x9e3779b1u) >> (32 - NP_EVENT_REMOTE_BITS);

	np_renew_budget(budget);
	if (budget->written >= NP_EVENT_DROPS_PER_JIFFY && budget->remotes & 1u << group)
		return false;
	budget->remotes |= 1u << group;
	budget->written++;
	return true;
}

/*
 * Waking the reader is the most expensive operation on the whole path, so it happens once each time the unread bytes
 * cross the threshold. A reader that misses the wake-up still finds unread bytes before it sleeps, and so does not sleep.
 * `unread`: bytes in the ring before this record.
 */
NP_INLINE __u64 np_wakeup_flag(__u64 unread, __u32 wakeup_bytes)
{
	return unread - wakeup_bytes < NP_WAKEUP_BAND_BYTES ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/* Whether anybody wants to hear of packets that end like this. */
NP_INLINE bool np_is_wanted(const struct np_control *control, bool is_drop)
{
	return control->listeners == NP_LISTEN_ALL || (control->listeners == NP_LISTEN_DROPS && is_drop);
}

/* Whether anybody wants to hear of packets that pass. */
NP_INLINE bool np_is_passing_wanted(void)
{
	__u32 only = 0;
	const struct np_control *control = bpf_map_lookup_elem(&np_control, &only);

	return control && np_is_wanted(control, false);
}

/* Whether the flow has not passed here in the last seconds; then it has now. Asked only while somebody listens. */
NP_INLINE bool np_is_recent_news(__u64 hash)
{
	__u32 place = (__u32)hash & (NP_RECENT_FLOWS - 1);
	const __u32 tag = hash >> 32;
	const __u32 now = np_flow_clock();
	struct np_recent_flow *recent = bpf_map_lookup_elem(&np_recent_flows, &place);
	bool is_news;

	if (!recent)
		return true; /* not possible: the map has all places */
	is_news = recent->tag != tag || np_is_older(np_flow_age(now, recent->last_seen), NP_RECENT_SECONDS);
	recent->tag = tag;
	recent->last_seen = now;
	return is_news;
}

NP_INLINE void np_fill_event(struct np_event *event, const struct np_question *question, __u32 reason, __u32 bytes)
{
	const struct np_packet *packet = &question->packet;

	event->time = bpf_ktime_get_ns();
	event->source = packet->source;
	event->destination = packet->destination;
	event->source_port = packet->source_port;
	event->destination_port = packet->destination_port;
	event->endpoint = question->endpoint;
	event->protocol = packet->protocol;
	event->direction = question->decided;
	event->remote_identity = question->remote_identity;
	event->rule_hit = question->rule_hit;
	event->revision = question->revision;
	event->reason = reason;
	event->decision = question->decision;
	event->length = bytes < NP_MAX_EVENT_LENGTH ? bytes : NP_MAX_EVENT_LENGTH;
	event->tcp_flags = packet->tcp_flags;
	event->flags = question->flags;
	__builtin_memset(event->pad, 0, sizeof(event->pad));
}

/*
 * Writes a record of the packet that np_scratch has, if its budget for this CPU and jiffy is not used up: that of the endpoint
 * for a drop, that of the reason for a passed packet, which also leaves half of the ring to drops. A global function: it is
 * verified once, not in every state of its callers.
 */
__attribute__((noinline)) int np_write_record(struct __sk_buff *skb, __u32 reason)
{
	__u32 only = 0;
	const struct np_question *question = np_scratch_question();
	__u32 slot = question ? question->endpoint : 0;
	const bool is_drop = reason >= NP_REASON_FIRST_DROP;
	const struct np_control *control = bpf_map_lookup_elem(&np_control, &only);
	struct np_event_budget *of_reason, *of_endpoint;
	struct np_event *event = NULL;
	bool is_within;
	__u64 unread;

	if (!control || !question)
		return 0;
	of_reason = bpf_map_lookup_elem(&np_event_budget, &reason);
	/* NULL where a hook names no endpoint: such packets share their reason's budget. */
	of_endpoint = is_drop ? bpf_map_lookup_elem(&np_drop_budget, &slot) : NULL;
	if (!of_reason)
		return 0;
	unread = bpf_ringbuf_query(&np_events, BPF_RB_AVAIL_DATA);
	if (of_endpoint)
		is_within = np_within_drop_budget(of_endpoint, &question->packet, question->decided);
	else
		is_within = (is_drop || unread < NP_EVENT_RING_SHARE) &&
			    np_within_reason_budget(of_reason);
	if (is_within)
		event = bpf_ringbuf_reserve(&np_events, sizeof(*event), 0);
	if (!event) {
		of_reason->suppressed++;
		if (of_endpoint)
			of_endpoint->suppressed++;
		return 0;
	}
	np_fill_event(event, question, reason, skb->len);
	bpf_ringbuf_submit(event, np_wakeup_flag(unread, control->wakeup_bytes));
	return 0;
}

/* Writes a record if somebody wants it. */
NP_INLINE void np_report(struct __sk_buff *skb, __u32 reason)
{
	__u32 only = 0;
	const struct np_control *control = bpf_map_lookup_elem(&np_control, &only);

	if (control && np_is_wanted(control, reason >= NP_REASON_FIRST_DROP))
		np_write_record(skb, reason);
}

/* Whether the packet's flow is to be reported, where that depends on what was reported before. */
NP_INLINE bool np_is_news(const struct np_hook *hook, struct np_question *question, enum np_news news)
{
	if (np_likely(news != NP_NEWS_PERHAPS))
		return news == NP_NEWS_SURE;
	if (np_likely(!np_is_passing_wanted()))
		return false;
	np_fill_flow_key(hook->endpoint, &question->packet, question->travel, &question->flow);
	return np_is_recent_news(np_hash_flow(hook->slot, &question->flow));
}

#endif
