/// Between the records of this program and those of a map that a program with other layouts made.
struct MapCodec: Sendable {
    /// From here to the map.
    let encodeKey: RecordConversion
    let encodeValue: RecordConversion
    /// From the map to here.
    let decodeKey: RecordConversion
    let decodeValue: RecordConversion

    /// - Returns: `nil` when the keys do not have the same fields: what an entry is about could not be told.
    init?(here: MapLayout, there: MapLayout) {
        encodeKey = RecordConversion(from: here.key, to: there.key)
        encodeValue = RecordConversion(from: here.value, to: there.value)
        decodeKey = RecordConversion(from: there.key, to: here.key)
        decodeValue = RecordConversion(from: there.value, to: here.value)
        guard encodeKey.isExact else { return nil }
    }
}
