import CNetpoldABI
import Testing

@testable import Datapath

@Suite("records of other layouts")
struct RecordConversionTests {
    private static func field(_ name: String, _ offset: Int, _ size: Int, network: Bool = false) -> RecordLayout.Field {
        .init(name: name, offset: offset, size: size, isNetworkOrder: network)
    }

    private static func convert(_ bytes: [UInt8], _ conversion: RecordConversion) -> [UInt8]? {
        var result = [UInt8](repeating: 0xee, count: conversion.toSize)
        let fits = bytes.withUnsafeBytes { source in
            result.withUnsafeMutableBytes { target in
                guard let source = source.baseAddress, let target = target.baseAddress else { return false }
                return conversion.convert(source, to: target)
            }
        }
        return fits ? result : nil
    }

    private static let narrow = RecordLayout(
        size: 8, fields: [field("port", 0, 2, network: true), field("kind", 2, 1), field("age", 4, 4)])
    private static let wide = RecordLayout(
        size: 16,
        fields: [field("age", 0, 8), field("zone", 8, 4), field("port", 12, 2, network: true), field("kind", 14, 1)])

    @Test("fields go by name; what one side lacks is left out or 0, padding included")
    func byName() {
        let up = RecordConversion(from: Self.narrow, to: Self.wide)
        #expect(up.added == ["zone"])
        #expect(up.lost == [])
        #expect(
            Self.convert([0x1f, 0x90, 7, 0xff, 1, 2, 3, 4], up) == [
                1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0x1f, 0x90, 7, 0,
            ])
        let down = RecordConversion(from: Self.wide, to: Self.narrow)
        #expect(down.lost == ["zone"])
        #expect(
            Self.convert([1, 2, 3, 4, 0, 0, 0, 0, 9, 9, 9, 9, 0x1f, 0x90, 7, 0xff], down) == [
                0x1f, 0x90, 7, 0, 1, 2, 3, 4,
            ])
    }

    @Test("a number that does not fit is no record")
    func overflow() {
        let down = RecordConversion(from: Self.wide, to: Self.narrow)
        for byte in 4..<8 {
            var bytes = [UInt8](repeating: 0, count: 16)
            bytes[byte] = 1
            #expect(Self.convert(bytes, down) == nil)
        }
    }

    @Test("a number in network order is never taken for one of the machine, nor widened")
    func order() {
        let host = RecordLayout(size: 2, fields: [Self.field("port", 0, 2)])
        let network = RecordLayout(size: 2, fields: [Self.field("port", 0, 2, network: true)])
        let wider = RecordLayout(size: 4, fields: [Self.field("port", 0, 4, network: true)])
        for (from, to) in [(host, network), (network, host), (network, wider), (wider, network)] {
            let conversion = RecordConversion(from: from, to: to)
            #expect(conversion.lost == ["port"] && conversion.added == ["port"])
        }
    }

    @Test("a map whose keys have other fields cannot be read; widths may differ")
    func keys() {
        let value = RecordLayout(size: 4, fields: [Self.field("", 0, 4)])
        func codec(_ here: RecordLayout, _ there: RecordLayout) -> MapCodec? {
            MapCodec(here: MapLayout(key: here, value: value), there: MapLayout(key: there, value: value))
        }
        #expect(codec(Self.narrow, Self.wide) == nil)
        #expect(codec(Self.wide, Self.narrow) == nil)
        #expect(codec(Self.narrow, Self.narrow) != nil)
        let longer = RecordLayout(
            size: 16,
            fields: [Self.field("port", 8, 2, network: true), Self.field("kind", 0, 8), Self.field("age", 10, 4)])
        #expect(codec(Self.narrow, longer) != nil)
    }

    @Test("what the kernel says of a map is what the object says", .needsRoot)
    func kernel() throws {
        let object = try BPFObject()
        try object.load()
        var compared = 0
        for (name, layout) in object.mapLayouts {
            let map = try object.map(name)
            defer { withExtendedLifetime(map) {} }
            let info = try Libbpf.mapInfo(map.fd, name)
            guard let types = try Libbpf.types(ofMap: info, name) else { continue }
            #expect(
                Libbpf.mapLayout(key: info.btf_key_type_id, value: info.btf_value_type_id, types.btf) == layout,
                "\(name)")
            compared += 1
            withExtendedLifetime(map) {}
        }
        for name in ["np_flow_sets", "np_endpoints", "np_addresses", "np_prefixes", "np_reasons", "np_fragments"] {
            let map = try object.map(name)
            #expect(try Libbpf.mapInfo(map.fd, name).btf_id != 0, "\(name) has no types")
            withExtendedLifetime(map) {}
        }
        #expect(compared >= 6)
    }
}
