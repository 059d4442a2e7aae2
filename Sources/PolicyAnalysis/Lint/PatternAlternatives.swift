/// The alternatives of a valid RE2 pattern with the characters that each requires, as far as they are plain to see: what is inside
/// groups and classes is passed over, and of a pattern with unusual escapes or flags nothing is known.
struct PatternAlternatives {
    /// What an alternative begins with.
    enum Beginning: Equatable {
        /// Nothing: it is empty.
        case nothing
        /// Always this character.
        case character(Character)
        /// Not always the same character.
        case other
    }

    /// One of the alternatives that `|` separates outside of groups.
    struct Alternative {
        /// It as written.
        var text = ""
        /// What all that it matches begins with.
        var beginning = Beginning.nothing
        /// Characters that are in all that it matches.
        var required: [Character] = []
    }

    /// The alternatives in order; empty where nothing is known.
    private(set) var all: [Alternative] = []

    private let characters: [Character]
    private var index = 0

    /// What a pattern requires.
    init(_ pattern: String) {
        characters = Array(pattern)
        all = parsed() ?? []
    }

    private mutating func parsed() -> [Alternative]? {
        var found = [Alternative()]
        var start = 0
        while index < characters.count {
            switch characters[index] {
            case "|":
                found[found.count - 1].text = String(characters[start..<index])
                found.append(Alternative())
                index += 1
                start = index
                continue
            case "^", "$":
                index += 1
                continue
            default: break
            }
            guard let atom = nextAtom() else { return nil }
            let isOptional = isOptionalNext()
            var alternative = found[found.count - 1]
            switch atom {
            case .character(let character) where !isOptional:
                alternative.required.append(character)
                if alternative.beginning == .nothing { alternative.beginning = atom }
            case .character, .other, .nothing:
                if alternative.beginning == .nothing { alternative.beginning = .other }
            }
            found[found.count - 1] = alternative
        }
        found[found.count - 1].text = String(characters[start...])
        return found
    }

    /// Passes over one character, class or group; `nil` for what is not understood.
    private mutating func nextAtom() -> Beginning? {
        let character = characters[index]
        switch character {
        case "\\":
            guard index + 1 < characters.count else { return nil }
            let escaped = characters[index + 1]
            index += 2
            // A character by its number, a class by name, quoted text.
            if "xpPQ01234567".contains(escaped) { return nil }
            return escaped.isLetter || escaped.isNumber ? .other : .character(escaped)
        case "[":
            return skipClass() ? .other : nil
        case "(":
            return skipGroup() ? .other : nil
        default:
            index += 1
            return character == "." ? .other : .character(character)
        }
    }

    /// Passes over a repetition. Whether what it repeats may be absent.
    private mutating func isOptionalNext() -> Bool {
        guard index < characters.count else { return false }
        var isOptional = false
        switch characters[index] {
        case "*", "?":
            isOptional = true
            index += 1
        case "+":
            index += 1
        case "{":
            guard let end = characters[index...].firstIndex(of: "}"),
                let least = characters[(index + 1)..<end].split(separator: ",", omittingEmptySubsequences: false).first,
                let count = Int(String(least))
            else { return false }
            isOptional = count == 0
            index = end + 1
        default: return false
        }
        // "As few as possible" matches the same texts.
        if index < characters.count, characters[index] == "?" { index += 1 }
        return isOptional
    }

    /// Passes over `[...]`.
    private mutating func skipClass() -> Bool {
        index += 1
        if index < characters.count, characters[index] == "^" { index += 1 }
        // A bracket in the first place is a member.
        if index < characters.count, characters[index] == "]" { index += 1 }
        while index < characters.count {
            switch characters[index] {
            case "]":
                index += 1
                return true
            case "\\": index += 2
            // `[:alpha:]`
            case "[" where index + 1 < characters.count && characters[index + 1] == ":":
                guard let end = characters[index...].firstIndex(of: "]") else { return false }
                index = end + 1
            default: index += 1
            }
        }
        return false
    }

    /// Passes over `(...)`. Not over one with flags, which change what is around it.
    private mutating func skipGroup() -> Bool {
        var depth = 0
        while index < characters.count {
            switch characters[index] {
            case "\\": index += 2
            case "[":
                guard skipClass() else { return false }
            case "(":
                let next = characters[(index + 1)...].prefix(2)
                if next.first == "?", next != ["?", ":"], next != ["?", "P"], next != ["?", "<"] { return false }
                depth += 1
                index += 1
            case ")":
                depth -= 1
                index += 1
                if depth == 0 { return true }
            default: index += 1
            }
        }
        return false
    }
}
