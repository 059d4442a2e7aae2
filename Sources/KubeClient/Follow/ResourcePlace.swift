/// Where an API server has the objects of a kind.
public struct ResourcePlace: Hashable, Sendable {
    /// The API group; empty for the core group.
    public var group: String
    /// The version of the group.
    public var version: String
    /// The kind in the plural, as in paths.
    public var plural: String
    /// The kind, as objects say it.
    public var kind: String

    /// A place.
    public init(group: String = "", version: String, plural: String, kind: String) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
    }

    /// `v1`, or `networking.k8s.io/v1`.
    public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    /// What a list of the kind says that it is.
    public var listForm: ListForm { ListForm(kind: "\(kind)List", apiVersion: apiVersion) }

    /// The path of the objects of all namespaces.
    public var path: String { group.isEmpty ? "/api/\(version)/\(plural)" : "/apis/\(group)/\(version)/\(plural)" }

    /// The path of the objects of one namespace; of all where it is empty, as for cluster-scoped kinds.
    func path(in namespace: String) -> String {
        guard !namespace.isEmpty else { return path }
        let space = "namespaces/\(ResourcePlace.encoded(namespace))/\(plural)"
        return group.isEmpty ? "/api/\(version)/\(space)" : "/apis/\(group)/\(version)/\(space)"
    }

    /// The request for one object as a list of at most one: whoever may list may ask it.
    ///
    /// - Parameters:
    ///   - name: its name.
    ///   - namespace: its namespace; empty for cluster-scoped kinds.
    /// - Returns: path and query.
    public func target(ofOne name: String, in namespace: String) -> String {
        "\(path(in: namespace))?limit=2&fieldSelector=metadata.name%3D\(ResourcePlace.encoded(name))"
    }

    /// The path of the status of one object.
    ///
    /// - Parameters:
    ///   - name: its name.
    ///   - namespace: its namespace; empty for cluster-scoped kinds.
    /// - Returns: the path.
    public func target(ofStatus name: String, in namespace: String) -> String {
        "\(path(in: namespace))/\(ResourcePlace.encoded(name))/status"
    }

    /// The request for a page.
    func target(_ query: ListQuery) -> String {
        "\(path)?limit=\(query.limit)\(query.from.map { "&continue=\(ResourcePlace.encoded($0))" } ?? "")"
    }

    /// The request for a watch. Bookmarks are its sign of life.
    func target(_ query: WatchQuery) -> String {
        let from =
            query.version.map { "resourceVersion=\(ResourcePlace.encoded($0))" }
            ?? "sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
        return "\(path)?watch=1&allowWatchBookmarks=true&timeoutSeconds=\(query.seconds)&\(from)"
    }

    private static func encoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let hex = String(byte, radix: 16, uppercase: true)
                encoded += byte < 16 ? "%0\(hex)" : "%\(hex)"
            }
        }
        return encoded
    }
}
