import BPFEmit
import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyIR
import Testing

@Suite("The tables of Services")
struct ServiceTablesTests {
    private func frontend(
        _ number: UInt32, _ backends: [UInt32], kind: ServiceFrontend.Kind = .clusterIP, port: UInt16 = 80,
        name: String? = nil, affinity: UInt32 = 0
    ) -> ServiceFrontend {
        ServiceFrontend(
            address: IPAddress(ipv4: 0x0a60_0000 + number), port: port, protocol: .tcp, kind: kind,
            service: ServiceName(namespace: "n", name: name ?? "s\(number)"), affinitySeconds: affinity,
            backends: backends.map { ServiceBackend(address: IPAddress(ipv4: 0x0a00_0000 + $0), port: 8080) })
    }

    /// The maps as a kernel would have them: applies changes, and refuses what a packet could fall through.
    private struct Kernel {
        var services: [ServiceFrontend.Key: ServiceTables.Entry] = [:]
        var slots: [UInt32: ServiceTables.Slot] = [:]
        var maglev = [UInt32](repeating: .max, count: 4096)
        var ends: Set<ServiceTables.End> = []
        /// What running programs may still read.
        var reading: [ServiceTables.Entry] = []
        /// How many entries the maps had at most, at any moment.
        var mostServices = 0
        var mostEnds = 0

