/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How a CRC32c, the checksum of SCTP, changes with the bytes that it is of. */
#ifndef NP_CRC32C_H
#define NP_CRC32C_H

#include "wire.h"

#define NP_CRC32C 0x82f63b78u /* the polynomial, lowest bit first */
#define NP_CRC32C_ONE 0x80000000u /* the polynomial 1, likewise */
#define NP_CRC32C_BITS 32

/* x^8, x^16, x^32 ...: what 1, 2, 4 ... more bytes behind multiply by. */
#define NP_CRC32C_POWERS(POWER)                                                                                   \
	POWER(0, 0x00800000) POWER(1, 0x00008000) POWER(2, 0x82f63b78) POWER(3, 0x6ea2d55c)                       \
	POWER(4, 0x18b8ea18) POWER(5, 0x510ac59a) POWER(6, 0xb82be955) POWER(7, 0xb8fdb1e7)                       \
	POWER(8, 0x88e56f72) POWER(9, 0x74c360a4) POWER(10, 0xe4172b16) POWER(11, 0x0d65762a)                     \
	POWER(12, 0x35d73a62) POWER(13, 0x28461564) POWER(14, 0xbf455269) POWER(15, 0xe2ea32dc)

/* The lowest bit, as a number that the compiler knows nothing about: else it would branch, and the verifier follow both. */
NP_INLINE __u32 np_bit(__u32 number)
{
	number &= 1;
	asm volatile("" : "+r"(number));
	return number;
}

/* The product of two polynomials modulo that of CRC32c, both with the lowest power in the highest bit. */
NP_INLINE __u32 np_crc32c_times(__u32 a, __u32 b)
{
	__u32 product = 0;

	_Pragma("clang loop unroll(disable)")
	for (int bit = NP_CRC32C_BITS - 1; bit >= 0; bit--) {
		product ^= b * np_bit(a >> bit);
		b = b >> 1 ^ NP_CRC32C * np_bit(b);
	}
	return product;
}

/*
 * How the CRC32c of a message changes when two of its bytes do, by `change` (first byte lowest), with `behind` bytes after
 * them: the CRC is linear, so this is the remainder of `change` moved up by so many bytes. No helper computes one.
 *
 * A function of its own, and global: so it is verified once, not in every state that a caller may be in.
 */
__attribute__((noinline)) __u32 np_crc32c_change(__u32 change, __u32 behind)
{
	__u32 result = NP_CRC32C_ONE >> 16; /* the two bytes themselves */

#define NP_CRC32C_STEP(bit, power)                                                                                \
	result = np_crc32c_times(result, NP_CRC32C_ONE ^ (NP_CRC32C_ONE ^ power) * np_bit(behind >> bit));
	NP_CRC32C_POWERS(NP_CRC32C_STEP)
#undef NP_CRC32C_STEP
	return np_crc32c_times(change, result);
}

#endif
