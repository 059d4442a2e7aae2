public import BPFEmit
public import NetTypes

/// Decides packets by an image that is loaded somewhere where nothing else sees it.
public protocol PacketDecider {
    /// Goes on with another image.
    func update(_ image: NodeImage) throws
    /// What happens to the first packet of a flow at a pod's hook.
    ///
    /// - Parameter port: destination port, or ICMP type.
    func decide(
        _ pod: EndpointKey, _ direction: Direction, remote: IPAddress, protocol: L4Protocol, port: UInt16
    ) throws -> PacketAnswer
}
