/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Address -> identity: exact addresses first (pods and nodes), prefixes only for the world. */
#ifndef NP_IDENTITY_H
#define NP_IDENTITY_H

#include "address.h"
#include "maps.h"

#define NP_ADDRESS_BITS 128

/* What an address is outside the cluster, whoever has it inside. */
NP_INLINE __u32 np_outside_identity(const struct np_address *address)
{
	struct np_prefix_key key = {.prefix_length = NP_ADDRESS_BITS, .address = *address};
	const __u32 *identity = bpf_map_lookup_elem(&np_prefixes, &key);

	if (identity)
		return *identity;
	return np_is_mapped_ipv4(address) ? NP_IDENTITY_WORLD_IPV4 : NP_IDENTITY_WORLD_IPV6;
}

/* Whether it is one of the node itself, which has several when policies distinguish its addresses. */
NP_INLINE bool np_is_host_identity(__u32 identity)
{
	return identity == NP_IDENTITY_HOST || identity >= NP_IDENTITY_FIRST_HOST;
}

/* Whether an address is the node's and nobody else's. */
NP_INLINE bool np_is_of_host(const struct np_address *address)
{
	const __u32 *identity = bpf_map_lookup_elem(&np_addresses, address);

	return identity && !(*identity & NP_IDENTITY_WORLD_TOO) && np_is_host_identity(*identity);
}

/* The node's identity at no address in particular. */
NP_INLINE __u32 np_host_identity(void)
{
	const struct np_address unspecified = {};
	const __u32 *identity = bpf_map_lookup_elem(&np_addresses, &unspecified);

	return identity ? *identity & ~NP_IDENTITY_WORLD_TOO : NP_IDENTITY_HOST;
}

/*
 * Says in `question` who the remote end of the exchange is, for the policy of `question->direction`:
 *
 * - a source that is the node's is the node only in packets generated here: in others the node has replaced the source
 *   by its own (masquerading), or somebody pretends to be the node;
 * - a destination at which the node answers among others is two remotes, and both must be allowed.
 */
NP_INLINE void np_identify_remote(struct np_question *question, const struct np_address *address)
{
	const __u32 *exact = bpf_map_lookup_elem(&np_addresses, address);

	question->also = 0;
	question->flags = 0;
	if (exact && !(*exact & NP_IDENTITY_WORLD_TOO)) {
		question->remote_identity = *exact;
		if (question->direction == NP_EGRESS || question->arrival == NP_ARRIVAL_HERE ||
		    !np_is_host_identity(*exact))
			return;
		question->flags = NP_EVENT_MASQUERADED;
	} else if (question->direction == NP_EGRESS) {
		if (exact)
			question->also = *exact & ~NP_IDENTITY_WORLD_TOO;
		else if (np_unlikely(np_is_link_group(address)))
			question->also = np_host_identity();
	}
	question->remote_identity = np_outside_identity(address);
}

#endif
