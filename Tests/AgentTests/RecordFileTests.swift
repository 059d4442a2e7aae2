import Foundation
import Support
import Testing

@testable import Agent

@Suite struct RecordFileTests {
    private static func records() throws -> BindingRecords {
        var host = BindingHost(pods: [Fixtures.pod("web", "10.0.0.1", uid: "u-web", node: "node-1")])
        host.veth(7, into: 100)
        host.cgroup(100, "u-web")
        host.veth(8, into: 200)
        host.cgroup(200, "u-gone")
        host.look()
        return try #require(host.table.records)
    }

    @Test("what is saved is loaded, by root only, and a second save takes its place")
    func roundTrip() throws {
        let folder = try ScratchFolder()
        let file = RecordFile<BindingRecords>(path: "\(folder.path)/bindings.json")
        #expect(try file.load() == nil)
        var records = try Self.records()
        try file.save(records)
        #expect(try file.load() == records)
        records.host.bootID = "other"
        try file.save(records)
        #expect(try file.load() == records)
        let mode = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/bindings.json")[.posixPermissions]
        #expect(mode as? Int == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["bindings.json"])
    }

    @Test("a file cut off anywhere is refused, and never read as fewer bindings")
    func truncated() throws {
        let folder = try ScratchFolder()
        let path = "\(folder.path)/bindings.json"
        let file = RecordFile<BindingRecords>(path: path)
        try file.save(Self.records())
        let whole = try #require(FileManager.default.contents(atPath: path))
        for length in 0..<whole.count {
            try whole.prefix(length).write(to: URL(filePath: path))
            let error = #expect(throws: SystemError.self) { try file.load() }
            #expect(error?.hint.contains("ignored") == true)
        }
    }

    @Test("a file of more bytes than its records may have is refused")
    func tooLarge() throws {
        let folder = try ScratchFolder()
        let path = "\(folder.path)/names.json"
        try RecordFile<[Int]>(path: path, limit: 5).save([1, 2])
        #expect(try RecordFile<[Int]>(path: path, limit: 5).load() == [1, 2])
        #expect(throws: SystemError.self) { try RecordFile<[Int]>(path: path, limit: 4).load() }
    }
}
