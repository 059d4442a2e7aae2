import Agent
import ArgumentParser
import BPFEmit
import Datapath
import Foundation
import Glibc
import Logging
import NetTypes
import PolicyAPI
import PolicyIR
import ServiceLifecycle
import Support

/// `netpold agent run`, or `netpold agent` without a subcommand.
struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract:
            "Enforce policies on this node's pods, and keep doing so: those of a cluster, or of a folder of manifests.",
        usage: "netpold agent [--kubeconfig <file> | --manifests <folder>] [<options>]",
        discussion: """
            The objects come from an API server (--kubeconfig, or the service account of the agent's own pod with --in-cluster), \
            or from a folder (--manifests). With none of these options the service account is used if there is one, else the \
            files that KUBECONFIG names. The API server is always verified by TLS. Before each kind of objects was listed once, or found \
            to have no CustomResourceDefinition, nothing new is put in force, and what an earlier agent has pinned stays; when the API server is away later, everything \
            last read stays in force. What cannot be read is said by `netpold status`. The agent needs list and watch on namespaces, nodes, pods, \
            services, endpointslices, networkpolicies, the policies and CIDR groups of Cilium and of policy.networking.k8s.io, and, to notice at \
            once when one of these kinds is installed, on customresourcedefinitions.

            Which interface is which pod is decided by what the host knows: the CNI result cache, cgroups, routes; the addresses \
            inside a namespace only count where there is nothing else. A pod stays enforced until its interface is gone. Changes \
            of the folder are applied in place; refused updates leave the last good version in force, and pods that a refused new policy selects are isolated. \
            What was accepted stays in force when files become empty, broken or cut off, or everything is gone; a file that is \
            removed counts for 2 s more. `netpold agent reload` and SIGHUP read everything again. \
            When the agent ends or is killed, what it loaded goes on enforcing; the next agent of the same instance adopts \
            it. `netpold detach` removes it.

            A network namespace that is known to be a pod's (by the CNI result cache, a cgroup, or because it was enforced \
            before) and has no Pod object is isolated under --unknown isolate: only the node reaches it, so that probes work, \
            and it reaches nobody. Under open it is reported and left alone. all-isolate does the same to every other mounted \
            namespace. What was enforced before stays enforced under each of them. Pods run here whose nodeName is --node, and \
            those without a nodeName; the name is fixed when the agent starts.

            SIGHUP reads everything again; SIGTERM and SIGINT end the agent. With --health-address, GET /readyz answers 200 \
            while the node enforces (whoever writes a bad policy does not change that), GET /livez while the agent works.

            Exit codes: 0 ended by a signal (with --once: every local pod is enforced as the manifests say); 1 an agent of the \
            instance is running, or with --once something is not as written, as listed; 2 wrong arguments; 3 not root, or the machine cannot do it.

            Examples: netpold agent --kubeconfig /etc/kubernetes/admin.conf
                      netpold agent --manifests /etc/netpold
            """)

    @OptionGroup var objects: ObjectSourceOptions

    @OptionGroup var instance: InstanceOptions

    @Option(
        help: ArgumentHelp("Enforce in this network namespace instead of the caller's.", valueName: "path"),
        completion: .file())
    var netns: String?

    @Option(
        help: ArgumentHelp("Where the pods' network namespaces are mounted.", valueName: "folder"),
        completion: .directory)
    var netnsDir = HostScanner.Places.systemNamespaces

    @Option(
        help: ArgumentHelp(
            """
            Where the container runtime keeps CNI results; may be repeated. (default: /var/lib/cni/results and \
            /var/lib/cni/cache/results)
            """, valueName: "folder"), completion: .directory)
    var cniCache: [String] = []

    @Option(
        help: ArgumentHelp(
            "This node's name in the manifests: pods that name another node are remote. (default: the host name)",
            valueName: "name"))
    var node: String?

    @Option(help: ArgumentHelp("What to do about a refused policy that was never in force.", valueName: "what"))
    var onRefused = RefusedPolicy.isolate

    @Option(
        help: ArgumentHelp(
            """
            What to do about network namespaces without a Pod object: isolate those that are known to be a pod's, leave them \
            open, or isolate every mounted one. What was enforced before stays enforced. (default: open with --manifests, isolate \
            with an API server, which knows every pod)
            """, valueName: "what"))
    var unknown: UnknownNamespaces?

    @Option(
        help: ArgumentHelp(
            """
            What to do about the pods' packets to Services: translate, before policies are asked; observe, where another \
            component translates: policies ask about every endpoint that may be chosen; or off: policies see the Services' \
            addresses. (default: observe where a network plugin translates on this node, else translate; `status` says why)
            """, valueName: "what"))
    var services: ServiceMode?

    @Option(
        help: ArgumentHelp(
            """
            Where a DNS cache of the node listens (NodeLocal DNSCache). While the node has the address it stands for the \
            endpoints of Service kube-system/kube-dns; may be repeated. (default: 169.254.20.10)
            """, valueName: "address"))
    var nodeLocalDns: [IPAddress] = []

    @Flag(
        help:
            "Make a place for `netpold proxy`, a network namespace of its own, which takes the flows that HTTP rules decide; without a proxy in it they are refused."
    )
    var l7Proxy = false

    @Option(
        help: ArgumentHelp(
            """
            Whether flows between two pods of the node go past its stack once the stack has let their first packet pass: off; auto, while none of the node's rules says more about them; or always. `status` says what is so, and why.
            """, valueName: "when"))
    var fastPath = FastPathMode.off

    @OptionGroup var host: HostPolicyOptions

    @Flag(help: "Compare each new state with the reference evaluator in the kernel before it is put in force.")
    var verify = false

    @Option(help: ArgumentHelp("The least severe messages to log.", valueName: "level"))
    var logLevel = Logger.Level.notice

    @Flag(help: "Pin to a bpffs that only this mount namespace sees: pods are open when that namespace goes.")
    var allowPrivateBpffs = false

    @Option(
        help: ArgumentHelp(
            "Answer GET /readyz and /livez here: an address of the loopback interface, 127.0.0.1:9180 or [::1]:9180.",
            valueName: "address:port"))
    var healthAddress: HealthAddress?

    @Option(help: ArgumentHelp("How the log is written to standard error.", valueName: "format"))
    var logFormat = LogFormat.logfmt

    @Option(help: "Whose DNS answers count for toFQDNs: pod, each pod's its own; node, those of all pods of the node.")
    var fqdnScope = NameScope.pod

    @Option(help: ArgumentHelp("Seconds that an address from DNS is kept at least.", valueName: "seconds"))
    var fqdnMinTtl: UInt32 = 0

    @Option(help: "What a DNS query gets whose name no rule allows: refused, or nxdomain.")
    var dnsRefusal = NameOptions.Refusal.refused

    @Flag(help: "Drop DNS answers that cannot be read exactly; else pods get them, and nothing is learnt from them.")
    var dnsDropInexact = false

    @Option(
        help: ArgumentHelp(
            """
            Learn addresses of this link-local range from DNS answers as well; may be repeated. Those of pods, nodes and Services \
            are never learnt, private ones outside the cluster always.
            """, valueName: "CIDR"))
    var fqdnAllowPrivate: [IPPrefix] = []

    @Flag(help: "Put everything in force once, then end.")
    var once = false

    func validate() throws {
        if fqdnMinTtl > 86_400 { throw ValidationError("--fqdn-min-ttl is at most 86400 seconds") }
        try validateNameRanges()
        if let netns, !FileManager.default.fileExists(atPath: netns) {
            throw ValidationError("--netns \(netns): no such file; `ip netns` makes them in /run/netns")
        }
    }

    private func validateNameRanges() throws {
        guard fqdnAllowPrivate.count <= NameOptions.mostRanges else {
            throw ValidationError("--fqdn-allow-private: at most \(NameOptions.mostRanges) ranges")
        }
        for range in fqdnAllowPrivate where !NameOptions.linkLocal.contains(where: { $0.contains(range) }) {
            throw ValidationError(
                "--fqdn-allow-private \(range): not within 169.254.0.0/16 or fe80::/10. Other private addresses are learnt without it, "
                    + "unless they are those of pods, nodes or Services, which never are")
        }
    }

    func run() async throws {
        try objects.checkChoice()
        try HostPreparation.requireRoot("the agent loads BPF programs and looks into network namespaces")
        FreeMemory.keepLittle()
        do {
            try HostPreparation.requireCapabilities("the agent")
            if let netns { try NamespaceEntry.enter(netns) }
            try await serve()
        } catch let code as ExitCode {
            throw code
        } catch {
            ErrorOutput.error("\(error)")
            throw ExitCode.of(error)
        }
    }

    private func serve() async throws {
        // From here on a signal ends the agent in order, whatever it is doing.
        let signals = SignalListener([SIGTERM, SIGINT, SIGHUP])
        // Whoever reads the log may go away: that is no reason to end.
        signal(SIGPIPE, SIG_IGN)
        let handler = LineLogHandler(logFormat)
        defer { handler.writer.flush() }
        var logger = Logger(label: "netpold") { _ in handler }
        logger.logLevel = logLevel
        let lock = try instance.paths().takeLock()
        defer { withExtendedLifetime(lock) {} }
        // Before anything is loaded: whatever can be refused is, and leaves nothing behind.
        let node = NodeName.resolve(option: self.node, hostname: ProcessInfo.processInfo.hostName)
        let source = try objects.source(
            node: node, writer: "\(node)_\(UUID())",
            lastGood: LastGoodFiles(folder: instance.paths().lastGood))
        let server = try LocalServer(path: instance.socketPath)
        defer { server.stop() }
        let running = RunningHealth()
        var probes: HealthServer?
        if let healthAddress { probes = try await HealthServer(healthAddress) { running.health } }
        let pins = try PinPath(instance: instance.instance)
        let started = StartedPins(pins)
        let service: AgentService
        do {
            service = try makeService(node, source, server, pins, logger)
        } catch {
            try started.undo()
            throw error
        }
        source.nodeStatus?.begin { service.summary }
        do {
            running.begin(service)
            try await AgentRun(
                service: service, signals: signals, once: once ? .seconds(60) : nil, logger: logger,
                others: (probes.map { [$0] } ?? []) + source.services
            ).run()
        } catch {
            if !service.hasEnforced { try started.undo() }
            throw error
        }
        guard once else { return }
        let problems = service.health.problems
        guard problems.isEmpty else {
            for problem in problems { ErrorOutput.error("\(problem.subject): \(problem.message)") }
            ErrorOutput.error("not everything is enforced as written")
            throw ExitCode.no
        }
    }

    private func makeService(
        _ node: String, _ source: ChosenSource, _ server: LocalServer, _ pins: PinPath, _ logger: Logger
    ) throws -> AgentService {
        let standing =
            HostPreparation.capabilityConditions()
            + (try HostPreparation.prepareFilesystem(allowsPrivate: allowPrivateBpffs, logger))
        let (serviceSettings, choice) = chooseServices()
        logger.notice("objects", metadata: ["from": "\(source.words)"])
        logger.notice("services", metadata: ["mode": "\(choice.mode)", "reason": "\(choice.reason)"])
        var datapathOptions = DatapathOptions(pins: pins)
        datapathOptions.services = serviceSettings.mode
        datapathOptions.fastPath = fastPath
        datapathOptions.host = try host.settings()
        if l7Proxy { datapathOptions.proxy = ProxyPlace(instance: instance.instance) }
        let datapath = try NodeDatapath(datapathOptions)
        try datapath.set(
            NameOptions(
                refusal: dnsRefusal, leastTTL: fqdnMinTtl, dropsInexact: dnsDropInexact,
                linkLocalRanges: fqdnAllowPrivate))
        let names = try makeNames(datapath, logger)
        let columnFile = RecordFile<ColumnRecords>(path: try instance.paths().columns)
        let columns = ColumnRecords.adopt(
            load(columnFile, logger), record: try datapath.columnRecord, next: try datapath.nextNameColumns)
        let rules = RuleSnapshotWriter(try instance.paths()) { problem in
            logger.error("the proxy's rules cannot be written", metadata: ["error": "\(problem)"])
        }
        datapath.onRules = { rules.write($0, $1) }
        let pinned = datapath.identities
        let adopted = datapath.adoptedInterfaces
        let places = HostScanner.Places(
            namespaces: netnsDir, cniCaches: cniCache.isEmpty ? HostScanner.Places.systemCaches : cniCache,
            cniRecords: try instance.paths().cniRecords)
        logger.notice(
            "datapath loaded",
            metadata: [
                "instance": "\(instance.instance)", "attachment": "\(datapath.attachment.rawValue)",
                "adopted": .stringConvertible(pinned.addresses.count),
            ])
        HostPreparation.report(datapath.otherVersions, logger)
        var allocator = IdentityAllocator(pinnedAddresses: pinned.addresses, pinnedPrefixes: pinned.prefixes)
        allocator.columns = columns.columns
        let keeping = ColumnKeepingCompiler(
            NodePolicyCompiler(
                allocator: allocator, services: serviceSettings, host: datapathOptions.host.mode != .off,
                former: try makeFormerHost(datapathOptions.host, logger)),
            columns: columns.columns,
            record: columns.record
        ) { try columnFile.save($0) }
        return AgentService(
            options: .init(
                instance: instance.instance,
                settings: .init(
                    binding: .init(node: node, source: source.kind, unknown: unknown), onRefused: onRefused,
                    standing: standing),
                services: choice, proxyState: try instance.paths().proxyState),
            ports: .init(
                sources: [source.source],
                node: WatchedNode(HostScanner(places), folders: [places.namespaces] + places.cniCaches),
                datapath: datapath,
                compiler: verify ? VerifyingCompiler(keeping) { try KernelDecider($0) } : keeping,
                bindings: RecordFile(path: try instance.paths().bindings, limit: BindingRecords.fileLimit),
                names: names,
                denials: try DenialReader(path: try instance.paths().denials)),
            server: server, pinned: adopted, logger: logger)
    }
}

