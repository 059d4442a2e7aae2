/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whose packets are these: what a pod may put into the source field. */
#ifndef NP_SOURCE_H
#define NP_SOURCE_H

#include "address.h"

/* An empty slot of the endpoint is all-zero, and so is the unspecified address: it is nobody's. */
NP_INLINE bool np_is_endpoint_address(const struct np_endpoint *endpoint, const struct np_address *address)
{
	_Pragma("clang loop unroll(full)")
	for (int i = 0; i < NP_ENDPOINT_ADDRESSES; i++)
		if (np_same_address(address, &endpoint->address[i]))
			return !np_is_unspecified(address);
	return false;
}

#endif
