/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The entries of flows to Services: where a flow goes, and that it goes on there. */
#ifndef NP_CHOICE_H
#define NP_CHOICE_H

#include "service.h"
#include "translate.h"

/*
 * Keeps the flow to a Service that np_scratch has at its backend, once it has been admitted: makes or renews its FRONTEND
 * entry. The question's flow becomes that. 0: there is no room. A global function: it is verified once.
 */
__attribute__((noinline)) int np_keep_choice(struct __sk_buff *skb)
{
	struct np_question *question = np_scratch_question();
	struct np_hook hook = np_hook_of(skb);
	struct np_flow_record *front;
	struct np_flow_place entry;
	__u64 hash;

	if (!question || !np_find_endpoint(&hook))
		return false;
	if (question->choice.affinity)
		np_keep_affinity(&question->choice, hook.slot);
	front = &question->flow;
	front->other = front->remote;
	front->other_port = front->remote_port;
	front->remote = question->choice.frontend;
	front->remote_port = question->choice.port;
	front->revision = question->choice.generation;
	front->arrival = question->choice.backend;
	front->last_seen = np_flow_clock();
	front->flags = NP_ENTRY_FRONTEND;
	hash = np_hash_flow(hook.slot, front);
	if (np_find_flow(hook.endpoint, hook.slot, front, hash, &entry)) {
		if (entry.flags & NP_ENTRY_FRONTEND && entry.arrival == front->arrival &&
		    entry.revision == front->revision) {
			np_mark_flow(&entry, 0, np_flags_cleared_by(&question->packet));
			return true;
		}
		/* A flow from before there was a Service, or one that goes to another backend now. */
		if (np_replace_flow(&entry, front, hash))
			return true;
	}
	return np_insert_flow(skb, hash);
}

/*
 * The entry of the flow to the backend, if it says the same. One that does not is of another use of the same ends (through
 * another Service, or directly), whose answers cannot be told apart from this one's: it makes room for this one.
 */
NP_INLINE bool np_find_backend_entry(const struct np_hook *hook, const struct np_flow_record *flow, __u64 hash,
				     struct np_flow_place *entry)
{
	struct np_end frontend;

	if (!np_find_flow(hook->endpoint, hook->slot, flow, hash, entry))
		return false;
	if (np_likely(entry->flags & NP_ENTRY_BACKEND &&
		      np_read_other(entry, &frontend.address, &frontend.port) &&
		      np_same_address(&frontend.address, &flow->other) && frontend.port == flow->other_port))
		return true;
	np_free_flow(entry);
	return false;
}

#endif
