extension TrafficMatch {
    /// The conditions that keep a packet from matching, in words; none when it matches. `destination` is the pod whose named
    /// ports count, `nil` when the destination is no pod.
    func failedConditions(protocol: L4Protocol, port: UInt16, destination: Pod?) -> [String] {
        guard case .anyOf(let clauses) = self else { return [] }
        let resolve = { (name: String, wanted: L4Protocol) in destination?.ports(named: name, wanted) ?? [] }
        if matches(protocol: `protocol`, port: port, names: resolve) { return [] }
        if clauses.isEmpty { return ["the rule names no port", "so nothing can match it"] }

        let ofProtocol = clauses.filter { $0.protocol == `protocol` }
        if !ofProtocol.isEmpty {
            let noun = `protocol`.isICMP ? "\(`protocol`) type" : "port"
            return ["\(noun) \(port) is not in \(TrafficMatch.list(ofProtocol.map { $0.text(destination) }))"]
        }
        let isNot = "protocol \(`protocol`) is not \(TrafficMatch.list(clauses.map { "\($0.protocol)" }, last: " or "))"
        // A port compares with ports only: what carries none, or ICMP types, has failed by its protocol alone.
        let comparable = clauses.filter { $0.protocol.hasPorts && `protocol`.hasPorts }
        let wouldFit = comparable.contains { clause in
            TrafficMatch.anyOf([clause]).matches(protocol: clause.protocol, port: port, names: resolve)
        }
        if comparable.isEmpty || wouldFit { return [isNot] }
        return [isNot, "port \(port) is not in \(TrafficMatch.list(comparable.map { $0.text(destination) }))"]
    }

    /// `80, 443`, each once, cut short after eight; `last` stands before the last of those that are all shown.
    private static func list(_ texts: [String], last: String = ", ") -> String {
        var seen: Set<String> = []
        let unique = texts.filter { seen.insert($0).inserted }
        if unique.count > 8 { return "\(unique.prefix(8).joined(separator: ", ")) and \(unique.count - 8) more" }
        return [unique.dropLast().joined(separator: ", "), unique.last ?? ""].filter { !$0.isEmpty }.joined(
            separator: last)
    }
}

extension TrafficClause {
    /// The protocol.
    var `protocol`: L4Protocol {
        switch self {
        case .ports(let `protocol`, _), .named(let `protocol`, _): `protocol`
        }
    }

    /// The ports, named ones with what they stand for at the destination.
    func text(_ destination: Pod?) -> String {
        switch self {
        case .ports(_, let range): return "\(range)"
        case .named(let wanted, let name):
            guard let destination else { return "\(name) (named ports are pods')" }
            let numbers = destination.ports(named: name, wanted)
            if numbers.isEmpty { return "\(name) (\(destination.qualifiedName) has no \(wanted) port of that name)" }
            return "\(name) (\(numbers.map(String.init).joined(separator: ", ")) on \(destination.qualifiedName))"
        }
    }
}
