extension DocumentNode {
    /// The same object in a namespace, whatever it says itself; of a list each item. Kinds without a namespace stay as they are; a
    /// Namespace gets its name, as kustomize has it.
    ///
    /// - Parameters:
    ///   - namespace: the namespace.
    ///   - onlyBare: whether objects that name a namespace keep it, as kubectl and Argo CD have it.
    /// - Returns: the object.
    public func moved(toNamespace namespace: String, onlyBare: Bool = false) -> DocumentNode {
        mapItems { $0.movedAlone(toNamespace: namespace, onlyBare: onlyBare) }
    }

    /// Whether the object lives in a namespace and does not name it; of a list, whether an item does.
    public var isBare: Bool {
        if let items = listItems { return items.contains(where: \.isBare) }
        guard let kind = self["kind"]?.string.flatMap(KnownKind.init), kind.namespaceKey == "namespace" else {
            return false
        }
        return self["metadata"]?["namespace"]?.string?.isEmpty ?? true
    }

    /// The object without items that are bare; `nil` when it is bare itself.
    public var withoutBare: DocumentNode? {
        guard let items = listItems else { return isBare ? nil : self }
        return with(items: items.filter { !$0.isBare })
    }

    private var listItems: [DocumentNode]? { self["kind"]?.string == "List" ? self["items"]?.elements : nil }

    private func mapItems(_ change: (DocumentNode) -> DocumentNode) -> DocumentNode {
        guard let items = listItems else { return change(self) }
        return with(items: items.map(change))
    }

    private func with(items: [DocumentNode]) -> DocumentNode {
        let members = (members ?? []).map { member in
            guard member.key == "items" else { return member }
            let list = DocumentNode(
                .list(items), location: member.value.location, path: member.value.path,
                hasRepeatedKey: member.value.isFaulty)
            return DocumentMember(key: member.key, location: member.location, value: list)
        }
        return DocumentNode(.map(members), location: location, path: path, hasRepeatedKey: isFaulty)
    }

    private func movedAlone(toNamespace namespace: String, onlyBare: Bool) -> DocumentNode {
        guard let kind = self["kind"]?.string.flatMap(KnownKind.init), let key = kind.namespaceKey,
            let metadata = self["metadata"], let fields = metadata.members, !onlyBare || isBare
        else { return self }
        let name = DocumentNode(
            .scalar(DocumentScalar(text: namespace, kind: .string)), location: metadata[key]?.location ?? location,
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
