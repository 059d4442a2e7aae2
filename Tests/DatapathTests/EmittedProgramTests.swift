import BPFEmit
import BPFSimulate
import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import Testing

@testable import Datapath

@Suite("emitted programs in the kernel", .needsRoot)
struct EmittedProgramTests {
    /// A policy in the kernel, and the answer the kernel gives.
    private struct Loaded {
        let program: BPFProgram
        let image: PolicyImage
        let simulator: PolicySimulator

        init(_ bits: PolicyBits) throws {
            image = try PolicyEmitter.emit(bits)
            var maps: [MapSymbol: BPFMap] = [:]
            if image.words > 0 {
                let peers = try BPFMap(
                    hash: "np_peers", keySize: 4, valueSize: 8 * image.words, capacity: max(image.peers.count, 1))
                try peers.setWords(image.peers.map { (key: $0.identity, words: $0.words) })
                maps[.peers] = peers
            }
            program = try BPFProgram(image.program, name: "np_policy", hitBase: 77, maps: maps)
            simulator = try PolicySimulator(image)
        }

        func ask(
            _ identity: UInt32, _ key: UInt32, columns: UInt32 = 0
        ) throws -> (returned: Int32, answer: PolicyAnswer) {
            var run = TestRun(frame: [UInt8](repeating: 0, count: 64))
            run.cb = (5, identity, key, columns, UInt32(NP_CB_UNANSWERED))
            let result = try run.run(program)
            let cb = [result.cb.0, result.cb.1, result.cb.2, result.cb.3, result.cb.4]
            return (result.returned, try simulator.answer(cb))
        }
    }

    /// An empty prog array in the place of np_steps.
    private static func steps() throws -> BPFMap {
        try BPFMap(
            Libbpf.createMap(
                type: .init(3), name: "np_steps", keySize: 4, valueSize: 4, capacity: Int(NP_STEP_COUNT.rawValue),
                flags: 0),
            name: "np_steps")
    }

    @Test("the verifier takes random policies, and the kernel answers as the definition does", arguments: 0..<60)
    func agrees(seed: Int) throws {
        var policies = RandomPolicyBits(seed: UInt64(5000 + seed))
        let bits = policies.next(maximum: [2, 8, 64, 130, 400, 1300][seed % 6])
        let loaded = try Loaded(bits)
        for (identity, columns, `protocol`, port) in bits.probes(limit: 150) {
            let key = UInt32(`protocol`.rawValue) << 16 | UInt32(port)
            let (returned, answer) = try loaded.ask(identity, key, columns: columns)
            let expected = bits.decide(identity: identity, columns: columns, protocol: `protocol`, port: port)
            guard answer == expected, returned == 0 else {
                Issue.record(
                    "identity \(identity) columns \(columns) \(`protocol`)/\(port): \(answer), expected \(expected)")
                return
            }
        }
    }

    @Test(
        "any number of rules loads, at about one look of the verifier an instruction",
        arguments: [1, 64, 65, 1000, 4096])
    func loads(rules: Int) throws {
        func bit(_ number: Int, _ ports: PortRange?, priority: Int = 0, anyPeer: Bool = false) -> PolicyBits.Bit {
            PolicyBits.Bit(
                rule: RuleBit(rule: number, action: .allow, isL7: false, origin: .test("p")), tier: .normal,
                priority: UInt32(priority), matchesAnyPeer: anyPeer, traffic: ports.map { [.init(.tcp, $0)] })
        }
        let shapes: [(String, (Int) -> PolicyBits.Bit)] = [
            ("a port each", { bit($0, PortRange(UInt16($0 * 3 + 1))) }),
            ("one port", { bit($0, PortRange(80)) }),
            ("every port", { bit($0, nil) }),
            ("a priority each", { bit($0, PortRange(80), priority: $0) }),
            (
                "a mixture",
                { bit($0, $0 % 3 == 0 ? nil : PortRange(UInt16($0), UInt16($0 * 9)), anyPeer: $0 % 50 == 49) }
            ),
        ]
        for (name, make) in shapes {
            let bits = PolicyBits(
                direction: .ingress, isolatedBy: [.test("p")], bits: (0..<rules).map(make), hostBit: nil,
                peers: (0..<rules).map { number in
                    var words = [UInt64](repeating: 0, count: (rules + 63) / 64)
                    words[number / 64] = 1 << UInt64(number % 64)
                    return PeerEntry(identity: UInt32(number + 300), words: words)
                })
            let loaded = try Loaded(bits)
            let length = loaded.image.program.instructions.count
            #expect(loaded.program.verifiedInstructions < 4 * length + 1000, "\(name)")
            for number in [0, rules / 2, rules - 1] {
                let ports = bits.bits[number].traffic?.first?.ports ?? PortRange(80)
                let (_, answer) = try loaded.ask(UInt32(number + 300), 6 << 16 | UInt32(ports.first))
                #expect(
                    answer == bits.decide(identity: UInt32(number + 300), protocol: .tcp, port: ports.first), "\(name)")
            }
        }
    }

    @Test("stubs load, and drop as long as np_steps is empty", arguments: [Direction.ingress, .egress])
    func stub(direction: Direction) throws {
        let stub = try BPFProgram(
            EntryStub.program(slot: 4095, direction: direction), name: "np_stub", hitBase: 0,
            maps: [.steps: Self.steps()])
        let result = try TestRun(frame: [UInt8](repeating: 0, count: 64)).run(stub)
        #expect(result.returned == 2)
        #expect(result.cb.0 == 4095 | UInt32(direction.rawValue) << 31)
    }
}
