import NetTypes

extension Node {
    /// Reads a v1 Node.
    static func decode(_ object: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> Node {
        var node = Node(metadata: ObjectHeader.metadata(object, .cluster, isPolicy: false, &diagnostics), addresses: [])
        let status = object["status"].flatMap { $0.isNull ? nil : FieldTable.lenient.read($0, &diagnostics) }
        for element in diagnostics.list(status?["addresses"]) ?? [] {
            guard let fields = FieldTable.lenient.read(element, &diagnostics),
                let written = fields["address"], let text = diagnostics.string(written)
            else { continue }
            // With the interface that a link-local address is of.
            guard let address = IPAddress(parsing: String(text.prefix { $0 != "%" })) else {
                // Host names are in the same list, and places where there is no address.
                if !text.isEmpty, diagnostics.string(fields["type"])?.hasSuffix("IP") == true {
                    diagnostics.warn(
                        .invalidValue, written,
                        "\"\(DocumentNode.shortened(text))\" is not an IP address: the node is known without it",
                        "write an IPv4 or IPv6 address; one that is not known counts as outside the cluster")
                }
                continue
            }
            if !node.addresses.contains(address) { node.addresses.append(address) }
        }
        return node
    }
}
