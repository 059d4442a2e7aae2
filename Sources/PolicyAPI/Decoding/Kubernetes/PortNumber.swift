import NetTypes

/// Port numbers and protocols of the core API.
enum PortNumber {
    /// A number from 1 to 65535.
    static func decode(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> UInt16? {
        guard let value = diagnostics.integer(node) else { return nil }
        guard let port = UInt16(exactly: value), port > 0 else {
            diagnostics.error(
                .invalidValue, node, "Invalid value: \(value): must be between 1 and 65535, inclusive",
                "write a port number")
            return nil
        }
        return port
    }

    /// A number from 1 to 65535 of an object that is used without it: anything else is a warning.
    static func lenient(_ node: DocumentNode?, _ diagnostics: inout DiagnosticCollector) -> UInt16? {
        guard let node, !node.isNull else { return nil }
        if let port = node.integer.flatMap({ UInt16(exactly: $0) }), port > 0 { return port }
        diagnostics.warn(
            .invalidValue, node, "\(node.kindDescription) is not a port number, so the port is left out",
            "write a number from 1 to 65535")
        return nil
    }

    /// As `decodeProtocol`, of an object that is used without the port.
    static func lenientProtocol(_ node: DocumentNode?, _ diagnostics: inout DiagnosticCollector) -> L4Protocol? {
        guard let node, !node.isNull else { return .tcp }
        if let known: L4Protocol = ["TCP": .tcp, "UDP": .udp, "SCTP": .sctp][node.string ?? ""] { return known }
        diagnostics.warn(
            .invalidValue, node, "\(node.kindDescription) is not a protocol of Services, so the port is left out",
            "write TCP, UDP or SCTP")
        return nil
    }

    /// TCP, UDP or SCTP; TCP when absent.
    static func decodeProtocol(_ node: DocumentNode?, _ diagnostics: inout DiagnosticCollector) -> L4Protocol? {
        guard let node else { return .tcp }
        guard let text = diagnostics.string(node) else { return nil }
        switch text {
        case "TCP": return .tcp
        case "UDP": return .udp
        case "SCTP": return .sctp
        default:
            let upper = ["TCP", "UDP", "SCTP"].first { $0 == text.uppercased() }
            diagnostics.error(
                .invalidValue, node,
                "Unsupported value: \"\(DocumentNode.shortened(text))\": supported values: \"TCP\", \"UDP\", \"SCTP\"",
                upper.map { "write \($0)" } ?? "remove the element, or choose one of these")
            return nil
        }
    }
}
