/// The items of a list in JSON that is in memory as a whole, so that they can be read one after the other.
///
/// Brackets and commas are checked around items only. An item is to be read strictly by whoever uses it, and so is the list without its
/// items. The keys of the list may come in any order.
package struct ListItems {
    /// Why there are no items.
    package struct Failure: Error, Hashable, CustomStringConvertible {
        /// What is wrong.
        package let description: String
    }

    /// Where the search is.
    private enum Place {
        /// Outside of `items`.
        case envelope
        /// In `items`, before its first item or its end.
        case first
        /// After a comma.
        case between
        /// After an item.
        case after
    }

    /// Bytes that one item may have: of an object as the exact path reads it.
    private static let itemLimit = DocumentLimits.bytes
    /// Bytes that everything but the items may have.
    private static let envelopeLimit = 1 << 20

    /// Where the items are.
    package private(set) var ranges: [Range<Int>] = []
    /// The list without its items, as it is written.
    private var envelope: [UInt8] = []
    private var place = Place.envelope
    /// Open maps and lists around `items`.
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    /// Where the last string at the top level begins in `envelope`.
    private var lastString = 0
    /// Whether `items` has come.
    private var hasItems = false

    /// Finds the items of the list that `bytes` are.
    ///
    /// - Throws: when it is cut off, or is no list.
    package init(in bytes: UnsafeRawBufferPointer) throws(Failure) {
        var index = 0
        while index < bytes.count {
            switch place {
            case .envelope: try readEnvelope(bytes[index], &index)
            case .first, .between, .after: try readBetween(bytes, &index)
            }
        }
        guard place == .envelope, depth == 0, !isInString else { throw Failure(description: "the list is cut off") }
    }

    /// The list without its items. Its places are not those of the list.
    ///
    /// - Throws: when it is not one object, or has no items.
    func document() throws(Failure) -> DocumentNode {
        let output = DocumentReader.read(envelope, file: "list.json")
        guard output.diagnostics.isEmpty, output.documents.count == 1, let document = output.documents.first,
            document.members != nil
        else {
            throw Failure(description: output.diagnostics.first?.message ?? "the answer is not one object")
        }
        guard hasItems || document["items"]?.isNull == true else {
            throw Failure(description: "the answer has no items")
        }
        return document
    }

    // MARK: - Parts

    private mutating func readEnvelope(_ byte: UInt8, _ index: inout Int) throws(Failure) {
        index += 1
        guard envelope.count < ListItems.envelopeLimit else {
            throw Failure(description: "the list has more than \(ListItems.envelopeLimit) bytes beside its items")
        }
        envelope.append(byte)
        if isInString {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInString = false
            }
            return
        }
        switch byte {
        case UInt8(ascii: "\""):
            isInString = true
            if depth == 1 { lastString = envelope.count - 1 }
        case UInt8(ascii: "{"): depth += 1
        case UInt8(ascii: "["):
            // The value of the key `items` at the top level, and no other list.
            if depth == 1, isItems {
                guard !hasItems else { throw Failure(description: "the list has items twice") }
                hasItems = true
                place = .first
            } else {
                depth += 1
            }
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            depth -= 1
            guard depth >= 0 else { throw Failure(description: "a bracket is closed that was not opened") }
        default: break
        }
    }

    /// Whether the envelope ends in `"items":[`, spaces aside.
    private var isItems: Bool {
        envelope[lastString...].filter { !DocumentReader.isSpace($0) }.elementsEqual("\"items\":[".utf8)
    }

    private mutating func readBetween(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) throws(Failure) {
        let byte = bytes[index]
        if DocumentReader.isSpace(byte) {
            index += 1
            return
        }
        switch (byte, place) {
        case (UInt8(ascii: "]"), .first), (UInt8(ascii: "]"), .after):
            envelope.append(byte)
            place = .envelope
            index += 1
        case (UInt8(ascii: ","), .after):
            place = .between
            index += 1
        case (UInt8(ascii: "{"), .first), (UInt8(ascii: "{"), .between):
            guard let end = ListItems.end(ofItemAt: index, in: bytes) else {
                throw Failure(description: "the list is cut off")
            }
            guard end - index <= ListItems.itemLimit else {
                throw Failure(
                    description: "item \(ranges.count + 1) has more than \(ListItems.itemLimit) bytes")
            }
            ranges.append(index..<end)
            place = .after
            index = end
        default: throw Failure(description: "item \(ranges.count + 1) of the list is no object")
        }
    }

    /// The end of the item that begins at a place; `nil` when it is cut off.
    private static func end(ofItemAt start: Int, in bytes: UnsafeRawBufferPointer) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        let count = bytes.count
        var place = start
        var depth = 0
        var isInString = false
        while place < count {
            guard isInString else {
                let byte = base.load(fromByteOffset: place, as: UInt8.self)
                place += 1
                // Braces and brackets differ in one bit.
                if byte == UInt8(ascii: "\"") {
                    isInString = true
                } else if byte | 0x20 == UInt8(ascii: "{") {
                    depth += 1
                } else if byte | 0x20 == UInt8(ascii: "}") {
                    depth -= 1
                    if depth == 0 { return place }
                }
                continue
            }
            // Eight bytes at a time, up to a quote or backslash.
            while place + 8 <= count {
                let word = base.loadUnaligned(fromByteOffset: place, as: UInt64.self).littleEndian
                let special = special(word)
                if special != 0 {
                    place += special.trailingZeroBitCount >> 3
                    break
                }
                place += 8
            }
            guard place < count else { break }
            let byte = base.load(fromByteOffset: place, as: UInt8.self)
            // What is behind a backslash ends no string.
            place += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { isInString = false }
        }
        return nil
    }

    /// Marks the highest bit of quotes and backslashes; above the lowest mark there may be wrong ones.
    @inline(__always)
    private static func special(_ word: UInt64) -> UInt64 {
        (WordScan.marks(word, equalTo: UInt8(ascii: "\"")) | WordScan.marks(word, equalTo: UInt8(ascii: "\\")))
            & WordScan.highs
    }
}
