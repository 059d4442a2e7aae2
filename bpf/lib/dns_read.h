/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * DNS messages (RFC 1035): header, question, and names that are written in several ways. Whatever is not exactly as expected is no
 * message: no such query leaves, and nothing is learnt from such an answer.
 *
 * The message is in np_dns_scratch, so every read is of a byte of a buffer, and what a loop changes is there as well: the verifier
 * follows each loop's body once, whatever has been read before.
 */
#ifndef NP_DNS_READ_H
#define NP_DNS_READ_H

#include "name.h"

#define NP_DNS_HEADER_BYTES 12
#define NP_DNS_QUESTION_BYTES 4 /* behind the name: type and class */
#define NP_DNS_FIXED_BYTES 10 /* of a record behind its owner's name: type, class, time to live, length */
#define NP_DNS_LABEL_BYTES 63
#define NP_DNS_NAME_BYTES 255 /* with the lengths of its labels and the root's */
#define NP_DNS_POINTER 0xc0 /* both bits: the rest of the name is elsewhere */

#define NP_DNS_ID_OFFSET 0
#define NP_DNS_FLAGS_OFFSET 2
#define NP_DNS_QUESTIONS_OFFSET 4
#define NP_DNS_ANSWERS_OFFSET 6
#define NP_DNS_AUTHORITIES_OFFSET 8
#define NP_DNS_ADDITIONALS_OFFSET 10

/* The flags, host order. */
#define NP_DNS_RESPONSE 0x8000
#define NP_DNS_OPCODE_MASK 0x7800
#define NP_DNS_TRUNCATED 0x0200
#define NP_DNS_RECURSION_DESIRED 0x0100
#define NP_DNS_RECURSION_AVAILABLE 0x0080
#define NP_DNS_CHECKING_DISABLED 0x0010
#define NP_DNS_RCODE_MASK 0x000f
#define NP_DNS_REFUSED 5

#define NP_DNS_TYPE_A 1
#define NP_DNS_TYPE_CNAME 5
#define NP_DNS_TYPE_AAAA 28
#define NP_DNS_TYPE_OPT 41
#define NP_DNS_TYPE_ANY 255
#define NP_DNS_CLASS_IN 1

#define NP_DNS_OPT_BYTES 11 /* the record without options: its name is one byte */

/* What loops over a message are given: on the stack, as bpf_loop wants it. */
struct np_dns_walk {
	struct np_dns_message *message;
	struct __sk_buff *skb; /* that it was read of; set only where addresses are learnt */
	__u64 odd; /* multiplier of the name's hash */
};

/*
 * Bytes of the message, at any alignment: all machines that netpold knows read so. What is beyond the message is of another one, and
 * callers compare offsets with its length; behind the buffer there is enough for the longest that is read at once.
 */
NP_INLINE const void *np_dns_bytes(const struct np_dns_message *message, __u32 at)
{
	return message->bytes + (at & (NP_DNS_MAX_BYTES - 1));
}

NP_INLINE __u8 np_dns_byte(const struct np_dns_message *message, __u32 at)
{
	return *(const __u8 *)np_dns_bytes(message, at);
}

NP_INLINE __u16 np_dns_short(const struct np_dns_message *message, __u32 at)
{
	return bpf_ntohs(*(const __be16 *)np_dns_bytes(message, at));
}

NP_INLINE __u32 np_dns_long(const struct np_dns_message *message, __u32 at)
{
	return bpf_ntohl(*(const __be32 *)np_dns_bytes(message, at));
}

/* The message of the packet, or of the lesson, that the program was given. */
NP_INLINE struct np_dns_message *np_dns_message(const struct __sk_buff *skb);

NP_INLINE __u8 np_dns_fold(__u8 byte)
{
	return byte | (__u8)((__u8)(byte - 'A') < 26) << 5;
}

