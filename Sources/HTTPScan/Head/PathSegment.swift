/// Finds `.` and `..` between separators, escaped or not, with parameters behind a semicolon or not: servers resolve some or all of
/// these spellings.
struct PathSegment {
    private var dots = 0
    private var others = 0
    private var hasParameters = false

    /// What servers take for a slash once it is decoded.
    @inline(__always)
    static func isSeparator(_ byte: UInt8) -> Bool { byte == Byte.slash || byte == Byte.backslash }

    /// Takes one decoded byte of the path.
    @inline(__always)
    mutating func take(_ byte: UInt8, isEscaped: Bool) throws(Refusal) {
        if PathSegment.isSeparator(byte) {
            try end()
            self = PathSegment()
        } else if byte == Byte.semicolon {
            hasParameters = true
        } else if !hasParameters {
            if byte == Byte.dot { dots += 1 } else { others += 1 }
        }
    }

    /// Takes bytes of names: neither separators nor dots nor semicolons.
    @inline(__always)
    mutating func take(plain count: Int) { if !hasParameters { others += count } }

    /// Ends the segment.
    func end() throws(Refusal) {
        if others == 0, dots == 1 || dots == 2 { throw .dotSegment }
    }
}
