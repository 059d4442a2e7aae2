import BPFEmit
public import PolicyIR

/// The compiler of the node, with the identity numbers it has given so far.
///
/// Pods are taken in and out in place; any other change is a full compile.
public struct NodePolicyCompiler: PolicyCompiler {
    private var objects = ObjectTable()
    private var lowered = LoweredPolicies()
    private var state: CompilerState?
    /// The numbers given so far.
    public private(set) var allocator: IdentityAllocator

    /// A compiler that goes on from these numbers: after a restart, those found in the kernel.
    public init(allocator: IdentityAllocator = IdentityAllocator()) {
        self.allocator = allocator
    }

    /// Takes the changes over and compiles.
    public mutating func compile(_ desired: DesiredChanges) throws -> CompiledNode {
        for change in desired.changes { objects.apply(change) }
        let state = changed(by: desired) ?? compileAll(desired.node)
        allocator = state.allocator
        self.state = state
        return CompiledNode(
            image: state.image, objects: objects, node: desired.node,
            diagnostics: (lowered.diagnostics + state.diagnostics).sorted())
    }

    /// The state with the changes taken over; `nil` where that takes a full compile.
    private mutating func changed(by desired: DesiredChanges) -> CompilerState? {
        guard var state, state.localNode == desired.node else { return nil }
        // There is one owner only, so it is changed in place.
        self.state = nil
        return desired.changes.allSatisfy { state.take($0) } ? state : nil
    }

    private mutating func compileAll(_ node: String) -> CompilerState {
        let cluster = objects.cluster(node: node)
        lowered = objects.lower(cluster)
        return CompilerState(cluster, policies: lowered.policies, localNode: node, allocator: allocator)
    }
}

extension CompilerState {
    /// Takes a change over in place; false for one that it cannot.
    fileprivate mutating func take(_ change: ObjectChange) -> Bool {
        switch change {
        case .upsert(.pod(let pod)):
            _ = apply(pod)
            return true
        case .delete(let key) where key.objectKind == .pod:
            _ = remove(podNamed: key.name, in: key.namespace)
            return true
        case .upsert, .delete, .standIns, .name, .ownAddresses: return false
        }
    }
}
