import BPFEmit
import PolicyAPI
import PolicyIR
import Testing

@testable import Agent

@Suite struct ProxyMissingTests {
    private func policy(_ l7: [L7Match]) -> PolicyImage {
        let origin = RuleOrigin(kind: "CiliumNetworkPolicy", namespace: "shop", name: "api", path: "spec")
        return PolicyImage(
            program: EncodedProgram(instructions: [], mapReferences: []), words: 0, peers: [],
            bits: l7.enumerated().map { RuleBit(rule: $0, action: .allow, isL7: true, origin: origin, l7: $1) },
            isolatedBy: [], strictness: .isolating)
    }

    private func image(ingress: [L7Match], egress: [L7Match]) -> NodeImage {
        NodeImage(
            identities: [], addresses: [], prefixes: [],
            subjects: [
                SubjectImage(key: "api", ingress: policy(ingress), egress: policy(egress)),
                SubjectImage(key: "db", ingress: policy([]), egress: policy([])),
            ],
            endpoints: [("api-1", "api"), ("api-2", "api"), ("db-1", "db")].map { name, subject in
                EndpointImage(namespace: "shop", name: name, uid: "", addresses: [], subject: subject, identity: 300)
            })
    }

    @Test("rules about HTTP requests without a proxy are a condition by which not everything is enforced as written")
    func missing() throws {
        for image in [image(ingress: [.http([])], egress: []), image(ingress: [], egress: [.dns([]), .http([])])] {
            let condition = try #require(Condition.proxyMissing(image))
            #expect(condition.message.contains("2 pods have rules about HTTP requests"))
            #expect(!condition.isSevere)
            let health = Health(Health.Facts(generation: 1, appliedGeneration: 1, conditions: [condition]))
            #expect(health.problems.map(\.message) == [condition.message])
        }
    }

    @Test("names that the kernel decides need no proxy")
    func names() {
        #expect(Condition.proxyMissing(image(ingress: [], egress: [.dns([]), .serverNames([])])) == nil)
        #expect(Condition.proxyMissing(image(ingress: [], egress: [])) == nil)
    }
}
