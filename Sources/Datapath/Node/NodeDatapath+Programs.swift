package import BPFEmit

extension NodeDatapath {
    /// The entry programs of a pod's hooks, for measurements; `nil` for a pod that it does not have.
    package func entryPrograms(of pod: EndpointKey) -> (ingress: BPFProgram, egress: BPFProgram)? {
        endpoints[pod].map { ($0.ingressStub, $0.egressStub) }
    }
}
