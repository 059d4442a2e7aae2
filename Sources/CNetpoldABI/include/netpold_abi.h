/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/*
 * Every layout, limit and number shared between bpf/ and Swift, and every layout of a map, whoever reads it: maps are
 * pinned and outlive the programs. Written once, compiled three ways: by clang for the bpf target, by the host C
 * compiler (abi_asserts.c) and by Swift's importer.
 *
 * Rules: no implicit padding (-Wpadded is an error), every field says its unit and byte order, values that the kernel
 * side writes are plain integers (Swift converts them through failable enums).
 */
#ifndef NETPOLD_ABI_H
#define NETPOLD_ABI_H

#include <linux/types.h>

/*
 * Part of the pin path (/sys/fs/bpf/netpold/<instance>/v<N>). Bumped when new programs cannot use old maps: a struct of a
 * map changes, private ones included, or what programs agree on: cb and the numbers of steps. Tests/Golden/abi records what each version was. A field whose meaning changes gets
 * another name too: other versions carry flows over field by field, by name, and take what they do not know as 0, which
 * must admit nothing. Not for more entries: a table that is too small is taken over like one of another version.
 */
#define NP_ABI_VERSION 3

/* ---- limits: each with its memory cost ------------------------------------------------------------------ */

#define NP_MAX_ENDPOINTS 4096 /* local pods; 64 B each, array: 256 KiB */
#define NP_MAX_POLICY_SLOTS 8192 /* prog-array slots: two a subject; 8 B each */
#define NP_MAX_FLOW_SETS 131072 /* 4 flows each; 256 B each, taken at once: 32 MiB (loader may choose less; a power of two) */
#define NP_FLOW_WAYS 4 /* flows of a set */
#define NP_TRANSIT_SETS 16384 /* of np_transits, a power of two: pods' flows under the node's address, where host policies are; 256 B each: 4 MiB */
#define NP_MAX_FRAGMENTS 8192 /* datagrams in flight in fragments; about 110 B each: 0.9 MiB */
#define NP_IPV4_BUCKETS 65536 /* of np_ipv4_identities, 64 B each: 4 MiB */
#define NP_MAX_ADDRESSES 262144 /* exact addresses; not preallocated, about 70 B each in use */
#define NP_MAX_SOURCES 8192 /* addresses of local pods; not preallocated, about 100 B each in use */
#define NP_MAX_PREFIXES 262144 /* prefixes outside the cluster; not preallocated, about 90 B each in use */
#define NP_MAX_RULE_HITS 65536 /* per-CPU counters of rule bits; 8 B each and CPU: 512 KiB a CPU */
#define NP_EVENT_RING_BYTES (1 << 22) /* ring buffer: 4 MiB */
#define NP_MAX_EXTENSION_HEADERS 8 /* IPv6 extension headers walked before a packet is dropped */
#define NP_ENDPOINT_ADDRESSES 2 /* a pod has at most one address a family (Kubernetes: podIPs) */
#define NP_SOURCE_LINKS 8 /* interfaces by which packets of a local pod may come in: its own and their masters */
#define NP_MAX_RULE_WORDS 64 /* 64-bit words of rule bits a policy program may use: 4096 bits */
/*
 * Event records a CPU writes in a jiffy; the rest is only counted. Of passed packets, per reason; of drops, per endpoint,
 * and one more of each group of remote ends that has none yet.
 */
#define NP_EVENT_RATE_PER_JIFFY 64
#define NP_EVENT_DROPS_PER_JIFFY 8 /* budgets: 24 B an endpoint and CPU, 96 KiB a CPU */
#define NP_EVENT_REMOTE_BITS 5 /* remote ends are told apart by so many bits: 32 groups */
#define NP_RECENT_FLOWS 1024 /* flows without state that records were written of: 8 B each and CPU */
#define NP_RECENT_SECONDS 60 /* of silence, after which such a flow is news again */
#define NP_EVENT_RING_SHARE (NP_EVENT_RING_BYTES / 2) /* of the ring for passed packets, bytes; drops may fill it */

/* ---- addresses ------------------------------------------------------------------------------------------ */

/* IPv6, or IPv4 mapped into ::ffff:0:0/96. Network byte order. */
struct np_address {
	__be32 word[4];
};

/* Key of np_prefixes (LPM trie). IPv4 prefixes are 96 bits longer than they read. */
struct np_prefix_key {
	__u32 prefix_length; /* 0..128, host order */
	struct np_address address;
};

/*
 * Value of np_sources (hash, key = an address of a local pod): the interfaces by which packets with this source come in,
 * the pod's own and their masters (bridge, VRF). 0 = unused; without any the address is believed from nowhere.
 */
struct np_source {
	__u32 links[NP_SOURCE_LINKS]; /* interface numbers */
};

/* ---- identities of IPv4 addresses ----------------------------------------------------------------------- */

#define NP_IPV4_WAYS 7

/*
 * Value of np_ipv4_identities (array, mapped into the agent, key = np_ipv4_bucket_of): what np_addresses has, in one cache line.
 * Each word changes in one piece. A bucket that is not complete, as one that nobody has written, leaves the rest to np_addresses.
 */
struct np_ipv4_bucket {
	__u64 entry[NP_IPV4_WAYS]; /* lower half the address as in packets, upper half the value of np_addresses, not 0; 0 = none */
	__u64 complete; /* lowest bit 1: no other IPv4 address of this bucket is in np_addresses; the others count changes of it */
};

/* The bucket of an address, in network order. The numbers that networks count up last lie high. */
static inline __attribute__((always_inline)) __u32 np_ipv4_bucket_of(__be32 address)
{
	return (address * 0x9e3779b1u ^ address >> 15) >> 16 & (NP_IPV4_BUCKETS - 1);
}

/* ---- endpoints ------------------------------------------------------------------------------------------ */

/* Directions as policies name them, seen from the pod: index of per-direction fields. */
enum np_direction {
	NP_INGRESS = 0, /* decided at to_pod */
	NP_EGRESS = 1, /* decided at from_pod */
};

#define NP_ENDPOINT_READY 1 /* flags: policy programs are in place; without it nothing passes */
#define NP_ENDPOINT_MOVING 2 /* the region of flows is new: what is not in it may still be in that of np_flow_moves */
#define NP_ENDPOINT_SERVICES 4 /* the pod's packets to Services are translated here */
#define NP_ENDPOINT_NAMES 8 /* egress rules have DNS names: the pod's DNS exchanges are read */
#define NP_ENDPOINT_HOST 16 /* the node itself: it has many addresses, and its packets come in by its uplinks */
#define NP_ENDPOINT_FAST 32 /* new flows with another pod that has this too may take the fast path: struct np_path_set */
/* Two bits for each direction, from this one on, ingress first: enum np_state_need of what is decided in it. */
#define NP_ENDPOINT_NEED_SHIFT 8
#define NP_ENDPOINT_NEED_BITS 2
#define NP_ENDPOINT_NEED_MASK 3
/*
 * A bit for each direction, from this one on, ingress first: no policy has a rule or isolates in it, so everything passes and
 * the program need not be asked. Set only while the old program and the new one are both so.
 */
#define NP_ENDPOINT_OPEN_SHIFT 12

/* Whether packets of a direction that policy allows need a flow entry, so that the answers pass the opposite direction. */
enum np_state_need {
	NP_STATE_NEVER = 0, /* the opposite direction lets everything pass by itself */
	NP_STATE_MIRROR = 1, /* where the opposite direction's policy does not allow the answer in its own right */
	NP_STATE_ALWAYS = 2, /* and the entry is looked up first */
};

/*
 * Value of np_endpoints (array, key = endpoint slot). The entry stub of each hook puts the slot into
 * skb->cb[0], so neither a hash nor the interface index is needed to find it.
 */
struct np_endpoint {
	struct np_address address[NP_ENDPOINT_ADDRESSES]; /* what the pod may send from; all-zero = none */
	__u32 revision; /* bumped after (not before) each change that may change a verdict here; never 0 when ready */
	__u32 flags; /* NP_ENDPOINT_* */
	__u32 policy[2]; /* slot in np_policies, by np_direction */
	__u32 ifindex; /* host side of the veth, for events */
	__u32 region; /* of np_flow_sets: 2 * first set + number of sets, so its lowest bit set is the number; 0 = none */
	__u16 open_hit[2]; /* where NP_ENDPOINT_OPEN_SHIFT says open: index of np_rule_hits to count under, 0 = none */
	__u32 names; /* number of the subject's name columns, key of np_name_rules; 0 = none: no name counts, none is learnt */
};

/* ---- the node's own endpoint ------------------------------------------------------------------------------ */

/* np_host.mode: what becomes of packets of the node itself. */
enum np_host_mode {
	NP_HOST_OFF = 0, /* nothing is asked */
	NP_HOST_AUDIT = 1, /* policy is asked, and what it refuses passes under NP_REASON_HOST_AUDIT */
	NP_HOST_ENFORCE = 2,
};

#define NP_HOST_LINKS 16 /* uplinks */
#define NP_HOST_FAILSAFES 32 /* 8 B each */

/* Ports that pass whatever policy says, so that a policy locks nobody out of the node. Not in force: protocol 0. */
struct np_failsafe {
	__u16 first; /* ports of the node (ingress) or of the remote end (egress), host order */
	__u16 last;
	__u8 protocol;
	__u8 direction; /* enum np_direction, of the packet that opens the exchange */
	__u8 pad[2];
};

