import BPFEmit

/// One row of `netpold conntrack`: a flow that is remembered for a pod.
public struct FlowRow: Hashable, Codable, Sendable {
    /// `namespace/name`.
    public var pod: String
    /// The direction whose policy admitted it: `egress` where the pod began it, `ingress` where the other end did; `none` where it
    /// was admitted for another pod only.
    public var direction: String
    /// `TCP`, `UDP`, ...
    public var `protocol`: String
    /// The pod's end, `address:port`.
    public var own: String
    /// The other end as policies see it.
    public var remote: String
    /// The Service that the pod talks to, where `remote` is its backend; or the backend, where `remote` is a Service.
    public var translated: String?
    /// Whether somebody has answered.
    public var isAnswered: Bool
    /// Whether an end has said that it is over (FIN, RST).
    public var isClosing: Bool
    /// Seconds since the latest packet.
    public var silentSeconds: UInt32
    /// The endpoint's revision under which it was admitted.
    public var revision: UInt32

    private enum CodingKeys: String, CodingKey {
        case pod = "pod"
        case direction = "direction"
        case `protocol` = "protocol"
        case own = "own"
        case remote = "remote"
        case translated = "translated"
        case isAnswered = "isAnswered"
        case isClosing = "isClosing"
        case silentSeconds = "silentSeconds"
        case revision = "revision"
    }
}

extension FlowRow: ListingRow {
    /// The listing of these rows.
    public static var listing: Listing { .conntrack }
    /// Where the row stands.
    public var place: String { "\(pod) \(direction) \(`protocol`) \(own) \(remote) \(translated ?? "")" }
    /// The namespace that it is of.
    public var rowNamespace: String? { Listing.namespace(of: pod) }
    /// The rows of a page.
    public static func wrap(_ rows: [FlowRow]) -> ListingRows { .conntrack(rows) }
    /// The rows of a page of this listing.
    public static func unwrap(_ rows: ListingRows) -> [FlowRow]? {
        if case .conntrack(let rows) = rows { rows } else { nil }
    }
}

extension FlowRow {
    /// A row of a pod's flow.
    init(_ flow: RememberedFlow, pod: String) {
        let direction =
            switch flow.role {
            case .none: "none"
            case .initiator: "egress"
            case .responder: "ingress"
            }
        let other: RememberedFlow.End? =
            switch flow.translation {
            case .frontend(let end), .backend(let end): end
            case nil: nil
            }
        func text(_ end: RememberedFlow.End) -> String {
            flow.protocol.hasPorts ? end.address.with(port: end.port) : "\(end.address)"
        }
        self.init(
            pod: pod, direction: direction, protocol: "\(flow.protocol)", own: text(flow.own),
            remote: text(flow.remote), translated: other.map(text), isAnswered: flow.isAnswered,
            isClosing: flow.isClosing, silentSeconds: flow.silentSeconds, revision: flow.revision)
    }
}
