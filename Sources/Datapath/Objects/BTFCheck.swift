import CNetpoldABI
import Glibc
import SystemPackage

/// Compares the layouts that the C compiler gave the object with those Swift's importer gave the same header.
///
/// Both come from netpold_abi.h, so a difference means that the object was built from another version of it, or that
/// one of the compilers reads it otherwise. Either would corrupt every map silently.
public enum BTFCheck {
    /// A struct as Swift sees it.
    struct Expected {
        let name: String
        let size: Int
        let offsets: [String: Int]

        init<Value>(_ name: String, _: Value.Type, _ fields: [(String, PartialKeyPath<Value>)]) {
            self.name = name
            self.size = MemoryLayout<Value>.size
            var offsets: [String: Int] = [:]
            for (field, path) in fields { offsets[field] = MemoryLayout<Value>.offset(of: path) }
            self.offsets = offsets
        }
    }

    /// Every difference, in words; empty when the layouts agree. Structs that the object does not use are not compared;
    /// a map whose key or value is a struct that netpold_abi.h does not have is a difference.
    public static func differences(in object: BPFObject) -> [String] { differences(in: object, against: structures) }

    static func differences(in object: BPFObject, against known: [Expected]) -> [String] {
        var found: [String] = []
        for expected in known {
            guard let layout = object.layout(of: expected.name) else { continue }
            if layout.size != expected.size {
                found.append("struct \(expected.name): \(layout.size) bytes in the object, \(expected.size) here")
            }
            for (field, offset) in expected.offsets.sorted(by: { $0.value < $1.value })
            where layout.offsets[field] != offset {
                let there = layout.offsets[field].map { "at \($0)" } ?? "missing"
                found.append("struct \(expected.name).\(field): \(there) in the object, at \(offset) here")
            }
            for (field, offset) in layout.offsets.sorted(by: { $0.value < $1.value })
            where field != "pad" && expected.offsets[field] == nil {
                found.append("struct \(expected.name).\(field): at \(offset) in the object, not compared here")
            }
        }
        let names = Set(known.map(\.name))
        for (map, structs) in object.structsOfMaps {
            for name in structs where !names.contains(name) {
                found.append("map \(map): struct \(name) is not one of netpold_abi.h")
            }
        }
        return found
    }

    /// Structs of netpold_abi.h that the object's BTF does not describe, and so are not compared.
    static func unchecked(in object: BPFObject) -> [String] {
        structures.map(\.name).filter { object.layout(of: $0) == nil }
    }

    /// - Throws: `EINVAL`, naming every difference.
    package static func require(_ object: BPFObject) throws(BPFError) {
        let differences = differences(in: object)
        guard differences.isEmpty else {
            throw BPFError(
                .checkLayout, "the embedded BPF object", errno: .invalidArgument,
                detail: differences.joined(separator: "; "))
        }
    }

