/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The entries of flows to Services: where a flow goes, and that it goes on there. */
#ifndef NP_CHOICE_H
#define NP_CHOICE_H

#include "service.h"
#include "translate.h"

#define NP_PORT_TRIES 6 /* ports looked at for a flow whose own one is taken */
#define NP_FIRST_OTHER_PORT 32768 /* from here on they are: half of all */

/* Whether an entry is the one of the flow to the backend that is in `question->flow`, for the same use. */
NP_INLINE bool np_is_chosen(const struct np_flow_place *entry, const struct np_question *question)
{
	const struct np_flow_record *flow = &question->flow;
	const __be16 own = question->choice.own_port;
	struct np_end frontend;

	return entry->flags & NP_ENTRY_BACKEND && np_read_other(entry, &frontend.address, &frontend.port) &&
	       np_same_address(&frontend.address, &flow->other) && frontend.port == flow->other_port &&
	       np_port_beyond(entry->flags, flow->own_port) == own;
}

/*
 * Finds a port for the flow to the backend that np_scratch has: the pod's own unless another flow has the same ends, which
 * the backend could not tell apart from this one, nor we its answers. 0: all that were tried are taken. A global function, as
 * the others here: it is verified once.
 */
__attribute__((noinline)) int np_find_port(struct __sk_buff *skb)
{
	struct np_question *question = np_scratch_question();
	struct np_hook hook = np_hook_of(skb);
	struct np_flow_place entry;
	struct np_flow_record *flow;

	if (!question || !np_find_endpoint(&hook))
		return false;
	flow = &question->flow;
	_Pragma("clang loop unroll(disable)")
	for (int try = 0; try < NP_PORT_TRIES; try++) {
		const __u64 hash = np_hash_flow(hook.slot, flow);

		if (!np_find_flow(hook.endpoint, hook.slot, flow, hash, &entry) || np_is_chosen(&entry, question))
			return true;
		if (np_flow_role(entry.flags) == NP_ROLE_NONE || np_is_over(&entry, flow->protocol)) {
			np_free_flow(&entry);
			return true;
		}
		flow->own_port = bpf_htons(NP_FIRST_OTHER_PORT | hash >> 17);
	}
	return false;
}

/* The flags by which a FRONTEND or BACKEND entry says that a flow has `port` on the other side of the translation. */
NP_INLINE __u32 np_port_flags(__be16 own, __be16 port)
{
	return own == port ? 0 : (__u32)port << NP_ENTRY_PORT_SHIFT;
}

/*
 * Keeps the flow to a Service that np_scratch has at its backend, once it has been admitted: makes or renews its FRONTEND
 * entry. The question's flow becomes that. 0: there is no room.
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
	/* Of a connection whose server name is not decided no packet passes by this entry alone. */
	front->revision = front->flags & NP_ENTRY_HELLO ? 0 : question->revision;
	front->flags = NP_ENTRY_FRONTEND | np_port_flags(question->choice.own_port, front->own_port);
	front->other = front->remote;
	front->other_port = front->remote_port;
	front->remote = question->choice.frontend;
	front->remote_port = question->choice.port;
	front->own_port = question->choice.own_port;
	front->own_address = question->choice.own_address;
	front->arrival = question->choice.backend;
	front->last_seen = np_flow_clock();
	hash = np_hash_flow(hook.slot, front);
	if (np_find_flow(hook.endpoint, hook.slot, front, hash, &entry)) {
		if (entry.flags & NP_ENTRY_FRONTEND && entry.arrival == front->arrival &&
		    entry.flags >> NP_ENTRY_PORT_SHIFT == front->flags >> NP_ENTRY_PORT_SHIFT) {
			np_stamp_flow(&entry, front->revision, front->arrival);
			np_mark_flow(&entry, 0, np_flags_cleared_by(&question->packet));
			return true;
		}
		/* A flow from before there was a Service, or one that goes to another backend now. */
		if (np_replace_flow(&entry, front, hash))
			return true;
	}
	return np_insert_flow(skb, hash);
}

#endif
