import Glibc

/// How wide a terminal is.
enum TerminalWidth {
    /// Its columns; 100 where nobody says.
    static func columns(_ descriptor: Int32) -> Int {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 100 }
        return Int(size.ws_col)
    }
}
