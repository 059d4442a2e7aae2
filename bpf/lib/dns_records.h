/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The records of a DNS response. Addresses count along the chain of aliases from the name that was asked for, in the order of the chain,
 * as servers write it: the owner of each is where the alias before has its name, by a pointer there or written again. An answer that is
 * not exactly so teaches nothing.
 */
#ifndef NP_DNS_RECORDS_H
#define NP_DNS_RECORDS_H

#include "dns_read.h"

#define NP_DNS_PLACE_IPV4 0x8000 /* of np_dns_message.place: four bytes, not sixteen */
#define NP_DNS_MAX_LABELS 128 /* of a name, the root's included */
#define NP_DNS_MAX_JUMPS 16 /* by pointers in a name */
/* Bytes and jumps of the names that are compared in a message: names that are written out are no more bytes than the message has. */
#define NP_DNS_MAX_STEPS NP_DNS_MAX_BYTES

/* What an answer is. */
enum np_lesson_kind {
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
	struct np_dns_walk walk = {.message = np_dns_message(skb)};
	struct np_dns_message *message = walk.message;
	__u32 records;

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

/* What the response in np_dns_scratch teaches, whose question has been read and asked by the pod. */
NP_INLINE enum np_lesson_kind np_read_response(struct __sk_buff *skb, struct np_dns_message *message)
{
	if (np_dns_short(message, NP_DNS_FLAGS_OFFSET) & (NP_DNS_TRUNCATED | NP_DNS_RCODE_MASK) ||
	    message->query_class != NP_DNS_CLASS_IN ||
	    (message->type != NP_DNS_TYPE_A && message->type != NP_DNS_TYPE_AAAA && message->type != NP_DNS_TYPE_ANY))
		return NP_LESSON_NONE;
	if (!np_dns_read_records(skb))
		return NP_LESSON_INEXACT;
	return message->count ? NP_LESSON_LEARNT : NP_LESSON_NONE;
}

#endif
