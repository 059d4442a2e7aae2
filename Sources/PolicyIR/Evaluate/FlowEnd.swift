public import NetTypes

/// One end of a flow, as users name it.
public enum FlowEnd: Hashable, Sendable {
    /// A pod by namespace and name.
    case pod(namespace: String, name: String)
    /// An address; its owner is the end.
    case address(IPAddress)
    /// The local node.
    case host
    /// Some other node.
    case remoteNode
    /// As a sender, somebody whose packets the receiver's node forwards under this address of its own: nobody can tell who.
    case masqueraded(IPAddress)
    /// As a receiver, a Service; without a namespace that of the sender, as its DNS name would be looked up.
    case service(namespace: String?, name: String)

    /// An end from its text: `namespace/pod`, `ip:ADDRESS`, `host`, `remote-node`,
    /// `masqueraded:ADDRESS`, `svc/NAME` or `svc/NAMESPACE/NAME`; `nil` for anything else.
    public init?(parsing text: String) {
        if text == "host" {
            self = .host
        } else if text == "remote-node" {
            self = .remoteNode
        } else if text.hasPrefix("ip:") {
            guard let address = IPAddress(parsing: text.dropFirst(3)) else { return nil }
            self = .address(address)
        } else if text.hasPrefix("masqueraded:") {
            guard let address = IPAddress(parsing: text.dropFirst("masqueraded:".count)) else { return nil }
            self = .masqueraded(address)
        } else {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.allSatisfy({ !$0.isEmpty }) else { return nil }
            if parts.count == 3, parts[0] == "svc" {
                self = .service(namespace: String(parts[1]), name: String(parts[2]))
                return
            }
            guard parts.count == 2 else { return nil }
            if parts[0] == "svc" {
                self = .service(namespace: nil, name: String(parts[1]))
                return
            }
            self = .pod(namespace: String(parts[0]), name: String(parts[1]))
        }
    }
}

extension FlowEnd: CustomStringConvertible {
    /// The text that `init(parsing:)` reads.
    public var description: String {
        switch self {
        case .pod(let namespace, let name): "\(namespace)/\(name)"
        case .address(let address): "ip:\(address)"
        case .host: "host"
        case .remoteNode: "remote-node"
        case .masqueraded(let address): "masqueraded:\(address)"
        case .service(let namespace, let name): namespace.map { "svc/\($0)/\(name)" } ?? "svc/\(name)"
        }
    }
}
