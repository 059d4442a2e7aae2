public import PolicyAPI

/// The lines of a file, for excerpts.
public struct SourceText: Sendable {
    private let bytes: [UInt8]
    /// The offset of each line.
    private let starts: [Int]

    /// The lines of these bytes.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var starts = [0]
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") { starts.append(index + 1) }
        self.starts = starts
    }

    /// Code points around a column that are enough for any terminal; a minified file is one line of megabytes.
    private static let window = 1000

    /// The part of a line around a column, without the line end, and the column in that part; `nil` where there is no such
    /// line. Line numbers and columns (in code points) start at 1. Invalid UTF-8 is replaced.
    func line(_ number: Int, around column: Int) -> (text: String, column: Int)? {
        guard number >= 1, number <= starts.count else { return nil }
        var end = number < starts.count ? starts[number] - 1 : bytes.count
        var start = starts[number - 1]
        if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        // A byte order mark has no column.
        if number == 1, bytes.starts(with: [0xef, 0xbb, 0xbf]) { start += 3 }
        var place = 1
        var index = start
        var from = start
        var fromColumn = 1
        while index < end, place < column + SourceText.window {
            index += 1
            guard index == end || bytes[index] & 0xc0 != 0x80 else { continue }
            place += 1
            if place + SourceText.window == column { (from, fromColumn) = (index, place) }
        }
        return (String(decoding: bytes[from..<index], as: UTF8.self), column - fromColumn + 1)
    }
}

extension SourceText {
    /// The value at a location, as numbered lines: its first line, and the following lines that are indented as deep; at
    /// most `limit`. Control characters are escaped, long lines cut. Empty where there is no such line.
    public func excerpt(at location: SourceLocation, limit: Int = 8, width: Int = 120) -> [(number: Int, text: String)]
    {
        var lines: [(number: Int, text: String)] = []
        for number in location.line..<(location.line + limit) {
            guard let line = line(number, around: 1)?.text else { break }
            if number > location.line {
                let indent = line.prefix { $0 == " " }.count
                if indent == line.count || indent < location.column - 1 { break }
            }
            let shown = SafeText.printable(line)
            lines.append((number, shown.count > width ? "\(shown.prefix(width - 3))..." : shown))
        }
        return lines
    }
}
