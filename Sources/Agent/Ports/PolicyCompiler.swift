public import BPFEmit
public import PolicyAPI
public import PolicyIR

/// Turns the objects in force into what the kernel should hold. Calls come one at a time.
public protocol PolicyCompiler {
    /// Compiles the node. Numbers given to identities earlier stay the same.
    func compile(_ inputs: DesiredInputs) throws -> CompiledNode
}

/// The result of a compilation.
public struct CompiledNode: Sendable {
    /// The desired state of the node.
    public var image: NodeImage
    /// The objects it was made from, the node itself among them.
    public var objects: ClusterObjects
    /// The policies that were compiled.
    public var policies: [LoweredPolicy]
    /// What the authors of the manifests should know.
    public var diagnostics: [Diagnostic]

    /// A compiled node.
    public init(
        image: NodeImage, objects: ClusterObjects, policies: [LoweredPolicy], diagnostics: [Diagnostic] = []
    ) {
        self.image = image
        self.objects = objects
        self.policies = policies
        self.diagnostics = diagnostics
    }
}
