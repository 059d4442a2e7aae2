/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an answer of the policy means for the packet: the packet is decided, or another question follows.
 *
 *   OWN       the packet in its own right. Denied: it passes only as the reply of a flow. Allowed: it passes, where the opposite
 *             direction lets everything pass (NP_STATE_NEVER);
 *   MIRROR    else, where the opposite direction may let the answers pass by itself (NP_STATE_MIRROR), that one is asked.
 *             Allowed: the packet passes, and no entry is read or written;
 *   state     otherwise the flow's entry decides, and is made if there is none;
 *   REPLY     of a flow that was admitted under another revision, the policy that admitted it is asked again.
 *
 * A flow has one orientation, that of the packet that made its entry: only what can be an answer passes against it.
 */
#ifndef NP_VERDICT_H
#define NP_VERDICT_H

#include "judge.h"
#include "l7.h"
#include "proxied.h"

/* What becomes of a packet, and whether that is worth a record. */
struct np_conclusion {
	struct np_outcome outcome;
	enum np_news news;
};

NP_INLINE struct np_conclusion np_conclude(enum np_reason reason, enum np_news news)
{
	struct np_conclusion conclusion = {.outcome = np_outcome_of(reason), .news = news};

	return conclusion;
}

/* Another question follows; if that returns, the packet is dropped. */
NP_INLINE struct np_conclusion np_go_on(struct np_outcome outcome)
{
	struct np_conclusion conclusion = {.outcome = outcome};

	return conclusion;
}

/* Takes the answer down as the one that decides, for counters and events. */
NP_INLINE void np_note_answer(struct np_question *question, const struct np_answer *answer)
{
	question->rule_hit = np_rule_hit_of(answer);
	question->decision = answer->decision;
	question->decided = question->direction;
	question->remote_identity = question->asked;
	question->flags = question->asked_flags;
}

/* The end of a packet that passes and that no entry remembers. */
NP_INLINE struct np_conclusion np_pass_stateless(const struct np_question *question)
{
	const struct np_packet *packet = &question->packet;

	if (question->allowed == NP_REASON_HAIRPIN)
		return np_conclude(NP_REASON_HAIRPIN, NP_NEWS_NONE);
	if (packet->protocol == IPPROTO_TCP && question->tracked)
		return np_conclude(NP_REASON_ALLOWED, packet->initiates ? NP_NEWS_SURE : NP_NEWS_NONE);
	return np_conclude(NP_REASON_ALLOWED, NP_NEWS_PERHAPS);
}

NP_INLINE struct np_conclusion np_pass_new(const struct np_question *question)
{
	return np_conclude(question->allowed, question->allowed == NP_REASON_HAIRPIN ? NP_NEWS_NONE : NP_NEWS_SURE);
}

/* The entry that the packet makes for the pod in a role. */
NP_INLINE void np_fill_flow(struct np_question *question, __u32 role)
{
	struct np_flow_record *flow = &question->flow;
	const struct np_address nobody = {};

	if (np_likely(!question->choice.made && !question->choice.back)) {
		flow->other = nobody;
		flow->other_port = 0;
		if (np_unlikely(question->named) && role == NP_ROLE_INITIATOR) {
			flow->other.word[0] = question->named;
			flow->other.word[1] = question->names;
			flow->flags |= NP_ENTRY_NAMED;
		}
	}
	flow->revision = question->revision;
	flow->arrival = question->arrival;
	flow->last_seen = np_flow_clock();
	flow->flags |= role << NP_ENTRY_ROLE_SHIFT |
		       np_flags_set_by(&question->packet, question->travel, role, true);
}

