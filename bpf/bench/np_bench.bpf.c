// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reference programs of `netpold bench`: the minimum cost of a packet. They use the datapath's own parser, so the
 * difference to them is what netpold adds. Attached are only np_bench_empty and np_bench_forward, by `netpold bench-net` to its own pods.
 */
#include "../lib/hand_over.h"
#include "../lib/outcome.h"
#include "../lib/parse.h"

#include <stddef.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Offsets in a frame of TCP or UDP over IPv4 without options. */
#define NP_BENCH_SOURCE_OFFSET (ETH_HLEN + offsetof(struct np_ipv4_header, source))
#define NP_BENCH_DESTINATION_OFFSET (ETH_HLEN + offsetof(struct np_ipv4_header, destination))
#define NP_BENCH_PORTS_OFFSET (ETH_HLEN + sizeof(struct np_ipv4_header))
/* Odd: visits all numbers below a power of two, in an order that no prefetcher predicts. */
#define NP_BENCH_STRIDE 40503

/* By the mark of the packet, which is the number of the run: those that run at once write lines of their own. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_BENCH_RUNS);
	__type(key, __u32);
	__type(value, struct np_bench_plan);
} np_bench_plan SEC(".maps");

/* [0]: what runs behind np_bench_vary_... */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} np_bench_next SEC(".maps");

/* By the interface of a pod: where np_bench_forward sends what comes from it. `ifindex` is that of the other pod's interface. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct np_path_end);
} np_bench_ways SEC(".maps");

#define NP_BENCH_WORDS 5 /* of 8 bytes: an IPv4 header without options and one of TCP */
#define NP_BENCH_FIRST_PORT 20000
#define NP_BENCH_ADDRESSES 4 /* of np_bench_vary_message */

/* What np_bench_restore writes behind the Ethernet header, 8 bytes an entry, as they are on the wire. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_BENCH_WORDS);
	__type(key, __u32);
	__type(value, __u64);
} np_bench_headers SEC(".maps");

SEC("tc")
int np_bench_empty(struct __sk_buff *skb)
{
	(void)skb;
	return NP_ACTION_OK;
}

/* Forwards all IP packets by the fast path's np_hand_over, with no policy at all. */
SEC("tc")
int np_bench_forward(struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex;
	const struct np_path_end *end = bpf_map_lookup_elem(&np_bench_ways, &ifindex);

	if (!end || (skb->protocol != bpf_htons(ETH_P_IP) && skb->protocol != bpf_htons(ETH_P_IPV6)))
		return NP_ACTION_OK;
	return np_hand_over(skb, end, end->ifindex);
}

SEC("tc")
int np_bench_parse(struct __sk_buff *skb)
{
	struct np_packet packet = {};
	struct np_cursor cursor;

	np_cursor_start(&cursor, skb);
	return np_parse(&cursor, &packet) ? NP_ACTION_SHOT : NP_ACTION_OK;
}

/* Writes the remote end of the next flow of the plan into the frame and goes on to np_bench_next. */
NP_INLINE int np_bench_vary(struct __sk_buff *skb, const __u32 address_offset, const __u32 port_offset)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	__u32 run = skb->mark;
	struct np_bench_plan *plan = bpf_map_lookup_elem(&np_bench_plan, &run);
	__u32 flow;

	if (!plan || !plan->addresses || data + NP_BENCH_PORTS_OFFSET + sizeof(struct np_ports) > end)
		return NP_ACTION_SHOT;
	flow = (__u32)(plan->counter++ * NP_BENCH_STRIDE) & plan->mask;
	*(__be32 *)(data + address_offset) =
		bpf_htonl(plan->first_address + flow % plan->addresses * plan->address_step);
	*(__be16 *)(data + port_offset) = bpf_htons(flow / plan->addresses);
	bpf_tail_call(skb, &np_bench_next, 0);
	return NP_ACTION_SHOT;
}

/* For packets to a pod. */
SEC("tc")
int np_bench_vary_source(struct __sk_buff *skb)
{
	return np_bench_vary(skb, NP_BENCH_SOURCE_OFFSET, NP_BENCH_PORTS_OFFSET + offsetof(struct np_ports, source));
}

/* For packets from a pod. */
SEC("tc")
int np_bench_vary_destination(struct __sk_buff *skb)
{
	return np_bench_vary(skb, NP_BENCH_DESTINATION_OFFSET,
			     NP_BENCH_PORTS_OFFSET + offsetof(struct np_ports, destination));
}

/*
 * For DNS messages over UDP and IPv4: gives each an id of its own, and the addresses of the plan (`first_address`: where the last two bytes
 * of the first one are) the same number, and goes on to np_bench_next.
 */
SEC("tc")
int np_bench_vary_message(struct __sk_buff *skb)
{
	__u32 run = skb->mark;
	struct np_bench_plan *plan = bpf_map_lookup_elem(&np_bench_plan, &run);
	__be16 number;

	if (!plan)
		return NP_ACTION_SHOT;
	number = bpf_htons((__u32)plan->counter++ & plan->mask);
	if (bpf_skb_store_bytes(skb, NP_BENCH_PORTS_OFFSET + sizeof(struct np_udp_header), &number, sizeof(number), 0))
		return NP_ACTION_SHOT;
	_Pragma("clang loop unroll(disable)")
	for (__u32 address = 0; address < NP_BENCH_ADDRESSES; address++)
		if (address < plan->addresses &&
		    bpf_skb_store_bytes(skb, plan->first_address + address * plan->address_step, &number,
					sizeof(number), 0))
			return NP_ACTION_SHOT;
	bpf_tail_call(skb, &np_bench_next, 0);
	return NP_ACTION_SHOT;
}

/*
 * For packets that the datapath changes: writes the headers back, with the next source port of the plan, and goes on to
 * np_bench_next. What that costs is part of the measured time.
 */
SEC("tc")
int np_bench_restore(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	__u32 run = skb->mark;
	struct np_bench_plan *plan = bpf_map_lookup_elem(&np_bench_plan, &run);
	__u32 flow;

	if (!plan || data + ETH_HLEN + NP_BENCH_WORDS * sizeof(__u64) > end)
		return NP_ACTION_SHOT;
	_Pragma("clang loop unroll(full)")
	for (__u32 word = 0; word < NP_BENCH_WORDS; word++) {
		__u32 place = word;
		const __u64 *bytes = bpf_map_lookup_elem(&np_bench_headers, &place);

		if (!bytes)
			return NP_ACTION_SHOT;
		*(__u64 *)(data + ETH_HLEN + word * sizeof(__u64)) = *bytes;
	}
	flow = (__u32)(plan->counter++ * NP_BENCH_STRIDE) & plan->mask;
	*(__be16 *)(data + NP_BENCH_PORTS_OFFSET) = bpf_htons(NP_BENCH_FIRST_PORT + flow);
	bpf_tail_call(skb, &np_bench_next, 0);
	return NP_ACTION_SHOT;
}
