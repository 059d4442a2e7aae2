import Agent
public import ArgumentParser
import Glibc
import NetTypes
public import PolicyAnalysis
import PolicyIR
import Support

/// `netpold explain`: why a flow passes or not.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say whether a flow passes, and which rule of which policy says so.",
        discussion: """
            Both ends decide: the sender's egress policies and the receiver's ingress policies must both allow. For each side the \
            answer names the rule and where it is written. Where no rule allows, it names the policies that isolate the pod, the \
            three rules that came nearest with the conditions that failed, and policies that miss the pod by what looks like a \
            mistake.

            FROM and TO are namespace/pod, ip:ADDRESS, host (the local node) or remote-node. An address stands for whoever owns \
            it. A Deployment (or other workload) of a folder without its pods stands as namespace/name-1 and so on, a \
            StatefulSet as namespace/name-0. The port is the pod's own: 8080/TCP, 53/UDP, 9/SCTP, the \
            name of a port of TO: http/TCP, or an ICMP type: ICMP/8, ICMPv6/128.

            TO may be a Service: svc/NAME of the sender's namespace, svc/NAMESPACE/NAME, or ip: with one of its addresses; then \
            the port is the Service's. Policies are asked about the endpoints that may be chosen: the answer is ALLOWED or DENIED \
            if it is the same for all, MIXED if not, REJECTED if there is none. Where another component translates behind the \
            sender's hook (--services observe, as `netpold status` says of a node), the sender's policies must allow all of them.

            --live asks the agent of this node instead of manifests: the answer is by what it has in force, with the labels and \
            addresses that pods have now, and for toFQDNs with what FROM has learnt from DNS.

            --json prints every fact as a field; docs/reference/explain-json.md describes them.

            Exit codes: 0 answered, whatever the answer (with --expect: as expected); 1 not as expected, or answered without what a \
            kustomization or template would add, as warned, or, with --live, no agent answers in time; 2 the manifests have errors (then the answer is what would be enforced: \
            pods that a refused policy selects are isolated) or the arguments do: no such pod or node, or the flow cannot be.

            With a request (--http, --dns or --sni) the L7 rules that the flow meets are asked too: the answer names the rule \
            that permits it, or each rule with the condition that failed.

            Example: netpold explain -f manifests/ shop/web shop/db 5432/TCP
                     netpold explain -f manifests/ shop/web svc/db 5432/TCP
                     netpold explain --live shop/web shop/db 5432/TCP
                     netpold explain -f manifests/ shop/web shop/api 80/TCP --http 'GET /cart?id=1' --header 'X-Token: abc'
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
        help: ArgumentHelp(
            "The node that host means (default: node-1 if there is one, else the first).", valueName: "name"))
    var localNode: String?

    @OptionGroup(title: "Services")
    var services: ServiceOptions

    @Option(
        help: ArgumentHelp("Exit with 1 unless the answer is this: allow or deny.", valueName: "verdict"))
    var expect: PolicyTest.Expectation?

    @Flag(help: "Print the answer as JSON.")
    var json = false

    @OptionGroup var diagnosticOptions: DiagnosticOptions

    @Argument(help: "Who begins the flow: namespace/pod, ip:ADDRESS, host or remote-node.")
    var from: String

    @Argument(help: "Whom it is for, written likewise, or svc/NAME, svc/NAMESPACE/NAME.")
    var to: String

    @Argument(help: ArgumentHelp("Port and protocol, or ICMP and type: 80/TCP, ICMP/8.", valueName: "port/protocol"))
    var traffic: String

    func validate() throws {
        do {
            try flow.validate()
        } catch {
            throw ValidationError("\(error)")
        }
        guard live == manifests.isEmpty else {
            throw ValidationError(
                live
                    ? "--live asks the agent, which has its own objects; leave the manifests out"
                    : "name the manifests: netpold explain -f PATH FROM TO PORT, or --live to ask the running agent")
        }
        if live, !names.isEmpty || localNode != nil || expect != nil {
            throw ValidationError(
                "the agent knows its node and what DNS has answered; leave --name, --local-node and --expect out")
        }
        _ = try request.request()
        _ = try learntNames()
    }

    func run() async throws {
        if live { return try askAgent() }
        let loaded = ManifestFiles.load(manifests.choice())
        let decoded = loaded.decoded
        var objects = decoded.objects
        objects.names = try learntNames()
        let lowered = PolicyLowering.lower(objects)
        let diagnostics = decoded.diagnostics + lowered.diagnostics
        try diagnosticOptions.write(diagnostics, of: loaded)
        try Named.check(node: localNode, in: objects)
        services.addListeners(to: &objects, localNode: localNode)
        let evaluator = ReferenceEvaluator(
            objects, policies: lowered.policies + PolicyLowering.lowerRefused(decoded.refused), localNode: localNode,
            serviceSettings: services.settings)
        let text = ExplanationText(
            style: Terminal.output.style, showsRules: Terminal.output.isTerminal, standardInput: loaded.standardInput)
        let needsProxy: Bool
        let isAllowed: Bool?
        do {
            let answer = try evaluator.answer(flow, in: objects, request: request.request())
            print(json ? try JSONText.render(answer.report) : text.render(answer.lines, passes: answer.passes))
            needsProxy = answer.needsProxy
            isAllowed = answer.isAllowed
        } catch {
            ErrorOutput.error("\(error)")
            throw ExitCode.badInput
        }
        if diagnosticOptions.isText, needsProxy { ErrorOutput.write(L7Notice.text) }
        if diagnostics.contains(where: { $0.severity == .error }) { throw ExitCode.badInput }
        if diagnostics.contains(where: \.isAboutLeftOut) { throw ExitCode.no }
        guard let expect, isAllowed != (expect == .allow) else { return }
        fflush(nil)
        ErrorOutput.error("the answer is not \(expect.rawValue), as expected")
        throw ExitCode.no
    }

    private func askAgent() throws {
        let agent = try AgentConnection(instance, timeout: timeout.duration)
        guard
            case .explained(let answer) = try agent.ask(.explain(ExplainRequest(flow, request: try request.request())))
        else { throw AgentConnection.unexpected() }
        if let mistake = answer.mistake {
            ErrorOutput.error(mistake)
            throw ExitCode.badInput
        }
        let text = ExplanationText(
            style: Terminal.output.style, showsRules: Terminal.output.isTerminal, standardInput: nil)
        print(json ? answer.report : text.render(answer.explanationLines, passes: answer.passes))
        if diagnosticOptions.isText, answer.needsProxy { ErrorOutput.write(L7Notice.text) }
    }

    private var flow: FlowText { FlowText(from: from, to: to, traffic: traffic) }

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

extension PolicyTest.Expectation: ExpressibleByArgument {}
