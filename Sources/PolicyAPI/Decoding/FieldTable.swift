/// The fields of one type and how netpold handles each. Decides whether a policy is understood, and is the source of
/// docs/reference/support-matrix.md and its tests (`FieldTables`). A field that is in no table is an error in a policy: a
/// policy that is only half read allows or denies something other than what it says.
struct FieldTable: Sendable {
    /// How a field is handled.
    enum Treatment: Sendable {
        /// Read and enforced.
        case enforced
        /// Has no effect on traffic.
        case metadata
        /// Exists, but is not implemented: the object is refused, unless the value requires nothing.
        case refused(_ why: String, _ instead: String, unless: Exception?)
    }

    /// A value of a refused field that is accepted because it requires nothing.
    struct Exception: Sendable {
        /// The value as written in a manifest.
        let value: String
        /// Whether a node is that value.
        let isMet: @Sendable (DocumentNode) -> Bool

        /// `[]`.
        static let emptyList = Exception(value: "[]") { $0.elements?.isEmpty == true }
    }

    /// Fields that are handled alike.
    struct Row: Sendable {
        /// Their names.
        let names: [String]
        /// How they are handled.
        let treatment: Treatment
        /// A remark for the reference page; empty for none.
        let note: String

        /// Fields that are read and enforced.
        static func enforced(_ names: String..., note: String = "") -> Row { enforced(names, note: note) }

        /// Fields that are read and enforced.
        static func enforced(_ names: [String], note: String = "") -> Row {
            Row(names: names, treatment: .enforced, note: note)
        }

        /// Fields without an effect on traffic.
        static func metadata(_ names: String..., note: String = "") -> Row {
            Row(names: names, treatment: .metadata, note: note)
        }

        /// Fields that cause their object to be refused: why, and what to do instead.
        static func refused(_ names: String..., why: String, instead: String, unless: Exception? = nil) -> Row {
            Row(names: names, treatment: .refused(why, instead, unless: unless), note: "")
        }
    }

    /// The paths of the type in an object, such as `spec.ingress[].ports[]`. For Cilium's rules only `spec` is listed, though
    /// they are allowed in `specs[]` too.
    let paths: [String]
    /// The fields in the order of the reference page.
    let rows: [Row]
    private let fields: [String: Treatment]
    private let isPolicy: Bool

    /// The file and line of the declaration: a test finds tables missing from `FieldTables`.
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

    /// The table of types that are not policies: unknown fields are ignored.
    static let lenient = FieldTable()

