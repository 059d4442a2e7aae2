/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The fast path: between two pods of the node packets go from the hook of one straight into the other, past the node's stack, when both
 * policies have been asked. Here: which flows take it (np_path_*, the table np_paths), and how a packet leaves.
 *
 *   asked   a pod sends the first packet of a flow (a SYN, or a datagram) to an address of another pod of the node. It goes by the stack.
 *   fast    it comes out at that pod's hook as it was sent. So nothing translates the flow, the node's routes lead to that pod, and no rule
 *           of the node refuses it. All further packets of the flow, both ways, take the fast path, but for SYNs.
 *
 * One word is the state of a flow, for both directions (np_paths). Where it is absent, or anything is in doubt, a packet goes by the
 * stack, and meets the policy of the other pod at that pod's hook.
 */
#ifndef NP_FAST_PATH_H
#define NP_FAST_PATH_H

#include "flow.h"
#include "hand_over.h"
#include "hook.h"
#include "outcome.h"
#include "packet.h"

#define NP_PACKET_HOST 0 /* skb->pkt_type: the frame is for the interface's own address */

/* Where a flow's word is. */
struct np_path {
	struct np_path_set *set; /* NULL: there is no table */
	__u64 word; /* 0: the flow has none */
	__u32 way; /* of it */
	__u32 tag;
};

NP_INLINE __u32 np_path_asker(__u64 word)
{
	return word >> NP_PATH_ASKER_AT & NP_PATH_SLOT_MASK;
}

NP_INLINE __u32 np_path_other(__u64 word)
{
	return word >> NP_PATH_OTHER_AT & NP_PATH_SLOT_MASK;
}

NP_INLINE __u32 np_path_clock(void)
{
	return bpf_jiffies64() >> NP_PATH_CLOCK_SHIFT & NP_PATH_CLOCK_MASK;
}

NP_INLINE __u64 np_path_word(__u32 tag, __u32 asker, __u32 other, __u32 flags)
{
	return (__u64)tag << NP_PATH_TAG_AT | (__u64)asker << NP_PATH_ASKER_AT | (__u64)other << NP_PATH_OTHER_AT |
	       (__u64)np_path_clock() << NP_PATH_CLOCK_AT | flags;
}

/* Finds the word of the packet's flow: the same for both directions. */
NP_INLINE void np_find_path(const struct np_packet *packet, struct np_path *path)
{
	__u32 only = 0;
	const struct np_flow_seed *seed = bpf_map_lookup_elem(&np_flow_seed, &only);
	__u64 hash, have = 0;
	__u32 number;

	path->set = NULL;
	path->word = 0;
	path->way = 0;
	path->tag = 0;
	if (!seed)
		return;
	hash = np_path_hash(seed, &packet->source, packet->source_port, &packet->destination, packet->destination_port,
			    packet->protocol);
	number = hash & (NP_PATH_SETS - 1);
	path->tag = hash >> NP_PATH_TAG_AT;
	path->set = bpf_map_lookup_elem(&np_paths, &number);
	if (!path->set)
		return;
	/* Without a branch, which the verifier would follow eight times. */
	_Pragma("clang loop unroll(full)")
	for (__u32 way = 0; way < NP_PATH_WAYS; way++) {
		const __u64 word = np_read_once(path->set->path[way]);
		const __u64 differs = (word >> NP_PATH_TAG_AT) ^ path->tag;
		const __u64 mask = -((differs - 1) >> 63) & ~have;

		path->word |= word & mask;
		path->way |= way & mask;
		have |= mask;
	}
}

/* Puts another word in the place of the one that was found. Another CPU may have been faster: then its word stays. */
NP_INLINE void np_change_path(const struct np_path *path, __u64 word)
{
	if (path->set && word != path->word)
		__sync_val_compare_and_swap(&path->set->path[path->way & (NP_PATH_WAYS - 1)], path->word, word);
}

/* Whether no packet of a word's flow has taken the fast path for some seconds. */
NP_INLINE bool np_is_path_older(__u64 word, __u64 seconds)
{
	const __u32 then = word >> NP_PATH_CLOCK_AT & NP_PATH_CLOCK_MASK;
	const __u32 age = (np_path_clock() - then) & NP_PATH_CLOCK_MASK;

	return age > (seconds * np_config.hertz >> NP_PATH_CLOCK_SHIFT) + 1;
}

/* Whether a word's flow makes room for another one. */
NP_INLINE bool np_is_path_over(__u64 word)
{
	__u64 seconds = NP_TIMEOUT_ESTABLISHED;

	if (!(word & NP_PATH_FAST))
		return true;
	if (word & NP_PATH_DATAGRAMS)
		seconds = NP_TIMEOUT_DATAGRAM;
	else if (word & NP_PATH_ENDED || !(word & NP_PATH_USED))
		seconds = NP_TIMEOUT_UNANSWERED;
	return np_is_path_older(word, seconds);
}

