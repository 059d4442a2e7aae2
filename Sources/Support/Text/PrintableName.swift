/// Names that others chose, such as those of files, for output.
public enum PrintableName {
    /// The name with control characters and line separators written as `\u{a}`, so that it neither begins a line of its own
    /// nor speaks to the terminal.
    public static func of(_ name: String) -> String {
        guard name.unicodeScalars.contains(where: isHidden) else { return name }
        return name.unicodeScalars.reduce(into: "") { text, scalar in
            if isHidden(scalar) {
                text += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .format: true
        default: false
        }
    }
}
