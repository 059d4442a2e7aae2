import CNetpoldABI

extension np_flow_record {
    /// Whether the flow has been silent for longer than flows of its kind are remembered.
    func isOver(at now: KernelClock.Reading) -> Bool {
        // A packet since the reading makes the entry younger than now. The stamps wrap.
        let silent = Int64(Int32(bitPattern: now.flowStamp &- last_seen))
        let seconds = Int64(np_flow_timeout(`protocol`, flags))
        return silent > seconds * Int64(now.rate) >> Int64(NP_FLOW_CLOCK_SHIFT)
    }
}

extension KernelClock.Reading {
    /// As `np_flow_record.last_seen` has it.
    var flowStamp: UInt32 { UInt32(truncatingIfNeeded: jiffies >> UInt64(NP_FLOW_CLOCK_SHIFT)) }
}
