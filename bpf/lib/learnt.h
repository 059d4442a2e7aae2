/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a pod has learnt of an address: which name columns hold for it. */
#ifndef NP_LEARNT_H
#define NP_LEARNT_H

#include "flow.h"
#include "hook.h"

#define NP_SECOND_NS 1000000000ull

/* Seconds of CLOCK_MONOTONIC. */
NP_INLINE __u32 np_name_clock(void)
{
	return bpf_ktime_get_ns() / NP_SECOND_NS;
}

/* The columns of an entry that hold now. */
NP_INLINE __u32 np_columns_at(const struct np_learnt *learnt, __u32 now)
{
	const __u32 columns = np_read_once(learnt->columns);
	__u32 held = 0;

	if (np_likely(np_read_once(learnt->earliest) > now))
		return columns;
	_Pragma("clang loop unroll(disable)")
	for (__u32 column = 0; column < NP_MAX_NAME_COLUMNS; column++)
		held |= (__u32)(np_read_once(learnt->expires[column]) > now) << column;
	return columns & held;
}

/*
 * The columns that hold for the remote end of the packet that np_scratch has, for the pod at whose hook it is. A global function: it
 * is verified once, not in every state of its callers.
 */
__attribute__((noinline)) __u32 np_learnt_columns(struct __sk_buff *skb)
{
	const struct np_question *question = np_scratch_question();
	struct np_hook hook = np_hook_of(skb);
	struct np_learnt_key key = {.endpoint = hook.slot};
	const struct np_learnt *learnt;
	__u32 columns;

	if (!question || !np_find_endpoint(&hook))
		return 0;
	key.address = *np_remote_of(&question->packet, question->travel);
	learnt = bpf_map_lookup_elem(&np_learnt, &key);
	if (!learnt || learnt->names != hook.endpoint->names)
		return 0;
	columns = np_columns_at(learnt, np_name_clock());
	/* The agent removes what has ended, and its memory is the next entry's at once: of another key, it may have been meanwhile. */
	return bpf_map_lookup_elem(&np_learnt, &key) == learnt ? columns : 0;
}

#endif
