/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Asking the endpoint's compiled policy, and reading its answer. */
#ifndef NP_POLICY_H
#define NP_POLICY_H

#include "conntrack.h"
#include "outcome.h"
#include "source.h"

/* The other end of the exchange, as the hook sees it. */
NP_INLINE const struct np_address *np_remote_of(const struct np_packet *packet, enum np_direction hook)
{
	return hook == NP_EGRESS ? &packet->destination : &packet->source;
}

/*
 * Enters the compiled program of the question's policy. Does not return: the program jumps on to np_verdict, which reads
 * the question from np_scratch. If it returns, the program is missing: drop.
 */
NP_INLINE struct np_outcome np_enter_policy(struct __sk_buff *skb, const struct np_question *question)
{
	skb->cb[NP_CB_IDENTITY] = question->remote_identity;
	skb->cb[NP_CB_TRAFFIC] = (__u32)question->packet.protocol << NP_CB_PROTOCOL_SHIFT | question->port;
	skb->cb[NP_CB_VERDICT] = 0;
	skb->cb[NP_CB_BASE] = 0;
	bpf_tail_call(skb, &np_policies, question->policy);
	return np_outcome_of(NP_DROP_NO_POLICY_PROGRAM);
}

/*
 * Asks the policy of `question->direction`; the rest of the question is filled in. Returns only to drop: where the packet
 * has come from the remote (`question->arrived`), a local pod's source is checked here.
 */
NP_INLINE struct np_outcome np_ask_policy(struct __sk_buff *skb, const struct np_endpoint *endpoint,
					  struct np_question *question, const struct np_address *remote, __u16 port)
{
	if (question->arrived && np_unlikely(!np_comes_from(remote, question->arrival)))
		return np_outcome_of(NP_DROP_FOREIGN_SOURCE);
	question->policy = endpoint->policy[question->direction & 1];
	question->port = port;
	np_identify_remote(question, remote);
	return np_enter_policy(skb, question);
}

/* Asks about the second identity of a remote that has two, once the first is allowed. Returns as np_enter_policy. */
NP_INLINE struct np_outcome np_ask_also(struct __sk_buff *skb, struct np_question *question)
{
	question->remote_identity = question->also;
	question->also = 0;
	return np_enter_policy(skb, question);
}

struct np_answer {
	__u32 verdict; /* enum np_verdict, or anything */
	__u32 decision; /* enum np_decision, or anything */
	__u32 word; /* of the rule bit */
	__u64 bit; /* isolated in its word */
	__u32 base; /* of the program's counters, 0 = none */
};

NP_INLINE struct np_answer np_read_answer(const struct __sk_buff *skb)
{
	__u32 verdict = skb->cb[NP_CB_VERDICT];
	struct np_answer answer = {
		.verdict = verdict & NP_CB_VERDICT_MASK,
		.word = verdict >> NP_CB_WORD_SHIFT & NP_CB_WORD_MASK,
		.decision = verdict >> NP_CB_DECISION_SHIFT,
		.bit = (__u64)skb->cb[NP_CB_TRAFFIC] << 32 | skb->cb[NP_CB_IDENTITY],
		.base = skb->cb[NP_CB_BASE],
	};

	return answer;
}

/* The number of the only bit set: each mask selects the numbers that have one binary digit set. */
NP_INLINE __u32 np_bit_number(__u64 bit)
{
	return (__u32)!!(bit & 0xaaaaaaaaaaaaaaaa) | (__u32)!!(bit & 0xcccccccccccccccc) << 1 |
	       (__u32)!!(bit & 0xf0f0f0f0f0f0f0f0) << 2 | (__u32)!!(bit & 0xff00ff00ff00ff00) << 3 |
	       (__u32)!!(bit & 0xffff0000ffff0000) << 4 | (__u32)!!(bit & 0xffffffff00000000) << 5;
}

/* Index of np_rule_hits, 0 when the program has no counters. */
NP_INLINE __u32 np_rule_hit_of(const struct np_answer *answer)
{
	if (!answer->base)
		return 0;
	switch (answer->decision) {
	case NP_DECISION_RULE:
		return answer->base + NP_HIT_FIRST_RULE + answer->word * NP_BITS_PER_WORD +
		       np_bit_number(answer->bit);
	case NP_DECISION_DEFAULT_DENY:
		return answer->base + NP_HIT_DEFAULT_DENY;
	case NP_DECISION_DEFAULT_ALLOW:
		return answer->base + NP_HIT_DEFAULT_ALLOW;
	case NP_DECISION_HOST:
		return answer->base + NP_HIT_HOST;
	default:
		return 0;
	}
}

NP_INLINE enum np_reason np_reason_of(const struct np_answer *answer, enum np_reason allowed)
{
	switch (answer->verdict) {
	case NP_VERDICT_ALLOW:
		return allowed;
	case NP_VERDICT_DENY:
		return answer->decision == NP_DECISION_DEFAULT_DENY ? NP_DROP_POLICY_DEFAULT : NP_DROP_POLICY_DENY;
	case NP_VERDICT_L7:
		return NP_DROP_L7_UNAVAILABLE;
	default:
		return NP_DROP_BAD_VERDICT;
	}
}

#endif
