/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table of flows: making, replacing and forgetting entries, and which entry makes room for a new one. */
#ifndef NP_FLOW_INSERT_H
#define NP_FLOW_INSERT_H

#include "flow_find.h"
#include "proxied.h"

#define NP_INSERT_ATTEMPTS 3 /* other CPUs may take the slot that was chosen */
#define NP_CROWDED_SET 3 /* flows in the first set from which on the second one is looked at */

/*
 * Takes a slot for writing, from the state it was seen in; readers take it for another flow's from now on. The control word
 * while it is written, 0 if another CPU has taken it first.
 */
NP_INLINE __u64 np_acquire_slot(__u64 *control, __u64 seen)
{
	const __u64 step = seen & NP_SLOT_STATE_MASK ? (__u64)1 << NP_SLOT_VERSION_SHIFT : 0;
	const __u64 busy = (((seen >> NP_SLOT_VERSION_SHIFT) << NP_SLOT_VERSION_SHIFT) + step) | NP_SLOT_BUSY;

	return __sync_val_compare_and_swap(control, seen, busy) == seen ? busy : 0;
}

/* Writes a flow into a slot seen in a state, free or live. False: another CPU was faster. */
NP_INLINE bool np_write_flow(struct np_flow_set *set, __u32 way, __u64 seen, const struct np_flow_record *flow, __u64 hash)
{
	__u64 *control = &set->control[way & NP_WAY_MASK];
	const __u64 busy = np_acquire_slot(control, seen);

	if (!busy)
		return false;
	set->flow[way & NP_WAY_MASK] = *flow;
	/* A full barrier on both sides: nobody who sees it live sees it half written. */
	__sync_lock_test_and_set(control, (busy ^ NP_SLOT_BUSY) | np_flow_tag(hash) | NP_SLOT_LIVE);
	return true;
}

/* Replaces an entry by another one of the same flow. False: it is another flow's by now. */
NP_INLINE bool np_replace_flow(const struct np_flow_place *place, const struct np_flow_record *flow, __u64 hash)
{
	return place->set && np_write_flow(place->set, place->way, place->control, flow, hash);
}

/* Forgets an entry, unless it is another flow's by now. */
NP_INLINE void np_free_flow(const struct np_flow_place *place)
{
	const __u64 next = ((place->control >> NP_SLOT_VERSION_SHIFT) + 1) << NP_SLOT_VERSION_SHIFT;

	__sync_val_compare_and_swap(&place->set->control[place->way & NP_WAY_MASK], place->control, next | NP_SLOT_FREE);
}

/* A bit for each slot of a set that is not free. Without branches, of which the verifier would follow each. */
NP_INLINE __u32 np_used_ways(const struct np_flow_set *set)
{
	__u32 used = 0;

	_Pragma("clang loop unroll(full)")
	for (__u32 way = 0; way < NP_FLOW_WAYS; way++) {
		__u32 state = (__u32)np_read_once(set->control[way]) & NP_SLOT_STATE_MASK;

		used |= ((state | state >> 1) & 1) << way;
	}
	return used;
}

_Static_assert(NP_FLOW_WAYS == 4, "np_count_ways counts four bits, np_write_free finds the number of one of four");

NP_INLINE __u32 np_count_ways(__u32 ways)
{
	return (ways & 1) + (ways >> 1 & 1) + (ways >> 2 & 1) + (ways >> 3 & 1);
}

/* How ready an entry is to make room: the higher, the sooner. 0: not at all. */
enum np_spare {
	NP_SPARE_NEVER = 0,
	NP_SPARE_SETTLED = 1,
	NP_SPARE_UNANSWERED = 2,
	NP_SPARE_CLOSED = 3,
	NP_SPARE_EXPIRED = 4,
};

/* Whether entries of a protocol end by themselves, so that an exchange may be what it was all about. */
NP_INLINE bool np_has_no_connection(__u8 protocol)
{
	return protocol != IPPROTO_TCP && protocol != IPPROTO_SCTP;
}

NP_INLINE bool np_is_closed(__u32 flags)
{
	return flags & NP_ENTRY_RST ||
	       (flags & (NP_ENTRY_FIN_OWN | NP_ENTRY_FIN_REMOTE)) == (NP_ENTRY_FIN_OWN | NP_ENTRY_FIN_REMOTE);
}

NP_INLINE enum np_spare np_spare_of(__u8 protocol, __u32 flags, __u32 age)
{
	if (np_is_older(age, np_flow_timeout(protocol, flags)))
		return NP_SPARE_EXPIRED;
	if (np_is_closed(flags) && np_is_older(age, NP_TIMEOUT_LINGER))
		return NP_SPARE_CLOSED;
	if (!(flags & NP_ENTRY_ANSWERED))
		return NP_SPARE_UNANSWERED;
	/* Questions and answers by the thousand, while nobody gives the pod a larger region. */
	return np_has_no_connection(protocol) && np_is_exchange(flags) && np_is_older(age, NP_TIMEOUT_SETTLED) ?
		       NP_SPARE_SETTLED : NP_SPARE_NEVER;
}

