import CNetpoldABI

/// Where the words of a set are, in the memory of a np_flow_sets of this version or of another one.
struct FlowSetLayout: Sendable {
    /// Bytes from one set to the next.
    let stride: Int
    /// Bytes of a flow's record.
    let recordSize: Int
    /// Of the slots, from the start of the set.
    private let controls: [Int]
    private let records: [Int]
    /// Of `np_flow_record.flags`, from the start of a record.
    let flags: Int
    /// Between this program's records and those of the map; `nil` where they are the same.
    let codec: (encode: RecordConversion, decode: RecordConversion)?

    /// This program's.
    static let own = FlowSetLayout(
        stride: MemoryLayout<np_flow_set>.stride, recordSize: MemoryLayout<np_flow_record>.size,
        controls: (0..<Int(NP_FLOW_WAYS)).map { 8 * $0 },
        records: (0..<Int(NP_FLOW_WAYS)).map {
            8 * Int(NP_FLOW_WAYS) + MemoryLayout<np_flow_record>.stride * $0
        }, flags: MemoryLayout<np_flow_record>.offset(of: \.flags) ?? 0, codec: nil)

    private init(
        stride: Int, recordSize: Int, controls: [Int], records: [Int], flags: Int,
        codec: (encode: RecordConversion, decode: RecordConversion)?
    ) {
        self.stride = stride
        self.recordSize = recordSize
        self.controls = controls
        self.records = records
        self.flags = flags
        self.codec = codec
    }

    /// That of a map whose values have other fields, or the same in other places; `nil` when it has no control words, or what
    /// tells flows apart is missing on either side.
    ///
    /// - Parameters:
    ///   - here: the layout of this program's sets.
    ///   - there: that of the map's.
    init?(here: RecordLayout, there: RecordLayout) {
        var controls: [Int] = []
        while let control = there.fields.first(where: { $0.name == "control[\(controls.count)]" }), control.size == 8,
            control.offset % 8 == 0
        { controls.append(control.offset) }
        guard !controls.isEmpty, let first = there.record(0), let own = here.record(0),
            let flags = first.layout.fields.first(where: { $0.name == "flags" }), flags.size == 4, flags.offset % 4 == 0
        else { return nil }
        var records: [Int] = []
        for way in controls.indices {
            guard let record = there.record(way), record.layout == first.layout, record.offset % 4 == 0 else {
                return nil
            }
            records.append(record.offset)
        }
        let encode = RecordConversion(from: own.layout, to: first.layout)
        let decode = RecordConversion(from: first.layout, to: own.layout)
        let key = own.layout.fields.map(\.name).filter { name in
            name.hasPrefix("remote.") || ["own_port", "remote_port", "protocol", "own_address", "flags"].contains(name)
        }
        guard key.allSatisfy({ !encode.lost.contains($0) && !decode.added.contains($0) }) else { return nil }
        self.init(
            stride: (there.size + 7) / 8 * 8, recordSize: first.layout.size, controls: controls, records: records,
            flags: flags.offset, codec: (encode, decode))
    }

    /// Slots of a set.
    var ways: Int { controls.count }
    /// Bytes from the start of a set to a slot's control word.
    func control(_ way: Int) -> Int { controls[way] }
    /// Bytes from the start of a set to a slot's record.
    func record(_ way: Int) -> Int { records[way] }
}

extension RecordLayout {
    /// The part of a set's layout that is the flow of a slot, as a layout of its own, and where it begins.
    fileprivate func record(_ way: Int) -> (layout: RecordLayout, offset: Int)? {
        let prefix = "flow[\(way)]."
        let next = "flow[\(way + 1)]."
        let inside = fields.filter { $0.name.hasPrefix(prefix) }
        guard let start = inside.map(\.offset).min() else { return nil }
        let end = fields.filter { $0.name.hasPrefix(next) }.map(\.offset).min() ?? size
        let own = inside.map { field in
            Field(
                name: String(field.name.dropFirst(prefix.count)), offset: field.offset - start, size: field.size,
                isNetworkOrder: field.isNetworkOrder)
        }
        return (RecordLayout(size: (end - start) / 4 * 4, fields: own), start)
    }
}