    /// The fields of a map. Reports every error in its keys; `nil` with an error when it is not a map.
    func read(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> Fields? {
        guard let members = node.members else {
            diagnostics.error(.wrongType, node, "must be a map, not \(node.kindDescription)", "write key: value")
            return nil
        }
        if isPolicy {
            for member in members { check(member, of: node, &diagnostics) }
        }
        return Fields(node: node, members: members)
    }

    private func check(_ member: DocumentMember, of node: DocumentNode, _ diagnostics: inout DiagnosticCollector) {
        switch fields[member.key] {
        case .enforced, .metadata: break
        case .refused(let why, let instead, let exception):
            // `null` is the same as absent.
            guard !member.value.isNull, exception?.isMet(member.value) != true else { return }
            diagnostics.error(.unsupportedField, at: member.location, path: member.value.path, why, instead)
        case nil:
            // No need to search for the nearest name of a diagnostic that is not kept.
            let hint = diagnostics.isFull ? "" : hint(for: member)
            diagnostics.error(
                .unknownField, at: member.location, path: member.value.path, "unknown field", hint)
            diagnostics.expectFollowUps(of: node)
        }
    }

    /// What to write in place of an unknown field: a near name, or where it belongs.
    private func hint(for member: DocumentMember) -> String {
        let known = fields.keys.sorted()
        if let meant = Spelling.meant(by: member.key, among: known) { return "did you mean \"\(meant)\"?" }
        let place = FieldPath(of: member)
        switch member.key {
        case "matchLabels", "matchExpressions":
            if let selector = known.first(where: { $0.hasSuffix("odSelector") || $0 == "endpointSelector" }) {
                return "write it below \(selector): \(selector): {\(member.key): ...}"
            }
        case "ports" where known.contains("ipBlock"):
            return "it belongs beside the list of peers, one level up"
        case "fromNamespaces", "toNamespaces", "namespaceSelector", "podSelector", "namespaces", "pods":
            if let hint = ciliumHint(for: member.key, at: place, known) { return hint }
        default:
            if known.contains("matchLabels"), member.value.string != nil {
                return "a label is written below matchLabels: matchLabels: {\(member.key): ...}"
            }
        }
        return placeHint(for: member.key, at: place) ?? "the fields here are \(known.joined(separator: ", "))"
    }

    /// How a Cilium policy selects what other policies select by a field of this name.
    private func ciliumHint(for key: String, at place: FieldPath, _ known: [String]) -> String? {
        let label = "k8s:io.kubernetes.pod.namespace"
        let isOfPods = key == "podSelector" || key == "pods"
        if let list = known.first(where: { $0 == "fromEndpoints" || $0 == "toEndpoints" }) {
            return isOfPods
                ? "pods are selected by their labels: \(list): [{matchLabels: ...}]"
                : "namespaces are selected by a label: \(list): [{matchLabels: {\(label): NAME}}]"
        }
        guard place.steps.contains(where: { $0 == "fromEndpoints[]" || $0 == "toEndpoints[]" }) else { return nil }
        return isOfPods
            ? "this is a selector of pods: write matchLabels here"
            : "a namespace is selected by a label: matchLabels: {\(label): NAME}"
    }

    /// Where a field belongs that another type around this one has, or one inside of it.
    private func placeHint(for key: String, at place: FieldPath) -> String? {
        let sections = FieldTables.sections
        let own = sections.first { $0.tables.contains { $0.declaration == declaration } }
        let isSelector = declaration == LabelSelector.table.declaration
        let tables = isSelector ? sections.flatMap(\.tables) : own?.tables ?? []
        for level in place.steps.indices {
            let outer = place.steps.dropLast(level + 1).joined(separator: ".")
            let field = place.steps[place.steps.count - 1 - level].replacing("[]", with: "")
            let holds = tables.contains {
                $0.paths.contains(outer) && $0.fields[key] != nil && $0.fields[field] != nil
            }
            if holds { return "it belongs beside \(field), \(level == 0 ? "one level" : "\(level + 1) levels") up" }
        }
        let start = place.steps.isEmpty ? "" : place.steps.joined(separator: ".") + "."
        let inside = (own?.tables ?? []).filter { $0.fields[key] != nil }.flatMap(\.paths)
            .filter { $0.hasPrefix(start) && !$0.dropFirst(start.count).contains(".") && $0.count > start.count }
            .map { $0.dropFirst(start.count) }
        guard let first = inside.first else { return nil }
        if first.hasSuffix("[]") {
            let lists = inside.map { $0.replacing("[]", with: "") }
            return "it belongs below an element of \(lists.joined(separator: " or "))"
        }
        return "it belongs below \(first)"
    }
}

/// The path of a map in an object as field tables write it: without the places in lists, and with `spec` for an element of `specs`.
private struct FieldPath {
    /// Its steps: `spec`, `ingress[]`.
    let steps: [String]

    /// The map that has a field.
    init(of member: DocumentMember) {
        var text = ""
        var isInBrackets = false
        for character in member.value.path.description {
            if character == "]" { isInBrackets = false }
            if !isInBrackets { text.append(character) }
            if character == "[" { isInBrackets = true }
        }
        var steps = text.split(separator: ".").dropLast().map(String.init)
        if steps.first == "specs[]" { steps[0] = "spec" }
        self.steps = steps
    }
}

/// The fields of one map. A field that is `null` counts as absent.
struct Fields {
    /// The map.
    let node: DocumentNode
    fileprivate let members: [DocumentMember]

    /// A field that is written without a value.
    func null(_ name: String) -> DocumentNode? {
        members.first { $0.key == name && $0.value.isNull }?.value
    }

    /// The value of a field, `nil` when it is absent or `null`.
    subscript(name: String) -> DocumentNode? {
        guard let value = members.first(where: { $0.key == name })?.value, !value.isNull else { return nil }
        return value
    }
}
