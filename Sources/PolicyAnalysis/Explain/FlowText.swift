public import NetTypes
import PolicyAPI
public import PolicyIR

/// A flow as people write it (FROM, TO and the port of `netpold explain`), looked up among objects.
public struct FlowText: Hashable, Sendable {
    /// Who begins it.
    public let from: String
    /// Whom it is for.
    public let to: String
    /// Port and protocol.
    public let traffic: String

    /// A flow's text.
    public init(from: String, to: String, traffic: String) {
        self.from = from
        self.to = to
        self.traffic = traffic
    }

    /// What is wrong with a text, and what to write instead.
    public struct Mistake: Error, CustomStringConvertible {
        /// In words.
        public let description: String

        /// A mistake.
        public init(description: String) { self.description = description }
    }

    /// Refuses what no object can make right.
    public func validate() throws(Mistake) {
        for text in [from, to]
        where FlowEnd(parsing: text) == nil && FlowTarget(parsing: text) == nil && !FlowText.isBareName(text) {
            let isAddress = IPAddress(parsing: text) != nil
            throw Mistake(
                description: "'\(text)' is not an end of a flow; "
                    + (isAddress
                        ? "write ip:\(text)"
                        : "write namespace/pod, deploy/NAME, ip:ADDRESS, ip:PREFIX, world, host, remote-node, "
                            + "masqueraded:ADDRESS, or as TO svc/NAME"))
        }
        if let known = TrafficName(parsing: traffic), known.protocol.hasPorts, known.port == 0 {
            throw Mistake(description: "'\(traffic)': nothing can be sent to port 0")
        }
        guard TrafficName(parsing: traffic) != nil || PortName(parsing: traffic) != nil else {
            throw Mistake(
                description:
                    "'\(traffic)' is not a port and protocol; write 80/TCP, 53/UDP, 9/SCTP, ICMP/8 or ICMPv6/128, "
                    + "or the name of a port of the destination: http/TCP")
        }
    }

    /// A request that a flow of a protocol carries.
    ///
    /// - Throws: when the protocol cannot carry it.
    public static func check(_ request: L7Request, over protocol: L4Protocol) throws(Mistake) {
        let (option, isDNS) =
            switch request {
            case .dns: ("--dns", true)
            case .serverName: ("--sni", false)
            case .http: ("--http", false)
            }
        guard `protocol` == .tcp || (isDNS && `protocol` == .udp) else {
            throw Mistake(description: "\(option) needs a \(isDNS ? "UDP or TCP" : "TCP") port, not \(`protocol`)")
        }
    }

    /// The flow between two ends that these texts stand for.
    ///
    /// - Throws: `Mistake` when a port's name is not among the objects.
    func flow(
        from sender: FlowEnd, to receiver: FlowEnd, in objects: ClusterObjects, _ view: ClusterView
    ) throws(Mistake) -> Flow {
        if let known = TrafficName(parsing: traffic) {
            return Flow(from: sender, to: receiver, protocol: known.protocol, port: known.port)
        }
        guard let name = PortName(parsing: traffic) else { throw Mistake(description: "'\(traffic)' is not a port") }
        let port: UInt16
        if case .service(let namespace, let service) = receiver {
            port = try number(name, of: service, in: namespace, sender, objects)
        } else {
            port = try number(name, at: receiver, view)
        }
        return Flow(from: sender, to: receiver, protocol: name.protocol, port: port)
    }

    func end(_ text: String, _ objects: ClusterObjects) throws(Mistake) -> FlowEnd {
        let pods = objects.pods.map(\.qualifiedName).sorted()
        // A supposed pod's name has its labels' slashes.
        if text.contains("=") || text.hasSuffix("/"), pods.contains(text) {
            let namespace = String(text.prefix { $0 != "/" })
            return .pod(namespace: namespace, name: String(text.dropFirst(namespace.count + 1)))
        }
        guard let end = FlowEnd(parsing: text) else {
            if let node = objects.nodes.first(where: { $0.metadata.name == text }) {
                let address = node.addresses.first.map { "ip:\($0)" } ?? "remote-node"
                throw Mistake(description: "\(text) is a node; write host if it is the local one, else \(address)")
            }
            if !pods.contains(where: { $0.hasSuffix("/\(text)") }),
                let near = Spelling.nearest(to: text, among: ["world", "host", "remote-node"])
            {
                throw Mistake(description: "\(text) is not an end of a flow; did you mean \(near)?")
            }
            if FlowText.isDNSName(text), !pods.contains(where: { $0.hasSuffix("/\(text)") }) {
                throw Mistake(description: "\(text) is not an end of a flow; \(FlowText.insteadOf(text, objects))")
            }
            throw Mistake(
                description: "\(text) is not an end of a flow: a pod needs its namespace"
                    + NameHint.text(text, pods, noun: "pods"))
        }
        if case .service(nil, let name) = end, pods.contains(text) { return .pod(namespace: "svc", name: name) }
        guard case .pod(let namespace, let name) = end, !pods.contains(text) else { return end }
        if let service = objects.services.first(where: {
            $0.metadata.namespace == namespace && $0.metadata.name == name
        }) {
            throw Mistake(description: "\(service.qualifiedName) is a Service; write svc/\(service.qualifiedName)")
        }
        throw Mistake(description: "there is no pod \(text)\(NameHint.text(text, pods, noun: "pods"))")
    }

