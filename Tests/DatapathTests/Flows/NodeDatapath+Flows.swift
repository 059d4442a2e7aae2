import BPFEmit

@testable import Datapath

extension NodeDatapath {
    /// The flows of all endpoints.
    func rememberedFlows() throws -> [RememberedFlow] {
        try makeFlowReader().flows(of: Set(regions.current.keys), limit: .max).flows
    }
}
