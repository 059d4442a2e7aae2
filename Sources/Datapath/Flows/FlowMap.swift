import CNetpoldABI

/// np_flow_sets of this version or of another one, and how its flows are found. None of it is mapped until somebody asks for a part.
package struct FlowMap: Sendable {
    let map: BPFMap
    /// Of its values.
    let layout: FlowSetLayout
    /// The key of the hash by which its flows are found.
    let seed: np_flow_seed

    /// A map of flows.
    init(_ map: BPFMap, layout: FlowSetLayout = .own, seed: np_flow_seed) {
        self.map = map
        self.layout = layout
        self.seed = seed
    }

    /// Sets of the whole table.
    package var sets: Int { map.shape.capacity }

    /// The whole table: 32 MiB of an agent's memory while it is held, and half a millisecond.
    package func mapped() throws(BPFError) -> FlowTable { try FlowTable(self, sets: 0..<sets) }

    /// Some of its sets, not none.
    func mapped(_ sets: Range<Int>) throws(BPFError) -> FlowTable { try FlowTable(self, sets: sets) }

    /// An endpoint's.
    package func mapped(_ region: FlowRegion) throws(BPFError) -> FlowTable { try FlowTable(self, sets: region.range) }
}
