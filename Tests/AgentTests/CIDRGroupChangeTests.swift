import NetTypes
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
}
