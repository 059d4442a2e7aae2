/// Colours for a terminal, or none.
public struct LabPalette: Sendable {
    /// What a colour says.
    public enum Meaning: String, Sendable {
        /// Passed, as predicted.
        case pass = "32"
        /// Dropped, as predicted.
        case drop = "2;31"
        /// Only one family passes.
        case partial = "33"
        /// Other than predicted.
        case difference = "1;97;41"
        /// A heading.
        case heading = "1"
        /// Less important.
        case quiet = "2"
    }

    private let isColoured: Bool

    /// A palette that colours, or one that leaves text alone.
    public init(isColoured: Bool) { self.isColoured = isColoured }

    /// The text in the colour.
    public func paint(_ text: String, _ meaning: Meaning) -> String {
        isColoured ? "\u{1b}[\(meaning.rawValue)m\(text)\u{1b}[0m" : text
    }
}
