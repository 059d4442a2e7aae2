/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Address -> identity: exact addresses first (pods and nodes), prefixes only for the world. */
#ifndef NP_IDENTITY_H
#define NP_IDENTITY_H

#include "address.h"
#include "maps.h"

#define NP_ADDRESS_BITS 128

NP_INLINE __u32 np_identity_of(const struct np_address *address)
{
	struct np_prefix_key key = {.prefix_length = NP_ADDRESS_BITS};
	__u32 *identity = bpf_map_lookup_elem(&np_addresses, address);

	if (identity)
		return *identity;
	key.address = *address;
	identity = bpf_map_lookup_elem(&np_prefixes, &key);
	if (identity)
		return *identity;
	return np_is_mapped_ipv4(address) ? NP_IDENTITY_WORLD_IPV4 : NP_IDENTITY_WORLD_IPV6;
}

/* Whether it is one of the node itself, which has several when policies distinguish its addresses. */
NP_INLINE bool np_is_host_identity(__u32 identity)
{
	return identity == NP_IDENTITY_HOST || identity >= NP_IDENTITY_FIRST_HOST;
}

#endif
