/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Queries of a pod that wait for their answer. */
#ifndef NP_PENDING_H
#define NP_PENDING_H

#include "dns.h"
#include "flow.h"

#define NP_PENDING_SECOND_SHIFT 32 /* of the hash, by which the second set is chosen */

/* What an answer has to repeat: ends and ports of the flow that np_scratch has, and of the message id, name, type and class. Never 0. */
NP_INLINE __u64 np_pending_hash(const struct np_hook *hook, struct np_question *question,
				const struct np_dns_message *message, enum np_direction travel)
{
	__u32 only = 0;
	const struct np_flow_seed *seed = bpf_map_lookup_elem(&np_flow_seed, &only);
	struct np_flow_record key = {};
	__u64 hash;

	if (!seed)
		return 1;
	np_fill_flow_key(hook->endpoint, &question->packet, travel, &key);
	hash = np_flow_hash(seed, hook->slot, &key) ^ message->hash;
	hash = (hash ^ ((__u64)message->id << 32 | (__u64)message->type << 16 | message->query_class)) *
	       (seed->word[1] | 1);
	hash ^= hash >> 29;
	hash *= 0x9fb21c651e98df25;
	hash ^= hash >> 32;
	return hash ? hash : 1;
}

NP_INLINE struct np_pending_set *np_pending_set_of(__u32 slot, __u64 hash)
{
	const __u32 key = slot * NP_PENDING_SETS + ((__u32)hash & (NP_PENDING_SETS - 1));

	return bpf_map_lookup_elem(&np_pending, &key);
}

/* How long a query has waited, jiffies; one that another CPU has put there since is new. */
NP_INLINE __u32 np_pending_age(const struct np_pending_set *set, __u32 way, __u32 now)
{
	const __s32 age = now - np_read_once(set->time[way & (NP_PENDING_WAYS - 1)]);

	return age < 0 ? 0 : age;
}

#define NP_PENDING_FREE (1ull << 32) /* above any age */
#define NP_PENDING_OWN (1ull << 33)
#define NP_PENDING_RANK_SHIFT 4 /* beside the rank: which place of which set */

/* How fit a place is to take a query: its own from before, free, else the older the fitter. `there`: the hash that it has. */
NP_INLINE __u64 np_pending_rank(const struct np_pending_set *set, __u32 way, __u64 there, __u64 hash, __u32 now)
{
	if (there == hash)
		return NP_PENDING_OWN;
	return there ? np_pending_age(set, way, now) : NP_PENDING_FREE;
}

/* The look for a place. */
struct np_pending_search {
	const struct np_pending_set *set;
	__u64 hash;
	__u64 best; /* rank << NP_PENDING_RANK_SHIFT | which place of both sets */
	__u32 now;
	__u32 first; /* number of the set's first place */
};

/* One place of a set. */
static long np_choose_pending(__u32 index, void *context)
{
	struct np_pending_search *search = context;
	const __u32 way = index & (NP_PENDING_WAYS - 1);
	const struct np_pending_set *set = search->set;
	const __u64 rank = np_pending_rank(set, way, np_read_once(set->hash[way]), search->hash, search->now);
	const __u64 place = rank << NP_PENDING_RANK_SHIFT | search->first | way;

	if (place > search->best)
		search->best = place;
	/* Nothing is fitter. */
	return rank == NP_PENDING_OWN;
}

/*
 * Remembers a query. False: another CPU has taken the place that was chosen. A global function: verified once, and no loop, as the
 * verifier of 6.1 refuses one that has the body of another.
 */
__attribute__((noinline)) int np_try_pending(struct __sk_buff *skb, __u64 hash)
{
	const __u32 slot = np_own_slot(skb);
	struct np_pending_set *first = np_pending_set_of(slot, hash);
	struct np_pending_set *second = np_pending_set_of(slot, hash >> NP_PENDING_SECOND_SHIFT);
	struct np_pending_search search = {.hash = hash, .now = bpf_jiffies64()};
	struct np_pending_set *set;
	__u32 way;
	__u64 seen;

	if (!first || !second)
		return true;
	search.set = first;
	bpf_loop(NP_PENDING_WAYS, np_choose_pending, &search, 0);
	search.first = NP_PENDING_WAYS;
	search.set = second;
	bpf_loop(NP_PENDING_WAYS, np_choose_pending, &search, 0);
	way = search.best & (NP_PENDING_WAYS - 1);
	set = search.best & NP_PENDING_WAYS ? second : first;
	seen = np_read_once(set->hash[way]);
	/* Another CPU has put a query there meanwhile. */
	if (np_pending_rank(set, way, seen, hash, search.now) != search.best >> NP_PENDING_RANK_SHIFT)
		return false;
	/* The time first: nobody takes the place for one that is old. */
	np_write_once(set->time[way], search.now);
	return seen == hash || __sync_val_compare_and_swap(&set->hash[way], seen, hash) == seen;
}

/* Remembers a query, if other CPUs let it. */
NP_INLINE void np_add_pending(struct __sk_buff *skb, __u64 hash)
{
	if (np_unlikely(!np_try_pending(skb, hash)) && !np_try_pending(skb, hash))
		np_try_pending(skb, hash);
}

/* Takes a query away, whose answer has come. False: it was not there, or for too long. */
NP_INLINE bool np_remove_from(struct np_pending_set *set, __u64 hash, __u32 now)
{
	_Pragma("clang loop unroll(disable)")
	for (__u32 i = 0; i < NP_PENDING_WAYS; i++)
		if (np_read_once(set->hash[i]) == hash)
			return __sync_val_compare_and_swap(&set->hash[i], hash, 0) == hash &&
			       np_pending_age(set, i, now) <= (__u64)NP_PENDING_SECONDS * np_config.hertz;
	return false;
}

/* As np_remove_from, wherever it is. A global function: verified once. */
__attribute__((noinline)) int np_remove_pending(struct __sk_buff *skb, __u64 hash)
{
	const __u32 slot = np_own_slot(skb);
	struct np_pending_set *first = np_pending_set_of(slot, hash);
	struct np_pending_set *second = np_pending_set_of(slot, hash >> NP_PENDING_SECOND_SHIFT);
	const __u32 now = bpf_jiffies64();

	if (!first || !second)
		return false;
	return np_remove_from(first, hash, now) || np_remove_from(second, hash, now);
}

#endif
