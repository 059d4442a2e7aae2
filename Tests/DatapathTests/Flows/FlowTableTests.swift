import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import Testing

@testable import Datapath

/// A flow table of its own, with one region.
final class FlowTableFixture {
    let map: BPFMap
    let table: FlowTable
    let region: FlowRegion

    init(sets: Int = 16, seed: np_flow_seed = np_flow_seed(word: (1, 2))) throws {
        map = try BPFMap(
            Libbpf.createMap(
                type: .init(2), name: "np_flow_sets", keySize: 4, valueSize: MemoryLayout<np_flow_set>.size,
                capacity: sets, flags: 1 << 10), name: "np_flow_sets")
        table = try FlowMap(map, seed: seed).mapped()
        region = try #require(FlowRegion(first: 0, sets: UInt32(sets)))
    }
}

extension np_flow_record {
    /// A TCP flow of a pod to 192.0.2.1, distinguished by its port.
    static func test(_ port: UInt16, answered: Bool = false, lastSeen: UInt32 = 0) -> np_flow_record {
        var record = np_flow_record()
        record.remote = np_address(IPAddress(ipv4: 0xc000_0201))
        record.own_port = port.bigEndian
        record.remote_port = UInt16(80).bigEndian
        record.protocol = 6
        record.last_seen = lastSeen
        record.flags = NP_ROLE_INITIATOR.rawValue << UInt32(NP_ENTRY_ROLE_SHIFT)
        if answered { record.flags |= UInt32(NP_ENTRY_ANSWERED) }
        return record
    }
}

extension NodeDatapath {
    /// Remembers a flow of web's, as its programs do.
    func remember(_ port: UInt16, flags: Int32, at now: KernelClock.Reading) throws {
        let endpoint = try #require(endpoints[NodeImages.webKey])
        var record = np_flow_record.test(port, lastSeen: now.flowStamp)
        record.flags |= UInt32(flags)
        record.revision = endpoint.value.revision
        let region = try #require(regions.current[endpoint.slot])
        #expect(try maps.flows.mapped(region).insert(record, endpoint: endpoint.slot, in: region) == .inserted)
    }
}

@Suite("the mapped flow table", .needsRoot)
struct FlowTableTests {
    @Test("a part of the table that is mapped is that part, wherever it begins in a page; other sets are not touched")
    func parts() throws {
        let fixture = try FlowTableFixture(sets: 64)
        let flows = FlowMap(fixture.map, seed: np_flow_seed(word: (1, 2)))
        for (port, first) in [UInt32(0), 3, 16, 17, 40, 63].enumerated() {
            let region = try #require(FlowRegion(first: first, sets: 1))
            let part = try flows.mapped(region)
            #expect(part.insert(.test(UInt16(port + 1)), endpoint: 7, in: region) == .inserted)
            #expect(fixture.table.find(.test(UInt16(port + 1)), endpoint: 7, in: region) != nil)
            #expect(part.entries(in: region).count == 1)
            #expect(fixture.table.count(in: fixture.region) == port + 1)
        }
        let wide = try flows.mapped(16..<48)
        #expect(wide.entries(in: 16..<48).count == 3)
    }

    @Test(
        "what is inserted is found, in the kernel's map too, until it is removed; removing it twice removes nobody else"
    )
    func cycle() throws {
        let fixture = try FlowTableFixture()
        let table = fixture.table
        #expect(table.insert(.test(1), endpoint: 7, in: fixture.region) == .inserted)
        #expect(table.insert(.test(1), endpoint: 7, in: fixture.region) == .present)
        #expect(table.find(.test(1), endpoint: 8, in: fixture.region) == nil, "another endpoint's")
        #expect(table.find(.test(2), endpoint: 7, in: fixture.region) == nil)
        let entry = try #require(table.find(.test(1), endpoint: 7, in: fixture.region))
        let sets = try fixture.map.entries(key: UInt32(0), value: np_flow_set())
        let live = sets.flatMap { set in
            let control = set.value.control
            return [control.0, control.1, control.2, control.3].filter { $0 & 3 == UInt64(NP_SLOT_LIVE) }
        }
        #expect(live == [entry.word.rawValue])
        #expect(table.remove(entry))
        #expect(!table.remove(entry))
        #expect(table.find(.test(1), endpoint: 7, in: fixture.region) == nil)
        #expect(table.insert(.test(1), endpoint: 7, in: fixture.region) == .inserted)
        #expect(!table.remove(entry), "the version tells the new one from the old one")
        #expect(table.count(in: fixture.region) == 1)
    }

