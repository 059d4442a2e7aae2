extension DocumentNode {
    /// The same values, placed where they are written in another document: a value that both have under a path is where that has it,
    /// any other is where the nearest value around it is.
    ///
    /// - Parameters:
    ///   - source: the document as written; `nil` when nobody knows it.
    ///   - place: where the document itself is.
    /// - Returns: equal values in other places.
    public func placed(as source: DocumentNode?, at place: SourceLocation) -> DocumentNode {
        let here = source?.location ?? place
        switch content {
        case .null, .scalar:
            return DocumentNode(content, location: here, path: path)
        case .list(let elements):
            // Elements that were inserted shift the others.
            let others = source?.elements.flatMap { $0.count == elements.count ? $0 : nil }
            let placed = elements.enumerated().map { $1.placed(as: others?[$0], at: here) }
            return DocumentNode(.list(placed), location: here, path: path, hasRepeatedKey: isFaulty)
        case .map(let members):
            let placed = members.map { member in
                let other = source?.members?.first { $0.key == member.key }
                return DocumentMember(
                    key: member.key, location: other?.location ?? here,
                    value: member.value.placed(as: other?.value, at: other?.location ?? here))
            }
            return DocumentNode(.map(placed), location: here, path: path, hasRepeatedKey: isFaulty)
        }
    }

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
