/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every map of the datapath. Keys, values, limits and their memory cost: netpold_abi.h. */
#ifndef NP_MAPS_H
#define NP_MAPS_H

#include "wire.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_MAX_ENDPOINTS);
	__type(key, __u32);
	__type(value, struct np_endpoint);
} np_endpoints SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_host);
} np_host SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, NP_MAX_FLOW_SETS);
	__type(key, __u32);
	__type(value, struct np_flow_set);
} np_flow_sets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_TRANSIT_SETS);
	__type(key, __u32);
	__type(value, struct np_flow_set);
} np_transits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_flow_seed);
} np_flow_seed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_MAX_ENDPOINTS);
	__type(key, __u32); /* endpoint slot */
	__type(value, __u32); /* the region that the endpoint leaves, as np_endpoint.region; 0 = none */
} np_flow_moves SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_PATH_SETS);
	__type(key, __u32);
	__type(value, struct np_path_set);
} np_paths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_MAX_ENDPOINTS);
	__type(key, __u32); /* endpoint slot */
	__type(value, struct np_path_end);
} np_path_ends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_MAX_ENDPOINTS);
	__type(key, __u32); /* endpoint slot */
	__type(value, __u32); /* as np_flow_record.last_seen: NP_REVOKED_SECONDS */
} np_policy_changes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NP_MAX_ENDPOINTS);
	__type(key, __u32); /* endpoint slot */
	__type(value, struct np_flow_share);
} np_flow_shares SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NP_MAX_SERVICES);
	__type(key, struct np_service_key);
	__type(value, struct np_service);
} np_services SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NP_MAX_BACKENDS);
	__type(key, struct np_service_key);
	__type(value, __u32); /* how many Services' ports have it */
} np_backend_ends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_MAX_MAGLEV);
	__type(key, __u32);
	__type(value, __u32); /* slot in np_backends */
} np_maglev SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_MAX_BACKENDS);
	__type(key, __u32);
	__type(value, struct np_backend);
} np_backends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, NP_MAX_AFFINITIES);
	__type(key, struct np_affinity_key);
	__type(value, struct np_affinity);
} np_affinities SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NP_MAX_ENDPOINTS);
	__type(key, __u32); /* endpoint slot */
	__type(value, struct np_refusal_budget);
} np_refusals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, NP_MAX_FRAGMENTS);
	__type(key, struct np_fragment_key);
	__type(value, struct np_fragment);
} np_fragments SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NP_MAX_ADDRESSES);
	__type(key, struct np_address);
	__type(value, __u32); /* identity */
} np_addresses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, NP_IPV4_BUCKETS);
	__type(key, __u32);
	__type(value, struct np_ipv4_bucket);
} np_ipv4_identities SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NP_MAX_SOURCES);
	__type(key, struct np_address);
	__type(value, struct np_source);
} np_sources SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NP_MAX_PREFIXES);
	__type(key, struct np_prefix_key);
	__type(value, __u32); /* identity */
} np_prefixes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, NP_MAX_POLICY_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
} np_policies SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, NP_STEP_COUNT);
	__type(key, __u32);
	__type(value, __u32);
} np_steps SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NP_MAX_RULE_HITS);
	__type(key, __u32);
	__type(value, __u64);
} np_rule_hits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NP_REASON_COUNT);
	__type(key, __u32);
	__type(value, struct np_counter);
} np_reasons SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, NP_EVENT_RING_BYTES);
} np_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_control);
} np_control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NP_REASON_COUNT);
	__type(key, __u32);
	__type(value, struct np_event_budget);
} np_event_budget SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NP_MAX_ENDPOINTS);
	__type(key, __u32); /* endpoint slot */
	__type(value, struct np_event_budget);
} np_drop_budget SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NP_RECENT_FLOWS);
	__type(key, __u32);
	__type(value, struct np_recent_flow);
} np_recent_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * NP_MAX_NAME_STATES);
	__type(key, __u32);
	__type(value, struct np_name_state);
} np_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_name_revision);
} np_name_revision SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_name_options);
} np_name_options SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NP_MAX_NAME_RULES);
	__type(key, struct np_name_rule_key);
	__type(value, struct np_name_rule);
} np_name_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, NP_MAX_LEARNT);
	__type(key, struct np_learnt_key);
	__type(value, struct np_learnt);
} np_learnt SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_MAX_ENDPOINTS + 1);
	__type(key, __u32); /* endpoint slot */
	__type(value, struct np_learnt_share);
} np_learnt_shares SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_MAX_ENDPOINTS * NP_PENDING_SETS);
	__type(key, __u32);
	__type(value, struct np_pending_set);
} np_pending SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_dns_message);
} np_dns_scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_lesson);
} np_lesson_scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, NP_NAME_RING_BYTES);
} np_name_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NP_MAX_HELLOS);
	__type(key, __u32); /* index of the flow's slot */
	__type(value, struct np_hello);
} np_hellos SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NP_MAX_ENDPOINTS * NP_HELLO_COPIES);
	__type(key, __u32);
	__type(value, struct np_hello_copy);
} np_hello_copies SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NP_MAX_PROXIED);
	__type(key, struct np_proxied_key);
	__type(value, struct np_proxied_side);
} np_proxied SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_proxy);
} np_proxy SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, NP_MAX_LISTENERS);
	__type(key, __u32);
	__type(value, __u64); /* the agent's and the proxy's writes: a descriptor */
} np_listeners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_question);
} np_scratch SEC(".maps");

#endif
