/// Colours for people at a terminal, or none.
public struct TextStyle: Hashable, Sendable {
    /// Whether to colour.
    public let isColoured: Bool

    /// A style; colours belong on terminals only.
    public init(isColoured: Bool) { self.isColoured = isColoured }

    /// As hoped: green.
    public func good(_ text: String) -> String { wrap(text, "32") }
    /// Wrong: red.
    public func bad(_ text: String) -> String { wrap(text, "31") }
    /// Worth a look: yellow.
    public func notable(_ text: String) -> String { wrap(text, "33") }
    /// An addition: cyan.
    public func additional(_ text: String) -> String { wrap(text, "36") }
    /// A heading: bold.
    public func strong(_ text: String) -> String { wrap(text, "1") }
    /// Less important: dim.
    public func faint(_ text: String) -> String { wrap(text, "2") }

    /// Wrong, and expected to be: dim red.
    public func faintlyBad(_ text: String) -> String { wrap(text, "2;31") }
    /// Wrong, and not to be overlooked: white on red.
    public func alarming(_ text: String) -> String { wrap(text, "1;97;41") }

    private func wrap(_ text: String, _ code: String) -> String {
        isColoured && !text.isEmpty ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
