/// One answer to a list, cut into its objects.
public struct ListPage: Sendable {
    /// The bytes of the answer.
    public let bytes: [UInt8]
    /// Where each object is in `bytes`.
    public private(set) var items: [Range<Int>] = []
    /// The version of the list: a watch goes on from it.
    public private(set) var resourceVersion = ""
    /// Where the next page begins; `nil` on the last one.
    public private(set) var next: String?

    /// Cuts an answer. The order of its keys does not matter: lists of custom resources have `items` first.
    ///
    /// - Parameters:
    ///   - bytes: the answer.
    ///   - forms: what the list may say that it is; without any every kind of list is taken. A list of something else says
    ///     nothing of what there is of the kind that was asked for.
    /// - Throws: when it is no JSON object, is cut off, or is no list with a version, of one of these forms.
    public init(parsing bytes: [UInt8], as forms: [ListForm] = []) throws(EnvelopeFailure) {
        self.bytes = bytes
        var items: [Range<Int>] = []
        var hasItems = false
        var version = ""
        var kind = ""
        var apiVersion = ""
        var next: String?
        let failure = bytes.withUnsafeBufferPointer { buffer -> EnvelopeFailure? in
            var cursor = JSONCursor(buffer)
            do throws(EnvelopeFailure) {
                try cursor.eachMember { cursor, key throws(EnvelopeFailure) in
                    switch key {
                    case "items":
                        hasItems = true
                        guard cursor.peek() == UInt8(ascii: "[") else {
                            // Go writes an empty list that nobody made as null. Anything else says nothing of what there is.
                            let value = try cursor.value()
                            guard bytes[value].elementsEqual("null".utf8) else {
                                throw EnvelopeFailure("its items are no list")
                            }
                            return
                        }
                        try cursor.eachElement { cursor throws(EnvelopeFailure) in items.append(try cursor.value()) }
                    case "kind": kind = try cursor.text() ?? ""
                    case "apiVersion": apiVersion = try cursor.text() ?? ""
                    case "metadata" where cursor.peek() == UInt8(ascii: "{"):
                        try cursor.eachMember { cursor, key throws(EnvelopeFailure) in
                            switch key {
                            case "resourceVersion": version = try cursor.text() ?? ""
                            case "continue": next = try cursor.text()
                            default: _ = try cursor.value()
                            }
                        }
                    default: _ = try cursor.value()
                    }
                }
                try cursor.end()
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        guard kind.hasSuffix("List") else {
            throw EnvelopeFailure("it is no list, but of the kind \"\(kind.prefix(64))\"")
        }
        let form = ListForm(kind: kind, apiVersion: apiVersion)
        guard forms.isEmpty || forms.contains(form) else {
            let wanted = forms.map(\.description).joined(separator: " or ")
            throw EnvelopeFailure("it is a \(form), and a \(wanted) was asked for")
        }
        // Of the right form, a list without items is empty, as for Go's client: JSON made of protobuf leaves empty lists out.
        guard hasItems || !forms.isEmpty, !version.isEmpty else {
            throw EnvelopeFailure("it is no list: it has no \(version.isEmpty ? "metadata.resourceVersion" : "items")")
        }
        self.items = items
        self.resourceVersion = version
        self.next = next.flatMap { $0.isEmpty ? nil : $0 }
    }
}
