import NetTypes
import PolicyAPI

/// A distinct peer of the policies, compiled to symbols, with the remotes it matches once somebody has asked.
struct PeerTerm: Sendable {
    /// What it matches.
    enum Shape: Sendable {
        /// Pods by conditions on namespace and labels; with `reserved` also remotes that are no pods, if they have none of
        /// the wanted labels or the wanted `reserved:` ones (Cilium's selectors). With `otherNodes` these are asked of nodes other
        /// than the local one, over their labels.
        case selector([CompiledRequirement], reserved: Bool, otherNodes: [CompiledRequirement]? = nil)
        /// Nodes by conditions on their labels, reserved ones included.
        case nodes([CompiledRequirement])
        /// An entity.
        case entity(Entity)
        /// Addresses: numbers in `IdentityIndex.blocks` for pods and nodes (`nil`: they are never matched). The exceptions and their
        /// numbers are sorted.
        case addresses(IPPrefix, except: [IPPrefix], block: Int32?, exceptBlocks: [Int32])
    }

    /// What it matches.
    var shape: Shape
    /// The live remotes it matches, each once and in no order; `nil` while nobody has asked.
    var matches: [IdentityIndex.RemoteID]?
}

/// A condition of a selector, compiled to symbols.
struct CompiledRequirement: Sendable {
    /// Which label it is about.
    enum Target: Equatable, Sendable {
        /// A pod's (or, where nodes are selected, a node's) own label of this key (`none`: it has no such label), and a
        /// `reserved:` label of that key.
        case label(UInt32, reserved: UInt32)
        /// The name of a pod's namespace.
        case namespaceName
        /// A label of a pod's namespace.
        case namespaceLabel(UInt32)
        /// A pod's service account.
        case serviceAccount
        /// The name of the cluster; all pods and nodes have the same.
        case cluster
    }

    /// The label.
    var target: Target
    /// The operator.
    var `operator`: LabelRequirement.Operator
    /// Its values, sorted.
    var values: [UInt32]

    /// Whether a value (`SymbolTable.none`: absent) satisfies the condition.
    func accepts(_ value: UInt32) -> Bool {
        switch `operator` {
        case .isIn: value != SymbolTable.none && values.sortedContains(value)
        case .notIn: value == SymbolTable.none || !values.sortedContains(value)
        case .exists: value != SymbolTable.none
        case .doesNotExist: value == SymbolTable.none
        }
    }

    /// Whether it is about a label of a pod's namespace.
    var isAboutNamespaceLabel: Bool {
        switch target {
        case .namespaceLabel: true
        case .label, .namespaceName, .serviceAccount, .cluster: false
        }
    }

    /// Whether it is about a pod's namespace only.
    var isAboutNamespace: Bool {
        switch target {
        case .namespaceName, .namespaceLabel: true
        case .label, .serviceAccount, .cluster: false
        }
    }
}
