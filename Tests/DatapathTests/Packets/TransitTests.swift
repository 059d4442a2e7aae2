import BPFEmit
import CNetpoldABI
import Glibc
import NetTypes
import NetpoldTestSupport
import Testing

@testable import Datapath

/// Pods' flows under the node's address: `bpf/lib/transit.h`.
@Suite("pods' flows under the node's address", .needsRoot)
struct TransitTests {
    private typealias Rig = HostPacketTests.Rig
    private let syn = Transport.TCPFlags.syn
    private let ack = Transport.TCPFlags.ack

    private func tcp(_ from: IPAddress, _ source: UInt16, _ to: IPAddress, _ port: UInt16, _ flags: UInt8) -> [UInt8] {
        IPPacket(from, to, .tcp, Transport.tcp(source, port, flags: flags)).frame
    }

    private func udp(_ from: IPAddress, _ source: UInt16, _ to: IPAddress, _ port: UInt16) -> [UInt8] {
        IPPacket(from, to, .udp, Transport.udp(source, port)).frame
    }

    /// The sets of the table that have an entry, with what `change` makes of them.
    private func change(_ rig: Rig, _ change: (inout np_flow_record) -> Void) throws {
        let map = try #require(rig.node.maps.all.first { $0.name == "np_transits" })
        for (number, var set) in try map.entries(key: UInt32(0), value: np_flow_set())
        where set.control.0 | set.control.1 | set.control.2 | set.control.3 != 0 {
            change(&set.flow.0)
            change(&set.flow.1)
            change(&set.flow.2)
            change(&set.flow.3)
            try map.set(number, set)
        }
    }

    /// As `np_flow_record.last_seen`, so many seconds ago.
    private func seen(_ seconds: Int) throws -> UInt32 {
        let now = try KernelClock().now()
        return now.flowStamp &- UInt32((seconds * Int(now.rate)) >> Int(NP_FLOW_CLOCK_SHIFT))
    }

    /// A socket of the node at a port of UDP, as long as `body` takes.
    private func listening<Result>(_ v6: Bool, port: UInt16, _ body: () throws -> Result) throws -> Result {
        let socket = socket(v6 ? AF_INET6 : AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        try #require(socket >= 0)
        defer { close(socket) }
        var four = sockaddr_in()
        (four.sin_family, four.sin_port) = (sa_family_t(AF_INET), port.bigEndian)
        var six = sockaddr_in6()
        (six.sin6_family, six.sin6_port) = (sa_family_t(AF_INET6), port.bigEndian)
        let bound =
            v6
            ? withUnsafeBytes(of: &six) { bytes in
                bytes.withMemoryRebound(to: sockaddr.self) { Glibc.bind(socket, $0.baseAddress, 28) }
            }
            : withUnsafeBytes(of: &four) { bytes in
                bytes.withMemoryRebound(to: sockaddr.self) { Glibc.bind(socket, $0.baseAddress, 16) }
            }
        try #require(bound == 0)
        return try body()
    }

    @Test(
        "a datagram's flow comes back for as long as the NAT surely knows it; then only what no socket of the node waits for",
        arguments: [false, true])
    func datagrams(v6: Bool) throws {
        let rig = try Rig()
        let (own, world) = (HostPacketTests.own(v6), HostPacketTests.world(v6))
        let (out, back) = (udp(own, 47_808, world, 53), udp(world, 53, own, 47_808))
        func comesBack(after seconds: Int, flags: UInt32? = nil) throws -> VerdictReason? {
            let stamp = try seen(seconds)
            try change(rig) { $0.last_seen = stamp }
            return try rig.send(back, .ingress)
        }
        #expect(try rig.send(out, .egress, by: 5) == .transit)
        #expect(try comesBack(after: 27) == .transit)
        // What comes in does not renew it: the NAT may not have seen it.
        #expect(try rig.send(back, .ingress) == .transit)
        #expect(try comesBack(after: 30) == .policyDefault)
        // Answered, and the pod goes on: perhaps a stream to the NAT.
        #expect(try rig.send(out, .egress, by: 5) == .transit)
        #expect(try comesBack(after: 60) == .transit)
        try listening(v6, port: 47_808) { () throws in
            #expect(try comesBack(after: 60) == .policyDefault)
            #expect(try comesBack(after: 27) == .transit)
            // A new flow of the pod over the entry of the former one.
            #expect(try rig.send(out, .egress, by: 5) == .transit)
            #expect(try comesBack(after: 30) == .policyDefault)
        }
        #expect(try comesBack(after: 119) == .policyDefault)
    }

    @Test("many masqueraded connections of a pod take nothing from the node, and nothing from other pods")
    func flood() throws {
        let rig = try Rig()
        let (own, world) = (HostPacketTests.own(false), HostPacketTests.world(false))
        func connect(_ port: UInt16, by link: UInt32) throws -> [VerdictReason?] {
            [
                try rig.send(tcp(own, port, world, 443, syn), .egress, by: link),
                try rig.send(tcp(world, 443, own, port, syn | ack), .ingress),
            ]
        }
        for port in UInt16(10_000)..<10_600 { #expect(try connect(port, by: 5) == [.transit, .transit]) }
        #expect(try connect(9_000, by: 9) == [.transit, .transit])
        #expect(try rig.send(udp(own, 4000, world, 53), .egress, by: 0) == .failsafe)
        #expect(try rig.send(udp(world, 53, own, 4000), .ingress) == .reply)
    }

    @Test("a full table: a pod that has all of it gets no more, by a name of its own; another one takes its share")
    func share() throws {
        let rig = try Rig()
        let (own, world) = (HostPacketTests.own(false), HostPacketTests.world(false))
        let map = try #require(rig.node.maps.all.first { $0.name == "np_transits" })
        var set = np_flow_set()
        var flow = np_flow_record()
        (flow.protocol, flow.arrival, flow.flags) = (6, 5 + 1, UInt32(NP_ENTRY_ANSWERED))
        flow.last_seen = try seen(10)
        set.flow = (flow, flow, flow, flow)
        let live = UInt64(NP_SLOT_LIVE)
        set.control = (live, live, live, live)
        try map.set((0..<UInt32(NP_TRANSIT_SETS)).map { (key: $0, value: set) })
        #expect(try rig.send(tcp(own, 1000, world, 443, syn), .egress, by: 5) == .transitFull)
        for port in UInt16(2000)..<2100 {
            #expect(try rig.send(tcp(own, port, world, 443, syn), .egress, by: 9) == .transit)
            #expect(try rig.send(tcp(world, 443, own, port, syn | ack), .ingress) == .transit)
        }
        // In audit nothing is lost.
        try rig.change { $0.mode = NP_HOST_AUDIT.rawValue }
        #expect(try rig.send(tcp(own, 1000, world, 443, syn), .egress, by: 5) == .hostAudit)
    }
}
