/// The name of a query as text, for patterns and the log.
enum QueryName {
    /// The labels with dots between them; `.` for the root. A byte that would make another name of it (a dot inside a label, a backslash) or
    /// that is no visible character of ASCII is written as RFC 1035 5.1 has it: `\046`. No name pattern has such characters, so only one
    /// that takes every query matches.
    static func text(_ labels: [[UInt8]]) -> String {
        guard !labels.isEmpty else { return "." }
        var text = ""
        for label in labels {
            if !text.isEmpty { text += "." }
            for byte in label {
                if byte > 0x20, byte < 0x7f, byte != UInt8(ascii: "."), byte != UInt8(ascii: "\\") {
                    text.unicodeScalars.append(Unicode.Scalar(byte))
                } else {
                    let digits = "\(byte)"
                    text += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
                }
            }
        }
        return text
    }
}
