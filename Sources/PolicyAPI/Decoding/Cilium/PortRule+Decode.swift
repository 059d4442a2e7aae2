extension PortRule {
    static let table = FieldTable(
        "spec.ingress[].toPorts[]", "spec.egress[].toPorts[]",
        rows: [
            .enforced("ports"),
            .enforced(
                "serverNames", "rules",
                note:
                    "DNS over UDP and server names in the kernel; HTTP, gRPC and DNS over TCP by `netpold proxy`"
            ),
            .refused(
                "terminatingTLS", why: "TLS is not terminated", instead: "match the server name with serverNames"),
            .refused(
                "originatingTLS", why: "TLS is not originated", instead: "match the server name with serverNames"),
            .refused(
                "listener", why: "there is no Envoy to redirect to", instead: "remove the field and use rules.http"),
        ])
    static let denyTable = FieldTable(
        "spec.ingressDeny[].toPorts[]", "spec.egressDeny[].toPorts[]",
        rows: [
            .enforced("ports"),
            .refused(
                "serverNames", "rules", "terminatingTLS", "originatingTLS", "listener",
                why: "a deny element matches addresses and ports only", instead: "remove the field"),
        ])
    static let rulesTable = FieldTable(
        "spec.ingress[].toPorts[].rules", "spec.egress[].toPorts[].rules",
        rows: [
            .enforced("http"), .enforced("dns", note: "egress only"),
            .refused(
                "kafka", "l7proto", "l7", why: "this parser was removed from Cilium",
                instead: "use rules.http, or allow the port without rules"),
        ])
    /// Elements of `ports`.
    private static let portLimit = 40

    /// Reads an element of `toPorts` (V16-V34 of docs/spec/cilium-network-policy.md 3.1).
    static func decode(
        _ node: DocumentNode, _ list: ElementList, isNodeRule: Bool, _ diagnostics: inout DiagnosticCollector
    ) -> PortRule? {
        guard let fields = (list.isDeny ? denyTable : table).read(node, &diagnostics) else { return nil }
        var rule = PortRule(ports: [], path: node.path.description, location: node.location)
        let portNodes = diagnostics.list(fields["ports"]) ?? []
        if portNodes.count > portLimit, let ports = fields["ports"] {
            diagnostics.error(
                .tooMany, ports, "\(portNodes.count) ports are too many, at most \(portLimit) are allowed",
                "write several toPorts elements, or ranges with endPort")
        }
        if portNodes.isEmpty {
            diagnostics.warn(
                .noEffect, fields["ports"] ?? node,
                list.isDeny ? "a deny without ports denies nothing" : "an element without ports matches nothing",
                "list ports; write port: \"0\" for every port")
        }
        var ports: [(PortProtocol, DocumentNode)] = []
        for element in portNodes {
            if let port = PortProtocol.decode(element, &diagnostics) { ports.append((port, element)) }
        }
        rule.ports = ports.map(\.0)
        guard !list.isDeny else { return rule }
        for name in ["rules", "serverNames"] {
            guard let empty = fields.null(name) else { continue }
            diagnostics.warn(
                .noEffect, empty,
                "\(name) without a value is as if it were not written: the ports are allowed without it",
                "write what is allowed, or remove it")
        }
        rule.serverNames = decodeServerNames(fields["serverNames"], &diagnostics)
        if let rules = fields["rules"] { rule.decodeL7(rules, ports, &diagnostics) }
        if !rule.http.isAbsent || !rule.dns.isAbsent, let rules = fields["rules"] {
            if let names = fields["serverNames"] {
                diagnostics.error(
                    .conflict, names, "serverNames and rules are mutually exclusive without TLS termination",
                    "keep one: serverNames match encrypted traffic, rules match plain traffic")
            }
            rule.checkPlace(rules, list, isNodeRule: isNodeRule, hasPorts: !portNodes.isEmpty, &diagnostics)
        }
        return rule
    }

    private mutating func decodeL7(
        _ node: DocumentNode, _ ports: [(PortProtocol, DocumentNode)], _ diagnostics: inout DiagnosticCollector
    ) {
        let before = diagnostics.errorCount
        guard let fields = PortRule.rulesTable.read(node, &diagnostics) else { return }
        let isComplete = diagnostics.errorCount == before
        http = diagnostics.presence(fields["http"]) { node, diagnostics in
            HTTPRule.decode(node, &diagnostics).map { Located($0, at: node) }
        }
        dns = diagnostics.presence(fields["dns"]) { node, diagnostics in
            FQDNSelector.decode(node, &diagnostics).map { Located($0, at: node) }
        }
        if fields["http"] != nil, let second = fields["dns"] {
            diagnostics.error(
                .conflict, second, "http and dns are mutually exclusive", "write one toPorts element for each")
        }
        // An empty block would be a plain allow, which is unlikely to be intended.
        if http == .empty || dns == .empty || (isComplete && fields["http"] == nil && fields["dns"] == nil) {
            diagnostics.error(
                .missingField, (http == .empty ? fields["http"] : fields["dns"]) ?? node, "the L7 rules are empty",
                "list at least one rule, or remove `rules` to allow everything on the port")
        }
        for (port, place) in ports { check(port, place, &diagnostics) }
    }

    /// V22, V25, V27: what L7 rules require of a port.
    private func check(_ port: PortProtocol, _ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) {
        if case .all = port.port {
            diagnostics.error(.conflict, node, "L7 rules need a port, not 0", "write the port's number or name")
        }
        if !http.isAbsent, port.protocols != [.tcp] {
            diagnostics.error(.conflict, node, "http rules need protocol TCP", "write protocol: TCP")
        }
        guard !dns.isAbsent else { return }
        if case .range(let range) = port.port, range.first != range.last {
            diagnostics.error(
                .conflict, node, "dns rules do not support a port range", "list each port, without endPort")
        }
        if !port.protocols.contains(.udp), !port.protocols.contains(.tcp) {
            diagnostics.error(.conflict, node, "dns rules need protocol UDP, TCP or ANY", "write protocol: ANY")
        }
    }

    /// V23, V24, V34, V35: where L7 rules are allowed.
    private func checkPlace(
        _ node: DocumentNode, _ list: ElementList, isNodeRule: Bool, hasPorts: Bool,
        _ diagnostics: inout DiagnosticCollector
    ) {
        if !dns.isAbsent, list.isIngress {
            diagnostics.error(.conflict, node, "dns rules are allowed in egress only", "move the element to egress")
        }
        if !dns.isAbsent, !hasPorts {
            diagnostics.error(.missingField, node, "dns rules need ports", "list port \"53\" with protocol ANY")
        }
        if isNodeRule, list.isIngress || !http.isAbsent {
            diagnostics.error(
                .conflict, node, "a rule that selects nodes allows no L7 rules except dns in egress",
                "remove `rules`, or select pods")
        }
    }

    private static func decodeServerNames(_ node: DocumentNode?, _ diagnostics: inout DiagnosticCollector) -> [Located<
        String
    >] {
        guard let node, let elements = diagnostics.list(node) else { return [] }
        if elements.isEmpty {
            diagnostics.error(
                .missingField, node, "the list of server names is empty",
                "list a name, or remove the field to allow any")
        }
        var names: [Located<String>] = []
        var seen: Set<String> = []
        for element in elements {
            guard let name = FQDNSelector.text(element, allowStars: true, &diagnostics) else { continue }
            if !seen.insert(name).inserted {
                diagnostics.error(.conflict, element, "the name is listed twice", "keep one of them")
            }
            names.append(Located(name, at: element))
        }
        return names
    }
}