/*
 * Value of np_host (array, one entry). All zero: no host policies. `until`: a mode that nobody has confirmed by then is given up by
 * the programs themselves, whether an agent lives or not. Where the mode before it enforced, it did so by other policies: those are in
 * force again then, by programs of their own.
 */
struct np_host {
	__u32 mode; /* enum np_host_mode; a number that is none enforces */
	__u32 former; /* the mode from `until` on; NP_HOST_ENFORCE: by the former policies */
	__u64 until; /* ns, CLOCK_MONOTONIC; 0 = `mode` holds */
	__u64 fingerprint; /* of the node's policies, for whoever takes over; programs do not read it */
	__u32 slot; /* in np_endpoints */
	__u32 passes_probes; /* not 0: TCP from the node to its own pods passes */
	__u32 links[NP_HOST_LINKS]; /* uplinks with programs, 0 = none: for whoever takes over */
	struct np_failsafe failsafe[NP_HOST_FAILSAFES];
	__u64 former_fingerprint; /* of the former policies, as `fingerprint`; 0 = there are none */
	__u32 former_policy[2]; /* their slots in np_policies, by np_direction */
	__u32 former_revision; /* instead of np_endpoint.revision while they are in force; no endpoint ever has it */
	__u32 pad;
};

/* In cb[NP_CB_BASE] before np_to_pod: the node's egress policy has been asked. */
#define NP_HOST_ASKED 0x686f7374 /* "host" */

/* ---- conntrack ------------------------------------------------------------------------------------------ */

enum np_role {
	NP_ROLE_NONE = 0, /* no flow by itself */
	NP_ROLE_INITIATOR = 1, /* admitted by the pod's egress policy */
	NP_ROLE_RESPONDER = 2, /* admitted by its ingress policy */
};

/* np_flow_record.arrival and np_question.arrival: how packets of the other end come in; else the interface's number + 1. */
#define NP_ARRIVAL_UNKNOWN 0
#define NP_ARRIVAL_HERE 1 /* generated on this node */

/*
 * A pod's flow, of its own: a flow between two pods of the node has an entry in the region of each. Fields of live
 * entries that change (revision, arrival, last_seen, flags) are single aligned words.
 */
struct np_flow_record {
	struct np_address remote; /* the other end as the pod's policy sees it */
	__be16 own_port; /* ICMP queries: see np_packet */
	__be16 remote_port;
	__u8 protocol;
	__u8 own_address; /* index of np_endpoint.address, and NP_OWN_ALIAS */
	__be16 other_port; /* see `other` */
	__u32 revision; /* np_endpoint.revision the verdict was taken under */
	__u32 arrival; /* NP_ARRIVAL_* or interface by which the other end's latest packets came */
	__u32 last_seen; /* jiffies64 >> NP_FLOW_CLOCK_SHIFT, low half */
	__u32 flags; /* NP_ENTRY_* */
	struct np_address other; /* NP_ENTRY_FRONTEND, NP_ENTRY_BACKEND: what the remote's address is replaced by */
};

#define NP_FLOW_CLOCK_SHIFT 6 /* 64 jiffies: 0.06 to 0.64 s */

/* np_flow_record.flags */
#define NP_ENTRY_FIN_OWN 1 /* FIN seen from the pod; this and RST of SCTP: see np_packet.tcp_flags */
#define NP_ENTRY_FIN_REMOTE 2
#define NP_ENTRY_RST 4
#define NP_ENTRY_ANSWERED 8 /* a packet against the flow's direction has passed */
/*
 * The remote is a Service; `other` is the backend chosen: no flow by itself, so of no role. `arrival` is np_backend_reference of
 * the backend; `revision` that under which the flow to the backend was admitted, so that its packets need one entry.
 */
#define NP_ENTRY_FRONTEND 16
#define NP_ENTRY_BACKEND 32 /* the remote is a backend; `other` is the Service that the pod talks to */
#define NP_ENTRY_ROLE_SHIFT 6 /* two bits: enum np_role */
#define NP_ENTRY_STREAM 256 /* of no connection: after an answer more packets came in the flow's direction */
#define NP_ENTRY_QUERIES 512 /* DNS rules cover the flow: each of its queries is a question to policy */
#define NP_ENTRY_HELLO 1024 /* the server's name is not decided yet: np_hello is about its ClientHello */
#define NP_ENTRY_PROXY 2048 /* the L7 proxy carries the flow: np_proxied has it */
/*
 * Addresses learnt from DNS let the flow in: other.word[0] (host order) has the name columns that did, other.word[1] np_endpoint.names.
 * They count for this flow as long as it lives, whatever has expired. Not beside FRONTEND and BACKEND.
 */
#define NP_ENTRY_NAMED 4096
/*
 * 16 bits, a port in network order; 0: the pod's own. Where another flow of the pod has the same ends beyond the translation, the
 * pod gets another port there: FRONTEND entries say which, BACKEND entries have it as `own_port` and say here what the pod's is.
 */
#define NP_ENTRY_PORT_SHIFT 16

/*
 * In own_address of a FRONTEND entry whose ends are those of a BACKEND entry: the pod talks to a backend straight away, at which it
 * has a flow through a Service with the same port.
 */
#define NP_OWN_ALIAS 2
#define NP_OWN_ADDRESS_MASK 1

/* How long a silent flow is remembered, seconds: docs/design/flow-table.md. */
#define NP_TIMEOUT_ESTABLISHED 8000 /* TCP and SCTP, no end seen closing: longer than keep-alive's two hours */
#define NP_TIMEOUT_HALF_CLOSED 600 /* after a FIN of one end: the other may still be sending */
#define NP_TIMEOUT_CLOSED 30 /* after FINs of both ends, or a RST: late retransmissions */
#define NP_TIMEOUT_UNANSWERED 60 /* of these, what nobody has answered: as long as SYNs are repeated */
#define NP_TIMEOUT_DATAGRAM 180 /* UDP, and protocols without a notion of connection */
#define NP_TIMEOUT_EXCHANGE 30 /* of these, a question that has been answered and that nothing has followed */
#define NP_TIMEOUT_QUERY 30 /* ICMP queries */
/*
 * Of what came back to the pod from itself under the node's address, without a connection: the pod's answers pass for so long after
 * what came back last. They are for whoever translates them back: conntrack, which forgets after 30 seconds at the soonest
 * (nf_conntrack_udp_timeout, nf_conntrack_icmp_timeout). Behind that they would be the node's own, at a port of the pod's choice.
 */
#define NP_HAIRPIN_SECONDS 20
#define NP_TIMEOUT_LINGER 2 /* a closed flow makes room for another one after so long */
#define NP_TIMEOUT_SETTLED 1 /* an answered question after so long, where there is no other room */

/*
 * np_policy_changes (array, key = endpoint slot): when what the pod's policies allow may last have become less, as
 * np_flow_record.last_seen, written before they do; 0 = never. Flows that passed without an entry may have been revoked then.
 * For so many seconds datagrams of unknown flows may be answers in those: those from a server's port for as long as an entry would have remembered the flow, those whose ports tell
 * nothing while an answer may be under way.
 */
#define NP_REVOKED_SECONDS NP_TIMEOUT_DATAGRAM
#define NP_DOUBT_SECONDS 2
#define NP_FIRST_CLIENT_PORT 32768 /* net.ipv4.ip_local_port_range begins here, where nobody has changed it */

/* Whether a flow of no connection is a question that has been answered and that nothing has followed, as those of DNS. */
static inline __attribute__((always_inline)) int np_is_exchange(__u32 flags)
{
	return (flags & (NP_ENTRY_ANSWERED | NP_ENTRY_STREAM)) == NP_ENTRY_ANSWERED;
}

/* The timeout of a flow, seconds. `flags`: NP_ENTRY_*. */
static inline __attribute__((always_inline)) __u32 np_flow_timeout(__u8 protocol, __u32 flags)
{
	const __u32 fins = flags & (NP_ENTRY_FIN_OWN | NP_ENTRY_FIN_REMOTE);

	switch (protocol) {
	case 6: /* TCP */
	case 132: /* SCTP */
		if (flags & NP_ENTRY_RST || fins == (NP_ENTRY_FIN_OWN | NP_ENTRY_FIN_REMOTE))
			return NP_TIMEOUT_CLOSED;
		if (!(flags & NP_ENTRY_ANSWERED))
			return NP_TIMEOUT_UNANSWERED;
		return fins ? NP_TIMEOUT_HALF_CLOSED : NP_TIMEOUT_ESTABLISHED;
	case 1: /* ICMP */
	case 58: /* ICMPv6 */
		return NP_TIMEOUT_QUERY;
	default:
		return np_is_exchange(flags) ? NP_TIMEOUT_EXCHANGE : NP_TIMEOUT_DATAGRAM;
	}
}

/* Lower half of a control word: state and tag; upper half: a version, counted up when the slot is used again. */
#define NP_SLOT_FREE 0
#define NP_SLOT_BUSY 1 /* being written: readers take it for another flow's */
#define NP_SLOT_LIVE 2
#define NP_SLOT_STATE_MASK 3
#define NP_SLOT_TAG_MASK 0xfffffffc
#define NP_SLOT_VERSION_SHIFT 32

