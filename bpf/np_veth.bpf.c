// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The datapath at the host side of a pod's veth. What a packet passes:
 *
 *   entry stub             emitted, one per endpoint and hook: puts the endpoint's slot and the direction into cb[0]
 *   np_from_pod/np_to_pod  parse, source check, fragments; where policy needs state in both directions, packets of a flow that
 *                          the pod has admitted end here
 *   np_icmp_error          only ICMP errors: the packet they embed
 *   np_service             from the pod, only to an address of a Service: becomes a packet to one of its endpoints
 *   np_hairpin             only packets to a Service whose chosen endpoint is the pod itself, and their answers
 *   np_neighbour           only neighbour discovery and listener reports: what they claim
 *   np_policy              calls the policy program: emitted, one per subject and direction; it answers in cb[1..4]. Then as np_verdict
 *   np_dns_query           only what DNS rules decide: the name that is asked for
 *   np_verdict             ask the opposite direction too, find or make the flow's entry, count, report
 *   np_dns_answer          only answers to queries that np_dns_query has let pass: what they teach of names
 *   np_hello               only packets of connections that rules allow for their TLS server name, until it is decided
 *   np_proxy_step          only packets of TCP connections that HTTP rules decide: to the proxy, or to the pod when they come from there
 *   np_fast_path           only what passes from a pod and may take the fast path: to another pod of the node, whose policy follows
 *   np_host_to_pod         only the node's packets to the pod, where host policies are asked: the node's egress policy, before np_to_pod
 *   np_host_from_pod       only the pod's packets to the node, likewise: the node's ingress policy, after the pod's policy; also of
 *                          those that the proxy sends on, after np_from_proxy
 *
 * At an uplink of the node, where host policies are asked: np_host_in and np_host_out, then as from the policy program on. Where what the
 * proxy sends comes out of its namespace: np_from_proxy. At no hook of a packet: np_to_listener, which gives connections in that namespace to
 * the proxy's socket, and np_dns_lesson, which the proxy runs to teach what it has read of a DNS answer.
 *
 * The C programs are the steps in np_steps (enum np_step). A step jumps on or ends in np_finish, so each packet is counted under one named
 * reason; the exceptions stand there.
 */
#include "lib/dns_answer.h"
#include "lib/dns_query.h"
#include "lib/events.h"
#include "lib/fast_path.h"
#include "lib/fast_path_direct.h"
#include "lib/from_proxy.h"
#include "lib/hairpin.h"
#include "lib/hello.h"
#include "lib/host.h"
#include "lib/host_at_pod.h"
#include "lib/icmp_error.h"
#include "lib/intake.h"
#include "lib/judge.h"
#include "lib/l7.h"
#include "lib/neighbour.h"
#include "lib/prepare.h"
#include "lib/proxy.h"
#include "lib/service_step.h"
#include "lib/verdict.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* A ring buffer has no value type, so these keep the records' layouts in the BTF that the loader compares. */
const struct np_event np_event_layout = {};
const struct np_name_event np_name_event_layout = {};

/*
 * The exit of packets that a policy was asked about, or was to be: counts the packet, reports drops and what is news, returns the action.
 *
 * Others end elsewhere, and no report is made of them. What only passes an uplink is counted by np_host_in and np_host_out. What the proxy
 * sends is counted by np_from_proxy, but for what goes to a pod, which np_to_pod counts. np_fast_path_direct counts what it delivers, at both
 * pods. A missing step and a map without its entry end where they are found. np_give_back counts nothing: the packet is judged again at its
 * receiver's hook.
 */
