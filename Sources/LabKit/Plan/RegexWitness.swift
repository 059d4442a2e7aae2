import PolicyAPI

/// A text that a regular expression matches, for the common ones: characters, `.`, groups with alternatives, classes, and
/// repetitions, each the shortest way. What comes out is matched by RE2 before it is used.
struct RegexWitness {
    private var rest: Substring

    /// A matching text, or `nil` when this finds none; `usual` where that matches, as it does an empty pattern, which matches
    /// everything.
    static func text(_ pattern: String, usual: String) -> String? {
        if pattern.isEmpty { return usual }
        guard let compiled = try? RegexPattern(pattern) else { return nil }
        if compiled.matches(usual) { return usual }
        var reader = RegexWitness(rest: pattern[...])
        let text = reader.alternatives()
        return reader.rest.isEmpty && compiled.matches(text) ? text : nil
    }

    private mutating func alternatives() -> String {
        let first = sequence()
        while rest.first == "|" {
            rest.removeFirst()
            _ = sequence()
        }
        return first
    }

    private mutating func sequence() -> String {
        var text = ""
        while let next = rest.first, next != "|", next != ")" { text += repeated(atom()) }
        return text
    }

    private mutating func atom() -> String {
        let first = rest.removeFirst()
        switch first {
        case "^", "$": return ""
        case ".": return "."
        case "\\":
            guard let escaped = rest.popFirst() else { return "" }
            switch escaped {
            case "d": return "7"
            case "w": return "x"
            case "s": return " "
            default: return String(escaped)
            }
        case "(":
            if rest.hasPrefix("?:") { rest.removeFirst(2) }
            let inner = alternatives()
            if rest.first == ")" { rest.removeFirst() }
            return inner
        case "[": return member()
        default: return String(first)
        }
    }

    /// A member of a class.
    private mutating func member() -> String {
        var members: [Character] = []
        while let next = rest.popFirst(), next != "]" || members.isEmpty {
            members.append(next == "\\" ? rest.popFirst() ?? next : next)
        }
        if members.first == "^" { return ["x", "7", "-"].first { !members.contains(Character($0)) } ?? "" }
        return members.first.map(String.init) ?? ""
    }

    private mutating func repeated(_ atom: String) -> String {
        guard let sign = rest.first else { return atom }
        var text = atom
        switch sign {
        case "*", "?":
            rest.removeFirst()
            text = ""
        case "+":
            rest.removeFirst()
            // A segment of dots alone has a meaning of its own in a path.
            if atom == "." { text = "x" }
        case "{":
            let digits = rest.dropFirst().prefix { $0.isNumber }
            rest = rest.drop { $0 != "}" }.dropFirst()
            text = String(repeating: atom, count: min(Int(digits) ?? 1, 64))
        default: return atom
        }
        if rest.first == "?" { rest.removeFirst() }
        return text
    }
}
