/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets between a pod and a Service. The pod knows the Service (its frontend), everybody else the endpoint that was chosen
 * (the backend): from the pod the destination is replaced (service_step.h), to it the source, here. Two entries of the pod's
 * region say how:
 *
 *   FRONTEND  pod -> frontend; `other` is the backend. Keeps a flow at its backend, and passes its packets on while the verdict
 *             about the flow there stands.
 *   BACKEND   pod -> backend; `other` is the frontend. The flow itself, which policy has admitted.
 *
 * Beyond the translation two flows of the pod may have the same ends (through two Services, or one straight to the backend). The
 * later one gets another port of the pod there, which both entries say.
 *
 * Policy and events see the backend: nothing here decides what passes.
 */
#ifndef NP_TRANSLATE_H
#define NP_TRANSLATE_H

#include "hook.h"
#include "policy.h"
#include "rewrite_tcp.h"

/* What an entry has beside the flow, which no live one changes. False: the slot was used again meanwhile. */
NP_INLINE bool np_read_other(const struct np_flow_place *entry, struct np_address *other, __be16 *port)
{
	const struct np_flow_record *flow = &entry->set->flow[entry->way & NP_WAY_MASK];
	__u64 *control = &entry->set->control[entry->way & NP_WAY_MASK];

	*other = flow->other;
	*port = flow->other_port;
	asm volatile("" ::: "memory");
	if (np_config.barriers)
		return __sync_fetch_and_add(control, 0) == entry->control;
	return np_read_once(*control) == entry->control;
}

/* Finds an entry of a kind (NP_ENTRY_FRONTEND or NP_ENTRY_BACKEND), and what it leads to. */
NP_INLINE bool np_find_translation(const struct np_hook *hook, const struct np_flow_record *key, __u64 hash, __u32 kind,
				   struct np_flow_place *entry, struct np_end *other)
{
	return np_find_flow(hook->endpoint, hook->slot, key, hash, entry) && entry->flags & kind &&
	       np_read_other(entry, &other->address, &other->port);
}

/* The pod's port on the other side of the translation, by the flags of an entry that has `port` on this one. */
NP_INLINE __be16 np_port_beyond(__u32 flags, __be16 port)
{
	const __be16 other = flags >> NP_ENTRY_PORT_SHIFT;

	return other ? other : port;
}

NP_INLINE struct np_place np_place_of(const struct np_question *question)
{
	struct np_place place = {
		.network = ETH_HLEN,
		.transport = question->transport_offset,
		.end = question->resume_end,
	};

	return place;
}

/*
 * Sends a packet from the pod on as those before, by its FRONTEND entry alone: it is in the middle of a TCP connection to a backend
 * which policy has allowed, and nothing is to be noted of it. False: it was not changed, and all must be looked at anew, as happens
 * each tick of the flow table's clock anyway.
 */
NP_INLINE bool np_send_on(const struct np_hook *hook, const struct np_question *question, const struct np_flow_place *front,
			  enum np_reason *reason)
{
	const struct np_packet *packet = &question->packet;
	const struct np_place place = np_place_of(question);
	struct np_end backend;
	enum np_reason failure = NP_REASON_NONE;

	if (np_unlikely(!(front->flags & NP_ENTRY_FRONTEND) || front->revision != hook->endpoint->revision ||
			front->last_seen != np_flow_clock() || np_may_move(packet) ||
			front->flags >> NP_ENTRY_PORT_SHIFT ||
			np_flags_set_by(packet, NP_EGRESS, NP_ROLE_INITIATOR, false) & ~front->flags ||
			np_flags_cleared_by(packet) & front->flags ||
			!np_read_other(front, &backend.address, &backend.port) ||
			!np_replace_tcp_end(hook->skb, packet, &place, false, &backend.address, backend.port,
					    &failure)))
		return false;
	*reason = failure ? failure : NP_REASON_ESTABLISHED;
	return true;
}

/*
 * Finds the FRONTEND entry of a flow that goes to the Service `remote` of the key. Where the pod talks to a backend straight away and
 * through a Service with the same port, it has the alias of the address.
 */
NP_INLINE bool np_find_front(const struct np_hook *hook, struct np_flow_record *key, struct np_flow_place *front,
			     struct np_end *backend)
{
	if (np_find_translation(hook, key, np_hash_flow(hook->slot, key), NP_ENTRY_FRONTEND, front, backend))
		return true;
	if (!front->set || !(front->flags & NP_ENTRY_BACKEND))
		return false;
	key->own_address |= NP_OWN_ALIAS;
	return np_find_translation(hook, key, np_hash_flow(hook->slot, key), NP_ENTRY_FRONTEND, front, backend);
}

