import CNetpoldABI
import Glibc
public import NetTypes
import Support

/// Teaches the datapath what DNS answers say that came over TCP: np_dns_lesson, as an instance has pinned it, which learns from them as
/// np_dns_answer does from datagrams. Safe to use from any thread: lessons of several run at once.
public final class DNSLessons: Sendable {
    /// What became of an answer.
    public enum Outcome: Sendable {
        /// What it says is in force, if it says anything.
        case taken
        /// It is not exactly an answer, or not to a pod of this node: it teaches nothing.
        case refused
        /// As `refused`, and the node lets no such answer pass.
        case withheld
    }

    /// Bytes of a message: what a test run takes besides the heads. An answer of as many records as are read is shorter.
    public static let mostBytes = 3_584
    private static let ethernetBytes = 14
    private static let attempts = 1_000
    private let program: Pinned<BPFProgram>
    private let options: Pinned<BPFMap>

    /// Those of an instance, whether there is an agent or not.
    public init(instance: String) throws(BPFError) {
        let pins = try PinPath(instance: instance)
        program = Pinned("\(pins.links)/\(ProxyWay.lessonPin)") {
            (pinned: consuming OwnedDescriptor) throws(BPFError) in
            try BPFProgram(pinned, name: "np_dns_lesson")
        }
        options = Pinned(
            map: "np_name_options", in: pins.folder, key: MemoryLayout<UInt32>.size,
            value: MemoryLayout<np_name_options>.size)
    }

    /// Whether the node lets no answer pass that is not exactly one to a query. A node that cannot be asked does not either.
    public var dropsInexact: Bool {
        guard let options = try? options.current().value(of: UInt32(0), initial: np_name_options()) else { return true }
        return options.drops_inexact != 0
    }

    /// Teaches one answer to a query that the pod's rules allow; its addresses are in force when this returns.
    ///
    /// - Parameters:
    ///   - message: the DNS message.
    ///   - resolver: who answers.
    ///   - client: the pod's address.
    ///   - slot: the pod's slot.
    ///   - columns: name columns that hold for the name besides what the automaton says of it, and the numbering that they are of.
    /// - Returns: whether anything could be learnt.
    /// - Throws: when nothing is pinned, or the kernel does not run it.
    public func teach(
        _ message: [UInt8], resolver: IPAddress, client: IPAddress, slot: UInt32,
        columns: (numbering: UInt32, columns: UInt32) = (0, 0)
    ) throws(BPFError) -> Outcome {
        guard message.count <= DNSLessons.mostBytes else { return refusal }
        let program = try program.current()
        let head = [UInt8](repeating: 0, count: DNSLessons.ethernetBytes) + resolver.bytes + client.bytes
        var run = TestRun(frame: head + message)
        // NP_CB_LESSON_NAMES and NP_CB_LESSON_COLUMNS.
        run.cb = (slot | UInt32(NP_CB_LESSON), columns.numbering, columns.columns, 0, 0)
        for _ in 0..<DNSLessons.attempts {
            switch np_lesson_answer(rawValue: UInt32(bitPattern: try run.run(program).returned)) {
            case NP_LESSON_TAKEN: return .taken
            case NP_LESSON_WITHHELD: return .withheld
            // Another one was put aside on this CPU.
            case NP_LESSON_BUSY: sched_yield()
            default: return .refused
            }
        }
        return refusal
    }

    /// What becomes of an answer that was not read.
    private var refusal: Outcome { dropsInexact ? .withheld : .refused }
}
