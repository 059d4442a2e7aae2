/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An answer to a query of the pod: its addresses are learnt for the name that was asked for, before the pod can read them.
 *
 * Addresses count along the chain of aliases from that name, in the order of the chain, as servers write it: the owner of each is where
 * the alias before has its name, by a pointer there or written again. An answer that is not exactly so teaches nothing.
 */
#ifndef NP_DNS_ANSWER_H
#define NP_DNS_ANSWER_H

#include "learnt.h"
#include "name_events.h"
#include "pending.h"

#define NP_DNS_MAX_LABELS 128 /* of a name, the root's included */
#define NP_DNS_MAX_JUMPS 16 /* by pointers in a name */
#define NP_DNS_MAX_STEPS 2048 /* bytes and jumps of the names that are compared in a message */

/* What an answer is. */
enum np_lesson {
	NP_LESSON_LEARNT,
	NP_LESSON_NONE, /* it teaches nothing, and says nothing that it should not */
	NP_LESSON_INEXACT, /* it is not exactly an answer to a query */
};

/* One label of the name at the cursor. */
static long np_dns_skip_label(__u32 index __attribute__((unused)), void *context)
{
	const struct np_dns_walk *walk = context;
	struct np_dns_message *message = walk->message;
	const __u32 at = message->cursor;
	const __u8 byte = np_dns_byte(message, at);
	const bool is_pointer = byte >= NP_DNS_POINTER;

	if (at >= message->length || (byte > NP_DNS_LABEL_BYTES && !is_pointer))
		return 1;
	message->cursor = at + 1 + (is_pointer ? 1 : byte);
	message->left = byte && !is_pointer;
	return !message->left;
}

/* Puts the cursor behind the name at it, which may end in a pointer. False: it is none. */
NP_INLINE bool np_dns_skip_name(struct np_dns_walk *walk)
{
	walk->message->left = 1;
	bpf_loop(NP_DNS_MAX_LABELS, np_dns_skip_label, walk, 0);
	return !walk->message->left;
}

/* Where a pointer leads, 0: nowhere. Only back, and not into the header. */
NP_INLINE __u32 np_dns_target(const struct np_dns_message *message, __u32 at)
{
	const __u32 target = np_dns_short(message, at) & 0x3fff;

	return at + 1 < message->length && target < at && target >= NP_DNS_HEADER_BYTES ? target : 0;
}

/* Follows the pointer at one of the names that are compared. True: there was one. */
NP_INLINE bool np_dns_jump(struct np_dns_message *message, const __u32 which)
{
	const __u32 at = message->compared[which];

	if (np_dns_byte(message, at) < NP_DNS_POINTER)
		return false;
	message->compared[which] = np_dns_target(message, at);
	if (++message->jumps > NP_DNS_MAX_JUMPS)
		message->compared[which] = 0;
	return true;
}

/* One step of a comparison: a pointer is followed, or a byte of each name compared. */
static long np_dns_compare_step(__u32 index, void *context)
{
	const struct np_dns_walk *walk = context;
	struct np_dns_message *message = walk->message;
	__u32 a, b;
	__u8 x, y;

	if (++message->steps > NP_DNS_MAX_STEPS)
		return 1;
	/* Nowhere: at 0 is no name. */
	if (!message->left && (np_dns_jump(message, 0) || np_dns_jump(message, 1)))
		return !message->compared[0] || !message->compared[1];
	a = message->compared[0];
	b = message->compared[1];
	x = np_dns_byte(message, a);
	y = np_dns_byte(message, b);
	message->compared[0] = a + 1;
	message->compared[1] = b + 1;
	if (a >= message->length || b >= message->length)
		return 1;
	if (message->left) {
		message->left--;
		return np_dns_fold(x) != np_dns_fold(y);
	}
	/* A step that was no jump was a byte. */
	message->is_equal = !x && !y && index + 1 - message->jumps <= NP_DNS_NAME_BYTES;
	message->left = x;
	return x != y || !x || x > NP_DNS_LABEL_BYTES;
}

