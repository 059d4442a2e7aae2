import Datapath
import L7Proxy
import NIOCore
import NetTypes
import ProxyRules

/// Knows flows by what the datapath has noted of them.
struct NodeFlowResolver: FlowResolver {
    private let flows: ProxiedFlows
    private let pods: PodNames

    init(_ flows: ProxiedFlows, naming pods: PodNames) {
        self.flows = flows
        self.pods = pods
    }

    func flow(of client: SocketAddress, to local: SocketAddress) -> ProxiedFlow? {
        guard let from = client.end, let to = local.end, let sides = try? flows.sides(client: from, server: to),
            sides.client?.redirects == true || sides.server?.redirects == true,
            // What the server's side says is not there any more: nobody knows what it allows.
            sides.client?.hasServerSide != true || sides.server != nil,
            let source = try? SocketAddress(ipAddress: from.address.description, port: Int(from.port)),
            let destination = try? SocketAddress(ipAddress: to.address.description, port: Int(to.port))
        else { return nil }
        var flow = ProxiedFlow(destination: destination)
        flow.source = source
        flow.client = pods.name(of: from.address.description) ?? ""
        flow.server = pods.name(of: to.address.description) ?? ""
        flow.isTransparent = true
        flow.egress = sides.client.flatMap(NodeFlowResolver.selection)
        flow.ingress = sides.server.flatMap(NodeFlowResolver.selection)
        flow.isUnrestricted = flow.egress == nil && flow.ingress == nil
        // The server's own policy is asked when it gets the proxy's SYN, so it is known once the server has answered.
        flow.isComplete = sides.client?.redirects != true || sides.client?.isConnected == true
        return flow
    }

    private static func selection(_ side: ProxiedFlows.Side) -> RuleBook.Selection? {
        side.rules.map { RuleBook.Selection(policy: $0.policy, rules: $0.numbers) }
    }
}

extension SocketAddress {
    /// As the datapath has it; `nil` for an address of another family.
    var end: ProxiedFlows.End? {
        switch self {
        case .v4(let address):
            return .init(
                IPAddress(ipv4: UInt32(bigEndian: address.address.sin_addr.s_addr)),
                UInt16(bigEndian: address.address.sin_port))
        case .v6(let address):
            let bytes = withUnsafeBytes(of: address.address.sin6_addr) { Array($0) }
            return IPAddress(networkBytes: bytes).map { .init($0, UInt16(bigEndian: address.address.sin6_port)) }
        case .unixDomainSocket:
            return nil
        }
    }
}
