import NetTypes
import PolicyAPI

/// What `toPorts` entries and `icmps` say about packets (docs/spec/cilium-network-policy.md 7).
enum CiliumTraffic {
    /// The packets of a `toPorts` entry. "ports within a PortRule are ORed"; without ports it contributes nothing. Of `ANY` only
    /// the protocols that can carry the L7 protocol: L7 rules cannot be applied to the others, so these are not allowed.
    static func match(_ entry: PortRule) -> TrafficMatch {
        let carriers = carriers(of: entry)
        return .anyOf(
            entry.ports.flatMap { port in
                port.protocols.filter { carriers?.contains($0) ?? true }.map { `protocol` in
                    switch port.port {
                    // "port 0 + TCP = all TCP".
                    case .all: TrafficClause.ports(`protocol`, .all)
                    case .range(let range): .ports(`protocol`, range)
                    case .named(let name): .named(`protocol`, name)
                    }
                }
            })
    }

    /// The protocols that L7 rules of the entry can be asked of; `nil` without L7 rules.
    private static func carriers(of entry: PortRule) -> [L4Protocol]? {
        if !entry.http.isAbsent || !entry.serverNames.isEmpty { return [.tcp] }
        return entry.dns.isAbsent ? nil : [.udp, .tcp]
    }

    /// The packets of an element's `icmps`. Type 0 is echo reply and nothing else (in Cilium: every ICMPv4 type).
    static func match(_ fields: [ICMPField]) -> TrafficMatch {
        .anyOf(fields.map { .ports($0.protocol, PortRange(UInt16($0.type))) })
    }
}
