/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The proxy step: TCP connections that rules of HTTP decide. The proxy lives in a network namespace of its own behind the node's
 * interface np_proxy.interface, answers the client as if it were the server, and connects to the server as if it were the client, port
 * included; so both of its connections are one flow, with one entry at each pod.
 *
 * One side sends the flow there: the client's, if its policy's answer is L7, else the server's. The entry of that pod has
 * NP_ENTRY_PROXY, and all its packets go to the proxy but those that come from there. The server's side of a flow that the client's
 * sends there only notes its rules in np_proxied, for the proxy to heed as well.
 *
 * Beyond a translation to a Service the flow is the one to the backend: packets go to the proxy after their translation, and what
 * comes from there is translated back on its way to the pod.
 */
#ifndef NP_PROXY_STEP_H
#define NP_PROXY_STEP_H

#include "choice.h"
#include "proxied.h"
#include "reset.h"
#include "verdict.h"

/* Whether the proxy has a listening socket. */
NP_INLINE bool np_is_proxy_up(void)
{
	__u32 first = 0;
	struct bpf_sock *listener = bpf_map_lookup_elem(&np_listeners, &first);

	if (!listener)
		return false;
	bpf_sk_release(listener);
	return true;
}

/* The packet leaves to the proxy. */
NP_INLINE struct np_outcome np_send_to_proxy(const struct np_hook *hook, const struct np_proxy *proxy,
					     enum np_reason reason)
{
	struct np_outcome outcome = np_outcome_of(reason);
	struct np_mac mac;

	if (hook->direction == NP_EGRESS) {
		/* A frame of bridged pods is not for this host by its address. */
		if (bpf_skb_change_type(hook->skb, 0))
			return np_outcome_of(NP_DROP_INTERNAL);
		outcome.action = bpf_redirect_peer(proxy->interface, 0);
	} else {
		__builtin_memcpy(&mac, proxy->mac, sizeof(mac));
		if (bpf_skb_store_bytes(hook->skb, 0, &mac, sizeof(mac), 0))
			return np_outcome_of(NP_DROP_INTERNAL);
		outcome.action = bpf_redirect(proxy->interface, 0);
	}
	return outcome;
}

/*
 * Drops a packet, and tells its sender: the pod, or the sender of a packet to the pod. The answer to the latter takes the way of packets from
 * the proxy, and passes np_from_proxy only if the flow has an entry.
 */
NP_INLINE struct np_outcome np_refuse_connection(const struct np_hook *hook, const struct np_proxy *proxy, bool has_entry)
{
	struct np_outcome outcome = np_outcome_of(NP_DROP_NOT_PROXIED);

	if (hook->direction == NP_EGRESS) {
		if (np_reset_connection(hook->skb))
			outcome.action = bpf_redirect(hook->skb->ifindex, 0);
	} else if (proxy && has_entry && np_reset_connection(hook->skb)) {
		outcome.action = bpf_redirect(proxy->interface, BPF_F_INGRESS);
	}
	return outcome;
}

#define NP_NOTE_NEW 0x100 /* beside NP_PROXIED_*: the flow begins, and nothing that was noted of its ends holds */

/* Notes at the client's side, which redirects the flow, that there is a server's side of it too. */
NP_INLINE void np_note_both(struct np_proxied_key key)
{
	struct np_proxied_side *client;

	key.side ^= 1;
	client = bpf_map_lookup_elem(&np_proxied, &key);
	if (client)
		__sync_fetch_and_or(&client->flags, NP_PROXIED_BOTH);
}

/*
 * Notes in np_proxied what the policy says of the flow that np_scratch has, in the name of the pod's side. 0: there is no room, or
 * it is not known. A global function, for its stack.
 */
__attribute__((noinline)) int np_note_proxied(struct __sk_buff *skb, __u32 flags)
{
	const struct np_question *question = np_scratch_question();
	struct np_hook hook = np_hook_of(skb);
	struct np_proxied_side side = {};
	const struct np_proxied_side *former;
	struct np_proxied_key key;
	struct np_mac receiver, sender;

	if (!question || !np_find_endpoint(&hook))
		return false;
	np_fill_proxied_key(&key, hook.endpoint, &question->flow);
	if (flags & NP_NOTE_NEW) {
		if (flags & NP_PROXIED_REDIRECTS) {
			if (bpf_skb_load_bytes(skb, 0, &receiver, sizeof(receiver)) ||
			    bpf_skb_load_bytes(skb, NP_SOURCE_MAC_OFFSET, &sender, sizeof(sender)))
				return false;
			__builtin_memcpy(side.own_mac, hook.direction == NP_EGRESS ? &sender : &receiver, ETH_ALEN);
			__builtin_memcpy(side.peer_mac, hook.direction == NP_EGRESS ? &receiver : &sender, ETH_ALEN);
			/* The other side's, of an earlier connection with the same ends, if there was one. */
			key.side ^= 1;
			(void)bpf_map_delete_elem(&np_proxied, &key);
			key.side ^= 1;
		}
		side.flags = flags & ~NP_NOTE_NEW;
		if (!(flags & NP_PROXIED_REDIRECTS))
			np_note_both(key);
	} else {
		former = bpf_map_lookup_elem(&np_proxied, &key);
		if (!former)
			return false;
		/* Another CPU has asked a newer policy. */
		if ((__s32)(former->revision - question->revision) > 0)
			return true;
		side = *former;
		/* A SYN may begin another connection. */
		side.flags = (side.flags & (NP_PROXIED_REDIRECTS |
					    (question->packet.initiates ? 0 : NP_PROXIED_CONNECTED | NP_PROXIED_BOTH))) |
			     flags;
	}
	side.endpoint = hook.slot;
	side.revision = question->revision;
	side.remote_identity = question->remote_identity;
	side.base = flags & NP_PROXIED_ALLOWED ? 0 : question->l7_base;
	side.rules = flags & NP_PROXIED_ALLOWED ? 0 : question->l7_rules;
	return !bpf_map_update_elem(&np_proxied, &key, &side, BPF_ANY);
}

