import Foundation
import Support
import Testing

@testable import Agent

@Suite struct BindingFileTests {
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
        let file = BindingFile(path: "\(folder.path)/bindings.json")
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
        try BindingFile(path: path).save(Self.records())
        let whole = try #require(FileManager.default.contents(atPath: path))
        for length in 0..<whole.count {
            try whole.prefix(length).write(to: URL(filePath: path))
            let error = #expect(throws: SystemError.self) { try BindingFile(path: path).load() }
            #expect(error?.hint.contains("ignored") == true)
        }
    }
}
