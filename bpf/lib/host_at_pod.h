/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A packet between a pod and its node is asked about twice at the pod's hook: as a packet of the pod, and as one of the node (host.h). */
#ifndef NP_HOST_AT_POD_H
#define NP_HOST_AT_POD_H

#include "events.h"
#include "host.h"

/* Whether the node's egress policy is to be asked before the pod's about a packet to the pod: it was generated here. */
NP_INLINE bool np_asks_host(const struct __sk_buff *skb)
{
	const struct np_host *host;

	if (!np_config.hosts || np_likely(skb->ingress_ifindex) || skb->cb[NP_CB_BASE] == NP_HOST_ASKED)
		return false;
	host = np_find_host();
	return host && np_host_mode_of(host) != NP_HOST_OFF;
}

/* Asks the node's egress policy about a packet to the pod, which comes back when it passes. */
NP_INLINE int np_go_to_host(struct __sk_buff *skb, struct np_question *question)
{
	const struct np_host *host = np_find_host();

	if (!host)
		return NP_ACTION_SHOT; /* not possible: np_host has one entry */
	question->origin = np_own_slot(skb) + 1;
	np_enter_as(skb, host->slot, NP_EGRESS);
	np_jump_to(skb, NP_STEP_HOST_TO_POD);
	np_count(NP_DROP_NO_STEP, skb->len);
	return NP_ACTION_SHOT;
}

/*
 * The step that asks about a packet between a pod and its node for the second time. From the node: it goes on to the pod's ingress policy,
 * even if host policies were switched off meanwhile. From the pod: the node's ingress policy is asked if host policies are on. Sets cb for
 * the step that is returned; NP_STEP_COUNT: there is none.
 */
NP_INLINE __u32 np_next_side(struct __sk_buff *skb, struct np_question *question, const struct np_host *host)
{
	if (question->origin) {
		np_enter_as(skb, question->origin - 1, NP_INGRESS);
		skb->cb[NP_CB_VERDICT] = 0;
		skb->cb[NP_CB_BASE] = NP_HOST_ASKED;
		return NP_STEP_TO_POD;
	}
	if (np_own_slot(skb) == host->slot || np_own_direction(skb) != NP_EGRESS || !np_goes_to_host(skb))
		return NP_STEP_COUNT;
	np_enter_as(skb, host->slot, NP_INGRESS);
	return NP_STEP_HOST_FROM_POD;
}

#endif
