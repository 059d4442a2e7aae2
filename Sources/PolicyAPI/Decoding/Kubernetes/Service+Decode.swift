import NetTypes

extension Service {
    /// How long `sessionAffinity: ClientIP` lasts unless the Service says otherwise.
    private static let defaultAffinity: UInt32 = 10_800
    /// A day, the longest that it may last.
    private static let longestAffinity: Int64 = 86_400

    /// Reads a v1 Service. What the API server would refuse is left out with a warning: a folder often holds templates, and no
    /// policy is wrong without a port of a Service.
    static func decode(_ object: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> Service {
        let metadata = ObjectHeader.metadata(object, .namespaced, isPolicy: false, &diagnostics)
        var service = Service(metadata: metadata, selector: [:])
        guard let spec = object["spec"].flatMap({ $0.isNull ? nil : FieldTable.lenient.read($0, &diagnostics) }) else {
            return service
        }
        service.kind = kind(spec, &diagnostics)
        // The selector of an ExternalName service is not used.
        if case .externalName = service.kind {} else { service.selector = diagnostics.texts(spec["selector"]) }
        service.readPorts(spec["ports"], &diagnostics)
        service.readAddresses(spec, &diagnostics)
        service.readAffinity(spec, &diagnostics)
        service.internalPolicy = trafficPolicy(spec["internalTrafficPolicy"], &diagnostics)
        service.externalPolicy = trafficPolicy(spec["externalTrafficPolicy"], &diagnostics)
        service.publishesNotReady = spec["publishNotReadyAddresses"]?.boolean ?? false
        service.trafficDistribution = spec["trafficDistribution"]?.string ?? ""
        service.hasSourceRanges = spec["loadBalancerSourceRanges"]?.elements?.isEmpty == false
        let ingress = object["status"]?["loadBalancer"]?["ingress"]?.elements ?? []
        // Of one in mode Proxy the packets go to the load balancer itself.
        for point in ingress where point["ipMode"]?.string != "Proxy" {
            service.loadBalancerIPs.add(point["ip"], &diagnostics)
        }
        service.loadBalancerIPs = service.loadBalancerIPs.distinct
        return service
    }

    private static func kind(_ spec: Fields, _ diagnostics: inout DiagnosticCollector) -> Kind {
        switch spec["type"]?.string {
        case nil, "ClusterIP": return .clusterIP
        case "NodePort": return .nodePort
        case "LoadBalancer": return .loadBalancer
        case "ExternalName":
            let name = (spec["externalName"]?.string ?? "").lowercased()
            return .externalName(name.hasSuffix(".") ? String(name.dropLast()) : name)
        default:
            if let node = spec["type"] {
                diagnostics.warn(
                    .invalidValue, node, "\(node.kindDescription) is not a type of Services; it is read as ClusterIP",
                    "write ClusterIP, NodePort, LoadBalancer or ExternalName")
            }
            return .clusterIP
        }
    }

    private mutating func readPorts(_ node: DocumentNode?, _ diagnostics: inout DiagnosticCollector) {
        let elements = node?.elements ?? []
        var numbers: Set<UInt32> = []
        var names: [L4Protocol: Set<String>] = [:]
        for element in elements {
            guard let port = ServicePort.decode(element, &diagnostics) else { continue }
            let number = UInt32(port.protocol.rawValue) << 16 | UInt32(port.port)
            if numbers.contains(number) {
                diagnostics.warn(
                    .conflict, element,
                    "the Service has port \(port.port)/\(port.protocol) twice; this one is left out",
                    "keep one of them")
                continue
            }
            if elements.count > 1, names[port.protocol]?.contains(port.name) == true {
                let isNameless = port.name.isEmpty
                diagnostics.warn(
                    isNameless ? .missingField : .conflict, element,
                    isNameless
                        ? "a Service with several ports needs a name for each; this one is left out"
                        : "two ports have the name \"\(DocumentNode.shortened(port.name))\"; this one is left out",
                    "write name: with a name of its own")
                continue
            }
            numbers.insert(number)
            names[port.protocol, default: []].insert(port.name)
            ports.append(port)
        }
    }

    private mutating func readAddresses(_ spec: Fields, _ diagnostics: inout DiagnosticCollector) {
        let written = [spec["clusterIP"]].compactMap(\.self) + (spec["clusterIPs"]?.elements ?? [])
        isHeadless = written.contains { $0.string == "None" }
        for address in written where address.string != "None" { clusterIPs.add(address, &diagnostics) }
        for address in spec["externalIPs"]?.elements ?? [] { externalIPs.add(address, &diagnostics) }
        clusterIPs = clusterIPs.distinct
        externalIPs = externalIPs.distinct
    }

    private mutating func readAffinity(_ spec: Fields, _ diagnostics: inout DiagnosticCollector) {
        switch spec["sessionAffinity"]?.string {
        case "ClientIP": affinitySeconds = Service.defaultAffinity
        case nil, "None", "": return
        default:
            if let node = spec["sessionAffinity"] {
                diagnostics.warn(
                    .invalidValue, node, "\(node.kindDescription) is no affinity; the Service is read without",
                    "write ClientIP or None")
            }
            return
        }
        guard let seconds = spec["sessionAffinityConfig"]?["clientIP"]?["timeoutSeconds"], !seconds.isNull else {
            return
        }
        guard let value = seconds.integer, (1...Service.longestAffinity).contains(value) else {
            diagnostics.warn(
                .invalidValue, seconds,
                "\(seconds.kindDescription) is not a time of affinity; it is read as \(Service.defaultAffinity)",
                "write seconds from 1 to \(Service.longestAffinity)")
            return
        }
        affinitySeconds = UInt32(value)
    }

    private static func trafficPolicy(
        _ node: DocumentNode?, _ diagnostics: inout DiagnosticCollector
    ) -> TrafficPolicy {
        switch node?.string {
        case nil where node == nil, "Cluster", "": return .cluster
        case "Local": return .local
        default:
            if let node {
                diagnostics.warn(
                    .invalidValue, node, "\(node.kindDescription) is not a traffic policy; it is read as Cluster",
                    "write Cluster or Local")
            }
            return .cluster
        }
    }
}

extension [IPAddress] {
    /// Each of them once, in the order in which they come first.
    fileprivate var distinct: [IPAddress] {
        var seen: Set<IPAddress> = []
        return filter { seen.insert($0).inserted }
    }

