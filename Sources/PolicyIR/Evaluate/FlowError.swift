/// Why a flow cannot be decided.
public enum FlowError: Error, Hashable, Sendable {
    /// No such pod.
    case unknownPod(String)
    /// The pod has terminated and owns no address.
    case finishedPod(String)
    /// The ends, or an end and the protocol, have no common address family.
    case mixedFamilies
}

extension FlowError: CustomStringConvertible {
    /// The message.
    public var description: String {
        switch self {
        case .unknownPod(let name): "there is no pod \(name)"
        case .finishedPod(let name): "pod \(name) has finished and owns no address"
        case .mixedFamilies: "one end is IPv4 and the other is IPv6"
        }
    }
}
