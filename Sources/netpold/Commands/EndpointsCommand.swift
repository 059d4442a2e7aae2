import Agent
import ArgumentParser
import Support

/// `netpold endpoints`.
struct EndpointsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endpoints",
        abstract: "List the pods of this node with their interfaces, identities and policies.",
        discussion: """
            States: ready (policies in place), pending (found, not programmed yet), waiting (its network namespace is not \
            there), failed, unenforced (nobody knows which pod is behind the interface), isolated (the same, and only \
            the node reaches it).

            Exit codes: 0 listed; 1 no agent answers in time; 2 wrong arguments.
            """)

    @OptionGroup var instance: InstanceOptions
    @OptionGroup var timeout: TimeoutOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let agent = try AgentConnection(instance, timeout: timeout.duration)
        guard case .endpoints(let endpoints) = try agent.ask(.endpoints) else {
            throw AgentConnection.unexpected()
        }
        if json {
            print(try JSONText.render(endpoints))
        } else {
            EndpointsRendering(style: Terminal.output.style).lines(endpoints).forEach { print($0) }
        }
    }
}
