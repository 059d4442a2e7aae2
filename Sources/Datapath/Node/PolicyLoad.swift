import BPFEmit
import Glibc
import NetTypes
import Support
import Synchronization

/// A policy program that is to be loaded.
struct PolicyLoad {
    /// What of, for errors and reports.
    let subject: String
    let direction: Direction
    let image: PolicyImage
    /// What runs in its place; `nil` for a new subject.
    let live: LoadedPolicy?
    /// Its counters; `nil` when np_rule_hits had no room.
    let hits: RuleHitIndex.Entry?

    /// The most CPUs that loading takes. A program takes 0.2 ms: what changes one takes one.
    private static let workers = 4
    /// From so many programs on a second CPU is taken.
    private static let many = 4

    /// Loads programs, off the path of packets; several at a time where they are many.
    ///
    /// A policy whose program the kernel refuses is one that allows nothing: what one tenant writes must not keep the policies of others
    /// out of force. Not of the node itself, which would be locked out.
    ///
    /// - Returns: them, in order.
    /// - Throws: for the first in order that cannot be loaded for another reason; none of them stays then.
    static func perform(
        _ loads: [PolicyLoad], retiring: RetiringIdentities
    ) throws(BPFError) -> [LoadedPolicy] {
        let workers =
            loads.count < many || isOneAfterTheOther ? 1 : min(workers, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        var results = [Result<LoadedPolicy, BPFError>?](repeating: nil, count: loads.count)
        results.withUnsafeMutableBufferPointer { buffer in
            // Each worker writes elements of its own, and what they read nobody writes meanwhile.
            nonisolated(unsafe) let results = buffer
            nonisolated(unsafe) let loads = loads
            // Who comes late, or has to share its CPU, takes fewer.
            let next = Atomic(0)
            JoinedThreads.run(workers) { _ in
                while true {
                    let place = next.add(1, ordering: .relaxed).oldValue
                    guard place < loads.count else { return }
                    results[place] = Result { () throws(BPFError) in try loads[place].perform(retiring) }
                }
            }
        }
        var policies: [LoadedPolicy] = []
        for case .some(let result) in results { policies.append(try result.get()) }
        return policies
    }

    /// Injected faults count the calls of one thread.
    private static var isOneAfterTheOther: Bool {
        #if DEBUG
            InjectedFault.current != nil
        #else
            false
        #endif
    }

    private func perform(_ retiring: RetiringIdentities) throws(BPFError) -> LoadedPolicy {
        do {
            return try LoadedPolicy(
                image, transitional: retiring.transitionalEntries(for: image), inPlaceOf: live,
                name: direction == .ingress ? "np_ingress" : "np_egress", hits: hits)
        } catch {
            let failure = BPFError(
                error.operation, "\(error.object) of \(subject)", errno: error.errno, detail: error.detail,
                verifierLog: error.verifierLog)
            let isNode = subject == CompilerState.hostSubjectKey || subject == CompilerState.formerHostSubjectKey
            guard error.isRefusedProgram, !isNode else { throw failure }
            return try LoadedPolicy(inPlaceOf: image, direction, failure, hits: hits)
        }
    }
}
