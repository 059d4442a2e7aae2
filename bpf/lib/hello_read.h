/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads a ClientHello (RFC 8446 4.1.2, RFC 5246 7.4.1.2, RFC 6066 3) from the bytes of a TCP connection as they come: over any number of
 * segments and TLS records. All it has to remember is in struct np_hello, so it stops and goes on at any byte; and the verifier, which
 * follows no values through a map, sees one state.
 *
 * After a HelloRetryRequest there is a second one, for which the same holds; a record that changes the cipher may be before that.
 *
 * What is not exactly understood is no ClientHello: other records before its end, empty records, more behind it in its last record,
 * lengths that contradict each other, a second server_name, a list of names that is not one host name, a name with an empty label or
 * one of more than 63 bytes. Parts that do not matter here are skipped in one step: so the number of steps bounds
 * what is read of a packet.
 */
#ifndef NP_HELLO_READ_H
#define NP_HELLO_READ_H

#include "maps.h"

#define NP_TLS_CHANGE_CIPHER 20
#define NP_TLS_CIPHER_CHANGED 1 /* all that it has */
#define NP_TLS_HANDSHAKE 22
#define NP_TLS_MAJOR 3
#define NP_TLS_MOST_RECORD (1 << 14)
#define NP_TLS_CLIENT_HELLO 1
#define NP_TLS_SERVER_HELLO 2
#define NP_TLS_RANDOM_AT 11 /* of a ServerHello, from the beginning of its record */
#define NP_TLS_RANDOM 32
#define NP_TLS_MOST_SESSION 32
#define NP_TLS_SERVER_NAME 0 /* the extension */
#define NP_TLS_HOST_NAME 0 /* the type of a name */
#define NP_HELLO_MOST (1 << 14) /* bytes of a ClientHello */
#define NP_HELLO_MOST_NAME 253 /* of a name as text: 255 on the wire */
#define NP_HELLO_MOST_LABEL 63
#define NP_HELLO_STEPS 4096 /* of a packet */

/* The parts of a ClientHello: numbers, but for the name. Between some of them something is skipped. */
enum np_hello_part {
	NP_HELLO_TYPE = 0,
	NP_HELLO_LENGTH = 1,
	NP_HELLO_VERSION = 2,
	NP_HELLO_SESSION = 3,
	NP_HELLO_CIPHERS = 4,
	NP_HELLO_COMPRESSION = 5,
	NP_HELLO_EXTENSIONS = 6,
	NP_HELLO_EXTENSION = 7,
	NP_HELLO_EXTENSION_LENGTH = 8,
	NP_HELLO_LIST = 9,
	NP_HELLO_NAME_TYPE = 10,
	NP_HELLO_NAME_LENGTH = 11,
	NP_HELLO_NAME = 12,
	NP_HELLO_BEHIND = 13, /* all was read, and more of the client has passed */
	NP_HELLO_RETRIED = 14, /* a second one begins, perhaps behind a record that changes the cipher */
};

/* How many bytes the number of each part has, four bits for each: so there is no branch for the verifier to follow. */
#define NP_HELLO_DIGITS 0x1212222121231ull

/* What has become of reading. */
enum np_hello_progress {
	NP_HELLO_MORE = 0, /* the packet is used up, and the ClientHello goes on */
	NP_HELLO_WHOLE = 1,
	NP_HELLO_BAD = 2,
};

struct np_hello_reading {
	struct __sk_buff *skb;
	struct np_hello *hello;
	enum np_hello_progress progress;
};

/* Ready for the first byte. */
NP_INLINE void np_hello_rewind(struct np_hello *hello)
{
	hello->record = 0;
	hello->message = 0;
	hello->skip = 0;
	hello->item = 0;
	hello->number = 0;
	hello->part = NP_HELLO_TYPE;
	hello->digits = 0;
	hello->head = 0;
	hello->name_length = 0;
	hello->label = 0;
	__builtin_memset(hello->name, 0, sizeof(hello->name));
}

