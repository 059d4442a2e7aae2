public import BPFEmit
public import NetTypes
public import PolicyAPI
public import PolicyIR

/// What is in force, as the changes so far make it up.
public struct ObjectTable: Sendable {
    private var shards = ObjectShards()
    /// Isolating policies, in the place of refused ones.
    public private(set) var isolating: [ObjectKey: [LoweredPolicy]] = [:]
    /// What DNS has answered.
    public private(set) var names: [String: [IPAddress]] = [:]
    /// The addresses of the node itself, besides those of its Node object.
    public private(set) var ownAddresses: [IPAddress] = []
    /// The networks of all the node's addresses.
    public private(set) var ownNetworks: [IPPrefix] = []

    /// Nothing.
    public init() {}

    /// The objects, all copied into one dictionary.
    public var objects: [ObjectKey: ClusterObject] { shards.all }

    /// Takes a change over.
    public mutating func apply(_ change: ObjectChange) {
        switch change {
        case .upsert(let object):
            shards[object.key] = object
            isolating[object.key] = nil
        case .delete(let key):
            shards[key] = nil
            isolating[key] = nil
        case .standIns(let policies, let key):
            shards[key] = nil
            isolating[key] = policies.isEmpty ? nil : policies
        case .name(let name, let addresses): names[name] = addresses.isEmpty ? nil : addresses
        case .ownAddresses(let addresses): ownAddresses = addresses
        case .ownNetworks(let networks): ownNetworks = networks
        }
    }

    /// The addresses of a node that is this one: those of its object and its own.
    func addresses(ofNode name: String) -> [IPAddress] {
        let key = ObjectKey(kind: ObjectKind.node.rawValue, namespace: "", name: name)
        guard case .node(let node)? = shards[key] else { return ownAddresses }
        return node.addresses + ownAddresses
    }

    /// All objects as written, in key order, and the names.
    var written: ClusterObjects {
        var all = ClusterObjects()
        for object in shards.sorted { all.append(object) }
        all.names = names
        all.localNetworks = ownNetworks
        return all
    }

    /// All objects in key order, the node's own addresses among those of its Node object.
    public func cluster(node: String) -> ClusterObjects {
        var all = written
        if let index = all.nodes.firstIndex(where: { $0.metadata.name == node }) {
            let known = Set(all.nodes[index].addresses)
            all.nodes[index].addresses += ownAddresses.filter { !known.contains($0) }
        } else {
            all.nodes.append(Node(metadata: ObjectMeta(name: node), addresses: ownAddresses))
        }
        return all
    }

    /// The policies of such a cluster, then those in the place of refused ones, in key order; `withoutRoom` as
    /// `PolicyBook.withoutRoom` has them.
    public func lower(
        _ cluster: ClusterObjects, withoutRoom: [ObjectKey: LoweredPolicies] = [:]
    ) -> LoweredPolicies {
        var lowered = PolicyLowering.lower(cluster, for: .enforcement, closed: withoutRoom)
        lowered.policies += isolating.sorted { $0.key < $1.key }.flatMap(\.value)
        return lowered
    }
}
