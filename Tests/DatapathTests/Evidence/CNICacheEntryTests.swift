import BPFEmit
import Foundation
import NetTypes
import Testing

@testable import Datapath

@Suite("files of libcni's result cache")
struct CNICacheEntryTests {
    private static let container = "6f1c0f9f7c4e4a0b9a3c1d2e3f405162738495a6b7c8d9e0f1a2b3c4d5e6f708"

    /// As containerd writes it with libcni 1.x and the bridge plugin.
    static let current = """
        {"kind":"cniCacheV1","containerId":"\(container)","config":"eyJjbmlWZXJzaW9uIjoiMS4wLjAifQ==","ifName":"eth0",
        "networkName":"cluster","netns":"/var/run/netns/cni-11111111-2222-3333-4444-555555555555",
        "cniArgs":[["IgnoreUnknown","1"],["K8S_POD_NAMESPACE","shop"],["K8S_POD_NAME","web-0"],
        ["K8S_POD_INFRA_CONTAINER_ID","\(container)"],["K8S_POD_UID","8f0c1c9e-52a4-4a86-9d38-0e2a4c7c9d11"]],
        "capabilityArgs":{"portMappings":[]},
        "result":{"cniVersion":"1.0.0","dns":{},"interfaces":[
        {"mac":"0A:11:22:33:44:55","name":"cni0"},{"mac":"0a:66:77:88:99:aa","name":"veth1234abcd"},
        {"mac":"0a:bb:cc:dd:ee:ff","name":"eth0","sandbox":"/var/run/netns/cni-11111111-2222-3333-4444-555555555555"}],
        "ips":[{"address":"10.244.0.7/24","gateway":"10.244.0.1","interface":2},
        {"address":"fd00:10:244::7/64","interface":2}],"routes":[{"dst":"0.0.0.0/0"}]}}
        """

    /// The bare result of libcni before 0.8, versions 0.3.1 and 0.2.0.
    static let bare = """
        {"cniVersion":"0.3.1","interfaces":[{"name":"vethffff0000"},
        {"name":"eth0","sandbox":"/var/run/netns/cni-old"}],"ips":[{"version":"4","interface":1,"address":"10.1.2.3/16"}],
        "dns":{}}
        """
    static let oldest =
        #"{"cniVersion":"0.2.0","ip4":{"ip":"10.1.2.3/16","gateway":"10.1.0.1"},"ip6":{"ip":"fd00::3/64"},"dns":{}}"#

    private static func entry(_ text: String, name: String = "cluster-\(container)-eth0") throws -> CNICacheEntry {
        try CNICacheEntry(Array(text.utf8), name: name)
    }

    @Test("the envelope names container, pod, namespace, both ends and addresses")
    func envelope() throws {
        let entry = try Self.entry(Self.current, name: "whatever")
        #expect(entry.containerID == Self.container)
        #expect(entry.interface == "eth0")
        #expect(
            entry.pod
                == PodReference(namespace: "shop", name: "web-0", uid: "8f0c1c9e-52a4-4a86-9d38-0e2a4c7c9d11"))
        #expect(entry.netns == "/var/run/netns/cni-11111111-2222-3333-4444-555555555555")
        #expect(entry.hostInterfaces.map(\.name) == ["cni0", "veth1234abcd"])
        #expect(entry.hostInterfaces.map(\.mac) == ["0a:11:22:33:44:55", "0a:66:77:88:99:aa"])
        #expect(entry.addresses.map(\.description) == ["10.244.0.7", "fd00:10:244::7"])
        // libcni before 1.3 does not write the namespace; the result has it.
        let without = Self.current.replacing(
            #""netns":"/var/run/netns/cni-11111111-2222-3333-4444-555555555555","#, with: "")
        #expect(without.count < Self.current.count)
        #expect(try Self.entry(without, name: "whatever") == entry)
    }

    @Test("bare results name what they can, and the file's name the rest")
    func bareResults() throws {
        let entry = try Self.entry(Self.bare, name: "my-net-\(Self.container)-net-1")
        #expect(entry.containerID == Self.container)
        #expect(entry.interface == "net-1")
        #expect(entry.pod.isEmpty)
        #expect(entry.netns == "/var/run/netns/cni-old")
        #expect(entry.hostInterfaces == [.init(name: "vethffff0000", mac: "")])
        #expect(entry.addresses.map(\.description) == ["10.1.2.3"])
        let oldest = try Self.entry(Self.oldest)
        #expect(oldest.netns.isEmpty)
        #expect(oldest.addresses.map(\.description) == ["10.1.2.3", "fd00::3"])
    }

