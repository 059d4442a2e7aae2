import Testing

@testable import Datapath

@Suite("what a look at the host may cost")
struct LookBudgetTests {
    private static func candidate(_ inode: UInt64, _ uids: String...) -> NamespaceCandidates.Candidate {
        NamespaceCandidates.Candidate(inode: inode, path: "/proc/1/ns/net", name: "ns", podUIDs: Set(uids))
    }

    @Test("the namespaces of one pod share what it may cost, and take nothing from others")
    func shares() {
        var budget = LookBudget(end: .now)
        budget[Self.candidate(1, "a")].links -= 1000
        budget[Self.candidate(2, "a")].addresses -= 96
        budget[Self.candidate(3, "a")].time = .zero
        #expect(budget[Self.candidate(4, "a")] == LookAllowance(links: 24, addresses: 4000, time: .zero))
        #expect(budget[Self.candidate(5, "b")] == .ofPod)
        budget[Self.candidate(6)].links = 0
        #expect(budget[Self.candidate(6)].links == 0)
        #expect(budget[Self.candidate(7)] == .ofPod)
    }

    @Test("what the runtime made is read before what a pod made in it")
    func order() {
        let made = [
            NamespaceCandidates.Candidate(inode: 9, path: "", name: "", isMounted: true),
            NamespaceCandidates.Candidate(inode: 8, path: "", name: "", isNoted: true),
        ]
        #expect(
            NamespaceCandidates.ordered(made + [Self.candidate(2, "a"), Self.candidate(3)]).map(\.inode) == [
                8, 9, 2, 3,
            ])
    }
}
