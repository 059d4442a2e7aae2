import Agent
import BPFEmit
import Datapath
import LabKit
import Synchronization

/// The datapath in the node's namespace, with a stopwatch.
final class MeasuredDatapath: DatapathPort {
    private let datapath: NodeDatapath
    private let network: RoutedNetwork
    private let stopwatch: ChangeStopwatch

    init(_ network: RoutedNetwork, _ stopwatch: ChangeStopwatch) throws {
        self.network = network
        self.stopwatch = stopwatch
        datapath = try network.node.run { try NodeDatapath(DatapathOptions(pins: nil)) }
    }

    func apply(
        _ image: NodeImage, links: [EndpointKey: [UInt32]], masters: [UInt32: [UInt32]]
    ) throws -> ApplyReport {
        try network.node.run {
            let begin = ContinuousClock.now
            do {
                let report = try datapath.apply(image, links: links, masters: masters)
                let failure = report.endpoints.lazy.compactMap(\.failure).first
                let watched = stopwatch.watched.withLock(\.self)
                stopwatch.applied(
                    from: begin, datapath.timings, report, identity: try watched.flatMap(datapath.kernelIdentity),
                    failure: failure)
                return report
            } catch {
                stopwatch.applied(from: begin, ApplyTimings(), nil, failure: "\(error)")
                throw error
            }
        }
    }

    func close(_ interfaces: Set<UInt32>) throws { try network.node.run { try datapath.close(interfaces) } }

    func auditHooks() -> [HookFinding] { (try? network.node.run { datapath.auditHooks() }) ?? [] }
    func refreshFastPath() throws -> FastPathReport? { try network.node.run { try datapath.refreshFastPath() } }
    func hostStanding() throws -> HostStanding? { try network.node.run { try datapath.hostStanding() } }
    func collectLearnt() throws -> [EndpointKey: LearntUse] { try datapath.collectLearnt() }
    func learn(_ pod: EndpointKey, _ history: [LearntName]) throws { try datapath.learn(pod, history) }
    func packetsByRule() throws -> [RuleHitKey: UInt64] { try datapath.packetsByRule() }
    func makeFlowReader() throws -> any FlowReading { try datapath.makeFlowReader() }
    var ruleHitIndex: RuleHitIndex { datapath.ruleHitIndex }
    func counters() throws -> DatapathCounters { try datapath.counters() }
    func capacities() throws -> [CapacityUse] { try datapath.capacities() }
    func collectConntrack() throws -> ConntrackCollection { try datapath.collectConntrack() }
    func makeEventReader(_ interest: EventInterest) throws -> NoEvents { NoEvents() }
}

/// Nobody listens.
struct NoEvents: VerdictReader {
    func read() throws -> [VerdictRecord] { [] }
    func listen(to interest: EventInterest) throws {}
    func stop() throws {}
}
