public import NetTypes
public import PolicyAPI
public import PolicyIR

/// What happened to one object: the input of `CompilerState.apply`.
///
/// Objects are named by kind, namespace and name. What changes a thing that is as said already changes nothing.
public enum ObjectChange: Sendable {
    /// There is this object, in the place of the one of its key.
    case upsert(ClusterObject)
    /// There is no object of this key any more. Of a policy, whatever stood in its place goes too.
    case delete(ClusterObject.Key)
    /// In the place of a policy that was refused stand policies that are lowered already
    /// (`PolicyLowering.lowerRefused`). Until its key is upserted or deleted.
    case standIns([LoweredPolicy], for: ClusterObject.Key)
    /// What DNS has answered for a name (lower case, without final dot), all of it; empty: the name is forgotten.
    case name(String, addresses: [IPAddress])
    /// The addresses that the local node has besides those of its Node object, all of them.
    case ownAddresses([IPAddress])
    /// The networks that all addresses of the local node are in, as `ClusterObjects.localNetworks`.
    case ownNetworks([IPPrefix])
}
