/// A field selector: terms that are all met.
struct FieldSelector: Sendable {
    private var terms: [(field: String, value: String, isEqual: Bool)] = []

    /// The fields of Pods that may be asked for; every other kind has `metadata.name` and `metadata.namespace` alone.
    private static let podFields: Set<String> = [
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
        "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
    ]

    init(_ text: String, _ resource: APIResource) throws(APIStatus) {
        for term in text.split(separator: ",") {
            guard let sign = term.firstIndex(of: "=") else {
                throw .badRequest("invalid selector: '\(text)'; can't understand '\(term)'")
            }
            var field = term[..<sign]
            var value = term[term.index(after: sign)...]
            let isEqual = !field.hasSuffix("!")
            if !isEqual { field = field.dropLast() }
            if value.hasPrefix("=") { value = value.dropFirst() }
            let name = String(field)
            let isKnown =
                name == "metadata.name" || name == "metadata.namespace"
                || resource.kind == "Pod" && FieldSelector.podFields.contains(name)
            guard isKnown else { throw .badRequest("field label not supported: \(name)") }
            terms.append((name, String(value), isEqual))
        }
    }

    func matches(_ object: StoredObject) -> Bool {
        terms.allSatisfy { (object.field($0.field) == $0.value) == $0.isEqual }
    }

    /// Whether it asks for one value of a field.
    func requires(_ field: String) -> Bool { terms.contains { $0.field == field && $0.isEqual } }
}
