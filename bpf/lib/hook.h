/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where a packet is judged, and what the programs tell each other about it. */
#ifndef NP_HOOK_H
#define NP_HOOK_H

#include "machine.h"
#include "maps.h"

/* skb->mark of what was refused here, on its way back to the pod. */
#define NP_REFUSAL_MARK 0x6e70646e

/* The pod's hook at which a packet is judged. */
struct np_hook {
	struct __sk_buff *skb;
	const struct np_endpoint *endpoint;
	__u32 slot; /* of the endpoint */
	__u32 arrival; /* to the pod: how the packet came in, as np_flow_record.arrival; from it NP_ARRIVAL_UNKNOWN */
	enum np_direction direction; /* NP_EGRESS: from the pod */
};

/* The slot of the endpoint whose policy is asked (cb[0]). */
NP_INLINE __u32 np_own_slot(const struct __sk_buff *skb)
{
	return skb->cb[NP_CB_ENDPOINT] & NP_CB_SLOT_MASK;
}

/* Which of its policies is asked (cb[0]). */
NP_INLINE enum np_direction np_own_direction(const struct __sk_buff *skb)
{
	return skb->cb[NP_CB_ENDPOINT] >> NP_CB_DIRECTION_SHIFT;
}

/* From here on the policy of an endpoint and direction is asked. `slot`: with NP_CB_FAST_PATH if the packet is at its sender's hook. */
NP_INLINE void np_enter_as(struct __sk_buff *skb, __u32 slot, enum np_direction direction)
{
	skb->cb[NP_CB_ENDPOINT] = slot | (__u32)direction << NP_CB_DIRECTION_SHIFT;
}

/* The hook in a program that goes on: its endpoint is still to be found. */
NP_INLINE struct np_hook np_hook_of(struct __sk_buff *skb)
{
	struct np_hook hook = {
		.skb = skb,
		.slot = np_own_slot(skb),
		.arrival = NP_ARRIVAL_UNKNOWN,
		.direction = np_own_direction(skb),
	};

	return hook;
}

/* Whether the packet is at the hook of the pod that sent it, and is judged as at that of the pod it goes to (fast_path.h). */
NP_INLINE bool np_is_on_fast_path(const struct __sk_buff *skb)
{
	return np_config.fast_path && skb->cb[NP_CB_ENDPOINT] & NP_CB_FAST_PATH;
}

/* Whether the run is of no packet, but of what the proxy teaches (np_dns_lesson). */
NP_INLINE bool np_is_lesson(const struct __sk_buff *skb)
{
	return skb->cb[NP_CB_ENDPOINT] & NP_CB_LESSON;
}

/*
 * Goes on with a step. Returns if there is none in its place: drop.
 *
 * In assembler, because a compiler merges the ends of branches: where the verifier sees more than one number at a jump, the kernel does not
 * write the jump's end into the program, and each packet goes through a retpoline (12 ns). `step` is a constant where this is inlined.
 */
NP_INLINE void np_jump_to(struct __sk_buff *skb, const enum np_step step)
{
	asm volatile("r1 = %[skb]\n\t"
		     "r2 = %[steps] ll\n\t"
		     "r3 = %[step]\n\t"
		     "call 12" /* BPF_FUNC_tail_call */
		     :
		     : [skb] "r"(skb), [steps] "i"(&np_steps), [step] "i"(step)
		     : "r0", "r1", "r2", "r3", "r4", "r5", "memory");
}

/* The hook's endpoint. False: there is none, or it is not ready. */
NP_INLINE bool np_find_endpoint(struct np_hook *hook)
{
	hook->endpoint = bpf_map_lookup_elem(&np_endpoints, &hook->slot);
	return hook->endpoint && hook->endpoint->flags & NP_ENDPOINT_READY;
}

NP_INLINE struct np_question *np_scratch_question(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&np_scratch, &only);
}

#endif
