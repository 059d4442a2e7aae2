/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The answer to a packet for a Service that has no endpoint, as kube-proxy gives it: a TCP reset, else ICMP or ICMPv6 "port
 * unreachable" in the Service's name. The packet becomes its own answer, and leaves by the interface it came in by.
 *
 * There it passes to_pod as everything does that comes back to the pod by its own interface (NP_REASON_HAIRPIN), whatever
 * policies say, and goes on into the pod: an answer is never answered.
 */
#ifndef NP_REFUSAL_H
#define NP_REFUSAL_H

#include "address.h"
#include "checksum_place.h"
#include "maps.h"
#include "outcome.h"
#include "translate.h"

#define NP_REFUSAL_HOPS 64
/*
 * Of the refused packet in an ICMP error, bytes, 4n: at least the shortest header and the eight bytes behind it; at most the
 * longest IPv4 header, most IPv6 ones, and those.
 */
#define NP_REFUSAL_LEAST (sizeof(struct np_ipv4_header) + NP_OCTAWORD_BYTES)
#define NP_REFUSAL_MOST 128

/* What the checksums of TCP and ICMPv6 begin with. A mapped address sums up as the IPv4 one: ffff counts as 0. */
struct np_pseudo_header {
	struct np_address source;
	struct np_address destination;
	__be32 length;
	__be32 protocol;
};

struct np_unreachable {
	struct np_icmp_header icmp;
	__u8 embedded[NP_REFUSAL_MOST];
};

