/// Collects the members of one map and finds keys written twice.
struct DocumentMapBuilder {
    /// How many repeated keys of one map are told.
    private static let limit = 100

    private(set) var members: [DocumentMember] = []
    private var places: [String: Int] = [:]
    /// Findings: one for each key written again.
    private(set) var diagnostics: [Diagnostic] = []

    /// Whether a key is there.
    func has(_ key: String) -> Bool {
        // A dictionary pays only for big maps.
        places.isEmpty ? members.contains { $0.key == key } : places[key] != nil
    }

    /// Adds a member; the first of two with one key stays.
    mutating func add(_ member: DocumentMember) {
        guard !has(member.key) else {
            guard diagnostics.count < DocumentMapBuilder.limit else { return }
            let first = places[member.key].map { members[$0] } ?? members.first { $0.key == member.key }
            diagnostics.append(
                Diagnostic(
                    id: .duplicateKey, location: member.location, path: member.value.path.description,
                    message: "the key is written twice" + (first.map { ", first at line \($0.location.line)" } ?? ""),
                    hint: "keep one of them"))
            return
        }
        members.append(member)
        if members.count == 16 {
            for (index, member) in members.enumerated() { places[member.key] = index }
        } else if members.count > 16 {
            places[member.key] = members.count - 1
        }
    }
}
