import PolicyIR

extension TrafficMatch {
    /// Whether this matches every packet that the other matches. `false` where comparing single clauses does not prove it.
    func covers(_ other: TrafficMatch) -> Bool {
        switch (self, other) {
        case (.everything, _): true
        case (.anyOf, .everything): false
        case (.anyOf(let outer), .anyOf(let inner)):
            inner.allSatisfy { clause in outer.contains { $0.covers(clause) } }
        }
    }
}

extension TrafficClause {
    /// Whether this matches every packet that the other matches.
    func covers(_ other: TrafficClause) -> Bool {
        switch (self, other) {
        case (.ports(let outer, let range), .ports(let inner, let wanted)):
            outer == inner && range.first <= wanted.first && wanted.last <= range.last
        case (.ports(let outer, let range), .named(let inner, _)): outer == inner && range == .all
        case (.named, .ports): false
        case (.named(let outer, let name), .named(let inner, let wanted)): outer == inner && name == wanted
        }
    }
}
