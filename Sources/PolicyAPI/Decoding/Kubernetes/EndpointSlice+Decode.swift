import NetTypes

extension EndpointSlice {
    /// Reads a discovery.k8s.io/v1 EndpointSlice.
    static func decode(_ object: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> EndpointSlice {
        let metadata = ObjectHeader.metadata(object, .namespaced, isPolicy: false, &diagnostics)
        var slice = EndpointSlice(
            metadata: metadata, serviceName: metadata.labels[EndpointSlice.serviceLabel] ?? "")
        // A slice of names has no addresses.
        let addressType = object["addressType"].flatMap { $0.isNull ? nil : $0 }
        if diagnostics.string(addressType) == "FQDN" { return slice }
        for element in diagnostics.list(object["endpoints"].flatMap { $0.isNull ? nil : $0 }) ?? [] {
            guard let fields = FieldTable.lenient.read(element, &diagnostics) else { continue }
            slice.endpoints.append(ServiceEndpoint.decode(fields, at: element, &diagnostics))
        }
        for element in diagnostics.list(object["ports"].flatMap { $0.isNull ? nil : $0 }) ?? [] {
            guard let fields = FieldTable.lenient.read(element, &diagnostics) else { continue }
            // "A nil port is all ports", which no node translates.
            guard let port = PortNumber.lenient(fields["port"], &diagnostics),
                let proto = PortNumber.lenientProtocol(fields["protocol"], &diagnostics)
            else { continue }
            slice.ports.append(
                EndpointPort(name: diagnostics.string(fields["name"]) ?? "", protocol: proto, port: port))
        }
        return slice
    }
}

extension ServiceEndpoint {
    /// Reads an element of `endpoints`.
    static func decode(
        _ fields: Fields, at element: DocumentNode, _ diagnostics: inout DiagnosticCollector
    ) -> ServiceEndpoint {
        var endpoint = ServiceEndpoint(addresses: [], location: element.location)
        for node in diagnostics.list(fields["addresses"]) ?? [] {
            guard let text = diagnostics.string(node) else { continue }
            guard let address = IPAddress(parsing: text) else {
                diagnostics.error(
                    .invalidValue, node, "\"\(DocumentNode.shortened(text))\" is not an IP address",
                    "write an IPv4 or IPv6 address")
                continue
            }
            endpoint.addresses.append(address)
        }
        if let conditions = fields["conditions"].flatMap({ FieldTable.lenient.read($0, &diagnostics) }) {
            // "A nil value is unknown; interpret it as ready." Likewise for the others, as kube-proxy does.
            endpoint.isReady = diagnostics.boolean(conditions["ready"]) ?? true
            endpoint.isServing = diagnostics.boolean(conditions["serving"]) ?? true
            endpoint.isTerminating = diagnostics.boolean(conditions["terminating"]) ?? false
        }
        endpoint.nodeName = diagnostics.string(fields["nodeName"]) ?? ""
        endpoint.zone = diagnostics.string(fields["zone"]) ?? ""
        if let hints = fields["hints"].flatMap({ FieldTable.lenient.read($0, &diagnostics) }) {
            endpoint.zoneHints = names(hints["forZones"], &diagnostics)
            endpoint.nodeHints = names(hints["forNodes"], &diagnostics)
        }
        return endpoint
    }

    private static func names(_ node: DocumentNode?, _ diagnostics: inout DiagnosticCollector) -> Set<String> {
        var names: Set<String> = []
        for element in diagnostics.list(node) ?? [] {
            guard let fields = FieldTable.lenient.read(element, &diagnostics),
                let name = diagnostics.string(fields["name"])
            else { continue }
            names.insert(name)
        }
        return names
    }
}
