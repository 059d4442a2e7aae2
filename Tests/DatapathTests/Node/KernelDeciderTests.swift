import BPFEmit
import CNetpoldABI
import NetTypes
import Testing

@testable import Datapath

@Suite("deciding with the loaded programs", .needsRoot, .serialized)
struct KernelDeciderTests {
    @Test("the kernel says what the policy means, whatever the protocol; every question is about a fresh flow")
    func verdicts() throws {
        let decider = try KernelDecider(try NodeImages.shop())
        let cases: [(IPAddress, L4Protocol, UInt16, Bool)] = [
            (NodeImages.client, .tcp, 80, true), (NodeImages.client, .tcp, 81, false),
            (NodeImages.client, .udp, 80, false), (NodeImages.stranger, .tcp, 80, false),
            (NodeImages.stranger, .tcp, 443, true), (NodeImages.outside, .tcp, 443, true),
            (NodeImages.outside, .tcp, 80, false), (NodeImages.client, .icmp, 8, false),
            (NodeImages.client, .sctp, 80, false),
        ]
        for (remote, `protocol`, port, allowed) in cases + cases {
            let answer = try decider.decide(
                NodeImages.webKey, .ingress, remote: remote, protocol: `protocol`, port: port)
            let reason = allowed ? NP_REASON_ALLOWED : NP_DROP_POLICY_DEFAULT
            #expect(
                answer == .init(verdict: allowed ? .allow : .deny, reason: UInt8(reason.rawValue)),
                "\(remote) \(`protocol`) \(port)")
        }
        for `protocol` in [.tcp, .udp, .icmp, L4Protocol(rawValue: 47)] {
            for _ in 0..<3 {
                let answer = try decider.decide(
                    NodeImages.webKey, .egress, remote: NodeImages.outside, protocol: `protocol`, port: 8)
                #expect(answer == .init(verdict: .allow, reason: UInt8(NP_REASON_ALLOWED.rawValue)))
            }
        }
    }

    @Test("one decider goes from image to image; ICMP types are decided one by one; L7 is told apart from a denial")
    func updates() throws {
        let decider = try KernelDecider(try NodeImages.shop())
        let types: [UInt16] = [0, 3, 8, 11, 13, 42]
        for type in types {
            let only = NodeImages.bit(0, anyPeer: true, port: type, protocol: .icmp)
            try decider.update(
                try NodeImages.node(subjects: [
                    NodeImages.subject(ingress: NodeImages.policy(.ingress, [only], peers: [:]))
                ]))
            for other in types {
                let answer = try decider.decide(
                    NodeImages.webKey, .ingress, remote: NodeImages.client, protocol: .icmp, port: other)
                #expect(answer.verdict == (other == type ? .allow : .deny), "type \(other) where \(type) is allowed")
            }
        }
        let l7 = NodeImages.bit(0, l7: true, anyPeer: true, port: 80)
        try decider.update(
            try NodeImages.node(subjects: [
                NodeImages.subject(ingress: NodeImages.policy(.ingress, [l7], peers: [:]))
            ]))
        for (port, verdict) in [(80, .l7), (81, .deny)] as [(UInt16, PolicyVerdict)] {
            let answer = try decider.decide(
                NodeImages.webKey, .ingress, remote: NodeImages.client, protocol: .tcp, port: port)
            #expect(answer.verdict == verdict)
        }
    }

    @Test("a pod that is not there, and a family it does not have, are errors")
    func unknown() throws {
        let decider = try KernelDecider(try NodeImages.shop())
        let nobody = #expect(throws: BPFError.self) {
            try decider.decide(
                EndpointKey(namespace: "shop", name: "x"), .ingress, remote: NodeImages.client, protocol: .tcp, port: 80
            )
        }
        #expect(nobody?.errnoName == "ENOENT")
        let noFamily = #expect(throws: BPFError.self) {
            try decider.decide(
                NodeImages.webKey, .ingress, remote: IPAddress(high: 1, low: 1), protocol: .tcp, port: 80)
        }
        #expect(noFamily?.errnoName == "EAFNOSUPPORT")
    }
}
