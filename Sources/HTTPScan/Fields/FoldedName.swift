/// Names of fields as CGI and its heirs read them: in any case, and with `_` for `-`.
public enum FoldedName {
    /// A name in lower case, with hyphens.
    public static func of(_ name: [UInt8]) -> [UInt8] { name.map(folded) }

    /// Whether the name at a place is read as this one, which is folded.
    public static func `is`(_ bytes: Span<UInt8>, _ place: Range<Int>, _ name: [UInt8]) -> Bool {
        guard place.count == name.count else { return false }
        for index in 0..<name.count where folded(bytes[place.lowerBound + index]) != name[index] { return false }
        return true
    }

    private static func folded(_ byte: UInt8) -> UInt8 {
        byte == UInt8(ascii: "_") ? Byte.hyphen : Byte.lower(byte)
    }
}
