import BPFEmit
import CNetpoldABI
import Datapath
import Glibc
import NetTypes
import Support

/// Programs that ask no policy, at the pods' veths: what is left to netpold below a target.
final class ReferenceHooks: Enforcement {
    /// What the programs do.
    enum Kind {
        /// Let everything pass, at both hooks of each pod.
        case empty
        /// Hand the pod's packets to the other pod, past the stack.
        case forward
    }

    let name: String
    private let kind: Kind
    private let network: BenchNetwork
    private let object: BPFObject
    private let attachments: Attachments

    init(_ network: BenchNetwork, name: String, _ kind: Kind) throws {
        self.network = network
        self.name = name
        self.kind = kind
        object = try BPFObject(name: "np_bench", bytes: try EmbeddedObject.bytes(of: EmbeddedBenchObject.base64))
        try object.load()
        attachments = try Attachments(style: .automatic, pins: nil)
    }

    func install() throws {
        let ends = try ["client", "server"].map { pod in
            guard let namespace = network.routed.pods[pod] else { throw SystemError("find namespace", pod, nil) }
            let inside = try namespace.run { try NetlinkSocket().link(named: "eth0") }
            let outside = try network.routed.node.run { try NetlinkSocket().link(named: "np\(pod)") }
            return (
                ifindex: UInt32(bitPattern: outside.index), pod: Self.bytes(inside.mac), host: Self.bytes(outside.mac)
            )
        }
        let ways = try object.map("np_bench_ways")
        for (own, other) in zip(ends, ends.reversed()) {
            try ways.set(own.ifindex, np_path_end(pod: other.pod, host: other.host, ifindex: other.ifindex))
        }
        let program = try object.program(kind == .empty ? "np_bench_empty" : "np_bench_forward")
        try network.routed.node.run {
            for hook in ends.flatMap({ Hook.both(of: $0.ifindex) }) where kind == .empty || hook.direction == .egress {
                _ = try attachments.attach(program, at: hook)
            }
        }
    }

    func remove() throws {
        try network.routed.node.run { for hook in attachments.hooks { try attachments.detach(hook) } }
    }

    /// The six bytes of an Ethernet address, in wire order; zeros for one that is none.
    private static func bytes(_ address: String) -> (UInt8, UInt8, UInt8, UInt8, UInt8, UInt8) {
        let bytes = address.split(separator: ":").compactMap { UInt8($0, radix: 16) }
        guard bytes.count == 6 else { return (0, 0, 0, 0, 0, 0) }
        return (bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5])
    }
}
