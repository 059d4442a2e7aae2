/// Where a value was written: for messages such as `policy.yaml:12:7`.
public struct SourceLocation: Hashable, Sendable {
    /// The path as the user gave it, `-` for standard input.
    public let file: String
    /// Line, from 1; 0 for the file as a whole.
    public let line: Int
    /// Column in characters, from 1.
    public let column: Int

    /// A location in a file.
    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
}

extension SourceLocation {
    /// A file or folder as a whole, for diagnostics without a line.
    public static func whole(_ file: String) -> SourceLocation { SourceLocation(file: file, line: 0, column: 0) }
}

extension SourceLocation: CustomStringConvertible, Comparable {
    /// `file:line:column`, or the file alone.
    public var description: String { line == 0 ? file : "\(file):\(line):\(column)" }

    /// By file, line, column.
    public static func < (left: SourceLocation, right: SourceLocation) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}
