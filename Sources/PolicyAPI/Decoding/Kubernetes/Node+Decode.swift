import NetTypes

extension Node {
    /// Reads a v1 Node.
    static func decode(_ object: DocumentNode, _ findings: inout Findings) -> Node {
        var node = Node(metadata: ObjectHeader.metadata(object, .cluster, isPolicy: false, &findings), addresses: [])
        let status = object["status"].flatMap { $0.isNull ? nil : FieldTable.lenient.read($0, &findings) }
        for element in findings.list(status?["addresses"]) ?? [] {
            guard let fields = FieldTable.lenient.read(element, &findings),
                let written = fields["address"], let text = findings.string(written)
            else { continue }
            guard let address = IPAddress(parsing: text) else {
                // Host names stand in the same list. An address left out would count as outside the cluster.
                if findings.string(fields["type"])?.hasSuffix("IP") == true {
                    findings.error(
                        .invalidValue, written, "\"\(DocumentNode.shortened(text))\" is no IP address",
                        "write an IPv4 or IPv6 address")
                }
                continue
            }
            if !node.addresses.contains(address) { node.addresses.append(address) }
        }
        return node
    }
}
