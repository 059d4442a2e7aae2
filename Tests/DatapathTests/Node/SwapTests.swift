import BPFEmit
import CNetpoldABI
import Foundation
import NetTypes
import Testing

@testable import Datapath

@Suite("swapping under load", .needsRoot)
struct SwapTests {
    /// Runs one packet again and again on a thread of its own and keeps what came of it.
    private final class Load: @unchecked Sendable {
        // Sendable: `program` and `frame` never change; the rest is behind the lock.
        private let program: BPFProgram
        private let frame: [UInt8]
        private let lock = NSLock()
        private var isStopped = false
        private var results: [Int32: Int] = [:]

        init(_ program: BPFProgram, _ packet: FlowPacket) {
            self.program = program
            self.frame = packet.frame
            Thread { [self] in run() }.start()
        }

        private func run() {
            while !lock.withLock({ isStopped }) {
                let returned = (try? TestRun(frame: frame).run(program).returned) ?? -99
                lock.withLock { results[returned, default: 0] += 1 }
            }
            finished.signal()
        }

        private let finished = DispatchSemaphore(value: 0)

        /// Ends; how often each value was returned.
        func stop() -> [Int32: Int] {
            lock.withLock { isStopped = true }
            finished.wait()
            return lock.withLock { results }
        }
    }

    @Test("200 swaps: what both policies allow always passes, what both deny never does")
    func never() throws {
        let node = try NodeDatapath.forTests()
        // Both allow the client on 80 and deny the stranger; they differ in everything else, identities included.
        func image(_ odd: Bool) throws -> NodeImage {
            let client: UInt32 = odd ? 700 : 800
            let stranger: UInt32 = odd ? 701 : 801
            let bits =
                odd
                ? [NodeImages.bit(0, .deny), NodeImages.bit(1, anyPeer: true, port: 80)]
                : [
                    NodeImages.bit(0, .deny), NodeImages.bit(1, .deny, port: 99), NodeImages.bit(2, port: 80),
                    NodeImages.bit(3, anyPeer: true),
                ]
            let peers: [UInt32: UInt64] = odd ? [stranger: 0b1] : [stranger: 0b0001, client: 0b0110]
            return try NodeImages.node(
                subjects: [NodeImages.subject(ingress: NodeImages.policy(.ingress, bits, peers: peers))],
                addresses: [
                    (NodeImages.client, client), (NodeImages.stranger, stranger), (NodeImages.web, NodeImages.webID),
                ])
        }
        _ = try node.apply(try image(true), links: [:])
        let stub = try #require(node.endpoints[NodeImages.webKey]).ingressStub
        func load(_ source: IPAddress) -> Load {
            Load(
                stub,
                FlowPacket(
                    source: source, destination: NodeImages.web, protocol: .tcp, sourcePort: 4000, destinationPort: 80))
        }
        let client = load(NodeImages.client)
        let stranger = load(NodeImages.stranger)
        for round in 0..<200 { _ = try node.apply(try image(round.isMultiple(of: 2)), links: [:]) }
        let passed = client.stop()
        let dropped = stranger.stop()
        #expect(passed.keys.sorted() == [NP_ACTION_NEXT.rawValue])
        #expect(dropped.keys.sorted() == [2])
        #expect(passed[NP_ACTION_NEXT.rawValue, default: 0] > 1000)
        #expect(dropped[2, default: 0] > 1000)
    }
}
