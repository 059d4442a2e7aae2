import Foundation
import NetpoldTestSupport
import Support
import Testing

@testable import CNIPlugin

@Suite("CNI: install and uninstall")
struct CNIInstallerTests {
    private let scratch: ScratchFolder
    private let installer: CNIInstaller
    private let folder: String

    init() throws {
        scratch = try ScratchFolder()
        folder = scratch.file("net.d")
        for path in [folder, scratch.file("bin")] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        installer = CNIInstaller(configurations: folder, plugins: scratch.file("bin"))
    }

    private static let list = """
        {"cniVersion": "0.3.1", "name": "cbr0", "plugins": [{"type": "flannel", "delegate": {"hairpinMode": true}},
          {"type": "portmap", "capabilities": {"portMappings": true}}]}
        """

    private func write(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
    }

    private func types(_ name: String) throws -> [String] {
        let data = try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))
        let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        return (object?["plugins"] as? [[String: Any]] ?? []).compactMap { $0["type"] as? String }
    }

    private var files: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() } }

    private func install() throws -> [String] {
        try installer.install(executable: "/bin/true", options: ["waitSeconds": .number(5)])
    }

    @Test("the first configuration by name gets netpold at its end, once, and uninstall gives the file back as it was")
    func list() throws {
        try write("10-flannel.conflist", Self.list)
        try write("20-other.conflist", Self.list)
        _ = try install()
        #expect(try types("10-flannel.conflist") == ["flannel", "portmap", "netpold"])
        #expect(try types("20-other.conflist") == ["flannel", "portmap"])
        #expect(try install() == [])
        #expect(FileManager.default.isExecutableFile(atPath: scratch.file("bin/netpold")))
        _ = try installer.uninstall(keepsPlugin: true)
        #expect(try String(contentsOfFile: "\(folder)/10-flannel.conflist", encoding: .utf8) == Self.list)
        #expect(try files == ["10-flannel.conflist", "20-other.conflist"])
        #expect(FileManager.default.fileExists(atPath: scratch.file("bin/netpold")))
        #expect(try installer.uninstall(keepsPlugin: false).count == 1)
        #expect(try installer.uninstall(keepsPlugin: false) == [])
    }

    private func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")[.posixPermissions] as? Int
    }

    @Test(
        "who may read a configuration stays as it was, with netpold and without", arguments: ["10.conflist", "10.conf"])
    func modes(name: String) throws {
        for wanted in [0o644, 0o600, 0o640] {
            try write(
                name, name.hasSuffix("list") ? Self.list : #"{"cniVersion": "0.4.0", "name": "n", "type": "bridge"}"#)
            try FileManager.default.setAttributes([.posixPermissions: wanted], ofItemAtPath: "\(folder)/\(name)")
            _ = try install()
            #expect(try mode("10.conflist") == wanted)
            _ = try installer.uninstall(keepsPlugin: true)
            #expect(try files == [name] && mode(name) == wanted)
        }
        guard name == "10.conflist" else { return }
        _ = try install()
        let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
        try text.replacing("portmap", with: "bandwidth").write(
            toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
        _ = try installer.uninstall(keepsPlugin: true)
        #expect(try mode(name) == 0o640)
    }

    @Test(
        "a version that the plugin does not speak is refused, and nothing is changed",
        arguments: ["0.1.0", "0.2.0", "2.0.0", nil])
    func versions(version: String?) throws {
        let text = Self.list.replacing(
            "\"cniVersion\": \"0.3.1\", ", with: version.map { "\"cniVersion\": \"\($0)\", " } ?? "")
        try write("10.conflist", text)
        let error = #expect(throws: SystemError.self) { try install() }
        #expect(error.map { "\($0)".contains("cniVersion") && "\($0)".contains(version ?? "no cniVersion") } == true)
        #expect(try String(contentsOfFile: "\(folder)/10.conflist", encoding: .utf8) == text)
        #expect(try files == ["10.conflist"] && !FileManager.default.fileExists(atPath: scratch.file("bin/netpold")))
    }

    @Test("a configuration that somebody changed after the install keeps the change")
    func changedMeanwhile() throws {
        try write("10.conflist", Self.list)
        _ = try install()
        let text = try String(contentsOfFile: "\(folder)/10.conflist", encoding: .utf8)
        try write("10.conflist", text.replacing("portmap", with: "bandwidth"))
        _ = try installer.uninstall(keepsPlugin: true)
        #expect(try types("10.conflist") == ["flannel", "bandwidth"])
        #expect(try files == ["10.conflist"])
    }

    @Test("a configuration of one plugin becomes a list, and back")
    func single() throws {
        let text = #"{"cniVersion": "0.4.0", "name": "net", "type": "bridge", "bridge": "cni0"}"#
        try write("10-net.conf", text)
        _ = try install()
        #expect(try types("10-net.conflist") == ["bridge", "netpold"])
        #expect(try files == ["10-net.conf.netpold-original", "10-net.conflist"])
        _ = try installer.uninstall(keepsPlugin: true)
        #expect(try files == ["10-net.conf"])
        #expect(try String(contentsOfFile: "\(folder)/10-net.conf", encoding: .utf8) == text)
    }

    @Test("no configuration, and one that is broken, are errors that name the place, and change nothing")
    func broken() throws {
        #expect(throws: (any Error).self) { try install() }
        try write("10.conflist", "{")
        #expect(throws: (any Error).self) { try install() }
        #expect(try files == ["10.conflist"])
    }

    @Test("a file of one plugin that its owner writes anew is taken again, and uninstall leaves the newer one")
    func singleAnew() throws {
        func text(_ bridge: String) -> String {
            #"{"cniVersion": "0.4.0", "name": "net", "type": "bridge", "bridge": "\#(bridge)"}"#
        }
        try write("00-net.conf", text("old"))
        _ = try install()
        try write("00-net.conf", text("new"))
        #expect(try !install().isEmpty)
        #expect(try types("00-net.conflist") == ["bridge", "netpold"])
        #expect(try String(contentsOfFile: "\(folder)/00-net.conflist", encoding: .utf8).contains("new"))
        #expect(try files == ["00-net.conf.netpold-original", "00-net.conflist"])
        try write("00-net.conf", text("newest"))
        _ = try installer.uninstall(keepsPlugin: true)
        #expect(try files == ["00-net.conf"])
        #expect(try String(contentsOfFile: "\(folder)/00-net.conf", encoding: .utf8) == text("newest"))
    }

    @Test("a list that somebody else has made beside a file of one plugin stays as it is")
    func foreignList() throws {
        try write("10-net.conf", #"{"cniVersion": "0.4.0", "name": "net", "type": "bridge"}"#)
        try write("10-net.conflist", Self.list)
        #expect(throws: SystemError.self) { try install() }
        #expect(try types("10-net.conflist") == ["flannel", "portmap"])
    }

    @Test("a follower waits for a configuration, puts netpold in, and again whenever the file is written anew")
    func follow() throws {
        var follower = CNIFollower(installer, executable: "/bin/true", options: ["waitSeconds": .number(5)])
        guard case .waiting? = follower.look() else {
            Issue.record("it does not wait")
            return
        }
        #expect(follower.look() == nil)
        for _ in 0..<2 {
            try write("10-flannel.conflist", Self.list)
            guard case .installed? = follower.look() else {
                Issue.record("it does not install")
                return
            }
            #expect(try types("10-flannel.conflist") == ["flannel", "portmap", "netpold"])
            #expect(follower.look() == nil)
        }
        // Another one that comes first is the one that runtimes use.
        try write("05-other.conflist", Self.list)
        #expect(follower.look() != nil)
        #expect(try types("05-other.conflist").last == "netpold")
        try FileManager.default.removeItem(atPath: scratch.file("bin/netpold"))
        #expect(follower.look() == .installed(["wrote \(scratch.file("bin/netpold"))"]))
    }
}
