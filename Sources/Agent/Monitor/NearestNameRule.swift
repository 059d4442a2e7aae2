import BPFEmit
import PolicyAPI
import PolicyIR

/// Of the rules that were asked about a refused name, the one that came nearest.
struct NearestNameRule {
    /// Patterns that are named.
    private static let named = 3

    /// Where the rule is written.
    let origin: RuleOrigin
    /// Its patterns, the nearest first.
    let patterns: [String]

    /// Looks for it; `nil` when the program that refused is not known any more.
    init?(_ record: NameRecord, _ hits: RuleHitIndex) {
        var best: (rule: RuleBit, patterns: [String], likeness: Int)?
        for rule in hits.l7Rules(of: record.base, bits: record.rules) {
            let patterns = NearestNameRule.patterns(rule).map { ($0, NearestNameRule.likeness($0, record.name)) }
                .sorted { ($1.1, $0.0) < ($0.1, $1.0) }
            let likeness = patterns.first?.1 ?? -1
            if best.map({ likeness > $0.likeness }) ?? true { best = (rule, patterns.map(\.0), likeness) }
        }
        guard let best else { return nil }
        origin = best.rule.origin
        patterns = best.patterns
    }

    /// Why it does not match.
    func sentence(_ name: String) -> String {
        let subject = name.isEmpty ? "a connection without a name" : name
        guard let first = patterns.first else { return "\(origin): no name satisfies it" }
        if patterns.count == 1 { return "\(origin): \(subject) is not \(first)" }
        let more = patterns.count - NearestNameRule.named
        let list =
            patterns.prefix(NearestNameRule.named).joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
        return "\(origin): \(subject) is none of \(list)"
    }

    private static func patterns(_ rule: RuleBit) -> [String] {
        switch rule.l7 {
        case .dns(let selectors)?:
            selectors.map {
                switch $0.value {
                case .name(let text), .pattern(let text): text
                }
            }
        case .serverNames(let names)?: names.map(\.value)
        case .http?, nil: []
        }
    }

    /// How many labels of a pattern's end are those of the name.
    private static func likeness(_ pattern: String, _ name: String) -> Int {
        zip(
            pattern.lowercased().split(separator: ".").reversed(), name.lowercased().split(separator: ".").reversed()
        ).prefix { $0 == $1 }.count
    }
}