/* Notes that the server has answered the proxy: if its own policy has L7 rules, they are noted by now. */
__attribute__((noinline)) int np_note_connected(struct __sk_buff *skb, __u32 flags)
{
	const struct np_question *question = np_scratch_question();
	struct np_hook hook = np_hook_of(skb);
	struct np_proxied_side *side;
	struct np_proxied_key key;
	struct np_flow_record flow;

	if (!question || !np_find_endpoint(&hook))
		return 0;
	flow = question->flow;
	flow.flags = flags;
	np_fill_proxied_key(&key, hook.endpoint, &flow);
	side = bpf_map_lookup_elem(&np_proxied, &key);
	if (side)
		__sync_fetch_and_or(&side->flags, NP_PROXIED_CONNECTED);
	return 0;
}

/* What is left to do for a packet through a Service: its flow stays at its backend, and each packet comes by here. */
NP_INLINE bool np_keep_proxied_choice(const struct np_hook *hook, struct np_question *question)
{
	const __u32 revision = question->revision;
	int kept;

	if (!question->choice.made)
		return true;
	question->revision = 0;
	kept = np_keep_choice(hook->skb);
	question->revision = revision;
	return kept;
}

/* Makes the flow's entry, in place of one that is over or that `replaces`. False: there is no room. */
NP_INLINE bool np_admit_proxied(const struct np_hook *hook, struct np_question *question, struct np_flow_place *place,
				__u64 hash, __u32 flags)
{
	question->flow.flags |= flags;
	np_fill_flow(question, np_role_of(question->travel));
	if (place->set) {
		if (np_replace_flow(place, &question->flow, hash))
			return true;
		/* It is another flow's by now, or another CPU's entry of this one, which the next SYN finds. */
		return false;
	}
	return np_insert_flow(hook->skb, hash);
}

/* The SYN of a connection that L7 rules decide. */
NP_INLINE struct np_outcome np_begin_proxied(const struct np_hook *hook, struct np_question *question,
					     const struct np_proxy *proxy, struct np_flow_place *place, __u64 hash,
					     bool from_proxy)
{
	const bool present = place->set && np_flow_role(place->flags) != NP_ROLE_NONE &&
			     !np_is_over(place, question->packet.protocol);
	const bool forward = np_flow_role(place->flags) == np_role_of(question->travel);
	const __u32 flag = from_proxy ? 0 : NP_ENTRY_PROXY, side = from_proxy ? 0 : NP_PROXIED_REDIRECTS;

	if (question->resume_end > question->resume_offset)
		return np_outcome_of(NP_DROP_SYN_DATA);
	/* A SYN from the server's port would take the place of the connection there. */
	if (present && !forward)
		return np_outcome_of(NP_DROP_NOT_PROXIED);
	if (present && (place->flags & NP_ENTRY_PROXY) == flag) {
		/* Once more. What is noted of the other side stays: it may be in the middle of the connection. */
		question->flow.flags = place->flags;
		if (!np_note_proxied(hook->skb, 0) && !np_note_proxied(hook->skb, side | NP_NOTE_NEW))
			return np_outcome_of(NP_DROP_CONNTRACK_FULL);
		np_stamp_flow(place, question->revision, question->arrival);
		np_mark_flow(place, 0, np_flags_cleared_by(&question->packet));
	} else if (!np_admit_proxied(hook, question, place, hash, flag) ||
		   !np_note_proxied(hook->skb, side | NP_NOTE_NEW)) {
		return np_outcome_of(NP_DROP_CONNTRACK_FULL);
	}
	if (from_proxy)
		return np_outcome_of(NP_REASON_ALLOWED);
	if (!proxy || !np_is_proxy_up())
		return np_refuse_connection(hook, proxy, true);
	if (!np_keep_proxied_choice(hook, question))
		return np_outcome_of(NP_DROP_CONNTRACK_FULL);
	return np_send_to_proxy(hook, proxy, NP_REASON_ALLOWED);
}

