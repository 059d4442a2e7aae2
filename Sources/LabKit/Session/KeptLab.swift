import Agent
import Datapath
import Glibc
import NetTypes
public import PolicyIR
public import Support

/// A lab that stays, from another process: probes in it.
public final class KeptLab {
    private let name: String
    private let folder: LabFolder
    private var state: LabState
    private let network: RoutedNetwork
    private let interrupt: Interrupt

    /// The lab of a name, held while this lives.
    ///
    /// - Throws: `LabFailure` when there is none, it is in use, or without root.
    public init(_ name: String, interrupt: Interrupt) throws {
        guard geteuid() == 0 else { throw LabFailure.environment("entering a namespace needs root; run it with sudo") }
        guard let state = LabFolder.state(of: name), state.isKept else {
            throw LabFailure.environment(
                "there is no kept lab \"\(name)\"; `netpold lab MANIFESTS --keep\(LabSession.option(name))` makes one")
        }
        self.name = name
        self.state = state
        self.interrupt = interrupt
        folder = try LabFolder(claiming: name)
        network = try LabResponders.network(of: state, lab: name)
        LabProcess.raiseFileLimit()
    }

    /// What it was built from.
    public var choice: LabChoice? { state.choice }
    /// Whether agents follow its manifests.
    public var hasAgents: Bool { !state.agents.isEmpty }

    /// Tries everything that a plan has, as the run that built the lab did.
    ///
    /// - Throws: `LabFailure` when the plan has other pods or nodes than the lab.
    public func measure(_ plan: LabPlan) throws -> LabResult {
        guard plan.pods == state.pods, plan.nodes == state.nodes else {
            throw LabFailure.input(
                "the manifests have other pods now than when lab \"\(name)\" was built; "
                    + "`netpold lab --down\(LabSession.option(name))`, and build it again")
        }
        let probing = LabProbing(plan: plan)
        let (served, zone) = (probing.served, probing.zone)
        if Set(served) != Set(state.served) || zone != state.names {
            state.served = served
            state.names = zone
            try LabResponders.start(&state, folder, interrupt)
        }
        try waitForAgents()
        return try LabMeasuring(plan: plan, interrupt: interrupt).result(network, EventLoop())
    }

    /// Waits until what the agents have read is in force.
    private func waitForAgents() throws {
        for node in state.nodes.indices where hasAgents {
            guard let paths = InstancePaths(instance: folder.instance(ofNode: node)) else { continue }
            let client = try LocalClient(path: paths.socket)
            try client.send(.wait(timeoutMilliseconds: 10_000))
            guard case .waited(inForce: true, _) = try client.next() else {
                throw LabFailure.environment(
                    "the agent of \(state.nodes[node].name) has not put the manifests in force; "
                        + "`netpold status --instance \(folder.instance(ofNode: node))` says why")
            }
        }
    }

    // MARK: one probe

    /// What one probe found.
    public struct Finding: Sendable {
        /// From and to, as addresses.
        public let addresses: String
        /// What came back, in words.
        public let words: String
        /// Whether an answer came.
        public let isAnswered: Bool
    }