/*
 * Value of np_flow_sets (array, mapped into the agent): the slots that a flow can be in. Each endpoint has a region of its
 * own, a power of two of sets that begins at a multiple of its size. How slots are taken: docs/design/flow-table.md.
 */
struct np_flow_set {
	__u64 control[NP_FLOW_WAYS];
	struct np_flow_record flow[NP_FLOW_WAYS];
};

/*
 * np_transits (array, value np_flow_set): pods' flows that leave by an uplink under an address of the node (masqueraded), where host policies are
 * asked. Keys are as in the node's own region. `arrival` is the interface of the pod + 1, `last_seen` of datagrams says when the pod has
 * sent one, and there is no role: what comes back in such a flow is not the node's.
 */

/* Value of np_flow_shares (per-CPU array, key = endpoint slot): what became of new flows in the endpoint's region. */
struct np_flow_share {
	__u64 inserted;
	__u64 evicted; /* unanswered ones, and answered questions of no connection, that made room */
	__u64 refused; /* new ones that found none */
};

/* Value of np_flow_seed (array, one entry): the key of np_flow_hash. Random, set once, before the first endpoint is ready. */
struct np_flow_seed {
	__u64 word[2];
};

/*
 * Where a flow may be: sets `hash & (sets - 1)` and `hash >> NP_FLOW_SECOND_SHIFT & (sets - 1)` of its endpoint's region,
 * under the tag `hash >> NP_FLOW_TAG_SHIFT & NP_SLOT_TAG_MASK`. Keyed: who does not know the seed cannot fill a set.
 */
#define NP_FLOW_SECOND_SHIFT 17
#define NP_FLOW_TAG_SHIFT 32

static inline __attribute__((always_inline)) __u64
np_flow_hash(const struct np_flow_seed *_Nonnull seed, __u32 endpoint, const struct np_flow_record *_Nonnull flow)
{
	const __u64 odd = seed->word[1] | 1;
	__u64 hash = seed->word[0];

	hash = (hash ^ ((__u64)flow->remote.word[0] << 32 | flow->remote.word[1])) * odd;
	hash ^= hash >> 32;
	hash = (hash ^ ((__u64)flow->remote.word[2] << 32 | flow->remote.word[3])) * 0x9fb21c651e98df25;
	hash ^= hash >> 29;
	hash ^= (__u64)endpoint << 44 | (__u64)flow->own_address << 40;
	hash = (hash ^ ((__u64)flow->own_port << 24 | (__u64)flow->remote_port << 8 | flow->protocol)) * odd;
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93;
	return hash ^ hash >> 32;
}

/*
 * What the programs know of the machine: section .rodata.config of the object, which the loader fills in before it loads.
 * Constants for the verifier, so what they switch off costs nothing.
 */
struct np_config {
	__u32 hertz; /* jiffies a second */
	__u32 barriers; /* 1: loads may be reordered (not on x86), so readers of flows need a barrier */
	__u32 fast_path; /* 1: there may be flows on the fast path (struct np_path_set) */
	__u32 hosts; /* 1: there may be policies of the node itself (struct np_host) */
};

/* ---- fast path ------------------------------------------------------------------------------------------ */

/*
 * Value of np_paths (array, key = low bits of the flow's hash): flows between two pods of the node that take the fast path, which
 * goes past the node's stack. One word a flow, which both directions share, so that they take the same path at any time; it
 * changes in one piece. Absent: the flow goes by the stack. docs/decisions/0027-past-the-stack.md.
 *
 *   bits 37-63  tag: upper bits of the hash
 *        25-36  endpoint slot of the pod that asked
 *        13-24  of the other one; meaningless without NP_PATH_FAST
 *         5-12  when a packet last took the fast path: jiffies64 >> NP_PATH_CLOCK_SHIFT
 *         0-4   NP_PATH_*; 0: the word is free
 */
#define NP_PATH_SETS 16384 /* 64 B each: 1 MiB, 131,072 flows */
#define NP_PATH_WAYS 8
struct np_path_set {
	__u64 path[NP_PATH_WAYS];
};

#define NP_PATH_ASKED 1 /* the pod that asked has sent a packet, and the stack has not brought it to the other pod yet */
#define NP_PATH_FAST 2 /* the stack has brought one unchanged: the others take the fast path */
#define NP_PATH_USED 4 /* one has taken it */
#define NP_PATH_ENDED 8 /* one had FIN or RST */
#define NP_PATH_DATAGRAMS 16 /* it is of UDP */
#define NP_PATH_FLAGS_MASK 31
#define NP_PATH_CLOCK_AT 5
#define NP_PATH_CLOCK_MASK 0xff
#define NP_PATH_OTHER_AT 13
#define NP_PATH_ASKER_AT 25
#define NP_PATH_SLOT_MASK 0xfff
#define NP_PATH_TAG_AT 37
#define NP_PATH_CLOCK_SHIFT 16 /* 65,536 jiffies: 66 to 655 s */

/* One end of a flow, as a part of np_path_hash. */
static inline __attribute__((always_inline)) __u64
np_path_end_hash(const struct np_flow_seed *_Nonnull seed, const struct np_address *_Nonnull address, __be16 port)
{
	__u64 hash = seed->word[0] ^ port;

	hash = (hash ^ ((__u64)address->word[0] << 32 | address->word[1])) * (seed->word[1] | 1);
	hash ^= hash >> 32;
	hash = (hash ^ ((__u64)address->word[2] << 32 | address->word[3])) * 0x9fb21c651e98df25;
	return hash ^ hash >> 29;
}

/* Where a flow's word is: the same whichever end comes first. Keyed as np_flow_hash. Its tag is never 0. */
static inline __attribute__((always_inline)) __u64
np_path_hash(const struct np_flow_seed *_Nonnull seed, const struct np_address *_Nonnull one, __be16 one_port,
	     const struct np_address *_Nonnull other, __be16 other_port, __u8 protocol)
{
	__u64 hash = np_path_end_hash(seed, one, one_port) + np_path_end_hash(seed, other, other_port);

	hash = (hash ^ protocol) * (seed->word[1] | 1);
	hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93;
	return (hash ^ hash >> 32) | 1ull << NP_PATH_TAG_AT;
}

/* Value of np_path_ends (array, key = endpoint slot): the head of the frames by which the pod is reached. */
struct np_path_end {
	__u8 pod[6]; /* MAC address of the pod's end */
	__u8 host[6]; /* and of the node's */
	__u32 ifindex; /* np_endpoint.ifindex that it holds for; 0 = none */
};

/* ---- services ------------------------------------------------------------------------------------------- */

/* Key of np_services (hash) and of np_backend_ends (hash): an address, port and protocol. */
struct np_service_key {
	struct np_address address;
	__be16 port;
	__u8 protocol;
	__u8 pad;
};

/* Value of np_services: a port of a Service at one of its addresses. */
struct np_service {
	__u32 maglev; /* first entry in np_maglev */
	__u32 maglev_size; /* a prime; 0 = no usable endpoint */
	__u32 id; /* of the Service's port, not used again while flows may remember it; key of affinity */
	__u32 affinity; /* seconds; 0 = none */
};

/* Value of np_backends (array, key = np_maglev's values): where a Service's packets go. */
struct np_backend {
	struct np_address address;
	__be16 port;
	__u8 protocol;
	__u8 flags; /* NP_BACKEND_* */
	__u32 generation; /* 1 to 65535, another one each time the slot is used again */
	__u32 service; /* the Service's port that goes there, by a number of the agent's; a slot is of one only */
};

/* A backend as FRONTEND entries remember it: its slot, and above that its generation. Without one (0) it is not known. */
static inline __attribute__((always_inline)) __u32 np_backend_reference(__u32 slot, __u32 generation)
{
	return (slot & 0xffff) | generation << 16;
}

#define NP_BACKEND_USABLE 1 /* without it flows of connectionless protocols move on */

#define NP_MAX_SERVICES 262144 /* address, port and protocol; not preallocated, about 90 B each in use */
#define NP_MAX_MAGLEV 1048576 /* 4 B each: 4 MiB */
#define NP_MAX_BACKENDS 65536 /* 28 B each: 1.8 MiB */
#define NP_MAX_AFFINITIES 65536 /* clients of Services with sessionAffinity; about 80 B each */

/* Key of np_affinities (LRU hash). */
struct np_affinity_key {
	__u32 endpoint; /* slot of the client */
	__u32 service; /* np_service.id */
};

struct np_affinity {
	__u32 backend; /* np_backend_reference */
	__u32 last_seen; /* of the client's latest new flow to the Service: seconds, CLOCK_MONOTONIC */
};

/*
 * Value of np_refusals (per-CPU array, key = endpoint slot): how many packets for Services without endpoints were answered.
 * An answer costs about what the packet did; more are dropped without one.
 */
#define NP_REFUSALS_PER_JIFFY 8
struct np_refusal_budget {
	__u64 jiffy;
	__u32 sent; /* in this jiffy */
	__u32 named; /* records about names in this jiffy */
};

/*
 * What is known of a packet to a Service (`made`), an allowed one of which makes or renews its entries: np_question.flow is the
 * flow to the backend. Or of one from a Service (`back`): np_question.flow.other is its frontend.
 */
