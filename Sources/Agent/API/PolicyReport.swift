import PolicyAPI
import PolicyAnalysis

/// One row of `netpold policies`.
public struct PolicyReport: Hashable, Codable, Sendable {
    /// What is in force for the policy.
    public enum State: String, Hashable, Codable, Sendable, CaseIterable {
        /// The version that its source has now.
        case inForce = "inForce"
        /// Not yet the version that its source has now.
        case pending = "pending"
        /// The version that its source has now is refused, and an earlier one is in force.
        case lastGood = "lastGood"
        /// The version that its source has now is refused; the pods that it selects are isolated.
        case isolated = "isolated"
        /// The version that its source has now is refused; it has no effect.
        case ignored = "ignored"
        /// Its source has it no more, and it is in force: `reason` says why.
        case kept = "kept"
    }

    /// The kind.
    public var kind: String
    /// The namespace; `nil` for cluster-scoped kinds.
    public var namespace: String?
    /// The name.
    public var name: String
    /// What is in force.
    public var state: State
    /// Where the version is from that its source has now: `policy.yaml:12:5`, `resource version 4711`, `deleted`.
    public var origin: String
    /// `metadata.generation` of that version; left out for manifests.
    public var generation: Int64?
    /// Why it is refused, or kept, in words; left out when it is neither.
    public var reason: String?

    /// `NetworkPolicy shop/db`.
    public var text: String { key.text }

    /// The object's key.
    var key: ObjectKey { ObjectKey(kind: kind, namespace: namespace ?? "", name: name) }

    private enum CodingKeys: String, CodingKey {
        case kind = "kind"
        case namespace = "namespace"
        case name = "name"
        case state = "state"
        case origin = "origin"
        case generation = "generation"
        case reason = "reason"
    }
}

extension PolicyReport {
    /// A row; `applied` is the generation of the inputs that the kernel holds, `closed` why the policy is closed in it although its source
    /// has a good version.
    init(_ key: ObjectKey, _ standing: PolicyStanding, applied: UInt64, closed: [Diagnostic]? = nil) {
        let closed = standing.state == .asWritten ? closed : nil
        let state: State =
            switch standing.state {
            case .asWritten where applied < standing.generation: .pending
            // In the place of a host policy nothing is enforced.
            case .asWritten where closed?.contains { $0.id == .hostPolicy } == true: .ignored
            case .asWritten: closed == nil ? .inForce : .isolated
            case .lastGood: .lastGood
            case .isolated: .isolated
            case .ignored: .ignored
            }
        var generation: Int64?
        if case .server(let version) = standing.origin, version.generation > 0 { generation = version.generation }
        self.init(
            kind: key.kind, namespace: key.namespace.isEmpty ? nil : key.namespace, name: key.name, state: state,
            origin: "\(standing.origin)", generation: generation,
            reason: closed.map { $0.map(DiagnosticRenderer().render).joined(separator: "; ") } ?? standing.reason)
    }

    /// The row of a policy that was deleted and is in force, for this reason.
    init(_ key: ObjectKey, kept reason: String) {
        self.init(
            kind: key.kind, namespace: key.namespace.isEmpty ? nil : key.namespace, name: key.name, state: .kept,
            origin: "deleted", reason: reason)
    }
}

extension PolicyReport: ListingRow {
    /// The listing of these rows.
    public static var listing: Listing { .policies }
    /// Where the row stands.
    public var place: String { "\(kind)/\(namespace ?? "")/\(name)" }
    /// The namespace that it is of.
    public var rowNamespace: String? { namespace }
    /// The rows of a page.
    public static func wrap(_ rows: [PolicyReport]) -> ListingRows { .policies(rows) }
    /// The rows of a page of this listing.
    public static func unwrap(_ rows: ListingRows) -> [PolicyReport]? {
        if case .policies(let rows) = rows { rows } else { nil }
    }
}