    /// Tries one flow, over each address family that both ends have.
    ///
    /// - Parameters:
    ///   - from: a pod as `namespace/name`, `host`, `host/NODE`, or `outside`.
    ///   - to: the same, `svc/NAMESPACE/NAME`, `svc/NAME` of the sender's namespace, or `ip:ADDRESS`.
    ///   - traffic: TCP or UDP and a port, or ICMP.
    /// - Returns: one finding for each family.
    /// - Throws: `LabFailure` when an end is not in the lab.
    public func probe(from: String, to: String, _ traffic: TrafficName) throws -> [Finding] {
        let sender = try place(from)
        let target = try destinations(to, from: from)
        try waitForAgents()
        let pairs = [true, false].compactMap { isIPv4 -> (IPAddress, IPAddress)? in
            guard let source = sender.addresses.first(where: { $0.isIPv4 == isIPv4 }),
                let destination = target.first(where: { $0.isIPv4 == isIPv4 })
            else { return nil }
            return (source, destination)
        }
        guard !pairs.isEmpty else { throw LabFailure.input("\(from) and \(to) have no common address family") }
        let probes = pairs.map { source, destination in
            let wire: L4Protocol =
                traffic.protocol.isICMP ? (source.isIPv4 ? .icmp : .icmpv6) : traffic.protocol
            let waits = state.served.contains {
                $0.address == destination.description && $0.port == traffic.port && $0.waits == true
            }
            return Probe(
                namespace: sender.namespace, source: source, destination: destination, protocol: wire,
                port: traffic.protocol.isICMP ? 0 : traffic.port, retries: 1,
                request: waits ? .spokenGreeting : .greeting)
        }
        let outcomes = try LabMeasuring(plan: LabPlan.empty, interrupt: interrupt).probe(
            probes, "probing", EventLoop(), patience: .seconds(1))
        return zip(probes, outcomes).map { probe, outcome in
            let (words, isAnswered) = KeptLab.words(outcome)
            return Finding(
                addresses: "\(probe.source) -> \(probe.destination)", words: words, isAnswered: isAnswered)
        }
    }

    private static func words(_ outcome: ProbeOutcome) -> (String, Bool) {
        switch outcome {
        case .answered(by: ""): ("answered", true)
        case .answered(let name): ("answered by \(name)", true)
        case .resolved(let addresses): ("DNS answered \(addresses.map(\.description).joined(separator: ", "))", true)
        case .denied(let how): ("denied: \(how)", false)
        case .truncated: ("told to ask over TCP", false)
        case .refused: ("refused: it arrived where nobody serves the port", false)
        case .unreachable(let code): ("unreachable: \(code.description)", false)
        case .silent: ("no answer", false)
        }
    }

    /// Where probes come from.
    private func place(_ text: String) throws -> (namespace: NetworkNamespace, addresses: [IPAddress]) {
        if text == "outside" {
            let addresses = state.served.filter { $0.place == LabProbing.outside }.compactMap {
                IPAddress(parsing: $0.address)
            }
            return (network.outside, addresses)
        }
        if let node = node(text) { return (network.nodes[node], state.nodes[node].ipAddresses) }
        guard let pod = state.pods.first(where: { $0.qualifiedName == text }),
            let namespace = network.pods[pod.attachment]
        else { throw unknown(text) }
        return (namespace, pod.ipAddresses)
    }

    private func destinations(_ text: String, from: String) throws -> [IPAddress] {
        if text.hasPrefix("ip:") {
            guard let address = IPAddress(parsing: text.dropFirst(3)) else { throw unknown(text) }
            return [address]
        }
        let parts = text.split(separator: "/").map(String.init)
        if parts.first == "svc", (2...3).contains(parts.count) {
            let namespace = parts.count == 3 ? parts[1] : String(from.prefix { $0 != "/" })
            let service = state.services?.first { $0.namespace == namespace && $0.name == parts[parts.count - 1] }
            guard let service else {
                throw LabFailure.input(
                    "lab \"\(name)\" has no Service \(namespace)/\(parts[parts.count - 1]) with a cluster IP")
            }
            return service.addresses.compactMap { IPAddress(parsing: $0) }
        }
        return try place(text).addresses
    }

    private func node(_ text: String) -> Int? {
        if text == "host" { return 0 }
        return state.nodes.firstIndex { "host/\($0.name)" == text }
    }

    private func unknown(_ text: String) -> LabFailure {
        let names = state.pods.map(\.qualifiedName)
        let near = names.first { $0.hasSuffix("/\(text)") }.map { "; did you mean \($0)?" }
        return LabFailure.input(
            "there is no \(text) in lab \"\(name)\""
                + (near
                    ?? "; it has \(names.prefix(8).joined(separator: ", "))\(names.count > 8 ? ", ..." : ""), host and outside")
        )
    }
}
