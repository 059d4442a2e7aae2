import NetTypes

extension NetworkPolicyPeer {
    static let table = FieldTable(
        "spec.ingress[].from[]", "spec.egress[].to[]",
        rows: [.enforced("podSelector", "namespaceSelector", "ipBlock")])
    static let blockTable = FieldTable(
        "spec.ingress[].from[].ipBlock", "spec.egress[].to[].ipBlock", rows: [.enforced("cidr", "except")])

    /// Reads an element of `from` or `to`.
    static func decode(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> NetworkPolicyPeer? {
        guard let fields = table.read(node, &diagnostics) else { return nil }
        let pods = fields["podSelector"]
        let namespaces = fields["namespaceSelector"]
        if let block = fields["ipBlock"] {
            guard pods == nil, namespaces == nil else {
                diagnostics.error(
                    .conflict, node, "Forbidden: may not specify both ipBlock and another peer",
                    "write two list elements: each begins with its own dash")
                return nil
            }
            return decodeBlock(block, &diagnostics)
        }
        guard pods != nil || namespaces != nil else {
            diagnostics.error(
                .missingField, node, "Required value: must specify a peer",
                "write podSelector, namespaceSelector or ipBlock; to allow every peer, remove the list")
            return nil
        }
        let podSelector = pods.map { LabelSelector.decode($0, .plain, &diagnostics) }
        let namespaceSelector = namespaces.map { LabelSelector.decode($0, .plain, &diagnostics) }
        // A selector that is present but invalid is not a missing selector.
        if case .some(.none) = podSelector { return nil }
        if case .some(.none) = namespaceSelector { return nil }
        return .pods(namespaces: namespaceSelector ?? nil, pods: podSelector ?? nil)
    }

    private static func decodeBlock(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector)
        -> NetworkPolicyPeer?
    {
        guard let fields = blockTable.read(node, &diagnostics) else { return nil }
        guard let cidrNode = fields["cidr"], cidrNode.string != "" else {
            diagnostics.error(
                .missingField, fields["cidr"] ?? node, "cidr: Required value",
                "write cidr: with a prefix such as 10.0.0.0/8")
            return nil
        }
        let cidr = IPPrefix.decode(cidrNode, &diagnostics)
        var except: [IPPrefix] = []
        for element in diagnostics.list(fields["except"]) ?? [] {
            guard let prefix = IPPrefix.decode(element, &diagnostics) else { continue }
            if let cidr, !cidr.contains(prefix) || prefix == cidr {
                diagnostics.error(
                    .invalidValue, element, "Invalid value: \"\(prefix)\": must be a strict subset of `cidr`",
                    "write a longer prefix inside \(cidr)")
            }
            except.append(prefix)
        }
        return cidr.map { .ipBlock(cidr: $0, except: except) }
    }
}

extension IPPrefix {
    /// Reads a prefix from text; warns when host bits are set.
    static func decode(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> IPPrefix? {
        guard let text = diagnostics.string(node) else { return nil }
        guard let prefix = IPPrefix(parsing: text) else {
            diagnostics.error(
                .invalidValue, node, "\"\(DocumentNode.shortened(text))\" is not a valid CIDR", hint(for: text))
            return nil
        }
        if let slash = text.firstIndex(of: "/"), let address = IPAddress(parsing: text[..<slash]),
            address != prefix.address
        {
            diagnostics.warn(
                .noEffect, node, "host bits are set: this means \(prefix)",
                "write \(prefix), or \(IPPrefix(host: address)) for the single address")
        }
        return prefix
    }

    /// How to fix a text that is not a prefix.
    static func hint(for text: String) -> String {
        if let address = IPAddress(parsing: text) { return "write \(IPPrefix(host: address))" }
        return "write address/length, for example 10.0.0.0/8 or fd00::/8, without leading zeros"
    }
}
