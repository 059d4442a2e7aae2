/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Address -> identity: exact addresses first (pods and nodes), prefixes only for the world. */
#ifndef NP_IDENTITY_H
#define NP_IDENTITY_H

#include "address.h"
#include "machine.h"
#include "maps.h"

#define NP_ADDRESS_BITS 128

#define NP_NO_ENTRY (1ull << 32)

/* The exact entry of an address, NP_NO_ENTRY when it has none. Of an IPv4 address by one cache line, where that says all. */
NP_INLINE __u64 np_exact_entry(const struct np_address *address)
{
	const __u32 *value;

	if (np_likely(np_is_mapped_ipv4(address))) {
		__u32 place = np_ipv4_bucket_of(address->word[3]);
		const volatile struct np_ipv4_bucket *bucket = bpf_map_lookup_elem(&np_ipv4_identities, &place);

		if (np_likely(bucket)) {
			const __u64 complete = bucket->complete;
			__u64 found = 0;

			/* Without a branch, which the verifier would follow seven times. */
			_Pragma("clang loop unroll(full)")
			for (int way = 0; way < NP_IPV4_WAYS; way++) {
				const __u64 entry = bucket->entry[way];
				const __u64 differs = (__u32)entry ^ address->word[3];

				found |= entry & -((differs - 1) >> 63);
			}
			if (np_likely(found))
				return found >> 32;
			/* Complete all the while: else the address may have left and come back, each time past this look. */
			if (np_likely(complete & 1 && bucket->complete == complete) && !np_config.barriers)
				return NP_NO_ENTRY;
		}
	}
	value = bpf_map_lookup_elem(&np_addresses, address);
	return value ? *value : NP_NO_ENTRY;
}

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

	return identity && !(*identity & NP_IDENTITY_WORLD_TOO) && np_is_host_identity(*identity & ~NP_IDENTITY_FLAGS);
}

/* The node's identity at no address in particular. */
NP_INLINE __u32 np_host_identity(void)
{
	const struct np_address unspecified = {};
	const __u32 *identity = bpf_map_lookup_elem(&np_addresses, &unspecified);

	return identity ? *identity & ~NP_IDENTITY_FLAGS : NP_IDENTITY_HOST;
}

/* np_remote.also: the identity of who has a contested address, which is 0, so with a flag that says that it is asked about. */
#define NP_ALSO_NOBODY (NP_IDENTITY_WORLD_TOO | NP_IDENTITY_UNKNOWN)

/* Who the other end of an exchange is. */
struct np_remote {
	__u32 identity;
	__u32 also; /* another one that must be allowed too, flags beside it do not count; 0 = none */
	__u32 traits; /* NP_IDENTITY_* beside the identity of the exact address; 0: no pod and no Service has it */
	__u8 flags; /* NP_EVENT_* */
	bool may_be_here; /* it has the identity of a pod that may be on this node */
	bool is_exact; /* something in the cluster has the address, or may: what names say of it does not count */
	bool is_plain; /* it is the same whichever direction's policy asks, and however its packets come in */
};

/*
 * The remote end for the policy of `direction`:
 *
 * - a source that is the node's is the node only in packets generated here (`arrival`): in others the node has replaced the
 *   source by its own (masquerading), or somebody pretends to be the node;
 * - a destination at which the node answers among others is two remotes, and both must be allowed;
 * - a link-local destination of IPv6 may be anybody's on the link, another pod's behind the same bridge too, and nobody says whose:
 *   it is the outside and nobody at once, which only a policy without isolation or a rule for everybody allows.
 */
NP_INLINE struct np_remote np_identify(const struct np_address *address, enum np_direction direction, __u32 arrival)
{
	const __u64 exact = np_exact_entry(address);
	struct np_remote remote = {};

	if (np_likely(exact != NP_NO_ENTRY)) {
		remote.is_exact = true;
		remote.traits = exact & NP_IDENTITY_FLAGS;
		remote.identity = exact & ~NP_IDENTITY_FLAGS;
		/* A Service's address has no identity of its own; without one and no Service's it is nobody's (contested). */
		if (np_likely(!(remote.traits & NP_IDENTITY_WORLD_TOO) &&
			      (remote.identity || !(remote.traits & NP_IDENTITY_FRONTEND)))) {
			if (np_likely(!np_is_host_identity(remote.identity))) {
				remote.may_be_here = !(remote.traits & NP_IDENTITY_ELSEWHERE);
				remote.is_plain = true;
				return remote;
			}
			if (direction == NP_EGRESS || arrival == NP_ARRIVAL_HERE)
				return remote;
			remote.flags = NP_EVENT_MASQUERADED;
		} else if (direction == NP_EGRESS) {
			remote.also = remote.identity;
		}
	} else if (direction == NP_EGRESS && np_unlikely(np_is_everybody(address))) {
		remote.also = np_host_identity();
	} else if (direction == NP_EGRESS && np_unlikely(np_is_ipv6_link_local(address))) {
		remote.is_exact = true;
		remote.also = NP_ALSO_NOBODY;
	}
	remote.identity = np_outside_identity(address);
	return remote;
}

#endif
