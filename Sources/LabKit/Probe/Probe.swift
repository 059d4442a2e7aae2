public import Datapath
public import NetTypes
public import SystemPackage

/// A real packet exchange to be tried: who asks whom, over which protocol and port.
public struct Probe: Sendable {
    /// The namespace to ask from.
    public var namespace: NetworkNamespace
    /// The address to ask from; of the same family as `destination`.
    public var source: IPAddress
    /// Whom to ask.
    public var destination: IPAddress
    /// TCP, UDP, or the family's ICMP (an echo request).
    public var `protocol`: L4Protocol
    /// The destination port; without meaning for ICMP.
    public var port: UInt16
    /// How often silence is answered by asking again before it counts.
    public var retries: Int
    /// What it says.
    public var request: ProbeRequest
    /// What is tried at once with the addresses that a DNS query is answered with; its outcome is then that of the probe.
    public var follow: (@Sendable ([IPAddress]) -> Probe?)?

    /// A probe.
    public init(
        namespace: NetworkNamespace, source: IPAddress, destination: IPAddress, protocol: L4Protocol, port: UInt16,
        retries: Int, request: ProbeRequest = .greeting
    ) {
        self.namespace = namespace
        self.source = source
        self.destination = destination
        self.protocol = `protocol`
        self.port = port
        self.retries = retries
        self.request = request
    }
}

/// The outcome of a probe.
public enum ProbeOutcome: Hashable, Sendable {
    /// An answer, with the name of the responder (empty for an ICMP echo).
    case answered(by: String)
    /// A DNS query was answered with these addresses.
    case resolved([IPAddress])
    /// A request was answered, with a refusal: `403`, `REFUSED`, `reset`.
    case denied(String)
    /// A DNS answer over UDP that says nothing but that the query is to be made over TCP; a prober makes it.
    case truncated
    /// A TCP reset or an ICMP port-unreachable: the packet arrived where nobody serves the port.
    case refused
    /// The kernel had no route, or ICMP reported that there is none; the error number.
    case unreachable(Errno)
    /// Nothing came back in time.
    case silent
}
