@testable import PolicyAPI

/// One place where a field table applies, and manifests that have a field there and nothing else that is wrong.
struct FieldPlace: CustomStringConvertible {
    let kind: KnownKind
    let path: String
    let table: FieldTable

    /// Every place of every table.
    static let all = FieldTables.sections.flatMap { section in
        section.kinds.flatMap { kind in
            section.tables.flatMap { table in
                table.paths.map { FieldPlace(kind: kind, path: $0, table: table) }
            }
        }
    }

    var description: String { "\(kind.rawValue) \(path)" }

    /// Path of a field in a diagnostic: of the first elements of lists.
    func diagnosticPath(_ field: String) -> String {
        (path.isEmpty ? "" : path.replacing("[]", with: "[0]") + ".") + field
    }

    /// A manifest with a field at this place; without one, the same manifest without it. The field is written last: nothing
    /// else changes its line or column.
    func manifest(_ field: (name: String, value: String)?) -> String {
        map(at: "", toward: path.split(separator: ".").map(String.init)[...], field) + "\n"
    }

    /// A diagnostic with one of the ids about a field here.
    func diagnostic(_ ids: Set<DiagnosticID>, about field: String, in decoded: DecodedManifests) -> Diagnostic? {
        decoded.diagnostics.first { ids.contains($0.id) && $0.path == diagnosticPath(field) }
    }

    private func map(at place: String, toward steps: ArraySlice<String>, _ field: (name: String, value: String)?)
        -> String
    {
        var last = field.map { [$0] } ?? []
        if let step = steps.first {
            let inner = map(at: place.isEmpty ? step : "\(place).\(step)", toward: steps.dropFirst(), field)
            let name = step.replacing("[]", with: "")
            last = [(name, step == name ? inner : "[\(inner)]")]
        }
        let members = required(place).filter { $0.name != last.first?.name } + last
        return "{" + members.map { "\($0.name): \($0.value)" }.joined(separator: ", ") + "}"
    }

    /// What a map must have for its object to be accepted.
    private func required(_ place: String) -> [(name: String, value: String)] {
        switch place {
        case "":
            ["apiVersion", "kind", "metadata", "spec"].map { name in
                switch name {
                case "apiVersion": (name, kind.apiVersions[0])
                case "kind": (name, kind.rawValue)
                default: (name, map(at: name, toward: [], nil))
                }
            }
        case "metadata": [("name", kind == .baselineAdminNetworkPolicy ? "default" : "p")]
        case "spec": requiredInSpec
        case "spec.ingress[]", "spec.egress[]": requiredInRule(place)
        // A header without a name is not read on.
        case _ where place.hasSuffix("headerMatches[]"): [("name", "x")]
        default: []
        }
    }

    private var requiredInSpec: [(name: String, value: String)] {
        let subject = (name: "subject", value: "{namespaces: {}}")
        let priority = (name: "priority", value: "1")
        return switch kind {
        case .ciliumNetworkPolicy, .ciliumClusterwideNetworkPolicy: [("endpointSelector", "{}"), ("ingress", "[{}]")]
        case .ciliumCIDRGroup: [("externalCIDRs", "[]")]
        case .clusterNetworkPolicy: [("tier", "Admin"), priority, subject]
        case .adminNetworkPolicy: [priority, subject]
        case .baselineAdminNetworkPolicy: [subject]
        default: []
        }
    }

    private func requiredInRule(_ place: String) -> [(name: String, value: String)] {
        guard let cluster = ClusterPolicy.Kind(rawValue: kind.rawValue) else { return [] }
        return [
            ("action", cluster.actions[0].name),
            (place.hasPrefix("spec.ingress") ? "from" : "to", "[{namespaces: {}}]"),
        ]
    }
}
