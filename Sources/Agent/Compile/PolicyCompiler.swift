public import BPFEmit
public import PolicyAPI
public import PolicyIR

/// Turns what is in force into what the kernel should hold.
public protocol PolicyCompiler {
    /// Takes the changes over and compiles. Also when it throws, the changes are taken over: they do not come again.
    /// Numbers given to identities earlier stay the same.
    mutating func compile(_ desired: DesiredChanges) throws -> CompiledNode
}

/// The result of a compilation.
public struct CompiledNode: Sendable {
    /// The desired state of the node.
    public var image: NodeImage
    /// What it was made from.
    public var objects: ObjectTable
    /// Name of the node.
    public var node: String
    /// What the authors of the policies should know.
    public var diagnostics: [Diagnostic]
    /// The policies that are not in force as written, and why.
    public var notAsWritten: [ObjectKey: [Diagnostic]]
    /// Those of them for whose prefixes there is no room, and what is in force in their places.
    public var withoutRoom: [ObjectKey: LoweredPolicies]
    /// What the node does about Services.
    public var services: ServiceSettings
    /// What the columns of names stand for.
    public var columns: NameColumns

    /// A compiled node.
    public init(
        image: NodeImage, objects: ObjectTable, node: String, diagnostics: [Diagnostic] = [],
        notAsWritten: [ObjectKey: [Diagnostic]] = [:], withoutRoom: [ObjectKey: LoweredPolicies] = [:],
        services: ServiceSettings = ServiceSettings(mode: .translate), columns: NameColumns = NameColumns()
    ) {
        self.image = image
        self.objects = objects
        self.node = node
        self.diagnostics = diagnostics
        self.notAsWritten = notAsWritten
        self.withoutRoom = withoutRoom
        self.services = services
        self.columns = columns
    }

    /// What the policies mean, for explanations and comparisons. Costs about as much as a full compile.
    public func makeEvaluator() -> ReferenceEvaluator {
        let cluster = objects.cluster(node: node)
        return ReferenceEvaluator(
            cluster, policies: lower(cluster).policies, localNode: node, serviceSettings: services)
    }

    /// The policies in force, of a cluster that has those of `objects`.
    public func lower(_ cluster: ClusterObjects) -> LoweredPolicies { objects.lower(cluster, withoutRoom: withoutRoom) }
}
