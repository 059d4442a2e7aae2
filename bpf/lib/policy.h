/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Asking the endpoint's compiled policy, and reading its answer. */
#ifndef NP_POLICY_H
#define NP_POLICY_H

#include "flow.h"
#include "hook.h"
#include "learnt.h"
#include "outcome.h"

NP_INLINE enum np_direction np_opposite(enum np_direction direction)
{
	return direction == NP_EGRESS ? NP_INGRESS : NP_EGRESS;
}

/* enum np_state_need of what the endpoint's policy of `direction` allows. */
NP_INLINE __u8 np_need_of(const struct np_endpoint *endpoint, enum np_direction direction)
{
	return endpoint->flags >> (NP_ENDPOINT_NEED_SHIFT + NP_ENDPOINT_NEED_BITS * direction) & NP_ENDPOINT_NEED_MASK;
}

/* The slot of the policy program of a direction: of an endpoint's own, or of the node's that its packet meets. */
NP_INLINE __u32 np_policy_of(const struct np_endpoint *endpoint, const struct np_question *question,
			     enum np_direction direction)
{
	return np_unlikely(endpoint->flags & NP_ENDPOINT_HOST) ? question->host_policy[direction & 1] :
								 endpoint->policy[direction & 1];
}

/*
 * Goes on with np_policy, which runs the compiled program of a direction's policy and reads the question from np_scratch. Returns only to
 * drop.
 */
NP_INLINE struct np_outcome np_enter_policy(const struct np_hook *hook, const struct np_question *question, __u16 port)
{
	struct __sk_buff *skb = hook->skb;

	skb->cb[NP_CB_IDENTITY] = question->asked;
	skb->cb[NP_CB_TRAFFIC] = (__u32)question->packet.protocol << NP_CB_PROTOCOL_SHIFT | port;
	skb->cb[NP_CB_VERDICT] = question->columns;
	skb->cb[NP_CB_BASE] = np_policy_of(hook->endpoint, question, question->direction) | NP_CB_UNANSWERED;
	np_jump_to(skb, NP_STEP_POLICY);
	return np_outcome_of(NP_DROP_NO_STEP);
}

/* The type of the answer to an ICMP query. */
NP_INLINE __u16 np_answer_type(const struct np_packet *packet)
{
	if (packet->protocol == IPPROTO_ICMPV6)
		return NP_ICMPV6_ECHO_REPLY;
	return packet->icmp_type == NP_ICMP_TIMESTAMP ? NP_ICMP_TIMESTAMP_REPLY : NP_ICMP_ECHO_REPLY;
}

/* By which port or ICMP type the policy is asked about the packet in a stage, host order. */
NP_INLINE __u16 np_port_of(const struct np_question *question)
{
	const struct np_packet *packet = &question->packet;

	switch (question->stage) {
	case NP_STAGE_OWN:
	case NP_STAGE_EMBEDDED:
		return packet->kind == NP_KIND_FLOW ? bpf_ntohs(packet->destination_port) : packet->icmp_type;
	case NP_STAGE_MIRROR:
	case NP_STAGE_EMBEDDED_MIRROR:
		if (packet->kind == NP_KIND_FLOW &&
		    (packet->protocol == IPPROTO_ICMP || packet->protocol == IPPROTO_ICMPV6))
			return np_answer_type(packet);
		return bpf_ntohs(packet->source_port);
	default:
		/* As the flow's first packet was. */
		return bpf_ntohs(question->direction == question->travel ? packet->destination_port :
									   packet->source_port);
	}
}

/*
 * What names say of the remote of a question about egress: what the pod has learnt of it, and what its flow was let in by. Nothing where
 * something in the cluster has its address, be it by now only.
 */
NP_INLINE void np_ask_names(const struct np_hook *hook, struct np_question *question, const struct np_remote *remote)
{
	if (question->direction != NP_EGRESS)
		return;
	question->named = remote->is_exact ? 0 : question->kept | np_learnt_columns(hook->skb);
	question->names = hook->endpoint->names;
	question->columns = question->named;
}

/* Asks the question that is prepared but for its remote. Returns as np_enter_policy. */
NP_INLINE struct np_outcome np_ask(const struct np_hook *hook, struct np_question *question,
				   const struct np_remote *remote)
{
	question->asked = remote->identity;
	question->asked_flags = remote->flags;
	/* What the node itself sends to a group, it need not be allowed to send to itself. */
	question->also = hook->endpoint->flags & NP_ENDPOINT_HOST ? 0 : remote->also;
	question->columns = 0;
	if (np_unlikely(hook->endpoint->names))
		np_ask_names(hook, question, remote);
	return np_enter_policy(hook, question, np_port_of(question));
}

/* Asks about the second identity of a remote that has two, once the first is allowed. Returns as np_enter_policy. */
NP_INLINE struct np_outcome np_ask_also(const struct np_hook *hook, struct np_question *question)
{
	question->asked = question->also & ~NP_IDENTITY_FLAGS;
	question->also = 0;
	return np_enter_policy(hook, question, np_port_of(question));
}

/*
 * Asks the policy of `direction` about the packet in a later stage. `arrival`: how packets of the remote come in. Returns as
 * np_enter_policy.
 */
NP_INLINE struct np_outcome np_ask_stage(const struct np_hook *hook, struct np_question *question, enum np_stage stage,
					 enum np_direction direction, __u32 arrival)
{
	struct np_remote remote = np_identify(np_remote_of(&question->packet, question->travel), direction, arrival);

	question->stage = stage;
	question->direction = direction;
	return np_ask(hook, question, &remote);
}

struct np_answer {
	__u32 verdict; /* enum np_verdict, or anything */
	__u32 decision; /* enum np_decision, or anything */
	__u32 word; /* of the rule bit */
	__u64 bit; /* isolated in its word */
	__u64 rules; /* NP_VERDICT_L7: all that matched in it */
	__u32 base; /* of the program's counters, 0 = none; or NP_CB_UNANSWERED and more */
};

NP_INLINE struct np_answer np_read_answer(const struct __sk_buff *skb)
{
	__u32 verdict = skb->cb[NP_CB_VERDICT];
	__u64 rules = (__u64)skb->cb[NP_CB_TRAFFIC] << 32 | skb->cb[NP_CB_IDENTITY];
	struct np_answer answer = {
		.verdict = verdict & NP_CB_VERDICT_MASK,
		.word = verdict >> NP_CB_WORD_SHIFT & NP_CB_WORD_MASK,
		.decision = verdict >> NP_CB_DECISION_SHIFT,
		.bit = rules & -rules,
		.rules = rules,
		.base = skb->cb[NP_CB_BASE],
	};

	return answer;
}

/* Whether the policy program that was asked is missing. */
NP_INLINE bool np_is_unanswered(const struct np_answer *answer)
{
	return answer->base & NP_CB_UNANSWERED;
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

NP_INLINE enum np_reason np_reason_of(const struct np_answer *answer)
{
	switch (answer->verdict) {
	case NP_VERDICT_ALLOW:
	case NP_VERDICT_ALLOW_READ:
		return NP_REASON_ALLOWED;
	case NP_VERDICT_DENY:
		return answer->decision == NP_DECISION_DEFAULT_DENY ? NP_DROP_POLICY_DEFAULT : NP_DROP_POLICY_DENY;
	case NP_VERDICT_L7:
		return NP_DROP_L7_UNAVAILABLE;
	default:
		return NP_DROP_BAD_VERDICT;
	}
}

#endif
