import Agent
import ArgumentParser
import LabKit
import PolicyIR
import Support

/// `netpold lab probe`: tries a kept lab again, all of it or one flow.
struct LabProbeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Probe a kept lab again: every pair, or one flow.",
        usage: "netpold lab probe [<from> <to> <port/protocol>] [<options>]",
        discussion: """
            Alone it does what the run did that built the lab, with the manifests as they are now: where an agent follows them, edits \
            of policies are in force first. Pods must be the same.

            With FROM, TO and PORT/PROTOCOL it tries one flow over each address family, and says what came back. FROM is a pod \
            (shop/front), host (host/NODE of several) or outside; TO is one of these, svc/NAME, svc/NAMESPACE/NAME or ip:ADDRESS; \
            the port is 5432/TCP, 53/UDP, or ICMP/8 for a ping. Servers run on the ports that policies and pods name.

            Exit codes: 0 measured as predicted, or the flow was answered over every family; 1 not; 2 wrong arguments or manifests; \
            3 there is no such lab, or not root.

            Examples:
              netpold lab examples/shop --keep
              netpold lab probe
              netpold lab probe shop/front shop/api 8000/TCP
              netpold lab --down
            """)

    @Argument(
        help: ArgumentHelp("FROM, TO and PORT/PROTOCOL; none for everything.", valueName: "from to port/protocol"))
    var flow: [String] = []

    @Option(help: ArgumentHelp("Name of the lab.", valueName: "name"))
    var name = LabFolder.defaultName

    @OptionGroup var form: ReportOptions

    @OptionGroup var diagnosticOptions: DiagnosticOptions

    func validate() throws {
        guard [0, 3].contains(flow.count) else {
            throw ValidationError("write netpold lab probe FROM TO PORT/PROTOCOL, or netpold lab probe alone")
        }
        if flow.count == 3 { _ = try traffic() }
    }

    private func traffic() throws -> TrafficName {
        guard let traffic = TrafficName(parsing: flow[2]), traffic.protocol != .sctp else {
            throw ValidationError("'\(flow[2])' is not a port and protocol of a lab; write 80/TCP, 53/UDP or ICMP/8")
        }
        return traffic
    }

    func run() throws {
        do {
            let lab = try KeptLab(name, interrupt: Interrupt())
            if flow.isEmpty { try measure(lab) } else { try probe(lab) }
        } catch {
            throw LabCommands.code(error, interrupted: "interrupted; the lab stays as it is")
        }
    }

    private func measure(_ lab: KeptLab) throws {
        guard let choice = lab.choice, !choice.paths.contains("-") else {
            throw LabFailure.input(
                "the lab was built from standard input, which cannot be read again; name FROM, TO and PORT")
        }
        let (loaded, lowered, _) = try LabCommands.load(
            ManifestChoice(
                paths: choice.paths, kustomizations: choice.kustomizations, excluded: choice.excluded,
                namespace: choice.namespace), diagnosticOptions)
        var plan = LabPlan(
            loaded.decoded.objects, policies: lowered.policies, isEnforced: choice.isEnforced,
            services: ServiceSettings(mode: ServiceMode(rawValue: choice.services) ?? .translate),
            isBesideKubeProxy: choice.isBesideKubeProxy)
        if !lab.hasAgents { plan.leaveOutProxy() }
        let result = try lab.measure(plan)
        let renderer = LabRenderer(style: Terminal.output.style)
        print(form.isForPrograms ? try form.render(LabReport(result)) : renderer.result(result))
        guard !result.agrees else { return }
        if !lab.hasAgents {
            ErrorOutput.write(
                "no agent runs in this lab: what changed in the manifests since it was built is not in force\n")
        }
        throw ExitCode.no
    }

    /// A probe's report.
    private struct Report: Encodable {
        let version = 1
        let from: String
        let to: String
        let traffic: String
        let probes: [Probe]

        struct Probe: Encodable {
            let addresses: String
            let outcome: String
            let answered: Bool
        }
    }

    private func probe(_ lab: KeptLab) throws {
        let found = try lab.probe(from: flow[0], to: flow[1], traffic())
        if form.isForPrograms {
            print(
                try form.render(
                    Report(
                        from: flow[0], to: flow[1], traffic: flow[2],
                        probes: found.map { .init(addresses: $0.addresses, outcome: $0.words, answered: $0.isAnswered) }
                    )))
        } else {
            let style = Terminal.output.style
            print(style.strong("\(flow[0]) -> \(flow[1]) \(flow[2])"))
            for finding in found {
                print(
                    "  \(finding.addresses): \(finding.isAnswered ? style.good(finding.words) : style.bad(finding.words))"
                )
            }
        }
        if !found.allSatisfy(\.isAnswered) { throw ExitCode.no }
    }
}
