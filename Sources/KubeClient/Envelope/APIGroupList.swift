import PolicyAPI

/// What an API server answers at `/apis`.
enum APIGroupList {
    /// Whether the bytes are one.
    static func isOne(_ bytes: [UInt8]) -> Bool {
        DocumentReader.read(bytes, file: "apis.json").documents.first?["kind"]?.string == "APIGroupList"
    }
}
