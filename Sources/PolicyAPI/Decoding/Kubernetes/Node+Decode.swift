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
            guard let address = IPAddress(parsing: text) else {
                // Host names are in the same list. An address left out would count as outside the cluster.
                if diagnostics.string(fields["type"])?.hasSuffix("IP") == true {
                    diagnostics.error(
                        .invalidValue, written, "\"\(DocumentNode.shortened(text))\" is not an IP address",
                        "write an IPv4 or IPv6 address")
                }
                continue
            }
            if !node.addresses.contains(address) { node.addresses.append(address) }
        }
        return node
    }
}
