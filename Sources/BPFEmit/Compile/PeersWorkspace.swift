import PolicyIR

/// Collects which identities carry which bits: one row of words a remote, used again for every policy.
///
/// Rows stand in the order of the remotes' numbers, which is made once for all policies until numbers are given. So the entries come
/// out sorted by identity, none is all zero, and equal values are one. Complexity: O(bits set), and a bit a remote.
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
    /// Finds the values of a policy: many identities share one.
    private var valueTable = ProbeTable()
    private let valueHash = KeyedHash()

    /// Begins a policy of `width` words a value.
    mutating func begin(width: Int, in index: IdentityIndex) {
        if numbering != index.numbering { order(index) }
        // `takeEntries` has left all rows zero, so another width only needs another length.
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
        Self.set(bit, for: remotes, rank, width, &rows, &touched)
    }

    /// With spans: an array's element is written behind a check whether the array is shared.
    private static func set(
        _ bit: Int, for remotes: [IdentityIndex.RemoteID], _ rank: [Int32], _ width: Int, _ rows: inout [UInt64],
        _ touched: inout [UInt64]
    ) {
        let word = bit / 64
        let mask: UInt64 = 1 << UInt64(bit % 64)
        let rank = rank.span
        var rows = rows.mutableSpan
        var touched = touched.mutableSpan
        for remote in remotes where Int(remote) < rank.count {
            let row = Int(rank[Int(remote)])
            if row < 0 { continue }
            rows[row * width + word] |= mask
            touched[row / 64] |= 1 << UInt64(row % 64)
        }
    }

    /// The entries, sorted by identity; then there are none. Remotes without a number of their own (identity 0) get none here.
    mutating func takeEntries() -> PeerTable {
        let width = width
        var found: [PeerTable.Row] = []
        found.reserveCapacity(touched.reduce(0) { $0 + $1.nonzeroBitCount })
        valueTable.removeAll()
        var values: [UInt64] = []
        var last = -1
        for place in touched.indices where touched[place] != 0 {
            var rest = touched[place]
            touched[place] = 0
            while rest != 0 {
                let row = place * 64 + rest.trailingZeroBitCount
                rest &= rest - 1
                // Neighbours tend to be alike.
                if last < 0 || !isRow(row, last, of: values) { last = value(ofRow: row, &values) }
                found.append(PeerTable.Row(identity: numbers[row], value: Int32(truncatingIfNeeded: last)))
                for word in row * width..<(row + 1) * width { rows[word] = 0 }
            }
        }
        return PeerTable(
            rows: found,
            values: (0..<valueTable.count).map { Array(values[$0 * width..<($0 + 1) * width]) })
    }

    /// The place of a row's words among the values so far, where they are added if they are new.
    private mutating func value(ofRow row: Int, _ values: inout [UInt64]) -> Int {
        let words = row * width..<(row + 1) * width
        let hash = valueHash.hash(rows.span.extracting(words))
        var probe = valueTable.probe(hash)
        while let candidate = valueTable.next(&probe) {
            if isRow(row, candidate, of: values) { return candidate }
        }
        valueTable.append(hash)
        values += rows[words]
        return valueTable.count - 1
    }

    private func isRow(_ row: Int, _ value: Int, of values: [UInt64]) -> Bool {
        for word in 0..<width where rows[row * width + word] != values[value * width + word] { return false }
        return true
    }
}
