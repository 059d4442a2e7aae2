/// Collects the members of one map and reports repeated keys.
struct DocumentMapBuilder {
    /// How many repeated keys of one map are reported.
    private static let limit = 100

    private(set) var members: [DocumentMember] = []
    private var places: [String: Int] = [:]
    /// One for each repeated key.
    private(set) var diagnostics: [Diagnostic] = []
    /// Which of the values of a repeated key is kept: 0 is the first; the last where there are not so many.
    private let occurrence: Int
    /// By repeated key: how often it came so far.
    private var counts: [String: Int] = [:]

    init(occurrence: Int = 0) { self.occurrence = occurrence }

    /// How often the key came that came most often, among some.
    func mostOften(_ isCounted: (String) -> Bool) -> Int {
        counts.filter { isCounted($0.key) }.values.max() ?? (members.isEmpty ? 0 : 1)
    }

    /// Whether the map has a key.
    func has(_ key: String) -> Bool {
        // A dictionary is worth its cost only for big maps.
        places.isEmpty ? members.contains { $0.key == key } : places[key] != nil
    }

    /// Adds a member, or one more value of a repeated key.
    mutating func add(_ member: DocumentMember) {
        guard !has(member.key) else {
            let earlier = counts[member.key] ?? 1
            counts[member.key] = earlier + 1
            if earlier <= occurrence,
                let place = places[member.key] ?? members.firstIndex(where: { $0.key == member.key })
            {
                members[place] = member
            }
            guard diagnostics.count < DocumentMapBuilder.limit else { return }
            let first = places[member.key].map { members[$0] } ?? members.first { $0.key == member.key }
            diagnostics.append(
                Diagnostic(
                    id: .duplicateKey, location: member.location, path: member.value.path.description,
                    message: "duplicate key" + (first.map { ", first at line \($0.location.line)" } ?? ""),
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