NP_INLINE int np_finish(struct __sk_buff *skb, struct np_question *question, struct np_outcome outcome, bool is_news)
{
	const struct np_host *host = NULL;
	__u32 mode = NP_HOST_OFF;

	if (np_config.hosts) {
		host = np_find_host();
		if (!host)
			return NP_ACTION_SHOT; /* not possible: np_host has one entry */
		mode = np_host_mode_of(host);
	}
	if (np_unlikely(mode == NP_HOST_AUDIT) && outcome.reason >= NP_REASON_FIRST_DROP &&
	    np_own_slot(skb) == host->slot) {
		outcome = np_outcome_of(NP_REASON_HOST_AUDIT);
		is_news = true;
	}
	if (np_config.fast_path && outcome.action == NP_ACTION_NEXT)
		outcome = np_arrive(skb, question, outcome);
	np_count(outcome.reason, skb->len);
	if (np_unlikely(is_news || outcome.reason >= NP_REASON_FIRST_DROP))
		np_report(skb, outcome.reason);
	if (np_config.hosts && np_unlikely(mode != NP_HOST_OFF || question->origin) && outcome.action == NP_ACTION_NEXT) {
		const __u32 step = np_next_side(skb, question, host);

		if (np_unlikely(step != NP_STEP_COUNT)) {
			if (step == NP_STEP_TO_POD)
				np_jump_to(skb, NP_STEP_TO_POD);
			else if (step == NP_STEP_HOST_FROM_POD)
				np_jump_to(skb, NP_STEP_HOST_FROM_POD);
			np_count(NP_DROP_NO_STEP, skb->len);
			return NP_ACTION_SHOT;
		}
	}
	/* Where the step is missing the packet goes by the stack, as it would without. */
	if (np_config.fast_path && outcome.action == NP_ACTION_NEXT && question->straight &&
	    np_own_direction(skb) == NP_EGRESS)
		np_jump_to(skb, NP_STEP_FAST_PATH);
	return outcome.action;
}

/* The exit of packets whose policy was not asked. */
NP_INLINE int np_finish_unasked(const struct np_hook *hook, struct np_question *question, struct np_outcome outcome)
{
	if (np_unlikely(outcome.reason >= NP_REASON_FIRST_DROP)) {
		question->endpoint = hook->slot;
		question->revision = hook->endpoint ? hook->endpoint->revision : 0;
		question->remote_identity = NP_IDENTITY_UNKNOWN;
		question->rule_hit = 0;
		question->decision = NP_DECISION_RULE;
		question->decided = hook->direction;
		question->flags = 0;
	}
	return np_finish(hook->skb, question, outcome, false);
}

/* The exit of packets that nothing is known of. */
NP_INLINE int np_finish_unknown(const struct np_hook *hook, struct np_question *question, enum np_reason reason)
{
	const struct np_packet nothing = {};

	question->packet = nothing;
	return np_finish_unasked(hook, question, np_outcome_of(reason));
}

/* A packet at a pod's hook, from the frame on. */
NP_INLINE int np_enter(struct __sk_buff *skb, const enum np_direction direction)
{
	struct np_question *question = np_scratch_question();
	struct np_outcome outcome;
	bool is_plain = false;
	struct np_hook hook = {
		.skb = skb,
		.slot = np_own_slot(skb),
		.direction = direction,
	};

	if (np_unlikely(!question))
		return NP_ACTION_SHOT; /* not possible: np_scratch has one entry */
	if (direction == NP_INGRESS && np_unlikely(np_asks_host(skb)))
		return np_go_to_host(skb, question);
	question->origin = 0;
	if (np_unlikely(!np_find_endpoint(&hook)))
		return np_finish_unknown(&hook, question, NP_DROP_NOT_READY);
	if (np_likely(np_parse_plain(skb, question))) {
		hook.arrival = direction == NP_INGRESS ? np_arrival_of(skb, false) : NP_ARRIVAL_UNKNOWN;
		if (direction == NP_EGRESS &&
		    np_unlikely(!np_is_endpoint_address(hook.endpoint, &question->packet.source)))
			return np_finish_unasked(&hook, question, np_outcome_of(NP_DROP_SPOOFED_SOURCE));
		if (direction == NP_EGRESS) {
			const enum np_reason reason = np_check_sum_place(skb, NP_REASON_NONE);

			if (np_unlikely(reason))
				return np_finish_unasked(&hook, question, np_outcome_of(reason));
		}
		is_plain = true;
	} else if (!np_prepare(&hook, question, &outcome)) {
		return np_finish_unasked(&hook, question, outcome);
	}
	outcome = np_judge_parsed(&hook, question);
	if (np_config.fast_path && direction == NP_EGRESS && is_plain && outcome.action == NP_ACTION_NEXT &&
	    question->straight && !question->packet.initiates) {
		const int action = np_fast_path_direct(skb, outcome.reason);

		if (np_likely(action == NP_ACTION_REDIRECT))
			return action;
		if (np_unlikely(action == NP_ACTION_SHOT)) {
			hook = np_hook_of(skb);
			outcome = np_outcome_of(NP_DROP_INTERNAL);
		}
	}
	return np_finish_unasked(&hook, question, outcome);
}

