import Agent
import ArgumentParser
import PolicyAPI
import Support

/// `netpold wait`.
struct WaitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Wait until policies are in force on this node, or no longer are.",
        usage: "netpold wait --policy <policy> ... [<options>]",
        discussion: """
            A policy is in force when the kernel holds the text that its source has at the time of the call, on every pod of this \
            node that it selects: the manifests are read again, and an API server is asked for the current version, so that \
            `kubectl apply` (or a write to the folder) followed by `netpold wait` does not see an older one. A policy that \
            nobody has seen yet is waited for. What is refused is not waited for: the command ends at once and says why.

            POLICY is NAMESPACE/NAME, or NAME for cluster-scoped kinds. Where several kinds have one of that name, \
            KIND/NAMESPACE/NAME or KIND/NAME says which: CiliumNetworkPolicy/shop/db, AdminNetworkPolicy/base.

            --gone waits until no such policy is in force, as after `kubectl delete`.

            This is about one node. For a whole cluster, run it on each: docs/guides/cluster.md.

            Exit codes: 0 all are in force (--gone: none is); 1 not within the time, refused, or no agent answers; 2 wrong \
            arguments, or a name that several kinds have.

            Example: netpold wait --policy shop/db --policy CiliumNetworkPolicy/shop/web --timeout 60
            """)

    @OptionGroup var instance: InstanceOptions

    @Option(help: ArgumentHelp("The policy. May be repeated.", valueName: "policy"))
    var policy: [String] = []

    @Flag(help: "Wait until there is no such policy any more.")
    var gone = false

    @Option(help: ArgumentHelp("Seconds to wait, for all of them together.", valueName: "seconds"))
    var timeout = 30

    @OptionGroup var form: ReportOptions

    func validate() throws {
        guard (0...3600).contains(timeout) else { throw ValidationError("--timeout is 0 to 3600 seconds") }
        guard !policy.isEmpty else {
            throw ValidationError("nothing to wait for; give --policy, or use `netpold status --wait` for everything")
        }
        _ = try names()
    }

    private func names() throws -> [PolicyName] {
        try policy.map { text in
            guard let name = PolicyName(parsing: text) else {
                throw ValidationError(
                    "'\(text)' is not a policy; write NAMESPACE/NAME, NAME, KIND/NAMESPACE/NAME or KIND/NAME, with the "
                        + "kind as manifests write it: NetworkPolicy/shop/db")
            }
            return name
        }
    }

    func run() throws {
        let deadline = ContinuousClock.now + .seconds(timeout)
        let agent = try AgentConnection(instance, timeout: .seconds(5), patience: .seconds(timeout))
        var reports: [PolicyWaitReport] = []
        let progress = ProgressLine()
        for name in try names() {
            let hint = try progress.isShown && !gone ? near(name, agent) : ""
            let left = max(.zero, deadline - .now)
            progress.show(
                "waiting at most \(left.components.seconds) s until \(name) is \(gone ? "gone" : "in force")\(hint)")
            try agent.send(
                .waitPolicy(
                    PolicyWaitRequest(
                        policy: name, isGone: gone, timeoutMilliseconds: Int(left / .milliseconds(1)))))
            guard case .policyWaited(let report) = try agent.next(timeout: left + .seconds(15)) else {
                throw AgentConnection.unexpected()
            }
            progress.clear()
            reports.append(report)
            if !form.isForPrograms { try say(report, name, agent) }
            // Of the others nobody asks any more: what is wrong with the first is what has to be looked at.
            if report.code != .success { break }
        }
        if form.isForPrograms { print(try form.render(reports)) }
        guard let last = reports.last, last.code != .success else { return }
        if form.isForPrograms { ErrorOutput.error(last.reason) }
        throw last.code
    }

    /// `; did you mean shop/db?` for a policy that the agent has not read, where it has one of a similar name; else nothing.
    private func near(_ name: PolicyName, _ agent: AgentConnection) throws -> String {
        let policies = try agent.list(PolicyReport.self, namespace: nil).rows
        return WaitCommand.near(
            name, among: policies.map { PolicyName(kind: $0.kind, namespace: $0.namespace ?? "", name: $0.name) })
    }

    /// The same, among names with their kinds.
    static func near(_ name: PolicyName, among known: [PolicyName]) -> String {
        let ofKind = known.filter { name.kind == nil || $0.kind == name.kind }
        let plain = ofKind.map { PolicyName(kind: name.kind, namespace: $0.namespace, name: $0.name) }
        guard !plain.contains(name) else { return "" }
        let elsewhere = plain.first { name.namespace.isEmpty && $0.name == name.name }
        let found = elsewhere?.description ?? Spelling.nearest(to: "\(name)", among: plain.map(\.description))
        return found.map { "; did you mean \($0)?" } ?? ""
    }

    private func say(_ report: PolicyWaitReport, _ name: PolicyName, _ agent: AgentConnection) throws {
        switch report.outcome {
        case .inForce:
            for policy in report.policies { print("\(policy.text) is in force (\(policy.origin))") }
        case .gone: print("no policy \(name) is in force")
        case .refused, .ambiguous: ErrorOutput.error(report.reason)
        case .pending:
            let hint = try report.policies.isEmpty && !gone ? near(name, agent) : ""
            ErrorOutput.error("not within \(timeout) s: \(report.reason)\(hint)")
        }
    }
}

extension PolicyWaitReport {
    /// The exit code for it.
    fileprivate var code: ExitCode {
        switch outcome {
        case .inForce, .gone: .success
        case .refused, .pending: .no
        case .ambiguous: .badInput
        }
    }
}
