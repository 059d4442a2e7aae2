import Agent
import ArgumentParser
import Support

/// `netpold status`.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show what the agent enforces, what it refused, and how full its tables are.",
        discussion: """
            Exit codes: 0 the agent is up (with --wait: everything in the manifests is in force); 1 no agent answers, or \
            with --wait time ran out, a policy is refused or a condition is severe; 2 wrong arguments.
            """)

    @OptionGroup var instance: InstanceOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "First wait until the manifests as they are now are in force on every endpoint.")
    var wait = false

    @Option(help: "Seconds to wait.")
    var timeout = 30

    func validate() throws {
        guard (0...3600).contains(timeout) else { throw ValidationError("--timeout is 0 to 3600 seconds") }
    }

    func run() throws {
        let agent = try AgentConnection(instance)
        var isInForce = true
        if wait {
            guard case .waited(let answer, _) = try agent.ask(.wait(timeoutMilliseconds: timeout * 1000)) else {
                throw AgentConnection.unexpected()
            }
            isInForce = answer
        }
        guard case .status(let status) = try agent.ask(.status) else { throw AgentConnection.unexpected() }
        if json {
            print(try JSONText.render(status))
        } else {
            StatusRendering(style: Terminal.output.style).lines(status).forEach { print($0) }
        }
        if !isInForce {
            ErrorOutput.error("not everything is in force after \(timeout) s")
            throw ExitCode.no
        }
        if wait, status.policiesRefused > 0 {
            ErrorOutput.error("\(status.policiesRefused) of the policies are refused, as listed")
            throw ExitCode.no
        }
        let severe = status.conditions.count(where: \.isSevere)
        if wait, severe > 0 {
            ErrorOutput.error("\(severe) severe condition\(severe == 1 ? "" : "s"), as listed")
            throw ExitCode.no
        }
    }
}
