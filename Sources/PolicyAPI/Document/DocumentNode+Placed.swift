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
}
