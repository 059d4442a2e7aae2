/// Lines on their way to one client, bounded. Verdicts that find no room are counted, and the count is sent as soon as there
/// is room; answers to requests always fit, for a client gets only one at a time.
struct OutgoingLines: Sendable {
    /// Verdicts are left out beyond this many unsent bytes.
    static let verdictLimit = 1 << 20

    private(set) var bytes: [UInt8] = []
    /// Verdicts left out since the last line with their count.
    private(set) var lost: UInt64 = 0
    /// The client's only fault is to be slow, but even answers have an end.
    private(set) var isOverrun = false

    /// Adds an answer.
    mutating func add(answer line: [UInt8]) {
        if bytes.count + line.count > MessageCodec.replyLimit + OutgoingLines.verdictLimit {
            isOverrun = true
        } else {
            bytes += line
        }
    }

    /// Adds a verdict, or counts it as lost. `lossLine` writes the line with a count. Returns whether it was added.
    mutating func add(verdict line: [UInt8], lossLine: (UInt64) -> [UInt8]) -> Bool {
        let notice = lost > 0 ? lossLine(lost) : []
        guard bytes.count + notice.count + line.count <= OutgoingLines.verdictLimit else {
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

    /// Forgets bytes the client has taken.
    mutating func sent(_ count: Int) { bytes.removeFirst(min(count, bytes.count)) }

    /// Puts the notice of a loss in line when nothing else is: the client must not wait for the next verdict to get it.
    mutating func flushLoss(_ lossLine: (UInt64) -> [UInt8]) {
        guard lost > 0, bytes.isEmpty else { return }
        bytes += lossLine(lost)
        lost = 0
    }
}
