public import PolicyAPI
public import PolicyIR

/// Compiles a cluster to what one node's kernel should hold.
public enum NodeCompiler {
    /// The image of a node.
    ///
    /// - Parameters:
    ///   - objects: the cluster.
    ///   - policies: `PolicyLowering.lower(objects, for: .enforcement).policies`.
    ///   - localNode: the node; pods without a node name are local too. `nil`: `defaultNode`.
    ///   - allocator: the numbers given before; they stay, and new ones are added.
    ///   - host: whether the node's own policies are compiled too.
    ///   - formerHost: those that the node goes back to; `nil`: none.
    /// - Returns: what the kernel of the node should hold.
    public static func compile(
        _ objects: ClusterObjects, policies: [LoweredPolicy], localNode: String? = nil,
        allocator: inout IdentityAllocator, host: Bool = false, formerHost: [LoweredPolicy]? = nil
    ) -> NodeImage {
        var state = CompilerState(objects, policies: policies, localNode: localNode, allocator: allocator)
        if host { state.compileHost() }
        state.setFormerHost(formerHost)
        allocator = state.allocator
        return state.image
    }

    /// The node when none is given; the same as the evaluator's.
    public static func defaultNode(of objects: ClusterObjects) -> String { ClusterView.defaultNode(of: objects) }
}
