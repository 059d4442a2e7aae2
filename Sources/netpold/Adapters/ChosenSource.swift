import Agent
import ServiceLifecycle

/// Where the agent's objects come from, as the arguments say.
struct ChosenSource {
    /// The source.
    let source: any ObjectSource
    /// What has to run for it.
    let services: [any Service]
    /// Whether it knows every pod.
    let kind: BindingTable.Source
    /// For the log.
    let words: String
}
