/// What `toPorts` entries and `icmps` say about packets (spec/cilium-network-policy.md 7).
enum CiliumTraffic {
    /// The packets of a `toPorts` entry. "ports within a PortRule are ORed"; without ports it contributes nothing.
    static func match(_ entry: PortRule) -> TrafficMatch {
        .anyOf(
            entry.ports.flatMap { port in
                port.protocols.map { `protocol` in
                    switch port.port {
                    // "port 0 + TCP = all TCP".
                    case .all: TrafficClause.ports(`protocol`, .all)
                    case .range(let range): .ports(`protocol`, range)
                    case .named(let name): .named(`protocol`, name)
                    }
                }
            })
    }

    /// The packets of an element's `icmps`. Type 0 is echo reply and nothing else (in Cilium: every ICMPv4 type).
    static func match(_ fields: [ICMPField]) -> TrafficMatch {
        .anyOf(fields.map { .ports($0.protocol, PortRange(UInt16($0.type))) })
    }
}
