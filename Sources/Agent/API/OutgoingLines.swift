/// Lines on their way to one client, bounded. Verdicts that find no room are counted, and the count is sent as soon as there
/// is room; the answer to a request always fits, for a client is asked for the next one only when it has the last.
struct OutgoingLines: Sendable {
    /// Verdicts are left out beyond this many unsent bytes.
    static let verdictLimit = 1 << 20

    private var bytes: [UInt8] = []
    /// How many of them the client has taken.
    private var taken = 0
    /// Verdicts left out since the last line with their count.
    private(set) var lost: UInt64 = 0

    /// Bytes that the client has not taken.
    var count: Int { bytes.count - taken }
    /// Whether the client has everything.
    var isEmpty: Bool { count == 0 }

    /// Adds an answer.
    mutating func add(answer line: [UInt8]) { bytes += line }

    /// Adds a verdict, or counts it as lost. `lossLine` writes the line with a count. Returns whether it was added.
    mutating func add(verdict line: [UInt8], lossLine: (UInt64) -> [UInt8]) -> Bool {
        let notice = lost > 0 ? lossLine(lost) : []
        guard count + notice.count + line.count <= OutgoingLines.verdictLimit else {
            lost += 1
            return false
        }
        bytes += notice
        bytes += line
        lost = 0
        return true
    }

    /// Counts verdicts that were lost before they came here.
    mutating func add(lostEarlier count: UInt64) { lost += count }

    /// Hands the unsent bytes to `send`, which answers how many of them the client took.
    mutating func send(_ send: (UnsafeRawBufferPointer) -> Int) -> Int {
        let count = bytes.withUnsafeBytes { send(UnsafeRawBufferPointer(rebasing: $0[taken...])) }
        guard count > 0 else { return count }
        taken += count
        // Moving what is left costs its length: only when that is less than what it frees.
        if taken == bytes.count || taken > bytes.count / 2 {
            bytes.removeFirst(taken)
            taken = 0
        }
        return count
    }

    /// Puts the notice of a loss in line when nothing else is: the client must not wait for the next verdict to get it.
    mutating func flushLoss(_ lossLine: (UInt64) -> [UInt8]) {
        guard lost > 0, isEmpty else { return }
        bytes += lossLine(lost)
        lost = 0
    }
}
