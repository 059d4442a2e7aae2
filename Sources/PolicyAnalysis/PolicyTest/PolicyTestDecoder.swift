import NetTypes
public import PolicyAPI
import PolicyIR

/// Reads PolicyTest documents. Every error is reported; a test with errors is not run.
public struct PolicyTestDecoder {
    private var diagnostics: [Diagnostic] = []

    /// The tests of one file, and the diagnostics about them. A document of another kind is an error.
    public static func decode(_ documents: [DocumentNode]) -> (tests: [PolicyTest], diagnostics: [Diagnostic]) {
        var decoder = PolicyTestDecoder()
        var tests: [PolicyTest] = []
        for document in documents {
            let before = decoder.diagnostics.count
            let test = decoder.test(document)
            if let test, decoder.diagnostics.count == before { tests.append(test) }
        }
        return (tests, decoder.diagnostics)
    }

    private mutating func test(_ node: DocumentNode) -> PolicyTest? {
        let before = diagnostics.count
        guard node["kind"]?.string == "PolicyTest", node["apiVersion"]?.string == "netpold.dev/v1alpha1" else {
            report(
                node, .unknownKind, "this is not a PolicyTest",
                "write apiVersion: netpold.dev/v1alpha1, kind: PolicyTest")
            return nil
        }
        guard let fields = map(node, ["apiVersion", "kind", "metadata", "spec"]), let spec = fields["spec"] else {
            report(node, .missingField, "a PolicyTest requires `spec`")
            return nil
        }
        guard let content = map(spec, ["manifests", "names", "localNode", "cases", "matrix"]) else { return nil }
        var names: [String: [IPAddress]] = [:]
        for member in content["names"]?.members ?? [] {
            names[PolicyTestDecoder.canonical(member.key)] = list(member.value).compactMap { address($0) }
        }
        let test = PolicyTest(
            name: fields["metadata"]?["name"]?.string ?? "", location: node.location,
            manifests: list(content["manifests"]).compactMap { text($0) }, names: names,
            localNode: content["localNode"].flatMap { text($0) },
            cases: list(content["cases"]).compactMap { flowCase($0) },
            matrix: list(content["matrix"]).compactMap { matrix($0) })
        if ["cases", "matrix"].allSatisfy({ content[$0].map { $0.isNull || $0.elements?.isEmpty == true } ?? true }),
            diagnostics.count == before
        {
            report(
                spec, .missingField, "the test has no cases and no matrix, so it tests nothing",
                "write `cases`, or leave the file out")
        }
        return test
    }

    private mutating func flowCase(_ node: DocumentNode) -> PolicyTestCase? {
        let known: Set = [
            "from", "to", "protocol", "port", "icmpType", "http", "dns", "sni", "expect", "egress", "ingress",
        ]
        guard let fields = map(node, known) else { return nil }
        guard let from = end(fields["from"], node, "from"), let to = end(fields["to"], node, "to"),
            let wanted = `protocol`(fields["protocol"], node)
        else { return nil }
        let key = wanted.isICMP ? "icmpType" : "port"
        let number = fields[key]?.integer.flatMap { UInt16(exactly: $0) }.flatMap {
            wanted.isICMP && $0 > 255 ? nil : $0
        }
        let name = wanted.isICMP ? nil : fields[key]?.string.flatMap { PortName.isName($0) ? $0 : nil }
        guard number != nil || name != nil else {
            report(
                fields[key] ?? node, .invalidValue,
                "\(wanted) requires `\(key)`, a number up to \(wanted.isICMP ? 255 : 65535)"
                    + (wanted.isICMP ? "" : " or the name of a port"))
            return nil
        }
        if case .service? = from {
            report(
                fields["from"] ?? node, .invalidValue, "a Service begins no flows",
                "write a pod behind it, namespace/pod")
        }
        if let surplus = fields[wanted.isICMP ? "port" : "icmpType"] {
            report(surplus, .conflict, "\(wanted) is tested with `\(key)`", "remove this field")
        }
        let expectations = ["expect", "egress", "ingress"].map { fields[$0].flatMap { expectation($0) } }
        if ["expect", "egress", "ingress"].allSatisfy({ fields[$0] == nil }) {
            report(node, .missingField, "the case has no expectation", "write expect: allow or expect: deny")
        }
        var written: FlowText?
        if from == nil || to == nil || number == nil {
            written = FlowText(
                from: fields["from"]?.string ?? "", to: fields["to"]?.string ?? "",
                traffic: name.map { "\($0)/\(wanted)" } ?? "\(wanted):\(number ?? 0)")
        }
        return PolicyTestCase(
            flow: Flow(from: from ?? .host, to: to ?? .host, protocol: wanted, port: number ?? 0), written: written,
            request: request(fields, wanted), expect: expectations[0], egress: expectations[1],
            ingress: expectations[2], location: node.location)
    }