/* Which entry of a set makes room first, if it goes before `*best`. */
NP_INLINE void np_choose_spare(struct np_flow_set *set, __u32 now, struct np_flow_place *best, __u64 *best_rank)
{
	_Pragma("clang loop unroll(disable)")
	for (__u32 way = 0; way < NP_FLOW_WAYS; way++) {
		const __u64 control = np_read_once(set->control[way]);
		const struct np_flow_record *flow = &set->flow[way];
		const __u32 age = np_flow_age(now, np_read_once(flow->last_seen));
		const __u32 flags = np_read_once(flow->flags);
		__u64 rank = np_spare_of(flow->protocol, flags, age);
		__u32 chosen = way;

		if (!rank || (control & NP_SLOT_STATE_MASK) != NP_SLOT_LIVE)
			continue;
		/* Of two alike the older one; of exchanges the latest, as the oldest may be more than that. */
		rank = rank << 32 | (rank == NP_SPARE_SETTLED ? ~age : age);
		np_forget(rank, control);
		if (rank <= *best_rank)
			continue;
		np_forget(chosen, control);
		*best_rank = rank;
		best->set = set;
		best->way = chosen;
		best->control = control;
		best->flags = flags;
	}
}

/* Writes a flow into a free slot of its sets. False: there is none. */
NP_INLINE bool np_write_free(struct np_flow_set *first, struct np_flow_set *second, const struct np_flow_record *flow, __u64 hash)
{
	_Pragma("clang loop unroll(disable)")
	for (int attempt = 0; attempt < NP_INSERT_ATTEMPTS; attempt++) {
		struct np_flow_set *set = first;
		__u32 used = np_used_ways(first), free, way;
		__u64 control;

		if (np_count_ways(used) >= NP_CROWDED_SET) {
			__u32 others = np_used_ways(second);

			if (np_count_ways(others) < np_count_ways(used)) {
				set = second;
				used = others;
			}
		}
		free = ~used & ((1 << NP_FLOW_WAYS) - 1);
		if (!free)
			break;
		free &= -free; /* the lowest: 1, 2, 4 or 8 */
		way = (free >> 1) - (free >> 3);
		control = np_read_once(set->control[way & NP_WAY_MASK]);
		if ((control & NP_SLOT_STATE_MASK) == NP_SLOT_FREE && np_write_flow(set, way, control, flow, hash))
			return true;
	}
	return false;
}

NP_INLINE struct np_flow_share *np_flow_share_of(__u32 slot)
{
	return bpf_map_lookup_elem(&np_flow_shares, &slot);
}

/* Puts an entry in the place of one that both its sets can spare. */
NP_INLINE bool np_make_room(const struct np_endpoint *endpoint, struct np_flow_set *first, struct np_flow_set *second,
			    const struct np_flow_record *flow, __u64 hash, struct np_flow_share *share)
{
	struct np_proxied_key proxied;
	const __u32 now = np_flow_clock();
	struct np_flow_place best = {};
	__u64 best_rank = 0; /* less than any that may go */

	np_choose_spare(first, now, &best, &best_rank);
	np_choose_spare(second, now, &best, &best_rank);
	if (!best.set)
		return false;
	if (np_unlikely(best.flags & NP_ENTRY_PROXY))
		np_fill_proxied_key(&proxied, endpoint, &best.set->flow[best.way & NP_WAY_MASK]);
	if (!np_write_flow(best.set, best.way, best.control, flow, hash))
		return false;
	/* So that a pod has no more of these than its region has slots, however many connections it begins. */
	if (np_unlikely(best.flags & NP_ENTRY_PROXY))
		(void)bpf_map_delete_elem(&np_proxied, &proxied); /* it may have none */
	if (best_rank >> 32 <= NP_SPARE_UNANSWERED)
		share->evicted++;
	return true;
}

/*
 * Makes an entry of the flow that np_scratch has, in the region of its endpoint. False: there is no room, which is counted for
 * the endpoint. A global function: it is verified once, not in every state of its callers.
 *
 * Two CPUs may make one each of the same flow. Both found it allowed; the first one found serves, the other expires.
 */
__attribute__((noinline)) int np_insert_flow(struct __sk_buff *skb, __u64 hash)
{
	const struct np_question *question = np_scratch_question();
	struct np_hook hook = np_hook_of(skb);
	struct np_flow_share *share = np_flow_share_of(hook.slot);
	struct np_flow_set *first, *second;
	const struct np_flow_record *flow;

	if (!question || !share || !np_find_endpoint(&hook))
		return false;
	flow = &question->flow;
	first = np_flow_set_of(hook.endpoint->region, np_flow_choice(hash, 0));
	second = np_flow_set_of(hook.endpoint->region, np_flow_choice(hash, 1));
	if (!first || !second) {
		share->refused++;
		return false;
	}
	if (np_write_free(first, second, flow, hash) ||
	    np_make_room(hook.endpoint, first, second, flow, hash, share)) {
		share->inserted++;
		return true;
	}
	share->refused++;
	return false;
}

#endif
