public import NetTypes
import PolicyAPI
import PolicyIR

/// A name that a lab's DNS servers know.
public struct LabName: Hashable, Sendable {
    /// The name, lower case, without a final dot.
    public var name: String
    /// Its addresses outside, one of each family, that nothing else has.
    public var addresses: [IPAddress]
}

/// Which names a lab's world has: for each pattern of a policy one that it matches, and one that no policy names.
struct NameSurvey {
    /// The most names of one lab.
    static let limit = 24
    /// A name that no policy has.
    static let stranger = "unnamed.example.net"

    /// The names, sorted; none where no policy is about names.
    var names: [LabName] = []
    /// What was left out, in words.
    var notes: [String] = []

    /// Chooses names for policies, and addresses for them that `taken` does not hold.
    init(policies: [LoweredPolicy], taken: Set<IPAddress>) {
        let rules = policies.flatMap { ($0.ingress?.rules ?? []) + ($0.egress?.rules ?? []) }
        var chosen: Set<String> = []
        for selector in rules.flatMap(NameSurvey.selectors) {
            if let name = NameSurvey.witness(NamePattern(selector)) { chosen.insert(name) }
        }
        guard rules.contains(where: { !NameSurvey.selectors($0).isEmpty }) else { return }
        chosen.insert(NameSurvey.stranger)
        let all = chosen.sorted()
        if all.count > NameSurvey.limit {
            notes.append("\(all.count - NameSurvey.limit) of \(all.count) names are not tried")
        }
        var number: UInt64 = 0
        func next(_ make: (UInt64) -> IPAddress) -> IPAddress {
            repeat { number += 1 } while taken.contains(make(number))
            return make(number)
        }
        for name in all.prefix(NameSurvey.limit) {
            // Of the block for benchmarks, and of the one for documentation: nobody's own.
            let v4 = next { IPAddress(ipv4: 0xc613_3500 + UInt32($0)) }
            let v6 = next { IPAddress(high: 0x2001_0db8_0053_0000, low: $0) }
            names.append(LabName(name: name, addresses: [v4, v6]))
        }
    }

    /// The names and patterns of a rule: of its peers, its DNS rules, its server names.
    private static func selectors(_ rule: PolicyRule) -> [FQDNSelector] {
        var found: [FQDNSelector] = []
        if case .anyOf(let peers) = rule.peers {
            for case .names(let selector) in peers { found.append(selector) }
        }
        switch rule.l7 {
        case .dns(let list): found += list.map(\.value)
        case .serverNames(let list): found += list.map { .pattern($0.value) }
        case .http, nil: break
        }
        return found
    }

    /// A name that a pattern matches; `nil` for one that matches every name, and where none is found.
    static func witness(_ pattern: NamePattern) -> String? {
        guard !pattern.matches(stranger) else { return nil }
        var bytes: [UInt8] = []
        for token in pattern.tokens {
            switch token {
            case .byte(let byte): bytes.append(byte)
            case .run: bytes.append(UInt8(ascii: "x"))
            case .labels: bytes += "a.b.".utf8
            case .anything: return nil
            }
        }
        let name = String(decoding: bytes, as: UTF8.self)
        guard pattern.matches(name) else { return nil }
        return name.hasSuffix(".") ? String(name.dropLast()) : name
    }
}
