import BPFEmit
import CNetpoldABI
import Datapath
import LabKit
import NetTypes

/// The datapath's programs on queries and answers of one pod, by `BPF_PROG_TEST_RUN`: every check of a packet in them. Each message has
/// an id of its own, so that each answer is the first to its query.
final class NamePrograms {
    /// Messages of one run; as many queries of a pod wait with ease.
    private static let messages = 128
    private static let port: UInt16 = 40_000
    private static let headerBytes = FlowPacket.ethernetBytes + 20 + 8
    private static let records = 4
    private static let recordBytes = 16

    private let node: NodeDatapath
    private let bench: BPFObject
    private let programs: (ingress: BPFProgram, egress: BPFProgram)

    /// Loads everything.
    init() throws {
        node = try NodeDatapath(DatapathOptions(pins: nil, attachment: .none))
        let image = NamesBenchNetwork.image()
        _ = try node.apply(image, links: [:])
        bench = try BPFObject(name: "np_bench", bytes: try EmbeddedObject.bytes(of: EmbeddedBenchObject.base64))
        try bench.load()
        guard let pod = image.endpoints.first(where: { $0.name == "client" })?.key,
            let programs = node.entryPrograms(of: pod)
        else { throw BPFError(.findProgram, "the client's", errno: .noSuchFileOrDirectory) }
        self.programs = programs
        // Flow entries and known addresses.
        _ = try measure(round: 0)
    }

    /// One round.
    func measure(round: Int) throws -> NamesBenchReport.Programs {
        let query = DNSMessage.query("www.example.com", isIPv4: true, id: 0)
        let asked = packet(query, isFromPod: true)
        let known = packet(answer(to: query, first: 0), isFromPod: false)
        let fresh = packet(answer(to: query, first: round), isFromPod: false)
        let way = try (
            query: reference(asked), known: reference(known), fresh: reference(fresh, varies: true)
        )
        let cost = try time(asked, programs.egress)
        let knownCost = try time(known, programs.ingress)
        _ = try time(asked, programs.egress)
        let freshCost = try time(fresh, programs.ingress, varies: round > 0)
        return NamesBenchReport.Programs(
            query: cost - way.query, knownAnswer: knownCost - way.known, newAnswer: freshCost - way.fresh)
    }

    /// What the varying of a frame costs by itself.
    private func reference(_ frame: [UInt8], varies: Bool = false) throws(BPFError) -> Double {
        try time(frame, try bench.program("np_bench_empty"), varies: varies)
    }

    /// Nanoseconds a message. `varies`: the addresses of each are others.
    private func time(_ frame: [UInt8], _ program: BPFProgram, varies: Bool = false) throws(BPFError) -> Double {
        let place = UInt32(frame.count - Self.records * Self.recordBytes + Self.recordBytes - 2)
        try bench.map("np_bench_plan").set(
            UInt32(0),
            np_bench_plan(
                flows: UInt32(Self.messages), addresses: varies ? UInt32(Self.records) : 0, firstAddress: place,
                addressStep: UInt32(Self.recordBytes)))
        try bench.map("np_bench_next").set(0, program: program)
        var run = TestRun(frame: frame)
        run.repetitions = Self.messages
        return Double(try run.run(try bench.program("np_bench_vary_message")).nanoseconds)
    }

    private func packet(_ message: [UInt8], isFromPod: Bool) -> [UInt8] {
        let (pod, resolver) = (NamesBenchNetwork.client, NamesBenchNetwork.resolver)
        var packet = FlowPacket(
            source: isFromPod ? pod : resolver, destination: isFromPod ? resolver : pod, protocol: .udp,
            sourcePort: isFromPod ? Self.port : NamesBenchNetwork.port,
            destinationPort: isFromPod ? NamesBenchNetwork.port : Self.port)
        packet.payload = message
        return packet.frame
    }

    /// Four addresses of 198.18.0.0/15, whose last two bytes stand for the message.
    private func answer(to query: [UInt8], first: Int) -> [UInt8] {
        var message = query
        (message[2], message[3], message[7]) = (0x81, 0x80, UInt8(Self.records))
        for number in 0..<Self.records {
            message += [0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 20 + UInt8(first % 100), UInt8(number), 0, 1]
        }
        return message
    }
}
