import Agent
import ArgumentParser
import BPFEmit
import Foundation
import Glibc
import LabKit
import PolicyAPI
import PolicyIR
import Support

/// `netpold lab run`: manifests as network namespaces, policies enforced, every pair probed.
struct LabCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Build the manifests' pods as network namespaces, enforce the policies, and probe every pair.",
        usage: "netpold lab <path> ... [<options>]",
        discussion: """
            Makes one network namespace with a veth for every Pod, one for each node that pods are on (8 at most), which routes to its \
            pods and has a link to every other node, and one for the world outside; nothing of the machine's own network is \
            touched. Small TCP and UDP servers run in all of them. \
            Then every pair is tried over real sockets, in both address families, on every port that policies or pods name \
            (ranges at their edges), on one port that nobody names, and with ping: first without policies, when everything \
            must be answered, then with them. The result is compared with what the policies say.

            Pods without addresses in their manifests get some, and workloads without pods (Deployments and the like) are stood \
            for by pods named web-1, web-2. Outside addresses are chosen so that each prefix that a \
            policy names, and each exception, is tried from inside and from beside it.

            Pods also connect through Services, at cluster IPs, external IPs, load balancers' addresses and the node's ports: an \
            endpoint that policies allow must answer, and without endpoints the connection must be refused at once.

            Where rules are about names or requests, those are tried too: HTTP requests that each rule matches and others beside them, \
            DNS queries for names made up from the rules' patterns (each has an address outside), TLS handshakes with these names, \
            and connections to a name's address, without having asked for it and at once after the answer. Denied is denied: \
            status 403, a REFUSED answer, a reset handshake. gRPC methods are tried as the HTTP requests they are.

            Everything is taken away again at the end, after Ctrl-C too; a run that was killed is cleaned up by the next \
            one. With --keep the lab stays, enforced and answering, until --down; `netpold lab probe` tries it again.

            --shell opens a shell in a pod, or runs what follows behind --. The names of pods (web, web.shop) and Services (db, \
            db.shop.svc) are in its /etc/hosts.

            With one folder of manifests in which every pod has its addresses (and, where there are several nodes, its node), a `netpold \
            agent` enforces on each node, watching the folder, with `netpold proxy` beside it where there are HTTP rules; in a kept lab \
            `netpold monitor --instance lab-NAME` shows the first node's verdicts, `lab2-NAME` the second's. Otherwise the lab loads \
            the same programs itself.

            Exit codes: 0 measured as predicted; 1 something differs; 2 the manifests or arguments have errors; 3 the \
            machine does not allow a lab (it needs root); 128 + n ended by signal n. With --shell that of what was run.

            Examples:
              netpold lab examples/shop
              netpold lab examples/shop --keep && \\
                netpold lab --shell shop/front && netpold lab --down
              netpold lab examples/shop --keep && \\
                netpold lab --shell shop/front -- getent hosts db && netpold lab --down
            """)

    @Argument(
        help: ArgumentHelp("Manifests, as with -f; with --shell the command to run.", valueName: "path"),
        completion: .file())
    var words: [String] = []

    @OptionGroup(title: "Manifests")
    var manifests: ManifestOptions

    @Option(help: ArgumentHelp("Name of the lab, for several at a time.", valueName: "name"))
    var name = LabFolder.defaultName

    @Flag(help: "Leave the lab up, for --shell; --down removes it.")
    var keep = false

    @Flag(help: "Remove a kept lab.")
    var down = false

    @Option(
        help: ArgumentHelp(
            "Open a shell in a pod of a running or kept lab; also: host (host/NODE of several), outside.",
            valueName: "namespace/pod"))
    var shell: String?

    @Flag(help: "Enforce nothing; everything is expected to pass.")
    var noEnforce = false

    @Option(
        help: ArgumentHelp(
            """
            Who translates Services: translate (the lab's nodes), observe (kube-proxy's rules, with --kube-proxy), or off: no \
            Services are tried.
            """, valueName: "what"))
    var services = ServiceMode.translate

    @Flag(help: "Give the lab's nodes rules like those of kube-proxy's nftables mode (needs nft).")
    var kubeProxy = false

    @Option(
        help: ArgumentHelp(
            "Whether flows between pods of a node go past its stack: off, auto or always, as for the agent.",
            valueName: "when"))
    var fastPath = FastPathMode.off

    @OptionGroup var form: ReportOptions

    @OptionGroup var diagnosticOptions: DiagnosticOptions

    /// The words are a command with --shell.
    private var choice: ManifestChoice { manifests.choice(shell == nil ? words : []) }

    func validate() throws {
        let isAboutManifests = !manifests.isEmpty || (shell == nil && !words.isEmpty)
        guard [isAboutManifests, down, shell != nil].count(where: \.self) == 1 else {
            throw ValidationError("give one of PATH, -f PATH, -k FOLDER, --shell NAMESPACE/POD and --down")
        }
        // What is no file may have been meant as the other subcommand.
        if shell == nil, let first = words.first, !FileManager.default.fileExists(atPath: first),
            let near = Spelling.nearest(to: first, among: ["probe", "run"])
        {
            throw ValidationError("there is no file or folder '\(first)'; did you mean netpold lab \(near)?")
        }
    }

    func run() throws {
        do {
            if let shell { try LabShell.open(shell, lab: name, command: words) }
            if down { try takeDown() } else { try build() }
        } catch {
            throw LabCommands.code(error, interrupted: "interrupted; the lab is gone")
        }
    }

    private func takeDown() throws {
        guard LabFolder.exists(name) else { return ErrorOutput.write("there is no lab \"\(name)\"\n") }
        try LabFolder(claiming: name).remove()
        ErrorOutput.write("lab \"\(name)\" is gone\n")
    }

    private func build() throws {
        let made = LabChoice(
            paths: choice.paths.map(LabCommand.absolute),
            kustomizations: choice.kustomizations.map(LabCommand.absolute),
            excluded: choice.excluded, namespace: choice.namespace, services: services.rawValue, isEnforced: !noEnforce,
            isBesideKubeProxy: kubeProxy)
        let (loaded, lowered, diagnostics) = try LabCommands.load(choice, diagnosticOptions)
        var plan = LabPlan(
            loaded.decoded.objects, policies: lowered.policies, isEnforced: !noEnforce,
            services: ServiceSettings(mode: services), isBesideKubeProxy: kubeProxy)
        guard !plan.pods.isEmpty else { throw LabFailure.input("there is no pod in the manifests") }

        let renderer = LabRenderer(style: Terminal.output.style)
        let interrupt = Interrupt()
        let enforcer = enforcer(plan, lowered.policies, isAsWritten: loaded.isAsWritten)
        if !(enforcer is AgentEnforcer) { plan.leaveOutProxy() }
        let session = try LabSession.begin(
            plan, manifests: made.paths + made.kustomizations, name: name, enforcer: enforcer,
            interrupt: interrupt, isKept: keep, isBesideKubeProxy: kubeProxy, choice: made)
        if !form.isForPrograms { print(renderer.plan(plan) + "\n") }
        fflush(nil)
        let result = try session.run()
        if !form.isForPrograms, !noEnforce { print("without policies every probe was answered; with them:\n") }
        print(form.isForPrograms ? try form.render(LabReport(result)) : renderer.result(result))
        if keep { ErrorOutput.write(kept(plan, byAgent: enforcer is AgentEnforcer)) }
        if !result.agrees || diagnostics.contains(where: \.isAboutLeftOut) { throw ExitCode.no }
    }

    private static func absolute(_ path: String) -> String {
        path == "-" ? path : URL(filePath: path).standardizedFileURL.path()
    }

    /// An agent reads the folder by itself, so it can enforce only a folder that is used as written.
    private func enforcer(_ plan: LabPlan, _ policies: [LoweredPolicy], isAsWritten: Bool) -> any Enforcer {
        if noEnforce { return NoEnforcer() }
        var isFolder: ObjCBool = false
        if plan.isAsWritten, isAsWritten, let folder = choice.paths.first, choice.paths.count == 1,
            FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue
        {
            return AgentEnforcer(
                manifests: URL(filePath: folder).standardizedFileURL.path(), services: services,
                fastPath: fastPath)
        }
        return KernelEnforcer(policies, services: ServiceSettings(mode: services), fastPath: fastPath)
    }

    private func kept(_ plan: LabPlan, byAgent: Bool) -> String {
        let option = LabSession.option(name)
        let pod = plan.pods.first?.qualifiedName ?? "host"
        var ways = [
            "netpold lab --shell \(pod)\(option)    a shell in a pod",
            "netpold lab probe\(option)    tries everything again; also: probe FROM TO PORT",
        ]
        if byAgent {
            ways.append("netpold monitor --instance lab-\(name)    its verdicts; also: status, endpoints")
        }
        ways.append("netpold lab --down\(option)    takes it away")
        return "the lab stays up:\n" + ways.map { "  \($0)\n" }.joined()
    }
}
