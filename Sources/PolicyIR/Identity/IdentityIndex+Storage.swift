import NetTypes
import PolicyAPI

extension IdentityIndex {
    /// A label, both sides as symbols.
    struct LabelPair: Hashable, Sendable {
        var key: UInt32
        var value: UInt32
    }

    /// A named container port.
    struct NamedPort: Hashable, Sendable {
        var name: UInt32
        var `protocol`: L4Protocol
        var number: UInt16

        /// Protocol and number as one symbol of a class's key.
        var packed: UInt32 { NamedPort.packed(`protocol`, number) }

        static func packed(_ protocol: L4Protocol, _ number: UInt16) -> UInt32 {
            UInt32(`protocol`.rawValue) << 16 | UInt32(number)
        }
    }

    /// Where the terms that could match a remote are found.
    enum TermPlace: Hashable, Sendable {
        /// Of pods of the namespace of this name.
        case namespace(UInt32)
        /// Of addresses in this policy prefix, not in its exceptions.
        case prefix(IPPrefix)
        /// Of all the others.
        case anywhere
    }

    /// A namespace: its name, its labels sorted by key, its classes of pods.
    struct NamespaceEntry: Sendable {
        var name: UInt32
        var labels: [LabelPair]
        var classes: [ClassID] = []
    }

    /// Pods of one namespace that differ in nothing but their addresses.
    struct PodClass: Sendable {
        /// Index in `namespaces`.
        var namespace: Int32
        var serviceAccount: UInt32
        /// In the pool `labels`, sorted by key symbol.
        var labels: Range<Int32>
        /// In the pool `namedPorts`, sorted by name symbol.
        var ports: Range<Int32>
        /// The first of its remotes (one for each set of blocks its addresses lie in), linked by `Remote.next`; -1: none.
        var firstRemote: RemoteID = -1

        /// Two symbols as one word of a class's key.
        static func packed(_ first: UInt32, _ second: UInt32) -> UInt64 { UInt64(first) << 32 | UInt64(second) }
    }

    /// What a remote is.
    enum RemoteKind: UInt8, Sendable {
        case pod
        case host
        case remoteNode
        case outside
    }

    /// A class of remote ends with one identity.
    struct Remote: Sendable {
        var kind: RemoteKind
        /// A pod's class, -1 for others.
        var podClass: ClassID = -1
        /// Index in `blockSets`; 0 outside the cluster, where `outside` says it.
        var blocks: Int32 = 0
        /// Index in `reservedSets`.
        var reserved: Int32 = 0
        /// Of a node, index in `NodeTable.labelSets`; outside the cluster, index in `OutsideTable.classes`.
        var details: Int32 = 0
        /// The identity number.
        var number: UInt32 = 0
        /// Addresses that have it; 0: no end is like this any more.
        var references: Int32 = 0
        /// The next remote of the same class of pods, -1: none.
        var next: RemoteID = -1
        /// What it is, for people, and the key of its number; a pod's is made with its number.
        var text: String = ""
    }

    /// Label keys with a meaning of their own, as symbols.
    struct CiliumSymbols: Sendable {
        let namespaceName: UInt32
        let serviceAccount: UInt32
        let cluster: UInt32
        let localCluster: UInt32
        let empty: UInt32
        let defaultAccount: UInt32

        init(_ symbols: inout SymbolTable) {
            namespaceName = symbols.intern(CiliumKey.namespace)
            serviceAccount = symbols.intern(CiliumKey.serviceAccount)
            cluster = symbols.intern(CiliumKey.cluster)
            localCluster = symbols.intern(CiliumKey.localCluster)
            empty = symbols.intern("")
            defaultAccount = symbols.intern("default")
        }
    }
}
