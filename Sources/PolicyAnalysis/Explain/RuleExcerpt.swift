public import PolicyAPI

extension SourceText {
    /// The value that begins at a place, as numbered lines: its first line, and those below that are indented as deep as the
    /// value; at most `limit`. Control characters are written out, long lines cut. Empty where there is no such line.
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