struct np_choice {
	struct np_address frontend; /* that the pod has sent to */
	__be16 port;
	__u8 made; /* this and the fields but the following one and `flags` are filled in */
	__u8 back; /* the packet comes from a backend, in a flow to a Service */
	__u8 flags; /* of such a packet: NP_ENTRY_* that are new of the flow */
	__u8 affinity; /* the Service's flows of a client stay together: the choice is remembered */
	__be16 own_port; /* the pod's, where it has another one at the backend; of a packet from a backend 0 if it has not */
	__u32 service; /* np_service.id */
	__u32 backend; /* np_backend_reference */
	__u8 own_address; /* np_flow_record.own_address of the FRONTEND entry */
	__u8 pad[3];
};

/*
 * A pod that is chosen as its own backend gets its packets from here: from itself the pod would answer itself, without
 * netpold. Nobody has these addresses: 169.254.42.1 and fd6e:6574:706f:6c64::1.
 */
#define NP_HAIRPIN_IPV4 0xa9fe2a01 /* host order */
#define NP_PROXY_NETWORK_IPV4 0xa9fe4d /* first 24 bits, host order: addresses of the L7 proxy's namespace */
#define NP_HAIRPIN_IPV6_0 0xfd6e6574
#define NP_HAIRPIN_IPV6_1 0x706f6c64
#define NP_HAIRPIN_IPV6_2 0
#define NP_HAIRPIN_IPV6_3 1

/* ---- names ---------------------------------------------------------------------------------------------- */

/*
 * The patterns of all rules about names (DNS rules, toFQDNs, serverNames) are one automaton over the bytes of a name, in one of
 * two banks of np_names. A row is a state. Where the walk of a name ends is its name set: which patterns it satisfies.
 */
#define NP_MAX_NAME_STATES 16384 /* of a bank; 128 B each: 2 banks are 4 MiB */
#define NP_NAME_CLASSES 40 /* NameClass: end of a label, any other byte, a-z, 0-9, `-`, `_` */
#define NP_NAME_CLASS_END 0
#define NP_NAME_CLASS_OTHER 1
#define NP_NAME_DEAD 0 /* the state that no name leaves */
#define NP_NAME_START 1

/* Value of np_names (array, key = bank * NP_MAX_NAME_STATES + state). */
struct np_name_state {
	__u16 next[NP_NAME_CLASSES]; /* state by class */
	__u16 set; /* the name set of a name that ends here, after its last label's end */
	__u16 pad[23];
};

/*
 * Value of np_name_revision (array, one entry): which automaton is in force, changed in one piece. The lowest bit is the bank;
 * the number changes with each automaton and is not used again while a packet or an entry of np_name_rules refers to it.
 */
struct np_name_revision {
	__u32 number; /* 0 = none: no name satisfies anything */
};

/* Key of np_name_rules (hash). */
struct np_name_rule_key {
	__u32 owner; /* base of a policy program's counters (cb[NP_CB_BASE]), with NP_NAME_QUERIES for DNS rules; or
			NP_NAME_COLUMNS | np_endpoint.names */
	__u32 revision; /* np_name_revision.number; 0 with one of the sets below */
	__u32 set; /* a name set, or NP_NAME_SET_* */
};

#define NP_NAME_COLUMNS 0x80000000
#define NP_NAME_QUERIES 0x40000000 /* so a query finds bits of DNS rules only, and a server name none of them */
#define NP_NAME_SET_DNS 0xfffffffd /* not a name: all bits of DNS rules */
#define NP_NAME_SET_SERVER 0xfffffffe /* all bits of rules with serverNames */
/* Of DNS rules that hold over TCP too, where the proxy decides what the automaton has no room for: */
#define NP_NAME_SET_UNKNOWN 0xfffffffc /* bits with patterns that it lacks: a query that no rule allows is to be made over TCP */
#define NP_NAME_SET_UNLEARNT 0xfffffffb /* all, if the program's columns have such patterns: so is one that they allow */

/* Value of np_name_rules. No entry = nothing. */
struct np_name_rule {
	__u64 rules; /* of a program: its L7 bits, of the one word that has them, that the name set satisfies */
	__u32 columns; /* of an endpoint's columns: those whose selectors the name set satisfies */
	__u32 pad;
};

/*
 * Columns are the toFQDNs lists of a subject; a learnt address has a bit for each that it was learnt by. Not used again while an
 * entry or a program may refer to it.
 */
#define NP_MAX_NAME_COLUMNS 32
#define NP_MAX_NAME_RULES 262144 /* entries of np_name_rules; not preallocated, about 80 B each in use */
#define NP_MAX_LEARNT 65536 /* entries of np_learnt, preallocated: about 230 B each, 15 MiB; a new entry costs 300 ns, else 750 */
#define NP_MAX_LEARNT_OF_POD 8192 /* of them of one endpoint */
#define NP_LEARNT_CROWDED (NP_MAX_LEARNT / 4 * 3) /* while there are so many, an endpoint that has NP_LEARNT_FAIR learns nothing new */
#define NP_LEARNT_FAIR 1024
#define NP_LEARNT_LONGEST 604800 /* seconds that DNS can say at most: a week, as RFC 8767 4 has it */

/* Key of np_learnt (hash): what a pod has learnt. */
struct np_learnt_key {
	struct np_address address;
	__u32 endpoint; /* slot */
};

/* Value of np_learnt. Times: seconds, as np_name_clock. An entry counts only while nothing else names the address. */
struct np_learnt {
	__u32 names; /* np_endpoint.names that it was learnt under; under another one it is nothing */
	__u32 columns; /* that ever were learnt */
	__u32 earliest; /* until then all of `columns` hold */
	__u32 serial; /* of who wrote it, a random number: by it a writer sees that another one was faster */
	__u32 expires[NP_MAX_NAME_COLUMNS];
};

/* Value of np_learnt_shares (array, key = endpoint slot; NP_MAX_ENDPOINTS: of all, only the first two). */
struct np_learnt_share {
	__u64 inserted; /* entries, by programs and the agent */
	__u64 removed; /* by the agent; the difference is bounded by NP_MAX_LEARNT_OF_POD */
	__u64 refused; /* addresses that found no room */
	__u64 unlearnt; /* answers to the pod's queries that taught nothing: not exact */
};

/*
 * Value of np_pending (array, key = endpoint slot * NP_PENDING_SETS + set): queries that wait for their answer. An entry is the
 * keyed hash of all that an answer must repeat: ends, ports, id, folded question, type and class. Consumed by compare and swap.
 */
#define NP_PENDING_SETS 32 /* of an endpoint: 256 queries; 4 KiB an endpoint, 16 MiB */
#define NP_PENDING_WAYS 8
#define NP_PENDING_SECONDS 10
struct np_pending_set {
	__u64 hash[NP_PENDING_WAYS]; /* 0 = free */
	__u32 time[NP_PENDING_WAYS]; /* of the query: low half of jiffies64 */
	__u32 pad[8];
};

/* Record of np_name_events (ring buffer, pinned: unread ones outlive the agent). */
enum np_name_event_kind {
	NP_NAME_LEARNT = 1, /* addresses of a name; those beyond NP_NAME_EVENT_ADDRESSES in more records */
	NP_NAME_DENIED = 2, /* a query that no DNS rule allows */
	NP_NAME_UNLEARNT = 3, /* an answer that taught nothing */
	NP_NAME_SERVER_DENIED = 4, /* a server name that no rule allows; empty: none, or not TLS */
};

#define NP_NAME_BYTES 256 /* a name as on the wire, labels with their length, folded; zeros behind it */
#define NP_NAME_EVENT_ADDRESSES 16
#define NP_NAME_RING_BYTES (1 << 21)
struct np_name_event {
	__u64 time; /* ns, CLOCK_MONOTONIC */
	__u32 endpoint; /* slot */
	__u32 expires; /* as np_learnt.expires */
	__u32 rule_base; /* NP_NAME_DENIED, NP_NAME_SERVER_DENIED: the program, and the L7 bits that were asked */
	__u8 kind; /* enum np_name_event_kind */
	__u8 count; /* of addresses */
	__u16 type; /* of the question */
	__u64 rules;
	struct np_address remote; /* the resolver, or the server */
	__u8 name[NP_NAME_BYTES];
	struct np_address address[NP_NAME_EVENT_ADDRESSES];
};

#define NP_DNS_MAX_BYTES 4096 /* of a message that is read: over UDP more comes in fragments */
#define NP_DNS_MAX_RECORDS 128 /* of a message, and addresses of an answer */

