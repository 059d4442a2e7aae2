/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counters, which are exact, and event records, which are rate-limited; suppressed ones are counted. */
#ifndef NP_EVENTS_H
#define NP_EVENTS_H

#include "maps.h"

/* A record wakes the reader within so many unread bytes above the threshold: a few records, as CPUs race past it. */
#define NP_WAKEUP_BAND_BYTES 1024

#define NP_MAX_EVENT_LENGTH 0xffff

/* What an event says about a verdict beside the packet. */
struct np_finding {
	__u32 endpoint; /* slot */
	__u32 revision;
	__u32 remote_identity;
	__u32 rule_hit;
	__u8 direction; /* enum np_direction */
	__u8 decision; /* enum np_decision */
	__u8 flags; /* NP_EVENT_* */
};

NP_INLINE void np_count(__u32 reason, __u32 bytes)
{
	struct np_counter *counter = bpf_map_lookup_elem(&np_reasons, &reason);

	if (!counter)
		return; /* not possible: np_reasons has an entry for every reason */
	counter->packets++;
	counter->bytes += bytes;
}

NP_INLINE bool np_within_budget(struct np_event_budget *budget)
{
	__u64 now = bpf_jiffies64();

	if (budget->jiffy != now) {
		budget->jiffy = now;
		budget->written = 0;
	}
	if (budget->written >= NP_EVENT_RATE_PER_JIFFY)
		return false;
	budget->written++;
	return true;
}

/*
 * Waking the reader is the most expensive operation on the whole path, so it happens once each time the unread bytes
 * cross the threshold. A reader that misses the wake-up still finds unread bytes before it sleeps, and so does not sleep.
 */
NP_INLINE __u64 np_wakeup_flag(__u32 wakeup_bytes)
{
	__u64 unread = bpf_ringbuf_query(&np_events, BPF_RB_AVAIL_DATA);

	return unread - wakeup_bytes < NP_WAKEUP_BAND_BYTES ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

NP_INLINE void np_fill_event(struct np_event *event, const struct np_packet *packet, const struct np_finding *finding,
			     __u32 reason, __u32 bytes)
{
	event->time = bpf_jiffies64();
	event->source = packet->source;
	event->destination = packet->destination;
	event->source_port = packet->source_port;
	event->destination_port = packet->destination_port;
	event->endpoint = finding->endpoint;
	event->protocol = packet->protocol;
	event->direction = finding->direction;
	event->remote_identity = finding->remote_identity;
	event->rule_hit = finding->rule_hit;
	event->revision = finding->revision;
	event->reason = reason;
	event->decision = finding->decision;
	event->length = bytes < NP_MAX_EVENT_LENGTH ? bytes : NP_MAX_EVENT_LENGTH;
	event->tcp_flags = packet->tcp_flags;
	event->flags = finding->flags;
	__builtin_memset(event->pad, 0, sizeof(event->pad));
}

/* Writes a record if there is a listener and the reason's budget for this CPU and jiffy is not used up. */
NP_INLINE void np_report(const struct np_packet *packet, const struct np_finding *finding, __u32 reason, __u32 bytes)
{
	__u32 only = 0;
	const struct np_control *control = bpf_map_lookup_elem(&np_control, &only);
	struct np_event_budget *budget;
	struct np_event *event;

	if (!control || !control->listeners)
		return;
	budget = bpf_map_lookup_elem(&np_event_budget, &reason);
	if (!budget)
		return;
	event = np_within_budget(budget) ? bpf_ringbuf_reserve(&np_events, sizeof(*event), 0) : NULL;
	if (!event) {
		budget->suppressed++;
		return;
	}
	np_fill_event(event, packet, finding, reason, bytes);
	bpf_ringbuf_submit(event, np_wakeup_flag(control->wakeup_bytes));
}

#endif
