public import Agent
public import ArgumentParser
import Datapath
import Foundation
import Glibc
public import Logging
import PolicyAPI
import PolicyIR
import Support

/// `netpold agent`.
struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "Enforce the policies of a folder of manifests on this node's pods, and keep doing so.",
        discussion: """
            Which interface is which pod is decided by what the host knows: the CNI result cache, cgroups, routes; the addresses \
            inside a namespace only count where there is nothing else. A pod stays enforced until its interface is gone. Changes \
            of the folder are applied in place; refused updates leave the last good version in force, and pods that a refused new policy selects are isolated. \
            When the agent ends or is killed, what it loaded goes on enforcing; the next agent of the same instance adopts \
            it. `netpold detach` removes it.

            A network namespace that is known to be a pod's (by the CNI result cache, a cgroup, or because it was enforced \
            before) and has no Pod object is isolated under --unknown isolate: only the node reaches it, so that probes work, \
            and it reaches nobody. Under open it is reported and left alone. all-isolate does the same to every other mounted \
            namespace. What was enforced before stays enforced under each of them. Pods run here whose nodeName is --node, and \
            those without a nodeName; the name is fixed when the agent starts.

            Exit codes: 0 ended by a signal (with --once: everything read is in force; the log and `netpold lint` report what is \
            refused); 1 an agent of the instance is running, or with --once time ran out or a pod is not enforced as its policies \
            ask for; 2 wrong arguments; 3 not root, or the machine cannot do it.

            Example: netpold agent --manifests /etc/netpold
            """)

    @Option(help: ArgumentHelp("Folder of manifests, read recursively and watched.", valueName: "folder"))
    var manifests: String

    @OptionGroup var instance: InstanceOptions

    @Option(help: ArgumentHelp("Enforce in this network namespace instead of the caller's.", valueName: "path"))
    var netns: String?

    @Option(help: ArgumentHelp("Where the pods' network namespaces are mounted.", valueName: "folder"))
    var netnsDir = HostScanner.Places.systemNamespaces

    @Option(
        help: ArgumentHelp(
            """
            Where the container runtime keeps CNI results; may be repeated. (default: /var/lib/cni/results and \
            /var/lib/cni/cache/results)
            """, valueName: "folder"))
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
            open, or isolate every mounted one. What was enforced before stays enforced. (default: open)
            """, valueName: "what"))
    var unknown: UnknownNamespaces?

    @Flag(help: "Compare each new state with the reference evaluator in the kernel before it is put in force.")
    var verify = false

    @Option(help: ArgumentHelp("The least severe messages to log.", valueName: "level"))
    var logLevel = Logger.Level.notice

    @Flag(help: "Pin to a bpffs that only this mount namespace sees: pods are open when that namespace goes.")
    var allowPrivateBpffs = false

    @Flag(help: "Put everything in force once, then end.")
    var once = false

    func validate() throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: manifests, isDirectory: &isFolder), isFolder.boolValue else {
            throw ValidationError("--manifests \(manifests): no such folder")
        }
        if let netns, !FileManager.default.fileExists(atPath: netns) {
            throw ValidationError("--netns \(netns): no such file; `ip netns` makes them in /run/netns")
        }
    }

    func run() async throws {
        guard geteuid() == 0 else {
            ErrorOutput.error(
                "the agent loads BPF programs and looks into network namespaces: run it as root (or with sudo)"
            )
            throw ExitCode.machine
        }
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
        var logger = Logger(label: "netpold") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = logLevel
        let lock = try instance.paths().takeLock()
        defer { withExtendedLifetime(lock) {} }
        let lastGood = try LastGoodFiles(folder: instance.paths().lastGood)
        // Before anything is loaded: a folder that cannot be read at all is the user's mistake.
        let source = try FolderSource(manifests, lastGood: lastGood) { path in
            do throws(SystemError) {
                let bytes = try ManifestFiles.read(path)
                let file = ManifestFile(decoding: bytes, file: path)
                if file.isGood { lastGood.save(path, bytes) }
                return file
            } catch {
                return ManifestFile(unreadable: Diagnostic(unreadable: error))
            }
        }
        let standing =
            HostPreparation.capabilityConditions()
            + (try HostPreparation.prepareFilesystem(allowsPrivate: allowPrivateBpffs, logger))
        let datapath = try NodeDatapath(DatapathOptions(pins: try PinPath(instance: instance.instance)))
        let pinned = datapath.identities
        let adopted = datapath.adoptedInterfaces
        let places = HostScanner.Places(
            namespaces: netnsDir, cniCaches: cniCache.isEmpty ? HostScanner.Places.systemCaches : cniCache)
        logger.notice(
            "datapath loaded",
            metadata: [
                "instance": "\(instance.instance)", "attachment": "\(datapath.attachment.rawValue)",
                "adopted": "\(pinned.addresses.count)",
            ])
        HostPreparation.report(datapath.otherVersions, logger)
        let compiler = NodePolicyCompiler(
            allocator: IdentityAllocator(pinnedAddresses: pinned.addresses, pinnedPrefixes: pinned.prefixes))
        let service = AgentService(
            options: .init(
                instance: instance.instance,
                settings: .init(
                    binding: .init(
                        node: NodeName.resolve(option: node, hostname: ProcessInfo.processInfo.hostName),
                        source: .folder, unknown: unknown), onRefused: onRefused, standing: standing)),
            ports: .init(
                sources: [source],
                node: WatchedNode(HostScanner(places), folders: [places.namespaces] + places.cniCaches),
                datapath: datapath,
                compiler: verify ? VerifyingCompiler(compiler) { try KernelDecider($0) } : compiler,
                bindings: BindingFile(path: try instance.paths().bindings)),
            pinned: adopted, logger: logger)
        let server = try LocalServer(path: instance.socketPath)
        defer { server.stop() }
        try await service.start(server: server)
        if once {
            let isInForce = await service.waitUntilInForce(.seconds(60))
            await service.stop()
            if !isInForce {
                ErrorOutput.error("not everything is in force after 60 s; the log and `netpold status` say what is not")
                throw ExitCode.no
            }
            guard await !service.hasSevereConditions else {
                ErrorOutput.error("not everything is enforced as the policies ask for; the log says what is not")
                throw ExitCode.no
            }
        } else {
            let signal = await TerminationSignal.wait()
            await service.stop()
            logger.notice("ending; what is loaded goes on enforcing", metadata: ["signal": "\(signal)"])
        }
    }
}

extension RefusedPolicy: ExpressibleByArgument {}
extension UnknownNamespaces: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}
