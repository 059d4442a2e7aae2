import BPFEmit
import BPFSimulate
import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import Testing

@Suite("Policy programs")
struct PolicyEmitterTests {
    /// Compares program and definition; returns the first difference.
    static func difference(_ bits: PolicyBits, limit: Int) throws -> String? {
        let simulator = try PolicySimulator(try PolicyEmitter.emit(bits))
        for (identity, columns, `protocol`, port) in bits.probes(limit: limit) {
            let expected = bits.decide(identity: identity, columns: columns, protocol: `protocol`, port: port)
            let answer = try simulator.ask(identity: identity, columns: columns, protocol: `protocol`, port: port)
            if answer != expected {
                return "identity \(identity) columns \(columns) \(`protocol`)/\(port): \(answer), expected \(expected)"
            }
        }
        return nil
    }

    @Test("a compiled policy answers as the definition does, on both sides of every port edge", arguments: 0..<300)
    func agreesWithTheDefinition(seed: Int) throws {
        var policies = RandomPolicyBits(seed: UInt64(seed))
        let bits = policies.next(maximum: [2, 8, 30, 64, 130][seed % 5])
        #expect(try Self.difference(bits, limit: 400) == nil)
    }

    @Test("so does one of any number of words", arguments: 1...20)
    func agreesInEveryWord(words: Int) throws {
        var policies = RandomPolicyBits(seed: UInt64(1000 + words))
        for count in [words * 64 - 1, words * 64, words * 64 + 1] {
            let bits = policies.next(maximum: count, exactly: true)
            #expect(try Self.difference(bits, limit: 60) == nil)
        }
    }

    @Test("every jump goes forward and every instruction can be reached", arguments: 0..<60)
    func isAcyclic(seed: Int) throws {
        var policies = RandomPolicyBits(seed: UInt64(seed))
        for maximum in [0, 1, 2, 3, 4, 300] {
            let bits = policies.next(maximum: maximum)
            #expect(try Programs.flaws(PolicyEmitter.emit(bits).program) == [], "at most \(maximum) rules")
        }
    }

    @Test(
        "so it can be in a policy of one answer, whichever it is",
        arguments: [(false, false), (false, true), (true, false), (true, true)])
    func isWholeWithOneAnswer(isL7: Bool, isolates: Bool) throws {
        let everything = PolicyExamples.bit(0, l7: isL7, anyPeer: true, traffic: nil)
        let some = PolicyExamples.bit(0, l7: isL7, traffic: nil)
        for bits in [[everything], [some], [everything, PolicyExamples.bit(1, l7: isL7, traffic: nil)], []] {
            let peers = bits.indices.filter { !bits[$0].matchesAnyPeer }.map {
                PeerEntry(identity: UInt32(5 + $0), words: [1 << UInt64($0)])
            }
            let policy = PolicyBits(
                direction: .egress, isolatedBy: isolates ? [.test("p")] : [], bits: bits, hostBit: nil, peers: peers)
            #expect(try Programs.flaws(PolicyEmitter.emit(policy).program) == [])
            #expect(try Self.difference(policy, limit: 60) == nil)
        }
    }

    @Test("equal policies give equal bytes, in this process and in any other")
    func isDeterministic() throws {
        var sum: UInt64 = 0xcbf2_9ce4_8422_2325
        for seed in 0..<20 as Range<UInt64> {
            var policies = RandomPolicyBits(seed: seed)
            var again = RandomPolicyBits(seed: seed)
            let image = try PolicyEmitter.emit(policies.next(maximum: 200))
            #expect(try image == PolicyEmitter.emit(again.next(maximum: 200)))
            for word in image.program.instructions { sum = (sum ^ word) &* 0x100_0000_01b3 }
        }
        // FNV over the words of 20 programs. It changes with the emitter, with RandomPolicyBits, and with nothing else.
        #expect(sum == 5_641_543_941_530_680_877)
    }

