import NetTypes

extension NetworkPolicyPort {
    static let table = FieldTable(
        "spec.ingress[].ports[]", "spec.egress[].ports[]", rows: [.enforced("protocol", "port", "endPort")])

    /// Reads an element of `ports`. An element without protocol is TCP, one without port every port of its protocol.
    static func decode(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> NetworkPolicyPort? {
        guard let fields = table.read(node, &diagnostics) else { return nil }
        let proto = PortNumber.decodeProtocol(fields["protocol"], &diagnostics)
        let port = decodePort(fields, &diagnostics)
        guard let proto, let port else { return nil }
        return NetworkPolicyPort(protocol: proto, port: port)
    }

    private static func decodePort(_ fields: Fields, _ diagnostics: inout DiagnosticCollector) -> Port? {
        let end = fields["endPort"]
        guard let node = fields["port"] else {
            guard let end else { return .all }
            diagnostics.error(
                .conflict, end, "Forbidden: may not be specified when `port` is not specified",
                "write `port`, the first port of the range")
            return nil
        }
        guard node.scalar?.kind == .string else {
            let first = PortNumber.decode(node, &diagnostics)
            guard let end else { return first.map { .range(PortRange($0)) } }
            let last = PortNumber.decode(end, &diagnostics)
            guard let first, let last else { return nil }
            guard last >= first else {
                diagnostics.error(
                    .endPortBelowPort, end, "Invalid value: \(last): must be greater than or equal to `port`",
                    "swap the two numbers")
                return nil
            }
            return .range(PortRange(first, last))
        }
        let name = node.string ?? ""
        var isGood = true
        if let problem = NameSyntax.portName(name) {
            let hint =
                UInt16(name).map { "remove the quotes: \($0)" } ?? "write a number, or the name of a container port"
            diagnostics.error(
                .invalidValue, node, "Invalid value: \"\(DocumentNode.shortened(name))\": \(problem)", hint)
            isGood = false
        }
        if let end {
            diagnostics.error(
                .conflict, end, "Forbidden: may not be specified when `port` is non-numeric",
                "write the first port as a number, or remove endPort")
            isGood = false
        }
        return isGood ? .named(name) : nil
    }
}
