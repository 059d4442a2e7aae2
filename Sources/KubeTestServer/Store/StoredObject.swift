/// One object in one version: as bytes, for a big cluster has many.
struct StoredObject: Sendable {
    /// What orders objects in a list: the key in etcd.
    struct Key: Hashable, Comparable, Sendable {
        var namespace: String
        var name: String

        static func < (left: Key, right: Key) -> Bool { (left.namespace, left.name) < (right.namespace, right.name) }

        /// `/namespace/name`, as continue tokens hold it.
        var path: String { namespace.isEmpty ? "/\(name)" : "/\(namespace)/\(name)" }
    }

    let key: Key
    let version: Int
    let labels: [String: String]
    /// What field selectors ask beside name and namespace.
    let fields: [String: String]
    /// Who has written which fields.
    var managers: [FieldManager]
    /// The object with its kind and apiVersion.
    let bytes: [UInt8]
    /// The end of the kind and apiVersion that items of lists of built-in kinds lack; 0 for custom resources.
    let headEnd: Int

    /// An object to be written in a version. Sets the version, and orders keys as the server does.
    init(_ value: JSONValue, _ resource: APIResource, version: Int, managers: [FieldManager]) {
        var value = value
        var metadata = value["metadata"] ?? .object([])
        metadata["resourceVersion"] = .string(String(version))
        if !managers.isEmpty {
            metadata["managedFields"] = .array(managers.map { $0.value(isCustom: resource.isCustom) })
        }
        value["metadata"] = metadata
        key = Key(namespace: metadata["namespace"]?.text ?? "", name: metadata["name"]?.text ?? "")
        self.version = version
        self.managers = managers
        labels = Dictionary(
            (metadata["labels"]?.members ?? []).map { ($0.key, $0.value.text ?? "") },
            uniquingKeysWith: { first, _ in first })
        fields =
            resource.kind == "Pod"
            ? [
                "spec.nodeName": value["spec"]?["nodeName"]?.text ?? "",
                "spec.serviceAccountName": value["spec"]?["serviceAccountName"]?.text ?? "",
                "spec.hostNetwork": value["spec"]?["hostNetwork"] == .boolean(true) ? "true" : "false",
                "spec.restartPolicy": value["spec"]?["restartPolicy"]?.text ?? "",
                "status.phase": value["status"]?["phase"]?.text ?? "",
                "status.podIP": value["status"]?["podIP"]?.text ?? "",
            ] : [:]
        if resource.isCustom {
            value["apiVersion"] = .string(resource.apiVersion)
            value["kind"] = .string(resource.kind)
            bytes = value.sorted.bytes
            headEnd = 0
        } else {
            let head = #"{"kind":"\#(resource.kind)","apiVersion":"\#(resource.apiVersion)","#
            headEnd = head.utf8.count
            bytes = Array(head.utf8) + StoredObject.ordered(value).bytes.dropFirst()
        }
    }

    /// An object whose bytes are made elsewhere: `rest` is what follows its kind and apiVersion, with the closing brace.
    init(
        _ resource: APIResource, namespace: String, name: String, labels: [String: String], nodeName: String,
        rest: [UInt8],
        version: Int
    ) {
        key = Key(namespace: namespace, name: name)
        self.version = version
        self.labels = labels
        fields = ["spec.nodeName": nodeName]
        managers = []
        let head = #"{"kind":"\#(resource.kind)","apiVersion":"\#(resource.apiVersion)","#
        headEnd = head.utf8.count
        bytes = Array(head.utf8) + rest
    }

    private static let metadataOrder = [
        "name", "generateName", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp",
        "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers",
        "managedFields",
    ]

    /// A built-in object in the order of its Go type, as far as it matters: metadata first.
    private static func ordered(_ value: JSONValue) -> JSONValue {
        let metadata = value["metadata"] ?? .object([])
        var members = metadataOrder.compactMap { key in metadata[key].map { JSONValue.Member(key: key, value: $0) } }
        members += (metadata.members ?? []).filter { !metadataOrder.contains($0.key) }
        let rest = (value.members ?? []).filter { !["kind", "apiVersion", "metadata"].contains($0.key) }
        return .object([JSONValue.Member(key: "metadata", value: .object(members))] + rest)
    }

    /// The object as a value.
    var value: JSONValue { JSONValue(parsing: bytes) ?? .null }

    /// The same state with another version, as deletions show it.
    func moved(to version: Int, _ resource: APIResource) -> StoredObject {
        StoredObject(value, resource, version: version, managers: managers)
    }

    func field(_ name: String) -> String {
        switch name {
        case "metadata.name": key.name
        case "metadata.namespace": key.namespace
        default: fields[name] ?? ""
        }
    }

    /// Appends the object as an item of a list.
    func writeItem(to output: inout [UInt8]) {
        if headEnd > 0 { output.append(UInt8(ascii: "{")) }
        output += bytes[headEnd...]
    }
}
