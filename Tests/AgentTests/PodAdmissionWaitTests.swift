import BPFEmit
import NetTypes
import PolicyAPI
import Testing

@testable import Agent

@Suite("a pod that is being made waits for the kernel")
struct PodAdmissionWaitTests {
    private let key = EndpointKey(namespace: "shop", name: "db", uid: "u-1")
    private let link = HostLink(ifindex: 7, name: "veth7", mac: "", kind: "veth", peerIndex: 2, namespace: 9)
    private let admission = PodAdmission(
        pod: PodReference(namespace: "shop", name: "db", uid: "u-1"), interfaces: [7], timeoutMilliseconds: 1000)

    private func pod(uid: String = "u-1") -> Pod {
        var meta = ObjectMeta(name: "db", namespace: "shop")
        meta.uid = uid
        return Pod(metadata: meta)
    }

    private func facts(
        _ endpoint: BindingView.Endpoint?, generation: UInt64, applied: UInt64, programmed: Bool, failure: String? = nil
    ) -> Health.Facts {
        var facts = Health.Facts()
        facts.generation = generation
        facts.appliedGeneration = applied
        facts.view.endpoints = endpoint.map { [$0] } ?? []
        var report = ApplyReport()
        if programmed { report.endpoints = [.init(key: key, slot: 1, revision: 1, attachment: .tcx, failure: failure)] }
        facts.report = report
        return facts
    }

    private func endpoint(uid: String = "u-1", isCurrent: Bool = true) -> BindingView.Endpoint {
        BindingView.Endpoint(pod: pod(uid: uid), links: [link], netns: "a", rank: .cniRecord, isCurrent: isCurrent)
    }

    private func isInForce(_ answer: PodAdmissionWait.Answer) -> Bool { answer == .inForce }

    @Test("what the kernel holds of an earlier sandbox of the same pod is not enough")
    func earlierSandbox() {
        var wait = PodAdmissionWait(admission)
        // Its endpoint is there from before; its new interface is not seen yet.
        #expect(!isInForce(wait.look(at: facts(nil, generation: 4, applied: 4, programmed: true))))
        // Seen, and not applied: the report is still the old one's.
        #expect(!isInForce(wait.look(at: facts(endpoint(), generation: 5, applied: 4, programmed: true))))
        #expect(isInForce(wait.look(at: facts(endpoint(), generation: 5, applied: 5, programmed: true))))
    }

    @Test("changes that go on without end do not keep it waiting")
    func churn() {
        var wait = PodAdmissionWait(admission)
        #expect(!isInForce(wait.look(at: facts(endpoint(), generation: 5, applied: 4, programmed: true))))
        #expect(isInForce(wait.look(at: facts(endpoint(), generation: 9, applied: 5, programmed: true))))
    }

    @Test("another pod's interface, an orphan's, and one that failed do not let it start")
    func notIts() {
        var wait = PodAdmissionWait(admission)
        #expect(!isInForce(wait.look(at: facts(endpoint(uid: "u-0"), generation: 5, applied: 5, programmed: true))))
        #expect(
            !isInForce(wait.look(at: facts(endpoint(isCurrent: false), generation: 5, applied: 5, programmed: true))))
        #expect(!isInForce(wait.look(at: facts(endpoint(), generation: 5, applied: 5, programmed: false))))
        #expect(
            wait.look(at: facts(endpoint(), generation: 5, applied: 5, programmed: true, failure: "no slot"))
                == .waiting("no slot"))
    }
}
