import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import BPFEmit

@Suite("Pass: sort levels")
struct PolicyLevelsTests {
    private typealias Run = PolicyLevels.Run

    /// The levels of a policy whose specific bits one identity carries, all of them unless said otherwise.
    private static func levels(
        _ bits: [PolicyBits.Bit], isolated: Bool = true, hostBit: Int? = nil, carried words: [UInt64]? = nil
    ) -> PolicyLevels {
        let policy = PolicyExamples.policy(bits, isolated: isolated, hostBit: hostBit)
        let carried = words ?? [UInt64](repeating: .max, count: policy.words)
        return PolicyLevels(policy, carried: CarriedBits(words: carried))
    }

    /// A run of one word.
    private static func run(_ kind: PolicyLevels.Kind, _ specific: UInt64, everyone: UInt64 = 0) -> Run {
        Run(kind: kind, masks: [.init(word: 0, specific: specific, everyone: everyone)])
    }

    @Test("an isolated subject is not asked for its baseline tier, another one is")
    func tiers() {
        let bits = [
            PolicyExamples.bit(0, tier: .admin), PolicyExamples.bit(1), PolicyExamples.bit(2, tier: .baseline),
        ]
        let open = Self.levels(bits, isolated: false)
        #expect(
            open.tiers.map { $0.map(\.objects) } == [
                [[[Self.run(.allow, 1)]]], [[[Self.run(.allow, 2)]]], [[[Self.run(.allow, 4)]]],
            ])
        #expect(!open.isIsolated)
        let isolated = Self.levels(bits)
        #expect(isolated.tiers == Array(open.tiers[..<2]))
        #expect(isolated.isIsolated)
    }

    @Test("bits that nobody carries are gone, those for everybody stay, and a level without bits too")
    func carried() {
        let bits = [
            PolicyExamples.bit(0), PolicyExamples.bit(1), PolicyExamples.bit(2, anyPeer: true),
            PolicyExamples.bit(3, priority: 7),
        ]
        let levels = Self.levels(bits, carried: [0b0010])
        #expect(levels.tiers == [[], [.init(objects: [[Self.run(.allow, 0b0010, everyone: 0b0100)]])]])
    }

    @Test("levels come by priority, and without order kinds come deny, allow, host, L7, pass")
    func kinds() {
        let bits = [
            PolicyExamples.bit(0, .pass), PolicyExamples.bit(1, l7: true), PolicyExamples.bit(2),
            PolicyExamples.bit(3, .deny), PolicyExamples.bit(4), PolicyExamples.bit(5, .deny, priority: 9),
            PolicyExamples.bit(6, priority: 3),
        ]
        let levels = Self.levels(bits)
        let first = [Self.run(.deny, 1 << 3), Self.run(.allow, 1 << 2 | 1 << 4), Self.run(.l7, 2), Self.run(.pass, 1)]
        #expect(
            levels.tiers == [
                [],
                [
                    .init(objects: [first]), .init(objects: [[Self.run(.allow, 1 << 6)]]),
                    .init(objects: [[Self.run(.deny, 1 << 5)]]),
                ],
            ])
    }

    @Test("the node's way to its pods stands in the last level of the normal tier, before its L7 rules")
    func host() {
        let bits = [
            PolicyExamples.bit(0), PolicyExamples.bit(1, priority: 4, l7: true), PolicyExamples.bit(2, priority: 4),
        ]
        let levels = Self.levels(bits, hostBit: 3)
        #expect(
            levels.tiers[1] == [
                .init(objects: [[Self.run(.allow, 1)]]),
                .init(objects: [[Self.run(.allow, 4), Self.run(.host, 8), Self.run(.l7, 2)]]),
            ])
        // The last level is that of the last priority, though none of its bits is carried.
        #expect(
            Self.levels(bits, hostBit: 3, carried: [0b1001]).tiers[1] == [
                .init(objects: [[Self.run(.allow, 1)]]), .init(objects: [[Self.run(.host, 8)]]),
            ])
        #expect(Self.levels([], hostBit: 0).tiers[1] == [.init(objects: [[Self.run(.host, 1)]])])
        #expect(Self.levels(bits, hostBit: 3, carried: [0b0111]).tiers[1].count == 2)
    }

    @Test("where order counts, each object has its own runs, and neighbours of one kind are one run")
    func objects() {
        func bit(_ number: Int, _ action: RuleAction, _ order: UInt32, _ object: String) -> PolicyBits.Bit {
            PolicyExamples.bit(number, action, tier: .admin, order: order, origin: .test(object, "rule \(number)"))
        }
        let bits = [
            bit(0, .allow, 0, "a"), bit(1, .allow, 1, "a"), bit(2, .deny, 2, "a"), bit(3, .allow, 3, "a"),
            bit(4, .pass, 0, "b"), bit(5, .deny, 1, "b"),
        ]
        #expect(
            Self.levels(bits).tiers[0] == [
                .init(objects: [
                    [Self.run(.allow, 0b0011), Self.run(.deny, 0b0100), Self.run(.allow, 0b1000)],
                    [Self.run(.pass, 1 << 4), Self.run(.deny, 1 << 5)],
                ])
            ])
    }

    @Test("without order objects stand together as one")
    func oneObject() {
        let bits = ["a", "b"].enumerated().map { number, object in
            PolicyExamples.bit(number, tier: .admin, origin: .test(object))
        }
        #expect(Self.levels(bits).tiers[0] == [.init(objects: [[Self.run(.allow, 0b11)]])])
    }

    @Test("a run has one mask a word, and words without its bits are left out")
    func words() {
        let bits = (0..<140).map { PolicyExamples.bit($0, $0 < 130 ? .allow : .deny, anyPeer: $0 == 64) }
        let levels = Self.levels(bits, carried: [1 << 63, 0, 1 << 1 | 1 << 2])
        #expect(
            levels.tiers[1] == [
                .init(objects: [
                    [
                        Run(kind: .deny, masks: [.init(word: 2, specific: 1 << 2)]),
                        Run(
                            kind: .allow,
                            masks: [
                                .init(word: 0, specific: 1 << 63), .init(word: 1, everyone: 1),
                                .init(word: 2, specific: 1 << 1),
                            ]),
                    ]
                ])
            ])
    }
}
