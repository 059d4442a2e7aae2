// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reference programs of `netpold bench`: the minimum cost of a packet. They use the datapath's own parser and key, so the
 * difference to them is what netpold adds. Never attached.
 */
#include "../lib/address.h"
#include "../lib/maps.h"
#include "../lib/parse.h"

#include <stddef.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Offsets of the sender in a frame of TCP over IPv4 without options. */
#define NP_BENCH_ADDRESS_OFFSET (ETH_HLEN + offsetof(struct np_ipv4_header, source))
#define NP_BENCH_PORT_OFFSET (ETH_HLEN + sizeof(struct np_ipv4_header))
/* Odd: visits all numbers below a power of two, in an order that no prefetcher predicts. */
#define NP_BENCH_STRIDE 40503

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_bench_plan);
} np_bench_plan SEC(".maps");

/* [0]: what runs behind np_bench_vary. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} np_bench_next SEC(".maps");

SEC("tc")
int np_bench_empty(struct __sk_buff *skb)
{
	(void)skb;
	return NP_ACTION_OK;
}

SEC("tc")
int np_bench_parse(struct __sk_buff *skb)
{
	struct np_packet packet = {};
	struct np_cursor cursor;

	np_cursor_start(&cursor, skb);
	return np_parse(&cursor, &packet) ? NP_ACTION_SHOT : NP_ACTION_OK;
}

/* The key of a packet's flow. Returns the index of the side at the packet's source. */
NP_INLINE __u32 np_bench_key_of(const struct np_packet *packet, struct np_flow_key *key)
{
	const bool swapped = np_end_is_after(&packet->source, packet->source_port, &packet->destination,
					     packet->destination_port);
	const struct np_address *low = swapped ? &packet->destination : &packet->source;
	const struct np_address *high = swapped ? &packet->source : &packet->destination;

	key->low = *low;
	key->high = *high;
	key->low_port = swapped ? packet->destination_port : packet->source_port;
	key->high_port = swapped ? packet->source_port : packet->destination_port;
	key->protocol = packet->protocol;
	key->pad[0] = 0;
	key->pad[1] = 0;
	key->pad[2] = 0;
	return swapped;
}

SEC("tc")
int np_bench_lookup(struct __sk_buff *skb)
{
	struct np_packet packet = {};
	struct np_cursor cursor;
	struct np_flow_key key;

	np_cursor_start(&cursor, skb);
	if (np_parse(&cursor, &packet))
		return NP_ACTION_SHOT;
	np_bench_key_of(&packet, &key);
	return bpf_map_lookup_elem(&np_flows, &key) ? NP_ACTION_OK : NP_ACTION_SHOT;
}

/* Writes the sender of the next flow of the plan into the frame and goes on to np_bench_next. */
SEC("tc")
int np_bench_vary(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	__u32 only = 0;
	struct np_bench_plan *plan = bpf_map_lookup_elem(&np_bench_plan, &only);
	__u32 flow;

	if (!plan || !plan->addresses || data + NP_BENCH_PORT_OFFSET + sizeof(__be16) > end)
		return NP_ACTION_SHOT;
	flow = (__u32)(plan->counter++ * NP_BENCH_STRIDE) & plan->mask;
	*(__be32 *)(data + NP_BENCH_ADDRESS_OFFSET) =
		bpf_htonl(plan->first_address + flow % plan->addresses * plan->address_step);
	*(__be16 *)(data + NP_BENCH_PORT_OFFSET) = bpf_htons(flow / plan->addresses);
	bpf_tail_call(skb, &np_bench_next, 0);
	return NP_ACTION_SHOT;
}
