/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where a packet goes on of which the policy says that L7 rules decide. */
#ifndef NP_L7_H
#define NP_L7_H

#include "name.h"
#include "policy.h"

/* Takes down what the policy said, for the step that goes on. */
NP_INLINE void np_note_l7(struct np_question *question, const struct np_answer *answer)
{
	question->l7_rules = answer->rules;
	question->l7_base = answer->base;
	question->l7_word = answer->word;
}

/* Whether an answer of the policy is one that a step makes another answer of. */
NP_INLINE bool np_is_l7(const struct np_answer *answer)
{
	return answer->verdict == NP_VERDICT_L7 || answer->verdict == NP_VERDICT_ALLOW_READ;
}

/*
 * The policy was asked about a flow of queries, not about a query: what belongs to it passes, for it is the queries that are filtered,
 * and from now on each of them is.
 */
NP_INLINE bool np_is_of_queries(struct np_question *question, const struct np_answer *answer)
{
	if (question->direction != NP_EGRESS || question->packet.protocol != IPPROTO_UDP)
		return false;
	if (answer->verdict == NP_VERDICT_L7 && !(answer->rules & np_name_bits(answer->base, NP_NAME_SET_DNS)))
		return false;
	question->flow.flags |= NP_ENTRY_QUERIES;
	return true;
}

/*
 * Goes on in the step that decides a packet of which the policy has said NP_VERDICT_L7 or NP_VERDICT_ALLOW_READ. Returns only if there
 * is none, with what the answer means by itself.
 *
 * Steps to come: TCP, all of its bits in np_name_bits(base, NP_NAME_SET_SERVER), to NP_STEP_HELLO; other TCP to NP_STEP_PROXY.
 */
NP_INLINE enum np_reason np_route_l7(const struct np_hook *hook, struct np_question *question,
				     const struct np_answer *answer)
{
	if (question->stage != NP_STAGE_OWN)
		return np_is_of_queries(question, answer) ? NP_REASON_ALLOWED : np_reason_of(answer);
	np_note_l7(question, answer);
	if (hook->direction == NP_EGRESS && question->packet.protocol == IPPROTO_UDP && question->tracked)
		bpf_tail_call(hook->skb, &np_steps, NP_STEP_NAMES);
	return np_reason_of(answer);
}

#endif