    @Test("a file cut off after any byte is refused")
    func truncated() {
        for text in [Self.current, Self.bare, Self.oldest] {
            let bytes = Array(text.utf8)
            for length in 0..<bytes.count {
                #expect(throws: CNICacheEntry.Refusal.self) {
                    try CNICacheEntry(Array(bytes.prefix(length)), name: "net-\(Self.container)-eth0")
                }
            }
        }
    }

    @Test(
        "garbage is refused by name",
        arguments: [
            ("", "not a CNI result"), ("[]", "not a CNI result"), ("null", "not a CNI result"),
            (String(repeating: "[", count: 100_000), "not a CNI result"),
            (#"{"ips":[{"address":7}]}"#, "not a CNI result"), (#"{"ips":"10.0.0.1"}"#, "not a CNI result"),
            ("{}", "it has no interface and no address"),
            (#"{"kind":"cniCacheV9"}"#, "a cache of the unknown kind \"cniCacheV9\""),
            (#"{"kind":"cniCacheV1","ifName":"eth0"}"#, "it has no interface and no address"),
            (#"{"ips":[{"address":"10.0.0.256/8"}]}"#, "ips[].address cannot be \"10.0.0.256/8\""),
            (
                #"{"ips":[{"address":"10.0.0.1/8","interface":3}],"interfaces":[{"name":"a"}]}"#,
                "ips[].interface cannot be \"3\""
            ),
            (
                #"{"ips":[{"address":"10.0.0.1/8","interface":-1}],"interfaces":[{"name":"a"}]}"#,
                "ips[].interface cannot be \"-1\""
            ),
            (#"{"interfaces":[{"name":"veth/../../x"}]}"#, "interfaces[].name cannot be \"veth/../../x\""),
            (#"{"interfaces":[{"name":"sixteen-bytes-xx"}]}"#, "interfaces[].name cannot be \"sixteen-bytes-xx\""),
            (#"{"interfaces":[{"name":"e","sandbox":"relative"}]}"#, "netns cannot be \"relative\""),
            (
                #"{"kind":"cniCacheV1","ifName":"eth0","cniArgs":[["K8S_POD_NAME","a\u0000b"]],"result":{"ips":[{"address":"10.0.0.1/8"}]}}"#,
                "pod name cannot be \"a\u{0}b\""
            ),
        ])
    func refused(text: String, reason: String) {
        let refusal = #expect(throws: CNICacheEntry.Refusal.self) { try Self.entry(text) }
        #expect(refusal?.description == reason)
    }

    @Test("half a name names nobody; two sandboxes are none")
    func halves() throws {
        let half = try Self.entry(
            #"{"kind":"cniCacheV1","ifName":"eth0","cniArgs":[["K8S_POD_NAME","web"],["x"],[]],"result":{"ips":[{"address":"10.0.0.1/8"}]}}"#
        )
        #expect(half.pod.isEmpty)
        let two = try Self.entry(#"{"interfaces":[{"name":"a","sandbox":"/x"},{"name":"b","sandbox":"/y"}]}"#)
        #expect(two.netns.isEmpty)
    }

    @Test("the folder's files are read, and what is no result is left out with its reason")
    func folder() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "netpold-cni-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Self.current.write(toFile: "\(folder)/a-\(Self.container)-eth0", atomically: false, encoding: .utf8)
        try Self.bare.write(toFile: "\(folder)/b-\(Self.container)-eth0", atomically: false, encoding: .utf8)
        try "{".write(toFile: "\(folder)/c", atomically: false, encoding: .utf8)
        try String(repeating: " ", count: 1 << 20 + 1).write(toFile: "\(folder)/d", atomically: false, encoding: .utf8)
        try FileManager.default.createDirectory(atPath: "\(folder)/e", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: "\(folder)/f", withDestinationPath: "/dev/zero")
        mkfifo("\(folder)/g", 0o600)
        let cache = CNICache(folders: [folder, "\(folder)/missing"], source: .libcni)
        #expect(cache.attachments.map(\.file) == ["a", "b"].map { "\(folder)/\($0)-\(Self.container)-eth0" })
        // The namespaces they name are not there.
        #expect(cache.attachments.map(\.namespace) == [nil, nil])
        #expect(cache.problems.map(\.subject) == ["c", "d", "e", "f", "g"].map { "\(folder)/\($0)" })
        let reasons = cache.problems.map(\.reason)
        #expect(reasons[0].hasSuffix("not a CNI result"))
        #expect(reasons[1].hasSuffix("too large"))
        #expect(reasons[2].hasSuffix("not a regular file"))
        #expect(reasons[3].hasSuffix("Too many levels of symbolic links"))
        #expect(reasons[4].hasSuffix("not a regular file"))
    }
}
