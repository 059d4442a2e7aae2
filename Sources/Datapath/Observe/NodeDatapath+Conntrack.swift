public import BPFEmit
import CNetpoldABI
import NetTypes

extension NodeDatapath {
    /// Every flow the datapath remembers. Flows that come or go meanwhile may be missing.
    public func conntrack() throws(BPFError) -> [ConntrackFlow] {
        try maps.flows.entries(key: np_flow_key(), value: np_flow()).compactMap { ConntrackFlow($0.key, $0.value) }
    }

    /// Forgets flows that have been silent for too long, so that new ones need not push live ones out.
    ///
    /// - Parameters:
    ///   - now: a reading of the clock of the kernel that holds the flows.
    ///   - timeouts: how long a flow may be silent, by protocol and state.
    /// - Returns: how many flows were looked at, and how many of them were forgotten.
    /// - Throws: when the flow map cannot be read or changed; flows removed until then stay removed.
    public func collectConntrack(
        now: KernelClock.Reading, timeouts: ConntrackTimeouts = ConntrackTimeouts()
    ) throws(BPFError) -> ConntrackCollection {
        func isOver(_ key: np_flow_key, _ flow: np_flow) -> Bool {
            let seconds = timeouts.seconds(protocol: L4Protocol(rawValue: key.protocol), flags: flow.flags)
            // A packet since the reading makes the entry younger than now.
            return now.jiffies > flow.last_seen && now.jiffies - flow.last_seen > UInt64(seconds * now.rate)
        }
        let entries = try maps.flows.entries(key: np_flow_key(), value: np_flow())
        var removed = 0
        for entry in entries where isOver(entry.key, entry.value) {
            // The walk takes a while: a flow that woke up since stays.
            guard let current = try maps.flows.value(of: entry.key, initial: np_flow()), isOver(entry.key, current)
            else { continue }
            if try maps.flows.remove(entry.key) { removed += 1 }
        }
        return ConntrackCollection(seen: entries.count, removed: removed)
    }

    /// Forgets flows that have been silent for too long as of now.
    public func collectConntrack() throws(BPFError) -> ConntrackCollection {
        let clock: KernelClock
        if let known = self.clock { clock = known } else { clock = try KernelClock() }
        self.clock = clock
        return try collectConntrack(now: try clock.now())
    }
}
