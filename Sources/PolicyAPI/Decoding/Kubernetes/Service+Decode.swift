import NetTypes

extension Service {
    /// Reads a v1 Service.
    static func decode(_ object: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> Service {
        let metadata = ObjectHeader.metadata(object, .namespaced, isPolicy: false, &diagnostics)
        let spec = object["spec"].flatMap { $0.isNull ? nil : FieldTable.lenient.read($0, &diagnostics) }
        // An ExternalName service leads outside the cluster; its selector is not used.
        let isExternal = diagnostics.string(spec?["type"]) == "ExternalName"
        var service = Service(metadata: metadata, selector: isExternal ? [:] : diagnostics.texts(spec?["selector"]))
        // Only lint checks use ports and addresses, no policy does, so what cannot be read is left out.
        service.ports = (spec?["ports"]?.elements ?? []).compactMap(ServicePort.decode)
        let addresses = [spec?["clusterIP"]].compactMap(\.self) + (spec?["clusterIPs"]?.elements ?? [])
        for address in addresses.compactMap({ $0.string.flatMap { IPAddress(parsing: $0) } })
        where !service.clusterIPs.contains(address) {
            service.clusterIPs.append(address)
        }
        return service
    }
}

extension ServicePort {
    /// Reads an element of `spec.ports`; `nil` when it is not valid.
    static func decode(_ node: DocumentNode) -> ServicePort? {
        guard let port = number(node["port"]) else { return nil }
        let proto: L4Protocol
        switch node["protocol"]?.string {
        case nil, "TCP": proto = .tcp
        case "UDP": proto = .udp
        case "SCTP": proto = .sctp
        default: return nil
        }
        let target = node["targetPort"]
        if let name = target?.string { return ServicePort(protocol: proto, port: port, target: .named(name)) }
        return ServicePort(protocol: proto, port: port, target: .number(number(target) ?? port))
    }

    private static func number(_ node: DocumentNode?) -> UInt16? { node?.integer.flatMap { UInt16(exactly: $0) } }
}

extension EndpointSlice {
    /// Reads a discovery.k8s.io/v1 EndpointSlice.
    static func decode(_ object: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> EndpointSlice {
        let metadata = ObjectHeader.metadata(object, .namespaced, isPolicy: false, &diagnostics)
        var slice = EndpointSlice(
            metadata: metadata, serviceName: metadata.labels["kubernetes.io/service-name"] ?? "", addresses: [])
        // A slice of names has no addresses.
        let addressType = object["addressType"].flatMap { $0.isNull ? nil : $0 }
        if diagnostics.string(addressType) == "FQDN" { return slice }
        let endpoints = object["endpoints"].flatMap { $0.isNull ? nil : $0 }
        for element in diagnostics.list(endpoints) ?? [] {
            guard let fields = FieldTable.lenient.read(element, &diagnostics) else { continue }
            for node in diagnostics.list(fields["addresses"]) ?? [] {
                guard let text = diagnostics.string(node) else { continue }
                guard let address = IPAddress(parsing: text) else {
                    diagnostics.error(
                        .invalidValue, node, "\"\(DocumentNode.shortened(text))\" is not an IP address",
                        "write an IPv4 or IPv6 address")
                    continue
                }
                slice.addresses.append(address)
            }
        }
        return slice
    }
}
