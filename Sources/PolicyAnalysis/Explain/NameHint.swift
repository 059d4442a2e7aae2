import PolicyAPI
import Support

/// Says what somebody may have meant who named something that is not there.
public enum NameHint {
    /// `; did you mean shop/web?`, else `; pods: ...` with the first few. Names are of manifests, so they are written printable.
    public static func text(_ wanted: String, _ names: [String], noun: String) -> String {
        if names.isEmpty { return "; the manifests name no \(noun)" }
        let (names, isCut) = found(wanted, names)
        let shown = names.map(PrintableName.of)
        return isCut == nil
            ? "; did you mean \(shown.joined(separator: " or "))?"
            : "; \(noun): " + shown.joined(separator: ", ") + (isCut == true ? ", ..." : "")
    }

    /// The names that may have been meant; else the first few, with whether there are more.
    private static func found(_ wanted: String, _ names: [String]) -> (names: [String], isCut: Bool?) {
        if let near = near(wanted, names) { return ([near], nil) }
        // A pod's name without its namespace, or with another.
        let bare = wanted.split(separator: "/").last.map(String.init) ?? wanted
        let inside = names.filter { $0.hasSuffix("/\(bare)") }
        if !inside.isEmpty { return (Array(inside.prefix(8)), nil) }
        // A workload's name in place of one of its pods.
        let replicas = names.filter { $0.hasPrefix("\(wanted)-") || $0.contains("/\(wanted)-") }
        if !replicas.isEmpty { return (Array(replicas.prefix(8)), nil) }
        return (Array(names.prefix(8)), names.count > 8)
    }

    /// The nearest name. Where the namespace is one that there is, its letters say nothing of how near the rest is.
    private static func near(_ wanted: String, _ names: [String]) -> String? {
        guard let slash = wanted.firstIndex(of: "/") else { return Spelling.nearest(to: wanted, among: names) }
        let namespace = wanted[...slash]
        let inside = names.filter { $0.hasPrefix(namespace) }
        guard !inside.isEmpty else { return Spelling.nearest(to: wanted, among: names) }
        let bare = inside.map { String($0.dropFirst(namespace.count)) }
        return Spelling.nearest(to: String(wanted[slash...].dropFirst()), among: bare).map { namespace + $0 }
    }
}
