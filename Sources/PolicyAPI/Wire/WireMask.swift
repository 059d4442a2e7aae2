/// Which members of an object are wanted.
final class WireMask: Sendable {
    /// Whether everything is wanted.
    private let isWhole: Bool
    /// The names of the wanted members.
    private let keys: [WireKey]
    /// For each of them what is wanted of its value.
    private let masks: [WireMask]
    /// Whether the members that are not wanted must be strings.
    let wantsTexts: Bool
    /// Whether texts differ from object to object, so that sharing them saves nothing.
    let isUnique: Bool

    private init(_ keys: [WireKey]?, _ masks: [WireMask], wantsTexts: Bool = false, isUnique: Bool = false) {
        isWhole = keys == nil
        self.keys = keys ?? []
        self.masks = masks
        self.wantsTexts = wantsTexts
        self.isUnique = isUnique
    }

    /// Everything.
    static let all = WireMask(nil, [])
    /// Everything; texts are not shared.
    static let unique = WireMask(nil, [], isUnique: true)

    /// Some members of an object, or of each object of a list.
    static func members(_ parts: KeyValuePairs<String, WireMask>) -> WireMask {
        WireMask(parts.map { WireKey($0.key) }, parts.map(\.value))
    }

    /// Some members of a map of strings.
    static func texts(_ names: String...) -> WireMask {
        WireMask(names.map { WireKey($0) }, names.map { _ in .all }, wantsTexts: true)
    }

    /// The mask of a member's value; `nil` when it is not wanted. (Of two long names that differ in the middle alone both are: the
    /// decoder looks for the right one.)
    @inline(__always)
    func part(_ key: WireKey) -> WireMask? {
        if isWhole { return self }
        for index in keys.indices where keys[index].mayEqual(key) { return masks[index] }
        return nil
    }
}