    private mutating func matrix(_ node: DocumentNode) -> PolicyTestMatrix? {
        guard let fields = map(node, ["traffic", "denied"]) else { return nil }
        guard let text = fields["traffic"]?.string, let traffic = TrafficName(parsing: text) else {
            report(fields["traffic"] ?? node, .invalidValue, "traffic must have the form TCP:80 or ICMP:8")
            return nil
        }
        var denied: Set<PolicyTestMatrix.Pair> = []
        for element in list(fields["denied"]) {
            guard let pair = PolicyTestDecoder.pair(element.string ?? "") else {
                report(element, .invalidValue, "a pair must have the form shop/web>shop/db, of two different pods")
                continue
            }
            denied.insert(pair)
        }
        return PolicyTestMatrix(
            protocol: traffic.protocol, port: traffic.port, denied: denied, location: node.location)
    }

    /// A sender and a receiver, `a/x>b/y`, or as flows are printed, `a/x -> b/y`.
    private static func pair(_ text: String) -> PolicyTestMatrix.Pair? {
        var ends = text.split(separator: ">", omittingEmptySubsequences: false).map(String.init)
        guard ends.count == 2 else { return nil }
        if ends[0].hasSuffix("-") { ends[0].removeLast() }
        let pods = ends.compactMap { text -> String? in
            let name = text.split(separator: " ").joined(separator: " ")
            if case .pod? = FlowEnd(parsing: name) { return name }
            return nil
        }
        guard pods.count == 2, pods[0] != pods[1] else { return nil }
        return PolicyTestMatrix.Pair(from: pods[0], to: pods[1])
    }

    /// The request of a case: at most one of `http`, `dns` and `sni`.
    private mutating func request(_ fields: [String: DocumentNode], _ protocol: L4Protocol) -> L7Request? {
        let carriers: [(name: String, protocols: [L4Protocol])] = [
            ("http", [.tcp]), ("dns", [.udp, .tcp]), ("sni", [.tcp]),
        ]
        var requests: [L7Request] = []
        for (name, protocols) in carriers {
            guard let node = fields[name] else { continue }
            if !protocols.contains(`protocol`) {
                let list = protocols.map { "\($0)" }.joined(separator: " or ")
                report(node, .conflict, "\(name) requires protocol \(list), not \(`protocol`)")
            }
            if !requests.isEmpty {
                report(node, .conflict, "a case can send only one request", "write one case for each")
            }
            switch name {
            case "http": if let request = http(node) { requests.append(.http(request)) }
            case "dns": if let query = text(node) { requests.append(.dns(query)) }
            default: if let server = text(node) { requests.append(.serverName(server)) }
            }
        }
        return requests.first
    }

