/* SPDX-License-Identifier: Apache-2.0 */
/* The layouts of netpold_abi.h as numbers: a change here is a change of NP_ABI_VERSION. */
#include "netpold_abi.h"
#include <stddef.h>

#define SIZE(type, bytes) _Static_assert(sizeof(struct type) == (bytes), #type)
#define AT(type, field, offset) _Static_assert(offsetof(struct type, field) == (offset), #type "." #field)

SIZE(np_address, 16);
SIZE(np_prefix_key, 20);
SIZE(np_endpoint, 64);
AT(np_endpoint, revision, 32);
AT(np_endpoint, flags, 36);
AT(np_endpoint, policy, 40);
AT(np_endpoint, ifindex, 48);
SIZE(np_flow_key, 40);
AT(np_flow_key, low_port, 32);
AT(np_flow_key, protocol, 36);
SIZE(np_flow_side, 8);
SIZE(np_flow, 32);
AT(np_flow, last_seen, 16);
SIZE(np_fragment_key, 40);
SIZE(np_fragment, 12);
SIZE(np_counter, 16);
SIZE(np_event, 72);
AT(np_event, source_port, 40);
AT(np_event, remote_identity, 48);
AT(np_event, reason, 60);
AT(np_event, tcp_flags, 64);
SIZE(np_control, 8);
SIZE(np_event_budget, 24);
SIZE(np_bench_plan, 24);
AT(np_bench_plan, mask, 8);
