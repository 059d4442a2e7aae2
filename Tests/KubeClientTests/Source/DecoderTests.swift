import Agent
import KubeClient
import KubeObjects
import PolicyAPI
import Testing

/// The fast decoder and the one by documents say the same of every recorded object.
struct DecoderTests {
    private static let lists: [(String, ObjectKind, String)] = [
        ("b/01-list-limit10.http", .pod, "v1"), ("b/01-list-limit10-page4.http", .pod, "v1"),
        ("b/19-crd-list.http", .ciliumNetworkPolicy, "cilium.io/v2"),
        ("b/20-clusterwide.http", .ciliumClusterwideNetworkPolicy, "cilium.io/v2"),
        ("b/21-cidrgroups.http", .cidrGroup, "cilium.io/v2"),
        ("b/22-cnp-list.http", .clusterNetworkPolicy, "policy.networking.k8s.io/v1alpha2"),
        ("b/23-anp-list.http", .adminNetworkPolicy, "policy.networking.k8s.io/v1alpha1"),
        ("b/25-endpointslices.http", .endpointSlice, "discovery.k8s.io/v1"),
        ("b/30-crd-cidrgroup-v2alpha1.http", .cidrGroup, "cilium.io/v2alpha1"),
    ]

    @Test(arguments: lists) func bothDecodersAgree(name: String, kind: ObjectKind, apiVersion: String) throws {
        let recording = try Recording(name)
        try #require(!recording.isTrimmed)
        let page = try ListPage(parsing: recording.body)
        try #require(!page.items.isEmpty)
        let exact = DocumentObjectDecoder()
        let fast = WireObjectDecoder()
        for item in page.items {
            let bytes = page.bytes[item]
            let head = try ObjectHead(scanning: bytes)
            let one = exact.decode(kind, bytes, head: head, apiVersion: apiVersion)
            let two = fast.decode(kind, bytes, head: head, apiVersion: apiVersion)
            switch (one, two) {
            case (.good(let left, _), .good(let right, _)):
                #expect(left.key == right.key && left.metadata.labels == right.metadata.labels)
                if case .pod(let pod) = left, case .pod(let other) = right {
                    #expect(
                        pod.addresses == other.addresses && pod.nodeName == other.nodeName && pod.ports == other.ports)
                }
            case (.refused(let left), .refused(let right)): #expect(left.key == right.key)
            case (.good, .refused), (.refused, .good): Issue.record("\(head.name): \(one) but \(two)")
            }
            #expect({ if case .good = one { true } else { false } }(), "\(one)")
        }
    }

    @Test func anotherObjectInItsPlaceIsRefused() throws {
        let bytes = Array(#"{"kind":"Secret","apiVersion":"v1","metadata":{"name":"a","namespace":"b"}}"#.utf8)
        let head = try ObjectHead(scanning: bytes)
        for decoder in [DocumentObjectDecoder() as any ObjectDecoder, WireObjectDecoder()] {
            guard case .refused(let refused) = decoder.decode(.pod, bytes[...], head: head, apiVersion: "v1") else {
                Issue.record("taken")
                continue
            }
            #expect(refused.key.text == "Pod b/a" && !refused.diagnostics.isEmpty)
        }
    }

    /// What an invalid policy selects is isolated.
    @Test func refusedPoliciesIsolateWhomTheySelect() throws {
        let text =
            #"{"kind":"CiliumNetworkPolicy","apiVersion":"cilium.io/v2","metadata":{"name":"a","namespace":"b","resourceVersion":"7"},"spec":{"endpointSelector":{},"ingress":[{"fromNowhere":1}]}}"#
        let bytes = Array(text.utf8)
        let head = try ObjectHead(scanning: bytes)
        for decoder in [DocumentObjectDecoder() as any ObjectDecoder, WireObjectDecoder()] {
            guard
                case .refused(let refused) = decoder.decode(
                    .ciliumNetworkPolicy, bytes[...], head: head, apiVersion: "cilium.io/v2")
            else {
                Issue.record("taken")
                continue
            }
            #expect(!refused.isolating.isEmpty && refused.origin == .server(ObjectVersion(resourceVersion: "7")))
            #expect(refused.diagnostics.contains { $0.path.contains("spec.ingress[0]") }, "\(refused.diagnostics)")
        }
    }

    /// Of an invalid object that policies refer to they know what its metadata says.
    @Test(arguments: [
        (
            ObjectKind.endpointSlice, "discovery.k8s.io/v1",
            #"{"metadata":{"name":"a","namespace":"b","labels":{"kubernetes.io/service-name":"s"}},"endpoints":[{"addresses":["x"]}]}"#,
            ["kubernetes.io/service-name": "s"]
        ),
        (
            .service, "v1",
            #"{"metadata":{"name":"a","namespace":"b","labels":{"k":"v"}},"spec":{"selector":{"app":5}}}"#,
            ["k": "v"]
        ),
        (.service, "v1", #"{"metadata":{"name":"a","namespace":"b","labels":{"k":5}},"spec":{}}"#, [:]),
        (
            .cidrGroup, "cilium.io/v2", #"{"metadata":{"name":"a","labels":{"k":"v"}},"spec":{"externalCIDRs":["x"]}}"#,
            ["k": "v"]
        ),
    ]) func refusedReferencesAreUnknown(
        kind: ObjectKind, apiVersion: String, text: String, labels: [String: String]
    ) throws {
        let bytes = Array(text.utf8)
        let head = try ObjectHead(scanning: bytes)
        let decoded = WireObjectDecoder().decode(kind, bytes[...], head: head, apiVersion: apiVersion)
        guard case .refused(let refused) = decoded else {
            Issue.record("taken")
            return
        }
        let unknown = try #require(refused.unknown)
        #expect(unknown.isUnknown && unknown.key == refused.key && unknown.metadata.labels == labels)
        if case .endpointSlice(let slice) = unknown { #expect(slice.serviceName == "s") }
    }
}