    @Test("the number reported is that of the first matching rule of the winning group")
    func reportsTheFirst() throws {
        let bits = PolicyBits(
            direction: .ingress, isolatedBy: [.test("p")],
            bits: (0..<130).map { PolicyExamples.bit($0, anyPeer: $0 == 70, traffic: [.init(.tcp, .init(80))]) },
            hostBit: nil,
            peers: [
                PeerEntry(identity: 5, words: [0, 1 << 3, 0b10]), PeerEntry(identity: 6, words: [0, 1 << 7, 0b10]),
                PeerEntry(identity: 7, words: [1 << 63]),
            ])
        let simulator = try PolicySimulator(try PolicyEmitter.emit(bits))
        for (identity, bit) in [(5, 67), (6, 70), (7, 63), (8, 70)] as [(UInt32, Int)] {
            #expect(
                try simulator.ask(identity: identity, protocol: .tcp, port: 80) == PolicyAnswer(.allow, .rule, bit: bit)
            )
        }
        #expect(
            try simulator.ask(identity: 5, protocol: .tcp, port: 81) == PolicyAnswer(.deny, .defaultDeny, bit: nil))
    }

    @Test("the answer comes with the counters' base")
    func base() throws {
        var image = try PolicyEmitter.emit(PolicyExamples.webAndHost)
        image.program.setHitBase(0xdead_beef)
        let simulator = try PolicySimulator(image)
        #expect(try simulator.run(identity: 300, protocol: .tcp, port: 80) == [0, 1, 0, 1, 0xdead_beef])
    }

    @Test("a policy that names no peers needs no map")
    func withoutPeers() throws {
        let bits = PolicyBits(
            direction: .egress, isolatedBy: [], bits: [PolicyExamples.bit(0, .deny, anyPeer: true)], hostBit: nil,
            peers: [])
        let image = try PolicyEmitter.emit(bits)
        #expect(image.words == 0)
        #expect(image.program.mapReferences.isEmpty)
        #expect(image.hitCount == 4)
    }

    @Test("words that no peer carries are left out of the map's values")
    func trimmed() throws {
        let bits = PolicyBits(
            direction: .ingress, isolatedBy: [.test("p")],
            bits: (0..<200).map { PolicyExamples.bit($0, anyPeer: $0 > 70) }, hostBit: nil,
            peers: [PeerEntry(identity: 9, words: [1, 0, 0, 0]), PeerEntry(identity: 10, words: [0, 2])])
        let image = try PolicyEmitter.emit(bits)
        #expect(image.words == 2)
        #expect(image.peers.map(\.words) == [[1, 0], [0, 2]])
    }

    @Test("4,096 rules compile, one more is refused with the limit, and so are contradictions")
    func limits() throws {
        func policy(_ count: Int, hostBit: Int? = nil, peers: [PeerEntry] = []) -> PolicyBits {
            PolicyBits(
                direction: .ingress, isolatedBy: [.test("p")],
                bits: (0..<count).map { PolicyExamples.bit($0, traffic: [.init(.tcp, .init(UInt16($0)))]) },
                hostBit: hostBit, peers: peers)
        }
        let all = PeerEntry(identity: 5, words: Array(repeating: .max, count: 64))
        let simulator = try PolicySimulator(try PolicyEmitter.emit(policy(4096, peers: [all])))
        for port in [0, 1, 2047, 4095] {
            let answer = try simulator.ask(identity: 5, protocol: .tcp, port: UInt16(port))
            #expect(answer == PolicyAnswer(.allow, .rule, bit: port))
        }
        #expect(throws: EmitError.tooManyRules(bits: 4097, limit: 4096)) { try PolicyEmitter.emit(policy(4097)) }
        #expect(throws: EmitError.tooManyRules(bits: 4097, limit: 4096)) {
            try PolicyEmitter.emit(policy(4096, hostBit: 4096))
        }
        #expect(throws: EmitError.misplacedHostBit(1, expected: 3)) { try PolicyEmitter.emit(policy(3, hostBit: 1)) }
        let one = PeerEntry(identity: 5, words: [1])
        #expect(throws: EmitError.unsortedPeers(identity: 5)) { try PolicyEmitter.emit(policy(3, peers: [one, one])) }
        #expect(throws: EmitError.strayPeerBits(identity: 5)) {
            try PolicyEmitter.emit(policy(3, peers: [PeerEntry(identity: 5, words: [8])]))
        }
        #expect(throws: EmitError.strayPeerBits(identity: 5)) {
            try PolicyEmitter.emit(policy(3, peers: [PeerEntry(identity: 5, words: [1, 1])]))
        }
    }

    @Test("the stub names its endpoint and direction, clears the answer and drops without its step")
    func stub() throws {
        struct Steps: BPFInterpreter.Maps {
            var filled: Bool
            func lookup(_ map: MapSymbol, key: UInt32) -> [UInt64]? { nil }
            func hasProgram(_ map: MapSymbol, index: UInt32) -> Bool { filled }
        }
        for (direction, step, top) in [(Direction.ingress, 0, 0), (.egress, 1, 0x8000_0000)]
            as [(Direction, UInt32, UInt32)]
        {
            for slot in [0, 1, 4095] as [UInt32] {
                let stub = try BPFInterpreter(EntryStub.program(slot: slot, direction: direction))
                var cb: [UInt32] = [1, 2, 3, 4, 5]
                #expect(try stub.run(cb: &cb, maps: Steps(filled: true)) == .tailCall(.steps, index: step))
                #expect(cb == [slot | top, 2, 3, 0, 0])
                #expect(try stub.run(cb: &cb, maps: Steps(filled: false)) == .returned(2))
            }
        }
        #expect(throws: EmitError.endpointSlot(4096, limit: 4096)) {
            try EntryStub.program(slot: 4096, direction: .ingress)
        }
    }
}
