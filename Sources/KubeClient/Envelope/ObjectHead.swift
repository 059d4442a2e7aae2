/// What names an object and its version, read from its JSON without reading the rest.
public struct ObjectHead: Hashable, Sendable {
    /// `metadata.name`; empty when there is none, as in bookmarks.
    public var name = ""
    /// `metadata.namespace`; empty for cluster-scoped kinds.
    public var namespace = ""
    /// `metadata.resourceVersion`.
    public var resourceVersion = ""
    /// `metadata.uid`; empty when there is none.
    public var uid = ""
    /// `metadata.generation`, which the API server raises with each change of the specification; 0 when there is none.
    public var generation: Int64 = 0
    /// Whether the object says its kind, as items of built-in lists do not.
    public var hasKind = false
    /// Whether the object says its apiVersion, as items of built-in lists do not.
    public var hasAPIVersion = false
    /// Whether it carries the annotation that ends the initial events of a streaming list.
    public var endsInitialEvents = false

    /// Reads the head of the object that `bytes` are.
    ///
    /// - Throws: when they are no JSON object.
    public init(scanning bytes: some Collection<UInt8>) throws(EnvelopeFailure) {
        let result: Result<ObjectHead, EnvelopeFailure>? = bytes.withContiguousStorageIfAvailable { buffer in
            Result { () throws(EnvelopeFailure) in
                var cursor = JSONCursor(buffer)
                let head = try ObjectHead(&cursor)
                try cursor.end()
                return head
            }
        }
        guard let result else {
            self = try ObjectHead(scanning: Array(bytes))
            return
        }
        self = try result.get()
    }

    /// Reads the object at the cursor and steps over it.
    init(_ cursor: inout JSONCursor) throws(EnvelopeFailure) {
        var head = ObjectHead()
        try cursor.eachMember { cursor, key throws(EnvelopeFailure) in
            switch key {
            case "kind":
                _ = try cursor.value()
                head.hasKind = true
            case "apiVersion":
                _ = try cursor.value()
                head.hasAPIVersion = true
            case "metadata" where cursor.peek() == UInt8(ascii: "{"): try head.metadata(&cursor)
            default: _ = try cursor.value()
            }
        }
        self = head
    }

    private init() {}

    private mutating func metadata(_ cursor: inout JSONCursor) throws(EnvelopeFailure) {
        var head = self
        try cursor.eachMember { cursor, key throws(EnvelopeFailure) in
            switch key {
            case "name": head.name = try cursor.text() ?? ""
            case "namespace": head.namespace = try cursor.text() ?? ""
            case "resourceVersion": head.resourceVersion = try cursor.text() ?? ""
            case "uid": head.uid = try cursor.text() ?? ""
            case "generation": head.generation = try cursor.integer() ?? 0
            case "annotations" where cursor.peek() == UInt8(ascii: "{"):
                try cursor.eachMember { cursor, key throws(EnvelopeFailure) in
                    switch key {
                    case "k8s.io/initial-events-end": head.endsInitialEvents = try cursor.text() == "true"
                    default: _ = try cursor.value()
                    }
                }
            default: _ = try cursor.value()
            }
        }
        self = head
    }
}
