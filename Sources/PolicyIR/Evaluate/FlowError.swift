/// Why a flow cannot be decided.
public enum FlowError: Error, Hashable, Sendable {
    /// No such pod.
    case unknownPod(String)
    /// The pod has terminated and owns no address.
    case finishedPod(String)
    /// The ends, or an end and the protocol, have no common address family.
    case mixedFamilies
    /// No such Service.
    case unknownService(String)
    /// The Service has no such port; with those that it has.
    case unknownServicePort(String, String, String)
    /// Nothing says which addresses the name has that a Service of type ExternalName stands for.
    case unknownAlias(String, String)
    /// A Service without a namespace, and a sender that is in none.
    case namelessService(String)
    /// Somebody outside as the sender of a flow to a Service by name.
    case outsideClient(String)
    /// A Service as the sender, or where a pod or an address is needed.
    case misplacedService(String)
}

extension FlowError: CustomStringConvertible {
    /// The message.
    public var description: String {
        switch self {
        case .unknownPod(let name): "there is no pod \(name)"
        case .finishedPod(let name): "pod \(name) has finished and owns no address"
        case .mixedFamilies: "one end is IPv4 and the other is IPv6"
        case .unknownService(let name): "there is no Service \(name)"
        case .unknownServicePort(let name, let port, let ports):
            "Service \(name) has no port \(port); " + (ports.isEmpty ? "it has no ports" : "it has \(ports)")
        case .unknownAlias(let name, let target):
            "Service \(name) is an alias for \(target), and no DNS answer says which addresses that has"
        case .namelessService(let name):
            "the sender is in no namespace, so svc/\(name) says nothing; write svc/NAMESPACE/\(name)"
        case .outsideClient(let name):
            "\(name) is outside the cluster: it comes through a node port or load balancer, and what policies see of it hangs "
                + "on externalTrafficPolicy; ask about a pod behind the Service, from \(name) (Local) or from "
                + "masqueraded:NODE-ADDRESS (Cluster)"
        case .misplacedService(let name): "\(name) is a Service; a pod or an address belongs here"
        }
    }
}
