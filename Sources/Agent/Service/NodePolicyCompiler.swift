import BPFEmit
import NetTypes
import PolicyAPI
public import PolicyIR
import Synchronization

/// The compiler of the node, with the identity numbers it has given so far.
public final class NodePolicyCompiler: PolicyCompiler {
    private let allocator: Mutex<IdentityAllocator>

    /// A compiler that goes on from these numbers: after a restart, those found in the kernel.
    public init(allocator: IdentityAllocator = IdentityAllocator()) {
        self.allocator = Mutex(allocator)
    }

    /// Lowers and compiles.
    public func compile(_ inputs: DesiredInputs) throws -> CompiledNode {
        let objects = NodePolicyCompiler.objectsWithNode(inputs)
        var lowered = PolicyLowering.lower(objects, for: .enforcement)
        lowered.policies += inputs.isolating
        return allocator.withLock { allocator in
            let state = CompilerState(
                objects, policies: lowered.policies, localNode: inputs.node, allocator: allocator)
            allocator = state.allocator
            return CompiledNode(
                image: state.image, objects: objects, policies: lowered.policies,
                diagnostics: (lowered.diagnostics + state.diagnostics).sorted())
        }
    }

    /// The objects, with the addresses that the node really has among those of its Node object.
    static func objectsWithNode(_ inputs: DesiredInputs) -> ClusterObjects {
        var objects = inputs.objects
        let own = inputs.nodeAddresses.filter(\.canNameNode)
        if let index = objects.nodes.firstIndex(where: { $0.metadata.name == inputs.node }) {
            let known = Set(objects.nodes[index].addresses)
            objects.nodes[index].addresses += own.filter { !known.contains($0) }
        } else {
            objects.nodes.append(Node(metadata: ObjectMeta(name: inputs.node), addresses: own))
        }
        return objects
    }
}

extension IPAddress {
    /// Whether the address may name the node to a pod: neither loopback nor unspecified. Link-local ones may: a pod
    /// reaches its node by them.
    var canNameNode: Bool {
        if let ipv4 { return ipv4 != 0 && ipv4 >> 24 != 127 }
        return high != 0 || low > 1
    }
}
