import BPFEmit
import CNetpoldABI
import Foundation
import Glibc
import NetTypes
import NetpoldTestSupport
import Testing

@testable import Datapath

/// A connection that is refused for its TLS server name ends at both ends, at once.
@Suite(
    "refused server names", .enabled(if: L7World.canRun, "needs root, containernetworking-plugins, python3"),
    .serialized)
struct HelloResetTests {
    private static func policy(_ direction: String, _ names: String) -> String {
        let (pod, word) = direction == "egress" ? ("a", "to") : ("b", "from")
        return """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: names, namespace: edge}
            spec:
              endpointSelector: {matchLabels: {app: \(pod)}}
              \(direction):
              - \(word)Entities: [all]
                toPorts: [{ports: [{port: "443", protocol: TCP}], serverNames: [\(names)]}]
            """
    }

    /// Services of pod `b` and of the server outside, at another port.
    private static let services = L7World.services("tls", port: 8443, target: 443)

    @Test(
        "both ends are reset: rules at either end, pod and outside, straight and through a Service, one segment and several",
        arguments: [EdgeNode.Topology.ptp, .bridge], [AttachmentStyle.automatic, .clsact])
    func bothEnds(_ topology: EdgeNode.Topology, _ attachment: AttachmentStyle) throws {
        let world = try FrameWorld(topology, attachment)
        let (inside, outside) = (try world.script("ends", 443, in: "b"), try world.script("ends", 443))
        let hello = HelloBytes.hello("evil.example.com", postQuantum: true).map {
            ($0 < 16 ? "0" : "") + String($0, radix: 16)
        }
        let whole = hello.joined()
        let parts = [hello[..<200].joined(), hello[200..<900].joined(), hello[900...].joined()]
        for direction in ["egress", "ingress"] {
            try world.edge.apply("\(Self.policy(direction, "good.example.com"))\n---\n\(Self.services)")
            for (server, name) in [(inside, "b"), (outside, "outside")] where direction == "egress" || name == "b" {
                for v6 in [false, true] {
                    let straight = (name == "b" ? world.pod(v6, "b") : world.outside(v6), 443)
                    let service = ("\(L7World.service(of: name, v6: v6))", 8443)
                    for (to, port) in [straight, service] {
                        for sent in [[whole], parts] {
                            let told = try world.ask(["to": to, "port": port, "parts": sent])
                            let label = "\(direction) \(name) \(to) \(sent.count)"
                            #expect(told.error == "ConnectionResetError", "\(label): \(told)")
                            let end = try world.ended(server)
                            #expect(end.error == "ConnectionResetError", "\(label): \(end.error ?? "")")
                            #expect((end.length ?? 0) == (sent.count == 1 ? 0 : 900), "\(label)")
                        }
                    }
                }
            }
        }
    }
}
