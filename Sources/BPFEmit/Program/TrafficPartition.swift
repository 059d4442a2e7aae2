/// Pass 5, partition traffic: the values of `protocol << 16 | port` cut into intervals.
///
/// Afterwards the same rule bits can match all packets of an interval. The first interval starts at 0, each one ends where the
/// next starts, the last one is open.
struct TrafficPartition {
    /// An end of a range: from `key` on, the range of `bit` is entered or left.
    private struct Edge: Comparable {
        var key: UInt32
        var bit: Int
        var step: Int32

        static func < (left: Edge, right: Edge) -> Bool {
            (left.key, left.bit, left.step) < (right.key, right.bit, right.step)
        }
    }

    /// Sorted.
    private let edges: [Edge]
    /// The bits for every protocol and port, the host bit included.
    private let always: [UInt64]
    private let bitCount: Int

    /// - Complexity: O(r log r) for r ranges.
    init(_ policy: PolicyBits) {
        var always = [UInt64](repeating: 0, count: max(policy.words, 1))
        var edges: [Edge] = []
        for (number, bit) in policy.bits.enumerated() {
            guard let traffic = bit.traffic else {
                always[number / 64] |= 1 << UInt64(number % 64)
                continue
            }
            for range in traffic {
                edges.append(Edge(key: range.firstKey, bit: number, step: 1))
                edges.append(Edge(key: range.lastKey + 1, bit: number, step: -1))
            }
        }
        if let host = policy.hostBit { always[host / 64] |= 1 << UInt64(host % 64) }
        edges.sort()
        self.edges = edges
        self.always = always
        bitCount = policy.bits.count
    }

    /// Calls `visit` for each interval in ascending order with its first key and the bits whose traffic holds it. Nothing is
    /// kept of an interval: a policy with thousands of ports has thousands of them, each with all its words.
    ///
    /// - Complexity: O(ranges), and as many calls as intervals.
    func forEachInterval(_ visit: (_ start: UInt32, _ active: [UInt64]) -> Void) {
        var active = always
        // Ranges of one bit may touch or overlap, so they are counted.
        var depth = [Int32](repeating: 0, count: bitCount)
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
