public import Agent
public import BPFEmit
public import Datapath
public import NetTypes

// The kernel side is what the agent asks for, member by member.
extension NodeDatapath: DatapathPort {}
extension RingBufferReader: VerdictReader {}
extension NameReader: NameReading {
    /// The next records, at most 1024.
    public func take() throws -> [NameRecord] { try take(1024) }
}
extension HostScanner: NodeSource {}
extension KernelDecider: PacketDecider {
    /// What a pod's policy says about a packet that was generated where its source is.
    public func decide(
        _ pod: EndpointKey, _ direction: Direction, remote: IPAddress, protocol: L4Protocol, port: UInt16
    ) throws -> PacketAnswer {
        try decide(pod, direction, remote: remote, isForwarded: false, protocol: `protocol`, port: port)
    }
}
