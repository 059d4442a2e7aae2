/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Neighbour discovery, listener reports and queries to pods: IPv6 does not work without them, so they pass under any policy.
 * Only on the link: the hop limit proves or enforces that there is no router in between, and from a pod the destination must be one
 * that is not forwarded. What a pod says of addresses and frames must be about its own, and no message is longer than such a one is:
 * what it carries besides would pass under any policy too. Other messages of these types are judged like any ICMPv6, after the source
 * check. Reports to a pod were looked at at the hook of the pod that sent them; dropping them there would be a drop in every isolated
 * pod behind a bridge for each address of its neighbours.
 *
 * In a program of its own: behind the parser, with all the states in which that ends, the verifier of 6.1 would give up.
 */
#ifndef NP_NEIGHBOUR_H
#define NP_NEIGHBOUR_H

#include "arp.h"
#include "judge.h"

#define NP_MAX_NEIGHBOUR_OPTIONS 2 /* Linux sends no more */
/*
 * Groups of a report of version 2, each without sources. A pod has one for each of its addresses and some that are everybody's; what
 * does not get through is a larger report of who has joined many, which then are not known to a switch that snoops.
 */
#define NP_MAX_LISTENER_RECORDS 16
#define NP_LISTENER_RECORD_BYTES 20 /* RFC 3810 5.2 */
#define NP_GROUP_ROUTERS 0x2 /* ff02::2 */
#define NP_GROUP_LISTENER_REPORTS 0x16 /* ff02::16 */

/* A pod is a host: it does not advertise routes, redirect its node, or query for listeners. */
NP_INLINE bool np_is_neighbour_message_from_host(__u8 type)
{
	return type == NP_ICMPV6_ROUTER_SOLICITATION || type == NP_ICMPV6_NEIGHBOUR_SOLICITATION ||
	       type == NP_ICMPV6_NEIGHBOUR_ADVERTISEMENT;
}

NP_INLINE bool np_is_neighbour_message(__u8 type)
{
	return type >= NP_ICMPV6_ROUTER_SOLICITATION && type <= NP_ICMPV6_REDIRECT;
}

/* Those that have a target. */
NP_INLINE bool np_is_about_target(__u8 type)
{
	return type == NP_ICMPV6_NEIGHBOUR_SOLICITATION || type == NP_ICMPV6_NEIGHBOUR_ADVERTISEMENT;
}

NP_INLINE bool np_is_listener_report(__u8 type)
{
	return type == NP_ICMPV6_LISTENER_REPORT || type == NP_ICMPV6_LISTENER_DONE ||
	       type == NP_ICMPV6_LISTENER_REPORT_V2;
}

NP_INLINE bool np_is_link_source(const struct np_address *source)
{
	return np_is_ipv6_link_local(source) || np_is_unspecified(source);
}

/*
 * Whether a link-local address may be that of the sender of a frame. Nobody tells which ones a pod has; but one made of an
 * Ethernet address (modified EUI-64) must be of the frame's, and one that the node is known to have is not the pod's.
 */
NP_INLINE bool np_is_own_link_local(const struct np_address *address, const struct np_mac *frame)
{
	const __u8 *mac = frame->byte;
	const __u32 upper = bpf_ntohl(address->word[2]), lower = bpf_ntohl(address->word[3]);

	if (!np_is_ipv6_link_local(address))
		return false;
	if ((upper & 0xff) == 0xff && lower >> 24 == 0xfe)
		return upper == ((mac[0] ^ 2u) << 24 | mac[1] << 16 | mac[2] << 8 | 0xff) &&
		       lower == (0xfeu << 24 | mac[3] << 16 | mac[4] << 8 | mac[5]);
	return !bpf_map_lookup_elem(&np_addresses, address);
}

NP_INLINE bool np_is_own(const struct np_endpoint *endpoint, const struct np_address *address,
			 const struct np_mac *frame)
{
	return np_is_endpoint_address(endpoint, address) || np_is_own_link_local(address, frame);
}

/*
 * Options at the cursor up to the packet's end: link-layer addresses, which must be the frame's, and a nonce (RFC 7527). Others would be
 * messages that pass under any policy.
 */
