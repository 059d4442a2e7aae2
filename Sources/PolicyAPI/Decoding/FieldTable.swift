/// The fields of one type, each with what netpold does about it: what decides whether a policy is understood, and what
/// docs/reference/support-matrix.md and its tests are made from (`FieldTables`). What stands in no table cannot be overlooked:
/// it is an error in a policy, because a policy that is only half read allows or denies something else than it says.
struct FieldTable: Sendable {
    /// What becomes of a field.
    enum Treatment: Sendable {
        /// Read and meant.
        case enforced
        /// Has no meaning for traffic.
        case metadata
        /// Exists, but what it asks for is not done: the object is refused, unless the value asks for nothing.
        case refused(_ why: String, _ instead: String, unless: Exception?)
    }

    /// A value of a refused field that asks for nothing.
    struct Exception: Sendable {
        /// The value as one writes it.
        let value: String
        /// Whether a node is that value.
        let isMet: @Sendable (DocumentNode) -> Bool

        /// `[]`.
        static let emptyList = Exception(value: "[]") { $0.elements?.isEmpty == true }
    }

    /// Fields with one treatment.
    struct Row: Sendable {
        /// Their names.
        let names: [String]
        /// What becomes of them.
        let treatment: Treatment
        /// What a reader of the reference must know besides; empty if nothing.
        let note: String

        /// Fields that are read and meant.
        static func enforced(_ names: String..., note: String = "") -> Row { enforced(names, note: note) }

        /// Fields that are read and meant.
        static func enforced(_ names: [String], note: String = "") -> Row {
            Row(names: names, treatment: .enforced, note: note)
        }

        /// Fields without a meaning for traffic.
        static func metadata(_ names: String..., note: String = "") -> Row {
            Row(names: names, treatment: .metadata, note: note)
        }

        /// Fields that refuse their object: why, and what to do instead.
        static func refused(_ names: String..., why: String, instead: String, unless: Exception? = nil) -> Row {
            Row(names: names, treatment: .refused(why, instead, unless: unless), note: "")
        }
    }

    /// Where the type stands in an object, such as `spec.ingress[].ports[]`; all places, if it stands in several. Of Cilium's
    /// rules only `spec` is named, though they stand in `specs[]` too.
    let paths: [String]
    /// The fields in the order of the reference.
    let rows: [Row]
    private let fields: [String: Treatment]
    private let isPolicy: Bool

    /// The file and line of the declaration: a test finds tables that `FieldTables` forgets.
    let declaration: String

    /// The table of a type that belongs to a policy: unknown fields are errors.
    init(_ paths: String..., rows: [Row], file: String = #fileID, line: Int = #line) {
        self.init(paths: paths, rows: rows, file: file, line: line)
    }

    /// The table of a type that belongs to a policy: unknown fields are errors.
    init(paths: [String], rows: [Row], file: String = #fileID, line: Int = #line) {
        self.paths = paths
        self.rows = rows
        declaration = "\(file):\(line)"
        var fields: [String: Treatment] = [:]
        for row in rows {
            for name in row.names { fields[name] = row.treatment }
        }
        self.fields = fields
        isPolicy = true
    }

    private init() {
        paths = []
        rows = []
        declaration = ""
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
        case .refused(let why, let instead, let exception):
            // `null` is the same as nothing.
            guard !member.value.isNull, exception?.isMet(member.value) != true else { return }
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
