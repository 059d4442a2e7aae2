/// What a list says that it is.
public struct ListForm: Hashable, Sendable, CustomStringConvertible {
    /// The kind of the list, such as `PodList`.
    public let kind: String
    /// Its apiVersion, such as `v1`.
    public let apiVersion: String

    /// A form.
    public init(kind: String, apiVersion: String) {
        self.kind = kind
        self.apiVersion = apiVersion
    }

    /// The list of objects' metadata alone.
    static let metadata = ListForm(kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1")

    /// In words; what an answer says is cut short.
    public var description: String {
        "\(kind.prefix(64)) of \(apiVersion.isEmpty ? "no apiVersion" : apiVersion.prefix(64))"
    }
}
