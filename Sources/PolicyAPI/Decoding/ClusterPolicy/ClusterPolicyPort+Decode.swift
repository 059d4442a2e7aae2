import NetTypes

extension ClusterPolicyPort {
    private static let protocolTable = FieldTable(
        "spec.ingress[].protocols[]", "spec.egress[].protocols[]",
        rows: [.enforced("tcp", "udp", "sctp", "destinationNamedPort")])
    private static let destinationTable = FieldTable(
        paths: protocolTable.paths.flatMap { path in ["tcp", "udp", "sctp"].map { "\(path).\($0)" } },
        rows: [.enforced("destinationPort")])
    private static let portTable = FieldTable(
        paths: destinationTable.paths.map { $0 + ".destinationPort" }, rows: [.enforced("number", "range")])
    private static let rangeTable = FieldTable(
        paths: portTable.paths.map { $0 + ".range" }, rows: [.enforced("start", "end")])
    private static let oldTable = FieldTable(
        "spec.ingress[].ports[]", "spec.egress[].ports[]",
        rows: [.enforced("portNumber", "portRange", "namedPort")])
    private static let oldNumberTable = FieldTable(
        paths: oldTable.paths.map { $0 + ".portNumber" }, rows: [.enforced("protocol", "port")])
    private static let oldRangeTable = FieldTable(
        paths: oldTable.paths.map { $0 + ".portRange" }, rows: [.enforced("protocol", "start", "end")])

    /// The tables of an element of the kind's list of ports.
    static func tables(_ kind: ClusterPolicy.Kind) -> [FieldTable] {
        kind == .clusterNetworkPolicy
            ? [protocolTable, destinationTable, portTable, rangeTable] : [oldTable, oldNumberTable, oldRangeTable]
    }

    /// Reads an element of `protocols` (v1alpha2) or `ports` (v1alpha1).
    static func decode(
        _ node: DocumentNode, _ kind: ClusterPolicy.Kind, _ diagnostics: inout DiagnosticCollector
    ) -> [ClusterPolicyPort] {
        let port = kind == .clusterNetworkPolicy ? decodeProtocol(node, &diagnostics) : decodeOld(node, &diagnostics)
        return port.map { [$0] } ?? []
    }

    /// "Exactly one of tcp/udp/sctp {destinationPort: {number | range {start<end}}} or destinationNamedPort."
    private static func decodeProtocol(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector)
        -> ClusterPolicyPort?
    {
        let before = diagnostics.errorCount
        guard let fields = protocolTable.read(node, &diagnostics), diagnostics.errorCount == before else { return nil }
        guard
            let (name, value) = diagnostics.exactlyOne(
                of: ["tcp", "udp", "sctp", "destinationNamedPort"], in: fields,
                hint: "write tcp: {destinationPort: {number: 80}}")
        else { return nil }
        let wanted: L4Protocol
        switch name {
        case "tcp": wanted = .tcp
        case "udp": wanted = .udp
        case "sctp": wanted = .sctp
        default: return decodeName(value, &diagnostics)
        }
        guard let destination = destinationTable.read(value, &diagnostics) else { return nil }
        guard let portNode = destination["destinationPort"] else {
            // "tcp: {} is rejected".
            diagnostics.error(
                .missingField, value, "`destinationPort` is missing",
                "for every port write destinationPort: {range: {start: 1, end: 65535}}")
            return nil
        }
        guard let port = portTable.read(portNode, &diagnostics) else { return nil }
        guard
            let (form, written) = diagnostics.exactlyOne(
                of: ["number", "range"], in: port, hint: "write number: with a port")
        else { return nil }
        if form == "number" { return PortNumber.decode(written, &diagnostics).map { .range(wanted, PortRange($0)) } }
        guard let range = rangeTable.read(written, &diagnostics) else { return nil }
        return decodeRange(range, &diagnostics).map { .range(wanted, $0) }
    }

    /// "portNumber{protocol=TCP default,port} | portRange | namedPort."
    private static func decodeOld(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> ClusterPolicyPort?
    {
        let before = diagnostics.errorCount
        guard let fields = oldTable.read(node, &diagnostics), diagnostics.errorCount == before else { return nil }
        guard
            let (name, value) = diagnostics.exactlyOne(
                of: ["portNumber", "portRange", "namedPort"], in: fields, hint: "write portNumber: {port: 80}")
        else { return nil }
        if name == "namedPort" { return decodeName(value, &diagnostics) }
        guard let form = (name == "portNumber" ? oldNumberTable : oldRangeTable).read(value, &diagnostics) else {
            return nil
        }
        let wanted = PortNumber.decodeProtocol(form["protocol"], &diagnostics)
        var range: PortRange?
        if name == "portRange" {
            range = decodeRange(form, &diagnostics)
        } else if let port = form["port"] {
            range = PortNumber.decode(port, &diagnostics).map { PortRange($0) }
        } else {
            diagnostics.error(.missingField, value, "`port` is missing", "write port: with a number")
        }
        guard let wanted, let range else { return nil }
        return .range(wanted, range)
    }

    private static func decodeName(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> ClusterPolicyPort?
    {
        guard let name = diagnostics.string(node) else { return nil }
        guard let problem = NameSyntax.portName(name) else { return .named(name) }
        diagnostics.error(
            .invalidValue, node, "Invalid value: \"\(DocumentNode.shortened(name))\": \(problem)",
            "write the name of a container port")
        return nil
    }

    private static func decodeRange(_ fields: Fields, _ diagnostics: inout DiagnosticCollector) -> PortRange? {
        var ends: [UInt16?] = []
        for name in ["start", "end"] {
            guard let node = fields[name] else {
                diagnostics.error(.missingField, fields.node, "`\(name)` is missing", "write start: and end:")
                return nil
            }
            ends.append(PortNumber.decode(node, &diagnostics))
        }
        guard let start = ends[0], let end = ends[1] else { return nil }
        // "range.start == end is rejected".
        guard start < end else {
            diagnostics.error(
                .invalidValue, fields.node, "Start port must be less than End port",
                start == end ? "write the one port as a number" : "swap the two numbers")
            return nil
        }
        return PortRange(start, end)
    }
}
