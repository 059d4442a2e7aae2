import PolicyAPI

/// Says what somebody may have meant who named something that is not there.
public enum NameHint {
    /// `; did you mean shop/web?`, else `; pods: ...` with the first few.
    public static func text(_ wanted: String, _ names: [String], noun: String) -> String {
        if names.isEmpty { return "; the manifests name no \(noun)" }
        if let near = Spelling.nearest(to: wanted, among: names) { return "; did you mean \(near)?" }
        // A pod's name without its namespace, or with another.
        let bare = wanted.split(separator: "/").last.map(String.init) ?? wanted
        let inside = names.filter { $0.hasSuffix("/\(bare)") }
        if !inside.isEmpty { return "; did you mean \(inside.prefix(8).joined(separator: " or "))?" }
        // A workload's name in place of one of its pods.
        let replicas = names.filter { $0.hasPrefix("\(wanted)-") || $0.contains("/\(wanted)-") }
        if !replicas.isEmpty { return "; did you mean \(replicas.prefix(8).joined(separator: " or "))?" }
        return "; \(noun): " + names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", ..." : "")
    }
}