/* What the state says where the entry is absent. */
NP_INLINE struct np_conclusion np_judge_unknown(const struct np_hook *hook, struct np_question *question,
						const struct np_flow_place *place, __u64 hash)
{
	__u32 role = np_role_of(question->travel);

	if (question->own != NP_REASON_ALLOWED)
		return np_conclude(question->own, NP_NEWS_NONE);
	if (question->packet.kind == NP_KIND_ICMP_REPLY)
		return np_pass_stateless(question);
	/*
	 * If the packet may be an answer, its flow is one that the opposite direction must allow. So a flow that passed without
	 * state is cut in both directions when it is revoked.
	 */
	if (question->allowed != NP_REASON_HAIRPIN && !question->choice.made &&
	    np_may_answer(&question->packet, hook->slot)) {
		if (question->stage == NP_STAGE_OWN)
			return np_go_on(np_ask_mirror(hook, question, NP_STAGE_MIRROR));
		if (question->answered != NP_REASON_ALLOWED) {
			/* By no rule of the packet's own direction. */
			question->rule_hit = 0;
			question->decided = question->direction;
			return np_conclude(question->answered, NP_NEWS_NONE);
		}
		/* Of datagrams whose ports tell nothing there is no entry that might say the wrong thing: both directions pass. */
		if (np_has_no_connection(question->packet.protocol) && !np_is_from_server(&question->packet))
			return np_pass_stateless(question);
		role = np_role_of(np_opposite(question->travel));
	}
	np_fill_flow(question, role);
	/* What was a Service's address is none any more. */
	if (np_unlikely(place->set))
		np_free_flow(place);
	if (!np_insert_flow(hook->skb, hash))
		return np_conclude(NP_DROP_CONNTRACK_FULL, NP_NEWS_NONE);
	return np_pass_new(question);
}

/* A packet that policy allows and that begins something, with an entry there already. */
NP_INLINE struct np_conclusion np_judge_beginning(const struct np_hook *hook, struct np_question *question,
						  struct np_flow_place *place, bool forward, __u64 hash)
{
	if (np_is_over(place, question->packet.protocol)) {
		np_fill_flow(question, np_role_of(question->travel));
		/* Where another CPU was faster, its entry is as good. */
		np_replace_flow(place, &question->flow, hash);
		return np_pass_new(question);
	}
	if (np_unlikely(question->hello == NP_HELLO_OPENS)) {
		/* There is a connection the other way round, or one that the proxy carries. */
		if (!forward || question->is_proxied)
			return np_conclude(NP_DROP_NOT_PROXIED, NP_NEWS_NONE);
		/* Before it passes by its entry under this revision. */
		np_mark_flow(place, NP_ENTRY_HELLO, 0);
	} else if (forward && question->packet.protocol == IPPROTO_TCP) {
		np_leave_hello(place);
		if (np_unlikely(place->flags & NP_ENTRY_HELLO))
			np_release_flow(place, NP_ENTRY_HELLO);
	}
	/* A connection stays with the proxy until it ends, whatever policy says by now. */
	if (np_unlikely(question->is_proxied) && forward)
		return np_go_on(np_outcome_of(np_go_to_proxy(hook, question, NP_PROXY_ALLOWED)));
	if (forward)
		np_stamp_flow(place, question->revision,
			      question->travel == NP_INGRESS ? question->arrival : place->arrival);
	/* A name that has expired does not go on to count by being asked for again and again (np_keep_opening). */
	if (np_likely(!question->kept))
		np_see_packet(place, &question->packet, question->travel);
	return np_pass_new(question);
}

/*
 * Keeps up in the entry whether the flow's packets are read, by what policy says of the pod's packet. Before its revision: no query
 * passes by an entry that does not say yet that it is one.
 */
NP_INLINE void np_note_queries(struct np_question *question, struct np_flow_place *place)
{
	const __u32 reads = question->flow.flags & NP_ENTRY_QUERIES;

	if (np_likely(!((place->flags | reads) & NP_ENTRY_QUERIES)))
		return;
	question->reads = true;
	if (reads)
		np_mark_flow(place, NP_ENTRY_QUERIES, 0);
	else if (question->stage == NP_STAGE_OWN && question->travel == NP_EGRESS && question->own == NP_REASON_ALLOWED)
		np_mark_flow(place, 0, NP_ENTRY_QUERIES);
}

