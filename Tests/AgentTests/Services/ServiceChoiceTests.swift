import BPFEmit
import PolicyIR
import Testing

@testable import Agent

@Suite("What the agent does about Services follows from who else translates on the node")
struct ServiceChoiceTests {
    private func finding(_ component: TranslatorFinding.Component) -> TranslatorFinding {
        TranslatorFinding(component, evidence: "seen")
    }

    private func mode(_ components: TranslatorFinding.Component...) -> String {
        ServiceChoice(asked: nil, findings: components.map(finding)).mode
    }

    @Test("beside kube-proxy of every kind, and where nobody translates, the agent does, before policies are asked")
    func kubeProxy() {
        #expect(mode() == "translate")
        #expect(mode(.kubeProxyIPTables) == "translate")
        #expect(mode(.kubeProxyNFTables) == "translate")
        #expect(mode(.kubeProxyIPVS, .kubeProxyIPTables) == "translate")
        // Open vSwitch forwards for it; kube-proxy translates.
        #expect(mode(.openVSwitch, .kubeProxyIPTables) == "translate")
    }

    @Test("a network plugin that translates is left to do so, and policies ask about all endpoints")
    func plugins() {
        #expect(mode(.cilium) == "observe")
        #expect(mode(.cilium, .kubeProxyIPTables) == "observe")
        #expect(mode(.calico) == "observe")
        #expect(mode(.openVSwitch) == "observe")
    }

    @Test("what the operator says counts, and the reason says what is there all the same")
    func asked() {
        let choice = ServiceChoice(asked: .off, findings: [finding(.cilium)], unread: ["nftables (no)"])
        #expect(choice.mode == "off")
        #expect(
            choice.reason
                == "as --services says; Cilium translates Services here (seen); not looked at: nftables (no)")
        #expect(
            ServiceChoice(asked: nil, findings: [finding(.kubeProxyNFTables)]).reason
                == "detected: kube-proxy (nftables) translates Services here (seen)")
    }

    @Test("every component has words")
    func words() {
        for component in TranslatorFinding.Component.allCases {
            let reason = ServiceChoice(asked: nil, findings: [finding(component)]).reason
            #expect(reason.contains(component.rawValue))
        }
    }
}

@Suite("Addresses of Services that found no room")
struct LeftOutServicesTests {
    @Test("are a severe condition that names them, and the node is not as written")
    func condition() throws {
        #expect(Condition.servicesLeftOut([]) == nil)
        let few = try #require(Condition.servicesLeftOut(["10.96.0.1 port 80/TCP"]))
        #expect(few.isSevere)
        #expect(few.message.contains("(10.96.0.1 port 80/TCP)"))
        let many = try #require(Condition.servicesLeftOut((0..<20).map { "10.96.0.\($0) port 80/TCP" }))
        #expect(many.message.contains("10.96.0.7 port 80/TCP and 12 more"))
        #expect(!many.message.contains("10.96.0.8 "))
    }
}
