/* SPDX-License-Identifier: Apache-2.0 */
/* The layouts of netpold_abi.h as numbers: a change here is a change of NP_ABI_VERSION. */
#include "netpold_abi.h"
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stddef.h>

#define SIZE(type, bytes) _Static_assert(sizeof(struct type) == (bytes), #type)
#define AT(type, field, offset) _Static_assert(offsetof(struct type, field) == (offset), #type "." #field)
#define HOLDS(condition) _Static_assert(condition, #condition)

SIZE(np_address, 16);
SIZE(np_prefix_key, 20);
SIZE(np_source, 32);
SIZE(np_endpoint, 64);
AT(np_endpoint, revision, 32);
AT(np_endpoint, flags, 36);
AT(np_endpoint, policy, 40);
AT(np_endpoint, ifindex, 48);
SIZE(np_failsafe, 8);
SIZE(np_host, 376);
AT(np_host, until, 8);
AT(np_host, slot, 24);
AT(np_host, links, 32);
AT(np_host, failsafe, 96);
AT(np_host, former_fingerprint, 352);
AT(np_host, former_policy, 360);
AT(np_host, former_revision, 368);
SIZE(np_packet, 52);
AT(np_packet, source_port, 32);
AT(np_packet, protocol, 36);
AT(np_packet, fragment, 42);
AT(np_packet, fragment_identification, 44);
AT(np_packet, fragment_headers, 50);
SIZE(np_fragment_key, 40);
SIZE(np_fragment, 12);
AT(np_fragment, headers, 4);
AT(np_fragment, kind, 7);
SIZE(np_choice, 36);
SIZE(np_question, 304);
AT(np_question, error, 52);
AT(np_question, flow, 104);
AT(np_question, resume_offset, 160);
AT(np_question, endpoint, 168);
AT(np_question, also, 184);
AT(np_question, rule_hit, 192);
AT(np_question, own, 199);
AT(np_question, answered, 207);
AT(np_question, choice, 208);
SIZE(np_ipv4_bucket, 64);
AT(np_ipv4_bucket, complete, 56);
SIZE(np_recent_flow, 8);
SIZE(np_config, 16);
SIZE(np_counter, 16);
SIZE(np_event, 72);
AT(np_event, source_port, 40);
AT(np_event, remote_identity, 48);
AT(np_event, reason, 60);
AT(np_event, tcp_flags, 64);
AT(np_event, flags, 65);
SIZE(np_control, 8);
SIZE(np_flow_seed, 16);
SIZE(np_flow_record, 56);
AT(np_flow_record, own_port, 16);
AT(np_flow_record, other_port, 22);
AT(np_flow_record, revision, 24);
AT(np_flow_record, flags, 36);
AT(np_flow_record, other, 40);
HOLDS(offsetof(struct np_flow_set, flow[1].revision) % 8 == 0); /* with arrival one word of 64 bits */
HOLDS(NP_MAX_RULE_HITS <= 1 << 16); /* np_endpoint.open_hit; a base is no NP_CB_UNANSWERED */
HOLDS(NP_MAX_POLICY_SLOTS < NP_CB_UNANSWERED);
SIZE(np_flow_set, 256);
AT(np_flow_set, flow, 32);
SIZE(np_flow_share, 24);
SIZE(np_service_key, 20);
SIZE(np_service, 16);
SIZE(np_backend, 28);
SIZE(np_affinity_key, 8);
SIZE(np_affinity, 8);
SIZE(np_refusal_budget, 16);
SIZE(np_name_state, 128);
SIZE(np_name_revision, 4);
SIZE(np_name_rule_key, 12);
SIZE(np_name_rule, 16);
SIZE(np_learnt_key, 20);
SIZE(np_learnt, 144);
SIZE(np_learnt_share, 32);
SIZE(np_pending_set, 128);
SIZE(np_name_event, 560);
SIZE(np_name_range, 32);
SIZE(np_name_options, 288);
SIZE(np_dns_message, 4872);
SIZE(np_lesson_head, 32);
SIZE(np_lesson, 4912);
SIZE(np_hello, 344);
SIZE(np_hello_copy, 3992);
SIZE(np_proxied_key, 40);
SIZE(np_proxied_side, 40);
SIZE(np_proxy, 12);
SIZE(np_path_set, 64);
SIZE(np_path_end, 16);
HOLDS(NP_MAX_ENDPOINTS - 1 <= NP_PATH_SLOT_MASK);
HOLDS(NP_PATH_FLAGS_MASK == (1 << NP_PATH_CLOCK_AT) - 1);
HOLDS(NP_PATH_CLOCK_MASK == (1 << (NP_PATH_OTHER_AT - NP_PATH_CLOCK_AT)) - 1);
HOLDS(NP_PATH_SLOT_MASK == (1 << (NP_PATH_ASKER_AT - NP_PATH_OTHER_AT)) - 1);
HOLDS(NP_PATH_SLOT_MASK == (1 << (NP_PATH_TAG_AT - NP_PATH_ASKER_AT)) - 1);
SIZE(np_event_budget, 24);
AT(np_event_budget, remotes, 12);
SIZE(np_bench_plan, 64);
AT(np_bench_plan, mask, 8);

/* What the kernel's own headers say. */
HOLDS(offsetof(struct __sk_buff, cb) == NP_CB_OFFSET);
HOLDS(sizeof(((struct __sk_buff *)0)->cb) == NP_CB_COUNT * sizeof(__u32));
HOLDS(NP_ACTION_NEXT == TC_ACT_UNSPEC); /* and TCX_NEXT */
HOLDS(NP_ACTION_OK == TC_ACT_OK);
HOLDS(NP_ACTION_SHOT == TC_ACT_SHOT);

/* The fields of the registers do not overlap, and hold what is put into them. */
HOLDS(NP_CB_SLOT_MASK == NP_CB_FAST_PATH - 1);
HOLDS(NP_CB_FAST_PATH << 1 == NP_CB_LESSON);
HOLDS(NP_CB_LESSON << 1 == 1u << NP_CB_DIRECTION_SHIFT);
HOLDS(NP_MAX_ENDPOINTS - 1 <= NP_CB_SLOT_MASK);
HOLDS(NP_CB_VERDICT_MASK == (1u << NP_CB_WORD_SHIFT) - 1);
HOLDS(NP_CB_WORD_MASK == (1u << (NP_CB_DECISION_SHIFT - NP_CB_WORD_SHIFT)) - 1);
HOLDS(NP_MAX_RULE_WORDS - 1 <= NP_CB_WORD_MASK);
HOLDS(NP_BITS_PER_WORD == 8 * sizeof(__u64));
HOLDS(NP_STEP_TO_POD == (int)NP_INGRESS && NP_STEP_FROM_POD == (int)NP_EGRESS);

/* Fields narrower than what they name. */
HOLDS(1 << NP_EVENT_REMOTE_BITS <= 8 * sizeof(__u32)); /* np_event_budget.remotes */
HOLDS(NP_MAX_ENDPOINTS - 1 <= 0xffff); /* np_event.endpoint */
HOLDS(NP_REASON_COUNT - 1 <= 0xff); /* np_event.reason, np_question.reason */
