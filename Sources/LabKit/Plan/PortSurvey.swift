import NetTypes
import PolicyAPI
import PolicyIR

/// Which ports a lab tries: those that policies or pods name, the edges of ranges, and one that nobody names.
struct PortSurvey {
    /// What to try, sorted.
    var traffic: [LabTraffic]
    /// What is named but cannot be tried, in words.
    var notes: [String]

    /// Looks at every port of pods and lowered policies.
    init(pods: [Pod], policies: [LoweredPolicy]) {
        var found: Set<LabTraffic> = []
        func add(_ proto: L4Protocol, _ port: Int) {
            guard (1...65535).contains(port) else { return }
            found.insert(LabTraffic(proto, UInt16(port)))
        }
        for port in pods.flatMap(\.ports) { add(port.protocol, Int(port.port)) }
        for rule in policies.flatMap({ ($0.ingress?.rules ?? []) + ($0.egress?.rules ?? []) }) {
            guard case .anyOf(let clauses) = rule.traffic else { continue }
            for case .ports(let proto, let range) in clauses where range != .all && proto.hasPorts {
                add(proto, Int(range.first))
                guard range.last != range.first else { continue }
                // A range is tried at both ends and just beyond them.
                add(proto, Int(range.first) - 1)
                add(proto, Int(range.last))
                add(proto, Int(range.last) + 1)
            }
        }
        for proto in [L4Protocol.tcp, .udp] {
            let unnamed = (4242...65535).first { !found.contains(LabTraffic(proto, UInt16($0))) }
            if let unnamed { add(proto, unnamed) }
        }
        found.insert(.echo)
        traffic = found.filter { [.tcp, .udp, .icmp].contains($0.protocol) }.sorted()
        notes =
            found.contains { $0.protocol == .sctp }
            ? ["SCTP ports are not probed: the lab speaks TCP, UDP and ping"] : []
    }
}
