import BPFEmit
import PolicyAPI
import PolicyIR
import Testing

@testable import Agent

/// Objects with a mistake outside of what their policies say, in the agent's folder: the same as in the dry run (MistakesCloseTests).
@Suite struct MistakenObjectTests {
    private func refused(_ text: String) -> [RefusedObject] {
        ManifestFile(decoding: Array(text.utf8), file: "a.yaml").refused
    }

    private let policy =
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web, namespace: shop}\nspec: {podSelector: {}}\n"

    @Test(
        "a policy whose apiVersion or kind is not as it should be isolates whom it selects",
        arguments: [
            ("apiVersion: networking.k8s.io/v1", "apiVersion: networking.k8s.io/v1beta1"),
            ("apiVersion: networking.k8s.io/v1\n", ""), ("apiVersion", "apiversion"),
            ("kind: NetworkPolicy", "kind: NetworkPolcy"),
            ("kind: NetworkPolicy", "Kind: NetworkPolicy"),
        ])
    func policies(_ right: String, _ wrong: String) {
        let refused = refused(policy.replacing(right, with: wrong))
        #expect(refused.map(\.key.text) == ["NetworkPolicy shop/web"])
        #expect(refused.first?.isolating.isEmpty == false && refused.first?.diagnostics.isEmpty == false)
    }

    @Test("a Namespace with a mistake closes its pods")
    func namespaces() {
        let refused = refused("apiVersion: v1\nkind: Namespace\nmetadata: {name: pci, labels: {secure: true}}\n")
        #expect(refused.map(\.key.objectKind) == [.namespace])
        #expect(refused.first?.isolating.allSatisfy { $0.ingress?.rules.map(\.action) == [.deny] } == true)
        #expect(refused.first?.isolating.isEmpty == false)
    }

    @Test("what stands for a refused Namespace is in force until it is right, or gone")
    func whileRefused() throws {
        let key = ObjectKey(kind: "Namespace", namespace: "", name: "pci")
        let wrong = try #require(
            refused("apiVersion: v1\nkind: Namespace\nmetadata: {name: pci, labels: {secure: true}}\n").first)
        let right = Namespace(metadata: ObjectMeta(name: "pci", labels: ["secure": "true"]))
        var store = ObjectStore(onRefused: .isolate)
        func take(_ event: ObjectEvent) -> [String] {
            _ = store.take(ObjectBatch(source: ObjectSourceID("folder"), events: [event]))
            return store.takeChanges().map { change in
                switch change {
                case .standIns(let policies, let key): "\(policies.count) for \(key.text)"
                case .upsert(let object): "upsert \(object.key.text)"
                case .delete(let key): "delete \(key.text)"
                case .name, .ownAddresses, .ownNetworks: "other"
                }
            }
        }
        #expect(take(.refused(wrong)) == ["1 for Namespace pci"])
        #expect(store.isolating == [key: wrong.isolating])
        #expect(take(.upsert(.namespace(right), origin: wrong.origin)) == ["upsert Namespace pci"])
        // The last good version stays.
        #expect(take(.refused(wrong)).isEmpty && store.isolating.isEmpty)
        #expect(take(.delete(key)) == ["delete Namespace pci"])
    }

    @Test(
        "CIDR groups that are doubled, of another version or without a name are unknown",
        arguments: [
            ("cilium.io/v2", "{name: g, labels: {a: b}}"), ("cilium.io/v3", "{name: h}"),
            ("cilium.io/v2", "{generateName: g}"),
        ])
    func groups(_ version: String, _ metadata: String) {
        func group(_ version: String, _ metadata: String) -> String {
            "{apiVersion: \(version), kind: CiliumCIDRGroup, metadata: \(metadata), spec: {externalCIDRs: [10.0.0.0/8]}}\n"
        }
        let list =
            "apiVersion: v1\nkind: CiliumCIDRGroupList\nitems:\n- " + group("cilium.io/v2", "{name: g}") + "- "
            + group(version, metadata)
        let refused = refused(list)
        #expect(
            !refused.isEmpty
                && refused.allSatisfy { $0.unknown?.isUnknown == true && $0.unknown?.metadata.labels == [:] })
    }
}
