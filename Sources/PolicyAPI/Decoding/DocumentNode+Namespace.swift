extension DocumentNode {
    /// The same object in a namespace, whatever it says itself. Kinds without a namespace stay as they are; a Namespace gets its
    /// name, as kustomize has it.
    public func moved(toNamespace namespace: String, at place: SourceLocation) -> DocumentNode {
        guard let kind = self["kind"]?.string.flatMap(KnownKind.init), let key = kind.namespaceKey,
            let metadata = self["metadata"], let fields = metadata.members
        else { return self }
        let name = DocumentNode(
            .scalar(DocumentScalar(text: namespace, kind: .string)), location: metadata[key]?.location ?? place,
            path: metadata.path.appending(key: key))
        let written = DocumentMember(
            key: key, location: fields.first { $0.key == key }?.location ?? metadata.location, value: name)
        let changed = DocumentNode(
            .map(fields.filter { $0.key != key } + [written]), location: metadata.location, path: metadata.path,
            hasRepeatedKey: metadata.isFaulty)
        let members = (members ?? []).map { member in
            member.key == "metadata"
                ? DocumentMember(key: member.key, location: member.location, value: changed) : member
        }
        return DocumentNode(.map(members), location: location, path: path, hasRepeatedKey: isFaulty)
    }
}
