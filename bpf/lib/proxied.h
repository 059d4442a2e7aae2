/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What np_proxied has of an entry's flow, and the way to the proxy. Each side of a flow has a value of its own, written whole: so
 * the proxy never reads half of one, and two pods of one flow never overwrite each other's.
 */
#ifndef NP_PROXIED_H
#define NP_PROXIED_H

#include "address.h"
#include "machine.h"
#include "maps.h"

/* The way to the proxy; NULL: the node has none. */
NP_INLINE const struct np_proxy *np_find_proxy(void)
{
	__u32 only = 0;
	const struct np_proxy *proxy = bpf_map_lookup_elem(&np_proxy, &only);

	return proxy && proxy->interface ? proxy : NULL;
}

/* Whether a packet came in from the proxy: nobody else is behind the interface, and its own program lets only flows by that it carries. */
NP_INLINE bool np_is_from_proxy(__u32 arrival)
{
	const struct np_proxy *proxy = np_find_proxy();

	return proxy && arrival == proxy->interface + 1;
}

/* The key of what the side of an entry's pod says. The pod that has opened the flow is its client. */
NP_INLINE void np_fill_proxied_key(struct np_proxied_key *key, const struct np_endpoint *endpoint,
				   const struct np_flow_record *flow)
{
	const struct np_address own = endpoint->address[flow->own_address & 1];

	if ((flow->flags >> NP_ENTRY_ROLE_SHIFT & 3) == NP_ROLE_INITIATOR) {
		key->client = own;
		key->client_port = flow->own_port;
		key->server = flow->remote;
		key->server_port = flow->remote_port;
		key->side = NP_EGRESS;
	} else {
		key->client = flow->remote;
		key->client_port = flow->remote_port;
		key->server = own;
		key->server_port = flow->own_port;
		key->side = NP_INGRESS;
	}
}

#endif
