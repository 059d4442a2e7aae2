import PolicyAPI
import PolicyAnalysis

/// Checks what arguments name against what the manifests hold.
enum Named {
    /// A mistyped node would silently have no pods, and `host` would be nobody: it must be one that an object names.
    ///
    /// - Returns: what is wrong, and which nodes there are; `nil` for a node that there is, or where objects name none.
    static func mistake(node: String?, in objects: ClusterObjects) -> String? {
        guard let node else { return nil }
        let known = Set(objects.nodes.map(\.metadata.name) + objects.pods.map(\.nodeName)).subtracting([""])
        guard !known.isEmpty, !known.contains(node) else { return nil }
        return "no object names a node \(node)\(NameHint.text(node, known.sorted(), noun: "nodes"))"
    }
}
