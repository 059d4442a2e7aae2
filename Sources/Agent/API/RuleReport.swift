/// One row of `netpold rules`: something that may decide about a pod's flows.
public struct RuleReport: Hashable, Codable, Sendable {
    /// What happens to a flow that it decides.
    public enum Verdict: String, Hashable, Codable, Sendable, CaseIterable {
        /// The rule allows it.
        case allow = "allow"
        /// The rule allows it if its requests satisfy L7 rules.
        case l7 = "l7"
        /// The rule denies it.
        case deny = "deny"
        /// The rule leaves it to the next tier.
        case pass = "pass"
        /// No rule matches, and a policy isolates the pod: it is denied.
        case defaultDeny = "defaultDeny"
        /// No rule matches, and no policy isolates the pod: it is allowed.
        case defaultAllow = "defaultAllow"
        /// It is from the pod's own node: it is allowed.
        case host = "host"
    }

    /// `namespace/name`.
    public var pod: String
    /// `ingress` or `egress`, as policies say it.
    public var direction: String
    /// The order in which it is listed, from 0: rules as they are written within their precedence, then the defaults.
    public var number: Int
    /// What happens to a flow that it decides.
    public var verdict: Verdict
    /// The rule; for a default deny, the first of the policies that isolate the pod. Left out for the rest.
    public var rule: FlowVerdict.Rule?
    /// Packets that it decided since the agent started: of new flows, and of known ones after a change. Left out when nobody counts.
    public var packets: UInt64?
    /// How many other pods of the node the count is shared with: pods with equal labels have one program.
    public var sharedWith: Int

    private enum CodingKeys: String, CodingKey {
        case pod = "pod"
        case direction = "direction"
        case number = "number"
        case verdict = "verdict"
        case rule = "rule"
        case packets = "packets"
        case sharedWith = "sharedWith"
    }
}

extension RuleReport: ListingRow {
    /// The listing of these rows.
    public static var listing: Listing { .rules }
    /// Where the row stands.
    public var place: String {
        let number = String(number)
        return "\(pod) \(direction) \(String(repeating: "0", count: max(0, 8 - number.count)))\(number)"
    }
    /// The namespace that it is of.
    public var rowNamespace: String? { Listing.namespace(of: pod) }
    /// The rows of a page.
    public static func wrap(_ rows: [RuleReport]) -> ListingRows { .rules(rows) }
    /// The rows of a page of this listing.
    public static func unwrap(_ rows: ListingRows) -> [RuleReport]? {
        if case .rules(let rows) = rows { rows } else { nil }
    }
}