NP_INLINE enum np_reason np_check_neighbour_options(struct np_cursor *cursor, const struct np_mac *frame,
						    const bool may_have_source)
{
	cursor->direct = false;
	for (int i = 0; i < NP_MAX_NEIGHBOUR_OPTIONS; i++) {
		struct np_neighbour_option option;
		struct np_mac mac;
		__u32 length;

		if (cursor->offset == cursor->end)
			return NP_REASON_NONE;
		if (np_peek(cursor, &option))
			return NP_DROP_TRUNCATED;
		length = option.length * NP_OCTAWORD_BYTES;
		if (!length)
			return NP_DROP_BAD_HEADER;
		if (cursor->offset + length > cursor->end)
			return NP_DROP_TRUNCATED;
		if (option.type == NP_OPTION_SOURCE_LINK || option.type == NP_OPTION_TARGET_LINK) {
			if (bpf_skb_load_bytes(cursor->skb, cursor->offset + sizeof(option), &mac, sizeof(mac)))
				return NP_DROP_TRUNCATED;
			if (length != NP_OCTAWORD_BYTES || !np_same_mac(&mac, frame))
				return NP_DROP_NEIGHBOUR_SPOOFED;
			if (option.type == NP_OPTION_SOURCE_LINK && !may_have_source)
				return NP_DROP_NEIGHBOUR_SPOOFED;
		} else if (option.type != NP_OPTION_NONCE || length != NP_OCTAWORD_BYTES) {
			return NP_DROP_BAD_HEADER;
		}
		cursor->offset += length;
	}
	return cursor->offset == cursor->end ? NP_REASON_NONE : NP_DROP_BAD_HEADER;
}

/* What a pod's message says. The cursor is behind the first eight bytes. */
NP_INLINE enum np_reason np_check_neighbour_claims(const struct np_hook *hook, struct np_cursor *cursor,
						   const struct np_packet *packet, const struct np_mac *frame)
{
	const bool detects_duplicates = np_is_unspecified(&packet->source);

	if (np_is_about_target(packet->icmp_type)) {
		struct np_address target;

		if (np_peek(cursor, &target))
			return NP_DROP_TRUNCATED;
		/* Only a question with a sender may be about somebody else. */
		if ((packet->icmp_type == NP_ICMPV6_NEIGHBOUR_ADVERTISEMENT || detects_duplicates) &&
		    !np_is_own(hook->endpoint, &target, frame))
			return NP_DROP_NEIGHBOUR_SPOOFED;
		cursor->offset += sizeof(target);
	}
	return np_check_neighbour_options(cursor, frame, !detects_duplicates);
}

/* Where on the link a pod may send neighbour discovery to: solicited answers go to the address of who has asked. */
NP_INLINE bool np_is_neighbour(const struct np_address *destination)
{
	return np_is_ipv6_link_multicast(destination) || np_is_ipv6_link_local(destination) ||
	       np_is_of_host(destination) || bpf_map_lookup_elem(&np_sources, destination);
}

/*
 * A message that passes under any policy ends its frame: what is behind the packet would pass with it. It is no padding, as the
 * shortest of these messages is longer than the shortest frame of Ethernet.
 */
NP_INLINE enum np_reason np_pass_neighbour(const struct np_cursor *cursor)
{
	return cursor->skb->len == cursor->end ? NP_REASON_NEIGHBOUR_DISCOVERY : NP_DROP_BAD_HEADER;
}

/* Whether an address is the group ff02::`number`. */
NP_INLINE bool np_is_group_of_link(const struct np_address *a, const __u32 number)
{
	return !((a->word[0] ^ bpf_htonl(0xff020000)) | a->word[1] | a->word[2] | (a->word[3] ^ bpf_htonl(number)));
}

/* Whether a pod's report goes where such a report goes and is no longer than one is. The cursor is behind the first eight bytes. */
NP_INLINE bool np_is_plain_report(struct np_cursor *cursor, const struct np_packet *packet)
{
	const __u32 rest = cursor->end - cursor->offset;
	struct np_address group;

	if (packet->icmp_type == NP_ICMPV6_LISTENER_REPORT_V2)
		return np_is_group_of_link(&packet->destination, NP_GROUP_LISTENER_REPORTS) &&
		       rest <= NP_MAX_LISTENER_RECORDS * NP_LISTENER_RECORD_BYTES;
	if (rest != sizeof(group) || np_peek(cursor, &group) || !np_is_ipv6_multicast(&group))
		return false;
	return packet->icmp_type == NP_ICMPV6_LISTENER_DONE ? np_is_group_of_link(&packet->destination, NP_GROUP_ROUTERS) :
							      np_same_address(&packet->destination, &group);
}