/*
 * How a step begins: its hook, and the question that the program before has left. `by_stack`: the step is only for packets that go by the
 * stack, so a packet on the fast path is given back to it. False: the step ends with `*action`.
 */
NP_INLINE bool np_resume(struct __sk_buff *skb, struct np_hook *hook, struct np_question **question, const bool by_stack,
			 int *action)
{
	*question = np_scratch_question();
	*hook = np_hook_of(skb);
	if (np_unlikely(!*question)) {
		*action = NP_ACTION_SHOT; /* not possible: np_scratch has one entry */
		return false;
	}
	if (by_stack) {
		if (np_unlikely(np_is_on_fast_path(skb))) {
			*action = np_give_back(skb);
			return false;
		}
		(*question)->straight = false;
	}
	if (np_unlikely(!np_find_endpoint(hook))) {
		*action = np_finish_unasked(hook, *question, np_outcome_of(NP_DROP_NOT_READY));
		return false;
	}
	return true;
}

/* tc ingress of the host side: the pod's egress policy. */
SEC("tc")
int np_from_pod(struct __sk_buff *skb)
{
	return np_enter(skb, NP_EGRESS);
}

/* tc egress of the host side: the pod's ingress policy. */
SEC("tc")
int np_to_pod(struct __sk_buff *skb)
{
	return np_enter(skb, NP_INGRESS);
}

/* Goes on with an ICMP error. */
SEC("tc")
int np_icmp_error(struct __sk_buff *skb)
{
	struct np_question *question;
	struct np_hook hook;
	struct np_outcome outcome;
	int action;

	if (!np_resume(skb, &hook, &question, false, &action))
		return action;
	np_set_arrival(&hook, &question->packet);
	outcome = np_judge_error(&hook, question);
	/* What is counted and reported is the error. */
	question->packet = question->error;
	return np_finish_unasked(&hook, question, outcome);
}

/* Goes on with neighbour discovery. */
SEC("tc")
int np_neighbour(struct __sk_buff *skb)
{
	struct np_question *question;
	struct np_hook hook;
	int action;

	if (!np_resume(skb, &hook, &question, false, &action))
		return action;
	np_set_arrival(&hook, &question->packet);
	return np_finish_unasked(&hook, question, np_judge_neighbour_message(&hook, question));
}

/* A step for packets from the pod, whose question has begun. */
NP_INLINE int np_enter_step(struct __sk_buff *skb, const bool is_hairpin)
{
	struct np_question *question;
	struct np_hook hook;
	struct np_outcome outcome;
	int action;

	if (!np_resume(skb, &hook, &question, false, &action))
		return action;
	hook.direction = NP_EGRESS;
	if (is_hairpin)
		question->straight = false;
	outcome = is_hairpin ? np_judge_hairpin(&hook, question) : np_judge_to_service(&hook, question);
	/* Of a known flow, whose packet is one to the backend by now. */
	if (np_unlikely(question->hello | question->is_proxied) && outcome.reason == NP_REASON_ESTABLISHED)
		outcome = question->hello ? np_pass_to_step(&hook, NP_STEP_HELLO) :
					    np_pass_to_step(&hook, NP_STEP_PROXY);
	return np_finish_unasked(&hook, question, outcome);
}

/* Goes on with a packet from the pod to an address that a Service has. */
SEC("tc")
int np_service(struct __sk_buff *skb)
{
	return np_enter_step(skb, false);
}

/* Goes on with a packet from the pod to itself, through a Service. */
SEC("tc")
int np_hairpin(struct __sk_buff *skb)
{
	return np_enter_step(skb, true);
}

/*
 * Becomes the policy program, which returns to np_policy: a tail call in a function leaves its caller where it is. The verifier takes what is
 * returned for what the last line says, so nothing may hang on it.
 */
static __attribute__((noinline)) int np_run_policy(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &np_policies, skb->cb[NP_CB_BASE] & ~NP_CB_UNANSWERED);
	return 0;
}

