/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Wire formats: headers as the datapath reads them, and the numbers in them. No decisions. */
#ifndef NP_WIRE_H
#define NP_WIRE_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <netpold_abi.h>

#define NP_INLINE static __always_inline
/* For code layout: the path of plain packets of known flows is contiguous. */
#define np_likely(condition) __builtin_expect(!!(condition), 1)
#define np_unlikely(condition) __builtin_expect(!!(condition), 0)

#define NP_ETHERTYPE_OFFSET 12 /* bytes from the start of the frame */
#define NP_VLAN_ID_MASK 0xfff /* of a VLAN tag */
#define NP_WORD_BYTES 4 /* unit of IPv4 IHL and of TCP's data offset */
#define NP_OCTAWORD_BYTES 8 /* unit of IPv6 extension header lengths and of fragment offsets */

/* ---- Ethernet and ARP (RFC 826) ---- */
#define NP_SOURCE_MAC_OFFSET 6 /* bytes from the start of the frame */

struct np_mac {
	__u8 byte[ETH_ALEN];
};

struct np_arp {
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_bytes;
	__u8 protocol_bytes;
	__be16 operation;
	struct np_mac sender_mac;
	__u8 sender[4];
	struct np_mac target_mac;
	__u8 target[4];
};

#define NP_ARP_ETHERNET 1
#define NP_ARP_REQUEST 1
#define NP_ARP_REPLY 2

/* ---- IPv4 (RFC 791) ---- */
struct np_ipv4_header {
	__u8 version_length; /* version << 4 | header length in words */
	__u8 service;
	__be16 total_length; /* bytes, header included; 0 in GSO packets above 64 KiB */
	__be16 identification;
	__be16 fragment; /* NP_IPV4_MORE_FRAGMENTS | offset in units of eight bytes */
	__u8 time_to_live;
	__u8 protocol;
	__be16 checksum;
	__be32 source;
	__be32 destination;
};

#define NP_IPV4_MIN_WORDS 5
#define NP_IPV4_DO_NOT_FRAGMENT 0x4000
#define NP_IPV4_MORE_FRAGMENTS 0x2000
#define NP_IPV4_OFFSET_MASK 0x1fff
#define NP_IPV4_MAX_OPTIONS 40 /* bytes */
#define NP_IPV4_OPTION_END 0
#define NP_IPV4_OPTION_NOP 1
#define NP_IPV4_OPTION_LOOSE_ROUTE 131
#define NP_IPV4_OPTION_STRICT_ROUTE 137
#define NP_IPV4_MIN_OPTION 2 /* bytes: type and length, which END and NOP do not have */

/* ---- IPv6 (RFC 8200) ---- */
struct np_ipv6_header {
	__be32 version_class_flow;
	__be16 payload_length; /* bytes after this header; 0 in jumbo and GSO packets above 64 KiB */
	__u8 next_header;
	__u8 hop_limit;
	struct np_address source;
	struct np_address destination;
};

#define NP_IPV6_VERSION_MASK 0xf0000000
#define NP_IPV6_VERSION 0x60000000

/* Hop-by-hop options, destination options, routing: all start so. Authentication counts its length in words. */
struct np_ipv6_extension {
	__u8 next_header;
	__u8 length; /* units of eight bytes after the first; authentication: words after the first two */
	__u8 routing_type;
	__u8 segments_left;
};

struct np_ipv6_fragment {
	__u8 next_header;
	__u8 reserved;
	__be16 offset_more; /* offset << 3 | more */
	__be32 identification;
};

#define NP_IPV6_MORE_FRAGMENTS 1
#define NP_IPV6_OFFSET_MASK 0xfff8 /* after conversion this is the offset in bytes */

/* ---- transport ---- */
struct np_ports {
	__be16 source;
	__be16 destination;
};

struct np_tcp_header {
	struct np_ports ports;
	__be32 sequence;
	__be32 acknowledgement;
	__u8 data_offset; /* header length in words << 4 */
	__u8 flags;
	__be16 window;
	__be16 checksum;
	__be16 urgent;
};

#define NP_TCP_MIN_WORDS 5
#define NP_TCP_FIN 0x01
#define NP_TCP_SYN 0x02
#define NP_TCP_RST 0x04
#define NP_TCP_ACK 0x10
#define NP_TCP_URG 0x20

struct np_udp_header {
	struct np_ports ports;
	__be16 length;
	__be16 checksum;
};

/* With the header of the first chunk: every packet has one. */
struct np_sctp_header {
	struct np_ports ports;
	__be32 verification_tag;
	__be32 checksum;
	__u8 chunk_type;
	__u8 chunk_flags;
	__be16 chunk_length;
};

#define NP_SCTP_INIT 1
#define NP_SCTP_INIT_ACK 2
#define NP_SCTP_ABORT 6
#define NP_SCTP_SHUTDOWN 7
#define NP_SCTP_SHUTDOWN_ACK 8

/* The eight bytes of its cause that every ICMP error embeds behind the IP header (RFC 792): ports are in them. */
struct np_embedded_transport {
	struct np_ports ports;
	__be32 rest;
};

/* ---- ICMP (RFC 792) and ICMPv6 (RFC 4443, 4861, 2710, 3810) ---- */
struct np_icmp_header {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be16 identifier; /* of queries; else part of the body */
	__be16 sequence;
};

#define NP_ICMP_ECHO_REPLY 0
#define NP_ICMP_UNREACHABLE 3
#define NP_ICMP_PORT 3 /* code of it */
#define NP_ICMP_ECHO 8
#define NP_ICMP_TIME_EXCEEDED 11
#define NP_ICMP_PARAMETER_PROBLEM 12
#define NP_ICMP_TIMESTAMP 13
#define NP_ICMP_TIMESTAMP_REPLY 14

#define NP_ICMPV6_UNREACHABLE 1
#define NP_ICMPV6_PORT 4 /* code of it */
#define NP_ICMPV6_PACKET_TOO_BIG 2
#define NP_ICMPV6_TIME_EXCEEDED 3
#define NP_ICMPV6_PARAMETER_PROBLEM 4
#define NP_ICMPV6_ECHO 128
#define NP_ICMPV6_ECHO_REPLY 129
#define NP_ICMPV6_LISTENER_QUERY 130
#define NP_ICMPV6_LISTENER_REPORT 131
#define NP_ICMPV6_LISTENER_DONE 132
#define NP_ICMPV6_ROUTER_SOLICITATION 133
#define NP_ICMPV6_NEIGHBOUR_SOLICITATION 135
#define NP_ICMPV6_NEIGHBOUR_ADVERTISEMENT 136
#define NP_ICMPV6_REDIRECT 137
#define NP_ICMPV6_LISTENER_REPORT_V2 143

/* Options of neighbour discovery (RFC 4861 4.6). */
struct np_neighbour_option {
	__u8 type;
	__u8 length; /* units of eight bytes, the first two included */
};

#define NP_OPTION_SOURCE_LINK 1
#define NP_OPTION_TARGET_LINK 2
#define NP_OPTION_NONCE 14 /* RFC 3971, sent by Linux for RFC 7527 */

#define NP_HOP_LIMIT_NEIGHBOUR 255 /* not forwarded by any router since it was sent (RFC 4861) */
#define NP_HOP_LIMIT_LISTENER 1 /* will not be forwarded by any router (RFC 2710) */

#endif
