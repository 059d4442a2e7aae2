public import BPFEmit

/// One row of `netpold endpoints`.
public struct EndpointReport: Hashable, Codable, Sendable {
    /// What is known of an endpoint.
    public enum State: String, Hashable, Codable, Sendable, CaseIterable {
        /// Its policies are in place.
        case ready = "ready"
        /// No interface of the pod has been found yet.
        case waiting = "waiting"
        /// It was found and is not programmed yet.
        case pending = "pending"
        /// It could not be programmed.
        case failed = "failed"
        /// Its policies are in place; its Pod object is gone, finished or on the host's network, and it keeps what it had.
        case orphan = "orphan"
        /// Nothing is enforced: a pod without an interface that can be, or an interface without a pod.
        case unenforced = "unenforced"
        /// The deny stub: an interface without a pod that only the node reaches.
        case isolated = "isolated"
    }

    /// `namespace/name`; for a namespace without pod its netns.
    public var name: String
    /// Addresses in text form.
    public var addresses: [String]
    /// Name of the network namespace, if found.
    public var netns: String?
    /// Host side of the veth, if found.
    public var interface: String?
    /// Its index.
    public var ifindex: UInt32?
    /// Slot in np_endpoints.
    public var slot: UInt32?
    /// Identity number.
    public var identity: UInt32?
    /// Policies that apply to traffic to the pod, `Kind namespace/name`.
    public var ingressPolicies: [String]
    /// Policies that apply to traffic from the pod.
    public var egressPolicies: [String]
    /// Whether what no rule allows is denied, towards the pod.
    public var isIngressIsolated: Bool
    /// Whether what no rule allows is denied, from the pod.
    public var isEgressIsolated: Bool
    /// Revision of the endpoint in the datapath.
    public var revision: UInt32?
    /// The state.
    public var state: State
    /// What says whose interface it is (`EvidenceRank`); left out where nothing does.
    public var evidence: String?
    /// Why it is not simply ready, in words; left out where it is.
    public var reason: String?
    /// Its part of the flow table, as of the latest walk over that; left out before the first.
    public var flows: FlowShare?

    private enum CodingKeys: String, CodingKey {
        case name = "name"
        case addresses = "addresses"
        case netns = "netns"
        case interface = "interface"
        case ifindex = "ifindex"
        case slot = "slot"
        case identity = "identity"
        case ingressPolicies = "ingressPolicies"
        case egressPolicies = "egressPolicies"
        case isIngressIsolated = "isIngressIsolated"
        case isEgressIsolated = "isEgressIsolated"
        case revision = "revision"
        case state = "state"
        case evidence = "evidence"
        case reason = "reason"
        case flows = "flows"
    }
}

extension EndpointReport: ListingRow {
    /// The listing of these rows.
    public static var listing: Listing { .endpoints }
    /// Where the row stands.
    public var place: String { "\(name) \(ifindex ?? 0)" }
    /// The namespace that it is of.
    public var rowNamespace: String? { Listing.namespace(of: name) }
    /// The rows of a page.
    public static func wrap(_ rows: [EndpointReport]) -> ListingRows { .endpoints(rows) }
    /// The rows of a page of this listing.
    public static func unwrap(_ rows: ListingRows) -> [EndpointReport]? {
        if case .endpoints(let rows) = rows { rows } else { nil }
    }
}
