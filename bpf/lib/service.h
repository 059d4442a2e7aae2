/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Services: which they are, and which of their endpoints a packet goes to. Nothing here changes a packet or a flow. */
#ifndef NP_SERVICE_H
#define NP_SERVICE_H

#include "maps.h"
#include "rewrite.h"

#define NP_NANOSECONDS 1000000000ull /* of a second */
#define NP_MAGLEV_TRIES 4 /* entries looked at: neighbours in the table are as good as random ones */

/* Whether such a packet may be to or from a Service at all: pings of one are not answered, as by kube-proxy. */
NP_INLINE bool np_is_service_protocol(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

NP_INLINE struct np_service_key np_service_key_of(const struct np_address *address, __be16 port, __u8 protocol)
{
	struct np_service_key key = {.address = *address, .port = port, .protocol = protocol};

	return key;
}

/* The Service that a packet is for, NULL when its destination is none. */
NP_INLINE const struct np_service *np_find_service(const struct np_packet *packet)
{
	struct np_service_key key =
		np_service_key_of(&packet->destination, packet->destination_port, packet->protocol);

	return bpf_map_lookup_elem(&np_services, &key);
}

/* Whether packets from there may be answers of a Service's endpoint. */
NP_INLINE bool np_is_backend_end(const struct np_address *address, __be16 port, __u8 protocol)
{
	struct np_service_key key = np_service_key_of(address, port, protocol);

	return bpf_map_lookup_elem(&np_backend_ends, &key) != NULL;
}

/* The address that a pod gets its own packets from. */
NP_INLINE void np_hairpin_address(struct np_address *address, bool ipv4)
{
	if (ipv4) {
		np_map_ipv4(address, bpf_htonl(NP_HAIRPIN_IPV4));
		return;
	}
	address->word[0] = bpf_htonl(NP_HAIRPIN_IPV6_0);
	address->word[1] = bpf_htonl(NP_HAIRPIN_IPV6_1);
	address->word[2] = bpf_htonl(NP_HAIRPIN_IPV6_2);
	address->word[3] = bpf_htonl(NP_HAIRPIN_IPV6_3);
}

NP_INLINE bool np_is_hairpin_address(const struct np_address *address)
{
	struct np_address hairpin;

	np_hairpin_address(&hairpin, np_is_mapped_ipv4(address));
	return np_same_address(address, &hairpin);
}

/* Whether a packet comes from the service step: from the address of hairpins, or in the name of a Service. */
NP_INLINE bool np_is_from_service(const struct np_packet *packet)
{
	struct np_service_key key = np_service_key_of(&packet->source, packet->source_port, packet->protocol);

	return np_is_hairpin_address(&packet->source) || bpf_map_lookup_elem(&np_services, &key);
}

/* Whether a backend that was chosen before is there, and may still be chosen. */
NP_INLINE bool np_is_still_usable(__u32 reference)
{
	__u32 slot = reference & 0xffff;
	const struct np_backend *backend = bpf_map_lookup_elem(&np_backends, &slot);

	return backend && backend->flags & NP_BACKEND_USABLE && reference >> 16 &&
	       np_backend_reference(slot, backend->generation) == reference;
}

/* Takes the backend in a slot. False: it must not get new flows. */
NP_INLINE bool np_use_backend(__u32 slot, struct np_choice *choice, struct np_end *end)
{
	const struct np_backend *backend = bpf_map_lookup_elem(&np_backends, &slot);

	if (!backend || !(backend->flags & NP_BACKEND_USABLE))
		return false;
	choice->backend = np_backend_reference(slot, backend->generation);
	end->address = backend->address;
	end->port = backend->port;
	return true;
}

NP_INLINE __u32 np_seconds(void)
{
	return bpf_ktime_get_ns() / NP_NANOSECONDS;
}

/* The backend that the pod's earlier flows to the Service went to, within the Service's time. */
NP_INLINE bool np_use_affine(const struct np_service *service, __u32 slot, struct np_choice *choice,
			      struct np_end *end)
{
	struct np_affinity_key key = {.endpoint = slot, .service = service->id};
	const struct np_affinity *affinity = bpf_map_lookup_elem(&np_affinities, &key);

	return affinity && np_seconds() - affinity->last_seen < service->affinity &&
	       np_is_still_usable(affinity->backend) && np_use_backend(affinity->backend & 0xffff, choice, end);
}

/*
 * Chooses where a new flow to a Service goes: where the client's others went if the Service wants that, else by the flow's
 * hash (np_flow_hash). False: there is no endpoint. The entries of a table that is being replaced stay right for a while, so
 * one that names an unusable backend is rare, and the next ones are tried.
 */
NP_INLINE bool np_choose_backend(const struct np_service *service, __u32 slot, __u64 hash, struct np_choice *choice,
				 struct np_end *end)
{
	const __u32 size = service->maglev_size;
	__u32 place = (hash >> 32) * size >> 32;

	choice->service = service->id;
	choice->affinity = service->affinity != 0;
	if (!size)
		return false;
	if (choice->affinity && np_use_affine(service, slot, choice, end))
		return true;
	for (int try = 0; try < NP_MAGLEV_TRIES; try++) {
		__u32 index = service->maglev + place;
		const __u32 *backend = bpf_map_lookup_elem(&np_maglev, &index);

		if (backend && np_use_backend(*backend, choice, end))
			return true;
		place = place + 1 == size ? 0 : place + 1;
	}
	return false;
}

/* Remembers the choice for the client's next flows. An LRU table has room. */
NP_INLINE void np_keep_affinity(const struct np_choice *choice, __u32 slot)
{
	struct np_affinity_key key = {.endpoint = slot, .service = choice->service};
	struct np_affinity affinity = {.backend = choice->backend, .last_seen = np_seconds()};

	/* Without it the next flow may go elsewhere, which no policy depends on. */
	(void)bpf_map_update_elem(&np_affinities, &key, &affinity, BPF_ANY);
}

#endif
