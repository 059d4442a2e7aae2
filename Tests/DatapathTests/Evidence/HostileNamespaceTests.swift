import BPFEmit
import Foundation
import NetTypes
import Support
import Synchronization
import Testing

@testable import Datapath

/// What whoever rules in a namespace can do to a look at the host.
@Suite("namespaces that do not want to be looked at", .needsRoot, .serialized)
struct HostileNamespaceTests {
    /// Gives an interface of the calling thread's namespace addresses, `10.n.n.n/32`.
    private static func addAddresses(_ count: Int, to interface: String = "eth0") throws {
        let lines = (0..<count).map { "address add \(IPAddress(ipv4: 0x0a80_0000 + UInt32($0)))/32 dev \(interface)" }
        let file = "/tmp/netpold-batch-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try lines.joined(separator: "\n").write(toFile: file, atomically: false, encoding: .utf8)
        #expect(system("ip -batch \(file)") == 0)
    }

    /// Looks on a thread of its own, for a few seconds at most.
    private static func look(_ folder: String, from node: NetworkNamespace) throws -> HostEvidence {
        let answer = Answer()
        let looked = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let evidence = try? node.run { try ScannedNetwork.look(folder) }
            answer.evidence.withLock { $0 = evidence }
            looked.signal()
        }
        try #require(looked.wait(timeout: .now() + 5) == .success, "the look does not end")
        return try #require(answer.evidence.withLock { $0 })
    }

    /// What a thread found.
    private final class Answer: Sendable {
        let evidence = Mutex<HostEvidence?>(nil)
    }

    @Test(
        "a list that changes each time it is read is given up, and one that changes once is read again, from its start")
    func changing() throws {
        try ScannedNetwork.with(pods: 1) { _, network, _ in
            try network.pods["pod1"]?.run {
                try Self.addAddresses(2_000)
                let other = try NetlinkSocket()
                let index = try other.link(named: "eth0").index
                /// Lists addresses, and adds one meanwhile in as many of the attempts.
                func list(changing times: Int) throws -> (addresses: Int, attempts: Int) {
                    var attempts = 0
                    var first: [UInt8]?
                    let bounds = ListBounds(count: 10_000, attempts: LookAllowance.attempts)
                    let header = [UInt8](repeating: 0, count: 8)
                    let found = try NetlinkSocket().list("addresses", message: 22, header: header, bounds) { payload in
                        let bytes = Array(payload)
                        if first == nil || bytes == first {
                            first = bytes
                            attempts += 1
                            // More of the list is still to be read: the kernel gives some hundred at once.
                            if attempts <= times {
                                try? other.addAddress(
                                    IPAddress(ipv4: 0x0a60_0000 + UInt32.random(in: 0..<1 << 20)), to: index)
                            }
                        }
                        return bytes
                    }
                    #expect(Set(found).count == found.count)
                    return (found.count, attempts)
                }
                let once = try list(changing: 1)
                #expect(once.attempts == 2)
                #expect(once.addresses > 2_001)
                let error = #expect(throws: SystemError.self) { try list(changing: .max) }
                #expect(error?.description == "list addresses: it changed each time it was read")
            }
        }
    }

    @Test("a list that is too long is given up, and what else there is, is found")
    func crowded() throws {
        try ScannedNetwork.with(pods: 2) { folder, network, _ in
            try network.pods["pod1"]?.run { try Self.addAddresses(LookAllowance.ofPod.addresses + 1) }
            let evidence = try Self.look(folder, from: network.node)
            #expect(evidence.problems == [])
            #expect(evidence.links.compactMap(\.namespace).count == 2)
            let failed = try #require(evidence.namespaces.first { $0.name == "pod1" })
            #expect(failed.interfaces == [])
            #expect(failed.failure == "list addresses: more than \(LookAllowance.ofPod.addresses)")
            #expect(evidence.namespaces.first { $0.name == "pod2" }?.interfaces.map(\.name) == ["eth0"])
        }
    }

    @Test("a namespace that is not entered any more is known by the interface that leads there")
    func notEntered() throws {
        try ScannedNetwork.with(pods: 1) { folder, network, _ in
            let path = "\(folder)/pods/pod1"
            let inode = try #require(NamespaceFile(path)).inode
            let candidate = NamespaceCandidates.Candidate(inode: inode, path: path, name: "pod1", isMounted: true)
            try network.node.run {
                let socket = try NetlinkSocket()
                let side = HostSide(socket, try NetworkNamespace(path: NamespaceFile.own), try socket.links())
                var spent = LookBudget(end: .now + .seconds(10))
                spent[candidate].time = .zero
                var over = LookBudget(end: .now)
                var fresh = LookBudget(end: .now + .seconds(10))
                let looks = [
                    NamespaceLook(candidate, side, &spent), NamespaceLook(candidate, side, &over),
                    NamespaceLook(candidate, side, &fresh),
                ]
                #expect(Set(looks.map(\.number)).count == 1 && side.leads(into: looks[0].number))
                #expect(
                    looks.map(\.namespace?.failure) == ["\(LookEnded.ofPod)", "\(LookEnded.ofAll)", .some(nil)])
                #expect(looks.map(\.namespace?.interfaces.count) == [0, 0, 1])
                // lo and eth0; the addresses of both.
                #expect(fresh[candidate].links == LookAllowance.ofPod.links - 2)
                #expect(fresh[candidate].addresses < LookAllowance.ofPod.addresses)
                #expect(fresh[candidate].time < LookAllowance.ofPod.time)
            }
        }
    }
}