/*
 * Notes in the FRONTEND entry of the flow that np_scratch has what its own has got: they are to be forgotten together. As the
 * following, a global function: it is verified once, not in every state of its callers.
 */
__attribute__((noinline)) int np_mark_front(struct __sk_buff *skb, __u32 flags)
{
	const struct np_question *question = np_scratch_question();
	struct np_hook hook = np_hook_of(skb);
	struct np_flow_record key;
	struct np_flow_place front;
	struct np_end backend;

	if (!question || !np_find_endpoint(&hook))
		return 0;
	key = question->flow;
	key.remote = question->flow.other;
	key.remote_port = question->flow.other_port;
	if (question->choice.own_port)
		key.own_port = question->choice.own_port;
	if (np_find_front(&hook, &key, &front, &backend))
		np_mark_flow(&front, flags, 0);
	return 0;
}

/*
 * Gives the packet that np_scratch has the frontend as its source, `other` of the question's flow, and the pod's own port as its
 * destination. Returns enum np_reason.
 */
__attribute__((noinline)) int np_name_frontend(struct __sk_buff *skb)
{
	const struct np_question *question = np_scratch_question();
	const struct np_packet *packet;
	enum np_reason reason = NP_REASON_NONE;
	struct np_place place;

	if (!question)
		return NP_DROP_INTERNAL;
	packet = &question->packet;
	place = np_place_of(question);
	if (!np_replace_tcp_end(skb, packet, &place, true, &question->flow.other, question->flow.other_port, &reason))
		reason = np_replace_end(skb, packet, &place, true, &question->flow.other,
					question->flow.other_port);
	if (!reason && question->choice.own_port)
		reason = np_replace_port(skb, packet, &place, false, question->choice.own_port);
	return reason;
}

/*
 * Notes in the question that the packet, which passes by an entry, comes from a backend of a Service (`choice.back`). False:
 * the entry is another flow's by now.
 */
NP_INLINE bool np_note_frontend(const struct np_hook *hook, struct np_question *question,
				const struct np_flow_place *entry)
{
	if (np_likely(hook->direction == NP_EGRESS || !(entry->flags & NP_ENTRY_BACKEND)))
		return true;
	question->choice.back = true;
	question->choice.own_port = entry->flags >> NP_ENTRY_PORT_SHIFT;
	question->choice.flags = ~entry->flags &
				 np_flags_set_by(&question->packet, NP_INGRESS, NP_ROLE_INITIATOR, false);
	return np_read_other(entry, &question->flow.other, &question->flow.other_port);
}

/*
 * The last thing that happens to a packet that passes: to the pod, what comes from a backend gets the frontend as its source.
 * Returns the reason to pass it, or another one to drop it.
 */
NP_INLINE enum np_reason np_translate_back(const struct np_hook *hook, const struct np_question *question,
					   enum np_reason reason)
{
	enum np_reason failure;

	if (np_likely(hook->direction == NP_EGRESS || !question->choice.back))
		return reason;
	failure = np_name_frontend(hook->skb);
	if (failure)
		return failure;
	if (np_unlikely(question->choice.flags))
		np_mark_front(hook->skb, question->choice.flags);
	return reason;
}

/*
 * Gives a packet that passes by an entry, the frontend's name if it comes from a backend: as np_note_frontend and np_translate_back,
 * without a call for nearly all.
 */
NP_INLINE enum np_reason np_send_back(const struct np_hook *hook, struct np_question *question,
				      const struct np_flow_place *entry, enum np_reason reason)
{
	const struct np_packet *packet = &question->packet;
	const struct np_place place = np_place_of(question);
	enum np_reason failure = NP_REASON_NONE;
	struct np_end frontend;

	if (np_likely(hook->direction == NP_EGRESS || !(entry->flags & NP_ENTRY_BACKEND)))
		return reason;
	if (np_likely(!(entry->flags >> NP_ENTRY_PORT_SHIFT) &&
		      !(np_flags_set_by(packet, NP_INGRESS, NP_ROLE_INITIATOR, false) & ~entry->flags) &&
		      np_read_other(entry, &frontend.address, &frontend.port) &&
		      np_replace_tcp_end(hook->skb, packet, &place, true, &frontend.address, frontend.port, &failure)))
		return failure ? failure : reason;
	if (!np_note_frontend(hook, question, entry))
		return NP_DROP_INTERNAL;
	return np_translate_back(hook, question, reason);
}

#endif
