/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An answer to a query of the pod: its addresses are learnt for the name that was asked for, before the pod can read them.
 */
#ifndef NP_DNS_ANSWER_H
#define NP_DNS_ANSWER_H

#include "dns_records.h"
#include "learnt.h"
#include "name_events.h"
#include "pending.h"

/*
 * Whether an address is never learnt, whichever server answers with it: addresses of the cluster and of the node, addresses that no host
 * has, and those of the link unless the node wants them. An IPv4 address as an IPv6 one would be a way around the rules for the IPv4 one.
 */
NP_INLINE bool np_is_never_learnt(const struct np_address *address, bool ipv4)
{
	const __u32 last = bpf_ntohl(address->word[3]);
	const __u32 zeros = address->word[0] | address->word[1];
	bool is_nobodys, is_of_link;

	if (ipv4) {
		/* This network, loopback, multicast and above; what hairpins and the proxy's namespace have. */
		is_nobodys = last >> 24 == 0 || last >> 24 == 127 || last >> 28 >= 0xe || last == NP_HAIRPIN_IPV4 ||
			     last >> 8 == NP_PROXY_NETWORK_IPV4;
		is_of_link = last >> 16 == 0xa9fe;
	} else {
		is_nobodys = np_is_mapped_ipv4(address) || np_is_ipv6_multicast(address) || !(zeros | address->word[2]);
		is_of_link = np_is_ipv6_link_local(address);
	}
	return is_nobodys || (is_of_link && !np_learns_link_local(address)) || np_exact_entry(address) != NP_NO_ENTRY;
}

/* The entry that a new address of the message gets. */
NP_INLINE void np_fill_learnt(struct np_dns_message *message)
{
	struct np_learnt *learnt = &message->learnt;

	learnt->names = message->names;
	learnt->columns = message->columns;
	learnt->earliest = message->expires;
	_Pragma("clang loop unroll(full)")
	for (__u32 column = 0; column < NP_MAX_NAME_COLUMNS; column++)
		learnt->expires[column] = message->columns >> column & 1 ? message->expires : 0;
}

/* The same with what holds by an entry that is there. */
NP_INLINE void np_merge_learnt(struct np_dns_message *message, const struct np_learnt *there)
{
	const __u32 added = message->columns, expires = message->expires;
	struct np_learnt *learnt = &message->learnt;
	__u32 columns, earliest = ~0u;

	learnt->names = message->names;
	learnt->columns = columns = np_read_once(there->columns) | added;
	_Pragma("clang loop unroll(disable)")
	for (__u32 column = 0; column < NP_MAX_NAME_COLUMNS; column++) {
		__u32 until = np_read_once(there->expires[column]);

		if (added >> column & 1 && until < expires)
			until = expires;
		learnt->expires[column] = until;
		if (columns >> column & 1 && until < earliest)
			earliest = until;
	}
	learnt->earliest = earliest;
}

/*
 * Makes an entry, if the pod may have another one. Each pod has a share of the table, a smaller one once all pods together have most of it,
 * so that a few pods do not take it all. False: there is an entry by now, or no room.
 */
NP_INLINE bool np_insert_learnt(struct np_dns_message *message)
{
	struct np_learnt_share *share = bpf_map_lookup_elem(&np_learnt_shares, &message->learnt_key.endpoint);
	const __u32 everybody = NP_MAX_ENDPOINTS;
	struct np_learnt_share *all = bpf_map_lookup_elem(&np_learnt_shares, &everybody);
	__u64 held, taken;

	if (!share || !all)
		return false;
	np_fill_learnt(message);
	held = __sync_fetch_and_add(&share->inserted, 1) - np_read_once(share->removed);
	taken = __sync_fetch_and_add(&all->inserted, 1) - np_read_once(all->removed);
	if (np_likely(held < (taken < NP_LEARNT_CROWDED ? NP_MAX_LEARNT_OF_POD : NP_LEARNT_FAIR)) &&
	    !bpf_map_update_elem(&np_learnt, &message->learnt_key, &message->learnt, BPF_NOEXIST))
		return true;
	__sync_fetch_and_add(&share->inserted, -1);
	__sync_fetch_and_add(&all->inserted, -1);
	return false;
}

/*
 * Makes the columns of the message hold for an entry that is there. The entry is replaced, never written to: if the agent removes it when it
 * has ended, its memory may be another key's at any moment. A second lookup shows whether it was this key's for as long as it was read. False:
 * it was not, or another CPU has replaced it meanwhile.
 */
