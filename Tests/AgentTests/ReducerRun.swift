import BPFEmit

@testable import Agent

/// An `AgentState` with what it has handed out so far, and a datapath that does as it is asked.
struct ReducerRun {
    private(set) var state: AgentState
    /// What the changes handed out make up.
    private(set) var table = ObjectTable()
    /// What was handed out last.
    private(set) var links: [EndpointKey: [UInt32]] = [:]
    private(set) var node = ""
    /// Everything handed out, in order.
    private(set) var handedOut: [DesiredChanges] = []
    /// What was written down for the next agent, in order.
    private(set) var recorded: [BindingRecords] = []

    init(
        _ settings: AgentState.Settings = Fixtures.settings(), sources: Set<ObjectSourceID> = [FolderFeed.id],
        records: BindingRecords? = nil
    ) {
        state = AgentState(settings: settings, sources: sources, records: records)
    }

    @discardableResult
    mutating func on(_ event: AgentEvent) -> [AgentAction] {
        let actions = state.on(event)
        for case .record(let records) in actions { recorded.append(records) }
        for case .reconcile(let desired) in actions {
            for change in desired.changes { table.apply(change) }
            links = desired.links
            node = desired.node
            handedOut.append(desired)
        }
        return actions
    }

    /// Ends delays and applies until nothing is left to do.
    mutating func finish() {
        for _ in 0..<4 where !state.isInForce {
            on(.reconcileDue)
            if let last = handedOut.last { on(.applied(generation: last.generation, ApplyReport())) }
        }
    }
}
