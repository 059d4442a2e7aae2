import NetTypes

extension Pod {
    /// Reads a v1 Pod.
    static func decode(_ object: DocumentNode, _ findings: inout Findings) -> Pod {
        var pod = Pod(metadata: ObjectHeader.metadata(object, .namespaced, isPolicy: false, &findings))
        pod.owners = ObjectOwner.decode(object)
        if let spec = object["spec"].flatMap({ $0.isNull ? nil : FieldTable.lenient.read($0, &findings) }) {
            pod.read(spec: spec, &findings)
        }
        if let status = object["status"].flatMap({ $0.isNull ? nil : FieldTable.lenient.read($0, &findings) }) {
            if let phase = findings.string(status["phase"]), !phase.isEmpty { pod.phase = phase }
            for element in findings.list(status["podIPs"]) ?? [] {
                guard let fields = FieldTable.lenient.read(element, &findings) else { continue }
                pod.add(fields["ip"], &findings)
            }
            pod.add(status["podIP"], &findings)
        }
        return pod
    }

    /// Reads `spec`, a pod's or that of a workload's template.
    mutating func read(spec: Fields, _ findings: inout Findings) {
        nodeName = findings.string(spec["nodeName"]) ?? ""
        // `serviceAccount` is the old name of the field; the API server keeps both equal.
        let account = findings.string(spec["serviceAccountName"] ?? spec["serviceAccount"]) ?? ""
        if !account.isEmpty { serviceAccount = account }
        hostNetwork = findings.boolean(spec["hostNetwork"]) ?? false
        for container in findings.list(spec["initContainers"]) ?? [] {
            guard let fields = FieldTable.lenient.read(container, &findings) else { continue }
            // A native sidecar runs as long as the pod; any other init container serves nobody.
            if findings.string(fields["restartPolicy"]) == "Always" {
                ports += ContainerPort.decode(fields, &findings)
            }
        }
        for container in findings.list(spec["containers"]) ?? [] {
            guard let fields = FieldTable.lenient.read(container, &findings) else { continue }
            ports += ContainerPort.decode(fields, &findings)
        }
    }

    /// Adds an address; one that is there already, or empty (not assigned yet), adds nothing.
    private mutating func add(_ node: DocumentNode?, _ findings: inout Findings) {
        guard let node, let text = findings.string(node), !text.isEmpty else { return }
        guard let address = IPAddress(parsing: text) else {
            findings.error(
                .invalidValue, node, "\"\(DocumentNode.shortened(text))\" is no IP address",
                "write an IPv4 or IPv6 address")
            return
        }
        guard !addresses.contains(address) else { return }
        guard !addresses.contains(where: { $0.isIPv4 == address.isIPv4 }) else {
            findings.error(
                .conflict, node, "the pod has two \(address.isIPv4 ? "IPv4" : "IPv6") addresses",
                "keep one; podIP must be among podIPs")
            return
        }
        addresses.append(address)
    }
}

extension ContainerPort {
    /// Reads `ports` of a container. `hostIP` and `hostPort` do not matter to policies.
    static func decode(_ container: Fields, _ findings: inout Findings) -> [ContainerPort] {
        var ports: [ContainerPort] = []
        for element in findings.list(container["ports"]) ?? [] {
            guard let fields = FieldTable.lenient.read(element, &findings) else { continue }
            guard let node = fields["containerPort"] else {
                findings.error(
                    .missingField, element, "the port has no containerPort", "write containerPort: with a number")
                continue
            }
            guard let number = PortNumber.decode(node, &findings),
                let proto = PortNumber.decodeProtocol(fields["protocol"], &findings)
            else { continue }
            ports.append(
                ContainerPort(name: findings.string(fields["name"]) ?? "", protocol: proto, port: number))
        }
        return ports
    }
}
