import Agent
import ArgumentParser
import Support

/// `netpold status`.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show whether everything is enforced as written, what is not, and how full the agent's tables are.",
        usage: "netpold status [<options>]",
        discussion: """
            Everything is enforced as written when every local pod is enforced as the manifests read last say, and no file, \
            policy, namespace, interface or address is in a severe condition. A change has two seconds to come into force. \
            --wait first waits for the agent (one that is only starting, too) to have read the manifests as they are now and \
            to have put them in force.

            --ready and --live print nothing but what is wrong, for probes: whether the node does its work (a refused policy, or \
            a pod, does not change that), and whether the agent answers and works. They say what /readyz and /livez do.

            Problems are listed at the end. -n limits them to one namespace, and to those that may concern every namespace; the other \
            lines are of the node. -o wide lists every table of the kernel; -o name prints what is wrong about what, a line each, and \
            nothing where everything is enforced as written.

            Exit codes: 0 everything is enforced as written (--ready: the node enforces; --live: the agent answers); 1 not, as \
            listed, or no agent answers in time; 2 wrong arguments.
            """)

    @OptionGroup var instance: InstanceOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Only policies, pods and problems of this namespace.", valueName: "namespace"))
    var namespace: String?

    @OptionGroup var forms: OutputOptions

    @Flag(help: "First wait until the manifests as they are now are in force on every endpoint.")
    var wait = false

    @Flag(help: "Only tell whether the node enforces.")
    var ready = false

    @Flag(help: "Only tell whether the agent answers.")
    var live = false

    @Option(help: ArgumentHelp("Seconds to wait. (default: 5; with --wait: 30)", valueName: "seconds"))
    var timeout: Int?

    func validate() throws {
        if let timeout, !(0...3600).contains(timeout) { throw ValidationError("--timeout is 0 to 3600 seconds") }
        if ready || live, wait || forms.json || forms.output != nil || namespace != nil || ready == live {
            throw ValidationError("--ready and --live go alone")
        }
    }

    func run() throws {
        let time = Duration.seconds(timeout ?? (wait ? 30 : 5))
        // With --wait the time is for the whole: what the start of the agent took is not there for the change.
        let deadline = ContinuousClock.now + time
        let agent = try AgentConnection(
            instance, timeout: wait ? .seconds(5) : max(time, .seconds(1)), patience: wait ? time : .zero)
        if ready || live { return try probe(agent) }
        let status = wait ? try settledStatus(agent, until: deadline) : try self.status(agent)
        switch forms.form {
        case .json, .yaml: print(try forms.render(status))
        case .name: for subject in Set(status.health.problems.map(\.subject)).sorted() { print(subject) }
        case .table, .wide:
            StatusRendering(style: Terminal.output.style, isWide: forms.form == .wide).lines(status).forEach {
                print($0)
            }
        }
        if !status.health.isHealthy {
            let count = status.health.problems.count
            ErrorOutput.error(
                "not everything is enforced as written: \(count) problem\(count == 1 ? "" : "s"), as listed")
            throw ExitCode.no
        }
        if wait, !status.isInForce {
            ErrorOutput.error("changes that were read are not in force after \(time.components.seconds) s")
            throw ExitCode.no
        }
    }

    private func status(_ agent: AgentConnection) throws -> StatusReport {
        guard case .status(let status) = try agent.ask(.status) else { throw AgentConnection.unexpected() }
        guard let namespace else { return status }
        return status.of(
            namespace: namespace, policies: try agent.list(PolicyReport.self, namespace: nil).rows,
            endpoints: try agent.list(EndpointReport.self, namespace: nil).rows)
    }

    /// The status when everything read is in force, or the last one before the deadline.
    private func settledStatus(_ agent: AgentConnection, until deadline: ContinuousClock.Instant) throws -> StatusReport
    {
        while true {
            let left = max(.zero, deadline - .now)
            try agent.send(.wait(timeoutMilliseconds: Int(left / .milliseconds(1))))
            guard case .waited = try agent.next(timeout: left + .seconds(5)) else {
                throw AgentConnection.unexpected()
            }
            // Between the two answers another change may have come.
            let status = try self.status(agent)
            if status.isInForce || deadline <= .now { return status }
        }
    }

    private func probe(_ agent: AgentConnection) throws {
        guard case .health(let health) = try agent.ask(.health) else { throw AgentConnection.unexpected() }
        let faults = ready ? health.faults : health.standstill.map { [$0] } ?? []
        for fault in faults { ErrorOutput.error("\(fault.subject): \(fault.message)") }
        if !faults.isEmpty { throw ExitCode.no }
    }
}
