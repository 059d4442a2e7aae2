import CNetpoldABI

/// How the node's own policies are enforced.
public struct HostSettings: Hashable, Sendable {
    /// What is wanted.
    public var mode: HostMode
    /// The names of the uplinks.
    public var devices: [String]
    /// What passes whatever policies say; at most `failsafeLimit`.
    public var failsafes: [Failsafe]
    /// Whether TCP from the node to its own pods passes: the kubelet's probes.
    public var passesProbes: Bool
    /// Seconds within which a change is to be confirmed; 0: none needs to be.
    public var confirmSeconds: UInt32

    /// The most fail-safes that the kernel side holds.
    public static let failsafeLimit = Int(NP_HOST_FAILSAFES)

    /// Settings.
    public init(
        mode: HostMode = .off, devices: [String] = [], failsafes: [Failsafe] = Failsafe.standard,
        passesProbes: Bool = true, confirmSeconds: UInt32 = 0
    ) {
        self.mode = mode
        self.devices = devices
        self.failsafes = failsafes
        self.passesProbes = passesProbes
        self.confirmSeconds = confirmSeconds
    }
}