NP_INLINE bool np_replace_learnt(struct np_dns_message *message, const struct np_learnt *there)
{
	const struct np_learnt_key *key = &message->learnt_key;
	const __u32 serial = np_read_once(there->serial);
	const struct np_learnt *now;
	__u32 again;

	if (np_read_once(there->names) == message->names)
		np_merge_learnt(message, there);
	else
		np_fill_learnt(message);
	now = bpf_map_lookup_elem(&np_learnt, key);
	/* Read by the pointer that is known not to be NULL: the verifier of 6.1 does not see that an equal one is not. */
	again = np_read_once(there->serial);
	if (now != there || again != serial ||
	    bpf_map_update_elem(&np_learnt, key, &message->learnt, BPF_EXIST))
		return false;
	/* Another CPU may have read the entry before that, and replaced it after. */
	now = bpf_map_lookup_elem(&np_learnt, key);
	return now && np_read_once(now->serial) == message->learnt.serial;
}

/*
 * Makes the columns of the message in np_dns_scratch hold for its key. False: another CPU was faster, or there is no room. A global
 * function: it is verified once, not at each of its calls. It finds the message itself: a pointer that a global function is given
 * is no key and no value of a map to the verifier of 6.1.
 */
__attribute__((noinline)) int np_try_learn(struct __sk_buff *skb)
{
	struct np_dns_message *message = np_dns_message(skb);
	const struct np_learnt *there;

	if (!message)
		return false;
	there = bpf_map_lookup_elem(&np_learnt, &message->learnt_key);
	return there ? np_replace_learnt(message, there) : np_insert_learnt(message);
}

/* One address. */
static long np_dns_learn_address(__u32 index, void *context)
{
	const struct np_dns_walk *walk = context;
	struct np_dns_message *message = walk->message;
	const __u32 place = message->place[index & (NP_DNS_MAX_RECORDS - 1)];
	struct np_learnt_key *key = &message->learnt_key;
	struct np_learnt_share *share;

	np_dns_address(message, place, &key->address);
	if (np_is_never_learnt(&key->address, place & NP_DNS_PLACE_IPV4)) {
		message->place[index & (NP_DNS_MAX_RECORDS - 1)] = 0;
		return 0;
	}
	if (!message->columns)
		return 0;
	/* While other CPUs learn the same one; no loop, as in np_add_pending. */
	if (np_likely(np_try_learn(walk->skb)) || np_try_learn(walk->skb) || np_try_learn(walk->skb))
		return 0;
	share = bpf_map_lookup_elem(&np_learnt_shares, &message->learnt_key.endpoint);
	if (share)
		__sync_fetch_and_add(&share->refused, 1);
	return 0;
}

/* Puts the addresses of the message into force for the endpoint. A global function: verified once. False: the endpoint is gone. */
__attribute__((noinline)) int np_learn_addresses(struct __sk_buff *skb)
{
	struct np_dns_walk walk = {.message = np_dns_message(skb), .skb = skb};
	struct np_dns_message *message = walk.message;
	struct np_hook hook = np_hook_of(skb);
	const struct np_name_options *options = np_options();
	const struct np_name_rule *rule;
	__u32 ttl;

	if (!message || !options || !np_find_endpoint(&hook))
		return false;
	ttl = message->ttl < NP_LEARNT_LONGEST ? message->ttl : NP_LEARNT_LONGEST;
	if (ttl < options->least_ttl)
		ttl = options->least_ttl;
	/* Whole seconds: the one that has begun does not count. Of time 0 there is enough for what the pod asked for. */
	message->expires = np_name_clock() + 1 + (ttl ? ttl : 1);
	message->learnt_key.endpoint = hook.slot;
	message->names = np_read_once(hook.endpoint->names);
	rule = message->names ? np_name_rule(NP_NAME_COLUMNS | message->names, message->revision, message->set) : NULL;
	message->columns = rule ? rule->columns : 0;
	/* What the automaton has no room for the proxy knows, by the same numbering. */
	if (np_unlikely(np_is_lesson(skb)) && message->names &&
	    skb->cb[NP_CB_LESSON_NAMES] == message->names)
		message->columns |= skb->cb[NP_CB_LESSON_COLUMNS];
	message->learnt.serial = bpf_get_prandom_u32();
	bpf_loop(message->count, np_dns_learn_address, &walk, 0);
	return true;
}

