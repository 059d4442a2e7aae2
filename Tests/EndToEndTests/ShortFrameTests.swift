import CNetpoldABI
import Glibc
import NetTypes
import NetpoldTestSupport
import Testing

/// Frames cut at every byte, on a real veth: `BPF_PROG_TEST_RUN` refuses the shortest ones.
@Suite("Frames cut short", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct ShortFrameTests {
    @Test("a frame cut before the end of its transport header is dropped as such, from the first byte on")
    func everyLength() throws {
        let network = try PodNetwork(SwapCluster.pods, tag: "short")
        try network.apply(SwapCluster.first)
        let link = try RawLink(network.namespace("green"))
        let (from, to) = (try network.address("green"), try network.address("server"))
        let (from6, to6) = (IPAddress(high: 0xfd00 << 48, low: 1), IPAddress(high: 0xfd00 << 48, low: 2))
        let tcp = Transport.tcp(1000, 8001, flags: Transport.TCPFlags.syn)
        let udp = Transport.udp(1000, 8001)
        let sctp = Transport.sctp(1000, 8001, chunk: 1)
        let whole: [(source: IPAddress, destination: IPAddress, protocol: L4Protocol, transport: [UInt8])] = [
            (from, to, .tcp, tcp), (from, to, .udp, udp), (from, to, .sctp, sctp), (from, to, .icmp, Transport.icmp(8)),
            (from6, to6, .tcp, tcp), (from6, to6, .udp, udp), (from6, to6, .sctp, sctp),
            (from6, to6, .icmpv6, Transport.icmp(128)),
        ]
        for packet in whole {
            let frame = IPPacket(packet.source, packet.destination, packet.protocol, packet.transport).frame
            for length in 0..<frame.count {
                let before = try dropped(network)
                let taken = link.send(frame.prefix(length))
                #expect(taken == (length >= Frame.headerBytes), "length \(length)")
                #expect(
                    try dropped(network) - before == (taken ? 1 : 0),
                    "\(packet.protocol) over \(packet.source.isIPv4 ? "IPv4" : "IPv6") of \(length) bytes")
            }
        }
    }

    /// Packets dropped for what they are, not for what a policy says.
    private func dropped(_ network: PodNetwork) throws -> UInt64 {
        let reasons = try network.packetsByReason()
        return [NP_DROP_TRUNCATED, NP_DROP_BAD_HEADER].reduce(0) { $0 + (reasons[UInt8($1.rawValue)] ?? 0) }
    }
}