    /// Adds an address of a Service, unless it is not assigned yet.
    fileprivate mutating func add(_ node: DocumentNode?, _ diagnostics: inout DiagnosticCollector) {
        guard let node, !node.isNull, node.string != "" else { return }
        guard let address = node.string.flatMap({ IPAddress(parsing: $0) }) else {
            diagnostics.warn(
                .invalidValue, node, "\(node.kindDescription) is not an IP address; it is left out",
                "write an IPv4 or IPv6 address")
            return
        }
        append(address)
    }
}

extension ServicePort {
    /// Reads an element of `spec.ports`; `nil`, with a warning, when it is not valid.
    static func decode(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> ServicePort? {
        guard node.members != nil else {
            diagnostics.warn(
                .wrongType, node, "a port of a Service is a map, not \(node.kindDescription); it is left out",
                "write port: with a number")
            return nil
        }
        guard let number = node["port"], !number.isNull else {
            diagnostics.warn(
                .missingField, node, "the port has no number, so it is left out", "write port: with a number")
            return nil
        }
        guard let port = PortNumber.lenient(number, &diagnostics),
            let proto = PortNumber.lenientProtocol(node["protocol"], &diagnostics)
        else { return nil }
        var result = ServicePort(
            name: node["name"]?.string ?? "", protocol: proto, port: port, target: .number(port))
        if let target = node["targetPort"], !target.isNull {
            if let name = target.string, !name.isEmpty {
                result.target = .named(name)
            } else if target.integer != 0 {
                guard let number = PortNumber.lenient(target, &diagnostics) else { return nil }
                result.target = .number(number)
            }
        }
        // 0: the API server chooses one.
        if let nodePort = node["nodePort"], nodePort.integer != 0 {
            result.nodePort = PortNumber.lenient(nodePort, &diagnostics)
        }
        return result
    }
}