/*
 * Takes down the frames by which the pod at the hook is reached: that of a packet that the stack sends to it, or, the other way round, of
 * one that it has sent to the node. Should a pod lie about its address, the frames that it gets itself are wrong.
 */
NP_INLINE bool np_note_path_end(const struct np_hook *hook)
{
	struct np_path_end *end = bpf_map_lookup_elem(&np_path_ends, &hook->slot);
	const bool is_sender = hook->direction == NP_EGRESS;
	struct np_mac head[2]; /* destination and source */
	struct np_path_end now;

	if (!end || hook->endpoint->ifindex != hook->skb->ifindex || bpf_skb_load_bytes(hook->skb, 0, head, sizeof(head)))
		return false;
	__builtin_memcpy(now.pod, &head[is_sender], ETH_ALEN);
	__builtin_memcpy(now.host, &head[!is_sender], ETH_ALEN);
	now.ifindex = hook->endpoint->ifindex;
	if (np_unlikely(__builtin_memcmp(end, &now, sizeof(now))))
		*end = now;
	return true;
}

/*
 * Writes down that the pod at the hook asks for a flow with another pod of the node. Where there is no room the flow goes by the stack
 * for good: nobody who opens many flows takes the path of others'. A global function: it is verified once.
 */
__attribute__((noinline)) int np_ask_path(struct __sk_buff *skb)
{
	const struct np_question *question = np_scratch_question();
	struct np_hook hook = np_hook_of(skb);
	const struct np_packet *packet;
	struct np_path path;
	__u32 other;

	if (!question || !np_find_endpoint(&hook) || !(hook.endpoint->flags & NP_ENDPOINT_FAST))
		return 0;
	packet = &question->packet;
	if (np_is_endpoint_address(hook.endpoint, &packet->destination) ||
	    !bpf_map_lookup_elem(&np_sources, &packet->destination) || skb->pkt_type != NP_PACKET_HOST ||
	    !np_note_path_end(&hook))
		return 0;
	np_find_path(packet, &path);
	if (!path.set)
		return 0;
	other = np_path_asker(path.word) == hook.slot ? np_path_other(path.word) : np_path_asker(path.word);
	if (path.word & NP_PATH_FAST &&
	    (np_path_asker(path.word) == hook.slot || np_path_other(path.word) == hook.slot)) {
		/* A SYN in a connection that may be alive: the path stays what it is, unless the stack brings another one's SYN. */
		np_change_path(&path, np_path_word(path.tag, hook.slot, other,
						   (path.word & NP_PATH_FLAGS_MASK) | NP_PATH_ASKED));
		return 0;
	}
	if (!path.word) {
		_Pragma("clang loop unroll(disable)")
		for (path.way = 0; path.way < NP_PATH_WAYS; path.way++) {
			path.word = np_read_once(path.set->path[path.way & (NP_PATH_WAYS - 1)]);
			if (!path.word || np_is_path_over(path.word))
				break;
		}
		if (path.way == NP_PATH_WAYS)
			return 0;
	}
	np_change_path(&path, np_path_word(path.tag, hook.slot, 0, NP_PATH_ASKED));
	return 0;
}

/* Whether the packet is one that a flow may begin with. */
NP_INLINE bool np_may_begin_path(const struct np_packet *packet)
{
	return packet->protocol == IPPROTO_UDP || (packet->protocol == IPPROTO_TCP && packet->initiates);
}

/* Whether a packet to the pod at the hook has come by the stack from the pod in `slot`, unchanged. */
NP_INLINE bool np_has_come_from(const struct np_hook *hook, const struct np_packet *packet, __u32 slot)
{
	const struct np_endpoint *sender = bpf_map_lookup_elem(&np_endpoints, &slot);
	const struct np_path_end *end = bpf_map_lookup_elem(&np_path_ends, &slot);

	/* Both ways, or none: the sender can be reached by the fast path as well. */
	return sender && end && end->ifindex == sender->ifindex && sender != hook->endpoint && sender->flags & NP_ENDPOINT_FAST &&
	       sender->flags & NP_ENDPOINT_READY && np_is_endpoint_address(sender, &packet->source) &&
	       sender->ifindex == hook->skb->ingress_ifindex;
}

/*
 * After the policy of the pod at the hook has let a packet pass that has come by the stack: if a flow of two pods began with this packet,
 * the flow takes the fast path from now on. A SYN or a datagram that has been translated on its way from the sender's hook ends a former
 * flow of the same ends. A global function: it is verified once.
 */