        /// Writes one entry after the other, and looks at all frontends after each.
        mutating func apply(_ change: ServiceTables.Change) throws {
            reading += services.values
            for slot in change.slots {
                if let old = slots[slot.number], old.end != slot.end || old.service != slot.service {
                    #expect(
                        slot.generation == old.generation % 65535 + 1, "a slot is used again under the same generation")
                    #expect(!isRead(slot.number), "slot \(slot.number) is in a table that packets may read")
                }
                slots[slot.number] = slot
            }
            for range in change.ranges {
                for (offset, slot) in range.slots.enumerated() {
                    let place = range.first + UInt32(offset)
                    #expect(
                        !reading.contains { place >= $0.maglev && place < $0.maglev + $0.size },
                        "entry \(place) of np_maglev is rewritten while it is read")
                    maglev[Int(place)] = slot
                }
                try check()
            }
            for (end, _) in change.ends { ends.insert(end) }
            mostEnds = max(mostEnds, ends.count)
            for key in change.removals { services[key] = nil }
            for (key, entry) in change.upserts {
                services[key] = entry
                try check()
            }
            mostServices = max(mostServices, services.count)
            for slot in change.unusable { slots[slot.number] = slot }
            try check()
            for end in change.goneEnds { ends.remove(end) }
            try check()
        }

        mutating func wait() { reading = [] }

        private func isRead(_ slot: UInt32) -> Bool {
            reading.contains { entry in
                maglev[Int(entry.maglev)..<Int(entry.maglev + entry.size)].contains(slot)
            }
        }

        /// Every frontend leads to usable backends whose ends are known.
        private func check() throws {
            for (key, entry) in services {
                for slot in Set(maglev[Int(entry.maglev)..<Int(entry.maglev + entry.size)]) {
                    let found = try #require(slots[slot], "\(key) leads to slot \(slot), which is empty")
                    #expect(found.isUsable && ends.contains(found.end) && found.end.protocol == key.protocol)
                }
            }
        }

        /// The backends that a frontend leads to.
        func backends(_ key: ServiceFrontend.Key) -> [ServiceBackend]? {
            services[key].map { entry in
                Set(maglev[Int(entry.maglev)..<Int(entry.maglev + entry.size)].compactMap { slots[$0]?.end.backend })
                    .sorted()
            }
        }

        /// What the next agent finds.
        func adopted(now: UInt64) -> ServiceTables {
            ServiceTables(
                entries: services, slots: Array(slots.values), maglev: maglev, ends: Array(ends), now: now,
                limits: .init(maglev: 4096))
        }
    }

    @Test("frontends with the same backends share a table; one without has none, and stays a frontend")
    func sharing() {
        var tables = ServiceTables()
        let change = tables.change(
            to: [frontend(1, [1, 2]), frontend(2, [1, 2], kind: .externalIP, name: "s1"), frontend(3, [])], now: 0)
        #expect(change.ranges.count == 1 && change.slots.count == 2 && change.upserts.count == 3)
        let entries = change.upserts.map(\.entry)
        #expect(entries[0].maglev == entries[1].maglev && entries[0].size == 127)
        #expect(entries[2].size == 0)
        #expect(Set(entries.map(\.id)).count == 3)
        #expect(change.ends.map(\.count) == [2, 2])
        #expect(
            tables.change(
                to: [frontend(1, [1, 2]), frontend(2, [1, 2], kind: .externalIP, name: "s1"), frontend(3, [])], now: 1
            ).isEmpty)
    }

    @Test("a Service keeps its id while its backends change; a slot that is used again has another generation")
    func identity() throws {
        var tables = ServiceTables()
        let first = tables.change(to: [frontend(1, [1])], now: 0)
        let second = tables.change(to: [frontend(1, [2])], now: 1)
        #expect(first.upserts.map(\.entry.id) == second.upserts.map(\.entry.id))
        #expect(second.unusable.map(\.number) == [0] && second.slots.map(\.number) == [1])
        // The end is known until nothing can be coming from it.
        #expect(tables.knownEnds.count == 2)
        let third = tables.change(to: [frontend(1, [2])], now: 1 + ServiceTables.linger)
        #expect(third.goneEnds.count == 1 && third.slots.isEmpty)
        tables.released()
        let fourth = tables.change(to: [frontend(1, [2, 3])], now: 2 + ServiceTables.linger)
        #expect(fourth.slots.map(\.number) == [0] && fourth.slots.map(\.generation) == [2])
        // One that comes back within that time has its slot and its generation: its flows go on.
        _ = tables.change(to: [frontend(1, [3])], now: 3 + ServiceTables.linger)
        let back = tables.change(to: [frontend(1, [2, 3])], now: 4 + ServiceTables.linger)
        #expect(back.slots.map(\.number) == [1] && back.slots.map(\.generation) == [1])
    }

    @Test("a backend that leaves one Service is not usable there any more, though another Service has it")
    func leavingOneOfTwo() throws {
        var tables = ServiceTables()
        let first = tables.change(to: [frontend(1, [1, 2]), frontend(2, [1])], now: 0)
        #expect(first.slots.count == 3 && first.slots.allSatisfy { $0.generation > 0 })
        let second = tables.change(to: [frontend(1, [2]), frontend(2, [1])], now: 1)
        #expect(second.unusable.map(\.end.backend.address) == [IPAddress(ipv4: 0x0a00_0001)])
        let left = try #require(second.unusable.first)
        #expect(tables.table(of: frontend(2, []).key).allSatisfy { $0 != left.number })
        #expect(tables.knownEnds.count == 2 && second.goneEnds.isEmpty)
        // Its slot is given to somebody else in the end, though the end is still known.
        _ = tables.change(to: [frontend(1, [2]), frontend(2, [1])], now: 1 + ServiceTables.linger)
        tables.released()
        let third = tables.change(
            to: [frontend(1, [2]), frontend(2, [1, 3])], now: 2 + ServiceTables.linger)
        #expect(third.slots.map(\.number) == [left.number] && third.slots.map(\.generation) == [2])
    }

    @Test("an end stays known while a flow has it, however long ago its last Service went")
    func endsInUse() throws {
        var tables = ServiceTables()
        _ = tables.change(to: [frontend(1, [1, 2])], now: 0)
        _ = tables.change(to: [], now: 1)
        #expect(tables.idleEnds(now: ServiceTables.linger).isEmpty)
        let later = 1 + ServiceTables.linger
        let idle = tables.idleEnds(now: later)
        #expect(idle == Set(tables.knownEnds) && idle.count == 2)
        let used = try #require(idle.first)
        tables.keep([used], now: later)
        #expect(tables.change(to: [], now: later).goneEnds == idle.subtracting([used]).sorted())
        #expect(tables.knownEnds == [used])
        #expect(tables.change(to: [], now: later + ServiceTables.linger).goneEnds == [used])
    }

    @Test("generations count from 1 to 65535: 0 is what flows remember that do not know")
    func generations() {
        let end = ServiceTables.End(ServiceBackend(address: IPAddress(ipv4: 1), port: 1), .tcp)
        var tables = ServiceTables(
            entries: [:], slots: [.init(number: 0, end: end, generation: 65535, service: 1, isUsable: false)],
            maglev: [], ends: [], now: 0)
        #expect(tables.change(to: [frontend(1, [1])], now: 0).slots.map(\.generation) == [1])
    }

    @Test(
        "no range in use is written, no packet falls through, and the next agent goes on: random changes",
        arguments: [1, 2, 3, 4])
    func random(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var tables = ServiceTables(limits: .init(maglev: 4096))
        var kernel = Kernel()
        var now: UInt64 = 0
        for _ in 0..<150 {
            now += UInt64(random.below(5000))
            let wanted: [ServiceFrontend] = (0..<UInt32(random.below(8))).map { number in
                frontend(number, (0..<UInt32(random.below(6))).map { _ in UInt32(random.below(12)) }.uniqued())
            }
            if random.below(6) == 0 {
                // Whoever adopts waits first: what was replaced before is not known to it.
                kernel.wait()
                tables = kernel.adopted(now: now)
            }
            let before = tables
            let change = tables.change(to: wanted, now: now)
            #expect(change.leftOut.isEmpty)
            try kernel.apply(change)
            for frontend in wanted { #expect(kernel.backends(frontend.key) == frontend.backends.sorted()) }
            #expect(kernel.services.count == wanted.count)
            if random.below(4) > 0 {
                kernel.wait()
                tables.released()
            }
            // The same from the same: nothing hangs on the order of sets.
            var again = before
            #expect(again.change(to: wanted.reversed(), now: now) == change)
        }
    }

    @Test("an agent that starts anew on what the kernel has changes nothing, ids and slots included")
    func adoption() throws {
        var tables = ServiceTables(limits: .init(maglev: 4096))
        var kernel = Kernel()
        let wanted = [
            frontend(1, [1, 2, 3], affinity: 60), frontend(2, [1, 2, 3]), frontend(3, [4]), frontend(4, []),
        ]
        try kernel.apply(tables.change(to: wanted, now: 0))
        var adopted = kernel.adopted(now: 5)
        #expect(adopted.change(to: wanted, now: 6).upserts.isEmpty)
        #expect(adopted.entries == tables.entries)
        #expect(adopted.usedSlots == tables.usedSlots)
    }

    @Test("tables that this version would make otherwise are read until they are replaced, and not written meanwhile")
    func strays() throws {
        var kernel = Kernel()
        var tables = ServiceTables(limits: .init(maglev: 4096))
        let wanted = [frontend(1, [1, 2]), frontend(2, [3, 4])]
        try kernel.apply(tables.change(to: wanted, now: 0))
        kernel.wait()
        kernel.maglev.swapAt(0, kernel.maglev[0..<127].firstIndex { $0 != kernel.maglev[0] } ?? 0)
        var adopted = kernel.adopted(now: 1)
        let change = adopted.change(to: wanted, now: 2)
        #expect(change.upserts.map(\.key) == [wanted[0].key])
        try kernel.apply(change)
    }

    @Test("where the maps are too small: coarser tables, then refused Services, ports of other nodes left out")
    func limits() {
        var tables = ServiceTables(limits: .init(maglev: 200))
        let change = tables.change(to: [frontend(1, [1, 2]), frontend(2, [3, 4]), frontend(3, [5, 6])], now: 0)
        #expect(change.upserts.map(\.entry.size) == [127, 61, 0])
        #expect(change.leftOut == [frontend(3, []).key])
        var few = ServiceTables(limits: .init(frontends: 1))
        let other = few.change(to: [frontend(1, [1], kind: .nodePort), frontend(2, [1])], now: 0)
        #expect(other.leftOut == [frontend(1, []).key] && other.upserts.map(\.key) == [frontend(2, []).key])
        var slots = ServiceTables(limits: .init(backends: 2))
        let crowded = slots.change(to: [frontend(1, [1, 2]), frontend(2, [3])], now: 0)
        #expect(crowded.leftOut == [frontend(2, []).key])
        #expect(crowded.upserts.first { $0.key == frontend(2, []).key }?.entry.size == 0)
        // Refused only for as long as there is no room.
        let roomy = slots.change(to: [frontend(1, [1]), frontend(2, [3])], now: ServiceTables.linger + 1)
        slots.released()
        let after = slots.change(to: [frontend(1, [1]), frontend(2, [3])], now: 2 * ServiceTables.linger + 2)
        #expect(
            (roomy.upserts + after.upserts).last { $0.key == frontend(2, []).key }.map { $0.entry.size > 0 } == true)
    }

    @Test("whatever frontends and backends come in the place of whichever, no map is asked for more than it holds")
    func limitsOnTheWay() throws {
        for seed in 0..<30 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            let limits = ServiceTables.Limits(frontends: 5, backends: 12, ends: 8)
            var tables = ServiceTables(limits: limits)
            var kernel = Kernel()
            var refused = 0
            for step in 0..<40 as Range<UInt64> {
                let wanted = (0..<random.below(9)).map { number in
                    frontend(
                        UInt32(number * 20 + random.below(20)),
                        (0..<random.below(7)).map { _ in UInt32(random.below(60)) }.sorted())
                }
                let now = step * UInt64(random.below(500))
                var change = tables.change(to: wanted, now: now)
                refused += change.leftOut.count
                // Flows keep ends for longer than tables have slots for them.
                tables.keep(Set(tables.knownEnds.filter { _ in random.once(in: 2) }), now: now)
                change.ranges = change.ranges.filter { !$0.slots.isEmpty }
                try kernel.apply(change)
                kernel.wait()
                tables.released()
                #expect(kernel.mostEnds <= 8 && kernel.mostServices <= 5, "seed \(seed) step \(step)")
            }
            #expect(refused > 0)
        }
    }

    @Test(
        "marks: beside the identity of pods, with that of np_prefixes elsewhere, and never where the owner is unknown")
    func marks() throws {
        let address = { (number: UInt32) in IPAddress(ipv4: number) }
        let image = NodeImage(
            identities: [],
            addresses: [
                AddressEntry(address: address(1), identity: 300), AddressEntry(address: address(2), identity: 0),
                AddressEntry(address: address(3), identity: 1 | UInt32(NP_IDENTITY_WORLD_TOO)),
            ],
            prefixes: [
                PrefixEntry(prefix: try prefix("0.0.0.0/0"), identity: 9),
                PrefixEntry(prefix: try prefix("10.0.0.0/8"), identity: 400),
                PrefixEntry(prefix: try prefix("::/0"), identity: 10),
            ], subjects: [], endpoints: [])
        let (front, back) = (UInt32(NP_IDENTITY_FRONTEND), UInt32(NP_IDENTITY_BACKEND))
        let ten = address(0x0a00_0001)
        let six = try #require(IPAddress(parsing: "fd00::1"))
        let marked = image.marking(
            frontends: [address(2), address(3), ten, six], backends: [address(1), address(2), address(9)])
        #expect(
            marked == [
                AddressEntry(address: address(1), identity: 300 | back), AddressEntry(address: address(2), identity: 0),
                AddressEntry(address: address(3), identity: 1 | UInt32(NP_IDENTITY_WORLD_TOO) | front),
                AddressEntry(address: address(9), identity: 9 | back),
                AddressEntry(address: ten, identity: 400 | front),
                AddressEntry(address: six, identity: 10 | front),
            ])
        #expect(image.marking(frontends: [], backends: []) == image.addresses)
    }
}

extension [UInt32] {
    /// Each once.
    fileprivate func uniqued() -> [UInt32] { Set(self).sorted() }
}
