/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of flows: where the entry of a flow may be, and how it is found. What an entry means is for flow.h and verdict.h; how slots
 * are taken, and why no reader ever sees half of an entry: docs/design/flow-table.md.
 */
#ifndef NP_FLOW_FIND_H
#define NP_FLOW_FIND_H

#include "address.h"
#include "hook.h"
#include "machine.h"

#define NP_NO_WAY NP_FLOW_WAYS /* no slot of the set */
#define NP_WAY_MASK (NP_FLOW_WAYS - 1)
#define NP_FLOW_CHOICES 2 /* sets of a region that a flow may be in */

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

/* The part of the hash that says which set of a region is the flow's first choice, or its second. */
NP_INLINE __u64 np_flow_choice(__u64 hash, __u32 choice)
{
	return choice ? hash >> NP_FLOW_SECOND_SHIFT : hash;
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
 * While flows move to a larger region, those that are not there yet are in the former one. One loop for both regions: with a function
 * for one of them the programs have up to 5 % more instructions.
 */
NP_INLINE bool np_find_flow(const struct np_endpoint *endpoint, __u32 slot, const struct np_flow_record *key,
			    __u64 hash, struct np_flow_place *place)
{
	const struct np_flow_place nowhere = {};
	__u32 region = endpoint->region;

	*place = nowhere;
	_Pragma("clang loop unroll(full)")
	for (__u32 attempt = 0; attempt < 2 * NP_FLOW_CHOICES; attempt++) {
		const __u64 part = np_flow_choice(hash, attempt % NP_FLOW_CHOICES);
		struct np_flow_set *set;

		if (attempt == NP_FLOW_CHOICES) {
			const __u32 *former;

			if (np_likely(!(endpoint->flags & NP_ENDPOINT_MOVING)))
				break;
			former = bpf_map_lookup_elem(&np_flow_moves, &slot);
			region = former ? *former : 0;
		}
		set = np_flow_set_of(region, part);
		if (!set)
			break;
		if (!np_is_in_set(set, key, hash, place))
			continue;
		place->number = np_flow_set_number(region, part);
		if (np_likely(np_read_flow(place)))
			return true;
		break;
	}
	place->set = NULL;
	return false;
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

#endif
