public import BPFEmit

/// Whether flows between pods of the node go past its stack, and why: `fastPath` of the status.
public struct FastPathStatus: Hashable, Codable, Sendable {
    /// `off`, `auto` or `always`.
    public var mode: String
    /// Whether new flows may.
    public var isOn: Bool
    /// Why, in words.
    public var reason: String
    /// How many pods' may.
    public var pods: Int
    /// Pods whose may not, each with the reason: `shop/db: its interface veth7 has the queue tbf`.
    public var leftOut: [String]
    /// Flows that go past the stack now.
    public var flows: Int

    /// What a datapath reports.
    public init(_ report: FastPathReport) {
        mode = report.mode.rawValue
        isOn = report.isOn
        reason = report.reason
        pods = report.pods
        leftOut = report.leftOut.map { "\($0.key): \($0.value)" }.sorted()
        flows = report.flows
    }

    private enum CodingKeys: String, CodingKey {
        case mode = "mode"
        case isOn = "on"
        case reason = "reason"
        case pods = "pods"
        case leftOut = "leftOut"
        case flows = "flows"
    }
}
