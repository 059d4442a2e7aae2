import PolicyIR

/// Collects which identities carry which bits: one row of words a remote, used again for every policy.
///
/// Rows stand in the order of the remotes' numbers, which is made once for all policies until numbers are given. So the entries come
/// out sorted by identity, none is all zero, and equal values are one array. Complexity: O(bits set), and a bit a remote.
struct PeersWorkspace: Sendable {
    /// No policy with wider values is compiled (`PolicyEmitter` refuses it), so none is collected.
    static let maximumWidth = PolicyLimits.words

    private var rows: [UInt64] = []
    private var width = 1
    /// The rows that are in use, a bit each.
    private var touched: [UInt64] = []
    /// `IdentityIndex.numbering` that the order is of; -1: none was made.
    private var numbering = -1
    /// By remote: its row; -1 for one without a number of its own (identity 0), which gets no entry here.
    private var rank: [Int32] = []
    /// By row: the number.
    private var numbers: [UInt32] = []
    /// Values that many identities share are one array.
    private var shared: [[UInt64]: [UInt64]] = [:]
    private var sharedSingles: [UInt64: [UInt64]] = [:]

    /// Begins a policy of `width` words a value.
    mutating func begin(width: Int, in index: IdentityIndex) {
        forEachTouched { rows, row, width in
            for word in 0..<width { rows[row * width + word] = 0 }
        }
        for place in touched.indices { touched[place] = 0 }
        shared.removeAll(keepingCapacity: true)
        if numbering != index.numbering { order(index) }
        // All rows are zero here, so another width only needs another length.
        self.width = width
        if rows.count < numbers.count * width {
            rows += Array(repeating: 0, count: numbers.count * width - rows.count)
        }
    }

    private mutating func order(_ index: IdentityIndex) {
        rank = Array(repeating: -1, count: index.remoteCount)
        numbers.removeAll(keepingCapacity: true)
        for remote in index.byNumber {
            let number = index.number(of: remote)
            if number == ReservedIdentity.unknown.rawValue { continue }
            rank[Int(remote)] = Int32(truncatingIfNeeded: numbers.count)
            numbers.append(number)
        }
        touched = Array(repeating: 0, count: (numbers.count + 63) / 64)
        numbering = index.numbering
    }

    /// Gives remotes a bit.
    mutating func set(_ bit: Int, for remotes: [IdentityIndex.RemoteID]) {
        let word = bit / 64
        let mask: UInt64 = 1 << UInt64(bit % 64)
        for remote in remotes where Int(remote) < rank.count {
            let row = Int(rank[Int(remote)])
            if row < 0 { continue }
            rows[row * width + word] |= mask
            touched[row / 64] |= 1 << UInt64(row % 64)
        }
    }

    /// The entries, sorted by identity. Remotes without a number of their own (identity 0) get none here.
    mutating func entries() -> [PeerEntry] {
        var entries: [PeerEntry] = []
        entries.reserveCapacity(touched.reduce(1) { $0 + $1.nonzeroBitCount })
        var last: [UInt64] = []
        for place in touched.indices {
            var rest = touched[place]
            while rest != 0 {
                let row = place * 64 + rest.trailingZeroBitCount
                rest &= rest - 1
                if !equals(row, last) { last = value(row) }
                entries.append(PeerEntry(identity: numbers[row], words: last))
            }
        }
        return entries
    }

    private mutating func forEachTouched(_ body: (inout [UInt64], Int, Int) -> Void) {
        for place in touched.indices {
            var rest = touched[place]
            while rest != 0 {
                body(&rows, place * 64 + rest.trailingZeroBitCount, width)
                rest &= rest - 1
            }
        }
    }

    private mutating func value(_ row: Int) -> [UInt64] {
        if width == 1 {
            if let known = sharedSingles[rows[row]] { return known }
            let words = [rows[row]]
            sharedSingles[rows[row]] = words
            return words
        }
        let words = Array(rows[(row * width)..<((row + 1) * width)])
        if let known = shared[words] { return known }
        shared[words] = words
        return words
    }

    private func equals(_ row: Int, _ words: [UInt64]) -> Bool {
        guard words.count == width else { return false }
        for word in 0..<width where rows[row * width + word] != words[word] { return false }
        return true
    }
}
