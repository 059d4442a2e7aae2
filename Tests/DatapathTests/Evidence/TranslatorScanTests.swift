import BPFEmit
import Foundation
import Glibc
import Testing

@testable import Datapath

@Suite("Who else translates Services on a node is found by what it leaves in the kernel", .needsRoot, .serialized)
struct TranslatorScanTests {
    private static let nothing = "/nowhere"

    /// Runs a command in the calling thread's network namespace. Returns whether it could.
    ///
    /// Not by Foundation's Process (Swift 6.3): one that begins while the one before, on another thread, is being put away may get that
    /// one's descriptor number, and is then waited for without end.
    private static func run(_ command: String, input: String = "") -> Bool {
        system("printf '%s' '\(input)' | \(command) > /dev/null 2>&1") == 0
    }

    /// Looks from a network namespace of its own, after a command was run in it.
    private static func look(
        _ input: String = "", command: String? = nil, pins: String = nothing
    ) throws -> TranslatorScan? {
        let path = "/tmp/netpold-translators-\(UUID().uuidString)"
        let namespace = try NetworkNamespace.create(at: path)
        defer { #expect(throws: Never.self) { try NetworkNamespace.remove(at: path) } }
        return try namespace.run { () -> TranslatorScan? in
            if let command, !run(command, input: input) { return nil }
            return TranslatorScan(pins: pins)
        }
    }

    @Test("an empty namespace has none")
    func none() throws {
        let scan = try #require(try Self.look())
        #expect(scan.findings == [])
        #expect(scan.unread == [])
    }

    @Test("kube-proxy's table of nftables")
    func nftables() throws {
        let rules = "table ip kube-proxy { chain services { } }\n"
        guard let scan = try Self.look(rules, command: "nft -f -") else { return }
        #expect(
            scan.findings == [
                TranslatorFinding(.kubeProxyNFTables, evidence: "nftables has a table kube-proxy")
            ])
    }

    @Test("kube-proxy's chain of iptables, in nftables and in iptables' own tables")
    func iptables() throws {
        let rules = "table ip nat { chain KUBE-SERVICES { } }\n"
        if let scan = try Self.look(rules, command: "nft -f -") {
            #expect(scan.findings.map(\.component) == [.kubeProxyIPTables])
        }
        if let scan = try Self.look(command: "iptables-legacy -t nat -N KUBE-SERVICES") {
            #expect(
                scan.findings == [
                    TranslatorFinding(.kubeProxyIPTables, evidence: "iptables has a chain KUBE-SERVICES")
                ])
        }
        // Tables without its chain say nothing.
        if let scan = try Self.look(command: "iptables-legacy -t nat -N OTHER") { #expect(scan.findings == []) }
    }

    @Test("pinned maps of Cilium and Calico, and Open vSwitch's interface")
    func plugins() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("netpold-pins-\(UUID().uuidString)")
            .path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["cilium_lb4_services_v2", "cali_v4_nat_fe3", "other"] {
            #expect(FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: nil))
        }
        let scan = try #require(try Self.look(pins: folder))
        #expect(Set(scan.findings.map(\.component)) == [.cilium, .calico])
        if let links = try Self.look(command: "ip link add ovs-system type dummy") {
            #expect(links.findings.map(\.component) == [.openVSwitch])
        }
    }
}
