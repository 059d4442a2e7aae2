import BPFEmit
import CNetpoldABI

/// What np_hellos has of TLS connections whose server names decide.
extension NodeDatapath {
    /// After a walk over the flows: forgets the hellos of connections that are gone. The slot of one that nobody takes again would keep it,
    /// and its place in memory, for good.
    ///
    /// What the walk before has found left too, in the same state: that of a connection that begins now has another one.
    func collectHellos() throws(BPFError) {
        guard let hellos = maps.hellos else { return }
        let before = leftHellos
        leftHellos = [:]
        for (slot, hello) in try hellos.entries(key: UInt32(0), value: np_hello()) {
            guard let left = try LeftHello(slot, hello, maps.flows) else { continue }
            if before[slot] == left, let present = try hellos.value(of: slot, initial: np_hello()),
                try LeftHello(slot, present, maps.flows) == left
            {
                try hellos.remove(slot)
            } else {
                leftHellos[slot] = left
            }
        }
    }
}

/// The hello of a flow that is gone.
struct LeftHello: Hashable {
    /// Of the flow that it was read of.
    private let version: UInt32
    /// Of the flow that its slot had last; `nil`: there is no such slot.
    private let present: UInt32?

    /// - Returns: `nil` while the flow is there.
    fileprivate init?(_ slot: UInt32, _ hello: np_hello, _ flows: FlowMap) throws(BPFError) {
        let set = Int(slot) / Int(NP_FLOW_WAYS)
        version = hello.version
        present =
            set < flows.sets
            ? try flows.mapped(set..<set + 1).version(set, Int(slot) % Int(NP_FLOW_WAYS)) : nil
        if present == version { return nil }
    }
}