/* From the answer on. */
NP_INLINE int np_enter_verdict(struct __sk_buff *skb)
{
	struct np_question *question;
	struct np_answer answer;
	struct np_hook hook;
	struct np_conclusion conclusion;
	int action;

	if (!np_resume(skb, &hook, &question, false, &action))
		return action;
	answer = np_read_answer(skb);
	if (np_unlikely(np_is_unanswered(&answer))) {
		if (question->stage >= NP_STAGE_EMBEDDED)
			/* As np_icmp_error: what is counted and reported is the error. */
			question->packet = question->error;
		return np_finish_unasked(&hook, question, np_outcome_of(NP_DROP_NO_POLICY_PROGRAM));
	}
	conclusion = np_conclude_answer(&hook, question, &answer);
	if (np_unlikely(question->hello == NP_HELLO_OPENS) && conclusion.outcome.action == NP_ACTION_NEXT)
		conclusion = np_go_on(np_pass_to_step(&hook, NP_STEP_HELLO));
	if (np_unlikely(conclusion.outcome.reason == NP_DROP_L7_UNAVAILABLE))
		conclusion.outcome = np_go_to_l7(&hook, question);
	if (np_likely(conclusion.outcome.action == NP_ACTION_NEXT)) {
		if (np_unlikely(np_is_read(&hook, question))) {
			if (np_unlikely(np_is_on_fast_path(skb)))
				return np_give_back(skb);
			np_count_hit(question->rule_hit);
			conclusion.outcome = np_outcome_of(np_go_to_dns_answer(&hook, question, conclusion.outcome.reason,
									       conclusion.news == NP_NEWS_SURE));
			return np_finish(skb, question, conclusion.outcome, false);
		}
		conclusion.outcome = np_outcome_of(np_finish_service(&hook, question, conclusion.outcome.reason));
	}
	np_count_hit(question->rule_hit);
	return np_finish(skb, question, conclusion.outcome, np_is_news(&hook, question, conclusion.news));
}

/*
 * Runs the policy program that is asked, and goes on as np_verdict. The policy program does not jump there: of a jump to a known step the
 * kernel writes the place into each program that it loads, which stops every CPU and takes a third of the time that loading takes.
 */
SEC("tc")
int np_policy(struct __sk_buff *skb)
{
	np_run_policy(skb);
	return np_enter_verdict(skb);
}

/* Goes on with what has its answer: of nobody's policy, or after np_dns_query. */
SEC("tc")
int np_verdict(struct __sk_buff *skb)
{
	return np_enter_verdict(skb);
}

/* Goes on with a packet of the pod that DNS rules decide, between the policy and np_verdict. */
SEC("tc")
int np_dns_query(struct __sk_buff *skb)
{
	struct np_question *question;
	struct np_dns_message *message = np_dns_message(skb);
	struct np_answer answer;
	struct np_hook hook;
	struct np_outcome outcome;
	int action;

	if (!np_resume(skb, &hook, &question, true, &action))
		return action;
	if (!message)
		return NP_ACTION_SHOT; /* not possible: np_dns_scratch has one entry */
	answer = np_read_answer(skb);
	outcome = np_settle_query(&hook, question, message, &answer);
	np_note_answer(question, &answer);
	return np_finish(skb, question, outcome, false);
}

/* Goes on with a packet to the pod that passes, in a flow whose queries are read. */
SEC("tc")
int np_dns_answer(struct __sk_buff *skb)
{
	struct np_question *question;
	struct np_dns_message *message = np_dns_message(skb);
	struct np_hook hook;
	enum np_reason reason = NP_DROP_DNS_ANSWER;
	int action;

	if (!np_resume(skb, &hook, &question, true, &action))
		return action;
	if (!message)
		return NP_ACTION_SHOT; /* not possible: np_dns_scratch has one entry */
	if (np_learn_answer(&hook, question, message))
		reason = np_translate_back(&hook, question, question->names_reason);
	return np_finish(skb, question, np_outcome_of(reason), question->names_news);
}

/* Not at a hook: the proxy runs it with an answer that has come over TCP, before its client gets it. */
SEC("tc")
int np_dns_lesson(struct __sk_buff *skb)
{
	struct np_lesson *lesson = np_lesson_scratch_of();
	struct np_hook hook = np_hook_of(skb);
	int answer;

	if (!lesson || !np_is_lesson(skb))
		return NP_LESSON_REFUSED;
	/* A test run may be put aside for another one. */
	if (__sync_val_compare_and_swap(&lesson->busy, 0, 1))
		return NP_LESSON_BUSY;
	answer = np_learn_lesson(&hook, lesson);
	np_write_once(lesson->busy, 0);
	return answer;
}

