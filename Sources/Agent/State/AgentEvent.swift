public import BPFEmit
public import PolicyAPI

/// What happens to the agent.
public enum AgentEvent: Sendable {
    /// A source reports.
    case objects(ObjectBatch)
    /// The node was observed.
    case node(HostEvidence)
    /// The delay asked for by `.reconcileLater` is over.
    case reconcileDue
    /// Time to compare the kernel with the desired state although no input changed.
    case resync
    /// The kernel holds the state made from the inputs of this generation, and its hooks are as found.
    case applied(generation: UInt64, ApplyReport, [Diagnostic] = [], hooks: [HookFinding] = [])
    /// The kernel could not be brought there.
    case applyFailed(generation: UInt64, String)
    /// Whether a namespace is being deleted, or is gone, at a time after it was asked about.
    case namespaceSeen(NamespaceQuestion, isEnding: Bool)
}

/// Asks the API server about a namespace.
public struct NamespaceQuestion: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// Counts questions.
    public var number: UInt64
}

/// What the agent's core asks for.
public enum AgentAction: Sendable {
    /// Send `.reconcileDue` after this many milliseconds.
    case reconcileLater(milliseconds: Int)
    /// Compile and apply, then send `.applied` or `.applyFailed`.
    case reconcile(DesiredChanges)
    /// Ask whether a namespace is being deleted, until there is an answer, then send `.namespaceSeen`.
    case look(NamespaceQuestion)
    /// Write the bindings down for the agent's next start, in place of those before.
    case record(BindingRecords)
    /// A condition came up: log it.
    case raise(Condition)
    /// A condition is over: log it.
    case clear(Condition)
}
