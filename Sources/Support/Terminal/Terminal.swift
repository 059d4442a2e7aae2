import Glibc
public import SystemPackage

/// A stream of this process, asked whether it is a terminal and what that can do.
public struct Terminal: Hashable, Sendable {
    /// Standard output.
    public static let output = Terminal(.standardOutput)
    /// Standard error.
    public static let error = Terminal(.standardError)

    private let descriptor: FileDescriptor

    /// The stream of an open descriptor.
    public init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }

    /// Whether it is a terminal: somebody reads along.
    public var isTerminal: Bool { isatty(descriptor.rawValue) == 1 }

    /// Its columns; 100 where nobody says.
    public var columns: Int {
        var size = winsize()
        guard ioctl(descriptor.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 100 }
        return Int(size.ws_col)
    }

    /// The characters that tables have room for: the columns of a terminal; elsewhere as many as they take (`nil`).
    public var tableWidth: Int? { isTerminal ? columns : nil }

    /// Whether it is a terminal that knows control sequences, for colours and lines that are overwritten.
    public var knowsSequences: Bool {
        isTerminal && Terminal.knowsSequences(getenv("TERM").map { String(cString: $0) })
    }

    /// Whether terminals of a type, as TERM names it, know them: editors that run commands say `dumb`.
    static func knowsSequences(_ type: String?) -> Bool { type != "dumb" }

    /// Colours if it is a terminal that knows them and `NO_COLOR` is not set.
    public var style: TextStyle { TextStyle(isColoured: knowsSequences && getenv("NO_COLOR") == nil) }
}
