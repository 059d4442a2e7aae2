/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether the rules allow a connection for the name in its ClientHello. */
#ifndef NP_HELLO_NAMES_H
#define NP_HELLO_NAMES_H

#include "hello_connection.h"
#include "name.h"
#include "policy.h"

/* One byte of the name, or the length of one of its labels: hello->walk is the automaton's state, hello->number what is left of the label. */
static long np_hello_walk_step(__u32 step, struct np_hello_reading *reading)
{
	struct np_hello *hello = reading->hello;
	const __u32 revision = hello->place;
	const __u8 byte = hello->name[step & (NP_NAME_BYTES - 1)];
	__u32 class = NP_NAME_CLASS_END;

	if (hello->number) {
		hello->number--;
		class = np_name_class(byte);
	} else {
		hello->number = byte;
		if (!step)
			return 0;
	}
	hello->walk = np_name_step(revision, hello->walk, class);
	return class == NP_NAME_CLASS_END && !byte;
}

/* The L7 bits that the connection's name satisfies, by the automaton that is in force now. */
__attribute__((noinline)) __u64 np_hello_rules(struct __sk_buff *skb, struct np_hello *hello)
{
	struct np_hello_reading reading = {.skb = skb, .hello = hello};
	const __u32 revision = np_names_in_force();
	const struct np_name_rule *rule;

	if (!hello || !hello->name_length || !revision)
		return 0;
	hello->number = 0;
	hello->walk = NP_NAME_START;
	hello->place = revision;
	bpf_loop(NP_NAME_BYTES, np_hello_walk_step, &reading, 0);
	hello->number = 0;
	rule = np_name_rule(hello->base, revision, np_name_set(revision, hello->walk));
	return rule ? rule->rules & hello->rules : 0;
}

/* Lets the connection's name decide, again or for the first time. False: no rule allows it. */
NP_INLINE bool np_decide_hello(struct np_hello_work *work)
{
	const struct np_hello *hello = work->hello;
	const __u64 rules = np_hello_rules(work->hook->skb, work->hello);
	const struct np_answer answer = {
		.decision = NP_DECISION_RULE,
		.word = hello->word,
		.bit = rules & -rules,
		.base = hello->base,
	};

	work->question->rule_hit = rules ? np_rule_hit_of(&answer) : 0;
	return rules;
}

/* Takes over what the policy answers now. A name that is known already must be one of these rules too. */
NP_INLINE void np_renew_hello(struct np_hello_work *work)
{
	const struct np_question *question = work->question;
	struct np_hello *hello = work->hello;
	const bool is_same = hello->base == question->l7_base && hello->rules == question->l7_rules &&
			     hello->word == question->l7_word;

	hello->identity = question->asked;
	if (is_same)
		return;
	hello->base = question->l7_base;
	hello->rules = question->l7_rules;
	hello->word = question->l7_word;
	if ((hello->state == NP_HELLO_ALLOWED || hello->state == NP_HELLO_DECIDED) && !np_decide_hello(work))
		(void)np_refuse_hello(work, NP_DROP_SERVER_NAME);
}

#endif