/* What the packet that np_scratch has teaches, which came in a flow whose queries are read. */
NP_INLINE enum np_lesson_kind np_read_answer_message(const struct np_hook *hook, struct np_question *question,
						struct np_dns_message *message)
{
	__u16 flags;

	message->name_length = 0;
	if (!np_dns_copy(hook->skb, question, message))
		return NP_LESSON_INEXACT;
	flags = np_dns_short(message, NP_DNS_FLAGS_OFFSET);
	if (!(flags & NP_DNS_RESPONSE) || flags & NP_DNS_OPCODE_MASK || !np_dns_read_question(hook->skb) ||
	    !np_remove_pending(hook->skb, np_pending_hash(hook, question, message, NP_INGRESS)))
		return NP_LESSON_INEXACT;
	return np_read_response(hook->skb, message);
}

/* Puts the message in np_dns_scratch into force, and tells of it. False: it is not exactly an answer. */
NP_INLINE bool np_heed(const struct np_hook *hook, struct np_dns_message *message, enum np_lesson_kind lesson)
{
	struct np_learnt_share *share;

	if (lesson == NP_LESSON_NONE)
		return true;
	if (lesson == NP_LESSON_LEARNT && np_learn_addresses(hook->skb)) {
		_Pragma("clang loop unroll(disable)")
		for (__u32 first = 0; first < NP_DNS_MAX_RECORDS; first += NP_NAME_EVENT_ADDRESSES)
			if (first < message->count)
				np_tell_name(hook->skb, NP_NAME_LEARNT, first);
		return true;
	}
	share = bpf_map_lookup_elem(&np_learnt_shares, &hook->slot);
	if (share)
		__sync_fetch_and_add(&share->unlearnt, 1);
	np_tell_name(hook->skb, NP_NAME_UNLEARNT, 0);
	return false;
}

/* Learns from the answer. False: it is none, and the node drops such answers. */
NP_INLINE bool np_learn_answer(const struct np_hook *hook, struct np_question *question, struct np_dns_message *message)
{
	return np_heed(hook, message, np_read_answer_message(hook, question, message)) || !np_drops_inexact();
}

#define NP_LESSON_AT (ETH_HLEN + sizeof(struct np_lesson_head)) /* of the message */

/* Copies the message that the proxy teaches. */
NP_INLINE bool np_copy_lesson(struct __sk_buff *skb, struct np_dns_message *message)
{
	__u32 behind = skb->len - NP_LESSON_AT - NP_DNS_HEADER_BYTES;

	/* As in np_dns_copy. */
	asm volatile("" : "+r"(behind));
	if (behind > NP_DNS_MAX_BYTES - NP_DNS_HEADER_BYTES)
		return false;
	message->length = NP_DNS_HEADER_BYTES + behind;
	return !bpf_skb_load_bytes(skb, NP_LESSON_AT, message->bytes, NP_DNS_HEADER_BYTES + behind);
}

/* Learns what the proxy teaches: it has compared the answer with the pod's query. Returns enum np_lesson_answer. */
NP_INLINE int np_learn_lesson(struct np_hook *hook, struct np_lesson *scratch)
{
	struct np_dns_message *message = &scratch->message;
	struct np_lesson_head *head = &scratch->head;
	enum np_lesson_kind lesson = NP_LESSON_INEXACT;
	bool is_taken = false;

	if (np_find_endpoint(hook) && !bpf_skb_load_bytes(hook->skb, ETH_HLEN, head, sizeof(*head)) &&
	    np_is_endpoint_address(hook->endpoint, &head->client)) {
		message->name_length = 0;
		if (np_copy_lesson(hook->skb, message) &&
		    (np_dns_short(message, NP_DNS_FLAGS_OFFSET) & (NP_DNS_RESPONSE | NP_DNS_OPCODE_MASK)) ==
			    NP_DNS_RESPONSE &&
		    np_dns_read_question(hook->skb))
			lesson = np_read_response(hook->skb, message);
		is_taken = np_heed(hook, message, lesson);
	}
	if (is_taken)
		return NP_LESSON_TAKEN;
	return np_drops_inexact() ? NP_LESSON_WITHHELD : NP_LESSON_REFUSED;
}

/* Whether a packet that passes is one that a resolver may have sent to answer a query. */
NP_INLINE bool np_is_read(const struct np_hook *hook, const struct np_question *question)
{
	return hook->direction == NP_INGRESS && question->packet.protocol == IPPROTO_UDP &&
	       (question->reads || question->flow.flags & NP_ENTRY_QUERIES);
}

#endif
