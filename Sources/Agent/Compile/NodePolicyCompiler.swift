import BPFEmit
public import PolicyIR

/// The compiler of the node, with the identity numbers it has given so far. Each change is compiled in place
/// (`CompilerState.apply`); only the first one, or one of the node's name, compiles everything.
public struct NodePolicyCompiler: PolicyCompiler {
    private var objects = ObjectTable()
    private var state: CompilerState?
    private let pinned: IdentityAllocator

    /// The numbers given so far.
    public var allocator: IdentityAllocator { state?.allocator ?? pinned }

    /// A compiler that goes on from these numbers: after a restart, those found in the kernel.
    public init(allocator: IdentityAllocator = IdentityAllocator()) {
        pinned = allocator
    }

    /// Takes the changes over and compiles.
    public mutating func compile(_ desired: DesiredChanges) throws -> CompiledNode {
        for change in desired.changes { objects.apply(change) }
        if state?.localNode == desired.node {
            _ = state?.apply(desired.changes)
        } else {
            state = nil
        }
        let current = state ?? compileAll(desired.node)
        state = current
        return CompiledNode(
            image: current.image, objects: objects, node: desired.node, diagnostics: current.diagnostics)
    }

    private func compileAll(_ node: String) -> CompilerState {
        CompilerState(
            objects.written, standIns: objects.isolating, localNode: node, ownAddresses: objects.ownAddresses,
            allocator: allocator)
    }
}
