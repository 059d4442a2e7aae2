/// Collects what is wrong with one object, and reads values with the right complaint when they have the wrong type.
struct Findings {
    /// How many findings of one object are told; the rest only count.
    static let limit = 100

    /// The findings told.
    private(set) var diagnostics: [Diagnostic] = []
    /// Errors, those not told included. An object with one is refused.
    private(set) var errors = 0
    /// What the object's regular expressions may still need.
    var regexes = RegexBudget()

    /// Whether further findings only count.
    var isFull: Bool { diagnostics.count >= Findings.limit }

    /// An error at a value.
    mutating func error(_ id: DiagnosticID, _ node: DocumentNode, _ message: String, _ hint: String = "") {
        error(id, at: node.location, path: node.path, message, hint)
    }

    /// An error at a place.
    mutating func error(
        _ id: DiagnosticID, at location: SourceLocation, path: DocumentPath, _ message: String, _ hint: String = ""
    ) {
        errors += 1
        guard !isFull else { return }
        diagnostics.append(
            Diagnostic(id: id, location: location, path: path.description, message: message, hint: hint))
    }

    /// A warning at a value.
    mutating func warn(_ id: DiagnosticID, _ node: DocumentNode, _ message: String, _ hint: String = "") {
        guard !isFull else { return }
        diagnostics.append(
            Diagnostic(
                id: id, severity: .warning, location: node.location, path: node.path.description, message: message,
                hint: hint))
    }

    /// A text. `nil` for no node, and with an error for anything else.
    mutating func string(_ node: DocumentNode?) -> String? {
        guard let node else { return nil }
        if let text = node.string { return text }
        let hint = node.scalar.map { "put it in quotes: \"\(DocumentNode.shortened($0.text))\"" } ?? "write text"
        error(.wrongType, node, "must be text, not \(node.kindInWords)", hint)
        return nil
    }

    /// An integer. `nil` for no node, and with an error for anything else.
    mutating func integer(_ node: DocumentNode?) -> Int64? {
        guard let node else { return nil }
        if let value = node.integer { return value }
        error(
            .wrongType, node, "must be a whole number, not \(node.kindInWords)",
            "write plain decimal digits without quotes")
        return nil
    }

    /// A boolean. `nil` for no node, and with an error for anything else.
    mutating func boolean(_ node: DocumentNode?) -> Bool? {
        guard let node else { return nil }
        if let value = node.boolean { return value }
        error(.wrongType, node, "must be true or false, not \(node.kindInWords)", "write true or false without quotes")
        return nil
    }

    /// The elements of a list. `nil` for no node, and with an error for anything else; an element that is null is an error.
    mutating func list(_ node: DocumentNode?) -> [DocumentNode]? {
        guard let node else { return nil }
        guard let elements = node.elements else {
            error(.wrongType, node, "must be a list, not \(node.kindInWords)", "write elements that begin with a dash")
            return nil
        }
        for element in elements where element.isNull {
            error(.wrongType, element, "an element of the list is empty", "write its value, or remove the dash")
        }
        return elements.filter { !$0.isNull }
    }

    /// A list as one of absent, empty, written; elements that do not decode are left out, each with its error.
    mutating func presence<Value>(
        _ node: DocumentNode?, _ decode: (DocumentNode, inout Findings) -> Value?
    ) -> Presence<[Value]> {
        guard let node, let elements = list(node) else { return .absent }
        if node.elements?.isEmpty == true { return .empty }
        return .some(elements.compactMap { decode($0, &self) })
    }

    /// A map of texts. Empty for no node, and with an error for anything else.
    mutating func texts(_ node: DocumentNode?) -> [String: String] {
        guard let node else { return [:] }
        guard let members = node.members else {
            error(.wrongType, node, "must be a map of text to text, not \(node.kindInWords)", "write key: value")
            return [:]
        }
        var result: [String: String] = [:]
        for member in members {
            if let text = string(member.value) { result[member.key] = text }
        }
        return result
    }

    /// Takes over the findings of a part.
    mutating func append(_ more: Findings) {
        errors += more.errors
        diagnostics += more.diagnostics.prefix(max(0, Findings.limit - diagnostics.count))
    }
}
