import NetTypes
import PolicyAPI
import PolicyIR
import Testing

@testable import Agent

/// A policy means another thing when a CiliumCIDRGroup that it refers to changes.
@Suite struct CIDRGroupChangeTests {
    private static let policy = """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: web, namespace: shop}
        spec:
          endpointSelector: {}
          egressDeny: [{toCIDRSet: [{cidrGroupRef: office}]}]
          enableDefaultDeny: {egress: false}
        """

    private func group(_ prefix: String) -> String {
        "apiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\nmetadata: {name: office}\n"
            + "spec: {externalCIDRs: [\(prefix)]}\n"
    }

    @Test("a group that changes or goes in another file changes what is enforced; a deny of one that is gone closes")
    func groupChanges() throws {
        var store = FolderStore(onRefused: .isolate)
        var compiler = NodePolicyCompiler()
        func compile() throws -> CompiledNode {
            try compiler.compile(
                DesiredChanges(generation: 1, node: "node-1", changes: store.takeChanges(), links: [:]))
        }
        var files = ["policy.yaml": ManifestFile(decoding: Array(Self.policy.utf8), file: "policy.yaml")]
        #expect(files["policy.yaml"]?.isGood == true)
        func peers(_ text: String?) throws -> PeerMatch? {
            files["group.yaml"] = text.map { ManifestFile(decoding: Array($0.utf8), file: "group.yaml") }
            store.absorb(files)
            let compiled = try compile()
            return compiled.objects.lower(compiled.objects.cluster(node: "node-1")).policies.first?.egress?.rules.first?
                .peers
        }
        func deny(_ text: String) throws -> PeerMatch {
            .anyOf([.addresses(try #require(IPPrefix(parsing: text)), except: [], .outsideCluster)])
        }
        #expect(try peers(group("192.0.2.0/24")) == deny("192.0.2.0/24"))
        #expect(try peers(group("198.51.100.0/24")) == deny("198.51.100.0/24"))
        // Half a group is no group: the last good one stays.
        #expect(try peers(group("198.51.100.0/24, nonsense")) == deny("198.51.100.0/24"))
        #expect(try peers(nil) == .everyone)
        #expect(try compile().diagnostics.map(\.id) == [.unresolved])
    }

    private static let bySelector = policy.replacing(
        "cidrGroupRef: office", with: "cidrGroupSelector: {matchLabels: {blocked: \"yes\"}}")
    private static let known = """
        apiVersion: cilium.io/v2
        kind: CiliumCIDRGroup
        metadata: {name: known, labels: {blocked: "yes"}}
        spec: {externalCIDRs: [192.0.2.0/24]}
        ---

        """

    @Test(
        "a deny by labels closes while a group that has them, or may have them, was refused; a group with others changes nothing",
        arguments: [
            (#"{name: office, labels: {blocked: "yes"}}"#, true), (#"{name: office, labels: {blocked: "no"}}"#, false),
            (#"{name: office, labels: {blocked: yes, other: "x"}}"#, true), ("{name: office}", true),
        ])
    func refusedGroup(metadata: String, closes: Bool) throws {
        let group =
            "apiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\nmetadata: \(metadata)\n"
            + "spec: {externalCIDRs: [198.51.100.0/24, 203.0.113.300/24]}\n"
        let text = Self.known + group + "---\n" + Self.bySelector
        let deny: PeerMatch =
            closes
            ? .everyone
            : .anyOf([.addresses(try #require(IPPrefix(parsing: "192.0.2.0/24")), except: [], .outsideCluster)])
        // In the agent.
        var store = FolderStore(onRefused: .isolate)
        store.absorb(["all.yaml": ManifestFile(decoding: Array(text.utf8), file: "all.yaml")])
        var compiler = NodePolicyCompiler()
        let compiled = try compiler.compile(
            DesiredChanges(generation: 1, node: "node-1", changes: store.takeChanges(), links: [:]))
        let inForce = compiled.objects.lower(compiled.objects.cluster(node: "node-1"))
        #expect(inForce.policies.first?.egress?.rules.first?.peers == deny)
        #expect(store.conditions.map(\.kind) == [.isolatedByRefused])
        // In the commands.
        var decoder = ManifestDecoder()
        for document in DocumentReader.read(Array(text.utf8), file: "all.yaml").documents { decoder.add(document) }
        let lowered = PolicyLowering.lower(decoder.finish().objects, for: .enforcement)
        #expect(lowered.policies.first?.egress?.rules.first?.peers == deny)
        #expect(lowered.diagnostics.map(\.id) == (closes ? [.unresolved] : []))
    }

    @Test("of a typed list each refused group is known; of one that is refused in two ways no label is")
    func severalRefused() throws {
        func items(_ labels: [(name: String, value: String)]) -> String {
            labels.map {
                "- {metadata: {name: \($0.name), labels: {blocked: \"\($0.value)\"}}, spec: {externalCIDRs: [203.0.113.300/24]}}\n"
            }.joined()
        }
        func refused(_ files: [String]) -> [CIDRGroup] {
            var store = FolderStore(onRefused: .isolate)
            store.absorb(
                Dictionary(
                    uniqueKeysWithValues: files.enumerated().map { number, text in
                        ("\(number).yaml", ManifestFile(decoding: Array(text.utf8), file: "\(number).yaml"))
                    }))
            return store.takeChanges().compactMap { change in
                if case .upsert(.cidrGroup(let group)) = change { group } else { nil }
            }
        }
        let list = "apiVersion: cilium.io/v2\nkind: CiliumCIDRGroupList\nitems:\n"
        let both = refused([list + items([("a", "no"), ("b", "yes")])])
        #expect(both.map(\.isUnknown) == [true, true])
        #expect(both.map(\.metadata.labels) == [["blocked": "no"], ["blocked": "yes"]])
        let twice = refused([list + items([("a", "no")]), list + items([("a", "yes")])])
        #expect(twice.map(\.isUnknown) == [true] && twice.map(\.metadata.labels) == [[:]])
    }
}
