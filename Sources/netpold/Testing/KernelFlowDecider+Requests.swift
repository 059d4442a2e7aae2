import BPFEmit
import Datapath
import LabKit
import NetTypes
import PolicyAPI
import PolicyAnalysis
import PolicyIR

/// Requests as packets: queries and handshakes are decided by the loaded programs, what these send to the proxy by a running one.
extension KernelFlowDecider: RequestAnswerer {
    /// Whether a request gets through; `nil` for what goes to the proxy when there is none.
    func permits(_ request: L7Request, in flow: Flow) throws -> Bool? {
        let ends = try view.resolve(flow)
        // "A pod cannot block access to itself": such packets never leave it.
        if let from = ends.from.pod, let to = ends.to.pod, from.qualifiedName == to.qualifiedName { return true }
        var sides: [Direction: ProxyTrial.Side] = [:]
        for direction in [Direction.egress, .ingress] {
            guard let asked = try question(flow, ends, direction) else { continue }
            let answer = try asked.prepared.kernel.say(
                bytes(request, flow.protocol, isIPv4: asked.remote.isIPv4), asked.key, direction, remote: asked.remote,
                isForwarded: ends.from.isMasqueraded, protocol: flow.protocol, port: flow.port)
            switch answer {
            case .passed: break
            case .denied: return false
            case .proxied(let base, let rules):
                sides[direction] = ProxyTrial.Side(image: asked.prepared.number, base: base, rules: rules)
            }
        }
        if sides.isEmpty { return true }
        return try proxy?.permits(request, egress: sides[.egress], ingress: sides[.ingress], of: rules)
    }

    private func bytes(_ request: L7Request, _ protocol: L4Protocol, isIPv4: Bool) -> [UInt8] {
        switch request {
        case .http(let request): return HTTPMessage.request(request)
        case .serverName(let name): return TLSMessage.clientHello(name)
        case .dns(let name):
            let query = DNSMessage.query(name, isIPv4: isIPv4, id: 7)
            return `protocol` == .tcp ? [UInt8(query.count >> 8), UInt8(query.count & 0xff)] + query : query
        }
    }
}
