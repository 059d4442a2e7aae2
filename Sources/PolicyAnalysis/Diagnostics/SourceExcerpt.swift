/// One line of a manifest and the mark under the value of a diagnostic, as shown on a terminal.
struct SourceExcerpt: Hashable {
    /// The line: tabs expanded, control characters escaped, cut to the width.
    let line: String
    /// Spaces and `^~~~` under the value.
    let mark: String

    /// Columns between tab stops.
    private static let tab = 4
    private static let cut = "..."

    /// - Parameters:
    ///   - text: the line.
    ///   - column: where the value begins, in code points from 1; beyond the end means the end.
    ///   - width: columns of the terminal that the line may take.
    init(_ text: String, column: Int, width: Int) {
        let scalars = Array(text.unicodeScalars)
        let first = min(max(column - 1, 0), scalars.count)
        let end = max(SourceExcerpt.valueEnd(scalars, from: first), min(first + 1, scalars.count))

        // Each character as shown, with its first column.
        var cells: [(text: String, column: Int)] = []
        var next = 0
        for scalar in scalars {
            var shown = SafeText.printable(scalar)
            var width = shown.unicodeScalars.count
            if scalar == "\t" {
                width = SourceExcerpt.tab - next % SourceExcerpt.tab
                shown = String(repeating: " ", count: width)
            } else if width == 1 {
                width = SafeText.width(scalar)
            }
            cells.append((shown, next))
            next += width
        }
        let columns = cells.map(\.column) + [next]
        let (markStart, markEnd) = (columns[first], max(columns[end], columns[first] + 1))

        // A long line is cut so that the start of the value is visible, with as much before it as fits.
        let room = max(width, 20)
        var (from, to) = (0, next)
        if next > room {
            from = max(0, min(markStart - room / 3, next - room))
            to = from + room
        }
        let (isCutBefore, isCutAfter) = (from > 0, to < next)
        if isCutBefore { from += SourceExcerpt.cut.count }
        if isCutAfter { to -= SourceExcerpt.cut.count }
        let shown = cells.indices.filter { columns[$0] >= from && columns[$0 + 1] <= to }
        let start = shown.first.map { columns[$0] } ?? from
        line =
            (isCutBefore ? SourceExcerpt.cut : "") + shown.map { cells[$0].text }.joined()
            + (isCutAfter ? SourceExcerpt.cut : "")
        let indent = markStart - start + (isCutBefore ? SourceExcerpt.cut.count : 0)
        let length = max(1, min(markEnd, isCutAfter ? to : max(next, markEnd)) - markStart)
        mark =
            String(repeating: " ", count: max(0, indent)) + "^" + String(repeating: "~", count: length - 1)
    }

    /// The end of the value that starts at an index: of a quoted string its quote, of a plain one `: `, ` #` or, inside
    /// braces, a delimiter.
    private static func valueEnd(_ line: [Unicode.Scalar], from start: Int) -> Int {
        guard start < line.count else { return start }
        let quote = line[start]
        if quote == "\"" || quote == "'" {
            var index = start + 1
            while index < line.count, line[index] != quote { index += quote == "\"" && line[index] == "\\" ? 2 : 1 }
            return min(index + 1, line.count)
        }
        if quote == "{" || quote == "[" {
            // To its own closing brace, if that is on this line.
            var depth = 0
            for index in start..<line.count {
                if line[index] == "{" || line[index] == "[" { depth += 1 }
                if line[index] == "}" || line[index] == "]" { depth -= 1 }
                if depth == 0 { return index + 1 }
            }
            return line.count
        }
        let isInside = line[..<start].contains { $0 == "{" || $0 == "[" }
        var end = start
        while end < line.count {
            let isLast = end + 1 == line.count
            if line[end] == ":", isLast || line[end + 1] == " " || line[end + 1] == "\t" { break }
            if line[end] == "#", end > start, line[end - 1] == " " { break }
            if isInside, line[end] == "," || line[end] == "}" || line[end] == "]" { break }
            end += 1
        }
        while end > start, line[end - 1] == " " || line[end - 1] == "\t" { end -= 1 }
        return end
    }
}