/* One byte of the question's name. */
static long np_dns_walk_question(__u32 index, void *context)
{
	const struct np_dns_walk *walk = context;
	struct np_dns_message *message = walk->message;
	const __u32 at = NP_DNS_HEADER_BYTES + index;
	const __u32 left = message->left;
	__u8 byte = np_dns_byte(message, at);
	__u32 class = NP_NAME_CLASS_END;
	__u64 hash;

	if (at >= message->length || (!left && byte > NP_DNS_LABEL_BYTES))
		return 1;
	if (left) {
		class = np_name_class(byte);
		byte = np_dns_fold(byte);
		message->left = left - 1;
	} else {
		message->left = byte;
	}
	/* Before the first label nothing ends, but of the root name the name itself. */
	if (left || index || !byte)
		message->state = np_name_step(message->revision, message->state, class);
	message->name[index & (NP_NAME_BYTES - 1)] = byte;
	hash = (message->hash ^ byte) * walk->odd;
	message->hash = hash ^ hash >> 32;
	if (left || byte)
		return 0;
	message->name_length = index + 1;
	return 1;
}

/*
 * Reads the question of the message in np_dns_scratch: its name by the automaton in force, type and class; the cursor is left behind it.
 * False: there is not exactly one, of a name that is written out. A global function: verified once.
 */
__attribute__((noinline)) int np_dns_read_question(struct __sk_buff *skb)
{
	__u32 only = 0;
	const struct np_flow_seed *seed = bpf_map_lookup_elem(&np_flow_seed, &only);
	struct np_dns_walk walk = {.message = np_dns_message(skb)};
	struct np_dns_message *message = walk.message;

	if (!message || !seed || np_dns_short(message, NP_DNS_QUESTIONS_OFFSET) != 1)
		return false;
	walk.odd = seed->word[1] | 1;
	message->hash = seed->word[0];
	message->revision = np_names_in_force();
	message->state = NP_NAME_START;
	message->left = 0;
	message->name_length = 0;
	__builtin_memset(message->name, 0, sizeof(message->name));
	bpf_loop(NP_DNS_NAME_BYTES, np_dns_walk_question, &walk, 0);
	message->cursor = NP_DNS_HEADER_BYTES + message->name_length + NP_DNS_QUESTION_BYTES;
	if (!message->name_length || message->cursor > message->length)
		return false;
	message->set = np_name_set(message->revision, message->state);
	message->id = np_dns_short(message, NP_DNS_ID_OFFSET);
	message->type = np_dns_short(message, message->cursor - 4);
	message->query_class = np_dns_short(message, message->cursor - 2);
	return true;
}

/* Whether nothing is behind the question but what extends the query (EDNS, RFC 6891). */
NP_INLINE bool np_dns_ends(const struct np_dns_message *message)
{
	const __u32 at = message->cursor;

	switch (np_dns_short(message, NP_DNS_ADDITIONALS_OFFSET)) {
	case 0:
		return at == message->length;
	case 1:
		return at + NP_DNS_OPT_BYTES <= message->length && !np_dns_byte(message, at) &&
		       np_dns_short(message, at + 1) == NP_DNS_TYPE_OPT &&
		       at + NP_DNS_OPT_BYTES + np_dns_short(message, at + NP_DNS_OPT_BYTES - 2) == message->length;
	default:
		return false;
	}
}

/* Reads the message in np_dns_scratch, which is no response. False: it is not exactly a query. */
NP_INLINE bool np_dns_read_query(struct __sk_buff *skb, const struct np_dns_message *message)
{
	const __u16 flags = np_dns_short(message, NP_DNS_FLAGS_OFFSET);

	return !(flags & (NP_DNS_OPCODE_MASK | NP_DNS_TRUNCATED | NP_DNS_RCODE_MASK)) &&
	       !np_dns_short(message, NP_DNS_ANSWERS_OFFSET) && !np_dns_short(message, NP_DNS_AUTHORITIES_OFFSET) &&
	       np_dns_read_question(skb) && np_dns_ends(message);
}

#endif
