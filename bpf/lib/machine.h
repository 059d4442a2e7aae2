/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the programs know of the machine, access to words that others change meanwhile, and what the verifier is not to know. */
#ifndef NP_MACHINE_H
#define NP_MACHINE_H

#include "wire.h"

/* Defaults for loaders that fill nothing in: flows are forgotten late, and readers are careful. */
const volatile struct np_config np_config SEC(".rodata.config") = {
	.hertz = 1000,
	.barriers = 1,
	.fast_path = 0,
	.hosts = 1,
};

#define np_read_once(place) (*(const volatile typeof(place) *)&(place))
#define np_write_once(place, value) (*(volatile typeof(place) *)&(place) = (value))

/*
 * Hides the value of `number` from the verifier (xor with an unknown value, twice), so that paths that differ only in it are verified
 * once.
 */
#define np_forget(number, unknown) asm volatile("%0 ^= %1; %0 ^= %1" : "+r"(number) : "r"((__u64)(unknown)))

#endif
