import Foundation
import Testing

@testable import PolicyAPI
@testable import PolicyAnalysis

/// The manifests that several suites, fuzzing and `make conformance` share: `Tests/Manifests` and `Tests/Conformance`.
enum SharedCorpus {
    private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// The manifests below a folder of `Tests`, sorted. A folder that is not there has none, which the suites notice.
    static func files(under subfolder: String) -> [String] {
        let root = tests + "/" + subfolder
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: root)) ?? []
        return names.filter { $0.hasSuffix(".yaml") }.sorted().map { root + "/" + $0 }
    }

    static func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }
}

@Suite("Shared manifests")
struct SharedCorpusTests {
    @Test("All example manifests load; kinds that are not policies are counted")
    func manifests() throws {
        var decoder = ManifestDecoder()
        for path in SharedCorpus.files(under: "Manifests") { decoder.add(try SharedCorpus.bytes(path), file: path) }
        let decoded = decoder.finish()
        #expect(DiagnosticRenderer().render(decoded.diagnostics.filter { $0.severity == .error }) == "")
        #expect(decoded.refused.isEmpty)
        #expect(decoded.objects.networkPolicies.count > 10)
        #expect(!decoded.objects.ciliumPolicies.isEmpty)
        #expect(decoded.skipped["HTTPRoute"] != nil)
    }

    @Test("All conformance cases load without an error", arguments: ["Conformance/cilium", "Conformance/upstream"])
    func conformance(_ folder: String) throws {
        var cases = 0
        for path in SharedCorpus.files(under: folder) where path.hasSuffix("/cluster.yaml") {
            cases += 1
            var decoder = ManifestDecoder()
            let policies = path.replacingOccurrences(of: "cluster.yaml", with: "policies.yaml")
            for file in [path, policies] { decoder.add(try SharedCorpus.bytes(file), file: file) }
            let decoded = decoder.finish()
            #expect(DiagnosticRenderer().render(decoded.diagnostics.filter { $0.severity == .error }) == "")
            #expect(decoded.skipped.isEmpty)
            #expect(!decoded.objects.pods.isEmpty)
            #expect(decoded.objects.networkPolicies.count + decoded.objects.ciliumPolicies.count > 0)
        }
        #expect(cases == (folder == "Conformance/cilium" ? 120 : 190))
    }
}
