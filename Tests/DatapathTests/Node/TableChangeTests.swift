import BPFEmit
import NetTypes
import NetpoldTestSupport
import Testing

@testable import Datapath

@Suite("changes of the address tables")
struct TableChangeTests {
    /// A small world in which prefixes nest deeply and addresses often have entries of their own.
    private static func tables(
        _ random: inout SplitMix64
    ) -> (addresses: [IPAddress: UInt32], prefixes: [IPPrefix: UInt32]) {
        var addresses: [IPAddress: UInt32] = [:]
        var prefixes: [IPPrefix: UInt32] = [:]
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            addresses[IPAddress(ipv4: 0x0a00_0000 + .random(in: 0..<16, using: &random))] = .random(
                in: 300..<306, using: &random)
        }
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            let address = IPAddress(ipv4: 0x0a00_0000 + .random(in: 0..<16, using: &random))
            if let prefix = IPPrefix(address, length: .random(in: 27...32, using: &random)) {
                prefixes[prefix] = .random(in: 400..<404, using: &random)
            }
        }
        if let all = IPPrefix(IPAddress(ipv4: 0), length: 0) { prefixes[all] = 2 }
        return (addresses, prefixes)
    }

    private static func image(_ addresses: [IPAddress: UInt32], _ prefixes: [IPPrefix: UInt32]) -> NodeImage {
        NodeImage(
            identities: [],
            addresses: addresses.map { AddressEntry(address: $0.key, identity: $0.value) }.sorted {
                $0.address < $1.address
            },
            prefixes: prefixes.map { PrefixEntry(prefix: $0.key, identity: $0.value) }.sorted { $0.prefix < $1.prefix },
            subjects: [], endpoints: [])
    }

    @Test("every address goes from its old identity to its new one, and has no third in between")
    func oneStep() {
        var random = SplitMix64(seed: 7)
        for round in 0..<400 {
            var (addresses, prefixes) = Self.tables(&random)
            let target = Self.tables(&random)
            let image = Self.image(target.addresses, target.prefixes)
            let change = TableChange(from: TablesInForce(addresses, prefixes), to: image)
            let before = IdentityTable(Self.image(addresses, prefixes))
            let after = IdentityTable(image)
            func check(_ step: String) {
                let now = IdentityTable(Self.image(addresses, prefixes))
                for low in 0..<UInt32(20) {
                    let address = IPAddress(ipv4: 0x0a00_0000 + low)
                    let identity = now.identity(of: address)
                    if identity != before.identity(of: address), identity != after.identity(of: address) {
                        Issue.record("round \(round), \(step): \(address) is \(identity) for a moment")
                    }
                }
            }
            for entry in change.addressUpserts {
                addresses[entry.address] = entry.identity
                check("adding \(entry.address)")
            }
            for entry in change.prefixUpserts {
                prefixes[entry.prefix] = entry.identity
                check("adding \(entry.prefix)")
            }
            for prefix in change.prefixRemovals {
                prefixes[prefix] = nil
                check("removing \(prefix)")
            }
            for address in change.addressRemovals {
                addresses[address] = nil
                check("removing \(address)")
            }
            #expect(addresses == target.addresses)
            #expect(prefixes == target.prefixes)
            #expect(TableChange(from: TablesInForce(addresses, prefixes), to: image).isEmpty)
        }
    }

    @Test("identities that go are known to new programs as what their addresses become")
    func retiring() {
        var random = SplitMix64(seed: 8)
        for _ in 0..<400 {
            let (addresses, prefixes) = Self.tables(&random)
            let target = Self.tables(&random)
            let image = Self.image(target.addresses, target.prefixes)
            let change = TableChange(from: TablesInForce(addresses, prefixes), to: image)
            let retiring = RetiringIdentities(to: image, by: change)
            let known = Set(target.addresses.values).union(target.prefixes.values)
            let before = IdentityTable(Self.image(addresses, prefixes))
            let after = IdentityTable(image)
            for low in 0..<UInt32(20) {
                let address = IPAddress(ipv4: 0x0a00_0000 + low)
                let old = before.identity(of: address)
                guard !known.contains(old) else { continue }
                #expect(retiring.successors[old]?.contains(after.identity(of: address)) == true)
            }
        }
    }

    @Test("a retiring identity with several successors is denied what any of them is, and allowed what all are")
    func combined() throws {
        let rules = try NodeImages.policy(
            .ingress, [NodeImages.bit(0, .deny, port: 1), NodeImages.bit(1, port: 2), NodeImages.bit(2, port: 3)],
            peers: [10: 0b011, 11: 0b110, 12: 0b111])
        let addresses = [NodeImages.client: UInt32(9), NodeImages.stranger: 9]
        func entries(_ client: UInt32, _ stranger: UInt32) -> [UInt32: [UInt64]] {
            let image = Self.image([NodeImages.client: client, NodeImages.stranger: stranger], [:])
            let change = TableChange(from: TablesInForce(addresses, [:]), to: image)
            return RetiringIdentities(to: image, by: change).transitionalEntries(for: rules)
        }
        #expect(entries(10, 10) == [9: [0b011]])
        #expect(entries(10, 11) == [9: [0b011]])
        #expect(entries(11, 12) == [9: [0b111]])
        #expect(entries(10, 99) == [9: [0b001]])
        #expect(entries(99, 99) == [:])
    }

    @Test("an IPv6 prefix shorter than the mapped range covers IPv4, as in the kernel's trie")
    func families() throws {
        let everything = try #require(IPPrefix(IPAddress(high: 0, low: 0), length: 0))
        let table = IdentityTable(Self.image([:], [everything: 5]))
        #expect(table.identity(of: NodeImages.client) == 5)
    }
}
