/// Colours for a terminal, or none.
public struct Palette: Sendable {
    /// Whether to colour.
    public let isColoured: Bool

    /// A palette; colours belong on terminals only.
    public init(isColoured: Bool) {
        self.isColoured = isColoured
    }

    func red(_ text: String) -> String { paint(text, "31") }
    func green(_ text: String) -> String { paint(text, "32") }
    func yellow(_ text: String) -> String { paint(text, "33") }
    func dim(_ text: String) -> String { paint(text, "2") }
    func bold(_ text: String) -> String { paint(text, "1") }

    private func paint(_ text: String, _ code: String) -> String {
        isColoured ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
