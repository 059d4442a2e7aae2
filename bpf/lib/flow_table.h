/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of flows: finding, making, replacing and changing entries in the region of an endpoint. What an entry means is
 * for flow.h and verdict.h; how slots are taken, and why no reader ever sees half of an entry: docs/design/flow-table.md.
 */
#ifndef NP_FLOW_TABLE_H
#define NP_FLOW_TABLE_H

#include "address.h"
#include "hook.h"
#include "machine.h"
#include "proxied.h"

/*
 * Makes the verifier forget a number that it knows, by way of one that it does not know: paths that differ in the number only
 * are then followed once.
 */
#define np_forget(number, unknown) asm volatile("%0 ^= %1; %0 ^= %1" : "+r"(number) : "r"((__u64)(unknown)))

#define NP_NO_WAY NP_FLOW_WAYS /* no slot of the set */
#define NP_WAY_MASK (NP_FLOW_WAYS - 1)
#define NP_INSERT_ATTEMPTS 3 /* other CPUs may take the slot that was chosen */
#define NP_CROWDED_SET 3 /* flows in the first set from which on the second one is looked at */

/* An entry as it was found: a copy of what may change in it, and where it is. */
struct np_flow_place {
	struct np_flow_set *set; /* NULL: there is none */
	__u64 control; /* the slot's control word while the copy was taken */
	__u32 number; /* of the set, in np_flow_sets */
	__u32 way; /* slot of the set */
	__u32 revision; /* this and the following as in np_flow_record */
	__u32 arrival;
	__u32 last_seen;
	__u32 flags;
};

/* How a verdict is written into an entry: at once, so that a revision never stands beside another verdict's arrival. */
union np_flow_stamp {
	struct {
		__u32 revision;
		__u32 arrival;
	};
	__u64 word;
};

/* The time in units of np_flow_record.last_seen. */
NP_INLINE __u32 np_flow_clock(void)
{
	return bpf_jiffies64() >> NP_FLOW_CLOCK_SHIFT;
}

/* How long ago something was seen, when it was `now`. Another CPU may have seen it since: that is no age. */
NP_INLINE __u32 np_flow_age(__u32 now, __u32 last_seen)
{
	const __s32 age = now - last_seen;

	return age < 0 ? 0 : age;
}

/* Whether what was last seen `age` ago is older than some seconds. */
NP_INLINE bool np_is_older(__u32 age, __u32 seconds)
{
	return age > (__u64)seconds * np_config.hertz >> NP_FLOW_CLOCK_SHIFT;
}

/* Where the endpoint's flow may be. `key`: of the record only what identifies a flow. */
NP_INLINE __u64 np_hash_flow(__u32 endpoint, const struct np_flow_record *key)
{
	__u32 only = 0;
	const struct np_flow_seed *seed = bpf_map_lookup_elem(&np_flow_seed, &only);

	return seed ? np_flow_hash(seed, endpoint, key) : 0;
}

NP_INLINE __u32 np_flow_tag(__u64 hash)
{
	return hash >> NP_FLOW_TAG_SHIFT & NP_SLOT_TAG_MASK;
}

/* The number of a set of a region by a part of the hash. */
NP_INLINE __u32 np_flow_set_number(__u32 region, __u64 hash)
{
	const __u32 sets = region & -region;

	return ((region - sets) >> 1) + ((__u32)hash & (sets - 1));
}

/* The set of a region by a part of the hash. NULL: there is no region. */
NP_INLINE struct np_flow_set *np_flow_set_of(__u32 region, __u64 hash)
{
	const __u32 number = np_flow_set_number(region, hash);

	return region ? bpf_map_lookup_elem(&np_flow_sets, &number) : NULL;
}

/* Ports, protocol and addresses alike: the same flow of the endpoint. One comparison for all, as the verifier follows each. */
NP_INLINE bool np_is_same_flow(const struct np_flow_record *a, const struct np_flow_record *b)
{
	return !((a->remote.word[0] ^ b->remote.word[0]) | (a->remote.word[1] ^ b->remote.word[1]) |
		 (a->remote.word[2] ^ b->remote.word[2]) | (a->remote.word[3] ^ b->remote.word[3]) |
		 (a->own_port ^ b->own_port) | (a->remote_port ^ b->remote_port) | (a->protocol ^ b->protocol) |
		 (a->own_address ^ b->own_address));
}