    /// Every struct of netpold_abi.h with every field but `pad`.
    static var structures: [Expected] {
        [
            Expected("np_address", np_address.self, [("word", \.word)]),
            Expected(
                "np_prefix_key", np_prefix_key.self,
                [("prefix_length", \.prefix_length), ("address", \.address)]),
            Expected("np_source", np_source.self, [("links", \.links)]),
            Expected(
                "np_endpoint", np_endpoint.self,
                [
                    ("address", \.address), ("revision", \.revision), ("flags", \.flags), ("policy", \.policy),
                    ("ifindex", \.ifindex), ("region", \.region), ("open_hit", \.open_hit), ("names", \.names),
                ]),
            Expected(
                "np_flow_record", np_flow_record.self,
                [
                    ("remote", \.remote), ("own_port", \.own_port), ("remote_port", \.remote_port),
                    ("protocol", \.protocol), ("own_address", \.own_address), ("other_port", \.other_port),
                    ("revision", \.revision), ("arrival", \.arrival), ("last_seen", \.last_seen),
                    ("flags", \.flags), ("other", \.other),
                ]),
            Expected(
                "np_failsafe", np_failsafe.self,
                [
                    ("first", \.first), ("last", \.last), ("protocol", \.`protocol`), ("direction", \.direction),
                ]),
            Expected(
                "np_host", np_host.self,
                [
                    ("mode", \.mode), ("former", \.former), ("until", \.until), ("fingerprint", \.fingerprint),
                    ("slot", \.slot), ("passes_probes", \.passes_probes), ("links", \.links),
                    ("failsafe", \.failsafe), ("former_fingerprint", \.former_fingerprint),
                    ("former_policy", \.former_policy), ("former_revision", \.former_revision),
                ]),
            Expected("np_flow_seed", np_flow_seed.self, [("word", \.word)]),
            Expected("np_flow_set", np_flow_set.self, [("control", \.control), ("flow", \.flow)]),
            Expected(
                "np_flow_share", np_flow_share.self,
                [("inserted", \.inserted), ("evicted", \.evicted), ("refused", \.refused)]),
            Expected(
                "np_service_key", np_service_key.self,
                [("address", \.address), ("port", \.port), ("protocol", \.protocol)]),
            Expected(
                "np_service", np_service.self,
                [("maglev", \.maglev), ("maglev_size", \.maglev_size), ("id", \.id), ("affinity", \.affinity)]),
            Expected(
                "np_backend", np_backend.self,
                [
                    ("address", \.address), ("port", \.port), ("protocol", \.protocol), ("flags", \.flags),
                    ("generation", \.generation), ("service", \.service),
                ]),
            Expected(
                "np_affinity_key", np_affinity_key.self, [("endpoint", \.endpoint), ("service", \.service)]),
            Expected(
                "np_affinity", np_affinity.self,
                [("backend", \.backend), ("last_seen", \.last_seen)]),
            Expected(
                "np_fragment_key", np_fragment_key.self,
                [
                    ("source", \.source), ("destination", \.destination), ("identification", \.identification),
                    ("protocol", \.protocol),
                ]),
            Expected(
                "np_fragment", np_fragment.self,
                [
                    ("source_port", \.source_port), ("destination_port", \.destination_port), ("headers", \.headers),
                    ("protocol", \.protocol), ("kind", \.kind), ("icmp_type", \.icmp_type),
                ]),
            Expected(
                "np_packet", np_packet.self,
                [
                    ("source", \.source), ("destination", \.destination), ("source_port", \.source_port),
                    ("destination_port", \.destination_port), ("protocol", \.protocol), ("kind", \.kind),
                    ("initiates", \.initiates), ("icmp_type", \.icmp_type), ("tcp_flags", \.tcp_flags),
                    ("hop_limit", \.hop_limit), ("fragment", \.fragment), ("icmp_code", \.icmp_code),
                    ("fragment_identification", \.fragment_identification), ("fragment_offset", \.fragment_offset),
                    ("fragment_headers", \.fragment_headers),
                ]),
            Expected(
                "np_question", np_question.self,
                [
                    ("packet", \.packet), ("error", \.error), ("flow", \.flow),
                    ("resume_offset", \.resume_offset), ("resume_end", \.resume_end), ("endpoint", \.endpoint),
                    ("arrival", \.arrival), ("revision", \.revision), ("asked", \.asked), ("also", \.also),
                    ("remote_identity", \.remote_identity), ("rule_hit", \.rule_hit), ("decision", \.decision),
                    ("decided", \.decided), ("flags", \.flags), ("own", \.own), ("stage", \.stage),
                    ("travel", \.travel), ("direction", \.direction), ("need", \.need), ("tracked", \.tracked),
                    ("allowed", \.allowed), ("asked_flags", \.asked_flags),
                    ("answered", \.answered), ("choice", \.choice), ("transport_offset", \.transport_offset),
                    ("l7_rules", \.l7_rules), ("l7_base", \.l7_base), ("l7_word", \.l7_word), ("columns", \.columns),
                    ("kept", \.kept), ("named", \.named), ("names", \.names), ("names_done", \.names_done),
                    ("names_reason", \.names_reason), ("names_news", \.names_news), ("reads", \.reads),
                    ("hello", \.hello), ("proxy", \.proxy), ("is_proxied", \.is_proxied),
                    ("straight", \.straight), ("origin", \.origin),
                    ("host_revision", \.host_revision), ("host_policy", \.host_policy),
                ]),
            Expected(
                "np_proxied_key", np_proxied_key.self,
                [
                    ("client", \.client), ("server", \.server), ("client_port", \.client_port),
                    ("server_port", \.server_port), ("side", \.side),
                ]),
            Expected(
                "np_proxied_side", np_proxied_side.self,
                [
                    ("rules", \.rules), ("base", \.base), ("endpoint", \.endpoint), ("revision", \.revision),
                    ("remote_identity", \.remote_identity), ("flags", \.flags), ("own_mac", \.own_mac),
                    ("peer_mac", \.peer_mac),
                ]),
            Expected("np_proxy", np_proxy.self, [("interface", \.interface), ("mac", \.mac)]),
            Expected(
                "np_config", np_config.self,
                [("hertz", \.hertz), ("barriers", \.barriers), ("fast_path", \.fast_path), ("hosts", \.hosts)]),
            Expected("np_path_set", np_path_set.self, [("path", \.path)]),
            Expected(
                "np_path_end", np_path_end.self, [("pod", \.pod), ("host", \.host), ("ifindex", \.ifindex)]),
            Expected(
                "np_choice", np_choice.self,
                [
                    ("frontend", \.frontend), ("port", \.port), ("made", \.made), ("back", \.back),
                    ("flags", \.flags), ("affinity", \.affinity), ("service", \.service), ("backend", \.backend),
                    ("own_port", \.own_port), ("own_address", \.own_address),
                ]),
            Expected(
                "np_refusal_budget", np_refusal_budget.self, [("jiffy", \.jiffy), ("sent", \.sent), ("named", \.named)]),
            Expected("np_ipv4_bucket", np_ipv4_bucket.self, [("entry", \.entry), ("complete", \.complete)]),
            Expected(
                "np_recent_flow", np_recent_flow.self, [("tag", \.tag), ("last_seen", \.last_seen)]),
            Expected("np_counter", np_counter.self, [("packets", \.packets), ("bytes", \.bytes)]),
            Expected(
                "np_event", np_event.self,
                [
                    ("time", \.time), ("source", \.source), ("destination", \.destination),
                    ("source_port", \.source_port), ("destination_port", \.destination_port),
                    ("endpoint", \.endpoint), ("protocol", \.protocol), ("direction", \.direction),
                    ("remote_identity", \.remote_identity), ("rule_hit", \.rule_hit), ("revision", \.revision),
                    ("reason", \.reason), ("decision", \.decision), ("length", \.length),
                    ("tcp_flags", \.tcp_flags), ("flags", \.flags),
                ]),
            Expected(
                "np_control", np_control.self, [("listeners", \.listeners), ("wakeup_bytes", \.wakeup_bytes)]),
            Expected(
                "np_event_budget", np_event_budget.self,
                [
                    ("jiffy", \.jiffy), ("written", \.written), ("remotes", \.remotes), ("suppressed", \.suppressed),
                ]),
            Expected("np_name_state", np_name_state.self, [("next", \.next), ("set", \.set)]),
            Expected("np_name_revision", np_name_revision.self, [("number", \.number)]),
            Expected(
                "np_name_rule_key", np_name_rule_key.self,
                [
                    ("owner", \.owner), ("revision", \.revision), ("set", \.set),
                ]),
            Expected("np_name_rule", np_name_rule.self, [("rules", \.rules), ("columns", \.columns)]),
            Expected("np_learnt_key", np_learnt_key.self, [("address", \.address), ("endpoint", \.endpoint)]),
            Expected(
                "np_learnt", np_learnt.self,
                [
                    ("names", \.names), ("columns", \.columns), ("earliest", \.earliest), ("serial", \.serial),
                    ("expires", \.expires),
                ]),
            Expected(
                "np_learnt_share", np_learnt_share.self,
                [
                    ("inserted", \.inserted), ("removed", \.removed), ("refused", \.refused),
                    ("unlearnt", \.unlearnt),
                ]),
            Expected("np_pending_set", np_pending_set.self, [("hash", \.hash), ("time", \.time)]),
            Expected(
                "np_name_event", np_name_event.self,
                [
                    ("time", \.time), ("endpoint", \.endpoint), ("expires", \.expires), ("rule_base", \.rule_base),
                    ("kind", \.kind), ("count", \.count), ("type", \.type), ("rules", \.rules),
                    ("remote", \.remote), ("name", \.name), ("address", \.address),
                ]),
            Expected(
                "np_dns_message", np_dns_message.self,
                [
                    ("hash", \.hash), ("length", \.length), ("revision", \.revision), ("state", \.state),
                    ("set", \.set), ("cursor", \.cursor), ("left", \.left), ("name_length", \.name_length),
                    ("owner", \.owner), ("answers", \.answers), ("ttl", \.ttl), ("count", \.count),
                    ("compared", \.compared), ("jumps", \.jumps), ("steps", \.steps), ("columns", \.columns),
                    ("names", \.names), ("expires", \.expires), ("id", \.id),
                    ("type", \.type), ("query_class", \.query_class), ("records", \.records), ("is_exact", \.is_exact),
                    ("is_equal", \.is_equal),
                    ("place", \.place), ("name", \.name), ("udp", \.udp), ("bytes", \.bytes),
                    ("learnt_key", \.learnt_key), ("learnt", \.learnt),
                ]),
            Expected("np_lesson", np_lesson.self, [("message", \.message), ("head", \.head), ("busy", \.busy)]),
            Expected("np_lesson_head", np_lesson_head.self, [("resolver", \.resolver), ("client", \.client)]),
            Expected(
                "np_name_options", np_name_options.self,
                [
                    ("refusal", \.refusal), ("least_ttl", \.least_ttl), ("drops_inexact", \.drops_inexact),
                    ("record", \.record), ("ranges", \.ranges), ("range", \.range),
                ]),
            Expected("np_name_range", np_name_range.self, [("address", \.address), ("mask", \.mask)]),
            Expected(
                "np_hello", np_hello.self,
                [
                    ("rules", \.rules), ("base", \.base), ("word", \.word), ("version", \.version), ("busy", \.busy),
                    ("identity", \.identity), ("start", \.start), ("sequence", \.sequence),
                    ("acknowledged", \.acknowledged), ("again", \.again), ("answered", \.answered),
                    ("served", \.served), ("offset", \.offset), ("end", \.end), ("place", \.place),
                    ("record", \.record), ("message", \.message), ("skip", \.skip),
                    ("item", \.item), ("number", \.number), ("walk", \.walk), ("is_open", \.is_open),
                    ("state", \.state), ("is_again", \.is_again), ("part", \.part), ("digits", \.digits),
                    ("head", \.head),
                    ("name_length", \.name_length), ("label", \.label), ("reason", \.reason), ("name", \.name),
                ]),
            Expected(
                "np_hello_copy", np_hello_copy.self,
                [
                    ("slot", \.slot), ("version", \.version), ("start", \.start), ("length", \.length),
                    ("busy", \.busy), ("bytes", \.bytes),
                ]),
            Expected(
                "np_bench_plan", np_bench_plan.self,
                [
                    ("counter", \.counter), ("mask", \.mask), ("addresses", \.addresses),
                    ("first_address", \.first_address), ("address_step", \.address_step),
                ]),
        ]
    }
}
