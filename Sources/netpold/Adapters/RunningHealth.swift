import Agent
import Synchronization

/// The health of an agent that probes may ask for before it is there.
final class RunningHealth: Sendable {
    private let service = Mutex<AgentService?>(nil)

    /// `nil` before the agent is there.
    var health: Health? { service.withLock(\.self)?.health }

    /// The agent is there.
    func begin(_ service: AgentService) { self.service.withLock { $0 = service } }
}
