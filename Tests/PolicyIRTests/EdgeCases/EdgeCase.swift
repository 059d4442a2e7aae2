import PolicyAPI
import Testing

/// One row of a specification's table: what it says, and manifests with flows that show that netpold does it.
struct EdgeCase: Sendable, CustomTestStringConvertible {
    /// The row.
    let row: SpecRow
    /// The row in one sentence, as netpold means it.
    let says: String
    /// Manifests with their expected outcome.
    let trials: [Trial]
    /// What Cilium, or the text of the specification, does in place of it; `nil` where netpold does the same.
    var differs: Difference?

    /// A difference that is meant: a row of docs/reference/differences.md.
    struct Difference: Sendable {
        /// What is written.
        let input: String
        /// What Cilium, or upstream's text, makes of it.
        let theirs: String
        /// What netpold makes of it.
        let ours: String
        /// Why.
        let why: String
    }

    init(_ row: SpecRow, _ says: String, _ trials: Trial..., differs: Difference? = nil) {
        self.row = row
        self.says = says
        self.trials = trials
        self.differs = differs
    }

    var testDescription: String { "\(row): \(says)" }
}

/// Manifests, and their outcome in the cluster of `EdgeCluster`.
struct Trial: Sendable {
    /// Policies and other objects beside those of the cluster.
    let manifests: String
    /// What DNS has answered so far.
    var names: [String: [String]] = [:]
    /// `deny db > web 80`: see `EdgeFlow`.
    var flows: [String] = []
    /// Every error, `id path`; whoever a refused policy selects is isolated, as `flows` may show.
    var refused: [String] = []
    /// Warnings that must be among those found, `id path`.
    var warned: [String] = []

    init(
        _ manifests: String..., names: [String: [String]] = [:], flows: [String] = [], refused: [String] = [],
        warned: [String] = []
    ) {
        self.manifests = manifests.joined(separator: "---\n")
        self.names = names
        self.flows = flows
        self.refused = refused
        self.warned = warned
    }
}

/// A CiliumNetworkPolicy in namespace shop of rules in flow style. A rule is about `app=web` unless it says `Selector`
/// itself. One rule stands in `spec`, several in `specs`.
func cnp(_ rules: String..., name: String = "p", namespace: String? = "shop") -> String {
    let place = namespace.map { ", namespace: \($0)" } ?? ""
    return "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: \(name)\(place)}\n" + specs(rules)
}

/// A CiliumClusterwideNetworkPolicy: as `cnp`.
func ccnp(_ rules: String..., name: String = "p") -> String {
    "apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: \(name)}\n" + specs(rules)
}

private func specs(_ rules: [String]) -> String {
    let whole = rules.map { rule in
        let isComplete = rule.hasPrefix("endpointSelector") || rule.hasPrefix("nodeSelector") || rule.hasPrefix("!")
        let text = rule.drop { $0 == "!" }
        return isComplete ? "{\(text)}" : "{endpointSelector: {matchLabels: {app: web}}, \(text)}"
    }
    if whole.count == 1 { return "spec: \(whole[0])\n" }
    return "specs:\n" + whole.map { "- \($0)\n" }.joined()
}

/// A NetworkPolicy in namespace shop whose spec is this text in flow style, about `app=web` unless `selects` says
/// otherwise; an empty `selects` writes no podSelector.
func np(_ spec: String, selects: String = "{matchLabels: {app: web}}", name: String = "p") -> String {
    let selector = selects.isEmpty ? "" : "podSelector: \(selects)" + (spec.isEmpty ? "" : ", ")
    return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: \(name), namespace: shop}\n"
        + "spec: {\(selector)\(spec)}\n"
}

/// `toPorts: [{ports: [...]}]` of these elements of `ports`: `80` is port 80 of TCP, `53/UDP` another protocol, `8-9` a
/// range. `rules` is the text of `rules`.
func toPorts(_ ports: String..., rules: String? = nil) -> String {
    let elements = ports.map { text in
        let parts = text.split(separator: "/")
        let ends = parts[0].split(separator: "-")
        let isRange = ends.count == 2 && ends.allSatisfy { UInt32($0) != nil }
        let port = isRange ? "port: '\(ends[0])', endPort: \(ends[1])" : "port: '\(parts[0])'"
        return "{\(port), protocol: \(parts.count == 2 ? parts[1] : "TCP")}"
    }
    let l7 = rules.map { ", rules: \($0)" } ?? ""
    return "toPorts: [{ports: [\(elements.joined(separator: ", "))]\(l7)}]"
}

/// A selector of pods with `app=` one of these; in flow style, for `fromEndpoints` and its like.
func app(_ name: String) -> String { "{matchLabels: {app: \(name)}}" }
