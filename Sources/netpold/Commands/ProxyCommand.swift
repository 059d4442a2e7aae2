import Agent
import ArgumentParser
import Foundation
import Glibc
import L7Proxy
import NIOCore
import NetTypes
import PolicyAPI
import Support

/// `netpold proxy`.
struct ProxyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "proxy",
        abstract:
            "Decide HTTP and gRPC requests by HTTP rules: as the node's proxy, or for trying policies on a laptop.",
        discussion: """
            With --listen, --to, -f and --pod it is a proxy by itself, without root and without an agent: clients connect to \
            --listen, the server is at --to, and each request is decided by the HTTP rules that the manifests have for the pod in \
            --direction (ingress: it is the server; egress: it is the client) at --port (default: that of --to). With --peer the \
            rules count that a flow with this peer meets, without it those of all peers. An allowed request is forwarded as it \
            came, byte for byte; a denied one is answered 403 Access denied (gRPC: status 7), bytes that are not exactly HTTP \
            400 with the reason's name. The access log names the rule that decided, or the one that came nearest and what the \
            request fails of it; values of the query and of headers are never in it. Changed manifests hold for the next request of \
            open connections; ones that cannot be taken change nothing, and are reported. (A new file in a folder: SIGHUP.)

            Without --listen it is the proxy of the agent's instance: root, beside `netpold agent`. It takes the connections that \
            policies with HTTP rules hand to it, and enforces the agent's snapshot of the rules (--rules), which it re-reads when \
            the agent replaces it. It needs no running agent: it starts from the last snapshot. Without a snapshot every request is \
            denied. When it is down such connections are refused; nothing else is touched. Where the agent has not made its place yet it \
            says so and waits. --state-file exists while it serves and says which revision is in force, and --probe asks \
            whether it does; with systemd use Type=notify.

            SIGTERM and SIGINT end it: no new connections, requests under way get --drain seconds. SIGHUP reads the rules again.

            Exit codes: 0 ended by a signal; 1 with --probe, it does not serve; 2 wrong arguments or manifests; 3 the machine cannot do it: address in use, not root.

            Example: netpold proxy --listen 127.0.0.1:8080 --to 127.0.0.1:80 -f policies/ --pod shop/api
                     curl -i http://127.0.0.1:8080/admin
            """)

    @Option(
        help: ArgumentHelp(
            "Accept clients here: 127.0.0.1:8080, [::1]:8080; port 0 for a free one.", valueName: "address"))
    var listen: SocketAddressArgument?

    @Option(help: ArgumentHelp("Forward allowed requests to this server.", valueName: "address"))
    var to: SocketAddressArgument?

    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp("Manifests: a file or folder. May be repeated.", valueName: "path"), completion: .file())
    var files: [String] = []

    @Option(help: ArgumentHelp("The pod whose policies decide: namespace/name.", valueName: "pod"))
    var pod: String?

    @Option(help: ArgumentHelp("ingress: the pod is the server. egress: it is the client.", valueName: "direction"))
    var direction = ProxyDirection.ingress

    @Option(
        help: ArgumentHelp("The other end: namespace/pod, ip:ADDRESS. (default: rules of all peers)", valueName: "end"))
    var peer: String?

    @Option(help: ArgumentHelp("The port in the policies. (default: that of --to)", valueName: "port"))
    var port: UInt16?

    @OptionGroup(title: "As the node's proxy")
    var instance: InstanceOptions

    @Option(
        help: ArgumentHelp(
            "The agent's snapshot of HTTP rules. (default: /run/netpold/INSTANCE.proxy-rules.json)", valueName: "path"),
        completion: .file())
    var rules: String?

    @Option(
        help: ArgumentHelp(
            "Exists while requests are served, with pid, revision of the rules and what was refused. (default: /run/netpold/INSTANCE.proxy.json)",
            valueName: "path"), completion: .file())
    var stateFile: String?

    @Option(
        help: ArgumentHelp(
            "Where a line for each request goes: a file, - for standard output, or none.", valueName: "path"),
        completion: .file())
    var accessLog = "-"

    @Option(
        help: ArgumentHelp(
            "How it is written: text or json. (default: text on a terminal, else json)", valueName: "format"))
    var accessLogFormat: AccessLog.Format?

    @Flag(help: "Ask whether the node's proxy serves, and end: 0 if it does, else 1. For readiness probes.")
    var probe = false

    @Option(help: "Event loops, each with a listener of its own. (default: one for each core)")
    var loops: Int?

    @Option(
        help: ArgumentHelp(
            "Connections of clients at once; those beyond are closed, counted and logged.", valueName: "count"))
    var connections = 20_000

    @Option(
        help: ArgumentHelp(
            "Of one client, a pod or an address, so that the others find room. (default: a quarter of --connections; with --listen all)",
            valueName: "count"))
    var connectionsPerClient: Int?

    @Option(help: ArgumentHelp("How long requests under way may take at the end.", valueName: "seconds"))
    var drain = 30

    /// Whether it is the form without datapath and agent.
    private var isAlone: Bool { listen != nil }

    func validate() throws {
        guard !(probe && isAlone) else {
            throw ValidationError("--probe asks the node's proxy; --listen is another one")
        }
        if let loops, !(1...256).contains(loops) { throw ValidationError("--loops \(loops): 1 to 256") }
        guard (1...1_000_000).contains(connections) else {
            throw ValidationError("--connections \(connections): 1 to 1000000")
        }
        if let connectionsPerClient, !(1...connections).contains(connectionsPerClient) {
            throw ValidationError(
                "--connections-per-client \(connectionsPerClient): 1 to \(connections), which are all (--connections)")
        }
        guard drain >= 0, drain <= 86_400 else { throw ValidationError("--drain \(drain): 0 to 86400 seconds") }
        guard isAlone else {
            guard to == nil, files.isEmpty, pod == nil, peer == nil, port == nil else {
                throw ValidationError(
                    "--to, -f, --pod, --peer and --port belong to --listen: netpold proxy --listen 127.0.0.1:8080 --to "
                        + "127.0.0.1:80 -f policies/ --pod namespace/name")
            }
            return
        }
        guard to != nil else { throw ValidationError("--listen needs the server's address: --to 127.0.0.1:80") }
        guard !files.isEmpty else { throw ValidationError("--listen needs manifests with HTTP rules: -f policies/") }
        guard pod != nil else {
            throw ValidationError("--listen needs the pod whose policies decide: --pod namespace/name")
        }
        guard !files.contains("-") else {
            throw ValidationError("-f - cannot be read again when it changes; name a file or folder")
        }
        guard rules == nil else { throw ValidationError("--rules is the node's snapshot; --listen takes -f") }
    }

    func run() async throws {
        do {
            if probe { return try answerProbe() }
            let run = ProxyRun(
                loops: loops ?? System.coreCount, drain: .seconds(Int64(drain)), state: try state(), log: try openLog(),
                connections: connections,
                connectionsOfClient: connectionsPerClient ?? (isAlone ? connections : max(1, connections / 4)))
            if isAlone { try await serveAlone(run) } else { try await serveNode(run) }
        } catch let code as ExitCode {
            throw code
        } catch let mistake as TriedRules.Mistake {
            ErrorOutput.write(
                try DiagnosticOutput(format: .text, stream: .error, standardInput: nil).render(mistake.diagnostics))
            ErrorOutput.error("\(mistake)")
            throw ExitCode.badInput
        } catch let error as IOError {
            let hint = error.errnoCode == EADDRINUSE ? "; another process listens there: choose another port" : ""
            ErrorOutput.error("listen: \(String(cString: strerror(error.errnoCode)))\(hint)")
            throw ExitCode.machine
        } catch {
            ErrorOutput.error("\(error)")
            throw ExitCode.of(error)
        }
    }

    private func serveAlone(_ run: ProxyRun) async throws {
        guard let listen, let to, let pod else { return }
        let tried = TriedRules(
            files: files, pod: pod, direction: direction.value, peer: peer, port: port ?? to.port)
        let found = try tried.find(revision: 1)
        ErrorOutput.write(
            try DiagnosticOutput(format: .text, stream: .error, standardInput: nil).render(found.diagnostics))
        guard !found.diagnostics.hasErrors else { throw ExitCode.badInput }
        try await run.serve(tried, found, listen: listen.address, to: to.address)
    }

    private func serveNode(_ run: ProxyRun) async throws {
        try HostPreparation.requireRoot(
            "the node's proxy stands in for other hosts' addresses",
            hint: "to try policies without root: "
                + "netpold proxy --listen 127.0.0.1:8080 --to 127.0.0.1:80 -f policies/ --pod namespace/name")
        let path = try rules ?? instance.paths().proxyRules
        // What a proxy that was killed has left says that it serves.
        run.state?.remove()
        guard await NodeProxyPorts.awaitPlace(instance: instance.instance) else { return }
        let ports = try NodeProxyPorts.open(instance: instance.instance, listeners: run.loops)
        try await run.serve(ports, rules: path, telling: DenialFeed(path: try instance.paths().denials))
    }

    private func answerProbe() throws {
        let path = try stateFile ?? instance.paths().proxyState
        guard ProxyStatus.read(path) == nil else { return }
        ErrorOutput.error("\(path): no proxy serves")
        throw ExitCode.failure
    }

    private func state() throws -> ProxyState? {
        if let stateFile { return ProxyState(path: stateFile) }
        return isAlone ? nil : ProxyState(path: try instance.paths().proxyState)
    }

    private func openLog() throws -> AccessLog? {
        if accessLog == "none" { return nil }
        let isTerminal = accessLog == "-" && isatty(STDOUT_FILENO) == 1
        let format = accessLogFormat ?? (isTerminal ? .text : .json)
        if accessLog == "-" { return AccessLog(descriptor: STDOUT_FILENO, format: format) }
        let path = accessLog
        let descriptor = try SystemError.check("open", path) {
            open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        }
        return AccessLog(descriptor: descriptor, format: format)
    }
}

/// `--direction`.
enum ProxyDirection: String, CaseIterable, ExpressibleByArgument {
    case ingress, egress

    /// As policies have it.
    var value: Direction {
        switch self {
        case .ingress: .ingress
        case .egress: .egress
        }
    }
}
