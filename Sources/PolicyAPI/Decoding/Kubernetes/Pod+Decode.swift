import NetTypes

extension Pod {
    /// Reads a v1 Pod.
    static func decode(_ object: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> Pod {
        var pod = Pod(metadata: ObjectHeader.metadata(object, .namespaced, isPolicy: false, &diagnostics))
        pod.owners = ObjectOwner.decode(object)
        pod.isTerminating = object["metadata"]?["deletionTimestamp"].map { !$0.isNull } ?? false
        if let spec = object["spec"].flatMap({ $0.isNull ? nil : FieldTable.lenient.read($0, &diagnostics) }) {
            pod.read(spec: spec, &diagnostics)
        }
        if let status = object["status"].flatMap({ $0.isNull ? nil : FieldTable.lenient.read($0, &diagnostics) }) {
            if let phase = diagnostics.string(status["phase"]), !phase.isEmpty { pod.phase = phase }
            for element in diagnostics.list(status["podIPs"]) ?? [] {
                guard let fields = FieldTable.lenient.read(element, &diagnostics) else { continue }
                pod.add(fields["ip"], &diagnostics)
            }
            pod.add(status["podIP"], &diagnostics)
            let ready = status["conditions"]?.elements?.first { $0["type"]?.string == "Ready" }
            if let ready { pod.isReady = ready["status"]?.string == "True" }
        }
        return pod
    }

    /// Reads `spec` of a pod or of a workload's template.
    mutating func read(spec: Fields, _ diagnostics: inout DiagnosticCollector) {
        nodeName = diagnostics.string(spec["nodeName"]) ?? ""
        // `serviceAccount` is the old name of the field; the API server keeps both equal.
        let account = diagnostics.string(spec["serviceAccountName"] ?? spec["serviceAccount"]) ?? ""
        if !account.isEmpty { serviceAccount = account }
        hostNetwork = diagnostics.boolean(spec["hostNetwork"]) ?? false
        // The pod would be copied for each container.
        var found = ports
        for container in diagnostics.list(spec["initContainers"]) ?? [] {
            guard let fields = FieldTable.lenient.read(container, &diagnostics) else { continue }
            // A native sidecar runs as long as the pod; any other init container is not a destination.
            if diagnostics.string(fields["restartPolicy"]) == "Always" {
                found += ContainerPort.decode(fields, &diagnostics)
            }
        }
        for container in diagnostics.list(spec["containers"]) ?? [] {
            guard let fields = FieldTable.lenient.read(container, &diagnostics) else { continue }
            found += ContainerPort.decode(fields, &diagnostics)
        }
        ports = found
    }

    /// Adds an address, unless it is known already or empty (not assigned yet).
    private mutating func add(_ node: DocumentNode?, _ diagnostics: inout DiagnosticCollector) {
        guard let node, let text = diagnostics.string(node), !text.isEmpty else { return }
        guard let address = IPAddress(parsing: text) else {
            diagnostics.error(
                .invalidValue, node, "\"\(DocumentNode.shortened(text))\" is not an IP address",
                "write an IPv4 or IPv6 address")
            return
        }
        guard !addresses.contains(address) else { return }
        guard !addresses.contains(where: { $0.isIPv4 == address.isIPv4 }) else {
            diagnostics.error(
                .conflict, node, "the pod has two \(address.isIPv4 ? "IPv4" : "IPv6") addresses",
                "keep one; podIP must be among podIPs")
            return
        }
        addresses.append(address)
    }
}

extension ContainerPort {
    /// Reads `ports` of a container. Policies ignore `hostIP` and `hostPort`.
    static func decode(_ container: Fields, _ diagnostics: inout DiagnosticCollector) -> [ContainerPort] {
        var ports: [ContainerPort] = []
        for element in diagnostics.list(container["ports"]) ?? [] {
            guard let fields = FieldTable.lenient.read(element, &diagnostics) else { continue }
            guard let node = fields["containerPort"] else {
                diagnostics.error(
                    .missingField, element, "the port has no containerPort", "write containerPort: with a number")
                continue
            }
            guard let number = PortNumber.decode(node, &diagnostics),
                let proto = PortNumber.decodeProtocol(fields["protocol"], &diagnostics)
            else { continue }
            ports.append(
                ContainerPort(name: diagnostics.string(fields["name"]) ?? "", protocol: proto, port: number))
        }
        return ports
    }
}
