/// The values of `protocol << 16 | port` cut into intervals on which the same rule bits can match.
enum TrafficPartition {
    /// An end of a range: from `key` on, the range of `bit` is entered or left.
    private struct Edge: Comparable {
        var key: UInt32
        var bit: Int
        var step: Int32

        static func < (left: Edge, right: Edge) -> Bool {
            (left.key, left.bit, left.step) < (right.key, right.bit, right.step)
        }
    }

    /// Calls `visit` for each interval in ascending order with its first key and the bits whose traffic holds it. The first
    /// interval starts at 0, each one ends where the next starts, the last one is open.
    ///
    /// - Complexity: O(ranges * log(ranges)) + O(intervals) calls.
    static func forEachInterval(of policy: PolicyBits, _ visit: (_ start: UInt32, _ active: [UInt64]) -> Void) {
        var active = [UInt64](repeating: 0, count: max(policy.words, 1))
        var edges: [Edge] = []
        for (number, bit) in policy.bits.enumerated() {
            guard let traffic = bit.traffic else {
                active[number / 64] |= 1 << UInt64(number % 64)
                continue
            }
            for range in traffic {
                edges.append(Edge(key: range.firstKey, bit: number, step: 1))
                edges.append(Edge(key: range.lastKey + 1, bit: number, step: -1))
            }
        }
        if let host = policy.hostBit { active[host / 64] |= 1 << UInt64(host % 64) }
        edges.sort()

        // Ranges of one bit may touch or overlap, so they are counted.
        var depth = [Int32](repeating: 0, count: policy.bits.count)
        var next = 0
        var start: UInt32 = 0
        while true {
            while next < edges.count, edges[next].key == start {
                let edge = edges[next]
                depth[edge.bit] += edge.step
                let bit: UInt64 = 1 << UInt64(edge.bit % 64)
                if depth[edge.bit] > 0 { active[edge.bit / 64] |= bit } else { active[edge.bit / 64] &= ~bit }
                next += 1
            }
            visit(start, active)
            guard next < edges.count else { return }
            start = edges[next].key
        }
    }
}

extension PolicyBits.ResolvedTraffic {
    /// `cb[2]` of the range's first packet.
    var firstKey: UInt32 { ControlBlock.packTraffic(`protocol`, ports.first) }
    /// `cb[2]` of the range's last packet.
    var lastKey: UInt32 { ControlBlock.packTraffic(`protocol`, ports.last) }
}
