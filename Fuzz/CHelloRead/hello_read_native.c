/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "hello_read_native.h"

/* What the kernel gives to programs, as far as the reader uses it. */
#define NP_MAPS_H
#define NP_INLINE static inline __attribute__((always_inline))

struct __sk_buff {
	const __u8 *bytes;
	__u32 len;
};

static long bpf_skb_load_bytes(const struct __sk_buff *skb, __u32 offset, void *to, __u32 length)
{
	if (length > skb->len || offset > skb->len - length)
		return -1;
	memcpy(to, skb->bytes + offset, length);
	return 0;
}

#define bpf_cpu_to_be64(value) __builtin_bswap64(value)
#define bpf_loop(most, step, context, flags)                                                                      \
	do {                                                                                                      \
		for (__u32 np_turn = 0; np_turn < (most) && !step(np_turn, context); np_turn++)                    \
			;                                                                                         \
	} while (0)

int np_hello_read(struct __sk_buff *skb, struct np_hello *hello);

#include "../../bpf/lib/hello_read.h"

void np_native_begin(struct np_hello *hello)
{
	memset(hello, 0, sizeof(*hello));
	np_hello_rewind(hello);
}

int np_native_read(struct np_hello *hello, const __u8 *bytes, __u32 count, __u32 *read)
{
	struct __sk_buff skb = {.bytes = bytes, .len = count};
	int progress;

	hello->offset = 0;
	hello->end = count;
	progress = np_hello_read(&skb, hello);
	*read = hello->offset;
	return progress;
}