/* Whether the names at two offsets are the same, but for the case of letters. */
NP_INLINE bool np_dns_is_same_name(struct np_dns_walk *walk, __u32 a, __u32 b)
{
	struct np_dns_message *message = walk->message;

	message->compared[0] = a;
	message->compared[1] = b;
	message->left = 0;
	message->jumps = 0;
	message->is_equal = false;
	bpf_loop(NP_DNS_NAME_BYTES + NP_DNS_MAX_JUMPS, np_dns_compare_step, walk, 0);
	return message->is_equal;
}

/* The offset of a name, or of what it consists of: a pointer alone. 0: the pointer leads nowhere. */
NP_INLINE __u32 np_dns_place_of_name(const struct np_dns_message *message, __u32 at)
{
	return np_dns_byte(message, at) >= NP_DNS_POINTER ? np_dns_target(message, at) : at;
}

/* One record. */
static long np_dns_read_record(__u32 index, void *context)
{
	struct np_dns_walk *walk = context;
	struct np_dns_message *message = walk->message;
	const __u32 begin = message->cursor;
	__u32 fixed, data, next, owner, ttl;
	__u16 type, length;

	if (!np_dns_skip_name(walk))
		return 1;
	fixed = message->cursor;
	data = fixed + NP_DNS_FIXED_BYTES;
	if (data > message->length)
		return 1;
	type = np_dns_short(message, fixed);
	ttl = np_dns_long(message, fixed + 4);
	length = np_dns_short(message, fixed + 8);
	next = data + length;
	if (next > message->length)
		return 1;
	message->cursor = next;
	if (index >= message->answers) {
		/* The upper bits of the code (RFC 6891) say that it is another one. */
		if (type == NP_DNS_TYPE_OPT && ttl >> 24)
			return 1;
	} else if (type == NP_DNS_TYPE_CNAME || type == NP_DNS_TYPE_A || type == NP_DNS_TYPE_AAAA) {
		owner = np_dns_place_of_name(message, begin);
		if (np_dns_short(message, fixed + 2) != NP_DNS_CLASS_IN || !owner ||
		    (owner != message->owner && !np_dns_is_same_name(walk, owner, message->owner)))
			return 1;
		/* RFC 2181 8: the highest bit set means 0. */
		if (ttl >> 31)
			ttl = 0;
		if (ttl < message->ttl)
			message->ttl = ttl;
		if (type == NP_DNS_TYPE_CNAME) {
			/* A name has one alias, and no address beside it. */
			message->cursor = data;
			if (message->count || !np_dns_skip_name(walk) || message->cursor != next)
				return 1;
			message->owner = np_dns_place_of_name(message, data);
			if (!message->owner)
				return 1;
		} else {
			if (length != (type == NP_DNS_TYPE_A ? sizeof(__be32) : sizeof(struct np_address)) ||
			    (message->type != type && message->type != NP_DNS_TYPE_ANY))
				return 1;
			message->place[message->count & (NP_DNS_MAX_RECORDS - 1)] =
				data | (type == NP_DNS_TYPE_A ? NP_DNS_PLACE_IPV4 : 0);
			message->count++;
		}
	}
	if (index + 1 == message->records)
		message->is_exact = next == message->length;
	return 0;
}

/* Reads what is behind the question. A global function: verified once. */
__attribute__((noinline)) int np_dns_read_records(struct __sk_buff *skb)
{
	struct np_dns_walk walk = {.message = np_dns_message()};
	struct np_dns_message *message = walk.message;
	__u32 records;

	asm volatile("" : : "r"(skb)); /* else clang passes nothing, which the verifier refuses */
	if (!message)
		return false;
	message->answers = np_dns_short(message, NP_DNS_ANSWERS_OFFSET);
	records = message->answers + np_dns_short(message, NP_DNS_AUTHORITIES_OFFSET) +
		  np_dns_short(message, NP_DNS_ADDITIONALS_OFFSET);
	if (records > NP_DNS_MAX_RECORDS)
		return false;
	message->records = records;
	message->owner = NP_DNS_HEADER_BYTES;
	message->count = 0;
	message->steps = 0;
	message->ttl = 0x7fffffff;
	message->is_exact = !records && message->cursor == message->length;
	bpf_loop(records, np_dns_read_record, &walk, 0);
	return message->is_exact;
}

