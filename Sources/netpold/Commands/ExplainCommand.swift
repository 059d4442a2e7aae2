import Agent
import ArgumentParser
import PolicyIR

/// `netpold explain`: why a flow passes or not.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say whether a flow passes, and which rule of which policy says so.",
        discussion: """
            Both ends decide: the sender's egress policies and the receiver's ingress policies must both allow. For each side the \
            answer names the rule and where it is written. Where no rule allows, it names the policies that isolate the pod and \
            the rules that came nearest, with the condition that failed.

            FROM and TO are namespace/pod, ip:ADDRESS, host (the local node) or remote-node. An address stands for whoever owns \
            it. The port is the pod's own, after service translation: 8080/TCP, 53/UDP, 9/SCTP, or an ICMP type: ICMP/8, \
            ICMPv6/128.

            Exit codes: 0 answered, whatever the answer; 2 the manifests have errors (then the answer is what would be enforced: \
            pods that a refused policy selects are isolated) or the arguments do: no such pod or node, or the flow cannot be.

            Example: netpold explain -f manifests/ shop/web shop/db 5432/TCP
            """)

    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp("Manifests: a file, a folder, or - for standard input. May be repeated.", valueName: "path"))
    var files: [String]

    @Option(
        help: ArgumentHelp(
            "An answer that DNS has given, for toFQDNs: name=address. May be repeated.", valueName: "answer"))
    var dns: [String] = []

    @Option(
        help: ArgumentHelp(
            "The node that host means (default: node-1 if there is one, else the first).", valueName: "name"))
    var localNode: String?

    @Flag(help: "Print the answer as JSON.")
    var json = false

    @Argument(help: "Who begins the flow: namespace/pod, ip:ADDRESS, host or remote-node.")
    var from: String

    @Argument(help: "Whom it is for, written likewise.")
    var to: String

    @Argument(help: ArgumentHelp("Port and protocol, or ICMP and type: 80/TCP, ICMP/8.", valueName: "port/protocol"))
    var traffic: String

    func validate() throws {
        _ = try flow()
        _ = try names()
    }

    func run() async throws {
        let flow = try flow()
        let decoded = ManifestFiles.load(files).decoded
        var objects = decoded.objects
        objects.names = try names()
        let lowered = PolicyLowering.lower(objects)
        let diagnostics = decoded.diagnostics + lowered.diagnostics
        ErrorOutput.write(DiagnosticRenderer().render(diagnostics))
        try Named.check(node: localNode, in: objects)
        let evaluator = ReferenceEvaluator(
            objects, policies: lowered.policies + PolicyLowering.lowerRefused(decoded.refused), localNode: localNode)
        let explanation: DecisionExplanation
        do {
            explanation = try evaluator.explain(flow)
        } catch {
            var hint = ""
            if case FlowError.unknownPod(let name) = error {
                hint = Named.hint(name, objects.pods.map(\.qualifiedName).sorted(), noun: "pods")
            }
            ErrorOutput.error("\(flow): \(error)\(hint)")
            throw ExitCode.badInput
        }
        print(
            json
                ? try JSONText.render(ExplanationReport(explanation))
                : ExplanationText.render(explanation, TextStyle()))
        if diagnostics.contains(where: { $0.severity == .error }) { throw ExitCode.badInput }
    }

    private func flow() throws -> Flow {
        guard let from = FlowEnd(parsing: from) else { throw ExplainCommand.noEnd(from) }
        guard let to = FlowEnd(parsing: to) else { throw ExplainCommand.noEnd(to) }
        guard let name = TrafficName(parsing: traffic) else {
            throw ValidationError(
                "'\(traffic)' is no port and protocol; write 80/TCP, 53/UDP, 9/SCTP, ICMP/8 or ICMPv6/128")
        }
        return Flow(from: from, to: to, protocol: name.protocol, port: name.port)
    }

    private static func noEnd(_ text: String) -> ValidationError {
        let isAddress = IPAddress(parsing: text) != nil
        return ValidationError(
            "'\(text)' is no end of a flow; "
                + (isAddress ? "write ip:\(text)" : "write namespace/pod, ip:ADDRESS, host or remote-node"))
    }

    private func names() throws -> [String: [IPAddress]] {
        var names: [String: [IPAddress]] = [:]
        for answer in dns {
            let parts = answer.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let address = IPAddress(parsing: parts[1]) else {
                throw ValidationError("'\(answer)' is no DNS answer; write name=address")
            }
            names[parts[0].lowercased(), default: []].append(address)
        }
        return names
    }
}
