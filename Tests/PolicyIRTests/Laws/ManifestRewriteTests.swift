import Foundation
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

/// Manifests written otherwise mean the same.
@Suite("Rewritten manifests")
struct ManifestRewriteTests {
    /// The example, and each fifteenth conformance folder.
    private static let folders: [[String]] = {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let shop = ["cilium-policies", "namespaces", "network-policies", "pods"].map {
            package.appendingPathComponent("examples/shop/\($0).yaml").path
        }
        let cases = SharedCorpus.files(under: "Conformance").filter { $0.hasSuffix("/cluster.yaml") }
        return [shop]
            + stride(from: 0, to: cases.count, by: 15).map { index in
                [cases[index], cases[index].replacingOccurrences(of: "cluster.yaml", with: "policies.yaml")]
            }
    }()

    @Test(
        "documents as JSON files in any order, members in any order, matchLabels as matchExpressions",
        arguments: folders)
    func rewritten(files: [String]) throws {
        var original = ManifestDecoder()
        var documents: [DocumentNode] = []
        for path in files {
            let bytes = try SharedCorpus.bytes(path)
            original.add(bytes, file: path)
            documents += DocumentReader.read(bytes, file: path).documents
        }
        let before = original.finish()
        #expect(!before.hasErrors && !before.objects.pods.isEmpty)
        var random = SplitMix64(seed: UInt64(documents.count))
        let pods = before.objects.pods.shuffled(using: &random)

        var rewritten = ManifestDecoder()
        for (number, document) in documents.shuffled(using: &random).enumerated() {
            let other = Self.rewritten(document, &random)
            rewritten.add(Array(JSONWriting.text(of: other).utf8), file: "\(number).json")
        }
        let after = rewritten.finish()
        #expect(after.diagnostics.map(\.message).sorted() == before.diagnostics.map(\.message).sorted())
        #expect(Self.verdicts(after, pods) == Self.verdicts(before, pods))
    }

    private static func rewritten(_ node: DocumentNode, _ random: inout SplitMix64) -> DocumentNode {
        func with(_ content: DocumentNode.Content) -> DocumentNode {
            DocumentNode(content, location: node.location, path: node.path)
        }
        func member(_ key: String, _ value: DocumentNode) -> DocumentMember {
            DocumentMember(key: key, location: node.location, value: value)
        }
        func text(_ text: String) -> DocumentNode { with(.scalar(DocumentScalar(text: text, kind: .string))) }
        switch node.content {
        case .null, .scalar: return node
        case .list(let elements): return with(.list(elements.map { rewritten($0, &random) }))
        case .map(let members):
            var result: [DocumentMember] = []
            var expressions = node["matchExpressions"]?.elements ?? []
            for one in members where one.key != "matchExpressions" {
                guard one.key == "matchLabels", let labels = one.value.members else {
                    result.append(member(one.key, rewritten(one.value, &random)))
                    continue
                }
                expressions += labels.map { label in
                    with(
                        .map([
                            member("key", text(label.key)), member("operator", text("In")),
                            member("values", with(.list([label.value]))),
                        ]))
                }
            }
            if !expressions.isEmpty { result.append(member("matchExpressions", with(.list(expressions)))) }
            return with(.map(result.shuffled(using: &random)))
        }
    }

    /// Every answer between some pods, and from and to the outside.
    private static func verdicts(_ decoded: DecodedManifests, _ pods: [Pod]) -> [Flow: String] {
        let evaluator = evaluator(decoded.objects)
        let outside = ["192.0.2.1", "203.0.113.9"].compactMap { IPAddress(parsing: $0) }.map(FlowEnd.address)
        let ends =
            pods.prefix(8).map { FlowEnd.pod(namespace: $0.metadata.namespace, name: $0.metadata.name) } + outside
        var result: [Flow: String] = [:]
        for from in ends {
            for to in ends {
                for (wanted, port) in [(L4Protocol.tcp, 80), (.tcp, 8080), (.udp, 53), (.icmp, 8)]
                    as [(L4Protocol, UInt16)]
                {
                    let flow = Flow(from: from, to: to, protocol: wanted, port: port)
                    guard let decision = try? evaluator.decide(flow) else { continue }
                    result[flow] = [decision.egress, decision.ingress].map(word).joined(separator: "/")
                }
            }
        }
        return result
    }

    private static func word(_ side: SideDecision) -> String {
        switch side.verdict {
        case .allow: "allow"
        case .deny: "deny"
        // Whose rule comes first goes by place.
        case .l7(let matches): Set(matches.flatMap(\.permitted)).sorted().joined(separator: " or ")
        }
    }
}