/*
 * Whether an address is never learnt, whoever gives it: what is somebody else's in the cluster or of the node, and what is nobody's. An
 * IPv4 address as an IPv6 one would be a way around what holds for the IPv4 one.
 */
NP_INLINE bool np_is_never_learnt(const struct np_address *address, bool ipv4)
{
	const __u32 last = bpf_ntohl(address->word[3]);
	const __u32 zeros = address->word[0] | address->word[1];
	bool is_special;

	if (ipv4)
		/* This network, loopback, link-local, multicast and above. */
		is_special = last >> 24 == 0 || last >> 24 == 127 || last >> 16 == 0xa9fe || last >> 28 >= 0xe;
	else
		is_special = np_is_mapped_ipv4(address) || np_is_ipv6_multicast(address) ||
			     np_is_ipv6_link_local(address) || !(zeros | address->word[2]);
	return is_special || np_exact_entry(address) != NP_NO_ENTRY;
}

/* Makes the columns of the message hold for an entry that is there, until when they are to. */
NP_INLINE void np_refresh_learnt(struct np_learnt *learnt, const struct np_dns_message *message)
{
	const __u32 added = message->columns, expires = message->expires;
	__u32 columns, earliest = ~0u;

	/* Another CPU may be adding columns: while nobody knows better, each is looked at. */
	np_write_once(learnt->earliest, 0);
	_Pragma("clang loop unroll(disable)")
	for (__u32 column = 0; column < NP_MAX_NAME_COLUMNS; column++)
		if (added >> column & 1 && np_read_once(learnt->expires[column]) < expires)
			np_write_once(learnt->expires[column], expires);
	__sync_fetch_and_or(&learnt->columns, added);
	columns = np_read_once(learnt->columns);
	_Pragma("clang loop unroll(disable)")
	for (__u32 column = 0; column < NP_MAX_NAME_COLUMNS; column++) {
		const __u32 until = columns >> column & 1 ? np_read_once(learnt->expires[column]) : ~0u;

		earliest = until < earliest ? until : earliest;
	}
	np_write_once(learnt->earliest, earliest);
	if (np_read_once(learnt->columns) != columns)
		np_write_once(learnt->earliest, 0);
}

/* Makes an entry, if the pod may have another one. `is_there`: in place of one that says nothing any more. */
NP_INLINE void np_insert_learnt(struct np_dns_message *message, const struct np_learnt_key *key, bool is_there)
{
	struct np_learnt_share *share = bpf_map_lookup_elem(&np_learnt_shares, &message->endpoint);
	struct np_learnt *learnt = &message->learnt;
	__u64 held;

	if (!share)
		return;
	held = __sync_fetch_and_add(&share->inserted, !is_there) - np_read_once(share->removed);
	if (np_likely(held < NP_MAX_LEARNT_OF_POD || is_there)) {
		learnt->names = message->names;
		learnt->columns = message->columns;
		learnt->earliest = message->expires;
		_Pragma("clang loop unroll(full)")
		for (__u32 column = 0; column < NP_MAX_NAME_COLUMNS; column++)
			learnt->expires[column] = message->columns >> column & 1 ? message->expires : 0;
		if (!bpf_map_update_elem(&np_learnt, key, learnt, is_there ? BPF_EXIST : BPF_NOEXIST))
			return;
		/* Another CPU was faster, or there is no room. */
		learnt = bpf_map_lookup_elem(&np_learnt, key);
		if (!is_there)
			__sync_fetch_and_add(&share->inserted, -1);
		if (learnt && learnt->names == message->names) {
			np_refresh_learnt(learnt, message);
			return;
		}
	} else {
		__sync_fetch_and_add(&share->inserted, -1);
	}
	__sync_fetch_and_add(&share->refused, 1);
}

