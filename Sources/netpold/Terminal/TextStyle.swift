import Glibc

/// Colours for a stream, if it is a terminal and `NO_COLOR` is not set.
struct TextStyle: Sendable {
    private let isColored: Bool

    /// The style for a file descriptor.
    init(descriptor: Int32 = STDOUT_FILENO) {
        isColored = isatty(descriptor) == 1 && getenv("NO_COLOR") == nil
    }

    func good(_ text: String) -> String { wrap(text, "32") }
    func bad(_ text: String) -> String { wrap(text, "31") }
    func notable(_ text: String) -> String { wrap(text, "33") }
    func strong(_ text: String) -> String { wrap(text, "1") }
    func faint(_ text: String) -> String { wrap(text, "2") }

    private func wrap(_ text: String, _ code: String) -> String {
        isColored ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
