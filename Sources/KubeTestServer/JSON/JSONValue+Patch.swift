extension JSONValue {
    /// The value after a merge patch (RFC 7386).
    func merged(with patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var result: JSONValue = members == nil ? .object([]) : self
        for change in changes {
            result[change.key] =
                change.value == .null ? nil : (result[change.key] ?? .null).merged(with: change.value).withoutNulls
        }
        return result
    }

    /// Members that a patch sets to null are not there afterwards, in new maps either.
    private var withoutNulls: JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(
            members.filter { $0.value != .null }.map { Member(key: $0.key, value: $0.value.withoutNulls) })
    }
}
