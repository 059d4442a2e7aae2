import PolicyIR

/// Collects which identities carry which bits: one row of words a remote, used again for every policy.
///
/// The entries it gives are sorted by identity, none is all zero, and equal values are one array. Complexity: O(bits set), and
/// O(n log n) for n entries.
struct PeersWorkspace: Sendable {
    /// No policy with wider values is compiled (`PolicyEmitter` refuses it), so none is collected.
    static let maximumWidth = PolicyLimits.words

    private var rows: [UInt64] = []
    private var width = 1
    private var touched: [IdentityIndex.RemoteID] = []
    /// Values that many identities share are one array.
    private var shared: [[UInt64]: [UInt64]] = [:]
    private var sharedSingles: [UInt64: [UInt64]] = [:]

    /// Begins a policy of `width` words a value.
    mutating func begin(width: Int, remotes: Int) {
        for remote in touched {
            for word in 0..<self.width { rows[Int(remote) * self.width + word] = 0 }
        }
        touched.removeAll(keepingCapacity: true)
        shared.removeAll(keepingCapacity: true)
        // All rows are zero here, so another width only needs another length.
        self.width = width
        if rows.count < remotes * width {
            rows += Array(repeating: 0, count: remotes * width - rows.count)
        }
    }

    /// Gives remotes a bit.
    mutating func set(_ bit: Int, for remotes: some Sequence<IdentityIndex.RemoteID>) {
        let word = bit / 64
        let mask: UInt64 = 1 << UInt64(bit % 64)
        for remote in remotes {
            let row = Int(remote) * width
            if isZero(row) { touched.append(remote) }
            rows[row + word] |= mask
        }
    }

    /// The entries, sorted by identity. Remotes without a number of their own (identity 0) get none here.
    mutating func entries(in index: IdentityIndex) -> [PeerEntry] {
        var numbered: [(number: UInt32, remote: IdentityIndex.RemoteID)] = []
        numbered.reserveCapacity(touched.count)
        for remote in touched {
            let number = index.number(of: remote)
            if number != ReservedIdentity.unknown.rawValue { numbered.append((number, remote)) }
        }
        numbered.sort { $0.number < $1.number }
        var entries: [PeerEntry] = []
        entries.reserveCapacity(numbered.count + 1)
        var last: [UInt64] = []
        for (number, remote) in numbered {
            let row = Int(remote) * width
            if !equals(row, last) { last = value(row) }
            entries.append(PeerEntry(identity: number, words: last))
        }
        return entries
    }

    private mutating func value(_ row: Int) -> [UInt64] {
        if width == 1 {
            if let known = sharedSingles[rows[row]] { return known }
            let words = [rows[row]]
            sharedSingles[rows[row]] = words
            return words
        }
        let words = Array(rows[row..<(row + width)])
        if let known = shared[words] { return known }
        shared[words] = words
        return words
    }

    private func isZero(_ row: Int) -> Bool {
        for word in 0..<width where rows[row + word] != 0 { return false }
        return true
    }

    private func equals(_ row: Int, _ words: [UInt64]) -> Bool {
        guard words.count == width else { return false }
        for word in 0..<width where rows[row + word] != words[word] { return false }
        return true
    }
}