NP_INLINE enum np_reason np_judge_neighbour_from_pod(const struct np_hook *hook, struct np_cursor *cursor,
						     const struct np_packet *packet)
{
	struct np_mac frame;
	enum np_reason reason;

	if (packet->hop_limit == NP_HOP_LIMIT_NEIGHBOUR && np_is_neighbour_message_from_host(packet->icmp_type)) {
		if (np_load(cursor, NP_SOURCE_MAC_OFFSET, &frame))
			return NP_DROP_TRUNCATED;
		/* The source check drops it: but for questions of who has no address yet, as other packets. */
		if (!np_is_own(hook->endpoint, &packet->source, &frame) &&
		    !(np_is_unspecified(&packet->source) &&
		      packet->icmp_type != NP_ICMPV6_NEIGHBOUR_ADVERTISEMENT))
			return NP_REASON_NONE;
		reason = np_check_neighbour_claims(hook, cursor, packet, &frame);
		if (reason)
			return reason;
		return np_is_neighbour(&packet->destination) ? np_pass_neighbour(cursor) : NP_REASON_NONE;
	}
	if (packet->hop_limit == NP_HOP_LIMIT_LISTENER && np_is_listener_report(packet->icmp_type)) {
		if (np_load(cursor, NP_SOURCE_MAC_OFFSET, &frame))
			return NP_DROP_TRUNCATED;
		if ((np_is_own_link_local(&packet->source, &frame) || np_is_unspecified(&packet->source)) &&
		    np_is_plain_report(cursor, packet))
			return np_pass_neighbour(cursor);
	}
	return NP_REASON_NONE;
}

/*
 * What arrives with a hop limit of 255 comes from this link: forwarding would have taken one. Pods' messages were checked at
 * their own hooks; what others say must not be about the node's address or that of another interface's pod.
 */
NP_INLINE enum np_reason np_judge_neighbour_to_pod(const struct np_hook *hook, const struct np_cursor *cursor,
						   const struct np_packet *packet)
{
	if (np_is_neighbour_message(packet->icmp_type)) {
		struct np_address target;

		if (packet->hop_limit != NP_HOP_LIMIT_NEIGHBOUR)
			return NP_REASON_NONE;
		if (!np_may_announce(&packet->source, hook->arrival))
			return NP_DROP_FOREIGN_SOURCE;
		if (packet->icmp_type == NP_ICMPV6_NEIGHBOUR_ADVERTISEMENT) {
			if (np_peek(cursor, &target))
				return NP_DROP_TRUNCATED;
			if (!np_may_announce(&target, hook->arrival))
				return NP_DROP_FOREIGN_SOURCE;
		}
		return np_pass_neighbour(cursor);
	}
	if ((np_is_listener_report(packet->icmp_type) || packet->icmp_type == NP_ICMPV6_LISTENER_QUERY) &&
	    packet->hop_limit == NP_HOP_LIMIT_LISTENER && np_is_link_source(&packet->source) &&
	    np_is_ipv6_multicast(&packet->destination))
		return np_pass_neighbour(cursor);
	return NP_REASON_NONE;
}

/* Whether a packet is for np_neighbour, which passes it on to policy if it is none that passes by itself. */
NP_INLINE bool np_may_be_neighbour(const struct np_packet *packet)
{
	if (np_likely(packet->protocol != IPPROTO_ICMPV6) || packet->kind != NP_KIND_STATELESS || packet->fragment ||
	    packet->icmp_code)
		return false;
	return np_is_neighbour_message(packet->icmp_type) || np_is_listener_report(packet->icmp_type) ||
	       packet->icmp_type == NP_ICMPV6_LISTENER_QUERY;
}

/* NP_REASON_NONE: it is none that passes as such. The cursor is behind the first eight bytes. */
NP_INLINE enum np_reason np_judge_neighbour(const struct np_hook *hook, struct np_cursor *cursor,
					    const struct np_packet *packet)
{
	return hook->direction == NP_EGRESS ? np_judge_neighbour_from_pod(hook, cursor, packet) :
					      np_judge_neighbour_to_pod(hook, cursor, packet);
}

NP_INLINE struct np_outcome np_judge_neighbour_message(struct np_hook *hook, struct np_question *question)
{
	struct np_cursor cursor;
	enum np_reason reason;

	np_cursor_resume(&cursor, hook->skb, question);
	reason = np_judge_neighbour(hook, &cursor, &question->packet);
	if (!reason)
		reason = np_check_source(hook, &question->packet);
	return reason ? np_outcome_of(reason) : np_judge_message(hook, question);
}

#endif