/* Goes on with a packet of a connection whose TLS server name decides. */
SEC("tc")
int np_hello(struct __sk_buff *skb)
{
	struct np_question *question;
	struct np_hook hook;
	struct np_outcome outcome;
	__u32 taken;
	int action;

	if (!np_resume(skb, &hook, &question, true, &action))
		return action;
	taken = np_judge_hello_packet(skb);
	outcome = np_outcome_of(taken & NP_HELLO_REASON);
	if (outcome.action == NP_ACTION_NEXT)
		/* A known flow to a Service has its entries. */
		outcome = np_outcome_of(question->hello == NP_HELLO_KNOWN ?
						np_translate_back(&hook, question, outcome.reason) :
						np_finish_service(&hook, question, outcome.reason));
	else if (taken & NP_HELLO_ANSWERED)
		outcome.action = bpf_redirect(skb->ifindex, hook.direction == NP_EGRESS ? 0 : BPF_F_INGRESS);
	else if (taken & NP_HELLO_TURNED)
		outcome.action = NP_ACTION_NEXT;
	np_count_hit(question->rule_hit);
	return np_finish(skb, question, outcome, taken & NP_HELLO_NEWS);
}

/* A packet of the node, from the frame on. `at_pod`: its other end is a pod of this node, at whose hook it is. */
NP_INLINE int np_enter_host(struct __sk_buff *skb, const struct np_host *host, const enum np_direction direction,
			    const bool at_pod)
{
	struct np_question *question = np_scratch_question();
	struct np_hook hook = {.skb = skb, .slot = host->slot, .direction = direction};

	if (!question)
		return NP_ACTION_SHOT; /* not possible: np_scratch has one entry */
	return np_finish_unasked(&hook, question, np_judge_host_packet(&hook, question, host, at_pod));
}

/* tc ingress of an uplink: the node's ingress policy, for what is for the node. */
SEC("tc")
int np_host_in(struct __sk_buff *skb)
{
	const struct np_host *host = np_find_host();
	struct np_address source, destination;

	if (!host || np_host_mode_of(host) == NP_HOST_OFF)
		return NP_ACTION_NEXT;
	/* A tag for no VLAN is as none to the stack; others go on to an interface of their own. */
	if (np_unlikely(skb->vlan_present)) {
		if (skb->vlan_tci & NP_VLAN_ID_MASK)
			return NP_ACTION_NEXT;
	} else if (!np_read_ends(skb, &source, &destination)) {
		return NP_ACTION_NEXT;
	} else if (!np_is_for_host(skb, &source, &destination)) {
		np_count(NP_REASON_TRANSIT, skb->len);
		return NP_ACTION_NEXT;
	}
	return np_enter_host(skb, host, NP_INGRESS, false);
}

/* tc egress of an uplink: the node's egress policy, for what it has generated itself. */
SEC("tc")
int np_host_out(struct __sk_buff *skb)
{
	const struct np_host *host = np_find_host();
	struct np_question *question = np_scratch_question();
	struct np_hook hook = {.skb = skb, .arrival = NP_ARRIVAL_UNKNOWN, .direction = NP_EGRESS};
	struct np_address source, destination;

	if (!host || !question || np_host_mode_of(host) == NP_HOST_OFF)
		return NP_ACTION_NEXT;
	if (np_unlikely(skb->vlan_present) || !np_read_ends(skb, &source, &destination))
		return NP_ACTION_NEXT;
	if (!skb->ingress_ifindex)
		return np_enter_host(skb, host, NP_EGRESS, false);
	if (np_unlikely(np_reaches_host(&source)) && !np_keep_transit(&hook, question, host))
		return np_finish_unasked(&hook, question, np_outcome_of(NP_DROP_TRANSIT_FULL));
	np_count(NP_REASON_TRANSIT, skb->len);
	return NP_ACTION_NEXT;
}

/* A packet between the node and a pod, at the pod's hook. Nothing jumps here where there are no policies of the node. */
NP_INLINE int np_enter_host_at_pod(struct __sk_buff *skb, const enum np_direction direction)
{
	const struct np_host *host = np_find_host();

	if (!np_config.hosts || !host) {
		np_count(NP_DROP_NO_STEP, skb->len);
		return NP_ACTION_SHOT;
	}
	return np_enter_host(skb, host, direction, true);
}

