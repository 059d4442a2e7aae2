import BPFEmit
import Datapath
import Foundation
import PolicyAPI
import PolicyIR
import Testing

/// The code of the DocC articles, run. What stands between `// article: NAME` and `// end` is the article's Swift block.
@Suite("Examples of the articles", .serialized)
struct ArticleExamplesTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    @Test("PolicyIR: from manifests to a verdict with its rule")
    func policyIR() throws {
        // article: PolicyIR
        let manifests = """
            apiVersion: v1
            kind: Pod
            metadata: {name: web, namespace: shop, labels: {app: web}}
            spec: {nodeName: node-1, containers: [{name: c}]}
            status: {podIP: 10.1.0.1}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: db, namespace: shop, labels: {app: db}}
            spec: {nodeName: node-1, containers: [{name: c}]}
            status: {podIP: 10.1.0.2}
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: db, namespace: shop}
            spec:
              podSelector: {matchLabels: {app: db}}
              ingress:
                - from: [{podSelector: {matchLabels: {app: web}}}]
                  ports: [{port: 5432}]
            """

        var decoder = ManifestDecoder()
        decoder.add(Array(manifests.utf8), file: "shop.yaml")
        let decoded = decoder.finish()

        let lowered = PolicyLowering.lower(decoded.objects)
        let isolating = PolicyLowering.lowerRefused(decoded.refused)
        let evaluator = ReferenceEvaluator(decoded.objects, policies: lowered.policies + isolating)

        let web = FlowEnd.pod(namespace: "shop", name: "web")
        let db = FlowEnd.pod(namespace: "shop", name: "db")
        let postgres = try evaluator.decide(Flow(from: web, to: db, protocol: .tcp, port: 5432))
        let ssh = try evaluator.decide(Flow(from: web, to: db, protocol: .tcp, port: 22))
        print(postgres.verdict, postgres.ingress.reason)
        print(ssh.verdict, ssh.ingress.reason)
        // end
        #expect(decoded.diagnostics.isEmpty)
        let answers = [postgres, ssh].map { "\($0.verdict) \($0.ingress.reason)" }
        #expect(try answers == Self.printed("PolicyIR"))
    }

    @Test("BPFEmit: from objects to the image of a node")
    func bpfEmit() throws {
        let objects = try Self.objects()
        // article: BPFEmit
        let policies = PolicyLowering.lower(objects, for: .enforcement).policies
        var allocator = IdentityAllocator()
        let image = NodeCompiler.compile(objects, policies: policies, localNode: "node-1", allocator: &allocator)

        var lines: [String] = []
        for subject in image.subjects {
            let policy = subject.ingress
            lines.append("\(subject.key): bits \(policy.bits.count), peers \(policy.peers.count)")
            lines += policy.disassembly.split(separator: "\n").filter { $0.hasPrefix(";") }.map(String.init)
        }
        print(lines.joined(separator: "\n"))
        // end
        #expect(try lines == Self.printed("BPFEmit"))
    }

    @Test("Datapath: an image in force on veths", .enabled(if: geteuid() == 0, "needs root"))
    func datapath() throws {
        let objects = try Self.objects()
        let network = try PodNetwork(Self.manifests, tag: "article")
        let root = "/tmp/netpold-article-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        defer {
            umount2(root, Int32(MNT_DETACH))
            rmdir(root)
        }
        try network.routed.node.run {
            let webInterface = if_nametoindex("np0")
            let dbInterface = if_nametoindex("np1")
            // article: Datapath
            let pins = try PinPath(instance: "example", root: root)
            let datapath = try NodeDatapath(DatapathOptions(pins: pins))

            // After a restart the numbers go on from those of the pinned addresses.
            let known = datapath.identities
            var allocator = IdentityAllocator(pinnedAddresses: known.addresses, pinnedPrefixes: known.prefixes)
            let policies = PolicyLowering.lower(objects, for: .enforcement).policies
            let image = NodeCompiler.compile(objects, policies: policies, localNode: "node-1", allocator: &allocator)

            let report = try datapath.apply(
                image,
                links: [
                    EndpointKey(namespace: "shop", name: "web"): [webInterface],
                    EndpointKey(namespace: "shop", name: "db"): [dbInterface],
                ])
            for endpoint in report.endpoints {
                print(endpoint.key, endpoint.attachment, endpoint.failure.map { "\($0)" } ?? "in force")
            }
            try datapath.detach()
            // end
            #expect(report.endpoints.count == 2 && report.endpoints.allSatisfy { $0.failure == nil })
            #expect(report.hooksChanged == 4)
        }
    }

    @Test("the articles show the code that runs here", arguments: ["PolicyIR", "BPFEmit", "Datapath"])
    func shown(name: String) throws {
        let source = try String(contentsOf: URL(filePath: #filePath), encoding: .utf8)
        let region = try #require(source.firstMatch(of: try Regex("(?s)// article: \(name)\n(.*?)\n *// end\n")))
        let code = try #require(region.output[1].substring)
        let article = try Self.blocks(of: name, language: "swift").joined(separator: "\n")
        let shown = article.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("import ") }
        #expect(
            shown.joined(separator: "\n").trimmingCharacters(in: .newlines)
                == Self.dedented(String(code)).trimmingCharacters(in: .newlines))
    }

    /// What an article says that its example prints.
    private static func printed(_ name: String) throws -> [String] {
        try blocks(of: name, language: "text").flatMap { $0.split(separator: "\n").map(String.init) }
    }

    /// The code blocks of a language in an article, without their fences.
    private static func blocks(of name: String, language: String) throws -> [String] {
        let url = root.appending(path: "Sources/\(name)/\(name).docc/\(name).md")
        let text = try String(contentsOf: url, encoding: .utf8)
        return text.components(separatedBy: "```\(language)\n").dropFirst().map {
            $0.components(separatedBy: "```").first ?? ""
        }
    }

    private static func dedented(_ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let margin = lines.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
        return lines.map { $0.dropFirst(margin) }.joined(separator: "\n")
    }

    private static let manifests = """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: shop, labels: {app: web}}
        spec: {nodeName: node-1, containers: [{name: c}]}
        status: {podIP: 10.1.0.1}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: db, namespace: shop, labels: {app: db}}
        spec: {nodeName: node-1, containers: [{name: c}]}
        status: {podIP: 10.1.0.2}
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: db, namespace: shop}
        spec:
          podSelector: {matchLabels: {app: db}}
          ingress:
            - from: [{podSelector: {matchLabels: {app: web}}}]
              ports: [{port: 5432}]

        """

    private static func objects() throws -> ClusterObjects {
        var decoder = ManifestDecoder()
        decoder.add(Array(manifests.utf8), file: "shop.yaml")
        let decoded = decoder.finish()
        try #require(decoded.diagnostics.isEmpty)
        return decoded.objects
    }
}
