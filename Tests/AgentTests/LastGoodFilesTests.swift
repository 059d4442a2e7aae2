import Foundation
import PolicyAPI
import Support
import Testing

@testable import Agent

@Suite struct LastGoodFilesTests {
    private let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop}\n"

    private var copy: FolderCopy {
        FolderCopy(
            birth: FileBirth(identity: FileIdentity(device: 1, inode: 2), time: 3),
            good: FileText(bytes: Array(pod.utf8), content: ManifestFile(decoding: Array(pod.utf8), file: "a")),
            serial: 1)
    }

    @Test("copies come back under their paths, however long, and go with their files")
    func roundTrip() throws {
        let scratch = try ScratchFolder()
        let long = "/etc/" + String(repeating: "deep/", count: 100) + "a.yaml"
        let odd = "/m/\n1 2 3\n.yaml"
        let files = try LastGoodFiles(folder: scratch.file("copies"))
        try files.save(["/m/a.yaml": copy, long: copy, odd: copy])
        let again = try LastGoodFiles(folder: scratch.file("copies"))
        #expect(Set(again.load().keys) == ["/m/a.yaml", long, odd])
        #expect(again.load()["/m/a.yaml"]?.good?.content.objects.map(\.metadata.name) == ["a"])
        #expect(again.load()["/m/a.yaml"]?.birth == copy.birth)
        try again.save([long: copy])
        #expect(Set(files.load().keys) == [long])
    }

    @Test("a copy cut short at any byte is left out or whole, never an error")
    func truncated() throws {
        let scratch = try ScratchFolder()
        let files = try LastGoodFiles(folder: scratch.file("copies"))
        try files.save(["/m/a.yaml": copy])
        let name = try #require(FileManager.default.contentsOfDirectory(atPath: scratch.file("copies")).first)
        let path = scratch.file("copies/\(name)")
        let whole = try #require(FileManager.default.contents(atPath: path))
        for length in 0..<whole.count {
            try whole.prefix(length).write(to: URL(filePath: path))
            #expect(files.load().isEmpty, "cut after \(length) bytes")
        }
    }
}
