import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

@testable import BPFEmit

@Suite("Pass: collect peers")
struct PeersWorkspaceTests {
    /// Pods with numbers, and the last one without.
    private static func world(_ count: Int) -> (index: IdentityIndex, remotes: [IdentityIndex.RemoteID]) {
        var index = IdentityIndex(ClusterObjects(), policies: [], localNode: "node-1")
        var allocator = IdentityAllocator()
        var remotes: [IdentityIndex.RemoteID] = []
        for number in 0...count {
            let address = RandomCluster.addresses("10.0.0.\(number + 1)")[0]
            let pod = Pod(
                metadata: ObjectMeta(name: "pod-\(number)", namespace: "shop", labels: ["app": "\(number)"]),
                addresses: [address])
            let remote = index.remote(of: index.podClass(of: pod), at: address)
            index.retain(remote)
            if number < count { index.assignNumbers(to: [remote], &allocator) }
            remotes.append(remote)
        }
        return (index, remotes)
    }

    @Test("bits are gathered by remote and come out sorted by identity, each remote once")
    func gathers() {
        let (index, remotes) = Self.world(3)
        var workspace = PeersWorkspace()
        workspace.begin(width: 2, in: index)
        workspace.set(70, for: [remotes[2], remotes[0]])
        workspace.set(1, for: [remotes[0], remotes[0]])
        let entries = workspace.takeEntries()
        #expect(entries.map(\.identity) == [index.number(of: remotes[0]), index.number(of: remotes[2])])
        #expect(entries.map(\.words) == [[0b10, 1 << 6], [0, 1 << 6]])
    }

    @Test("a remote without a number gets no entry")
    func numberless() {
        let (index, remotes) = Self.world(1)
        var workspace = PeersWorkspace()
        workspace.begin(width: 1, in: index)
        workspace.set(0, for: remotes)
        #expect(workspace.takeEntries().map(\.identity) == [index.number(of: remotes[0])])
    }

    @Test("nothing of a policy is left for the next, wider or narrower")
    func isCleared() {
        let (index, remotes) = Self.world(4)
        var workspace = PeersWorkspace()
        for width in [1, 3, 2, 1, 4] {
            workspace.begin(width: width, in: index)
            #expect(workspace.takeEntries().isEmpty)
            workspace.set(width * 64 - 1, for: remotes)
            let expected = [UInt64](repeating: 0, count: width - 1) + [1 << 63]
            #expect(workspace.takeEntries().map(\.words) == Array(repeating: expected, count: 4))
        }
    }

    @Test("numbers that are given later count from the next policy on")
    func renumbered() {
        var (index, remotes) = Self.world(2)
        var workspace = PeersWorkspace()
        workspace.begin(width: 1, in: index)
        workspace.set(0, for: remotes)
        #expect(workspace.takeEntries().count == 2)
        var allocator = IdentityAllocator()
        index.assignNumbers(to: [remotes[2]], &allocator)
        workspace.begin(width: 1, in: index)
        workspace.set(1, for: [remotes[2]])
        #expect(workspace.takeEntries() == [PeerEntry(identity: index.number(of: remotes[2]), words: [0b10])])
    }
}
