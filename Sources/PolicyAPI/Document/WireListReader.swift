/// Cuts a list that comes in pieces into its items, so that the list is never in memory as a whole.
///
/// It finds where items begin and end, and that brackets and commas are where they belong around them; what is inside is for
/// `WireDecoder` to read strictly; an item that is no JSON there spoils the list. The keys of the list may come in any order.
public struct WireListReader: Sendable {
    /// Why a list cannot be read on.
    public struct Failure: Error, Hashable, CustomStringConvertible {
        /// What is wrong.
        public let description: String
    }

    /// What a list says beside its items.
    public struct Envelope: Hashable, Sendable {
        /// `kind`, for example `PodList`.
        public var kind: String
        /// `apiVersion`.
        public var apiVersion: String
        /// `metadata.resourceVersion`: a watch goes on from it.
        public var resourceVersion: String
        /// `metadata.continue`; `nil` on the last page.
        public var next: String?
        /// How many items there were.
        public var count: Int
    }

    /// Where the reader is.
    private enum Place {
        /// Outside of `items`.
        case envelope
        /// In `items`, before its first item or its end.
        case first
        /// After a comma.
        case between
        /// In an item.
        case item
        /// After an item.
        case after
    }

    /// Bytes that one item may have: of an object as the exact path reads it.
    private static let itemLimit = DocumentLimits.bytes
    /// Bytes that everything but the items may have.
    private static let envelopeLimit = 1 << 20

    private var place = Place.envelope
    /// Open maps and lists; of an item, those in it.
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    /// The list without its items.
    private var envelope: [UInt8] = []
    /// Where the last string at the top level begins in `envelope`.
    private var lastString = 0
    /// Whether `items` has come.
    private var hasItems = false
    /// What has come of an item whose end has not.
    private var rest: [UInt8] = []
    private var count = 0

    /// Nothing has come.
    public init() {}

    /// Takes the next bytes, and hands over the items that end in them, one after the other; each is valid during its call alone.
    public mutating func read(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) throws(Failure)
    {
        var index = 0
        while index < bytes.count {
            switch place {
            case .item: try readItem(bytes, &index, body)
            case .envelope: try readEnvelope(bytes[index], &index)
            case .first, .between, .after: try readBetween(bytes[index], &index)
            }
        }
    }

    /// Takes the next bytes, and hands over the items that end in them.
    public mutating func read(_ bytes: some Collection<UInt8>, _ body: (UnsafeRawBufferPointer) -> Void) throws(Failure)
    {
        let result = bytes.withContiguousStorageIfAvailable { bytes -> Result<Void, Failure> in
            do throws(Failure) { return .success(try read(UnsafeRawBufferPointer(bytes), body)) } catch {
                return .failure(error)
            }
        }
        guard let result else { return try read(Array(bytes), body) }
        try result.get()
    }

    /// Everything has come: what the list says beside its items. Throws when it was cut off, or is no list.
    public consuming func finish() throws(Failure) -> Envelope {
        let count = count
        let document = try finishDocument()
        guard let version = document["metadata"]?["resourceVersion"]?.string, !version.isEmpty else {
            throw Failure(description: "the list has no resourceVersion")
        }
        let next = document["metadata"]?["continue"]?.string ?? ""
        return Envelope(
            kind: document["kind"]?.string ?? "", apiVersion: document["apiVersion"]?.string ?? "",
            resourceVersion: version, next: next.isEmpty ? nil : next, count: count)
    }

    /// The same, as it is written: the list without its items. Its places are not those of the list.
    consuming func finishDocument() throws(Failure) -> DocumentNode {
        guard place == .envelope, depth == 0, !isInString else { throw Failure(description: "the list is cut off") }
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
        guard envelope.count < WireListReader.envelopeLimit else {
            throw Failure(description: "the list has more than \(WireListReader.envelopeLimit) bytes beside its items")
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

    private mutating func readBetween(_ byte: UInt8, _ index: inout Int) throws(Failure) {
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
            place = .item
            depth = 0
        default: throw Failure(description: "item \(count + 1) of the list is no object")
        }
    }

    /// Goes through an item, which begins at `index` or has begun in `rest`.
    private mutating func readItem(
        _ bytes: UnsafeRawBufferPointer, _ index: inout Int, _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(Failure) {
        let start = index
        let end = itemEnd(bytes, &index)
        let part = UnsafeRawBufferPointer(rebasing: bytes[start..<index])
        guard rest.count + part.count <= WireListReader.itemLimit else {
            throw Failure(description: "item \(count + 1) has more than \(WireListReader.itemLimit) bytes")
        }
        guard end else {
            rest += part
            return
        }
        count += 1
        place = .after
        // Back to the level of the list.
        depth = 1
        if rest.isEmpty {
            body(part)
        } else {
            rest += part
            rest.withUnsafeBytes { body($0) }
            rest.removeAll(keepingCapacity: rest.count <= 1 << 20)
        }
    }

    /// Moves to the end of the item or of the bytes; whether it is the end of the item.
    private mutating func itemEnd(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) -> Bool {
        guard let base = bytes.baseAddress else { return false }
        let count = bytes.count
        // Local, for this is done with every byte.
        var place = index
        var depth = depth
        var isInString = isInString
        if isEscaped, place < count {
            isEscaped = false
            place += 1
        }
        var isEnd = false
        while place < count, !isEnd {
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
                    isEnd = depth == 0
                }
                continue
            }
            // Eight bytes at a time, up to a quote or backslash.
            while place + 8 <= count {
                let word = base.loadUnaligned(fromByteOffset: place, as: UInt64.self).littleEndian
                let special = WireListReader.special(word)
                if special != 0 {
                    place += special.trailingZeroBitCount >> 3
                    break
                }
                place += 8
            }
            guard place < count else { break }
            let byte = base.load(fromByteOffset: place, as: UInt8.self)
            place += 1
            if byte == UInt8(ascii: "\"") {
                isInString = false
            } else if byte == UInt8(ascii: "\\") {
                if place < count { place += 1 } else { isEscaped = true }
            }
        }
        self.depth = depth
        self.isInString = isInString
        index = place
        return isEnd
    }

    /// Marks the highest bit of quotes and backslashes; above the lowest mark there may be wrong ones.
    @inline(__always)
    private static func special(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5c)
        return ((quote &- ones) & ~quote | (backslash &- ones) & ~backslash) & 0x8080_8080_8080_8080
    }
}