/* Value of np_dns_scratch (per-CPU array, one entry): the DNS message of the packet, and what has been found out about it. */
struct np_dns_message {
	__u64 hash; /* keyed, of the question's folded name */
	__u32 length; /* bytes */
	__u32 revision; /* np_name_revision.number */
	__u32 state; /* of the automaton */
	__u32 set; /* name set of the question's name */
	__u32 cursor; /* where reading goes on; offsets are bytes from the start of the message */
	__u32 left; /* bytes left of the label that is being read */
	__u32 name_length; /* bytes of the question's name, 0 = it is none */
	__u32 owner; /* where the name is that the next address must have */
	__u32 answers; /* records of the answer section */
	__u32 records; /* of all sections */
	__u32 ttl; /* the shortest of the answer, seconds */
	__u32 count; /* of addresses */
	__u32 compared[2]; /* names that are being compared: where */
	__u32 jumps; /* by compression pointers */
	__u32 steps; /* of comparisons, in all records */
	__u32 columns; /* that the question's name satisfies */
	__u32 names; /* np_endpoint.names */
	__u32 expires; /* of what is learnt */
	__u16 id;
	__u16 type; /* of the question */
	__u16 query_class;
	__u8 is_exact; /* so far */
	__u8 is_equal; /* the names compared */
	__u16 place[NP_DNS_MAX_RECORDS]; /* where the addresses are; 0 = it is one that is never learnt */
	__u8 name[NP_NAME_BYTES]; /* of the question, as in np_name_event */
	__u8 udp[8]; /* the header before a packet's message, read along with it */
	__u8 bytes[NP_DNS_MAX_BYTES];
	struct np_learnt_key learnt_key; /* of the address that is being learnt */
	struct np_learnt learnt; /* an entry before it is put into np_learnt */
};

/*
 * An answer that the proxy has read off a TCP connection of a pod, taught by a test run of np_dns_lesson (pinned among the links). The
 * frame is an Ethernet header of zeros, this, and the message; cb[0] has the pod's slot and NP_CB_LESSON. What the program returns is
 * enum np_lesson_answer.
 */
struct np_lesson_head {
	struct np_address resolver;
	struct np_address client; /* the pod's own: its slot may be another's by now */
};

enum np_lesson_answer {
	NP_LESSON_TAKEN = 0, /* what the message says is in force, if it says anything */
	NP_LESSON_REFUSED = 1, /* it is not exactly an answer, or nobody's */
	NP_LESSON_WITHHELD = 2, /* as REFUSED, and the node drops such answers */
	NP_LESSON_BUSY = 3, /* another one is under way on this CPU */
};

/* Value of np_lesson_scratch (per-CPU array, one entry): as np_dns_scratch, which packets may take meanwhile. */
struct np_lesson {
	struct np_dns_message message;
	struct np_lesson_head head;
	__u32 busy; /* taken by compare and swap */
	__u32 pad;
};

/* Addresses that differ in no bit of the mask. */
struct np_name_range {
	struct np_address address;
	struct np_address mask;
};

#define NP_MAX_NAME_RANGES 8

/* What the names programs know of the node's options: np_name_options (array, one entry). */
struct np_name_options {
	__u32 refusal; /* RCODE of a denied query: 5 REFUSED, 3 NXDOMAIN */
	__u32 least_ttl; /* seconds that an address is kept at least */
	__u32 drops_inexact; /* 1: answers to the pod's queries that cannot be read are dropped; 0: they pass, and teach nothing */
	__u32 record; /* the agent's: serial number of what it has written down about the numbers of columns */
	__u32 ranges; /* how many of the following there are */
	__u32 pad[3];
	struct np_name_range range[NP_MAX_NAME_RANGES]; /* link-local addresses that are learnt all the same */
};

/* ---- L7 flows ------------------------------------------------------------------------------------------- */

/*
 * Key and value of np_proxied (hash, pinned): what each side's policy says of a flow that the proxy carries, by the connection's
 * ends as the proxy's sockets know them. The side that sends the flow to the proxy is written before the connection's first
 * packet gets there; the server's, where the client's side does, before the answer to the proxy's own SYN.
 */
/* One a slot of flows, and no more of a pod than its region has: no pod takes another one's. Not preallocated, about 130 B each in use. */
#define NP_MAX_PROXIED (NP_MAX_FLOW_SETS * NP_FLOW_WAYS)
struct np_proxied_key {
	struct np_address client;
	struct np_address server;
	__be16 client_port;
	__be16 server_port;
	__u32 side; /* enum np_direction: NP_EGRESS the client's, NP_INGRESS the server's */
};

struct np_proxied_side {
	__u64 rules; /* L7 bits that matched, of the program's one word; 0 with NP_PROXIED_ALLOWED */
	__u32 base; /* of the program: the proxy's rules have it; 0 with NP_PROXIED_ALLOWED */
	__u32 endpoint; /* slot */
	__u32 revision; /* np_endpoint.revision */
	__u32 remote_identity;
	__u32 flags; /* NP_PROXIED_*; without any: this side takes what comes from the proxy, and has L7 rules too */
	__u8 own_mac[6]; /* NP_PROXIED_REDIRECTS: of the SYN's frame, the pod's */
	__u8 peer_mac[6]; /* and the other one's */
};

#define NP_PROXIED_REDIRECTS 1 /* this side's pod sends the flow to the proxy */
#define NP_PROXIED_CONNECTED 4 /* beside REDIRECTS of the client's: the server has answered the proxy, so its side is known */
#define NP_PROXIED_ALLOWED 2 /* policy has come to allow everything of the flow: no L7 rule of this side is asked */
#define NP_PROXIED_BOTH 8 /* beside REDIRECTS of the client's: the server's side has L7 rules too; without its entry nothing passes */

/*
 * np_proxy (array, one entry, written by the agent): the way to the proxy's namespace. The proxy is there as long as its listening
 * socket is in np_listeners, out of which the kernel takes it when it is closed.
 */
struct np_proxy {
	__u32 interface; /* the node's end of the veth pair; 0 = none */
	__u8 mac[6]; /* of the proxy's end */
	__u8 pad[2];
};

#define NP_MAX_LISTENERS 4 /* of np_listeners (sockmap); the first stands for all of its SO_REUSEPORT group */

/*
 * Value of np_hellos (hash, key = index of the flow's slot: set * NP_FLOW_WAYS + way): what is known of the ClientHello of a TLS
 * connection whose server name rules decide, and its name once it is decided: so that other rules can be asked about it when the
 * connection goes on under them. Sequence numbers are in host order. Of another flow if `version` is not the slot's.
 */
#define NP_MAX_HELLOS (NP_MAX_FLOW_SETS * NP_FLOW_WAYS) /* one a slot; not preallocated, about 380 B each in use */
struct np_hello {
	__u64 rules; /* L7 bits that matched the connection, of the program's one word */
	__u32 base; /* of the program that answered L7; key of np_name_rules */
	__u32 word; /* that has the bits */
	__u32 version; /* upper half of the slot's control word */
	__u32 busy; /* 1: a program is changing this; taken by compare and swap */
	__u32 identity; /* of the other end */
	__u32 start; /* sequence number of the connection's first byte */
	__u32 sequence; /* of the next byte to read; once all is read, of the one behind the ClientHello */
	__u32 acknowledged; /* what the server is known to have got: retransmissions of it change nothing */
	__u32 again; /* `start` of a connection that a SYN asked for, until its answer says whether there is one */
	__u32 answered; /* sequence number of the server's first byte, by its answer to the SYN; */
	__u32 served; /* behind what it has sent since: the client acknowledges nothing else */
	__u32 offset; /* this and the following two: of the packet that is read now, bytes from the start of the frame */
	__u32 end;
	__u32 place; /* in np_hello_copy.bytes */
	__u16 record; /* bytes left of: the TLS record, */
	__u16 message; /* the ClientHello, once its length is known, */
	__u16 skip; /* a part of it that is not looked at, */
	__u16 item; /* the server_name extension, and its name */
	__u32 number; /* being read, its first bytes */
	__u16 walk; /* the automaton's state */
	__u8 pad;
	__u8 is_open; /* the server has answered to the SYN that `start` is of: before that nothing is read */
	__u8 state; /* enum np_hello_state */
	__u8 is_again; /* `again` is one */
	__u8 part; /* bpf/lib/hello_read.h */
	__u8 digits; /* bytes read of the part's number */
	__u8 head; /* bytes read of the record's header */
	__u8 name_length; /* bytes of `name` without the last label's end */
	__u8 label; /* where in `name` the length of the label is that is being read */
	__u8 reason; /* enum np_reason: NP_HELLO_REFUSED; before, NP_DROP_HELLO_ORDER once bytes came again that nobody could compare */
	__u8 name[NP_NAME_BYTES]; /* as np_name_event.name; empty: none yet */
};

enum np_hello_state {
	NP_HELLO_READING = 0, /* nothing of the server passes */
	NP_HELLO_ALLOWED = 1, /* what the server has not acknowledged must not be sent again in another form */
	NP_HELLO_DECIDED = 2, /* the flow passes by its entry */
	NP_HELLO_REFUSED = 3,
};

/*
 * Value of np_hello_copies (hash, key = endpoint slot * NP_HELLO_COPIES + index of the flow's slot modulo that): the first bytes of a
 * connection, to compare retransmissions with. Of the flow that had the place last; a retransmission that cannot be compared is
 * dropped as long as the server has not acknowledged what it repeats; the second one ends the connection.
 */
#define NP_HELLO_COPIES 32 /* of an endpoint; made as they are needed: 128 KiB at most */
#define NP_HELLO_COPY_BYTES 3968 /* what leaves an entry of the map in 4 KiB */
struct np_hello_copy {
	__u32 slot; /* index of the flow's slot */
	__u32 version; /* of it */
	__u32 start; /* np_hello.start */
	__u32 length; /* bytes that are there */
	__u32 busy; /* as np_hello.busy */
	__u32 pad;
	__u8 bytes[NP_HELLO_COPY_BYTES];
};