/* Another packet of a flow that this pod's side sends to the proxy: on its way there, or from there to the pod. */
NP_INLINE struct np_outcome np_carry(const struct np_hook *hook, struct np_question *question,
				     const struct np_proxy *proxy, struct np_flow_place *place, bool from_proxy,
				     enum np_reason reason)
{
	const struct np_packet *packet = &question->packet;

	if (from_proxy) {
		np_see_packet(place, packet, question->travel);
		return np_outcome_of(np_send_back(hook, question, place, reason));
	}
	if (hook->direction == NP_EGRESS) {
		np_see_packet(place, packet, question->travel);
	} else {
		if (place->arrival != question->arrival) {
			if (!np_comes_from(&packet->source, question->arrival))
				return np_outcome_of(NP_DROP_FOREIGN_SOURCE);
			np_stamp_flow(place, place->revision, question->arrival);
		}
		if (np_unlikely(np_is_syn_ack(packet)))
			np_note_connected(hook->skb, place->flags);
		/*
		 * Of another connection than the pod's: it ends nothing of that, and answers nothing in it. Who asks a pod and is
		 * denied, or has lent an address, never gets to the pod, and nothing would end an answered entry of it.
		 */
		np_mark_flow(place, 0, 0);
	}
	if (!proxy || !np_is_proxy_up())
		return np_refuse_connection(hook, proxy, true);
	if (!np_keep_proxied_choice(hook, question))
		return np_outcome_of(NP_DROP_CONNTRACK_FULL);
	return np_send_to_proxy(hook, proxy, reason);
}

/* `question` is what the program before has left. */
NP_INLINE struct np_outcome np_judge_proxied(const struct np_hook *hook, struct np_question *question)
{
	const struct np_proxy *proxy = np_find_proxy();
	const bool from_proxy = hook->direction == NP_INGRESS && proxy && question->arrival == proxy->interface + 1;
	const __u8 call = np_read_once(question->proxy);
	struct np_flow_place place;
	enum np_reason reason;
	bool known;
	__u64 hash;

	if (call == NP_PROXY_ERROR) {
		if (from_proxy)
			return np_outcome_of(NP_DROP_PROXY_UNKNOWN);
		return proxy ? np_send_to_proxy(hook, proxy, NP_REASON_RELATED) : np_outcome_of(NP_DROP_NOT_PROXIED);
	}
	if (call != NP_PROXY_KNOWN)
		np_count_hit(question->rule_hit);
	/* A node that has no place for a proxy. */
	if (!proxy && call == NP_PROXY_RULES && !question->is_proxied)
		return np_outcome_of(NP_DROP_L7_UNAVAILABLE);
	np_fill_flow_key(hook->endpoint, &question->packet, question->travel, &question->flow);
	hash = np_hash_flow(hook->slot, &question->flow);
	known = np_find_flow(hook->endpoint, hook->slot, &question->flow, hash, &place);
	if (call == NP_PROXY_RULES && question->packet.initiates &&
	    !(from_proxy && known && place.flags & NP_ENTRY_PROXY))
		return np_begin_proxied(hook, question, proxy, &place, hash, from_proxy);
	if (!known || np_flow_role(place.flags) == NP_ROLE_NONE)
		return np_refuse_connection(hook, proxy, false);
	/* An answer of ours to the pod. */
	if (hook->direction == NP_INGRESS && question->arrival == np_own_arrival(hook))
		return np_outcome_of(NP_REASON_HAIRPIN);
	reason = np_flow_role(place.flags) == np_role_of(question->travel) ? NP_REASON_ESTABLISHED : NP_REASON_REPLY;
	if (call != NP_PROXY_KNOWN) {
		/* A connection that was let in without the proxy is not one that it can take over. */
		if (!(place.flags & NP_ENTRY_PROXY) && !from_proxy && !np_is_from_proxy(place.arrival))
			return np_refuse_connection(hook, proxy, false);
		question->flow.flags = place.flags;
		/* A server's side of which nothing is noted never had rules: then there is nothing to be taken back. */
		if (!np_note_proxied(hook->skb, call == NP_PROXY_ALLOWED ? NP_PROXIED_ALLOWED : 0) &&
		    (place.flags & NP_ENTRY_PROXY ||
		     (call == NP_PROXY_RULES && !np_note_proxied(hook->skb, NP_NOTE_NEW))))
			return np_refuse_connection(hook, proxy, false);
		np_stamp_flow(&place, question->revision, from_proxy ? question->arrival : place.arrival);
		place.revision = question->revision;
		reason = NP_REASON_REVALIDATED;
	}
	if (!(place.flags & NP_ENTRY_PROXY)) {
		np_see_packet(&place, &question->packet, question->travel);
		return np_outcome_of(np_send_back(hook, question, &place, reason));
	}
	return np_carry(hook, question, proxy, &place, from_proxy, reason);
}

#endif
