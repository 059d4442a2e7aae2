public import BPFEmit

/// A pod that is being made, for which its starter waits (`APIRequest.admit`).
public struct PodAdmission: Hashable, Codable, Sendable {
    /// Which pod, as far as the runtime says.
    public var pod: PodReference
    /// Its interfaces on the host, by number.
    public var interfaces: [UInt32]
    /// How long to wait, milliseconds.
    public var timeoutMilliseconds: Int

    /// An admission.
    public init(pod: PodReference, interfaces: [UInt32], timeoutMilliseconds: Int) {
        self.pod = pod
        self.interfaces = interfaces
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    private enum CodingKeys: String, CodingKey {
        case pod = "pod"
        case interfaces = "interfaces"
        case timeoutMilliseconds = "timeoutMilliseconds"
    }
}