/* ---- packets ------------------------------------------------------------------------------------------- */

/* How a packet is judged. */
enum np_kind {
	NP_KIND_FLOW = 0, /* belongs to a flow; a new flow is remembered */
	NP_KIND_ICMP_REPLY = 1, /* answer to an ICMP query; without a known flow judged like NP_KIND_STATELESS */
	NP_KIND_STATELESS = 2, /* ICMP message judged by its type alone */
	NP_KIND_ICMP_ERROR = 3, /* judged by the packet that it embeds */
};

enum np_fragment_place {
	NP_FRAGMENT_NONE = 0, /* a whole packet */
	NP_FRAGMENT_FIRST = 1, /* has the transport header */
	NP_FRAGMENT_LATER = 2, /* has no transport header: ports and kind come from np_fragments */
};

/*
 * A parsed packet. Ports of ICMP and ICMPv6 queries: that of the end that asks is the identifier, that of the other end the type of
 * the query. Protocols without ports: both 0.
 */
struct np_packet {
	struct np_address source;
	struct np_address destination;
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol; /* IPv6: the last header */
	__u8 kind; /* enum np_kind */
	__u8 initiates; /* starts a new exchange: TCP SYN without ACK, SCTP INIT, ICMP query */
	__u8 icmp_type;
	__u8 tcp_flags; /* of SCTP what its first chunk is to TCP: INIT SYN, INIT ACK SYN, ABORT RST, both SHUTDOWNs FIN */
	__u8 hop_limit;
	__u8 fragment; /* enum np_fragment_place */
	__u8 icmp_code;
	__u32 fragment_identification; /* as in np_fragment_key */
	__u16 fragment_offset; /* bytes */
	__u16 fragment_headers; /* first fragment: bytes of the fragmentable part up to the end of the transport header */
};

/* Key of np_fragments: one datagram in flight. Value: struct np_fragment. */
struct np_fragment_key {
	struct np_address source;
	struct np_address destination;
	__u32 identification; /* network order, zero-extended for IPv4 */
	__u32 protocol; /* IPv4; 0 for IPv6, where only the first fragment's counts */
};

/* What the later fragments of a datagram need of the first one. */
struct np_fragment {
	__be16 source_port; /* of ICMP queries: see np_packet */
	__be16 destination_port;
	__u16 headers; /* bytes of the datagram up to the end of its transport header; later fragments start behind */
	__u8 protocol;
	__u8 kind; /* enum np_kind */
	__u8 icmp_type;
	__u8 pad[3];
};

/* Why a packet is one for NP_STEP_HELLO. */
enum np_hello_cause {
	NP_HELLO_NONE = 0, /* it is not */
	NP_HELLO_KNOWN = 1, /* its flow waits for its server's name, under the current revision */
	NP_HELLO_ASKED = 2, /* the policy has answered with l7_rules, which are all about server names */
	NP_HELLO_OPENS = 3, /* likewise; it is a SYN that passes, and its flow's entry is there */
};

/* What the policy is asked about a packet, one question after another: bpf/lib/verdict.h. */
enum np_stage {
	NP_STAGE_OWN = 0, /* the packet in its own right, at the hook where it is */
	NP_STAGE_MIRROR = 1, /* its answer, which the opposite direction's policy may allow in its own right */
	NP_STAGE_REPLY = 2, /* the flow that it answers, by the policy that admitted that one */
	NP_STAGE_EMBEDDED = 3, /* the packet that an ICMP error embeds, at the hook where that one was */
	NP_STAGE_EMBEDDED_MIRROR = 4, /* the answer to that packet */
	NP_STAGE_EMBEDDED_FLOW = 5, /* the known flow of that packet, by the policy that admitted it */
};

/* Why a packet is in NP_STEP_PROXY. */
enum np_proxy_call {
	NP_PROXY_RULES = 0, /* its policy's answer is L7 */
	NP_PROXY_KNOWN = 1, /* it is of a flow that the proxy carries, under the current revision */
	NP_PROXY_ALLOWED = 2, /* of such a flow, and policy allows it by now without L7 rules */
	NP_PROXY_ERROR = 3, /* an ICMP error about such a flow */
};

/*
 * Value of np_scratch (one entry, per CPU): what the next program needs to know about the packet. Steps read it, and
 * np_policy after each answer of a policy program. tc programs run with bottom halves disabled, so no other packet of this
 * CPU comes between.
 */
struct np_question {
	struct np_packet packet; /* that is judged; in the stages of an ICMP error the embedded one */
	struct np_packet error; /* in these stages: the error itself */
	struct np_flow_record flow; /* the packet's entry, should one be made; a step may have set `other` and flags */
	__u32 resume_offset; /* for a step after the parser: where in the frame it goes on, bytes */
	__u32 resume_end; /* and where the packet ends */
	__u32 endpoint; /* slot */
	__u32 arrival; /* NP_ARRIVAL_* or interface: how the packet came in; of one from the pod NP_ARRIVAL_UNKNOWN */
	__u32 revision; /* read before the policy is asked: a change in between makes the flow's entry stale, not wrong */
	__u32 asked; /* identity of the remote that the policy is asked about now */
	__u32 also; /* identity that must be allowed too, 0 = none; asked after the first */
	__u32 remote_identity; /* this and the following four: of the answer that decides, for counters and events */
	__u32 rule_hit; /* index of np_rule_hits, 0 = none */
	__u8 decision; /* enum np_decision */
	__u8 decided; /* enum np_direction: whose policy it was */
	__u8 flags; /* NP_EVENT_* */
	__u8 own; /* enum np_reason by the answer to the packet in its own right */
	__u8 stage; /* enum np_stage */
	__u8 travel; /* enum np_direction: of `packet`, NP_EGRESS = from the pod */
	__u8 direction; /* enum np_direction: whose policy is asked now */
	__u8 need; /* enum np_state_need */
	__u8 tracked; /* the packet may belong to a flow */
	__u8 allowed; /* enum np_reason of a packet that is allowed in its own right */
	__u8 asked_flags; /* NP_EVENT_*, of what is asked now */
	__u8 answered; /* enum np_reason by the answer in this stage */
	struct np_choice choice;
	__u32 transport_offset; /* where the transport header is, bytes; of later fragments nothing */
	__u64 l7_rules; /* after NP_VERDICT_L7: the L7 bits that matched, of the one word that has them */
	__u32 l7_base; /* and the program's base */
	__u32 l7_word; /* and the word */
	__u32 columns; /* name columns that hold for the remote: given to the policy program in cb[NP_CB_VERDICT] */
	__u32 kept; /* of them those by which the flow was let in */
	__u32 named; /* of the egress question, whichever was asked last: what an entry remembers */
	__u32 names; /* np_endpoint.names, by which columns are numbered */
	__u8 names_done; /* NP_STEP_NAMES has read the packet: np_verdict goes on as after a plain answer */
	__u8 names_reason; /* enum np_reason: what that means; before NP_STEP_DNS_ANSWER why the packet passes */
	__u8 names_news; /* before NP_STEP_DNS_ANSWER: enum np_news */
	__u8 reads; /* the packet passes by an entry with NP_ENTRY_QUERIES */
	__u8 hello; /* enum np_hello_cause */
	__u8 proxy; /* enum np_proxy_call, for NP_STEP_PROXY */
	__u8 is_proxied; /* the packet's flow has NP_ENTRY_PROXY */
	__u8 straight; /* it is of a flow of a pod that nobody but the policies has to see: it may take the fast path */
	__u32 origin; /* of a packet of the node at a pod's hook: the pod's slot + 1, where it goes on when it passes; 0 = nowhere */
	__u32 host_revision; /* of a packet of the node: which of its policies it meets, chosen once, when its judgement begins */
	__u32 host_policy[2]; /* and their slots in np_policies, by np_direction */
};

/* ---- verdicts ------------------------------------------------------------------------------------------- */

/* What an emitted policy program answers in cb[NP_CB_VERDICT]. 0 is not an answer: it is dropped. */
enum np_verdict {
	NP_VERDICT_NONE = 0,
	NP_VERDICT_ALLOW = 1,
	NP_VERDICT_DENY = 2,
	/*
	 * Matched by L7 rules only. cb[1..2] are all of them, not the lowest; they are of one word, and each program has at most one
	 * word with L7 rules.
	 */
	NP_VERDICT_L7 = 3,
	/* A plain rule allows, and DNS rules of its level cover the packet as well: their exchange is read all the same. */
	NP_VERDICT_ALLOW_READ = 4,
};

/*
 * skb->cb as registers between the programs of one packet.
 *
 *           before the policy program            after it
 *   cb[0]   endpoint slot | direction << 31      the same (and NP_CB_FAST_PATH)
 *   cb[1]   identity of the remote               low half of the isolated lowest matching rule bit (NP_VERDICT_L7: of all)
 *   cb[2]   protocol << 16 | port (host order)   high half
 *   cb[3]   name columns of the remote           np_verdict | rule word << 8 | NP_DECISION_* << 24
 *   cb[4]   its place in np_policies             rule_hits base of the program
 *           | NP_CB_UNANSWERED
 *
 * A policy program returns to np_policy; what it returns says nothing. So it can be asked alone, with BPF_PROG_TEST_RUN.
 */
