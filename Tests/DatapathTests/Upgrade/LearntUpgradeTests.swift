import BPFEmit
import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyIR
import Support
import Testing

@testable import Datapath

/// What pods have learnt of names goes with them to another version of the layouts, whether an agent has heard of it or not.
@Suite("learnt names under another version", .needsRoot)
struct LearntUpgradeTests {
    private static let runs = [SecondVersion.Change.everything, .endpoints].flatMap { change in
        UpgradeTests.Way.allCases.flatMap { way in [AttachmentStyle.tcx, .clsact].map { (change, way, $0) } }
    }
    private static let held = IPAddress(ipv4: 0xc000_0207)
    private static let ended = IPAddress(ipv4: 0xc000_0208)

    private static func image(names: UInt32) throws -> NodeImage {
        var image = try NameApplyTests.image(
            lists: [[.name("a.example")], [.name("b.example")]], names: names,
            pods: [NodeImages.endpoint("web", NodeImages.web)])
        image.columnRecord = 77
        return image
    }

    @Test(
        "it holds in the first packet after the change, under the numbers that columns had; what has ended or is numbered otherwise stays behind",
        arguments: runs)
    func carried(change: SecondVersion.Change, way: UpgradeTests.Way, style: AttachmentStyle) throws {
        let both = [UpgradeNetwork.Version.own, .init(try SecondVersion(change))]
        let versions = way == .upgrade ? both : both.reversed()
        for (names, isKept) in [(UInt32(5), true), (6, false)] {
            try UpgradeNetwork.with(style) { network in
                let now = MonotonicClock.seconds
                do {
                    let node = try network.open(versions[0])
                    _ = try node.apply(try Self.image(names: 5), interfaces: network.interfaces)
                    try node.learn(
                        NodeImages.webKey,
                        [
                            LearntName(name: "a.example", addresses: [Self.held: now + 1_000]),
                            LearntName(
                                name: "b.example", addresses: [Self.held: now + 2_000, Self.ended: now + 1_000]),
                        ])
                    #expect(try NameApplyTests.columns(node, Self.held) == 3)
                    let maps = try #require(node.maps.names)
                    let slot = try #require(node.endpoints[NodeImages.webKey]).slot
                    let key = np_learnt_key(address: np_address(Self.ended), endpoint: slot)
                    var value = try #require(try maps.learnt.value(of: key, initial: np_learnt()))
                    value.expires.1 = 1
                    try maps.learnt.set(key, value)
                }
                let node = try network.open(versions[1])
                #expect(try node.columnRecord == 77)
                #expect(try node.nextNameColumns == 6)
                let report = try node.apply(try Self.image(names: names), interfaces: network.interfaces)
                #expect(report.takenOver == ["v\(versions[0].number)"])
                #expect(try NameApplyTests.columns(node, Self.held) == (isKept ? 3 : 0))
                #expect(try NameApplyTests.columns(node, Self.ended) == 0)
                let maps = try #require(node.maps.names)
                let slot = try #require(node.endpoints[NodeImages.webKey]).slot
                let share = try #require(try maps.shares.value(of: slot, initial: np_learnt_share()))
                #expect(share.inserted - share.removed == (isKept ? 1 : 0))
                let key = np_learnt_key(address: np_address(Self.held), endpoint: slot)
                let value = try maps.learnt.value(of: key, initial: np_learnt())
                #expect(value?.expirations == (isKept ? [0: now + 1_000, 1: now + 2_000] : nil))
            }
        }
    }
}
