/// A scalar as written, with the type that Kubernetes gives it.
public struct DocumentScalar: Hashable, Sendable {
    /// The type a plain (unquoted) word has.
    public enum Kind: Hashable, Sendable {
        /// A string: quoted, or a word that has no other type.
        case string
        /// An integer in the range of `Int64`: its value.
        case integer(Int64)
        /// A number that is not a plain decimal integer, or too big: `1.5`, `0x50`, `010`, `1_000`.
        case number
        /// `true`, `yes`, `on` and their opposites. Not `y` and `n`, which kubectl reads so too: namespaces and label values are called so,
        /// and can mean nothing else.
        case boolean(Bool)
    }

    /// The characters, after unquoting.
    public let text: String
    /// The type.
    public let kind: Kind

    /// A scalar of a known type.
    public init(text: String, kind: Kind) {
        self.text = text
        self.kind = kind
    }

    /// A plain YAML word; `nil` when it is a spelling of null.
    init?(plain text: String) {
        guard let kind = DocumentScalar.kind(ofPlain: text) else { return nil }
        self.init(text: text, kind: kind)
    }

    /// The type of a plain YAML word; `nil` when it is a spelling of null.
    ///
    /// Its first character says which of the words with a type of their own it might be: nearly every word is none of them.
    static func kind(ofPlain text: String) -> Kind? {
        switch text.utf8.first {
        case nil: return nil
        case UInt8(ascii: "~"): return text == "~" ? nil : .string
        case UInt8(ascii: "n"), UInt8(ascii: "N"):
            switch text {
            case "null", "Null", "NULL": return nil
            case "no", "No", "NO": return .boolean(false)
            default: return .string
            }
        case UInt8(ascii: "t"), UInt8(ascii: "T"):
            return text == "true" || text == "True" || text == "TRUE" ? .boolean(true) : .string
        case UInt8(ascii: "y"), UInt8(ascii: "Y"):
            return text == "yes" || text == "Yes" || text == "YES" ? .boolean(true) : .string
        case UInt8(ascii: "f"), UInt8(ascii: "F"):
            return text == "false" || text == "False" || text == "FALSE" ? .boolean(false) : .string
        case UInt8(ascii: "o"), UInt8(ascii: "O"):
            switch text {
            case "on", "On", "ON": return .boolean(true)
            case "off", "Off", "OFF": return .boolean(false)
            default: return .string
            }
        case .some(UInt8(ascii: "0")...UInt8(ascii: "9")), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
            return numberKind(text) ?? .string
        case .some: return .string
        }
    }

    /// What kind of number a word is, by the rules of YAML 1.1 (which Kubernetes reads); `nil` when it is not a number.
    static func numberKind(_ text: String) -> Kind? {
        var bytes = text.utf8[...]
        if bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+") { bytes = bytes.dropFirst() }
        guard let first = bytes.first else { return nil }
        let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        if bytes.elementsEqual(".inf".utf8) || bytes.elementsEqual(".Inf".utf8) || bytes.elementsEqual(".nan".utf8)
            || bytes.elementsEqual(".NaN".utf8)
        {
            return .number
        }
        guard isDigit(first) || (first == UInt8(ascii: ".") && bytes.dropFirst().first.map(isDigit) ?? false) else {
            return nil
        }
        if bytes.allSatisfy(isDigit) {
            guard bytes.count == 1 || first != UInt8(ascii: "0"), let value = Int64(text) else { return .number }
            return .integer(value)
        }
        if first == UInt8(ascii: "0"), let base = bytes.dropFirst().first {
            let digits = bytes.dropFirst(2)
            let allowed: String? =
                switch base {
                case UInt8(ascii: "x"): "0123456789abcdefABCDEF_"
                case UInt8(ascii: "o"): "01234567_"
                case UInt8(ascii: "b"): "01_"
                default: nil
                }
            if let allowed { return !digits.isEmpty && digits.allSatisfy(allowed.utf8.contains) ? .number : nil }
        }
        return isDecimalNumber(bytes, isDigit) ? .number : nil
    }

    /// `digits[_]*[.digits][e[+-]digits]`.
    private static func isDecimalNumber(_ bytes: Substring.UTF8View, _ isDigit: (UInt8) -> Bool) -> Bool {
        var rest = bytes.drop { isDigit($0) || $0 == UInt8(ascii: "_") }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst().drop { isDigit($0) || $0 == UInt8(ascii: "_") }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
            guard rest.first.map(isDigit) ?? false else { return false }
            rest = rest.drop(while: isDigit)
        }
        return rest.isEmpty
    }
}
