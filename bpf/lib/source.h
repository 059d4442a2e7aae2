/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Source check: a pod may send from its own addresses only. */
#ifndef NP_SOURCE_H
#define NP_SOURCE_H

#include "address.h"

/* An unused slot of the endpoint is all-zero like the unspecified address, which belongs to no endpoint. */
NP_INLINE bool np_is_endpoint_address(const struct np_endpoint *endpoint, const struct np_address *address)
{
	_Pragma("clang loop unroll(full)")
	for (int i = 0; i < NP_ENDPOINT_ADDRESSES; i++)
		if (np_same_address(address, &endpoint->address[i]))
			return !np_is_unspecified(address);
	return false;
}

#endif