/* A packet that passes by its entry, under the verdict of the question's revision. */
NP_INLINE struct np_conclusion np_pass_by_entry(const struct np_hook *hook, struct np_question *question,
						struct np_flow_place *place, enum np_reason reason)
{
	if (np_unlikely(place->flags & NP_ENTRY_PROXY))
		return np_go_on(np_outcome_of(np_go_to_proxy(
			hook, question, reason == NP_REASON_REVALIDATED ? NP_PROXY_ALLOWED : NP_PROXY_KNOWN)));
	/* What the proxy has of the server's side of a flow that the client's pod sends there. */
	if (np_unlikely(reason == NP_REASON_REVALIDATED) && question->packet.protocol == IPPROTO_TCP &&
	    np_is_from_proxy(question->travel == NP_INGRESS ? question->arrival : place->arrival))
		return np_go_on(np_outcome_of(np_go_to_proxy(hook, question, NP_PROXY_ALLOWED)));
	/* A plain rule admits it: nobody waits for a name any more. */
	if (np_unlikely(place->flags & NP_ENTRY_HELLO))
		np_release_flow(place, NP_ENTRY_HELLO);
	np_note_queries(question, place);
	np_stamp_flow(place, question->revision, question->travel == NP_INGRESS ? question->arrival : place->arrival);
	if (np_answers_itself(hook, place, question->packet.protocol,
			      np_flow_role(place->flags) == np_role_of(question->travel)))
		np_set_flags(place, NP_ENTRY_ANSWERED);
	else
		np_see_packet(place, &question->packet, question->travel);
	return np_conclude(reason, reason == NP_REASON_REVALIDATED ? NP_NEWS_SURE : NP_NEWS_NONE);
}

/* What the proxy has of a revoked flow must not get to anybody either. */
NP_INLINE void np_cut_proxied(const struct np_question *question, const struct np_flow_place *place, enum np_reason reason)
{
	if (np_unlikely(question->is_proxied) && reason != NP_DROP_L7_UNAVAILABLE)
		np_free_flow(place);
}

/*
 * The entry decides. All that was found out is read from the question again: so the verifier, which follows no values through
 * a map, follows one path from here on.
 */
NP_INLINE struct np_conclusion np_judge_by_state(const struct np_hook *hook, struct np_question *question)
{
	const __u8 answered = np_read_once(question->answered);
	const __u8 own = np_read_once(question->own);
	const __u8 stage = np_read_once(question->stage);
	const struct np_packet *packet = &question->packet;
	const bool is_allowed = own == NP_REASON_ALLOWED;
	struct np_flow_place place;
	bool known, forward;
	__u64 hash;

	np_fill_flow_key(hook->endpoint, packet, question->travel, &question->flow);
	hash = np_hash_flow(hook->slot, &question->flow);
	known = np_find_flow(hook->endpoint, hook->slot, &question->flow, hash, &place) &&
		np_flow_role(place.flags) != NP_ROLE_NONE;
	forward = known && np_flow_role(place.flags) == np_role_of(question->travel);

	question->is_proxied = known && place.flags & NP_ENTRY_PROXY;
	if (known && !np_opens(packet) && !np_note_frontend(hook, question, &place))
		return np_conclude(NP_DROP_INTERNAL, NP_NEWS_NONE);
	if (stage == NP_STAGE_REPLY) {
		if (answered != NP_REASON_ALLOWED) {
			/* A server that goes on sending does not begin a flow of its own when the revoked one would be forgotten. */
			if (known && !forward && np_is_from_server(packet))
				np_mark_flow(&place, 0, 0);
			if (known)
				np_cut_proxied(question, &place, answered);
			return np_conclude(answered, NP_NEWS_NONE);
		}
		/* Gone since it was found, it was there all the same. */
		if (!known || forward)
			return np_conclude(NP_REASON_REVALIDATED, NP_NEWS_SURE);
		return np_pass_by_entry(hook, question, &place, NP_REASON_REVALIDATED);
	}
	if (!known)
		return np_judge_unknown(hook, question, &place, hash);
	if (np_opens(packet) || !np_belongs(packet, forward)) {
		if (!is_allowed)
			return np_conclude(own, NP_NEWS_NONE);
		return packet->kind == NP_KIND_ICMP_REPLY ? np_pass_stateless(question) :
							    np_judge_beginning(hook, question, &place, forward, hash);
	}
	if (forward) {
		enum np_reason renewed = question->allowed == NP_REASON_HAIRPIN ? NP_REASON_HAIRPIN :
										  NP_REASON_REVALIDATED;

		if (!is_allowed) {
			np_cut_proxied(question, &place, own);
			return np_conclude(own, NP_NEWS_NONE);
		}
		return np_pass_by_entry(hook, question, &place,
					place.revision == question->revision ? NP_REASON_ESTABLISHED : renewed);
	}
	/* By an entry that is over nothing passes as an answer. */
	if (!is_allowed && (np_is_forgotten(&place, packet->protocol, forward) ||
			    (np_answers_itself(hook, &place, packet->protocol, forward) && np_is_hairpin_over(&place))))
		return np_conclude(own, NP_NEWS_NONE);
	if (place.revision == question->revision) {
		if (np_unlikely(place.flags & NP_ENTRY_HELLO))
			return np_conclude(np_go_to_hello(hook, question), NP_NEWS_NONE);
		/* Not by the rule that denied the packet in its own right. */
		if (!is_allowed)
			question->rule_hit = 0;
		return np_pass_by_entry(hook, question, &place, NP_REASON_REPLY);
	}
	if (np_is_hairpin(hook, np_direction_of(np_flow_role(place.flags)), place.arrival))
		return np_pass_by_entry(hook, question, &place, NP_REASON_HAIRPIN);
	np_keep_names(hook, question, &place);
	return np_go_on(np_ask_stage(hook, question, NP_STAGE_REPLY, np_opposite(question->travel), place.arrival));
}

