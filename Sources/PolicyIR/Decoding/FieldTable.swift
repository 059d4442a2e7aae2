/// The fields of one type, each with what netpold does about it. What stands in no table cannot be overlooked: it is an
/// error in a policy, because a policy that is only half read allows or denies something else than it says.
struct FieldTable {
    /// What becomes of a field.
    enum Treatment {
        /// Read and meant.
        case enforced
        /// Has no meaning for traffic.
        case metadata
        /// Exists, but what it asks for is not done: the object is refused.
        case refused(_ why: String, _ instead: String)
    }

    private let fields: [String: Treatment]
    private let isPolicy: Bool

    /// The table of a type that belongs to a policy: unknown fields are errors.
    init(
        enforced: [String], metadata: [String] = [], refused: [String: (why: String, instead: String)] = [:]
    ) {
        var fields: [String: Treatment] = [:]
        for name in enforced { fields[name] = .enforced }
        for name in metadata { fields[name] = .metadata }
        for (name, text) in refused { fields[name] = .refused(text.why, text.instead) }
        self.fields = fields
        isPolicy = true
    }

    private init() {
        fields = [:]
        isPolicy = false
    }

    /// The table of types that are no policies: what is not asked for is not looked at.
    static let lenient = FieldTable()

    /// The fields of a map. Tells everything that is wrong with its keys; `nil` with an error when it is no map.
    func read(_ node: DocumentNode, _ findings: inout Findings) -> Fields? {
        guard let members = node.members else {
            findings.error(.wrongType, node, "must be a map, not \(node.kindInWords)", "write key: value")
            return nil
        }
        if isPolicy {
            for member in members { check(member, &findings) }
        }
        return Fields(node: node, members: members)
    }

    private func check(_ member: DocumentMember, _ findings: inout Findings) {
        switch fields[member.key] {
        case .enforced, .metadata: break
        case .refused(let why, let instead):
            // `null` is the same as nothing.
            guard !member.value.isNull else { return }
            findings.error(.unsupportedField, at: member.location, path: member.value.path, why, instead)
        case nil:
            // What is not told needs no search for the nearest name.
            let known = findings.isFull ? [] : fields.keys.sorted()
            let hint =
                Spelling.nearest(to: member.key, among: known).map { "did you mean \"\($0)\"?" }
                ?? "the fields here are \(known.joined(separator: ", "))"
            findings.error(.unknownField, at: member.location, path: member.value.path, "the field is not known", hint)
        }
    }
}

/// The fields of one map. A field that is `null` counts as not written.
struct Fields {
    /// The map.
    let node: DocumentNode
    fileprivate let members: [DocumentMember]

    /// The value of a field, `nil` when it is not written or `null`.
    subscript(name: String) -> DocumentNode? {
        guard let value = members.first(where: { $0.key == name })?.value, !value.isNull else { return nil }
        return value
    }
}
