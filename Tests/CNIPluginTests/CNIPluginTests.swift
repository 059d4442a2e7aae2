import Foundation
import NetpoldTestSupport
import Testing

@testable import CNIPlugin

@Suite("CNI: the plugin's answers")
struct CNIPluginTests {
    private let host = FakeHost()
    private let scratch: ScratchFolder
    private let plugin: CNIPlugin<FakeHost>
    private let folder: String

    init() throws {
        scratch = try ScratchFolder()
        folder = scratch.file("notes")
        plugin = CNIPlugin(host, records: CNIRecordFolder(path: folder))
    }

    private static let result =
        #"{"cniVersion":"1.0.0","interfaces":[{"name":"veth7"},{"name":"eth0","sandbox":"/run/netns/a"}],"ips":[{"interface":1,"address":"10.9.0.2/16"}]}"#

    private func run(
        _ command: String, container: String = "c0ffee", _ options: String = "", previous: String? = result
    ) throws -> String {
        let invocation = try CNIInvocation(environment: [
            "CNI_COMMAND": command, "CNI_CONTAINERID": container, "CNI_NETNS": "/run/netns/a", "CNI_IFNAME": "eth0",
            "CNI_ARGS": "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=db;K8S_POD_UID=u-1",
        ])
        let before = previous.map { ",\"prevResult\":\($0)" } ?? ""
        let text = "{\"cniVersion\":\"1.1.0\",\"name\":\"pods\",\"type\":\"netpold\"\(options)\(before)}"
        let output = try plugin.run(invocation, CNIConfiguration(Array(text.utf8), for: invocation.command)) { _ in }
        return String(decoding: output, as: UTF8.self)
    }

    private var notes: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted() }

    private func code(_ body: () throws -> String) -> CNIError.Code? {
        do {
            _ = try body()
            return nil
        } catch let error as CNIError {
            return error.code
        } catch {
            Issue.record(error)
            return nil
        }
    }

    @Test("ADD closes first, then notes, then waits; its result is that of the plugins before")
    func add() throws {
        let output = try run("ADD")
        #expect(host.asked == ["look", "close veth7", "admit shop/db"])
        let printed = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? NSDictionary
        let before = try JSONSerialization.jsonObject(with: Data(Self.result.utf8)) as? NSDictionary
        #expect(printed == before)
        #expect(notes == ["pods-c0ffee-eth0"])
    }

    @Test("ADD without a result before it says where netpold belongs")
    func notChained() {
        #expect(code { try run("ADD", previous: nil) } == .invalidConfiguration)
        #expect(host.asked.isEmpty)
    }

    @Test("an interface that cannot be closed fails ADD before anything else")
    func notClosed() {
        host.refusesToClose = true
        #expect(code { try run("ADD") } == .notClosed)
        #expect(notes.isEmpty)
    }

    @Test("a late pod fails, or starts closed where the configuration says so")
    func late() throws {
        host.admission = .late("no Pod object")
        #expect(code { try run("ADD") } == .tryAgainLater)
        #expect(try run("ADD", ",\"onTimeout\":\"start\"").contains("10.9.0.2"))
    }

    @Test("an interface that goes around the host's veths is refused, or let through where the configuration says so")
    func around() throws {
        host.links = CNIHostLinks(veths: [], goesAround: "it is a macvlan")
        #expect(code { try run("ADD") } == .notEnforceable)
        #expect(try run("ADD", ",\"unenforceable\":\"allow\"").contains("10.9.0.2"))
        #expect(!host.asked.contains("admit shop/db"))
    }

    @Test("CHECK fails without a note, without programs, and while policies are not in force")
    func check() throws {
        #expect(code { try run("CHECK") } == .notInForce)
        _ = try run("ADD")
        #expect(try run("CHECK").isEmpty)
        host.isDecided = false
        #expect(code { try run("CHECK") } == .notInForce)
        host.isDecided = true
        host.admission = .late("")
        #expect(code { try run("CHECK") } == .notInForce)
    }

    @Test("DEL removes the note, again and for what was never made too")
    func delete() throws {
        _ = try run("ADD")
        #expect(try run("DEL").isEmpty)
        #expect(notes.isEmpty)
        #expect(try run("DEL").isEmpty)
    }

    @Test(
        "DEL removes the note whatever is wrong with options; ADD and CHECK refuse them",
        arguments: [
            #""waitSeconds":"9""#, #""onTimeout":"open""#, #""unenforceable":1"#, #""instance":7"#, #""socket":{}"#,
        ])
    func deleteWithWrongOptions(option: String) throws {
        _ = try run("ADD")
        for command in ["ADD", "CHECK"] { #expect(code { try run(command, ",\(option)") } == .invalidConfiguration) }
        #expect(notes == ["pods-c0ffee-eth0"])
        #expect(try run("DEL", ",\(option)", previous: "[]").isEmpty)
        #expect(notes.isEmpty)
    }

    @Test("GC takes no wrong option for a reason to fail, but is told of which instance")
    func collectWithWrongOptions() throws {
        _ = try run("ADD")
        let none = ",\"cni.dev/valid-attachments\":[]"
        #expect(code { try run("GC", none + ",\"instance\":7") } == .invalidConfiguration)
        #expect(notes == ["pods-c0ffee-eth0"])
        #expect(try run("GC", none + ",\"waitSeconds\":\"9\"").isEmpty)
        #expect(notes.isEmpty)
    }

    @Test("GC keeps the notes of what the runtime has, of its network alone")
    func collect() throws {
        for container in ["aa", "bb", "cc"] { _ = try run("ADD", container: container) }
        try "{\"networkName\":\"pods-x\"}".write(toFile: "\(folder)/pods-x-dd-eth0", atomically: true, encoding: .utf8)
        _ = try run("GC", ",\"cni.dev/valid-attachments\":[{\"containerID\":\"bb\",\"ifname\":\"eth0\"}]")
        #expect(notes == ["pods-bb-eth0", "pods-x-dd-eth0"])
        // A runtime that says nothing of what it has loses nothing.
        _ = try run("GC")
        #expect(notes == ["pods-bb-eth0", "pods-x-dd-eth0"])
        #expect(host.asked.filter { $0 == "sweep" }.count == 2)
        // An empty list of Go's.
        _ = try run("GC", ",\"cni.dev/valid-attachments\":null")
        #expect(notes == ["pods-x-dd-eth0"])
    }

    @Test("STATUS is 50 while no agent answers; VERSION lists what is spoken")
    func status() throws {
        #expect(try run("STATUS").isEmpty)
        host.agentIsAway = true
        #expect(code { try run("STATUS") } == .notAvailable)
        // A node whose pods start closed can start pods.
        #expect(try run("STATUS", ",\"onTimeout\":\"start\"").isEmpty)
        #expect(
            try run("VERSION").contains("\"supportedVersions\":[\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]"))
    }
}