/* An ICMP error of a flow that no policy allows statelessly is judged by its type. */
NP_INLINE struct np_conclusion np_judge_error_by_type(const struct np_hook *hook, struct np_question *question)
{
	question->packet = question->error;
	question->travel = hook->direction;
	question->tracked = false;
	question->need = NP_STATE_NEVER;
	if (np_is_hairpin(hook, hook->direction, question->arrival))
		return np_conclude(NP_REASON_HAIRPIN, NP_NEWS_NONE);
	return np_go_on(np_ask_stage(hook, question, NP_STAGE_OWN, hook->direction, question->arrival));
}

/* The stages of an ICMP error. */
NP_INLINE struct np_conclusion np_conclude_error(const struct np_hook *hook, struct np_question *question,
						 const struct np_answer *answer, enum np_reason answered)
{
	const bool is_allowed = answered == NP_REASON_ALLOWED;

	if (question->stage == NP_STAGE_EMBEDDED_FLOW) {
		struct np_flow_place place;
		__u64 hash = np_hash_flow(hook->slot, &question->flow);

		np_note_answer(question, answer);
		if (!is_allowed)
			return np_conclude(answered, NP_NEWS_NONE);
		if (np_find_flow(hook->endpoint, hook->slot, &question->flow, hash, &place) &&
		    np_direction_of(np_flow_role(place.flags)) == question->direction) {
			np_note_queries(question, &place);
			np_stamp_flow(&place, question->revision, place.arrival);
		}
		return np_conclude(NP_REASON_RELATED, NP_NEWS_SURE);
	}
	if (!is_allowed)
		return np_judge_error_by_type(hook, question);
	if (question->stage == NP_STAGE_EMBEDDED) {
		np_note_answer(question, answer);
		if (question->need != NP_STATE_NEVER)
			return np_go_on(np_ask_mirror(hook, question, NP_STAGE_EMBEDDED_MIRROR));
	}
	return np_conclude(NP_REASON_RELATED, NP_NEWS_PERHAPS);
}

/* What the policy's answer makes of the packet. Does not return if another question follows. */
NP_INLINE struct np_conclusion np_conclude_answer(const struct np_hook *hook, struct np_question *question,
						  const struct np_answer *answer)
{
	enum np_reason answered = np_reason_of(answer);

	if (np_unlikely(question->names_done)) {
		answered = question->names_reason;
		question->names_done = false;
	} else if (np_unlikely(np_is_l7(answer))) {
		answered = np_route_l7(hook, question, answer);
	}
	if (answered == NP_REASON_ALLOWED && np_unlikely(question->also))
		return np_go_on(np_ask_also(hook, question));
	if (np_unlikely(question->stage >= NP_STAGE_EMBEDDED))
		return np_conclude_error(hook, question, answer, answered);

	if (np_likely(question->stage == NP_STAGE_OWN)) {
		question->own = answered;
		np_note_answer(question, answer);
		if (answered != NP_REASON_ALLOWED) {
			if (!question->tracked || question->packet.initiates)
				return np_conclude(answered, NP_NEWS_NONE);
		} else if (!question->tracked || question->need == NP_STATE_NEVER) {
			return np_pass_stateless(question);
		} else if (question->need == NP_STATE_MIRROR) {
			return np_go_on(np_ask_mirror(hook, question, NP_STAGE_MIRROR));
		}
	} else if (question->stage == NP_STAGE_MIRROR) {
		if (answered == NP_REASON_ALLOWED && question->need == NP_STATE_MIRROR)
			return np_pass_stateless(question);
	} else {
		np_note_answer(question, answer);
	}
	question->answered = answered;
	return np_judge_by_state(hook, question);
}

#endif