    /// The number of a Service's port.
    private func number(
        _ name: PortName, of service: String, in namespace: String?, _ sender: FlowEnd, _ objects: ClusterObjects
    ) throws(Mistake) -> UInt16 {
        var space = namespace
        if case .pod(let own, _) = sender { space = space ?? own }
        let known = objects.services.first { $0.metadata.name == service && $0.metadata.namespace == space }
        guard let known else { throw Mistake(description: "there is no Service \(space ?? "?")/\(service)") }
        let found = known.ports.first { $0.name == name.name && $0.protocol == name.protocol }
        if let found { return found.port }
        let names = known.ports.filter { !$0.name.isEmpty }.map { "\($0.name)/\($0.protocol)" }.sorted()
        let hint =
            names.isEmpty ? "; it names none" : NameHint.text("\(name.name)/\(name.protocol)", names, noun: "its ports")
        throw Mistake(
            description: "Service \(known.qualifiedName) has no \(name.protocol) port named \(name.name)\(hint)")
    }

    private func number(_ name: PortName, at end: FlowEnd, _ view: ClusterView) throws(Mistake) -> UInt16 {
        var pod: Pod?
        switch end {
        case .pod(let namespace, let name): pod = view.pod(namespace, name)
        case .address(let address): if case .pod(let owner) = view.owner(of: address) { pod = owner }
        case .host, .remoteNode, .masqueraded, .service: break
        }
        guard let pod else {
            throw Mistake(description: "\(end) is not a pod, so it names no ports; write the port's number")
        }
        let numbers = Array(Set(pod.ports(named: name.name, name.protocol))).sorted()
        if numbers.count == 1 { return numbers[0] }
        if numbers.count > 1 {
            let list = numbers.map { "\($0)/\(name.protocol)" }.joined(separator: " or ")
            throw Mistake(description: "pod \(pod.qualifiedName) has several ports named \(name.name); write \(list)")
        }
        let names = pod.ports.filter { !$0.name.isEmpty }.map { "\($0.name)/\($0.protocol)" }
        let hint =
            names.isEmpty
            ? "; it names none" : NameHint.text("\(name.name)/\(name.protocol)", names.sorted(), noun: "its ports")
        throw Mistake(
            description: "pod \(pod.qualifiedName) has no \(name.protocol) port named \(name.name)\(hint)")
    }

    /// What to write instead of a name of DNS: of a pod or Service, where there is one, else of somebody outside.
    private static func insteadOf(_ name: String, _ objects: ClusterObjects) -> String {
        let labels = name.split(separator: ".")
        let qualified = labels.count > 1 ? "\(labels[1])/\(labels[0])" : name
        if objects.services.contains(where: { $0.qualifiedName == qualified }) {
            return "did you mean svc/\(qualified)?"
        }
        if objects.pods.contains(where: { $0.qualifiedName == qualified }) { return "did you mean \(qualified)?" }
        return "write ip:ADDRESS with an address of that name, and without --live, for rules with toFQDNs, "
            + "--name \(name)=ADDRESS"
    }

    /// Whether a text may be a name of DNS: it has a dot, and ends with letters.
    private static func isDNSName(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count > 1, let last = labels.last, last.count > 1, last.allSatisfy(\.isLetter) else {
            return false
        }
        return labels.allSatisfy { label in
            !label.isEmpty && label.utf8.allSatisfy { $0 == 0x2d || isLetterOrDigit($0) }
        }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }

    /// A pod without its namespace, or a mistyped word.
    static func isBareName(_ text: String) -> Bool {
        !text.isEmpty && !text.contains("/") && !text.contains(":") && IPAddress(parsing: text) == nil
    }
}

/// A container port's name and its protocol as people write them: `http/TCP`, `http`.
struct PortName {
    let name: String
    let `protocol`: L4Protocol

    /// Whether a text is a port's name alone.
    static func isName(_ text: String) -> Bool { !text.contains("/") && PortName(parsing: text) != nil }

    init?(parsing text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let wanted = parts.count == 2 ? L4Protocol(parsing: parts[1]) : .tcp
        guard let wanted, wanted.hasPorts, parts.count <= 2, L4Protocol(parsing: parts[0]) == nil else { return nil }
        // "Port names: at most 15 of a-z, 0-9 and -, with a letter."
        guard (1...15).contains(parts[0].utf8.count),
            parts[0].utf8.allSatisfy({ (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d }),
            parts[0].utf8.contains(where: { (0x61...0x7a).contains($0) })
        else { return nil }
        name = parts[0]
        self.protocol = wanted
    }
}
