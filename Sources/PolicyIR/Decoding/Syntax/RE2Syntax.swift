/// Checks that a pattern is in RE2's syntax: everything that the proxy's RE2 would refuse is found when the policy is read.
/// Linear in the pattern.
struct RE2Syntax {
    /// What is wrong with a pattern; `nil` for a good one.
    static func problem(in pattern: String) -> String? {
        var parser = RE2Syntax(Array(pattern.unicodeScalars))
        do throws(Problem) {
            try parser.alternation(depth: 0)
            if parser.peek == ")" { throw Problem("an unmatched )") }
            return nil
        } catch {
            return error.text
        }
    }

    private struct Problem: Error {
        let text: String
        init(_ text: String) { self.text = text }
    }

    /// RE2 refuses repeat counts and nesting beyond 1000.
    private static let limit = 1_000
    private let scalars: [Unicode.Scalar]
    private var index = 0

    private init(_ scalars: [Unicode.Scalar]) { self.scalars = scalars }

    private var peek: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        index += 1
        return true
    }

    private mutating func alternation(depth: Int) throws(Problem) {
        guard depth <= RE2Syntax.limit / 4 else { throw Problem("groups are nested too deep") }
        while let scalar = peek, scalar != ")" {
            if take("|") { continue }
            try piece(depth: depth)
        }
    }

    /// An atom with its repetitions.
    private mutating func piece(depth: Int) throws(Problem) {
        var repetitions = 0
        if isRepetition { throw Problem("nothing to repeat before \(scalars[index])") }
        try atom(depth: depth)
        while isRepetition {
            repetitions += 1
            guard repetitions == 1 else { throw Problem("a repetition of a repetition") }
            if take("{") {
                try counts()
            } else {
                index += 1
            }
            _ = take("?")
        }
    }

    /// Whether a repetition stands here. `{` is one only with counts behind it, otherwise a plain character.
    private var isRepetition: Bool {
        switch peek {
        case "*", "+", "?": return true
        case "{":
            var place = index + 1
            var digits = 0
            while place < scalars.count, ("0"..."9").contains(scalars[place]) {
                place += 1
                digits += 1
            }
            guard digits > 0, place < scalars.count else { return false }
            if scalars[place] == "," {
                place += 1
                while place < scalars.count, ("0"..."9").contains(scalars[place]) { place += 1 }
            }
            return place < scalars.count && scalars[place] == "}"
        default: return false
        }
    }

    /// `n}`, `n,}` or `n,m}`.
    private mutating func counts() throws(Problem) {
        let low = number()
        var high = low
        if take(",") { high = peek == "}" ? low : number() }
        _ = take("}")
        guard low <= RE2Syntax.limit, high <= RE2Syntax.limit, low <= high else { throw Problem("a bad repeat count") }
    }

    private mutating func number() -> Int {
        var value = 0
        while let scalar = peek, ("0"..."9").contains(scalar) {
            value = min(value * 10 + Int(scalar.value - 48), RE2Syntax.limit + 1)
            index += 1
        }
        return value
    }

    private mutating func atom(depth: Int) throws(Problem) {
        if take("(") {
            try group(depth: depth)
        } else if take("[") {
            try set()
        } else if take("\\") {
            try escape(inSet: false)
        } else {
            index += 1
        }
    }

    private mutating func group(depth: Int) throws(Problem) {
        if take("?") {
            if take("P") || peek == "<" {
                try groupName()
            } else if try !flags() {
                if isRepetition { throw Problem("nothing to repeat after flags") }
                return
            }
        }
        try alternation(depth: depth + 1)
        guard take(")") else { throw Problem("a missing )") }
    }

    /// `<name>`, after `(?P` or `(?`.
    private mutating func groupName() throws(Problem) {
        guard take("<") else { throw Problem("an unknown kind of group (lookaround and references do not exist)") }
        let start = index
        while let scalar = peek, scalar == "_" || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) {
            index += 1
        }
        guard index > start, take(">") else { throw Problem("a bad group name (lookbehind does not exist)") }
    }

    /// `flags:` or `flags)`; whether a group follows.
    private mutating func flags() throws(Problem) -> Bool {
        var hasMinus = false
        var count = 0
        while let scalar = peek {
            index += 1
            switch scalar {
            case "i", "m", "s", "U": count += 1
            case "-" where !hasMinus:
                hasMinus = true
                count = 0
            case ":" where !hasMinus || count > 0: return true
            case ")" where count > 0: return false
            default: throw Problem("an unknown kind of group (lookaround does not exist)")
            }
        }
        throw Problem("a missing )")
    }

    private mutating func set() throws(Problem) {
        _ = take("^")
        var isFirst = true
        while true {
            guard let scalar = peek else { throw Problem("a missing ]") }
            if scalar == "]", !isFirst {
                index += 1
                return
            }
            if scalar == "[", index + 1 < scalars.count, scalars[index + 1] == ":" {
                try namedClass()
                isFirst = false
                continue
            }
            isFirst = false
            let low = try setMember()
            // `a-z`, unless the dash is the last character.
            if peek == "-", index + 1 < scalars.count, scalars[index + 1] != "]" {
                index += 1
                let high = try setMember()
                guard let low, let high, low <= high else { throw Problem("a bad range in [ ]") }
            }
        }
    }

    /// A member of a set: its character, `nil` for a class.
    private mutating func setMember() throws(Problem) -> Unicode.Scalar? {
        guard let scalar = peek else { throw Problem("a missing ]") }
        index += 1
        guard scalar == "\\" else { return scalar }
        return try escape(inSet: true)
    }

    private static let classNames: Set<String> = [
        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
        "word",
        "xdigit",
    ]

    private mutating func namedClass() throws(Problem) {
        index += 2
        _ = take("^")
        var name = ""
        while let scalar = peek, ("a"..."z").contains(scalar) {
            name.unicodeScalars.append(scalar)
            index += 1
        }
        guard take(":"), take("]"), RE2Syntax.classNames.contains(name) else { throw Problem("an unknown [: :] class") }
    }

    /// What follows a backslash: its character, `nil` for a class or an assertion.
    @discardableResult
    private mutating func escape(inSet: Bool) throws(Problem) -> Unicode.Scalar? {
        guard let scalar = peek else { throw Problem("a \\ at the end") }
        index += 1
        switch scalar {
        case "d", "D", "s", "S", "w", "W": return nil
        case "a": return "\u{7}"
        case "f": return "\u{c}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "v": return "\u{b}"
        case "b", "B", "A", "z", "C", "Q", "E":
            guard !inSet else { throw Problem("\\\(scalar) inside [ ]") }
            if scalar == "Q" { quoted() }
            return nil
        case "p", "P":
            try property()
            return nil
        case "x": return try hexadecimal()
        case "0"..."7":
            guard scalar == "0" || peek.map({ ("0"..."7").contains($0) }) ?? false else {
                throw Problem("a reference to a group")
            }
            var value = scalar.value - 48
            for _ in 0..<2 {
                guard let next = peek, ("0"..."7").contains(next) else { break }
                value = value * 8 + next.value - 48
                index += 1
            }
            return Unicode.Scalar(value)
        default:
            guard scalar.value < 0x80, !scalar.properties.isAlphabetic, !("0"..."9").contains(scalar), scalar != "_"
            else {
                throw Problem("the unknown escape \\\(scalar)")
            }
            return scalar
        }
    }

    /// Skips to `\E` or the end.
    private mutating func quoted() {
        while index < scalars.count {
            if scalars[index] == "\\", index + 1 < scalars.count, scalars[index + 1] == "E" {
                index += 2
                return
            }
            index += 1
        }
    }

    private mutating func property() throws(Problem) {
        guard let first = peek else { throw Problem("\\p without a name") }
        index += 1
        guard first == "{" else {
            guard "CLMNPSZ".unicodeScalars.contains(first) else { throw Problem("an unknown \\p class") }
            return
        }
        _ = take("^")
        let start = index
        while let scalar = peek, scalar.value < 0x80, scalar.properties.isAlphabetic || scalar == "_" { index += 1 }
        guard index > start, take("}") else { throw Problem("a bad \\p{ } class") }
    }

    private mutating func hexadecimal() throws(Problem) -> Unicode.Scalar? {
        let isBraced = take("{")
        var value: UInt32 = 0
        var digits = 0
        while digits < (isBraced ? 8 : 2), let scalar = peek, let digit = Character(scalar).hexDigitValue {
            value = value << 4 | UInt32(digit)
            digits += 1
            index += 1
        }
        guard isBraced ? digits > 0 && take("}") : digits == 2, let scalar = Unicode.Scalar(value) else {
            throw Problem("a bad \\x")
        }
        return scalar
    }
}