    private mutating func http(_ node: DocumentNode) -> HTTPRequest? {
        guard let fields = map(node, ["method", "path", "host", "headers"]) else { return nil }
        var headers: [HTTPRequest.Header] = []
        if let node = fields["headers"], let members = members(node) {
            headers = members.map { .init($0.key, text($0.value) ?? "") }
        }
        return HTTPRequest(
            method: fields["method"].flatMap { text($0) } ?? "GET", path: fields["path"].flatMap { text($0) } ?? "/",
            host: fields["host"].flatMap { text($0) } ?? "", headers: headers)
    }

    /// The end of a flow: `.some(nil)` for one that stands for several, `nil` with an error for what is none.
    private mutating func end(_ node: DocumentNode?, _ parent: DocumentNode, _ name: String) -> FlowEnd?? {
        if let text = node?.string {
            let end = FlowEnd(parsing: text)
            if case .address? = end { return end }
            if FlowTarget(parsing: text) != nil { return .some(nil) }
            if let end { return end }
        }
        report(
            node ?? parent, .invalidValue, "\(name) is not an end of a flow",
            "write namespace/pod, deploy/NAME, ip:ADDRESS, ip:PREFIX, world, host or remote-node; as a receiver also svc/NAME or "
                + "svc/NAMESPACE/NAME")
        return nil
    }

    private mutating func `protocol`(_ node: DocumentNode?, _ parent: DocumentNode) -> L4Protocol? {
        if let found = node?.string.flatMap(L4Protocol.init(parsing:)) { return found }
        let known = "TCP, UDP, SCTP, ICMP or ICMPv6"
        if let node {
            report(node, .invalidValue, "protocol must be \(known)")
        } else {
            report(parent, .missingField, "a flow requires `protocol`", "write protocol: with \(known)")
        }
        return nil
    }

    private mutating func expectation(_ node: DocumentNode) -> PolicyTest.Expectation? {
        if let found = node.string.flatMap(PolicyTest.Expectation.init(rawValue:)) { return found }
        report(node, .invalidValue, "the verdict must be allow or deny, not \(node.kindDescription)")
        return nil
    }

    private mutating func address(_ node: DocumentNode) -> IPAddress? {
        if let address = node.string.flatMap({ IPAddress(parsing: $0) }) { return address }
        report(node, .invalidValue, "\(node.kindDescription) is not an IP address")
        return nil
    }

    private mutating func text(_ node: DocumentNode) -> String? {
        if let text = node.scalar?.text { return text }
        report(node, .wrongType, "must be a string, not \(node.kindDescription)")
        return nil
    }

    private mutating func list(_ node: DocumentNode?) -> [DocumentNode] {
        guard let node, !node.isNull else { return [] }
        if let elements = node.elements { return elements }
        report(node, .wrongType, "must be a list, not \(node.kindDescription)")
        return []
    }

    /// The members of a map by key, with an error for each that is not `known`.
    private mutating func map(_ node: DocumentNode, _ known: Set<String>) -> [String: DocumentNode]? {
        guard let members = members(node) else { return nil }
        for member in members where !known.contains(member.key) {
            let hint =
                Spelling.meant(by: member.key, among: known.sorted()).map { "did you mean \"\($0)\"?" }
                ?? "the fields here are \(known.sorted().joined(separator: ", "))"
            diagnostics.append(
                Diagnostic(
                    id: .unknownField, location: member.location, path: "\(member.value.path)",
                    message: "unknown field", hint: hint))
        }
        return Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    private mutating func members(_ node: DocumentNode) -> [DocumentMember]? {
        if let members = node.members { return members }
        report(node, .wrongType, "must be a map, not \(node.kindDescription)")
        return nil
    }

    private mutating func report(_ node: DocumentNode, _ id: DiagnosticID, _ message: String, _ hint: String = "") {
        diagnostics.append(
            Diagnostic(id: id, location: node.location, path: "\(node.path)", message: message, hint: hint))
    }

    /// Names are compared in lower case without a final dot.
    private static func canonical(_ name: String) -> String {
        let lower = name.lowercased()
        return lower.hasSuffix(".") ? String(lower.dropLast()) : lower
    }
}