/* One address. */
static long np_dns_learn_address(__u32 index, void *context)
{
	const struct np_dns_walk *walk = context;
	struct np_dns_message *message = walk->message;
	const __u32 place = message->place[index & (NP_DNS_MAX_RECORDS - 1)];
	struct np_learnt_key key = {.endpoint = message->endpoint};
	struct np_learnt *learnt;

	np_dns_address(message, place, &key.address);
	if (np_is_never_learnt(&key.address, place & NP_DNS_PLACE_IPV4)) {
		message->place[index & (NP_DNS_MAX_RECORDS - 1)] = 0;
		return 0;
	}
	if (!message->columns)
		return 0;
	learnt = bpf_map_lookup_elem(&np_learnt, &key);
	if (learnt && learnt->names == message->names)
		np_refresh_learnt(learnt, message);
	else
		np_insert_learnt(message, &key, learnt);
	return 0;
}

/* Puts the addresses of the message into force for the endpoint. A global function: verified once. Returns nothing of interest. */
__attribute__((noinline)) int np_learn_addresses(struct __sk_buff *skb)
{
	struct np_dns_walk walk = {.message = np_dns_message()};
	struct np_dns_message *message = walk.message;
	struct np_hook hook = np_hook_of(skb);
	const struct np_name_options options = np_options();
	const struct np_name_rule *rule;
	__u32 ttl;

	if (!message || !np_find_endpoint(&hook))
		return 0;
	ttl = message->ttl < options.least_ttl ? options.least_ttl : message->ttl;
	/* Whole seconds: the one that has begun does not count. Of time 0 there is enough for what the pod asked for. */
	message->expires = np_name_clock() + 1 + (ttl ? ttl : 1);
	message->endpoint = hook.slot;
	message->names = np_read_once(hook.endpoint->names);
	rule = message->names ? np_name_rule(NP_NAME_COLUMNS | message->names, message->revision, message->set) : NULL;
	message->columns = rule ? rule->columns : 0;
	bpf_loop(message->count, np_dns_learn_address, &walk, 0);
	return 0;
}

/* What the packet that np_scratch has teaches, which came in a flow whose queries are read. */
NP_INLINE enum np_lesson np_read_answer_message(const struct np_hook *hook, struct np_question *question,
						struct np_dns_message *message)
{
	__u16 flags;

	message->name_length = 0;
	if (!np_dns_take(hook->skb, question, message))
		return NP_LESSON_INEXACT;
	flags = np_dns_short(message, NP_DNS_FLAGS_OFFSET);
	if (!(flags & NP_DNS_RESPONSE) || flags & NP_DNS_OPCODE_MASK || !np_dns_read_question(hook->skb) ||
	    !np_take_pending(hook->skb, np_pending_hash(hook, question, message, NP_INGRESS)))
		return NP_LESSON_INEXACT;
	if (flags & (NP_DNS_TRUNCATED | NP_DNS_RCODE_MASK) || message->query_class != NP_DNS_CLASS_IN ||
	    (message->type != NP_DNS_TYPE_A && message->type != NP_DNS_TYPE_AAAA &&
	     message->type != NP_DNS_TYPE_ANY))
		return NP_LESSON_NONE;
	if (!np_dns_read_records(hook->skb))
		return NP_LESSON_INEXACT;
	return message->count ? NP_LESSON_LEARNT : NP_LESSON_NONE;
}

/* Learns from the answer, and tells of it. False: it is none, and the node drops such answers. */
NP_INLINE bool np_learn_answer(const struct np_hook *hook, struct np_question *question, struct np_dns_message *message)
{
	const enum np_lesson lesson = np_read_answer_message(hook, question, message);
	struct np_learnt_share *share;

	if (lesson == NP_LESSON_NONE)
		return true;
	if (lesson == NP_LESSON_LEARNT) {
		np_learn_addresses(hook->skb);
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
	return !np_options().drops_inexact;
}

#endif
