/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What has to be done with a packet from or to a pod before it can be judged, if it is not plain: ARP, neighbour discovery, fragments, ICMP errors. */
#ifndef NP_PREPARE_H
#define NP_PREPARE_H

#include "arp.h"
#include "checksum_place.h"
#include "fragment.h"
#include "intake.h"
#include "judge.h"
#include "neighbour.h"

/* A packet that is not plain, up to where it is like one. `*outcome`: what becomes of it. True: it is to be judged. */
NP_INLINE bool np_prepare(struct np_hook *hook, struct np_question *question, struct np_outcome *outcome)
{
	const struct np_packet *packet = &question->packet;
	enum np_reason reason = np_parse_any(hook->skb);

	np_set_arrival(hook, packet);
	if (hook->direction == NP_EGRESS && (!reason || reason == NP_REASON_ARP)) {
		const enum np_reason refused = np_check_sum_place(hook->skb, reason);

		if (refused)
			reason = refused;
	}
	if (reason == NP_REASON_ARP)
		reason = np_judge_arp(hook->skb);
	*outcome = np_outcome_of(reason);
	if (reason)
		return false;
	if (np_may_be_neighbour(packet)) {
		*outcome = np_pass_to_step(hook, NP_STEP_NEIGHBOUR);
		return false;
	}
	reason = np_check_source(hook, packet);
	if (!reason && packet->fragment != NP_FRAGMENT_NONE)
		reason = np_resolve_fragment(hook->skb);
	*outcome = np_outcome_of(reason);
	if (reason)
		return false;
	if (packet->kind == NP_KIND_ICMP_ERROR) {
		*outcome = np_pass_to_step(hook, NP_STEP_ICMP_ERROR);
		return false;
	}
	return true;
}

#endif