#define NP_CB_ENDPOINT 0
#define NP_CB_IDENTITY 1
#define NP_CB_TRAFFIC 2
#define NP_CB_VERDICT 3
#define NP_CB_BASE 4
#define NP_CB_COUNT 5 /* registers of 32 bits */
#define NP_CB_OFFSET 48 /* of cb[0] in struct __sk_buff, bytes */

#define NP_CB_SLOT_MASK 0x1fffffff /* cb[0] */
#define NP_CB_FAST_PATH 0x20000000 /* cb[0]: the packet is at the hook of the pod that sent it, and the endpoint is the one it goes to */
#define NP_CB_LESSON 0x40000000 /* cb[0]: not a packet, but what np_lesson_head begins */
#define NP_CB_LESSON_NAMES 1 /* of a lesson: np_endpoint.names of the columns in the next one; 0: none */
#define NP_CB_LESSON_COLUMNS 2 /* columns that hold besides those of the automaton */
#define NP_CB_DIRECTION_SHIFT 31
#define NP_CB_PROTOCOL_SHIFT 16 /* cb[2] */
#define NP_CB_VERDICT_MASK 0xff /* cb[3], from here on */
#define NP_CB_WORD_SHIFT 8
#define NP_CB_WORD_MASK 0xffff
#define NP_CB_DECISION_SHIFT 24
#define NP_CB_UNANSWERED 0x80000000 /* cb[4]: no policy program has run since it was set */
#define NP_BITS_PER_WORD 64 /* rule bits */

/* Why the program answered as it did (cb[3] >> NP_CB_DECISION_SHIFT). */
enum np_decision {
	NP_DECISION_RULE = 0, /* the rule bit in cb[1..2], word in cb[3] */
	NP_DECISION_DEFAULT_DENY = 1, /* isolated and nothing matched */
	NP_DECISION_DEFAULT_ALLOW = 2, /* not isolated and nothing matched */
	NP_DECISION_HOST = 3, /* the local node reaches its pods */
};

/*
 * Counters of a policy program, from its base in np_rule_hits on (base 0 = it has none, so index 0 is never used).
 * The number of a program's counters is NP_HIT_FIRST_RULE + its rule bits.
 */
#define NP_HIT_DEFAULT_DENY 0
#define NP_HIT_DEFAULT_ALLOW 1
#define NP_HIT_HOST 2
#define NP_HIT_FIRST_RULE 3 /* + word * NP_BITS_PER_WORD + bit */

/* ---- steps and outcomes ---------------------------------------------------------------------------------- */

/*
 * Slots of np_steps (prog array): the C programs that the stubs and other steps jump to. Numbers are only ever appended in a version: loaded
 * stubs carry them. A jump to a slot that is empty fails, and the jumping program drops.
 */
enum np_step {
	NP_STEP_TO_POD = 0, /* = NP_INGRESS: np_to_pod */
	NP_STEP_FROM_POD = 1, /* = NP_EGRESS: np_from_pod */
	NP_STEP_VERDICT = 2, /* np_verdict: what has its answer already */
	NP_STEP_ICMP_ERROR = 3, /* np_icmp_error, instead of the flow lookup */
	NP_STEP_NEIGHBOUR = 4, /* np_neighbour, neighbour discovery and listener reports */
	NP_STEP_SERVICE = 5, /* np_service: Service's address to backend and back, before the policy is asked */
	NP_STEP_NAMES = 6, /* np_dns_query: a DNS query from the pod, between the policy program and np_verdict */
	NP_STEP_PROXY = 7, /* np_proxy_step: packets of flows that the L7 proxy carries, or is to carry */
	NP_STEP_POLICY = 8, /* np_policy: runs the policy program that cb[4] names, then goes on as np_verdict */
	NP_STEP_HAIRPIN = 9, /* np_hairpin: a pod that talks to itself through a Service */
	NP_STEP_DNS_ANSWER = 10, /* np_dns_answer: a DNS answer to the pod, after the decision to pass it */
	NP_STEP_HELLO = 11, /* np_hello: packets of a flow whose server name is not decided yet */
	NP_STEP_HOST_IN = 12, /* np_host_in: what an uplink receives */
	NP_STEP_HOST_OUT = 13, /* np_host_out: what leaves by an uplink */
	NP_STEP_HOST_TO_POD = 14, /* np_host_to_pod: the node's egress policy, of its packet to a pod of it */
	NP_STEP_HOST_FROM_POD = 15, /* np_host_from_pod: the node's ingress policy, of a packet of a pod of it */
	NP_STEP_FAST_PATH = 16, /* np_fast_path: what passes from a pod, and may take the fast path to another pod of the node */
	NP_STEP_COUNT = 17,
};

/* What a program returns to the hook: TC_ACT_* of linux/pkt_cls.h. */
enum np_action {
	NP_ACTION_NEXT = -1, /* the packet goes on, to programs and filters behind netpold's first */
	NP_ACTION_OK = 0, /* the packet goes on, and whoever stands behind is not asked: no hook returns it */
	NP_ACTION_SHOT = 2, /* the packet is dropped */
	NP_ACTION_REDIRECT = 7, /* the packet leaves by the interface that bpf_redirect has named */
};

/*
 * What happened to a packet: name, number, and the words that users read. Index of np_reasons (per-CPU counters) and
 * np_event.reason. The one table: enum np_reason, np_reason_name() and np_reason_text() are made from it.
 *
 * Numbers below NP_REASON_FIRST_DROP pass the packet, the others drop it. Numbers are only ever appended to within their
 * half.
 */
#define NP_REASON_TABLE(REASON)                                                                                        \
	REASON(NP_REASON_ESTABLISHED, 1, "packet of a flow that is admitted already")                                  \
	REASON(NP_REASON_REPLY, 2, "answer of a flow that is admitted already")                                        \
	REASON(NP_REASON_ALLOWED, 3, "a policy allows the packet, or nothing isolates the pod")                      \
	REASON(NP_REASON_REVALIDATED, 4, "policies changed, and they still allow the known flow")                      \
	REASON(NP_REASON_RELATED, 5, "ICMP error about a flow that is admitted")                                       \
	REASON(NP_REASON_ARP, 6, "ARP")                                                                                \
	/* between pod and host: ICMPv6 133-137, MLD 130-132 and 143 */                                                \
	REASON(NP_REASON_NEIGHBOUR_DISCOVERY, 7,                                                                       \
	       "IPv6 neighbour discovery or multicast listener discovery of link scope")                               \
	/* came in by the interface that it leaves by: a service whose backend is the client */                        \
	REASON(NP_REASON_HAIRPIN, 8, "the pod's own packet comes back to it")                                          \
	REASON(NP_REASON_TRANSIT, 9, "passes an uplink of the node, and is not the node's own")                        \
	REASON(NP_REASON_HOST_AUDIT, 10, "host policies would drop the packet; they are audited, not enforced")        \
	REASON(NP_REASON_FAILSAFE, 11, "a fail-safe port of the node, whatever host policies say")                     \
                                                                                                                       \
	REASON(NP_DROP_POLICY_DENY, 32, "a deny rule matches")                                                         \
	REASON(NP_DROP_POLICY_DEFAULT, 33, "a policy isolates the pod and no rule allows the flow")                    \
	REASON(NP_DROP_L7_UNAVAILABLE, 34, "only rules with L7 conditions match, and no proxy is running")             \
	/* no NP_ENDPOINT_READY */                                                                                     \
	REASON(NP_DROP_NOT_READY, 35, "the pod's policies are not in place yet")                                       \
	/* empty slot in np_policies */                                                                                \
	REASON(NP_DROP_NO_POLICY_PROGRAM, 36, "the pod's policy program is missing")                                   \
	/* empty slot in np_steps */                                                                                   \
	REASON(NP_DROP_NO_STEP, 37, "a step of the datapath is missing")                                               \
	REASON(NP_DROP_BAD_VERDICT, 38, "the policy program gave no known answer")                                     \
	REASON(NP_DROP_SPOOFED_SOURCE, 39, "the source address is not one of the pod's")                               \
	REASON(NP_DROP_TRUNCATED, 40, "the packet is shorter than its headers say")                                    \
	REASON(NP_DROP_BAD_HEADER, 41, "version, header length or total length contradict each other")                 \
	REASON(NP_DROP_ETHERTYPE, 42, "neither IPv4, IPv6 nor ARP")                                                    \
	REASON(NP_DROP_VLAN, 43, "VLAN-tagged frame")                                                                  \
	/* more than NP_MAX_EXTENSION_HEADERS */                                                                       \
	REASON(NP_DROP_EXTENSION_HEADERS, 44, "too many IPv6 extension headers, or in an order that is not allowed")   \
	REASON(NP_DROP_FRAGMENT_UNKNOWN, 45, "fragment of a datagram whose first fragment was not seen")               \
	REASON(NP_DROP_FRAGMENT_TINY, 46,                                                                              \
	       "first fragment without its whole transport header, or one that would overwrite it")                    \
	REASON(NP_DROP_CONNTRACK_FULL, 47, "the flow could not be remembered")                                         \
	REASON(NP_DROP_INTERNAL, 48, "a kernel helper failed unexpectedly")                                      \
	REASON(NP_DROP_ICMP_INNER, 49, "ICMP error whose embedded packet cannot be parsed")                            \
	/* IPv4 source route, or IPv6 routing header with segments left */                                             \
	REASON(NP_DROP_SOURCE_ROUTE, 50, "the header routes the packet on to another address than its destination")    \
	/* hardware, protocol or operation other than Ethernet, IPv4, request and reply */                             \
	REASON(NP_DROP_ARP_INVALID, 51, "ARP of a kind that pods do not need")                                         \
	REASON(NP_DROP_ARP_SPOOFED, 52, "ARP from a pod whose sender is not the pod's own address and frame")          \
	REASON(NP_DROP_ARP_TARGET, 53, "ARP that asks about an address that is not the pod's")                         \
	REASON(NP_DROP_NEIGHBOUR_SPOOFED, 54,                                                                          \
	       "neighbour discovery from a pod about an address or a frame that is not its own")                       \
	REASON(NP_DROP_FOREIGN_SOURCE, 55,                                                                             \
	       "the source is an address of this node or of a pod on it, and the packet came in by another way")       \
	/* the pod has been told: TCP reset, or ICMP port unreachable */                                               \
	REASON(NP_DROP_NO_BACKEND, 56, "the Service has no endpoint that may be used")                                 \
	/* no port left there; a fragmented SCTP packet to another port; to the address of hairpins, answering nothing */ \
	REASON(NP_DROP_UNTRANSLATABLE, 57, "the packet cannot be translated to the Service's endpoint")                \
	/* the pod has been told: REFUSED, or NXDOMAIN by option */                                                    \
	REASON(NP_DROP_NAME_DENIED, 58, "no DNS rule allows the name")                                                 \
	/* compressed, too long, not one question, not one message */                                                  \
	REASON(NP_DROP_DNS_QUERY, 59, "a packet to a resolver that is not exactly one DNS query")                      \
	REASON(NP_DROP_DNS_ANSWER, 60, "a packet of a resolver that is not exactly the answer to a query")             \
	REASON(NP_DROP_SERVER_NAME, 61, "no rule allows the TLS server name")                                          \
	REASON(NP_DROP_HELLO, 62, "the connection does not begin with a TLS ClientHello that can be read")             \
	REASON(NP_DROP_HELLO_ORDER, 63, "a segment of a connection whose server name is not decided, out of order")    \
	REASON(NP_DROP_SYN_DATA, 64, "a SYN with data, to a port with L7 rules")                                       \
	REASON(NP_DROP_NOT_PROXIED, 65, "a packet of a connection with L7 rules that does not go through the proxy")                 \
	REASON(NP_DROP_PROXY_UNKNOWN, 66, "the proxy sent a packet of no flow that it carries")                        \
	REASON(NP_DROP_NAME_ROOM, 67, "what the names of the packet need could not be remembered")                     \
	/* a frame from a packet socket, or one that the pod forwards, whose open checksum is not where its protocol has it */ \
	REASON(NP_DROP_CHECKSUM_PLACE, 68, "the frame's checksum would overwrite bytes that policy has read")     \
	/* the pod has been told: truncated (RFC 7766) */                                                              \
	REASON(NP_DROP_NAME_STREAM, 69, "a DNS query that the proxy decides: the pod is told to ask over TCP")          \
	/* np_transits: the pod has more of them than its share */                                                     \
	REASON(NP_DROP_TRANSIT_FULL, 70, "the pod's flow under the node's address could not be remembered")    \
	/* protocols 4, 41 and 47 to an address of a node */                                                            \
	REASON(NP_DROP_TUNNEL, 71, "a packet of a pod that a node might take another packet out of")

