import NetpoldTestSupport
import Testing

@testable import PolicyAPI

/// What is said of policies that are good by themselves, where they are defined more than once.
@Suite struct RepeatedPolicyTests {
    static let files = SharedCorpus.files(under: "Conformance") + SharedCorpus.files(under: "Manifests")

    private func policies(_ bytes: [UInt8], file: String) -> [ClusterObject.Key: ClusterObject] {
        var decoder = ManifestDecoder()
        decoder.add(bytes, file: file)
        var found: [ClusterObject.Key: ClusterObject] = [:]
        for object in decoder.finish().objects.each where KnownKind(rawValue: object.kind)?.hasFieldTables == true {
            found[object.key] = object
        }
        return found
    }

    @Test("a policy says the same wherever it is written")
    func meaning() throws {
        var count = 0
        for file in Self.files {
            let bytes = try SharedCorpus.bytes(file)
            let here = policies(bytes, file: "a.yaml")
            let there = policies(Array("# moved\n\n".utf8) + bytes, file: "b.yaml")
            #expect(here.count == there.count)
            for (key, object) in here {
                let moved = try #require(there[key])
                #expect(object != moved && object.means(moved), "\(file) \(key)")
                count += 1
            }
        }
        #expect(count > 500)
    }

    @Test("what closes in the place of a good policy is what the decoder would have refused it with")
    func closing() throws {
        var count = 0
        for file in Self.files {
            let documents = DocumentReader.read(try SharedCorpus.bytes(file), file: "a.yaml").documents
            let decoder = DocumentDecoder(keepsDocuments: false, readsWorkloads: false, isOfRepository: false)
            for case .object(let object) in documents.flatMap({ decoder.decode($0) }) where object.kind.isPolicy {
                guard object.diagnostics.errorCount == 0, case .cluster(let policy) = object.value else { continue }
                #expect(PolicyRefusal.closing(policy) == object.refusals, "\(file) \(policy.key)")
                count += 1
            }
        }
        #expect(count > 500)
    }
}
