import NetTypes

extension PortProtocol {
    static let table = FieldTable(
        paths: ElementList.allCases.map { "\($0.path).toPorts[].ports[]" },
        rows: [.enforced("port", "endPort", "protocol")])

    /// Protocols without ports, by IANA number. They allow port `"0"` or none.
    private static let portless: [String: UInt8] = [
        "VRRP": 112, "IGMP": 2, "GRE": 47, "IPIP": 4, "IPV6": 41, "ESP": 50, "AH": 51,
    ]

    /// Reads an element of `toPorts[].ports` (V17-V20; spec 7.1-7.3).
    static func decode(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> PortProtocol? {
        guard let fields = table.read(node, &diagnostics) else { return nil }
        let protocols = decodeProtocols(fields["protocol"], &diagnostics)
        let isPortless = protocols?.allSatisfy { !$0.hasPorts } ?? false
        // V19: "port not empty or 0 for VRRP, IGMP, ..."; "GRE with port empty: protocol entry with wildcard port".
        let isEmpty = isPortless && fields["port"].map { $0.string == "" } ?? true && fields["endPort"] == nil
        let port = isEmpty ? .all : decodePort(fields, &diagnostics)
        guard let protocols, let port else { return nil }
        if isPortless, port != .all, let node = fields["port"] {
            diagnostics.error(.conflict, node, "the protocol has no ports", "remove the port")
        }
        return PortProtocol(protocols: protocols, port: port)
    }

    private static func decodeProtocols(_ node: DocumentNode?, _ diagnostics: inout DiagnosticCollector)
        -> [L4Protocol]?
    {
        guard let node else { return [.tcp, .udp, .sctp] }
        guard let text = diagnostics.string(node) else { return nil }
        switch text.uppercased() {
        case "", "ANY": return [.tcp, .udp, .sctp]
        case "TCP": return [.tcp]
        case "UDP": return [.udp]
        case "SCTP": return [.sctp]
        case let name:
            if let number = portless[name] { return [L4Protocol(rawValue: number)] }
            let names = ["TCP", "UDP", "SCTP", "ANY"] + portless.keys.sorted()
            let hint =
                name.hasPrefix("ICMP")
                ? "write the types in icmps"
                : Spelling.nearest(to: name, among: names).map { "did you mean \($0)?" }
                    ?? "write TCP, UDP, SCTP or ANY"
            diagnostics.error(
                .invalidValue, node, "\"\(DocumentNode.shortened(text))\" is not a protocol with ports", hint)
            return nil
        }
    }

    private static func decodePort(_ fields: Fields, _ diagnostics: inout DiagnosticCollector) -> Port? {
        let end = decodeEnd(fields["endPort"], &diagnostics)
        guard let node = fields["port"], node.string != "" else {
            diagnostics.error(
                .missingField, fields["port"] ?? fields.node, "the element has no port",
                "write port: with a number in quotes; \"0\" means every port of the protocol")
            return nil
        }
        guard let text = diagnostics.string(node) else { return nil }
        if NameSyntax.isServiceName(text) {
            if let endNode = fields["endPort"], end != 0 {
                diagnostics.warn(
                    .noEffect, endNode, "endPort has no effect on a port name", "write a number as port")
            }
            return .named(text.lowercased())
        }
        guard let number = decodeNumber(text) else {
            diagnostics.error(
                .invalidValue, node, "\"\(DocumentNode.shortened(text))\" is neither a port number nor a port name",
                text.wholeMatch(of: /([0-9]{1,5})-([0-9]{1,5})/).map {
                    "write port: \"\($0.output.1)\" and endPort: \($0.output.2)"
                } ?? "write 0 to 65535 without leading zeros, or a name of at most 15 letters, digits and dashes")
            return nil
        }
        if text.count > 1, text.hasPrefix("0") {
            diagnostics.warn(
                .invalidValue, node, "a leading zero makes the number octal: this is port \(number)",
                "write \"\(number)\"")
        }
        guard number > 0 else { return .all }
        guard let end, end > 0, let endNode = fields["endPort"] else { return .range(PortRange(number)) }
        if end < number {
            diagnostics.warn(
                .endPortBelowPort, endNode, "endPort is below port, so only port \(number) matches",
                "swap the two, or remove endPort")
        }
        return .range(PortRange(number, end))
    }

    private static func decodeEnd(_ node: DocumentNode?, _ diagnostics: inout DiagnosticCollector) -> UInt16? {
        guard let node, let value = diagnostics.integer(node) else { return 0 }
        guard let end = UInt16(exactly: value) else {
            diagnostics.error(.invalidValue, node, "\(value) is not a port", "write 0 to 65535")
            return nil
        }
        return end
    }

    /// A number as Go parses it: decimal, or octal after a leading zero.
    private static func decodeNumber(_ text: String) -> UInt16? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return UInt16(text, radix: text.count > 1 && text.hasPrefix("0") ? 8 : 10)
    }
}
