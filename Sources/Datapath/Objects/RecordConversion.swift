/// Brings records of one layout into another, field by field, by name.
///
/// A field that the other layout lacks is left out, one that it has in addition becomes 0: fields are chosen so that 0 admits
/// nothing (no role, not ready, no revision). A number may have another width, as long as it fits.
struct RecordConversion: Sendable {
    private struct Move {
        var from: Int
        var fromSize: Int
        var to: Int
        var toSize: Int
    }

    /// Bytes of a record before and after.
    let fromSize: Int
    let toSize: Int
    /// Fields that records lose.
    let lost: [String]
    /// Fields that records get, as 0.
    let added: [String]
    private let moves: [Move]

    init(from: RecordLayout, to: RecordLayout) {
        fromSize = from.size
        toSize = to.size
        let known = Dictionary(from.fields.map { ($0.name, $0) }) { first, _ in first }
        var moves: [Move] = []
        var taken: Set<String> = []
        for field in to.fields {
            guard let source = known[field.name], RecordConversion.isSame(source, field) else { continue }
            taken.insert(field.name)
            let move = Move(from: source.offset, fromSize: source.size, to: field.offset, toSize: field.size)
            // Neighbours that stay neighbours move together.
            if let last = moves.last, last.fromSize == last.toSize, move.fromSize == move.toSize,
                last.from + last.fromSize == move.from, last.to + last.toSize == move.to
            {
                moves[moves.count - 1].fromSize += move.fromSize
                moves[moves.count - 1].toSize += move.toSize
            } else {
                moves.append(move)
            }
        }
        self.moves = moves
        lost = from.fields.map(\.name).filter { !taken.contains($0) }
        added = to.fields.map(\.name).filter { !taken.contains($0) }
    }

    /// Whether nothing is lost and nothing made up.
    var isExact: Bool { lost.isEmpty && added.isEmpty }

    /// Converts one record; false when a number does not fit, and then the target is not to be used.
    func convert(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer) -> Bool {
        target.initializeMemory(as: UInt8.self, repeating: 0, count: toSize)
        for move in moves {
            (target + move.to).copyMemory(from: source + move.from, byteCount: min(move.fromSize, move.toSize))
            // Little endian: what is over the edge are the high bytes.
            for byte in move.toSize..<max(move.fromSize, move.toSize)
            where source.load(fromByteOffset: move.from + byte, as: UInt8.self) != 0 { return false }
        }
        return true
    }

    /// A number in network order cannot change its width by bytes.
    private static func isSame(_ left: RecordLayout.Field, _ right: RecordLayout.Field) -> Bool {
        left.isNetworkOrder == right.isNetworkOrder && (!left.isNetworkOrder || left.size == right.size)
    }
}
