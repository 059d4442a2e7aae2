import CNetpoldABI
import Glibc
public import NetTypes
import Synchronization

/// Teaches the datapath what DNS answers say that came over TCP: np_dns_lesson, as an instance has pinned it, which learns from them as
/// np_dns_answer does from datagrams. Safe to use from any thread: answers wait for each other.
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
    private let pin: String
    private let turn = Mutex(())

    /// Those of an instance, whether there is an agent or not.
    public init(instance: String) throws(BPFError) {
        pin = "\(try PinPath(instance: instance).links)/\(ProxyWay.lessonPin)"
    }

    /// Teaches one answer to a query that the pod's rules allow; its addresses are in force when this returns.
    ///
    /// - Parameters:
    ///   - message: the DNS message.
    ///   - resolver: who answers.
    ///   - client: the pod's address.
    ///   - slot: the pod's slot.
    /// - Returns: whether anything could be learnt.
    /// - Throws: when nothing is pinned, or the kernel does not run it.
    public func teach(
        _ message: [UInt8], resolver: IPAddress, client: IPAddress, slot: UInt32
    ) throws(BPFError) -> Outcome {
        guard message.count <= DNSLessons.mostBytes else { return .refused }
        // Opened anew: an agent that is upgraded pins another one.
        guard let pinned = try Libbpf.openPin(pin) else {
            throw BPFError(.openPin, pin, errno: .noSuchFileOrDirectory)
        }
        let program = try BPFProgram(pinned, name: "np_dns_lesson")
        let head = [UInt8](repeating: 0, count: DNSLessons.ethernetBytes) + resolver.bytes + client.bytes
        var run = TestRun(frame: head + message)
        run.cb.0 = slot | UInt32(NP_CB_LESSON)
        let lesson = run
        let answer = turn.withLock { _ -> Result<np_lesson_answer, BPFError> in
            do throws(BPFError) {
                for _ in 0..<DNSLessons.attempts {
                    let answer = np_lesson_answer(rawValue: UInt32(bitPattern: try lesson.run(program).returned))
                    // Of another process, on the same CPU.
                    guard answer == NP_LESSON_BUSY else { return .success(answer) }
                    sched_yield()
                }
                return .success(NP_LESSON_REFUSED)
            } catch {
                return .failure(error)
            }
        }
        switch try answer.get() {
        case NP_LESSON_TAKEN: return .taken
        case NP_LESSON_WITHHELD: return .withheld
        default: return .refused
        }
    }
}
