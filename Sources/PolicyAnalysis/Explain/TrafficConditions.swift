import Algorithms
import NetTypes
import PolicyAPI
import PolicyIR

extension TrafficMatch {
    /// The conditions that keep a packet from matching; empty when it matches. `destination` is the pod on which named ports
    /// are resolved, `nil` when the destination is not a pod.
    func failedConditions(protocol: L4Protocol, port: UInt16, destination: Pod?) -> [FailedCondition] {
        guard case .anyOf(let clauses) = self else { return [] }
        let resolve = { (name: String, wanted: L4Protocol) in destination?.ports(named: name, wanted) ?? [] }
        if matches(protocol: `protocol`, port: port, names: resolve) { return [] }
        if clauses.isEmpty {
            return [FailedCondition(.unsatisfiable, text: "the rule has no port, so nothing matches it")]
        }
        let ofProtocol = clauses.filter { $0.protocol == `protocol` }
        if !ofProtocol.isEmpty { return [TrafficMatch.port(port, `protocol`, ofProtocol, destination)] }

        let protocols = Array(clauses.map { "\($0.protocol)" }.uniqued())
        let isNot = FailedCondition(
            .protocol, wanted: protocols, has: "\(`protocol`)",
            text: "protocol \(`protocol`) is not \(joinedList(protocols, last: " or "))")
        // Ports are compared only between protocols with ports; others fail by their protocol alone.
        let comparable = clauses.filter { $0.protocol.hasPorts && `protocol`.hasPorts }
        let wouldFit = comparable.contains { clause in
            TrafficMatch.anyOf([clause]).matches(protocol: clause.protocol, port: port, names: resolve)
        }
        if comparable.isEmpty || wouldFit { return [isNot] }
        return [isNot, TrafficMatch.port(port, nil, comparable, destination)]
    }

    /// The failure of a port or ICMP type that no clause contains; `protocol` is that of the clauses, `nil` for several.
    private static func port(
        _ port: UInt16, _ protocol: L4Protocol?, _ clauses: [TrafficClause], _ destination: Pod?
    ) -> FailedCondition {
        let wanted = Array(clauses.map(\.written).uniqued())
        if `protocol`?.isICMP == true {
            return FailedCondition(
                .icmpType, wanted: wanted, has: "\(port)",
                text: "\(`protocol` ?? .icmp) type \(port) is not \(list(wanted))")
        }
        let unknown = Array(clauses.compactMap { $0.unknownName(destination) }.uniqued())
        guard unknown.count == wanted.count else {
            return FailedCondition(
                .port, wanted: wanted, has: "\(port)",
                text: "port \(port) is not \(list(Array(clauses.map { $0.text(destination) }.uniqued())))")
        }
        let names = joinedList(unknown, last: " or ")
        let text =
            destination.map { "pod \($0.qualifiedName) has no port named \(names)\($0.knownNames(`protocol`))" }
            ?? "port name \(names) can only be resolved on a pod, and the destination is not a pod"
        return FailedCondition(
            .portName, of: destination.map { "pod \($0.qualifiedName)" }, wanted: wanted, has: "\(port)", text: text)
    }

    /// `80`, or `in 80, 443`.
    private static func list(_ texts: [String]) -> String {
        texts.count == 1 ? texts[0] : "in \(joinedList(texts))"
    }
}

extension TrafficClause {
    /// The protocol.
    var `protocol`: L4Protocol {
        switch self {
        case .ports(let `protocol`, _), .named(let `protocol`, _): `protocol`
        }
    }

    /// The ports as written: `80`, `9000-9010`, `http`.
    var written: String {
        switch self {
        case .ports(_, let range): "\(range)"
        case .named(_, let name): name
        }
    }

    /// The name, if the destination has no port of that name.
    func unknownName(_ destination: Pod?) -> String? {
        guard case .named(let wanted, let name) = self else { return nil }
        return destination?.ports(named: name, wanted).isEmpty ?? true ? name : nil
    }

    /// The ports; named ones with their numbers at the destination.
    func text(_ destination: Pod?) -> String {
        guard case .named(let wanted, let name) = self else { return written }
        guard let destination else { return "\(name) (pods only)" }
        let numbers = destination.ports(named: name, wanted)
        if numbers.isEmpty { return "\(name) (unknown on pod \(destination.qualifiedName))" }
        return "\(name) (\(numbers.map(String.init).joined(separator: ", ")) on pod \(destination.qualifiedName))"
    }
}

extension Pod {
    /// ` (it has web)`: the names of the pod's ports of a protocol, or of all; empty when it has none.
    fileprivate func knownNames(_ wanted: L4Protocol?) -> String {
        let names = ports.filter { !$0.name.isEmpty && (wanted == nil || $0.protocol == wanted) }.map(\.name)
        return names.isEmpty ? "" : " (it has \(joinedList(names)))"
    }
}
