/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A query from the pod, of which the policy has said that DNS rules decide. Allowed, it goes on as after a plain answer, and its answer
 * is waited for. Denied, it becomes its own answer and goes back, as what is refused for a Service does (refusal.h).
 */
#ifndef NP_DNS_QUERY_H
#define NP_DNS_QUERY_H

#include "checksum_place.h"
#include "judge.h"
#include "name_events.h"
#include "pending.h"
#include "refusal.h"

/* What a query is to the policy that was asked about its packet. */
enum np_query {
	NP_QUERY_ALLOWED,
	NP_QUERY_DENIED,
	NP_QUERY_STREAM, /* the proxy knows: it is to be made over TCP */
	NP_QUERY_NONE, /* it is none */
	NP_QUERY_RESPONSE, /* none, but perhaps a response of the pod */
};

/* Reads a query into np_dns_scratch: NP_QUERY_ALLOWED, it is exactly one. */
NP_INLINE enum np_query np_read_query(struct __sk_buff *skb, const struct np_question *question,
				      struct np_dns_message *message)
{
	message->name_length = 0;
	if (!np_is_sum_exact(skb) || !np_dns_copy(skb, question, message))
		return NP_QUERY_NONE;
	if (np_dns_short(message, NP_DNS_FLAGS_OFFSET) & NP_DNS_RESPONSE)
		return NP_QUERY_RESPONSE;
	return np_dns_read_query(skb, message) ? NP_QUERY_ALLOWED : NP_QUERY_NONE;
}

/* Swaps two addresses in a header. Sums stay as they are. */
NP_INLINE int np_swap_addresses(struct __sk_buff *skb, const struct np_packet *packet)
{
	const bool ipv4 = np_is_mapped_ipv4(&packet->source);

	if (ipv4) {
		const __u32 at = ETH_HLEN + offsetof(struct np_ipv4_header, source);
		__be32 pair[2], swapped[2];

		if (bpf_skb_load_bytes(skb, at, pair, sizeof(pair)))
			return -1;
		swapped[0] = pair[1];
		swapped[1] = pair[0];
		return bpf_skb_store_bytes(skb, at, swapped, sizeof(swapped), 0);
	} else {
		const __u32 at = ETH_HLEN + offsetof(struct np_ipv6_header, source);
		struct np_address pair[2], swapped[2];

		if (bpf_skb_load_bytes(skb, at, pair, sizeof(pair)))
			return -1;
		swapped[0] = pair[1];
		swapped[1] = pair[0];
		return bpf_skb_store_bytes(skb, at, swapped, sizeof(swapped), 0);
	}
}

NP_INLINE int np_swap_ports(struct __sk_buff *skb, __u32 at)
{
	struct np_ports ports, swapped;

	if (bpf_skb_load_bytes(skb, at, &ports, sizeof(ports)))
		return -1;
	swapped.source = ports.destination;
	swapped.destination = ports.source;
	return bpf_skb_store_bytes(skb, at, &swapped, sizeof(swapped), 0);
}

/*
 * Makes the query that np_scratch has its own answer: id, question and what extends it stay as they are. `stream`: one that says no more
 * than that the answer is too long for a datagram, so that the pod asks again over TCP. False: it could not be changed.
 * Not limited in number: the answer goes to who has asked, is as long as the query, and costs less than its way to a resolver, while a
 * resolver in the pod that is not answered waits for seconds. A global function, for its stack.
 */
__attribute__((noinline)) int np_refuse_query(struct __sk_buff *skb, __u32 stream)
{
	const struct np_question *question = np_scratch_question();
	const struct np_name_options *options = np_options();
	__u32 refusal = options ? options->refusal & NP_DNS_RCODE_MASK : 0;
	const struct np_packet *packet;
	struct np_place place;
	__be16 asked, answered;
	__u32 at;

	if (!question)
		return false;
	packet = &question->packet;
	place = np_place_of(question);
	at = question->resume_offset + NP_DNS_FLAGS_OFFSET;
	refusal = stream ? NP_DNS_TRUNCATED : refusal ? refusal : NP_DNS_REFUSED;
	/* The pod has asked the Service. */
	if (question->choice.made &&
	    (np_replace_end(skb, packet, &place, false, &question->choice.frontend, question->choice.port) ||
	     (question->choice.own_port != packet->source_port &&
	      np_replace_port(skb, packet, &place, true, question->choice.own_port))))
		return false;
	if (bpf_skb_load_bytes(skb, at, &asked, sizeof(asked)))
		return false;
	answered = (asked & bpf_htons(NP_DNS_RECURSION_DESIRED | NP_DNS_CHECKING_DISABLED)) |
		   bpf_htons(NP_DNS_RESPONSE | NP_DNS_RECURSION_AVAILABLE | refusal);
	if (bpf_l4_csum_replace(skb, place.transport + offsetof(struct np_udp_header, checksum), asked, answered,
				BPF_F_MARK_MANGLED_0 | sizeof(asked)) ||
	    bpf_skb_store_bytes(skb, at, &answered, sizeof(answered), 0) ||
	    np_swap_ports(skb, place.transport) || np_swap_addresses(skb, packet))
		return false;
	skb->mark = NP_REFUSAL_MARK;
	return !np_swap_macs(skb);
}

