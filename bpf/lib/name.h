/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Names of DNS and TLS against the patterns of all rules: a walk of the automaton in np_names, a step a byte.
 *
 * A name on the wire is walked from NP_NAME_START: each byte of a label by its class, NP_NAME_CLASS_END after each label; of the root
 * name, which has no label, NP_NAME_CLASS_END once. As text a name's dots are the ends of its labels, and so is its end, unless it ends in
 * a dot. The row where the walk ends has the name set.
 */
#ifndef NP_NAME_H
#define NP_NAME_H

#include "address.h"
#include "machine.h"
#include "maps.h"

#define NP_NAME_CLASS_MASK 63 /* a row has as many bytes, so that no class leads out of it */

/* NameClass of each byte of a label. A test compares it. */
const volatile __u8 np_name_classes[256] SEC(".rodata.classes") = {
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0x00 */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0x10 */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 38, 1, 1, /* 0x20 */
	28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 1, 1, 1, 1, 1, 1, /* 0x30 */
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, /* 0x40 */
	17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 1, 1, 1, 1, 39, /* 0x50 */
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, /* 0x60 */
	17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 1, 1, 1, 1, 1, /* 0x70 */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0x80 */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0x90 */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0xa0 */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0xb0 */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0xc0 */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0xd0 */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0xe0 */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0xf0 */
};

/* The class of a byte of a label. */
NP_INLINE __u32 np_name_class(__u8 byte)
{
	return np_name_classes[byte];
}

/* Which automaton is in force: np_name_revision.number; 0 = none. Read once a name: its bank stays as it is for the walk. */
NP_INLINE __u32 np_names_in_force(void)
{
	__u32 only = 0;
	const struct np_name_revision *revision = bpf_map_lookup_elem(&np_name_revision, &only);

	return revision ? np_read_once(revision->number) : 0;
}

NP_INLINE const struct np_name_state *np_name_row(__u32 revision, __u32 state)
{
	__u32 key = (revision & 1) * NP_MAX_NAME_STATES + (state & (NP_MAX_NAME_STATES - 1));

	return bpf_map_lookup_elem(&np_names, &key);
}

/* The state after one more class. NP_NAME_DEAD leads only to itself. */
NP_INLINE __u32 np_name_step(__u32 revision, __u32 state, __u32 class)
{
	const struct np_name_state *row = np_name_row(revision, state);

	return row ? ((const __u16 *)row)[class & NP_NAME_CLASS_MASK] : NP_NAME_DEAD;
}

/* The name set of a name whose walk ends in a state, after the end of its last label. */
NP_INLINE __u32 np_name_set(__u32 revision, __u32 state)
{
	const struct np_name_state *row = np_name_row(revision, state);

	return row ? row->set : 0;
}

/* What a name set satisfies: `owner` as in np_name_rule_key. NULL: nothing. */
NP_INLINE const struct np_name_rule *np_name_rule(__u32 owner, __u32 revision, __u32 set)
{
	const struct np_name_rule_key key = {.owner = owner, .revision = revision, .set = set};

	return bpf_map_lookup_elem(&np_name_rules, &key);
}

/* The L7 bits of a program that are of a kind: NP_NAME_SET_DNS, NP_NAME_SET_SERVER. */
NP_INLINE __u64 np_name_bits(__u32 base, __u32 kind)
{
	const struct np_name_rule *rule = np_name_rule(base, 0, kind);

	return rule ? rule->rules : 0;
}

/* What the node wants done with names. NULL is not possible: the map has one entry. */
NP_INLINE const struct np_name_options *np_options(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&np_name_options, &only);
}

/* Whether answers are dropped that are not exactly one to a query. */
NP_INLINE bool np_drops_inexact(void)
{
	const struct np_name_options *options = np_options();

	return !options || options->drops_inexact;
}

/* Whether the node learns a link-local address all the same. */
NP_INLINE bool np_learns_link_local(const struct np_address *address)
{
	const struct np_name_options *options = np_options();
	bool is_wanted = false;

	if (!options)
		return false;
	_Pragma("clang loop unroll(disable)")
	for (__u32 i = 0; i < NP_MAX_NAME_RANGES; i++) {
		const struct np_name_range *range = &options->range[i];
		__u32 differs = 0;

		_Pragma("clang loop unroll(full)")
		for (__u32 word = 0; word < NP_ADDRESS_WORDS; word++)
			differs |= (address->word[word] ^ range->address.word[word]) & range->mask.word[word];
		is_wanted |= i < options->ranges && !differs;
	}
	return is_wanted;
}

#endif
