/// The form that has the metadata of objects alone.
enum PartialMetadata {
    static func list(_ page: ClusterState.Page) -> [UInt8] {
        var metadata: JSONValue = ["resourceVersion": .string(String(page.version))]
        metadata["continue"] = page.continueToken.map { .string($0) }
        metadata["remainingItemCount"] = page.remaining.map { .integer($0) }
        let items = page.objects.map { object -> JSONValue in
            [
                "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                "metadata": object.value["metadata"] ?? .object([]),
            ]
        }
        return
            ([
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                "items": .array(items),
            ]
            as JSONValue).bytes
    }
}
