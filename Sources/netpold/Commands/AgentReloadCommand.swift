import Agent
import ArgumentParser
import Support

/// `netpold agent reload`.
struct AgentReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Make the running agent read its manifests, or list its API server, again.",
        usage: "netpold agent reload [<options>]",
        discussion: """
            With an API server every kind is listed again, also where the agent believes that it knows everything; what is not \
            listed any more goes, and --accept-empty changes nothing. What was read stays in force meanwhile.

            With a folder, objects of files that became empty, were cut off or are gone with everything else stay in force, because most of \
            the time that is an accident. --accept-empty says that it was meant: what the folder does not hold any more goes. \
            Objects of files that cannot be read stay all the same: repair or remove these files.

            Prints what is not in force any more, what stays although the folder does not say so, and what is odd about the \
            folder. `netpold status --wait` tells when it is in force.

            Exit codes: 0 everything was read; 1 something could not be read or is kept, or no agent answers; 2 wrong arguments.
            """)

    @OptionGroup var instance: InstanceOptions

    @Option(help: ArgumentHelp("Seconds to wait for the agent's answer.", valueName: "seconds"))
    var timeout = 60

    @Flag(help: "What the folder does not hold any more is meant to be gone.")
    var acceptEmpty = false

    func validate() throws {
        guard (1...3600).contains(timeout) else { throw ValidationError("--timeout is 1 to 3600 seconds") }
    }

    func run() throws {
        let agent = try AgentConnection(instance, timeout: .seconds(timeout))
        guard case .reloaded(let report) = try agent.ask(.reload(acceptEmpty: acceptEmpty)) else {
            throw AgentConnection.unexpected()
        }
        for name in report.dropped { print("not in force any more: \(name)") }
        for name in report.kept { print("stays in force: \(name)") }
        for condition in report.conditions { print("\(condition.subject): \(condition.message)") }
        if report.dropped.isEmpty, report.kept.isEmpty, report.conditions.isEmpty { print("everything was read") }
        if !report.kept.isEmpty || report.conditions.contains(where: \.isSevere) { throw ExitCode.no }
    }
}
