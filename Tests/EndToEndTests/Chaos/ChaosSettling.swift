import Glibc
import PolicyAPI

/// Waits until nothing is in flight.
struct ChaosSettling {
    let reader: KernelReader
    let agent: AgentProcess
    let timeline: ChaosTimeline
    let limit: Duration

    /// Microseconds between two readings that have to be right. The state before a change and the one after it may decide alike and those
    /// between them otherwise: tables that are right at once may be those of an agent that has not heard of the change.
    private static let quiet: UInt32 = 1_000_000
    /// The tables are right some moments before flows that are known are asked again, which the agent tells. What else it may have to do,
    /// as while a kind of objects cannot be read, takes longer: so many right readings are enough.
    private static let patience = 3

    /// Waits until the kernel has had for a while what a compile from scratch of the objects gives; the state is settled then.
    ///
    /// - Throws: `PodNetworkError` with what differs when that takes too long.
    func wait(for objects: ClusterObjects, after what: String) throws {
        let scratch = try reader.scratch(of: objects)
        let end = ContinuousClock.now + limit
        var rightReadings = 0
        var differences: [String]
        repeat {
            differences = try reader.differences(from: scratch)
            rightReadings = differences.isEmpty ? rightReadings + 1 : 0
            if rightReadings == Self.patience || rightReadings > 1 && agent.isDone() {
                timeline.settle()
                return
            }
            usleep(differences.isEmpty ? Self.quiet : 50_000)
        } while ContinuousClock.now < end
        throw PodNetworkError(
            "after \(what) the kernel is not as compiled from scratch: "
                + differences.prefix(5).joined(separator: "; ") + "\n" + timeline.notes(last: 30))
    }
}
