import BPFEmit
import PolicyAPI
public import PolicyIR

/// The compiler of the node, with the identity numbers it has given so far. Each change is compiled in place
/// (`CompilerState.apply`); only the first one, or one of the node's name, compiles everything.
public struct NodePolicyCompiler: PolicyCompiler {
    private var objects = ObjectTable()
    private var state: CompilerState?
    private let pinned: IdentityAllocator
    private let services: ServiceSettings
    private let host: Bool
    private let prefixLimit: Int?
    /// The node's policies that the kernel may go back to, while changes of them are to be confirmed.
    private var former: FormerHostPolicies?

    /// The numbers given so far.
    public var allocator: IdentityAllocator { state?.allocator ?? pinned }

    /// A compiler that goes on from these numbers: after a restart, those found in the kernel.
    /// With `host` the node's own policies are compiled too, with `former` those that they go back to. `prefixLimit` as in
    /// `CompilerState.init`.
    public init(
        allocator: IdentityAllocator = IdentityAllocator(),
        services: ServiceSettings = ServiceSettings(mode: .translate), host: Bool = false,
        former: FormerHostPolicies? = nil, prefixLimit: Int? = nil
    ) {
        self.former = former
        pinned = allocator
        self.services = services
        self.host = host
        self.prefixLimit = prefixLimit
    }

    /// Takes the changes over and compiles.
    public mutating func compile(_ desired: DesiredChanges) throws -> CompiledNode {
        for change in desired.changes { objects.apply(change) }
        var current: CompilerState
        if var known = state, known.localNode == desired.node {
            // There is one owner only, so it is changed in place.
            state = nil
            _ = known.apply(desired.changes)
            current = known
        } else {
            current = CompilerState(
                objects.written, standIns: objects.isolating, localNode: desired.node,
                ownAddresses: objects.ownAddresses, allocator: allocator, serviceSettings: services,
                prefixLimit: prefixLimit)
            if host { current.compileHost() }
        }
        former?.choose(desired.host, in: &current)
        state = current
        let idle = current.hasIdleHostPolicies ? [NodePolicyCompiler.idleHostPolicies] : []
        return CompiledNode(
            image: try current.image.adding(desired.stubs, node: objects.addresses(ofNode: desired.node)),
            objects: objects, node: desired.node, diagnostics: current.diagnostics + idle,
            notAsWritten: current.notAsWritten, withoutRoom: current.withoutRoom, services: services,
            columns: current.allocator.columns)
    }

    private static let idleHostPolicies = Diagnostic(
        id: .hostPolicy, severity: .warning, location: nil,
        message: "policies with nodeSelector select this node, and host policies are off: the node is open",
        hint: "start the agent with --host-policy audit, then enforce")
}
