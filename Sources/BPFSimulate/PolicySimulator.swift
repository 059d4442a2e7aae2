public import BPFEmit
import CNetpoldABI
public import NetTypes

/// Asks a compiled policy what it would say about a packet, by running the bytes of its program.
public struct PolicySimulator: Sendable {
    /// Why an image gave no answer.
    public enum Failure: Error, Hashable, Sendable {
        /// The program did something it must not.
        case program(InterpreterError)
        /// The program did not return.
        case unexpectedEnding(BPFInterpreter.Ending)
        /// What cb holds is not an answer.
        case malformedAnswer(cb: [UInt32])
    }

    private struct Maps: BPFInterpreter.Maps, Sendable {
        var peers: [UInt32: [UInt64]]

        func lookup(_ map: MapSymbol, key: UInt32) -> [UInt64]? { map == .peers ? peers[key] : nil }
        func hasProgram(_ map: MapSymbol, index: UInt32) -> Bool { false }
    }

    private let interpreter: BPFInterpreter
    private let peers: [UInt32: [UInt64]]
    private let bitCount: Int

    /// A simulator of an image.
    ///
    /// - Throws: `Failure.program` for a program that is not of the emitted subset.
    public init(_ image: PolicyImage) throws(Failure) {
        do { interpreter = try BPFInterpreter(image.program) } catch { throw .program(error) }
        peers = Dictionary(image.peers.map { ($0.identity, $0.words) }, uniquingKeysWith: { first, _ in first })
        bitCount = image.bits.count
    }

    /// The answer to a packet.
    public func ask(
        identity: UInt32, columns: UInt32 = 0, protocol: L4Protocol, port: UInt16
    ) throws(Failure) -> PolicyAnswer {
        try answer(run(identity: identity, columns: columns, protocol: `protocol`, port: port))
    }

    /// Runs the program: cb afterwards.
    public func run(
        identity: UInt32, columns: UInt32 = 0, protocol: L4Protocol, port: UInt16
    ) throws(Failure) -> [UInt32] {
        var cb = [0, identity, ControlBlock.packTraffic(`protocol`, port), columns, UInt32(NP_CB_UNANSWERED)]
        let ending: BPFInterpreter.Ending
        do { ending = try interpreter.run(cb: &cb, maps: Maps(peers: peers)) } catch { throw .program(error) }
        guard case .returned = ending else { throw .unexpectedEnding(ending) }
        return cb
    }

    /// Reads an answer out of `cb[1...4]`, as the C side does.
    public func answer(_ cb: [UInt32]) throws(Failure) -> PolicyAnswer {
        guard cb.count == ControlBlock.count, cb[Int(NP_CB_BASE)] & UInt32(NP_CB_UNANSWERED) == 0,
            let (verdict, decision, word) = ControlBlock.unpackAnswer(cb[Int(NP_CB_VERDICT)])
        else { throw .malformedAnswer(cb: cb) }
        let found = UInt64(cb[Int(NP_CB_IDENTITY)]) | UInt64(cb[Int(NP_CB_TRAFFIC)]) << 32
        let numbers = (0..<64).filter { found >> UInt64($0) & 1 == 1 }.map { word * Int(NP_BITS_PER_WORD) + $0 }
        // A rule is named by exactly one bit, those with L7 conditions by all that matched; a decision without a rule by none.
        let isSound =
            decision == .rule
            ? (verdict == .l7 ? !numbers.isEmpty : numbers.count == 1) && numbers.allSatisfy { $0 < bitCount }
            : numbers.isEmpty && word == 0 && verdict != .l7 && verdict != .allowRead
        guard isSound else { throw .malformedAnswer(cb: cb) }
        return PolicyAnswer(verdict, decision, bit: numbers.first, l7: verdict == .l7 ? numbers : [])
    }
}
