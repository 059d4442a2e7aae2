import ArgumentParser

/// `netpold agent`: the agent, and what is asked of a running one.
struct AgentCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "Enforce the policies of a cluster, or of a folder of manifests, on this node's pods.",
        discussion: """
            Without a subcommand it runs: `netpold agent --manifests /etc/netpold`; `netpold agent run --help` shows its options.
            """,
        subcommands: [AgentCommand.self, AgentReloadCommand.self],
        defaultSubcommand: AgentCommand.self)
}