/* The checksum whose sum of 16-bit words is `sum`. */
NP_INLINE __be16 np_fold_sum(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Begins another jiffy's budget when it is another jiffy. */
NP_INLINE void np_renew_refusals(struct np_refusal_budget *budget)
{
	const __u64 now = bpf_jiffies64();

	if (budget->jiffy == now)
		return;
	budget->jiffy = now;
	budget->sent = 0;
	budget->named = 0;
}

/* False: this pod has been told often enough in this jiffy. */
NP_INLINE bool np_may_refuse(__u32 slot)
{
	struct np_refusal_budget *budget = bpf_map_lookup_elem(&np_refusals, &slot);

	if (!budget)
		return false;
	np_renew_refusals(budget);
	return budget->sent++ < NP_REFUSALS_PER_JIFFY;
}

NP_INLINE int np_swap_macs(struct __sk_buff *skb)
{
	struct np_mac receiver, sender;

	return bpf_skb_load_bytes(skb, 0, &receiver, sizeof(receiver)) ||
	       bpf_skb_load_bytes(skb, NP_SOURCE_MAC_OFFSET, &sender, sizeof(sender)) ||
	       bpf_skb_store_bytes(skb, 0, &sender, sizeof(sender), 0) ||
	       bpf_skb_store_bytes(skb, NP_SOURCE_MAC_OFFSET, &receiver, sizeof(receiver), 0);
}

/*
 * Gives the frame an IP header from the Service back to the pod, and room for `length` bytes behind it. Returns where
 * they go, 0 when that failed.
 */
NP_INLINE __u32 np_begin_refusal(struct __sk_buff *skb, const struct np_packet *packet, __u8 protocol, __u32 length)
{
	if (np_is_mapped_ipv4(&packet->source)) {
		struct np_ipv4_header ip = {
			.version_length = 4 << 4 | NP_IPV4_MIN_WORDS,
			.total_length = bpf_htons(sizeof(ip) + length),
			.fragment = bpf_htons(NP_IPV4_DO_NOT_FRAGMENT),
			.time_to_live = NP_REFUSAL_HOPS,
			.protocol = protocol,
			.source = packet->destination.word[3],
			.destination = packet->source.word[3],
		};

		ip.checksum = np_fold_sum(bpf_csum_diff(NULL, 0, (void *)&ip, sizeof(ip), 0));
		if (bpf_skb_change_tail(skb, ETH_HLEN + sizeof(ip) + length, 0) ||
		    bpf_skb_store_bytes(skb, ETH_HLEN, &ip, sizeof(ip), 0))
			return 0;
		return ETH_HLEN + sizeof(ip);
	} else {
		struct np_ipv6_header ip = {
			.version_class_flow = bpf_htonl(NP_IPV6_VERSION),
			.payload_length = bpf_htons(length),
			.next_header = protocol,
			.hop_limit = NP_REFUSAL_HOPS,
			.source = packet->destination,
			.destination = packet->source,
		};

		if (bpf_skb_change_tail(skb, ETH_HLEN + sizeof(ip) + length, 0) ||
		    bpf_skb_store_bytes(skb, ETH_HLEN, &ip, sizeof(ip), 0))
			return 0;
		return ETH_HLEN + sizeof(ip);
	}
}

NP_INLINE __u32 np_pseudo_sum(const struct np_packet *packet, __u8 protocol, __u32 length)
{
	struct np_pseudo_header pseudo = {
		.source = packet->destination,
		.destination = packet->source,
		.length = bpf_htonl(length),
		.protocol = bpf_htonl(protocol),
	};

	return bpf_csum_diff(NULL, 0, (void *)&pseudo, sizeof(pseudo), 0);
}

/* What a RST says. */
struct np_reset_numbers {
	__be32 sequence;
	__be32 acknowledgement;
	__u8 flags;
};

/* What the RST says that answers a packet: RFC 9293 3.5.2, of a connection that does not exist. `data`: where the packet's payload begins. */
NP_INLINE int np_answering_reset(struct __sk_buff *skb, const struct np_place *place, __u32 data,
				 struct np_reset_numbers *numbers)
{
	struct np_tcp_header got;
	__u32 taken;

	if (bpf_skb_load_bytes(skb, place->transport, &got, sizeof(got)))
		return -1;
	numbers->sequence = 0;
	numbers->acknowledgement = 0;
	if (got.flags & NP_TCP_ACK) {
		numbers->flags = NP_TCP_RST;
		numbers->sequence = got.acknowledgement;
	} else {
		numbers->flags = NP_TCP_RST | NP_TCP_ACK;
		taken = place->end - data + !!(got.flags & NP_TCP_SYN) + !!(got.flags & NP_TCP_FIN);
		numbers->acknowledgement = bpf_htonl(bpf_ntohl(got.sequence) + taken);
	}
	return 0;
}

/* Whether a packet's checksum is still to be made, and would be made where that of a plain header is. */
NP_INLINE bool np_is_plain_sum_open(struct __sk_buff *skb, const struct np_packet *packet, const struct np_place *place)
{
	const __u32 network = np_is_mapped_ipv4(&packet->source) ? sizeof(struct np_ipv4_header) :
								   sizeof(struct np_ipv6_header);

	return place->transport == ETH_HLEN + network && np_is_sum_open(skb);
}

/*
 * Makes the packet a RST from its receiver to its sender. Of a checksum that is still to be made (`is_open`) the field has what it begins
 * with: the sum of the pseudo header.
 */
NP_INLINE int np_write_reset(struct __sk_buff *skb, const struct np_packet *packet, const struct np_reset_numbers *numbers,
			     bool is_open)
{
	/* The ports are not those of the frame: it may be one to a backend already. */
	struct np_tcp_header reset = {
		.ports = {.source = packet->destination_port, .destination = packet->source_port},
		.sequence = numbers->sequence,
		.acknowledgement = numbers->acknowledgement,
		.data_offset = NP_TCP_MIN_WORDS << 4,
		.flags = numbers->flags,
	};
	const __u32 pseudo = np_pseudo_sum(packet, IPPROTO_TCP, sizeof(reset));
	__u32 at;

	reset.checksum = is_open ? ~np_fold_sum(pseudo) :
				   np_fold_sum(bpf_csum_diff(NULL, 0, (void *)&reset, sizeof(reset), pseudo));
	at = np_begin_refusal(skb, packet, IPPROTO_TCP, sizeof(reset));
	return !at || bpf_skb_store_bytes(skb, at, &reset, sizeof(reset), 0);
}

/* Makes the packet the RST that answers it. `data`: where its payload begins. */
NP_INLINE int np_reset(struct __sk_buff *skb, const struct np_packet *packet, const struct np_place *place, __u32 data)
{
	struct np_reset_numbers numbers;

	return np_answering_reset(skb, place, data, &numbers) ||
	       np_write_reset(skb, packet, &numbers, np_is_plain_sum_open(skb, packet, place));
}

NP_INLINE int np_unreach(struct __sk_buff *skb, const struct np_packet *packet, const struct np_place *place)
{
	const bool ipv4 = np_is_mapped_ipv4(&packet->source);
	const __u8 protocol = ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	struct np_unreachable message = {};
	__u32 available = place->end - place->network, more, embeds, at, length;

	/* Whole words, so that they can be summed up. In two steps, so that the verifier sees that it is not nothing. */
	if (available < NP_REFUSAL_LEAST)
		return -1;
	more = available - NP_REFUSAL_LEAST;
	if (more > NP_REFUSAL_MOST - NP_REFUSAL_LEAST)
		more = NP_REFUSAL_MOST - NP_REFUSAL_LEAST;
	embeds = NP_REFUSAL_LEAST + (more & ~(NP_WORD_BYTES - 1));
	if (bpf_skb_load_bytes(skb, place->network, message.embedded, embeds))
		return -1;
	length = sizeof(message.icmp) + embeds;
	message.icmp.type = ipv4 ? NP_ICMP_UNREACHABLE : NP_ICMPV6_UNREACHABLE;
	message.icmp.code = ipv4 ? NP_ICMP_PORT : NP_ICMPV6_PORT;
	message.icmp.checksum = np_fold_sum(bpf_csum_diff(NULL, 0, (void *)&message, sizeof(message),
							  ipv4 ? 0 : np_pseudo_sum(packet, protocol, length)));
	at = np_begin_refusal(skb, packet, protocol, length);
	return !at || bpf_skb_store_bytes(skb, at, &message, length, 0);
}

/* A packet that only ends something, or has no ports to be told about, is not answered. */
NP_INLINE bool np_is_answerable(const struct np_packet *packet)
{
	return packet->fragment != NP_FRAGMENT_LATER &&
	       (packet->protocol != IPPROTO_TCP || !(packet->tcp_flags & NP_TCP_RST));
}

/*
 * Makes the TCP packet that np_scratch has the RST that answers it. False: it is dropped without. For callers that are global
 * functions: it needs stack.
 */
NP_INLINE bool np_answer_reset(struct __sk_buff *skb)
{
	const struct np_question *question = np_scratch_question();
	struct np_place place;

	if (!question || question->packet.protocol != IPPROTO_TCP)
		return false;
	place = np_place_of(question);
	return np_is_answerable(&question->packet) && np_may_refuse(question->endpoint) &&
	       !np_reset(skb, &question->packet, &place, question->resume_offset) && !np_swap_macs(skb);
}

/*
 * Makes the packet that np_scratch has, for a Service without endpoint, its own answer. False: it is dropped without. A
 * global function, as np_name_frontend is, and for its stack.
 */
__attribute__((noinline)) int np_answer_refused(struct __sk_buff *skb)
{
	const struct np_question *question = np_scratch_question();
	const struct np_packet *packet;
	struct np_place place;

	if (!question)
		return false;
	packet = &question->packet;
	place = np_place_of(question);
	if (!np_is_answerable(packet) || !np_may_refuse(question->endpoint))
		return false;
	if (packet->protocol == IPPROTO_TCP ? np_reset(skb, packet, &place, question->resume_offset) :
					      np_unreach(skb, packet, &place))
		return false;
	return !np_swap_macs(skb);
}

/* Drops a packet for a Service that has no endpoint, and tells its sender. */
NP_INLINE struct np_outcome np_refuse(struct __sk_buff *skb)
{
	struct np_outcome outcome = np_outcome_of(NP_DROP_NO_BACKEND);

	if (np_answer_refused(skb))
		outcome.action = bpf_redirect(skb->ifindex, 0);
	return outcome;
}

#endif