__attribute__((noinline)) int np_confirm_path(struct __sk_buff *skb)
{
	const struct np_question *question = np_scratch_question();
	struct np_hook hook = np_hook_of(skb);
	const struct np_packet *packet;
	struct np_path path;
	__u32 asker;

	if (!question || !np_find_endpoint(&hook))
		return 0;
	packet = &question->packet;
	np_find_path(packet, &path);
	if (np_likely(!path.word))
		return 0;
	asker = np_path_asker(path.word);
	if (path.word & NP_PATH_ASKED && hook.endpoint->flags & NP_ENDPOINT_FAST &&
	    np_has_come_from(&hook, packet, asker) && np_note_path_end(&hook)) {
		np_change_path(&path, np_path_word(path.tag, asker, hook.slot,
						   NP_PATH_FAST | (path.word & NP_PATH_USED) |
							   (packet->initiates ? 0 : NP_PATH_DATAGRAMS)));
		return 0;
	}
	if (packet->initiates || path.word & NP_PATH_FAST)
		np_change_path(&path, 0);
	return 0;
}

/* The slot of the pod that the packet reaches by the fast path; negative: it goes by the stack. */
NP_INLINE int np_find_fast_path(const struct np_hook *hook, const struct np_packet *packet, struct np_path *path)
{
	__u32 slot;

	np_find_path(packet, path);
	if (!(path->word & NP_PATH_FAST))
		return -1;
	slot = np_path_asker(path->word);
	if (slot == hook->slot)
		return np_path_other(path->word);
	return np_path_other(path->word) == hook->slot ? (int)slot : -1;
}

/* The frames by which a pod gets a packet, if it can be handed over as by the stack: it is for the node, may be forwarded, and fits. Else NULL. */
NP_INLINE const struct np_path_end *np_way_out(struct __sk_buff *skb, const struct np_packet *packet,
					       const struct np_endpoint *to, __u32 slot)
{
	const struct np_path_end *end = bpf_map_lookup_elem(&np_path_ends, &slot);
	__u32 size = 0; /* the helper takes the packet's */

	return end && end->ifindex == to->ifindex && packet->hop_limit > 1 && skb->pkt_type == NP_PACKET_HOST &&
			       !bpf_check_mtu(skb, to->ifindex, &size, 0, BPF_MTU_CHK_SEGS) ?
		       end : NULL;
}

/* Notes in its flow's word that a packet takes the fast path. */
NP_INLINE void np_see_path(const struct np_path *path, const struct np_packet *packet)
{
	const __u64 clock = np_path_clock();
	__u64 word = path->word | NP_PATH_USED;

	if (packet->tcp_flags & (NP_TCP_FIN | NP_TCP_RST))
		word |= NP_PATH_ENDED;
	if (np_unlikely((word >> NP_PATH_CLOCK_AT & NP_PATH_CLOCK_MASK) != clock))
		word = (word & ~((__u64)NP_PATH_CLOCK_MASK << NP_PATH_CLOCK_AT)) | clock << NP_PATH_CLOCK_AT;
	if (np_unlikely(word != path->word))
		np_change_path(path, word);
}

/* np_hand_over to the pod in cb[0]. A global function: it is verified once. */
__attribute__((noinline)) int np_leave(struct __sk_buff *skb)
{
	const struct np_hook hook = np_hook_of(skb);
	const struct np_path_end *end = bpf_map_lookup_elem(&np_path_ends, &hook.slot);
	const struct np_endpoint *to = bpf_map_lookup_elem(&np_endpoints, &hook.slot);

	return end && to ? np_hand_over(skb, end, to->ifindex) : NP_ACTION_SHOT;
}

/*
 * A packet to a pod that passes: on the fast path it leaves here; one that has come by the stack may be the first of a flow that takes the
 * fast path from now on. Returns what becomes of the packet.
 */
NP_INLINE struct np_outcome np_arrive(struct __sk_buff *skb, const struct np_question *question, struct np_outcome outcome)
{
	if (np_own_direction(skb) != NP_INGRESS)
		return outcome;
	if (skb->cb[NP_CB_ENDPOINT] & NP_CB_FAST_PATH) {
		outcome.action = np_leave(skb);
		if (np_unlikely(outcome.action != NP_ACTION_REDIRECT))
			outcome = np_outcome_of(NP_DROP_INTERNAL);
	} else if (question->straight && np_may_begin_path(&question->packet)) {
		np_confirm_path(skb);
	}
	return outcome;
}

/* A packet on the fast path that not only policies have to see goes by the stack, and is decided at its receiver's hook. */
NP_INLINE int np_give_back(struct __sk_buff *skb)
{
	skb->cb[NP_CB_ENDPOINT] &= ~NP_CB_FAST_PATH;
	return NP_ACTION_NEXT;
}

#endif