/* The slot of a set that has the flow, NP_NO_WAY if none has. `*control` is its control word. */
NP_INLINE __u32 np_flow_way(struct np_flow_set *set, const struct np_flow_record *key, __u32 tag, __u64 *control)
{
	const __u32 wanted = tag | NP_SLOT_LIVE;

	_Pragma("clang loop unroll(full)")
	for (__u32 way = 0; way < NP_FLOW_WAYS; way++) {
		*control = np_read_once(set->control[way]);
		if (np_likely((__u32)*control != wanted))
			continue;
		/* Nothing of the entry may be read before its control word. */
		if (np_config.barriers && __sync_fetch_and_add(&set->control[way], 0) != *control)
			continue;
		if (np_likely(np_is_same_flow(&set->flow[way], key)))
			return way;
	}
	return NP_NO_WAY;
}

/* Finds a flow in a set: its slot, of which nothing is copied yet. */
NP_INLINE bool np_is_in_set(struct np_flow_set *set, const struct np_flow_record *key, __u64 hash,
			    struct np_flow_place *place)
{
	__u64 control = 0;
	__u32 way = np_flow_way(set, key, np_flow_tag(hash), &control);

	if (way == NP_NO_WAY)
		return false;
	np_forget(way, hash);
	place->set = set;
	place->way = way;
	place->control = control;
	return true;
}

/* Copies a slot. False: it was used again meanwhile, and the copy may be of two flows. */
NP_INLINE bool np_read_flow(struct np_flow_place *place)
{
	const struct np_flow_record *flow = &place->set->flow[place->way & NP_WAY_MASK];
	__u64 *control = &place->set->control[place->way & NP_WAY_MASK];

	place->revision = np_read_once(flow->revision);
	place->arrival = np_read_once(flow->arrival);
	place->last_seen = np_read_once(flow->last_seen);
	place->flags = np_read_once(flow->flags);
	if (np_config.barriers)
		return __sync_fetch_and_add(control, 0) == place->control;
	return np_read_once(*control) == place->control;
}

/*
 * Finds the endpoint's entry of a flow. An entry that is replaced in this moment counts as absent.
 *
 * While flows move to a larger region, those that are not there yet are in the former one.
 */
NP_INLINE bool np_find_flow(const struct np_endpoint *endpoint, __u32 slot, const struct np_flow_record *key,
			    __u64 hash, struct np_flow_place *place)
{
	const struct np_flow_place nowhere = {};
	__u32 region = endpoint->region;

	*place = nowhere;
	_Pragma("clang loop unroll(full)")
	for (int attempt = 0; attempt < 4; attempt++) {
		struct np_flow_set *set;

		if (attempt == 2) {
			const __u32 *former;

			if (np_likely(!(endpoint->flags & NP_ENDPOINT_MOVING)))
				break;
			former = bpf_map_lookup_elem(&np_flow_moves, &slot);
			region = former ? *former : 0;
		}
		set = np_flow_set_of(region, attempt & 1 ? hash >> NP_FLOW_SECOND_SHIFT : hash);
		if (!set)
			break;
		if (!np_is_in_set(set, key, hash, place))
			continue;
		place->number = np_flow_set_number(region, attempt & 1 ? hash >> NP_FLOW_SECOND_SHIFT : hash);
		if (np_likely(np_read_flow(place)))
			return true;
		break;
	}
	place->set = NULL;
	return false;
}

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
		bpf_map_delete_elem(&np_proxied, &proxied);
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
	first = np_flow_set_of(hook.endpoint->region, hash);
	second = np_flow_set_of(hook.endpoint->region, hash >> NP_FLOW_SECOND_SHIFT);
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

/* The index of an entry's slot, key of what is remembered beside the entry. */
NP_INLINE __u32 np_flow_slot(const struct np_flow_place *place)
{
	return place->number * NP_FLOW_WAYS + place->way;
}

/* What tells the flows of a slot apart: part of what is remembered beside the entry. */
NP_INLINE __u32 np_flow_version(const struct np_flow_place *place)
{
	return place->control >> NP_SLOT_VERSION_SHIFT;
}

/*
 * Clears a flag that keeps packets from passing by their entry. As in np_stamp_flow, the slot may be another flow's by now, to
 * which it is given back.
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
