/// What an automaton of names tells apart in a name: the end of a label, each character that names have, and everything else.
///
/// A name on the wire is a list of labels, so a dot in a label is no end of one: it is a character that names do not have.
public struct NameClass: Hashable, Sendable {
    /// The number, below `count`.
    public let number: Int

    /// How many there are.
    public static let count = 40
    /// The end of a label; of the root name, which has none, the only one.
    public static let end = NameClass(number: 0)
    /// A byte that is no name character.
    static let other = NameClass(number: 1)
    /// The first of the name characters: a to z, 0 to 9, `-`, `_`.
    static let firstCharacter = 2

    private init(number: Int) { self.number = number }

    /// The class of a byte of a label. Upper case letters of ASCII count as lower case ones.
    public init(labelByte byte: UInt8) {
        let offset =
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(byte - UInt8(ascii: "a"))
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(byte - UInt8(ascii: "A"))
            case UInt8(ascii: "0")...UInt8(ascii: "9"): 26 + Int(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "-"): 36
            case UInt8(ascii: "_"): 37
            default: NameClass.other.number - NameClass.firstCharacter
            }
        number = NameClass.firstCharacter + offset
    }

    /// Whether names have it in labels.
    var isCharacter: Bool { number >= NameClass.firstCharacter }
}
