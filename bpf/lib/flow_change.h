/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table of flows: what changes in an entry while its flow lives. */
#ifndef NP_FLOW_CHANGE_H
#define NP_FLOW_CHANGE_H

#include "flow_find.h"

/* How a verdict is written into an entry: at once, so that a revision never stands beside another verdict's arrival. */
union np_flow_stamp {
	struct {
		__u32 revision;
		__u32 arrival;
	};
	__u64 word;
};

/*
 * Writes another verdict into an entry, if it has not changed since it was found: the slot may be another flow's by now, which
 * no verdict about this one must admit.
 */
NP_INLINE void np_stamp_flow(struct np_flow_place *place, __u32 revision, __u32 arrival)
{
	union np_flow_stamp before = {.revision = place->revision, .arrival = place->arrival};
	union np_flow_stamp after = {.revision = revision, .arrival = arrival};
	__u64 *stamp, *control;

	if (!place->set || before.word == after.word)
		return;
	stamp = (__u64 *)&place->set->flow[place->way & NP_WAY_MASK].revision;
	control = &place->set->control[place->way & NP_WAY_MASK];
	if (np_read_once(*control) != place->control ||
	    __sync_val_compare_and_swap(stamp, before.word, after.word) != before.word)
		return;
	/* The other flow may have had the very same stamp. */
	if (np_unlikely(np_read_once(*control) != place->control))
		__sync_val_compare_and_swap(stamp, after.word, before.word);
}

/*
 * Clears a flag that keeps packets from passing by their entry. As in np_stamp_flow, the slot may be another flow's by now: then the flag is
 * set again.
 */
NP_INLINE void np_release_flow(const struct np_flow_place *place, __u32 flag)
{
	__u64 *control;
	__u32 *flags;

	if (!place->set)
		return;
	flags = &place->set->flow[place->way & NP_WAY_MASK].flags;
	control = &place->set->control[place->way & NP_WAY_MASK];
	if (np_read_once(*control) != place->control)
		return;
	if (__sync_fetch_and_and(flags, ~flag) & flag && np_unlikely(np_read_once(*control) != place->control))
		__sync_fetch_and_or(flags, flag);
}

/* Sets flags of an entry that says nothing of when its flow was seen. */
NP_INLINE void np_set_flags(const struct np_flow_place *place, __u32 flags)
{
	if (np_unlikely(place->set && flags & ~place->flags))
		__sync_fetch_and_or(&place->set->flow[place->way & NP_WAY_MASK].flags, flags);
}

/* Sets and clears flags of an entry, which other CPUs may be doing too, and notes that it was seen. */
NP_INLINE void np_mark_flow(struct np_flow_place *place, __u32 set_flags, __u32 clear_flags)
{
	const __u32 now = np_flow_clock();
	struct np_flow_record *flow;

	if (!place->set)
		return;
	flow = &place->set->flow[place->way & NP_WAY_MASK];
	if (np_unlikely(place->last_seen != now))
		np_write_once(flow->last_seen, now);
	if (np_unlikely(set_flags & ~place->flags))
		__sync_fetch_and_or(&flow->flags, set_flags);
	if (np_unlikely(clear_flags & place->flags))
		__sync_fetch_and_and(&flow->flags, ~clear_flags);
}

#endif
