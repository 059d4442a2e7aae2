import Agent
import ArgumentParser
import Support

/// `netpold names`.
struct NamesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "names",
        abstract: "Show which addresses pods have learnt of which names, and which names were refused.",
        discussion: """
            Addresses are learnt from the answers to a pod's own DNS queries, where a DNS rule covers them; they count for the \
            toFQDNs that the name satisfies until they end.

            Exit codes: 0 shown; 1 no agent answers in time; 2 wrong arguments.
            """)

    @OptionGroup var instance: InstanceOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let agent = try AgentConnection(instance, timeout: .seconds(5), patience: .zero)
        guard case .names(let reports) = try agent.ask(.names) else { throw AgentConnection.unexpected() }
        if json { return print(try JSONText.render(reports)) }
        NamesRendering(style: Terminal.output.style).lines(reports).forEach { print($0) }
    }
}
