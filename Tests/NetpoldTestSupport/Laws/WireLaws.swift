public import PolicyAPI

/// What holds of any bytes that an API server might send as an object.
public enum WireLaws {
    /// The kinds that have a pass of their own.
    public static let kinds = [
        (kind: "Pod", apiVersion: "v1"), (kind: "Namespace", apiVersion: "v1"), (kind: "Node", apiVersion: "v1"),
        (kind: "Service", apiVersion: "v1"), (kind: "EndpointSlice", apiVersion: "discovery.k8s.io/v1"),
    ]

    /// The object that the decoder of manifests makes of the bytes, without places and unread annotations; `nil` when it refuses
    /// them. Bytes without kind or apiVersion are the kind's.
    public static func exact(_ bytes: [UInt8], kind: String, apiVersion: String) -> ClusterObject? {
        // The name that the decoder gives its source: one without a name is called by its place.
        let output = DocumentReader.read(bytes, file: "API server.json")
        guard output.documents.count == 1, let document = output.documents.first, let members = document.members,
            !output.diagnostics.contains(where: { $0.id == .syntax || $0.id == .limit })
        else { return nil }
        // As an item of a list of its kind, which need not name it.
        var decoder = ManifestDecoder()
        let place = document.location
        func text(_ text: String) -> DocumentNode {
            DocumentNode(.scalar(DocumentScalar(text: text, kind: .string)), location: place, path: .root)
        }
        var all = members.filter { !(["kind", "apiVersion"].contains($0.key) && $0.value.isNull) }
        for (key, value) in [("kind", kind), ("apiVersion", apiVersion)] where !all.contains(where: { $0.key == key }) {
            all.append(DocumentMember(key: key, location: place, value: text(value)))
        }
        decoder.add(DocumentNode(.map(all), location: place, path: .root, hasRepeatedKey: document.isFaulty))
        let objects = decoder.finish().objects
        var found: [ClusterObject] = objects.pods.map { .pod($0) }
        found += objects.namespaces.map { .namespace($0) }
        found += objects.nodes.map { .node($0) }
        found += objects.services.map { .service($0) }
        found += objects.endpointSlices.map { .endpointSlice($0) }
        return found.count == 1 ? found.first.map(plain) : nil
    }

    /// An object without places and without the annotations that nobody reads.
    public static func plain(_ object: ClusterObject) -> ClusterObject {
        func plain(_ metadata: ObjectMeta) -> ObjectMeta {
            var metadata = metadata
            metadata.location = nil
            let read: Set = ["kubernetes.io/config.hash", "kubernetes.io/config.mirror", "k8s.io/initial-events-end"]
            metadata.annotations = metadata.annotations.filter { read.contains($0.key) }
            return metadata
        }
        switch object {
        case .pod(var object):
            object.metadata = plain(object.metadata)
            return .pod(object)
        case .namespace(var object):
            object.metadata = plain(object.metadata)
            return .namespace(object)
        case .node(var object):
            object.metadata = plain(object.metadata)
            return .node(object)
        case .service(var object):
            object.metadata = plain(object.metadata)
            return .service(object)
        case .endpointSlice(var object):
            object.metadata = plain(object.metadata)
            for index in object.endpoints.indices { object.endpoints[index].location = nil }
            return .endpointSlice(object)
        case .cidrGroup, .networkPolicy, .clusterPolicy, .ciliumPolicy: return object
        }
    }

    /// The decoder of API objects makes the same of the bytes as the decoder of manifests: the same object, or both refuse.
    ///
    /// - Throws: `BrokenLaw`.
    public static func agree(
        _ bytes: [UInt8], _ decoder: inout WireDecoder, kind: String, apiVersion: String
    ) throws(BrokenLaw) {
        let wire = decoder.decode(bytes)
        let exact = exact(bytes, kind: kind, apiVersion: apiVersion)
        let found = wire.object.map(plain)
        try BrokenLaw.unless(
            found == exact, "\(kind): \(String(describing: found)) is not \(String(describing: exact))")
        try BrokenLaw.unless(wire.object != nil || exact == nil, "\(kind): refused without a reason")
    }

    /// The bytes as an object of every kind; then as a list, and as the item of one.
    ///
    /// - Throws: `BrokenLaw`.
    public static func check(_ bytes: [UInt8]) throws(BrokenLaw) {
        for kind in kinds {
            var decoder = WireDecoder(kind: kind.kind, apiVersion: kind.apiVersion)
            try agree(bytes, &decoder, kind: kind.kind, apiVersion: kind.apiVersion)
        }
        try BrokenLaw.unless(items(bytes)?.allSatisfy { $0.first == UInt8(ascii: "{") } ?? true, "an item is no map")
        let wrapped = Array(#"{"items":["#.utf8) + bytes + Array(#"],"metadata":{"resourceVersion":"1"}}"#.utf8)
        if exact(bytes, kind: "Pod", apiVersion: "v1") != nil {
            try BrokenLaw.unless(items(wrapped)?.count == 1, "an object is no item of a list")
        }
    }

    /// The items of a list; `nil` when it is none.
    private static func items(_ bytes: [UInt8]) -> [[UInt8]]? {
        bytes.withUnsafeBytes { all in (try? ListItems(in: all))?.ranges.map { Array(all[$0]) } }
    }
}
