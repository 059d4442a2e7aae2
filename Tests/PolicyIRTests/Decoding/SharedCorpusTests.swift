import Foundation
import Testing

@testable import PolicyAPI
@testable import PolicyAnalysis

/// The shared folder with example manifests and conformance cases: `NETPOLD_SHARED`, or `shared` beside the checkout.
enum SharedCorpus {
    static let folder: String? = {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let candidates: [String?] = [
            ProcessInfo.processInfo.environment["NETPOLD_SHARED"], package.appendingPathComponent("../shared").path,
            package.appendingPathComponent("../../shared").path,
        ]
        return candidates.compactMap(\.self).first { FileManager.default.fileExists(atPath: $0 + "/manifests") }
    }()

    static func files(under subfolder: String) -> [String] {
        guard let folder else { return [] }
        let root = folder + "/" + subfolder
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: root)) ?? []
        return names.filter { $0.hasSuffix(".yaml") }.sorted().map { root + "/" + $0 }
    }

    static func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }
}

@Suite("Shared manifests", .enabled(if: SharedCorpus.folder != nil, "no ../shared folder and no NETPOLD_SHARED"))
struct SharedCorpusTests {
    @Test("All example manifests load; kinds that are no policies are counted")
    func manifests() throws {
        var decoder = ManifestDecoder()
        for path in SharedCorpus.files(under: "manifests") { decoder.add(try SharedCorpus.bytes(path), file: path) }
        let decoded = decoder.finish()
        #expect(DiagnosticRenderer().render(decoded.diagnostics.filter { $0.severity == .error }) == "")
        #expect(decoded.refused.isEmpty)
        #expect(decoded.objects.networkPolicies.count > 10)
        #expect(!decoded.objects.ciliumPolicies.isEmpty)
        #expect(decoded.skipped["HTTPRoute"] != nil)
    }

    @Test("All conformance cases load without an error", arguments: ["conformance/cilium", "conformance/upstream"])
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
        #expect(cases == (folder == "conformance/cilium" ? 120 : 190))
    }
}