/* A byte of a record's header. False: it is not that of a handshake. */
NP_INLINE bool np_hello_read_head(struct np_hello *hello, __u8 byte)
{
	const __u8 head = hello->head;
	__u32 record;

	hello->head = head + 1;
	switch (head) {
	case 0:
		if (hello->part == NP_HELLO_RETRIED && byte == NP_TLS_CHANGE_CIPHER)
			return true;
		if (hello->part == NP_HELLO_RETRIED)
			hello->part = NP_HELLO_TYPE;
		return byte == NP_TLS_HANDSHAKE;
	case 1:
		return byte == NP_TLS_MAJOR;
	case 2:
		return true;
	case 3:
		hello->number = (__u32)byte << 24 | (hello->number & 0xffffff);
		return true;
	default:
		/* A number of the message may be half read: the record's is kept above it. */
		record = hello->number >> 24 << 8 | byte;
		hello->number &= 0xffffff;
		hello->head = 0;
		hello->record = record;
		return record && record <= NP_TLS_MOST_RECORD;
	}
}

/* A byte of the name, of which hello->item are left with this one. False: it is no host name. */
NP_INLINE bool np_hello_read_name(struct np_hello *hello, __u8 byte)
{
	const __u32 place = hello->name_length;
	const __u32 label = hello->label;

	hello->item--;
	if (byte == '.') {
		const __u32 length = place - label - 1;

		if (!length || length > NP_HELLO_MOST_LABEL || !hello->item)
			return false;
		hello->name[label & (NP_NAME_BYTES - 1)] = length;
		hello->label = place;
		hello->name_length = place + 1;
		return true;
	}
	hello->name[place & (NP_NAME_BYTES - 1)] = byte - 'A' < 26u ? byte | 0x20 : byte;
	hello->name_length = place + 1;
	if (!hello->item) {
		const __u32 length = place - label;

		if (length > NP_HELLO_MOST_LABEL)
			return false;
		hello->name[label & (NP_NAME_BYTES - 1)] = length;
		hello->name[(place + 1) & (NP_NAME_BYTES - 1)] = 0;
		hello->part = NP_HELLO_EXTENSION;
	}
	return true;
}

/* A part whose number is known. False: it is none of a ClientHello. */
NP_INLINE bool np_hello_take(struct np_hello *hello, __u32 number)
{
	const __u32 left = hello->message;
	const __u8 part = hello->part;

	hello->part = part + 1;
	switch (part) {
	case NP_HELLO_TYPE:
		return number == NP_TLS_CLIENT_HELLO;
	case NP_HELLO_LENGTH:
		if (!number || number > NP_HELLO_MOST)
			return false;
		hello->message = number;
		return true;
	case NP_HELLO_VERSION:
		hello->skip = NP_TLS_RANDOM;
		return number >> 8 == NP_TLS_MAJOR && left >= NP_TLS_RANDOM;
	case NP_HELLO_SESSION:
		hello->skip = number;
		return number <= NP_TLS_MOST_SESSION && number <= left;
	case NP_HELLO_CIPHERS:
		hello->skip = number;
		return number && !(number & 1) && number <= left;
	case NP_HELLO_COMPRESSION:
		hello->skip = number;
		return number && number <= left;
	case NP_HELLO_EXTENSIONS:
		return number == left;
	case NP_HELLO_EXTENSION:
		hello->item = number;
		return true;
	case NP_HELLO_EXTENSION_LENGTH:
		if (number > left)
			return false;
		if (hello->item == NP_TLS_SERVER_NAME) {
			hello->item = number;
			return !hello->name_length;
		}
		hello->skip = number;
		hello->part = NP_HELLO_EXTENSION;
		return true;
	case NP_HELLO_LIST:
		return number + 2 == hello->item;
	case NP_HELLO_NAME_TYPE:
		return number == NP_TLS_HOST_NAME;
	case NP_HELLO_NAME_LENGTH:
		if (number + 5 != hello->item || !number || number > NP_HELLO_MOST_NAME)
			return false;
		hello->item = number;
		hello->label = 0;
		hello->name_length = 1;
		return true;
	default:
		return false;
	}
}

/* A byte of the message. False: it is none of a ClientHello. */
NP_INLINE bool np_hello_read_byte(struct np_hello *hello, __u8 byte)
{
	const __u32 part = hello->part;
	__u32 number, digits;

	/* Clients that look like TLS 1.2 to middle boxes send it, and it says nothing (RFC 8446 D.4). */
	if (part == NP_HELLO_RETRIED) {
		hello->part = NP_HELLO_TYPE;
		return byte == NP_TLS_CIPHER_CHANGED && !hello->record;
	}
	if (part > NP_HELLO_LENGTH) {
		if (!hello->message)
			return false;
		hello->message--;
	}
	if (part == NP_HELLO_NAME)
		return np_hello_read_name(hello, byte);
	number = hello->number << 8 | byte;
	digits = hello->digits + 1;
	hello->number = number;
	hello->digits = digits;
	if (digits < (NP_HELLO_DIGITS >> (4 * (part & 15)) & 15))
		return true;
	hello->number = 0;
	hello->digits = 0;
	return np_hello_take(hello, number);
}

