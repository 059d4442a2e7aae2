/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What was read of a connection, to compare retransmissions with. Bytes that were read have been sent on, but whether the server has got
 * them is not known before it acknowledges them: a client that sends them again with other content might have the server take a
 * name that was never read here. So until then they may come again only as they were.
 */
#ifndef NP_HELLO_COPY_H
#define NP_HELLO_COPY_H

#include "hook.h"
#include "machine.h"
#include "maps.h"

#define NP_HELLO_CHUNK 64 /* bytes copied or compared in one step */
#define NP_HELLO_CHUNKS (NP_HELLO_COPY_BYTES / NP_HELLO_CHUNK + 2)

/* Copies and comparisons begin at hello->offset of the frame and hello->place of the copy, and end at hello->end of the frame. */
struct np_hello_copying {
	struct __sk_buff *skb;
	struct np_hello *hello;
	struct np_hello_copy *copy;
	bool is_same; /* no byte has differed */
};

/* What a new copy begins as. */
const struct np_hello_copy np_hello_no_copy = {};

/* Takes a lock of a map's value, which no program holds for longer than a packet. False: another CPU has it. */
NP_INLINE bool np_lock(__u32 *busy)
{
	return !__sync_val_compare_and_swap(busy, 0, 1);
}

NP_INLINE void np_unlock(__u32 *busy)
{
	__sync_lock_test_and_set(busy, 0);
}

/* The place of a connection's copy, locked. NULL: there is none, or another CPU is at it. */
NP_INLINE struct np_hello_copy *np_acquire_copy(__u32 endpoint, __u32 slot, bool is_new)
{
	__u32 key = endpoint * NP_HELLO_COPIES + slot % NP_HELLO_COPIES;
	struct np_hello_copy *copy = bpf_map_lookup_elem(&np_hello_copies, &key);

	if (!copy && is_new && !bpf_map_update_elem(&np_hello_copies, &key, &np_hello_no_copy, BPF_NOEXIST))
		copy = bpf_map_lookup_elem(&np_hello_copies, &key);
	return copy && np_lock(&copy->busy) ? copy : NULL;
}

/* Whether a copy is that of a connection. */
NP_INLINE bool np_is_copy_of(const struct np_hello_copy *copy, __u32 slot, const struct np_hello *hello)
{
	return copy->slot == slot && copy->version == hello->version && copy->start == hello->start;
}

/*
 * How many bytes the next step takes, 1 to NP_HELLO_CHUNK, of a packet that is not used up. In an order of operations from which the
 * verifier sees that.
 */
NP_INLINE __u64 np_hello_chunk(const struct np_hello *hello)
{
	const __u32 left = hello->end - hello->offset - 1;
	__u64 more = left < NP_HELLO_CHUNK - 1 ? left : NP_HELLO_CHUNK - 1;

	asm volatile("" : "+r"(more));
	more &= NP_HELLO_CHUNK - 1;
	asm volatile("" : "+r"(more));
	return more + 1;
}

static long np_hello_copy_step(__u32 step, struct np_hello_copying *copying)
{
	struct np_hello *hello = copying->hello;
	const __u64 length = np_hello_chunk(hello);
	__u32 place = hello->place;

	(void)step;
	if (hello->offset == hello->end || place > NP_HELLO_COPY_BYTES - NP_HELLO_CHUNK)
		return 1;
	if (bpf_skb_load_bytes(copying->skb, hello->offset, &copying->copy->bytes[place], length))
		return 1;
	hello->offset += length;
	hello->place = place + length;
	return 0;
}

static long np_hello_compare_step(__u32 step, struct np_hello_copying *copying)
{
	struct np_hello *hello = copying->hello;
	__u8 bytes[NP_HELLO_CHUNK];
	const __u64 length = np_hello_chunk(hello);
	__u32 place = hello->place;
	__u8 differs = 0;

	(void)step;
	if (hello->offset == hello->end || place > NP_HELLO_COPY_BYTES - NP_HELLO_CHUNK)
		return 1;
	if (bpf_skb_load_bytes(copying->skb, hello->offset, bytes, length)) {
		copying->is_same = false;
		return 1;
	}
	for (__u32 i = 0; i < NP_HELLO_CHUNK; i++) {
		if (i >= length)
			break;
		differs |= bytes[i] ^ copying->copy->bytes[place + i];
	}
	if (differs) {
		copying->is_same = false;
		return 1;
	}
	hello->offset += length;
	hello->place = place + length;
	return 0;
}

/*
 * Keeps the bytes of a packet that have just been read: from hello->offset of the frame up to hello->end, which are those of the
 * connection from hello->place on. What is beyond the copy's room is not kept. `slot`: np_flow_slot.
 */
__attribute__((noinline)) int np_keep_bytes(struct __sk_buff *skb, struct np_hello *hello, __u32 slot)
{
	struct np_hello_copying copying = {.skb = skb, .hello = hello};
	struct np_hello_copy *copy;

	if (!hello)
		return 0;
	copy = np_acquire_copy(np_own_slot(skb), slot, true);
	if (!copy)
		return 0;
	if (!hello->place) {
		copy->slot = slot;
		copy->version = hello->version;
		copy->start = hello->start;
		copy->length = 0;
	}
	/* Where bytes before are missing, these would be at another place. */
	if (np_is_copy_of(copy, slot, hello) && copy->length == hello->place) {
		copying.copy = copy;
		bpf_loop(NP_HELLO_CHUNKS, np_hello_copy_step, &copying, 0);
		copy->length = hello->place;
	}
	np_unlock(&copy->busy);
	return 0;
}

/* What a retransmission is. */
enum np_hello_likeness {
	NP_HELLO_SAME = 0,
	NP_HELLO_OTHER = 1, /* it has other content */
	NP_HELLO_UNLIKE = 2, /* nobody knows: it is not in the copy */
};

/* Compares bytes of a packet with those that were read, in the same places. Returns enum np_hello_likeness. */
__attribute__((noinline)) int np_compare_bytes(struct __sk_buff *skb, struct np_hello *hello, __u32 slot)
{
	struct np_hello_copying copying = {.skb = skb, .hello = hello, .is_same = true};
	enum np_hello_likeness likeness = NP_HELLO_UNLIKE;
	struct np_hello_copy *copy;

	if (!hello)
		return likeness;
	copy = np_acquire_copy(np_own_slot(skb), slot, false);
	if (!copy)
		return likeness;
	if (np_is_copy_of(copy, slot, hello) && hello->end - hello->offset + hello->place <= copy->length) {
		copying.copy = copy;
		bpf_loop(NP_HELLO_CHUNKS, np_hello_compare_step, &copying, 0);
		if (!copying.is_same)
			likeness = NP_HELLO_OTHER;
		else if (hello->offset == hello->end)
			likeness = NP_HELLO_SAME;
	}
	np_unlock(&copy->busy);
	return likeness;
}

#endif
