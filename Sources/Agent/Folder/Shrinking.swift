import PolicyAPI

/// Whether a text is an edit, or what a broken-off write has left of the text before.
///
/// Nothing in a file says that it is whole. A write that breaks off leaves the beginning of what was to be written: so a text
/// is not believed if all that it lost was at the end. Whoever removes the last object of a file on purpose says so, by
/// YAML's mark for the end of a document, `...`, as the last line, or to the agent (docs/decisions/0018).
enum Shrinking: Hashable, Sendable {
    /// No object is left.
    case empty
    /// The last objects are gone, policies or what they refer to among them; all others are there.
    case lastObjects
    /// It ends where the text before went on, inside an object.
    case insideObject
    /// It was written over in place, is shorter, and ends in the middle of a line, as the text before did not.
    case insideLine
    /// Objects are gone while somebody still has the file open for writing.
    case stillWritten

    /// Judges a text.
    ///
    /// - Parameters:
    ///   - new: the text.
    ///   - old: the text that was accepted last.
    ///   - isSameFile: whether the new text was written into the same file, so not put in its place whole.
    ///   - isUnfinished: whether the file is still open for writing.
    ///   - isElsewhere: whether an object is in another file by now.
    /// - Returns: what became of the old text; `nil` when the new one says all that its author meant, as far as anybody can
    ///   tell.
    static func of(
        _ new: FileText, after old: FileText, isSameFile: Bool, isUnfinished: Bool,
        isElsewhere: (ObjectKey) -> Bool
    ) -> Shrinking? {
        let isBeginning = old.bytes.starts(with: new.bytes)
        if saysItIsWhole(new.bytes), !isBeginning { return nil }
        let before = old.content.keys
        // What was refused and was not there before may be the rest of another object.
        let now = Set(new.content.objects.map(\.key)).union(new.content.refused.map(\.key).filter(before.contains))
        let lost = before.filter { !now.contains($0) && !isElsewhere($0) }
        if !lost.isEmpty, now.isEmpty { return .empty }
        if !lost.isEmpty, isUnfinished { return .stillWritten }
        let isLoss = lost.contains(where: \.isMissed)
        if isLoss, Set(before.prefix { now.contains($0) }) == now { return .lastObjects }
        let stayed = old.content.objects.filter { now.contains($0.key) }
        let isSame = stayed == new.content.objects && new.content.refused.allSatisfy(old.content.refused.contains)
        guard new.bytes.count < old.bytes.count, isLoss || !isSame else { return nil }
        if isBeginning { return .insideObject }
        let newline = UInt8(ascii: "\n")
        return isSameFile && old.bytes.last == newline && new.bytes.last != newline ? .insideLine : nil
    }

    /// Whether the last line that is not blank is `...`.
    private static func saysItIsWhole(_ bytes: [UInt8]) -> Bool {
        let end = bytes.lastIndex { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: " ") }
        let line = bytes[..<(end.map { $0 + 1 } ?? 0)].suffix(4)
        return line.suffix(3).elementsEqual("...".utf8) && (line.count == 3 || line.first == UInt8(ascii: "\n"))
    }

    /// What happened to the file, in words.
    var words: String {
        switch self {
        case .empty: "no object is left in it"
        case .lastObjects: "it lost its end"
        case .insideObject: "it ends in the middle of an object"
        case .insideLine: "it ends in the middle of a line"
        case .stillWritten: "it lost objects and is still being written"
        }
    }
}

extension ObjectKey {
    /// Whether pods may be more open without the object. Pods, nodes and what services stand for come and go, also at the end
    /// of a file; a pod that runs stays enforced without its object.
    var isMissed: Bool { isPolicy || objectKind == .namespace || objectKind == .cidrGroup }
}
