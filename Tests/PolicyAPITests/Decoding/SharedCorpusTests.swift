import Foundation
import NetpoldTestSupport
import Testing

@testable import PolicyAPI

@Suite("Shared manifests")
struct SharedCorpusTests {
    @Test("All example manifests load; kinds that are not policies are counted")
    func manifests() throws {
        var decoder = ManifestDecoder()
        for path in SharedCorpus.files(under: "Manifests") { decoder.add(try SharedCorpus.bytes(path), file: path) }
        let decoded = decoder.finish()
        #expect(decoded.errors == [])
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
            #expect(decoded.errors == [])
            #expect(decoded.skipped.isEmpty)
            #expect(!decoded.objects.pods.isEmpty)
            #expect(decoded.objects.networkPolicies.count + decoded.objects.ciliumPolicies.count > 0)
        }
        #expect(cases == (folder == "Conformance/cilium" ? 120 : 190))
    }
}
