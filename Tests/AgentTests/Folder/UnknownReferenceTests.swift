import BPFEmit
import NetTypes
import PolicyAPI
import PolicyIR
import Testing

@testable import Agent

/// Services, EndpointSlices and Namespaces that are refused, or defined several times and not the same, in the agent's folder: the same as in
/// the dry run (MistakesCloseTests).
@Suite struct UnknownReferenceTests {
    private static let policy = """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: web, namespace: shop}
        spec:
          endpointSelector: {}
          egressDeny: [{toServices: [{k8sServiceSelector: {selector: {matchLabels: {kind: data}}, namespace: shop}}]}]
          enableDefaultDeny: {egress: false}

        """

    private static func service(_ name: String, _ spec: String, labels: String = "{kind: data}") -> String {
        "apiVersion: v1\nkind: Service\nmetadata: {name: \(name), namespace: shop, labels: \(labels)}\nspec: \(spec)\n"
    }

    private static func slice(
        _ name: String, _ addresses: String, labels: String = "{kubernetes.io/service-name: bank}"
    )
        -> String
    {
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: \(name), namespace: shop, labels: \(labels)}\naddressType: IPv4\nendpoints: [{addresses: [\(addresses)]}]\n"
    }

    /// A folder, with what the policy denies: `nil` where it is refused, so that everything is denied.
    private struct Folder {
        private var store = FolderStore(onRefused: .isolate)
        private var compiler = NodePolicyCompiler()
        var files = ["policy.yaml": UnknownReferenceTests.policy]

        mutating func denies() throws -> [Peer]? {
            store.absorb(
                Dictionary(
                    uniqueKeysWithValues: files.map { path, text in
                        (path, ManifestFile(decoding: Array(text.utf8), file: path))
                    }))
            let compiled = try compiler.compile(
                DesiredChanges(generation: 1, node: "node-1", changes: store.takeChanges(), links: [:]))
            let rules = compiled.objects.lower(compiled.objects.cluster(node: "node-1")).policies.first?.egress?.rules
            let peers = try #require(rules?.first?.peers)
            if case .anyOf(let peers) = peers { return peers }
            #expect(compiled.diagnostics.map(\.id) == [.unresolved])
            return nil
        }

        /// One peer is denied; with another text in a file before or behind its own everything, or the same as ever.
        mutating func expect(beside other: String, closes: Bool) throws {
            #expect(try denies()?.count == 1)
            for file in ["a.yaml", "z.yaml"] {
                files[file] = other
                #expect(try denies()?.count == (closes ? nil : 1), "\(file)")
                files[file] = nil
                #expect(try denies()?.count == 1)
            }
        }

        var conditions: [Condition.Kind] { store.conditions.map(\.kind) }
    }

    private static let db = service("db", "{selector: {app: db}}")

    @Test(
        "a deny closes while a Service that it means, or may mean, is refused or contradicted, in whichever file, and no longer",
        arguments: [
            (service("cache", "{selector: {app: 5}}"), true),
            (service("cache", "{selector: {app: cache}}", labels: "{kind: 5}"), true),
            (service("cache", "{selector: {app: cache]"), true),
            (service("db", "{selector: {app: cache}}"), true), (service("db", "{selector: {app: 5}}"), true),
            (service("db", "{selector: {app: db}}", labels: "{kind: other}"), true),
            (service("db", "{selector: {app: db}, ports: [{port: 80}]}"), false),
            (service("cache", "{selector: {app: 5}}", labels: "{kind: other}"), false),
        ])
    func services(other: String, closes: Bool) throws {
        var folder = Folder()
        folder.files["m.yaml"] = Self.db
        try folder.expect(beside: other, closes: closes)
    }

    @Test(
        "and while an EndpointSlice of one without selector is",
        arguments: [
            (slice("bank-2", "203.0.113.300"), true), (slice("bank-1", "203.0.113.10"), true),
            (slice("bank-2", "203.0.113.10", labels: "{kubernetes.io/service-name: 5}"), true),
            (slice("bank-2", "203.0.113.10]"), true),
            (slice("bank-1", "203.0.113.9"), false),
            (slice("other-1", "203.0.113.300", labels: "{kubernetes.io/service-name: other}"), false),
        ])
    func slices(other: String, closes: Bool) throws {
        var folder = Folder()
        folder.files["m.yaml"] = Self.service("bank", "{}") + "---\n" + Self.slice("bank-1", "203.0.113.9")
        try folder.expect(beside: other, closes: closes)
    }

    @Test(
        "a deny by the entity kube-apiserver, or by its label, closes while no slice says its address, or one of them is refused",
        arguments: ["toEntities: [kube-apiserver]", #"toEndpoints: [{matchLabels: {"reserved:kube-apiserver": ""}}]"#])
    func apiServer(member: String) throws {
        func slice(_ name: String, _ address: String) -> String {
            Self.slice(name, address, labels: "{kubernetes.io/service-name: kubernetes}").replacing(
                "namespace: shop", with: "namespace: default")
        }
        var folder = Folder()
        let services = try #require(Self.policy.split(separator: "\n").first { $0.contains("toServices") })
        folder.files["policy.yaml"] = Self.policy.replacing(
            services, with: "  egressDeny: [{\(member)}]")
        #expect(try folder.denies() == nil)
        folder.files["a.yaml"] = slice("kubernetes", "192.0.2.10")
        let known = try #require(try folder.denies())
        #expect(!member.contains("toEntities") || known == [.entity(.kubeAPIServer)])
        folder.files["b.yaml"] = slice("kubernetes-2", "192.0.2.300")
        #expect(try folder.denies() == nil)
        folder.files["b.yaml"] = slice("kubernetes-2", "192.0.2.11")
        #expect(try folder.denies() == known)
        folder.files["a.yaml"] = nil
        folder.files["b.yaml"] = nil
        #expect(try folder.denies() == nil)
    }

    @Test("an update with an error leaves the last good version in force")
    func lastGood() throws {
        var folder = Folder()
        folder.files["m.yaml"] = Self.db
        #expect(try folder.denies()?.count == 1)
        folder.files["m.yaml"] = Self.service("db", "{selector: {app: 5}}")
        #expect(try folder.denies()?.count == 1)
        #expect(folder.conditions == [.keptLastGood])
    }

    @Test(
        "the pods of a Namespace that is defined twice, once with a mistake, are closed, in whichever file the mistake is"
    )
    func namespaces() throws {
        func namespace(_ labels: String) -> String {
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: pci, labels: {\(labels)}}\n"
        }
        let (right, wrong) = (namespace("secure: yes-it-is"), namespace("secure: true"))
        for files in [["a.yaml": right, "b.yaml": wrong], ["a.yaml": wrong, "b.yaml": right]] {
            var store = FolderStore(onRefused: .isolate)
            var decoded = files.mapValues { ManifestFile(decoding: Array($0.utf8), file: "f.yaml") }
            store.absorb(decoded)
            #expect(store.isolating.map(\.origin.kind) == ["Namespace"])
            #expect(store.objects.namespaces.isEmpty)
            for (file, text) in files where text == wrong { decoded[file] = nil }
            store.absorb(decoded)
            #expect(store.isolating.isEmpty && store.objects.namespaces.count == 1)
        }
    }

    @Test("nobody reaches the addresses of a Pod or Node with a mistake until it is right", arguments: ["Pod", "Node"])
    func addresses(kind: String) throws {
        func object(_ label: String) -> ManifestFile {
            let text =
                kind == "Pod"
                ? "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop, labels: {v: \(label)}}\nstatus: {podIP: 10.0.1.9}\n"
                : "apiVersion: v1\nkind: Node\nmetadata: {name: a, labels: {v: \(label)}}\nstatus: {addresses: [{type: InternalIP, address: 10.0.1.9}]}\n"
            return ManifestFile(decoding: Array(text.utf8), file: "f.yaml")
        }
        var store = FolderStore(onRefused: .isolate)
        var state = CompilerState(ClusterObjects(), localNode: "node-1")
        store.absorb(["f.yaml": object("1")])
        #expect(store.isolating.map(\.origin.kind) == [kind])
        #expect(store.conditions.map(\.kind) == [.isolatedByRefused])
        _ = state.apply(store.takeChanges())
        #expect(state.policies.map(\.origin.isRefused) == [true])
        store.absorb(["f.yaml": object("one")])
        #expect(store.isolating.isEmpty && store.conditions.isEmpty)
        _ = state.apply(store.takeChanges())
        #expect(state.policies.isEmpty)
    }
}
