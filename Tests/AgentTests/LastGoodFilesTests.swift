import Foundation
import PolicyAPI
import Testing

@testable import Agent

@Suite struct LastGoodFilesTests {
    private let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop}\n"

    @Test("copies come back under their paths, however long, and go with their files")
    func roundTrip() throws {
        let scratch = try ScratchFolder()
        let long = "/etc/" + String(repeating: "deep/", count: 100) + "a.yaml"
        let files = try LastGoodFiles(folder: scratch.file("copies"))
        files.save("/m/a.yaml", Array(pod.utf8))
        files.save(long, Array(pod.utf8))
        let again = try LastGoodFiles(folder: scratch.file("copies"))
        #expect(Set(again.load().keys) == ["/m/a.yaml", long])
        #expect(again.load()["/m/a.yaml"]?.objects.map(\.metadata.name) == ["a"])
        again.keep(only: [long])
        #expect(Set(files.load().keys) == [long])
    }

    @Test("a copy cut short at any byte is left out or whole, never an error")
    func truncated() throws {
        let scratch = try ScratchFolder()
        let files = try LastGoodFiles(folder: scratch.file("copies"))
        files.save("/m/a.yaml", Array(pod.utf8))
        let name = try #require(FileManager.default.contentsOfDirectory(atPath: scratch.file("copies")).first)
        let path = scratch.file("copies/\(name)")
        let whole = try #require(FileManager.default.contents(atPath: path))
        for length in 0..<whole.count {
            try whole.prefix(length).write(to: URL(filePath: path))
            for (file, content) in files.load() {
                #expect(file == "/m/a.yaml")
                #expect(content.isGood)
            }
        }
    }
}
