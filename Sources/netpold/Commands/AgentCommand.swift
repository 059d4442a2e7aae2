import ArgumentParser

/// `netpold agent`.
struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "Enforce the policies of a folder of manifests on this node's pods, and keep doing so.",
        discussion: """
            Without a subcommand it runs: `netpold agent --manifests /etc/netpold`; `netpold agent run --help` shows its options.
            """,
        subcommands: [AgentRunCommand.self, AgentReloadCommand.self],
        defaultSubcommand: AgentRunCommand.self)
}
