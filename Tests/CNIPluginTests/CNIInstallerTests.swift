import Foundation
import NetpoldTestSupport
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
        #expect(try install().last?.contains("already") == true)
        #expect(FileManager.default.isExecutableFile(atPath: scratch.file("bin/netpold")))
        _ = try installer.uninstall(keepsPlugin: true)
        #expect(try String(contentsOfFile: "\(folder)/10-flannel.conflist", encoding: .utf8) == Self.list)
        #expect(try files == ["10-flannel.conflist", "20-other.conflist"])
        #expect(FileManager.default.fileExists(atPath: scratch.file("bin/netpold")))
        #expect(try installer.uninstall(keepsPlugin: false).count == 1)
        #expect(try installer.uninstall(keepsPlugin: false) == [])
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
}
