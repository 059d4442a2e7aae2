/// Collects the diagnostics of one object, and reads values, with an error when they have the wrong type.
struct DiagnosticCollector {
    /// How many diagnostics of one object are kept; the rest are only counted.
    static let limit = 100

    /// The diagnostics that are kept.
    private(set) var collected: [Diagnostic] = []
    /// The number of errors, including those not kept. An object with one is refused.
    private(set) var errorCount = 0
    /// What is left of the object's budget for regular expressions.
    var regexes = RegexBudget()

    /// Maps in which a field is misspelt or misplaced, by their paths: what is missing there is most likely that field.
    private var mistaken: Set<String> = []

    /// Whether further diagnostics are only counted.
    var isFull: Bool { collected.count >= DiagnosticCollector.limit }

    /// Reports an error at a value.
    mutating func error(_ id: DiagnosticID, _ node: DocumentNode, _ message: String, _ hint: String = "") {
        error(id, at: node.location, path: node.path, message, hint)
    }

    /// Reports an error at a location.
    mutating func error(
        _ id: DiagnosticID, at location: SourceLocation, path: DocumentPath, _ message: String, _ hint: String = ""
    ) {
        errorCount += 1
        guard !isFull, !isFollowUp(id, path) else { return }
        collected.append(
            Diagnostic(id: id, location: location, path: path.description, message: message, hint: hint))
    }

    /// A field of this map is unknown, as has been reported: one error with its fix, not a second one for what is missing without it.
    mutating func expectFollowUps(of map: DocumentNode) {
        if !isFull { mistaken.insert(map.path.description) }
    }

    /// Whether a diagnostic only says what an unknown field has led to. It counts all the same.
    private func isFollowUp(_ id: DiagnosticID, _ path: DocumentPath) -> Bool {
        (id == .missingField || id == .noEffect) && !mistaken.isEmpty && mistaken.contains(path.description)
    }

    /// Reports a warning at a value.
    mutating func warn(_ id: DiagnosticID, _ node: DocumentNode, _ message: String, _ hint: String = "") {
        guard !isFull, !isFollowUp(id, node.path) else { return }
        collected.append(
            Diagnostic(
                id: id, severity: .warning, location: node.location, path: node.path.description, message: message,
                hint: hint))
    }

    /// A string. `nil` for no node, and with an error for anything else.
    mutating func string(_ node: DocumentNode?) -> String? {
        guard let node else { return nil }
        if let text = node.string { return text }
        let hint = node.scalar.map { "quote it: \"\(DocumentNode.shortened($0.text))\"" } ?? "write a string"
        error(.wrongType, node, "must be a string, not \(node.kindDescription)", hint)
        return nil
    }

    /// An integer. `nil` for no node, and with an error for anything else.
    mutating func integer(_ node: DocumentNode?) -> Int64? {
        guard let node else { return nil }
        if let value = node.integer { return value }
        error(
            .wrongType, node, "must be a whole number, not \(node.kindDescription)",
            "write decimal digits without quotes")
        return nil
    }

    /// A boolean. `nil` for no node, and with an error for anything else.
    mutating func boolean(_ node: DocumentNode?) -> Bool? {
        guard let node else { return nil }
        if let value = node.boolean { return value }
        error(
            .wrongType, node, "must be true or false, not \(node.kindDescription)", "write true or false without quotes"
        )
        return nil
    }

    /// The elements of a list. `nil` for no node, and with an error for anything else; an element that is null is an error.
    mutating func list(_ node: DocumentNode?) -> [DocumentNode]? {
        guard let node else { return nil }
        guard let elements = node.elements else {
            error(
                .wrongType, node, "must be a list, not \(node.kindDescription)", "start each element with a dash"
            )
            return nil
        }
        for element in elements where element.isNull {
            error(.wrongType, element, "an element of the list is empty", "write its value, or remove the dash")
        }
        return elements.filter { !$0.isNull }
    }

    /// A list as absent, empty or filled; elements that cannot be decoded are left out, each with its error.
    mutating func presence<Value>(
        _ node: DocumentNode?, _ decode: (DocumentNode, inout DiagnosticCollector) -> Value?
    ) -> Presence<[Value]> {
        guard let node, let elements = list(node) else { return .absent }
        if node.elements?.isEmpty == true { return .empty }
        return .some(elements.compactMap { decode($0, &self) })
    }

    /// A map of strings. Empty for no node, and with an error for anything else.
    mutating func texts(_ node: DocumentNode?) -> [String: String] {
        guard let node else { return [:] }
        guard let members = node.members else {
            error(.wrongType, node, "must be a map of strings, not \(node.kindDescription)", "write key: value")
            return [:]
        }
        var result: [String: String] = [:]
        for member in members {
            if let text = string(member.value) { result[member.key] = text }
        }
        return result
    }

    /// Appends the diagnostics of a part.
    mutating func append(_ more: DiagnosticCollector) {
        errorCount += more.errorCount
        mistaken.formUnion(more.mistaken)
        collected += more.collected.prefix(max(0, DiagnosticCollector.limit - collected.count))
    }
}