/* At a pod's hook: the node's egress policy, of what the node sends to the pod. */
SEC("tc")
int np_host_to_pod(struct __sk_buff *skb)
{
	return np_enter_host_at_pod(skb, NP_EGRESS);
}

/* At a pod's hook: the node's ingress policy, of what the pod sends to the node. */
SEC("tc")
int np_host_from_pod(struct __sk_buff *skb)
{
	return np_enter_host_at_pod(skb, NP_INGRESS);
}

/*
 * Goes on with a packet of a pod that its policy lets pass, and that is counted. If its flow takes the fast path, the receiving pod's policy
 * is asked here, as at that pod's hook.
 */
SEC("tc")
int np_fast_path(struct __sk_buff *skb)
{
	struct np_question *question = np_scratch_question();
	struct np_hook hook = np_hook_of(skb);
	struct np_path path;
	int to;

	/* The frame as it is by now, with its destination if it was to a Service. */
	if (!np_config.fast_path || !question || !np_parse_plain(skb, question))
		return NP_ACTION_NEXT;
	if (question->packet.protocol == IPPROTO_TCP && np_unlikely(question->packet.initiates)) {
		np_ask_path(skb);
		return NP_ACTION_NEXT;
	}
	to = np_find_fast_path(&hook, &question->packet, &path);
	if (to < 0) {
		if (question->packet.protocol == IPPROTO_UDP && !(path.word & NP_PATH_ASKED &&
								  np_path_asker(path.word) == hook.slot))
			np_ask_path(skb);
		return NP_ACTION_NEXT;
	}
	hook.slot = to;
	if (!np_find_endpoint(&hook) || !np_is_endpoint_address(hook.endpoint, &question->packet.destination) ||
	    !np_way_out(skb, &question->packet, hook.endpoint, hook.slot))
		return NP_ACTION_NEXT;
	np_see_path(&path, &question->packet);
	np_enter_as(skb, hook.slot | NP_CB_FAST_PATH, NP_INGRESS);
	hook.direction = NP_INGRESS;
	hook.arrival = np_arrival_of(skb, false);
	return np_finish_unasked(&hook, question, np_judge_parsed(&hook, question));
}

/* Goes on with a packet that the proxy carries, or is to carry. */
SEC("tc")
int np_proxy_step(struct __sk_buff *skb)
{
	struct np_question *question;
	struct np_hook hook;
	struct np_outcome outcome;
	int action;

	if (!np_resume(skb, &hook, &question, true, &action))
		return action;
	outcome = np_judge_proxied(&hook, question);
	if (question->proxy == NP_PROXY_ERROR)
		question->packet = question->error;
	return np_finish(skb, question, outcome, outcome.reason == NP_REASON_ALLOWED || outcome.reason == NP_REASON_REVALIDATED);
}

/* tc ingress of the node's end of the veth pair to the proxy's namespace. What is delivered to a pod is counted there. */
SEC("tc")
int np_from_proxy(struct __sk_buff *skb)
{
	struct np_question *question = np_scratch_question();
	struct np_hook hook = {.skb = skb, .arrival = NP_ARRIVAL_UNKNOWN, .direction = NP_INGRESS};
	struct np_outcome outcome;

	if (!question)
		return NP_ACTION_SHOT; /* not possible: np_scratch has one entry */
	outcome = np_deliver(&hook, question);
	if (outcome.action != NP_ACTION_REDIRECT)
		np_count(outcome.reason, skb->len);
	if (outcome.action == NP_ACTION_NEXT && np_unlikely(np_is_to_host_from_proxy(skb, question))) {
		np_jump_to(skb, NP_STEP_HOST_FROM_POD);
		np_count(NP_DROP_NO_STEP, skb->len);
		return NP_ACTION_SHOT;
	}
	return outcome.action;
}

/* Every connection that gets into the proxy's namespace is for its listener, whatever the destination. */
SEC("sk_lookup")
int np_to_listener(struct bpf_sk_lookup *lookup)
{
	__u32 first = 0;
	struct bpf_sock *listener;
	long failed;

	if (lookup->protocol != IPPROTO_TCP)
		return SK_DROP;
	listener = bpf_map_lookup_elem(&np_listeners, &first);
	if (!listener)
		return SK_DROP;
	failed = bpf_sk_assign(lookup, listener, 0);
	bpf_sk_release(listener);
	return failed ? SK_DROP : SK_PASS;
}