/* Where all of the message has been read: whether it may end there. */
NP_INLINE enum np_hello_progress np_hello_end(const struct np_hello *hello)
{
	const __u8 part = hello->part;

	return !hello->record && !hello->digits &&
			       (part == NP_HELLO_EXTENSION ||
				(part == NP_HELLO_EXTENSIONS && !hello->skip)) ?
		       NP_HELLO_WHOLE :
		       NP_HELLO_BAD;
}

/* One step: a byte, or as much of what is skipped as the packet and the record have. */
static long np_hello_step(__u32 step, struct np_hello_reading *reading)
{
	struct np_hello *hello = reading->hello;
	const __u32 offset = hello->offset;
	const __u32 record = hello->record;
	__u32 available = hello->end - offset;
	__u32 skip = hello->skip;
	__u8 byte;

	(void)step;
	if (!available)
		return 1;
	if (record && skip) {
		if (skip > available)
			skip = available;
		if (skip > record)
			skip = record;
		hello->offset = offset + skip;
		hello->record = record - skip;
		hello->skip -= skip;
		hello->message -= skip;
	} else {
		reading->progress = NP_HELLO_BAD;
		if (bpf_skb_load_bytes(reading->skb, offset, &byte, sizeof(byte)))
			return 1;
		hello->offset = offset + 1;
		if (!record) {
			if (!np_hello_read_head(hello, byte))
				return 1;
			reading->progress = NP_HELLO_MORE;
			return 0;
		}
		hello->record = record - 1;
		if (!np_hello_read_byte(hello, byte))
			return 1;
		reading->progress = NP_HELLO_MORE;
	}
	if (hello->part <= NP_HELLO_LENGTH || hello->message)
		return 0;
	reading->progress = np_hello_end(hello);
	return 1;
}

/* What a server's first bytes are. */
enum np_hello_answer {
	NP_ANSWER_OTHER = 0,
	NP_ANSWER_RETRY = 1, /* it asks for another ClientHello */
	NP_ANSWER_UNKNOWN = 2, /* too few to tell */
};

/*
 * Tells a HelloRetryRequest, a ServerHello with a random of its own (RFC 8446 4.1.3), from all else: of `length` bytes at `at` of the frame, the
 * server's first. Returns enum np_hello_answer. A global function, for its stack.
 */
__attribute__((noinline)) int np_read_server(struct __sk_buff *skb, __u32 at, __u32 length)
{
	__u64 random[4];
	__u8 head[6];

	if (bpf_skb_load_bytes(skb, at, head, 1))
		return NP_ANSWER_UNKNOWN;
	if (head[0] != NP_TLS_HANDSHAKE)
		return NP_ANSWER_OTHER;
	if (length < NP_TLS_RANDOM_AT + sizeof(random) || bpf_skb_load_bytes(skb, at, head, sizeof(head)) ||
	    bpf_skb_load_bytes(skb, at + NP_TLS_RANDOM_AT, random, sizeof(random)))
		return NP_ANSWER_UNKNOWN;
	return head[5] == NP_TLS_SERVER_HELLO &&
			       !((random[0] ^ bpf_cpu_to_be64(0xcf21ad74e59a6111)) | (random[1] ^ bpf_cpu_to_be64(0xbe1d8c021e65b891)) |
				 (random[2] ^ bpf_cpu_to_be64(0xc2a211167abb8c5e)) | (random[3] ^ bpf_cpu_to_be64(0x079e09e2c8a8339c))) ?
		       NP_ANSWER_RETRY : NP_ANSWER_OTHER;
}

/*
 * Reads the packet's bytes from hello->offset up to hello->end; hello->offset is then where reading ended. Returns enum
 * np_hello_progress. A global function, as the other ones about hellos: it is verified once.
 */
__attribute__((noinline)) int np_hello_read(struct __sk_buff *skb, struct np_hello *hello)
{
	struct np_hello_reading reading = {.skb = skb, .hello = hello, .progress = NP_HELLO_MORE};

	if (!hello)
		return NP_HELLO_BAD;
	bpf_loop(NP_HELLO_STEPS, np_hello_step, &reading, 0);
	if (reading.progress == NP_HELLO_MORE && hello->offset != hello->end)
		return NP_HELLO_BAD;
	return reading.progress;
}

#endif
