import ArgumentParser
import PolicyAPI
import Support

/// Checks what arguments name against what the manifests hold.
enum Named {
    /// A mistyped node would silently have no pods, and `host` would be nobody: it must be one that an object names.
    ///
    /// - Throws: exit code 2 after saying which nodes there are.
    static func check(node: String?, in objects: ClusterObjects) throws {
        guard let node else { return }
        let known = Set(objects.nodes.map(\.metadata.name) + objects.pods.map(\.nodeName)).subtracting([""])
        guard !known.isEmpty, !known.contains(node) else { return }
        ErrorOutput.error("no object names a node \(node)\(hint(node, known.sorted(), noun: "nodes"))")
        throw ExitCode.badInput
    }

    /// `; did you mean shop/web?`, else `; pods: ...` with the first few.
    static func hint(_ wanted: String, _ names: [String], noun: String) -> String {
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
