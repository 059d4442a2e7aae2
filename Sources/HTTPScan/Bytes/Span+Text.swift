extension Span where Element == UInt8 {
    /// Whether a range is this text in lower case, ignoring the case of ASCII letters.
    func isText(_ lowercased: StaticString, at range: Range<Int>) -> Bool {
        guard lowercased.utf8CodeUnitCount == range.count else { return false }
        return lowercased.withUTF8Buffer { text in
            for index in 0..<text.count where Byte.lower(self[range.lowerBound + index]) != text[index] { return false }
            return true
        }
    }

    /// Whether a range is exactly this text.
    func isExactly(_ text: StaticString, at range: Range<Int>) -> Bool {
        guard text.utf8CodeUnitCount == range.count else { return false }
        return text.withUTF8Buffer { text in
            for index in 0..<text.count where self[range.lowerBound + index] != text[index] { return false }
            return true
        }
    }

    /// Whether two ranges are equal, ignoring the case of ASCII letters.
    func areSameText(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
        guard left.count == right.count else { return false }
        for index in 0..<left.count
        where Byte.lower(self[left.lowerBound + index]) != Byte.lower(self[right.lowerBound + index]) {
            return false
        }
        return true
    }
}