    @Test(
        "a full region refuses; an answered flow takes the place of the one that waits longest, never of an answered one"
    )
    func full() throws {
        let fixture = try FlowTableFixture(sets: 1)
        let table = fixture.table
        // Around the wrap of the clock.
        for port in 0..<4 as Range<UInt16> {
            let record = np_flow_record.test(port, lastSeen: UInt32.max &- 1 &+ UInt32(port))
            #expect(table.insert(record, endpoint: 1, in: fixture.region) == .inserted)
        }
        #expect(table.insert(.test(10), endpoint: 1, in: fixture.region) == .full)
        #expect(table.insert(.test(10, answered: true), endpoint: 1, in: fixture.region) == .inserted)
        #expect(table.find(.test(0), endpoint: 1, in: fixture.region) == nil, "the oldest")
        for port in 11..<14 as Range<UInt16> {
            #expect(table.insert(.test(port, answered: true), endpoint: 1, in: fixture.region) == .inserted)
        }
        #expect(table.insert(.test(14, answered: true), endpoint: 1, in: fixture.region) == .full)
        #expect(
            Set(table.entries(in: fixture.region).map { UInt16(bigEndian: $0.record.own_port) }) == [10, 11, 12, 13])
    }

    @Test("however full a region is when it doubles, its flows find room: one in a full set goes to its other set")
    func doubling() throws {
        for seed in 0..<20 as Range<UInt64> {
            let table = try FlowTableFixture(sets: 256, seed: np_flow_seed(word: (seed, 3))).table
            let full = try #require(FlowRegion(first: 128, sets: 64))
            let larger = try #require(FlowRegion(first: 0, sets: 128))
            for port in 0..<4096 as Range<UInt16> {
                _ = table.insert(.test(port, answered: true), endpoint: 1, in: full)
            }
            #expect(table.count(in: full) == 256, "to the brim")
            let records = table.entries(in: full).map(\.record)
            for record in records {
                #expect(table.insert(record, endpoint: 1, in: larger) == .inserted, "seed \(seed)")
            }
            #expect(table.count(in: larger) == records.count)
            for record in records { #expect(table.find(record, endpoint: 1, in: larger) != nil) }
        }
    }

    @Test("flows lie within their region, and emptying it leaves the others alone and no version comes again")
    func region() throws {
        let fixture = try FlowTableFixture(sets: 64)
        let table = fixture.table
        let low = try #require(FlowRegion(first: 0, sets: 16))
        let high = try #require(FlowRegion(first: 16, sets: 16))
        for port in 0..<30 as Range<UInt16> {
            #expect(table.insert(.test(port), endpoint: 1, in: low) == .inserted)
            #expect(table.insert(.test(port), endpoint: 2, in: high) == .inserted)
        }
        let words = Set(table.entries(in: low).map { [$0.set, $0.way, Int(truncatingIfNeeded: $0.word.rawValue)] })
        #expect(table.count(in: low) == 30)
        table.clear(low)
        #expect(table.count(in: low) == 0)
        #expect(table.count(in: high) == 30)
        #expect(table.entries(in: 32..<64).isEmpty)
        for port in 0..<30 as Range<UInt16> { _ = table.insert(.test(port), endpoint: 1, in: low) }
        for entry in table.entries(in: low) {
            #expect(!words.contains([entry.set, entry.way, Int(truncatingIfNeeded: entry.word.rawValue)]))
        }
    }

    @Test("a slot that a killed process was filling is freed; one that is filled meanwhile is not")
    func abandoned() throws {
        let fixture = try FlowTableFixture(sets: 1)
        let table = fixture.table
        #expect(table.slot(0, 0).change(.free(version: 0), to: .busy(version: 0)))
        #expect(table.slot(0, 1).change(.free(version: 0), to: .busy(version: 0)))
        let busy = table.busySlots(in: fixture.region)
        #expect(busy.count == 2)
        _ = table.slot(0, 1).change(.busy(version: 0), to: .live(version: 0, tag: 4))
        for slot in busy { table.abandon(slot) }
        #expect(table.slot(0, 0).word == .free(version: 1))
        #expect(table.slot(0, 1).word == .live(version: 0, tag: 4))
    }
}
