import BPFEmit
import CNetpoldABI
import Glibc
import NetTypes
import SystemPackage

@testable import Datapath

/// Sends packets through the entry programs of a datapath's pods, and tells what they were counted under.
struct HookProbe {
    let node: NodeDatapath

    /// A packet of a TCP connection from `client` (port `from`) to the pod.
    func tcp(
        to pod: EndpointKey = NodeImages.webKey, from client: IPAddress = NodeImages.client, source: UInt16,
        port: UInt16 = 80, flags: UInt8 = 0x02
    ) throws -> np_reason {
        guard let endpoint = node.endpoints[pod], let own = endpoint.value.addresses.first else {
            throw BPFError(.runProgram, "\(pod)", errno: .noSuchFileOrDirectory)
        }
        var packet = FlowPacket(
            source: client, destination: own, protocol: .tcp, sourcePort: source, destinationPort: port)
        packet.tcpFlags = flags
        return try run(packet, endpoint.ingressStub)
    }

    /// The pod's answer to it.
    func tcpReply(
        of pod: EndpointKey = NodeImages.webKey, to client: IPAddress = NodeImages.client, source: UInt16,
        port: UInt16 = 80
    ) throws -> np_reason {
        guard let endpoint = node.endpoints[pod], let own = endpoint.value.addresses.first else {
            throw BPFError(.runProgram, "\(pod)", errno: .noSuchFileOrDirectory)
        }
        var packet = FlowPacket(
            source: own, destination: client, protocol: .tcp, sourcePort: port, destinationPort: source)
        packet.tcpFlags = 0x12
        return try run(packet, endpoint.egressStub)
    }

    func run(_ packet: FlowPacket, _ program: BPFProgram) throws -> np_reason {
        let before = try node.packetsByReason()
        _ = try TestRun(frame: packet.frame).run(program)
        let after = try node.packetsByReason()
        let moved = after.filter { $0.value != before[$0.key] }.map(\.key)
        return np_reason(moved.count == 1 ? UInt32(moved[0]) : UInt32(NP_REASON_NONE.rawValue))
    }
}

extension NodeDatapath {
    /// A datapath of its own that attaches nothing.
    static func forTests(pins: PinPath? = nil) throws -> NodeDatapath {
        try NodeDatapath(DatapathOptions(pins: pins, attachment: .none, flowSets: 1024))
    }
}

extension np_reason {
    init(_ number: UInt32) { self.init(rawValue: number) }
}
