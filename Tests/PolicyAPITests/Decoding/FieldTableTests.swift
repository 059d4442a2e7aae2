import Foundation
import NetpoldTestSupport
import Testing

@testable import PolicyAPI
@testable import PolicyIR

@Suite("Fields of policies") struct FieldTableTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    @Test("A refused field is an error with its reason and alternative, at every path", arguments: FieldPlace.all)
    func refused(_ place: FieldPlace) {
        for row in place.table.rows {
            guard case .refused(let why, let instead, let exception) = row.treatment else { continue }
            #expect(!why.isEmpty && !instead.isEmpty)
            for name in row.names {
                let found = place.diagnostic(
                    [.unsupportedField], about: name, in: decode(place.manifest((name, "[{a: b}]"))))
                #expect(found?.severity == .error && found?.location?.line == 1, "\(place) \(name)")
                #expect(found?.message == why && found?.hint == instead, "\(place) \(name)")
                for value in [exception?.value, "null"].compactMap(\.self) {
                    let decoded = decode(place.manifest((name, value)))
                    #expect(
                        decoded.diagnostics.allSatisfy { $0.path != place.diagnosticPath(name) }, "\(place) \(name)")
                }
            }
        }
    }

    @Test("A misspelt field is an error that names the right one", arguments: FieldPlace.all)
    func misspelt(_ place: FieldPlace) {
        for name in place.table.rows.flatMap(\.names) {
            let wrong = "x" + name
            let found = place.diagnostic([.unknownField], about: wrong, in: decode(place.manifest((wrong, "1"))))
            #expect(found?.severity == .error && found?.hint == "did you mean \"\(name)\"?", "\(place) \(wrong)")
        }
        let strange = place.diagnostic(
            [.unknownField], about: "zzzzzzzz", in: decode(place.manifest(("zzzzzzzz", "1"))))
        #expect(strange?.hint.hasPrefix("the fields here are ") == true, "\(place)")
    }

    @Test("Metadata changes no rule", arguments: FieldPlace.all)
    func metadata(_ place: FieldPlace) {
        for row in place.table.rows {
            guard case .metadata = row.treatment else { continue }
            let without = decode(place.manifest(nil))
            for name in row.names {
                let value = ["annotations", "status", "log"].contains(name) ? "{}" : "x"
                let with = decode(place.manifest((name, value)))
                #expect(with.diagnostics == [], "\(place) \(name)")
                let lowered = FieldTableTests.lowered(with)
                #expect(lowered == FieldTableTests.lowered(without), "\(place) \(name)")
                #expect(!lowered.isEmpty || place.kind == .ciliumCIDRGroup, "\(place) \(name)")
            }
        }
    }

    /// What the policies mean: without the names that authors give to rules, which verdicts show.
    private static func lowered(_ decoded: DecodedManifests) -> [LoweredPolicy] {
        PolicyLowering.lower(decoded.objects).policies.map { policy in
            var policy = policy
            for index in policy.ingress?.rules.indices ?? 0..<0 { policy.ingress?.rules[index].origin.ruleName = "" }
            for index in policy.egress?.rules.indices ?? 0..<0 { policy.egress?.rules[index].origin.ruleName = "" }
            return policy
        }
    }

    @Test("A policy with disabled authentication is like one without")
    func disabledAuthentication() {
        let place = FieldPlace(kind: .ciliumNetworkPolicy, path: "spec.ingress[]", table: ElementList.ingress.table)
        let with = decode(place.manifest(("authentication", "{mode: disabled}")))
        #expect(with.diagnostics == [])
        #expect(
            PolicyLowering.lower(with.objects).policies
                == PolicyLowering.lower(decode(place.manifest(nil)).objects).policies)
        for value in ["{}", "{mode: required}", "{mode: test-always-fail}", "{mode: disabled, x: y}", "disabled"] {
            #expect(decode(place.manifest(("authentication", value))).objects.ciliumPolicies.isEmpty, "\(value)")
        }
    }

    /// The fields that the APIs have: docs/spec/cilium-network-policy.md 2.1 to 2.5, docs/spec/network-policy.md 1.2, 2.1 and 2.2.
    static let api: [(kinds: [KnownKind], path: String, names: String)] = {
        let cilium: [KnownKind] = [.ciliumNetworkPolicy, .ciliumClusterwideNetworkPolicy]
        let old: [KnownKind] = [.adminNetworkPolicy, .baselineAdminNetworkPolicy]
        let from = "fromEndpoints fromCIDR fromCIDRSet fromEntities fromGroups fromNodes fromRequires toPorts icmps"
        let to = "toEndpoints toCIDR toCIDRSet toEntities toServices toGroups toNodes toRequires toPorts icmps"
        return [
            (cilium, "", "metadata spec specs status"),
            (
                cilium, "spec",
                "endpointSelector nodeSelector ingress egress ingressDeny egressDeny labels enableDefaultDeny description log"
            ),
            (cilium, "spec.enableDefaultDeny", "ingress egress"), (cilium, "spec.log", "value"),
            (cilium, "spec.ingress[]", from + " authentication"), (cilium, "spec.ingressDeny[]", from),
            (cilium, "spec.egress[]", to + " toFQDNs authentication"), (cilium, "spec.egressDeny[]", to),
            (cilium, "spec.egressDeny[].toCIDRSet[]", "cidr cidrGroupRef cidrGroupSelector except"),
            (cilium, "spec.egress[].toServices[]", "k8sService k8sServiceSelector"),
            (cilium, "spec.egress[].toServices[].k8sService", "serviceName namespace"),
            (cilium, "spec.egress[].toServices[].k8sServiceSelector", "selector namespace"),
            (cilium, "spec.ingress[].toPorts[]", "ports terminatingTLS originatingTLS serverNames listener rules"),
            (cilium, "spec.ingressDeny[].toPorts[]", "ports"),
            (cilium, "spec.egress[].toPorts[].ports[]", "port endPort protocol"),
            (cilium, "spec.egress[].toPorts[].rules", "http dns"),
            (cilium, "spec.ingress[].toPorts[].rules.http[]", "method path host headers headerMatches"),
            (cilium, "spec.ingress[].toPorts[].rules.http[].headerMatches[]", "name value mismatch secret"),
            (cilium, "spec.ingress[].icmps[]", "fields"), (cilium, "spec.ingress[].icmps[].fields[]", "family type"),
            (cilium, "spec.egress[].toFQDNs[]", "matchName matchPattern"),
            (cilium, "spec.egress[].toPorts[].rules.dns[]", "matchName matchPattern"),
            ([.ciliumCIDRGroup], "spec", "externalCIDRs"), ([.networkPolicy], "", "metadata spec status"),
            ([.networkPolicy], "spec", "podSelector policyTypes ingress egress"),
            ([.networkPolicy], "spec.podSelector", "matchLabels matchExpressions"),
            ([.networkPolicy], "spec.podSelector.matchExpressions[]", "key operator values"),
            ([.networkPolicy], "spec.ingress[]", "from ports"), ([.networkPolicy], "spec.egress[]", "to ports"),
            ([.networkPolicy], "spec.ingress[].from[]", "podSelector namespaceSelector ipBlock"),
            ([.networkPolicy], "spec.egress[].to[].ipBlock", "cidr except"),
            ([.networkPolicy], "spec.egress[].ports[]", "protocol port endPort"),
            ([.clusterNetworkPolicy], "spec", "tier priority subject ingress egress"),
            ([.clusterNetworkPolicy], "spec.ingress[]", "name action from protocols"),
            ([.clusterNetworkPolicy], "spec.egress[]", "name action to protocols"),
            ([.clusterNetworkPolicy] + old, "spec.subject", "namespaces pods"),
            ([.clusterNetworkPolicy] + old, "spec.subject.pods", "namespaceSelector podSelector"),
            ([.clusterNetworkPolicy] + old, "spec.ingress[].from[]", "namespaces pods"),
            ([.clusterNetworkPolicy] + old, "spec.egress[].to[]", "namespaces pods networks nodes domainNames"),
            ([.clusterNetworkPolicy], "spec.egress[].protocols[]", "tcp udp sctp destinationNamedPort"),
            ([.clusterNetworkPolicy], "spec.egress[].protocols[].udp", "destinationPort"),
            ([.clusterNetworkPolicy], "spec.egress[].protocols[].udp.destinationPort", "number range"),
            ([.clusterNetworkPolicy], "spec.egress[].protocols[].sctp.destinationPort.range", "start end"),
            ([.adminNetworkPolicy], "spec", "priority subject ingress egress"),
            ([.baselineAdminNetworkPolicy], "spec", "subject ingress egress"),
            (old, "spec.ingress[]", "name action from ports"), (old, "spec.egress[]", "name action to ports"),
            (old, "spec.ingress[].ports[]", "portNumber portRange namedPort"),
            (old, "spec.ingress[].ports[].portNumber", "protocol port"),
            (old, "spec.ingress[].ports[].portRange", "protocol start end"),
        ]
    }()

    @Test("Every field of the APIs is in a table", arguments: api.indices)
    func complete(_ index: Int) {
        let (kinds, path, names) = FieldTableTests.api[index]
        for kind in kinds {
            let tables = FieldPlace.all.filter { $0.kind == kind && $0.path == path }.map(\.table)
            #expect(tables.count == 1, "\(kind) \(path)")
            let known = tables.flatMap(\.rows).flatMap(\.names)
            #expect(names.split(separator: " ").filter { !known.contains(String($0)) } == [], "\(kind) \(path)")
            #expect(Set(known).count == known.count, "\(kind) \(path)")
        }
    }

    @Test("Every table that a decoder declares is in the list, and every place has one table")
    func listed() throws {
        let folder = FieldTableTests.root.appending(path: "Sources/PolicyAPI/Decoding")
        var declared: Set<String> = []
        for case let file as URL in try #require(
            FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        where file.pathExtension == "swift" && file.lastPathComponent != "FieldTable.swift" {
            let lines = try String(contentsOf: file, encoding: .utf8).split(
                separator: "\n", omittingEmptySubsequences: false)
            for (index, line) in lines.enumerated() where line.contains("FieldTable(") {
                declared.insert("PolicyAPI/\(file.lastPathComponent):\(index + 1)")
            }
        }
        #expect(declared == Set(FieldTables.sections.flatMap(\.tables).map(\.declaration)))
        #expect(declared.count > 40)
        let places = Dictionary(grouping: FieldPlace.all, by: \.description)
        #expect(places.filter { $0.value.count > 1 }.keys.sorted() == [])
        for kind in KnownKind.allCases {
            #expect(FieldPlace.all.contains { $0.kind == kind } == kind.hasFieldTables, "\(kind)")
        }
    }

    @Test("docs/reference/support-matrix.md is generated from the tables")
    func page() throws {
        let path = FieldTableTests.root.appending(path: "docs/reference/support-matrix.md")
        let written = try? String(contentsOf: path, encoding: .utf8)
        if written != SupportMatrixPage.text, ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] != nil {
            try SupportMatrixPage.text.write(to: path, atomically: true, encoding: .utf8)
        }
        #expect(written == SupportMatrixPage.text, "run the tests with RECORD_SNAPSHOTS=1 and commit the page")
    }
}