enum np_reason {
	NP_REASON_NONE = 0,
#define NP_REASON_ENUMERATOR(name, number, text) name = number,
	NP_REASON_TABLE(NP_REASON_ENUMERATOR)
#undef NP_REASON_ENUMERATOR
	NP_REASON_FIRST_DROP = 32,
	NP_REASON_COUNT = 96,
};

#ifndef __bpf__
/* Name and words of a reason, NULL for a number that the table does not have. Static strings. */
const char *_Nullable np_reason_name(__u8 reason);
const char *_Nullable np_reason_text(__u8 reason);
#endif

/* Value of np_reasons, per CPU. */
struct np_counter {
	__u64 packets;
	__u64 bytes;
};

/* ---- events --------------------------------------------------------------------------------------------- */

/* Record of np_events (ring buffer): one new verdict. */
struct np_event {
	__u64 time; /* ns, CLOCK_MONOTONIC */
	struct np_address source;
	struct np_address destination;
	__be16 source_port;
	__be16 destination_port; /* ICMP: see np_packet */
	__u16 endpoint; /* slot */
	__u8 protocol;
	__u8 direction; /* enum np_direction */
	__u32 remote_identity;
	__u32 rule_hit; /* index of np_rule_hits, 0 = no rule asked */
	__u32 revision;
	__u8 reason; /* enum np_reason */
	__u8 decision; /* enum np_decision, when a policy program was asked */
	__u16 length; /* of the packet, bytes, saturating */
	__u8 tcp_flags;
	__u8 flags; /* NP_EVENT_* */
	__u8 pad[6];
};

/* np_event.flags */
#define NP_EVENT_MASQUERADED 1 /* the source is the node's, but the packet was forwarded: judged as from outside */
#define NP_EVENT_NODE_TOO 2 /* the node answers at the destination as well: it must be allowed besides */

/* Which packets event records are written of. */
enum np_listening {
	NP_LISTEN_NOBODY = 0,
	NP_LISTEN_ALL = 1, /* new verdicts, and every drop */
	NP_LISTEN_DROPS = 2,
};

/* np_control: one-entry array, written by the agent. */
struct np_control {
	__u32 listeners; /* enum np_listening; a number that is none writes no record */
	__u32 wakeup_bytes; /* wake the reader when this much is unread */
};

/*
 * np_event_budget: per-CPU array, key = reason; np_drop_budget: per-CPU array, key = endpoint slot. Written by the datapath
 * only. A drop is charged to its endpoint, so that a noisy pod takes no other pod's records away, and whoever floods an
 * endpoint takes few of those of others who send there; its reason counts it too when it is suppressed.
 */
struct np_event_budget {
	__u64 jiffy;
	__u32 written; /* in this jiffy */
	__u32 remotes; /* of drops: the groups of remote ends that one was written of in this jiffy, a bit each */
	__u64 suppressed; /* records not written since load: rate, or ring full */
};

/*
 * np_recent_flows: per-CPU array, key = low bits of the flow's hash. The flow that had the place last, so that one that no
 * entry remembers is reported once and not with each packet. Two flows of one place are reported more often.
 */
struct np_recent_flow {
	__u32 tag; /* bits 32-63 of the hash */
	__u32 last_seen; /* as np_flow_record.last_seen */
};

/* ---- bench ---------------------------------------------------------------------------------------------- */

#define NP_BENCH_RUNS 2 /* at once, each on a CPU of its own */

/* How np_bench_vary makes flows from its counter. Of `netpold bench` only; no part of the datapath. A cache line. */
struct np_bench_plan {
	__u64 counter; /* packets so far */
	__u32 mask; /* flows - 1, the flows being a power of two */
	__u32 addresses; /* senders; the rest of the flow's number becomes the port */
	__u32 first_address; /* IPv4, host order */
	__u32 address_step; /* between one sender and the next */
	__u32 pad[10];
};

/* ---- identities (numbers as in Cilium; docs/spec/cilium-network-policy.md 5.2) --------------------------------- */

#define NP_IDENTITY_UNKNOWN 0
#define NP_IDENTITY_HOST 1
#define NP_IDENTITY_WORLD 2
#define NP_IDENTITY_UNMANAGED 3
#define NP_IDENTITY_HEALTH 4
#define NP_IDENTITY_INIT 5
#define NP_IDENTITY_REMOTE_NODE 6
#define NP_IDENTITY_KUBE_APISERVER 7
#define NP_IDENTITY_INGRESS 8
#define NP_IDENTITY_WORLD_IPV4 9
#define NP_IDENTITY_WORLD_IPV6 10
#define NP_IDENTITY_FIRST_POD 256
#define NP_IDENTITY_FIRST_LOCAL 0x01000000 /* prefixes and names outside the cluster */
#define NP_IDENTITY_FIRST_NODE 0x02000000 /* other nodes that a NetworkPolicy prefix or a label distinguishes */
#define NP_IDENTITY_FIRST_HOST 0x03000000 /* addresses of this node that one of them distinguishes */

/*
 * In values of np_addresses, beside an identity of the node: the node answers at the address and so may others (broadcast,
 * anycast). What a pod sends there must be allowed to the node and to the identity that np_prefixes gives. The entry of the
 * unspecified address is the node at no address in particular: that of groups.
 */
#define NP_IDENTITY_WORLD_TOO 0x80000000
/* In values of np_addresses, beside any identity: np_services has ports of the address; np_backend_ends has. */
#define NP_IDENTITY_FRONTEND 0x40000000
#define NP_IDENTITY_BACKEND 0x20000000
/*
 * Beside the identity of a pod: it is on another node, so that np_sources need not be asked about packets with its address.
 * May be left out.
 */
#define NP_IDENTITY_ELSEWHERE 0x10000000
#define NP_IDENTITY_FLAGS 0xf0000000 /* all bits beside the identity */

#endif
