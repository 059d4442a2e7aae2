import BPFEmit
import CNetpoldABI

/// What np_hellos has of TLS connections whose server names decide.
extension NodeDatapath {
    /// After a walk over the flows: forgets the hellos of connections that are gone. The slot of one that nobody takes again would keep it,
    /// and its place in memory, for good.
    func collectHellos() throws(BPFError) {
        guard let hellos = maps.hellos else { return }
        for (slot, hello) in try hellos.entries(key: UInt32(0), value: np_hello()) where isLeft(slot, hello) {
            // Another connection may have begun in the slot meanwhile.
            guard let present = try hellos.value(of: slot, initial: np_hello()), isLeft(slot, present) else { continue }
            try hellos.remove(slot)
        }
    }

    /// Whether the flow is gone that a hello was read of.
    private func isLeft(_ slot: UInt32, _ hello: np_hello) -> Bool {
        let set = Int(slot) / Int(NP_FLOW_WAYS)
        guard set < maps.flowTable.sets else { return true }
        return maps.flowTable.slot(set, Int(slot) % Int(NP_FLOW_WAYS)).word.version != hello.version
    }
}
