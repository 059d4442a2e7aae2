import NetTypes
import PolicyIR

/// What must hold of any manifests: the compiled image answers as the evaluator does, by the same rule.
public enum VerdictLaws {
    /// Decodes the bytes, compiles them for a node and compares answers between the pods of the input and ends outside.
    public static func check(_ bytes: [UInt8]) throws(BrokenLaw) {
        let decoded = ManifestLaws.decode(bytes)
        let objects = decoded.objects
        guard !objects.pods.isEmpty, objects.pods.count <= 32 else { return }
        let policies = PolicyLowering.lower(objects).policies + PolicyLowering.lowerRefused(decoded.refused)
        var addresses = objects.pods.flatMap(\.addresses).prefix(6) + objects.nodes.flatMap(\.addresses).prefix(2)
        addresses += ["192.0.2.1", "10.0.0.1", "2001:db8::1"].compactMap { IPAddress(parsing: $0) }
        let traffic = self.traffic(policies)
        do {
            var both = try SideBySide(objects, policies: policies, localNode: ClusterView.defaultNode(of: objects))
            for source in addresses {
                for destination in addresses where source.isIPv4 == destination.isIPv4 {
                    for (wanted, port) in traffic {
                        for answer in try both.ask(from: source, to: destination, protocol: wanted, port: port) {
                            try BrokenLaw.unless(answer.difference == nil, answer.difference ?? "")
                        }
                    }
                }
            }
        } catch let law as BrokenLaw {
            throw law
        } catch {
            throw BrokenLaw("a program is wrong: \(error)")
        }
    }

    /// Ports at the edges of what the policies name.
    private static func traffic(_ policies: [LoweredPolicy]) -> [(L4Protocol, UInt16)] {
        var found: [(L4Protocol, UInt16)] = [(.tcp, 80), (.udp, 53), (.icmp, 8)]
        for rule in policies.flatMap({ ($0.ingress?.rules ?? []) + ($0.egress?.rules ?? []) }).prefix(8) {
            guard case .anyOf(let clauses) = rule.traffic else { continue }
            for case .ports(let wanted, let range) in clauses.prefix(2) {
                found += [(wanted, range.first), (wanted, range.last &+ 1)]
            }
        }
        return found
    }
}