/* The query in np_dns_scratch by the name rules of the program that has answered. `*rules`: the L7 bits that allow it. */
NP_INLINE bool np_allow_query(const struct np_dns_message *message, const struct np_answer *answer, __u64 *rules)
{
	const struct np_name_rule *rule =
		np_name_rule(answer->base | NP_NAME_QUERIES, message->revision, message->set);

	*rules &= rule ? rule->rules : 0;
	return *rules;
}

/*
 * Whether the proxy is to decide a query: one that no rule allows where a pattern that the automaton lacks might, or one that some
 * rules allow where such a pattern might be of a column, so that its answer would not be learnt for it.
 */
NP_INLINE bool np_is_for_proxy(const struct np_answer *answer, bool is_allowed, __u64 allowing)
{
	if (is_allowed)
		return allowing & np_name_bits(answer->base, NP_NAME_SET_UNLEARNT);
	return answer->rules & np_name_bits(answer->base, NP_NAME_SET_UNKNOWN);
}

/* Hands np_verdict a plain answer for that of the policy: that the lowest of some bits allows the packet. */
NP_INLINE void np_answer_plainly(struct __sk_buff *skb, __u64 rules)
{
	const __u64 bit = rules & -rules;

	skb->cb[NP_CB_IDENTITY] = (__u32)bit;
	skb->cb[NP_CB_TRAFFIC] = bit >> 32;
	skb->cb[NP_CB_VERDICT] = (skb->cb[NP_CB_VERDICT] & ~NP_CB_VERDICT_MASK) | NP_VERDICT_ALLOW;
}

/* What the packet is, of which the policy has said `answer`. `*reason`: what np_verdict is told, or why it is dropped. */
NP_INLINE enum np_query np_judge_query(const struct np_hook *hook, struct np_question *question,
				       struct np_dns_message *message, const struct np_answer *answer,
				       enum np_reason *reason)
{
	const bool is_read = answer->verdict == NP_VERDICT_ALLOW_READ;
	__u64 rules = answer->rules;
	enum np_query query;
	bool is_allowed;

	*reason = NP_REASON_ALLOWED;
	query = np_read_query(hook->skb, question, message);
	is_allowed = query == NP_QUERY_ALLOWED && (is_read || np_allow_query(message, answer, &rules));
	if (!is_read && query == NP_QUERY_ALLOWED && np_unlikely(np_is_for_proxy(answer, is_allowed, rules))) {
		*reason = NP_DROP_NAME_STREAM;
		return NP_QUERY_STREAM;
	}
	/* Only where no DNS rule allows it is asked whether there is one at all. */
	if (!is_read && !is_allowed) {
		*reason = NP_DROP_L7_UNAVAILABLE;
		if (!(answer->rules & np_name_bits(answer->base, NP_NAME_SET_DNS)))
			return NP_QUERY_RESPONSE;
		*reason = NP_DROP_DNS_QUERY;
		return query == NP_QUERY_ALLOWED ? NP_QUERY_DENIED : query;
	}
	if (query != NP_QUERY_ALLOWED)
		return NP_QUERY_RESPONSE;
	np_add_pending(hook->skb, np_pending_hash(hook, question, message, NP_EGRESS));
	*reason = NP_REASON_ALLOWED;
	np_answer_plainly(hook->skb, rules);
	return NP_QUERY_ALLOWED;
}

/* What becomes of the packet, of which the policy has said `answer`. Does not return when np_verdict goes on. */
NP_INLINE struct np_outcome np_settle_query(const struct np_hook *hook, struct np_question *question,
					    struct np_dns_message *message, const struct np_answer *answer)
{
	struct np_outcome outcome = {.action = NP_ACTION_SHOT};
	struct __sk_buff *skb = hook->skb;

	switch (np_judge_query(hook, question, message, answer, &outcome.reason)) {
	case NP_QUERY_ALLOWED:
	case NP_QUERY_RESPONSE:
		if (outcome.reason == NP_REASON_ALLOWED)
			question->flow.flags |= NP_ENTRY_QUERIES;
		question->names_done = true;
		question->names_reason = outcome.reason;
		return np_pass_to_step(hook, NP_STEP_VERDICT);
	case NP_QUERY_DENIED:
		outcome.reason = NP_DROP_NAME_DENIED;
		np_tell_name(skb, NP_NAME_DENIED, 0);
		if (np_refuse_query(skb, false))
			outcome.action = bpf_redirect(skb->ifindex, 0);
		break;
	case NP_QUERY_STREAM:
		if (np_refuse_query(skb, true))
			outcome.action = bpf_redirect(skb->ifindex, 0);
		break;
	case NP_QUERY_NONE:
		break;
	}
	return outcome;
}

#endif
