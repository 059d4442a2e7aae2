/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Packets of a Service's backend on their way back to the pod, which knows the Service only. */
#ifndef NP_TRANSLATE_H
#define NP_TRANSLATE_H

#include "policy.h"

/*
 * The last thing that happens to a packet which passes by an entry, whose `flags` say NP_ENTRY_BACKEND where it came from a
 * backend: returns the reason to pass it, or another one to drop it. The service step (NP_STEP_SERVICE) comes with its
 * translation; until then no entry has the flag.
 */
NP_INLINE enum np_reason np_translate_back(const struct np_hook *hook, const struct np_flow_place *place,
					   enum np_reason reason)
{
	if (np_likely(hook->direction == NP_EGRESS || !(place->flags & NP_ENTRY_BACKEND)))
		return reason;
	return NP_DROP_NO_STEP;
}

#endif
