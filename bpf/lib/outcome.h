/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What becomes of a packet. The functions that judge a packet return an outcome; those that only parse return a reason,
 * NP_REASON_NONE to go on. Two fields, as one reason may end in different actions: an admitted flow goes on, or is
 * redirected.
 */
#ifndef NP_OUTCOME_H
#define NP_OUTCOME_H

#include "wire.h"

struct np_outcome {
	enum np_action action; /* what the hook does with the packet */
	enum np_reason reason; /* what the packet is counted under */
};

/* The outcome that the reason alone decides. */
NP_INLINE struct np_outcome np_outcome_of(enum np_reason reason)
{
	struct np_outcome outcome = {
		.action = reason < NP_REASON_FIRST_DROP ? NP_ACTION_NEXT : NP_ACTION_SHOT,
		.reason = reason,
	};

	return outcome;
}

#endif