extension AgentCommand {
    /// Goes on from what pods had learnt, and keeps what they learn.
    private func makeNames(_ datapath: NodeDatapath, _ logger: Logger) throws -> NameFeed? {
        guard let reader = try datapath.makeNameReader() else { return nil }
        let file = RecordFile<[NameRecords.Pod]>(path: try instance.paths().names)
        let history = NameHistory(isShared: fqdnScope == .node)
        history.restore(load(file, logger) ?? [])
        let feed = NameFeed(history: history, reader: reader, file: file)
        datapath.history = {
            try? feed.drain(for: NameFeed.patience)
            return history.look()
        }
        return feed
    }

    /// What host policies go back to, where changes of them are to be confirmed.
    private func makeFormerHost(_ settings: HostSettings, _ logger: Logger) throws -> FormerHostPolicies? {
        guard settings.mode == .enforce, settings.confirmSeconds > 0 else { return nil }
        let file = RecordFile<HostPolicyRecords>(path: try instance.paths().hostPolicies)
        return FormerHostPolicies(load(file, logger)) {
            try file.save($0)
        } report: { error in
            logger.error(
                "the host policies cannot be written down: an agent that starts before they are confirmed goes back to audit",
                metadata: ["error": "\(error)"])
        }
    }

    /// What an earlier agent wrote down; nothing, with a line in the log, where it cannot be read.
    private func load<Record>(_ file: RecordFile<Record>, _ logger: Logger) -> Record? {
        do throws(SystemError) {
            return try file.load()
        } catch {
            logger.error("what an earlier agent has written down is not known", metadata: ["error": "\(error)"])
            return nil
        }
    }
    /// What the node does about Services, and why.
    private func chooseServices() -> (ServiceSettings, ServiceChoice) {
        let scan = TranslatorScan()
        let choice = ServiceChoice(asked: services, findings: scan.findings, unread: scan.unread)
        var settings = ServiceSettings(mode: ServiceMode(rawValue: choice.mode) ?? .translate)
        if !nodeLocalDns.isEmpty { settings.listeners = Set(nodeLocalDns) }
        return (settings, choice)
    }
}
