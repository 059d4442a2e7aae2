/// What an apply did about the node's own policies.
public struct HostReport: Hashable, Sendable {
    /// What is in force, and for how long.
    public var confirmation: HostConfirmation
    /// The uplinks that have programs, by name.
    public var devices: [String]
    /// Why others have none, in words, sorted.
    public var problems: [String]

    /// A report.
    public init(confirmation: HostConfirmation, devices: [String], problems: [String]) {
        self.confirmation = confirmation
        self.devices = devices
        self.problems = problems
    }
}
