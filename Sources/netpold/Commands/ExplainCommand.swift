import Agent
import ArgumentParser
import Glibc
import NetTypes
import PolicyAPI
import PolicyAnalysis
import PolicyIR
import Support

/// `netpold explain`: why a flow passes or not.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say whether a flow passes, and which rule of which policy says so.",
        usage: "netpold explain [<path> ...] <from> <to> <port/protocol> [<options>]",
        discussion: """
            Both ends decide: the sender's egress policies and the receiver's ingress policies must both allow. For each side the \
            answer names the rule and where it is written. Where no rule allows, it names the policies that isolate the pod, the \
            three rules that came nearest with the conditions that failed, and policies that miss the pod by what looks like a \
            mistake.

            FROM and TO are namespace/pod, a workload (deploy/NAME, sts/NAMESPACE/NAME and so on: all its pods), ip:ADDRESS, \
            ip:PREFIX, world (every address outside the cluster), host (the local node) or remote-node (every other known node). An \
            address stands for whoever owns it. What stands for several gets an answer for each part that policies treat alike, and the parts are \
            exact. --from-labels and --to-labels take the place of FROM and TO: a pod that there is not, by its labels. A Deployment \
            (or other workload) of a folder without its pods has pods namespace/name-1 and so on, a StatefulSet namespace/name-0.

            The port is the pod's own: 8080/TCP, 53/UDP, 9/SCTP, the name of a port of TO: http/TCP, or an ICMP type: ICMP/8, \
            ICMPv6/128. Words before FROM are manifests, as with -f.

            TO may be a Service: svc/NAME of the sender's namespace, svc/NAMESPACE/NAME, or ip: with one of its addresses; then \
            the port is the Service's. Policies are asked about the endpoints that may be chosen: the answer is ALLOWED or DENIED \
            if it is the same for all, MIXED if not, REJECTED if there is none. Where another component translates behind the \
            sender's hook (--services observe, as `netpold status` says of a node), the sender's policies must allow all of them.

            --live asks the agent of this node instead of manifests: the answer is by what it has in force, with the labels and \
            addresses that pods have now, and for toFQDNs with what FROM has learnt from DNS.

            --json prints every fact as a field; docs/reference/explain-json.md describes them.

            Exit codes: 0 answered, whatever the answer (with --expect: as expected, everywhere); 1 not as expected, or answered \
            without what a kustomization or template would add, as warned, or, with --live, no agent answers in time; 2 the manifests \
            have errors (then the answer is what would be enforced: pods that a refused policy selects are isolated) or the arguments \
            are wrong: no such pod or node, or an impossible flow.

            With a request (--http, --dns or --sni) the L7 rules that the flow meets are asked too: the answer names the rule \
            that permits it, or each rule with the condition that failed.

            Examples:
              netpold explain examples/shop shop/front shop/api 8000/TCP
              netpold explain -f examples/shop shop/front ip:10.0.0.0/8 443/TCP
              netpold explain examples/shop --from-labels shop/app=api,tier=app world \\
                443/TCP
              netpold explain --live shop/web shop/db 5432/TCP
              netpold explain examples/shop shop/front shop/api 8000/TCP \\
                --http 'GET /cart?id=1' --header 'X-Token: abc'
            """)

    @OptionGroup(title: "Manifests")
    var manifests: ManifestOptions

    @Flag(help: "Ask the running agent, by what it has in force and what pods have learnt from DNS.")
    var live = false

    @OptionGroup(title: "With --live")
    var instance: InstanceOptions

    @OptionGroup(title: "With --live")
    var timeout: TimeoutOptions

    @Option(
        name: .customLong("name"),
        help: ArgumentHelp(
            "An answer that DNS has given, for toFQDNs: name=address. May be repeated.", valueName: "answer"))
    var names: [String] = []

    @OptionGroup(title: "Request")
    var request: RequestOptions

    @Option(
        name: [.customLong("node"), .customLong("local-node")],
        help: ArgumentHelp(
            "The node that host means (default: node-1 if there is one, else the first).", valueName: "name"))
    var localNode: String?

    @Option(
        help: ArgumentHelp(
            "In place of FROM: a hypothetical pod with these labels; shop/app=web,tier=front.",
            valueName: "namespace/labels"))
    var fromLabels: String?

    @Option(
        help: ArgumentHelp("In place of TO: a hypothetical pod with these labels.", valueName: "namespace/labels")
    )
    var toLabels: String?

    @OptionGroup(title: "Services")
    var services: ServiceOptions

    @Option(
        help: ArgumentHelp("Exit with 1 unless the answer is this: allow or deny.", valueName: "verdict"))
    var expect: PolicyTest.Expectation?

    @OptionGroup var form: ReportOptions

    @OptionGroup var diagnosticOptions: DiagnosticOptions

    @Argument(
        help: ArgumentHelp(
            """
            Manifests, then FROM, TO and PORT/PROTOCOL: who begins the flow, whom it is for, and 80/TCP or ICMP/8.
            """, valueName: "path ... from to port/protocol"), completion: .file())
    var words: [String] = []

    /// How many of the words are the flow: the last ones.
    private var flowWords: Int { 3 - [fromLabels, toLabels].count { $0 != nil } }

    /// The words before the flow.
    private var paths: [String] { Array(words.dropLast(flowWords)) }

    func validate() throws {
        guard words.count >= flowWords else {
            throw ValidationError(
                "the flow is missing; write it last: netpold explain PATH FROM TO PORT/PROTOCOL")
        }
        do {
            _ = try supposedPods()
            try written.validate()
        } catch {
            throw ValidationError("\(error)")
        }
        guard live == (manifests.isEmpty && paths.isEmpty) else {
            throw ValidationError(
                live
                    ? "--live asks the agent, which has its own objects; leave the manifests out"
                    : "name the manifests: netpold explain -f PATH FROM TO PORT, or --live to ask the running agent")
        }
        if live, !names.isEmpty || localNode != nil || fromLabels != nil || toLabels != nil {
            throw ValidationError(
                "the agent knows its node, its pods and what DNS has answered; leave --name, --node, --from-labels "
                    + "and --to-labels out")
        }
        _ = try request.request()
        _ = try learntNames()
    }

    /// The pods that are described by their labels: sender, receiver.
    private func supposedPods() throws(FlowText.Mistake) -> (from: SupposedPod?, to: SupposedPod?) {
        func pod(_ text: String?) throws(FlowText.Mistake) -> SupposedPod? {
            guard let text else { return nil }
            return try SupposedPod(parsing: text)
        }
        return (try pod(fromLabels), try pod(toLabels))
    }

    /// The flow as it is written, with `host` for what is described by labels.
    private var written: FlowText {
        var flow = words.suffix(flowWords)
        let from = fromLabels == nil ? flow.popFirst() : nil
        let to = toLabels == nil ? flow.popFirst() : nil
        return FlowText(from: from ?? "host", to: to ?? "host", traffic: flow.popFirst() ?? "")
    }

    /// The flow, with the namespace of `-n`, and pods that there are not added to objects.
    private func flow(addingTo objects: inout ClusterObjects) throws(FlowText.Mistake) -> FlowText {
        let supposed = try supposedPods()
        try supposed.from?.add(to: &objects)
        try supposed.to?.add(to: &objects)
        let flow = manifests.namespace.map(written.inNamespace) ?? written
        return FlowText(
            from: supposed.from?.text ?? flow.from, to: supposed.to?.text ?? flow.to, traffic: flow.traffic)
    }

    func run() async throws {
        if live { return try askAgent() }
        let loaded = ManifestFiles.load(manifests.choice(paths))
        let decoded = loaded.decoded
        var objects = decoded.objects
        objects.names = try learntNames()
        let flow: FlowText
        do {
            flow = try self.flow(addingTo: &objects)
        } catch {
            let diagnostics = diagnosticOptions.counted(decoded.diagnostics)
            try diagnosticOptions.begin(diagnostics, of: loaded)
            throw try diagnosticOptions.failed("\(error)", with: diagnostics)
        }
        let lowered = PolicyLowering.lower(objects)
        let policies = lowered.policies + PolicyLowering.lowerRefused(decoded.refused)
        let mistake = Named.mistake(node: localNode, in: objects)
        services.addListeners(to: &objects, localNode: localNode)
        let evaluator = ReferenceEvaluator(
            objects, policies: policies, localNode: localNode, serviceSettings: services.settings)
        let asked = flow.calling(loaded.renamed, unless: Set(objects.pods.map(\.qualifiedName)))
        let omissions = ProgramLimits.omissions(
            of: evaluator.subjects(of: asked, in: objects), evaluator, objects, policies)
        let diagnostics = diagnosticOptions.counted(decoded.diagnostics + lowered.diagnostics + omissions)
        try diagnosticOptions.begin(diagnostics, of: loaded)
        if let mistake { throw try diagnosticOptions.failed(mistake, with: diagnostics) }
        let text = ExplanationText(
            style: Terminal.output.style, showsRules: Terminal.output.isTerminal, standardInput: loaded.standardInput)
        let needsProxy: Bool
        let isAllowed: Bool?
        do {
            let answer = try evaluator.answer(asked, in: objects, request: request.request())
            print(
                form.isForPrograms
                    ? try form.render(answer.report) : text.render(answer.lines, passes: answer.passes))
            needsProxy = answer.needsProxy
            isAllowed = answer.isAllowed
        } catch {
            throw try diagnosticOptions.failed("\(error)", with: diagnostics)
        }
        if diagnosticOptions.isText, needsProxy { ErrorOutput.write(L7Notice.text) }
        let isOfAll = !diagnostics.contains { $0.severity == .error || $0.isAboutLeftOut }
        if isOfAll, let mistake = unexpected(isAllowed) {
            throw try diagnosticOptions.failed(mistake, .no, with: diagnostics)
        }
        try diagnosticOptions.end(diagnostics, of: loaded)
        if diagnostics.hasErrors { throw ExitCode.badInput }
        if !isOfAll { throw ExitCode.no }
    }

    /// Compares the answer with `--expect`.
    ///
    /// - Parameter isAllowed: `nil` where parts of the question have different answers.
    /// - Returns: what to say where it is another one; `nil` where it is that.
    private func unexpected(_ isAllowed: Bool?) -> String? {
        guard let expect, isAllowed != (expect == .allow) else { return nil }
        let answer = isAllowed.map { $0 ? "allow" : "deny" } ?? "not the same for all of it"
        return "expected \(expect.rawValue), the answer is \(answer)"
    }

    private func askAgent() throws {
        let agent = try AgentConnection(instance, timeout: timeout.duration)
        guard
            case .explained(let answer) = try agent.ask(
                .explain(
                    ExplainRequest(
                        manifests.namespace.map(written.inNamespace) ?? written, request: try request.request())))
        else { throw AgentConnection.unexpected() }
        if let mistake = answer.mistake { throw try diagnosticOptions.failed(mistake) }
        let text = ExplanationText(
            style: Terminal.output.style, showsRules: Terminal.output.isTerminal, standardInput: nil)
        if form.isForPrograms {
            ProgramAnswer.markGiven()
            print(form.form == .yaml ? try YAMLText.render(json: answer.report) : answer.report)
        } else {
            print(text.render(answer.explanationLines, passes: answer.passes))
        }
        // What the rules allow is dropped there.
        let isDropped = answer.needsProxy && answer.proxyServes == false
        if diagnosticOptions.isText, isDropped { ErrorOutput.error(L7Notice.missing) }
        if let mistake = unexpected(isDropped ? false : answer.passes) {
            throw try diagnosticOptions.failed(mistake, .no)
        }
    }

    private func learntNames() throws -> [String: [IPAddress]] {
        var names: [String: [IPAddress]] = [:]
        for answer in self.names {
            let parts = answer.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let address = IPAddress(parsing: parts[1]) else {
                throw ValidationError("'\(answer)' is not a DNS answer; write name=address")
            }
            names[parts[0].lowercased(), default: []].append(address)
        }
        return names
    }
}
