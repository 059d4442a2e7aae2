import NetpoldTestSupport
import PolicyAPI

/// A row of a table of docs/spec: the table and the row's number or title.
struct SpecRow: Hashable, Sendable, CustomStringConvertible {
    /// The table.
    let table: SpecTable
    /// The row's number (of numbered tables) or title.
    let title: String

    /// A row of the edge-case table of docs/spec/cilium-network-policy.md.
    static func edge(_ number: Int) -> SpecRow { SpecRow(table: .ciliumEdgeCases, title: "\(number)") }
    /// A statement of another section of docs/spec/cilium-network-policy.md, which is no table of edge cases.
    static func section(_ title: String) -> SpecRow { SpecRow(table: .ciliumSections, title: title) }
    /// A rule of the decision function of docs/spec/network-policy.md.
    static func decision(_ title: String) -> SpecRow { SpecRow(table: .decisionFunction, title: title) }
    /// A field of docs/spec/network-policy.md 1.2.
    static func field(_ title: String) -> SpecRow { SpecRow(table: .fields, title: title) }
    /// An input that docs/spec/network-policy.md 1.3 refuses.
    static func invalid(_ title: String) -> SpecRow { SpecRow(table: .validation, title: title) }
    /// A topic of docs/spec/network-policy.md 1.4.
    static func grey(_ title: String) -> SpecRow { SpecRow(table: .greyAreas, title: title) }
    /// An item of docs/spec/network-policy.md 2.1.
    static func clusterPolicy(_ title: String) -> SpecRow { SpecRow(table: .clusterPolicy, title: title) }
    /// A statement of docs/spec/network-policy.md 2.2.
    static func adminPolicy(_ title: String) -> SpecRow { SpecRow(table: .adminPolicy, title: title) }

    var description: String {
        table == .ciliumEdgeCases ? "\(table.rawValue) row \(title)" : "\(table.rawValue) \"\(title)\""
    }
}

/// The tables whose rows are tests. The value is the page of docs/spec and the section.
enum SpecTable: String, CaseIterable, Sendable {
    case ciliumEdgeCases = "cilium-network-policy 19"
    case decisionFunction = "network-policy 1.1"
    case fields = "network-policy 1.2"
    case validation = "network-policy 1.3"
    case greyAreas = "network-policy 1.4"
    case clusterPolicy = "network-policy 2.1"
    case adminPolicy = "network-policy 2.2"
    /// Statements of other sections from which netpold differs; not complete. Each row's title begins with its section.
    case ciliumSections = "cilium-network-policy"

    /// The name of the page.
    var page: String { String(rawValue.prefix { $0 != " " }) }
    /// The number of the section; `nil` for the whole page.
    var section: String? {
        rawValue.contains(" ") ? String(rawValue.drop { $0 != " " }.dropFirst()) : nil
    }
}
