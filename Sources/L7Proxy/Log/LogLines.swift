internal import Glibc
internal import HTTPScan
internal import NIOCore
internal import ProxyRules

/// The lines of one event loop on their way to the access log: handed over in batches, so that a request costs neither a lock nor a
/// thread switch.
struct LogLines {
    private let log: AccessLog?
    private let feed: DenialFeed?
    private var lines: [UInt8] = []
    private var count = 0
    /// The lines of what was not allowed, for the feed, and how many there are none of.
    private var told: [UInt8] = []
    private var toldCount = 0
    private var untold = 0
    private var budget = DenialBudget()
    /// The second of the last line, and its text.
    private var second = 0
    private var secondText: [UInt8] = []

    /// The memory of records that were written, for the next: a record costs no allocation.
    private var spare: [[UInt8]] = []

    /// At most so many are kept, and none with more room: a record that needs it is rare, and asks for it.
    static let mostSpare = 1_024
    static let largestSpare = 2 << 10
    /// So many bytes are handed over at once.
    static let batch = 32 << 10

    /// Lines for a log, and those of what is not allowed for a feed too.
    init(_ log: AccessLog?, telling feed: DenialFeed? = nil) {
        self.log = log
        self.feed = feed
    }

    /// Bytes of memory that is kept for records.
    var spareBytes: Int { spare.reduce(0) { $0 + $1.capacity } }

    var isEmpty: Bool { lines.isEmpty && told.isEmpty && untold == 0 }
    var isFull: Bool { lines.count >= LogLines.batch || told.count >= LogLines.batch }

    private var format: AccessLog.Format { log?.format ?? .json }
    /// Whether what is told of is written apart.
    private var tellsApart: Bool { feed != nil && format == .text }

    /// The record of a request that was decided; `nil` when nobody wants it.
    mutating func record(of bytes: Span<UInt8>, _ head: RequestHead, _ answer: FlowRules.Answer) -> AccessRecord? {
        if log == nil, answer.isPermitted { return nil }
        var record = AccessRecord(format, bytes, head, answer, room: room())
        if tellsApart, !answer.isPermitted { record.told = AccessRecord(.json, bytes, head, answer, room: []).bytes }
        return record
    }

    /// The record of bytes that are not understood.
    mutating func record(refused refusal: Refusal) -> AccessRecord {
        record(refusedFor: refusal.rawValue, not: "HTTP")
    }

    /// The record of a request of which what follows its head is not understood: what it has, if it has one, and why.
    mutating func record(refused refusal: Refusal, of allowed: consuming AccessRecord?) -> AccessRecord {
        guard var record = allowed else { return record(refused: refusal) }
        record.refuse(refusal, format)
        if tellsApart { record.told = toldOf(refusal.rawValue, not: "HTTP") }
        return record
    }

    /// The record of an end of a connection by what its HTTP/2 does: a flood, or frames that are none.
    mutating func record(of fault: HTTP2Fault) -> AccessRecord { record(refusedFor: fault.rawValue, not: "HTTP/2") }

    /// The record of a connection that there was no room for.
    mutating func record(of refusal: ConnectionRefusal) -> AccessRecord {
        var record = AccessRecord(format, unserved: refusal, room: room())
        if tellsApart { record.told = AccessRecord(.json, unserved: refusal, room: []).bytes }
        return record
    }

    /// The record of a request that its server did not answer, and why.
    func record(of allowed: consuming AccessRecord?, failedBy reason: String) -> AccessRecord? {
        guard var record = allowed else { return nil }
        record.fail(by: reason, format)
        return record
    }

    /// The record of a DNS query that was decided; `nil` when nobody wants it.
    mutating func record(query name: String, _ answer: FlowRules.QueryAnswer) -> AccessRecord? {
        if log == nil, answer.isPermitted { return nil }
        var record = AccessRecord(format, query: name, answer, room: room())
        if tellsApart, !answer.isPermitted { record.told = AccessRecord(.json, query: name, answer, room: []).bytes }
        return record
    }

    /// The record of a DNS message that is not exactly a query.
    mutating func recordOfNoQuery() -> AccessRecord { record(refusedFor: "not-a-query", not: "DNS") }

    private mutating func record(refusedFor reason: String, not what: String) -> AccessRecord {
        var record = AccessRecord(format, refusedFor: reason, not: what, room: room())
        if tellsApart { record.told = toldOf(reason, not: what) }
        return record
    }

    private func toldOf(_ reason: String, not what: String) -> [UInt8] {
        AccessRecord(.json, refusedFor: reason, not: what, room: []).bytes
    }

    private mutating func room() -> [UInt8] {
        var room = spare.popLast() ?? []
        room.reserveCapacity(256)
        return room
    }

    /// What a line says beside the record.
    struct Circumstances {
        var status: Int
        var latency: TimeAmount
        /// The members about the connection, as `connectionText` made them.
        var connection: [UInt8]
        var client: SocketAddress
        var revision: UInt64?
    }

    /// Adds one line.
    mutating func add(_ record: consuming AccessRecord, _ circumstances: Circumstances) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let start = lines.count
        switch format {
        case .json: addMembers(record.bytes, record.decision, circumstances, time)
        case .text: addWords(record.bytes, record.decision, circumstances, time)
        }
        if feed != nil, record.decision == .denied || record.decision == .refused {
            tell(record, from: start, circumstances, time)
        }
        if log == nil { lines.removeSubrange(start...) } else { count += 1 }
        if isFull { handOver() }
        guard spare.count < LogLines.mostSpare, record.bytes.capacity <= LogLines.largestSpare else { return }
        var room = record.takeBytes()
        room.removeAll(keepingCapacity: true)
        spare.append(room)
    }

    /// Adds the line that begins at `start`, or one of the members that are told apart, to those of the feed.
    private mutating func tell(
        _ record: borrowing AccessRecord, from start: Int, _ circumstances: Circumstances, _ time: timespec
    ) {
        guard budget.admits(circumstances.client, second: time.tv_sec) else {
            untold += 1
            return
        }
        toldCount += 1
        guard let members = record.told else {
            told += lines[start...]
            return
        }
        let end = lines.count
        addMembers(members, record.decision, circumstances, time)
        told += lines[end...]
        lines.removeSubrange(end...)
    }

    private mutating func addMembers(
        _ members: [UInt8], _ decision: AccessRecord.Decision, _ circumstances: Circumstances, _ time: timespec
    ) {
        LineText.append(plain: "{\"time\":\"", to: &lines)
        addTime(time)
        LineText.append(plain: LogLines.decided(decision), to: &lines)
        LineText.append(Int64(circumstances.status), to: &lines)
        LineText.append(plain: ",\"microseconds\":", to: &lines)
        LineText.append(circumstances.latency.nanoseconds / 1_000, to: &lines)
        if let revision = circumstances.revision {
            LineText.append(plain: ",\"revision\":", to: &lines)
            LineText.append(Int64(clamping: revision), to: &lines)
        }
        lines.append(UInt8(ascii: ","))
        lines += circumstances.connection
        if !members.isEmpty {
            lines.append(UInt8(ascii: ","))
            lines += members
        }
        LineText.append(plain: "}\n", to: &lines)
    }

    private mutating func addWords(
        _ words: [UInt8], _ decision: AccessRecord.Decision, _ circumstances: Circumstances, _ time: timespec
    ) {
        addTime(time)
        lines.append(UInt8(ascii: " "))
        pad(decision.rawValue, 7, &lines)
        lines.append(UInt8(ascii: " "))
        LineText.append(Int64(circumstances.status), to: &lines)
        lines.append(UInt8(ascii: " "))
        let tenths = circumstances.latency.nanoseconds / 100_000
        pad(left: "\(tenths / 10).\(tenths % 10) ms", 9, &lines)
        lines += "  ".utf8
        lines += words
        lines += "\n".utf8
    }

    /// What stands between the time and the status, in one piece.
    private static func decided(_ decision: AccessRecord.Decision) -> StaticString {
        switch decision {
        case .allowed: "\",\"decision\":\"allowed\",\"status\":"
        case .denied: "\",\"decision\":\"denied\",\"status\":"
        case .refused: "\",\"decision\":\"refused\",\"status\":"
        case .error: "\",\"decision\":\"error\",\"status\":"
        }
    }

    /// Gives what there is to the log and the feed.
    mutating func handOver() {
        if count > 0 {
            log?.add(lines, count: count)
            lines.removeAll(keepingCapacity: true)
            count = 0
        }
        guard toldCount > 0 || untold > 0 else { return }
        feed?.add(told, count: toldCount, lost: untold)
        told.removeAll(keepingCapacity: true)
        (toldCount, untold) = (0, 0)
    }

    /// The members about a connection, written once.
    static func connectionText(_ client: SocketAddress, _ flow: ProxiedFlow) -> [UInt8] {
        var bytes: [UInt8] = []
        LineText.add("client", text(of: client), to: &bytes)
        LineText.add("server", text(of: flow.destination), to: &bytes)
        if !flow.client.isEmpty { LineText.add("clientPod", flow.client, to: &bytes) }
        if !flow.server.isEmpty { LineText.add("serverPod", flow.server, to: &bytes) }
        return bytes
    }

    /// `2026-11-27T10:00:00.000Z`.
    private mutating func addTime(_ time: timespec) {
        if time.tv_sec != second || secondText.isEmpty {
            second = time.tv_sec
            var seconds = time.tv_sec
            var parts = tm()
            gmtime_r(&seconds, &parts)
            secondText.removeAll(keepingCapacity: true)
            LogLines.digits(Int(parts.tm_year) + 1_900, 4, &secondText)
            for (mark, value) in [("-", parts.tm_mon + 1), ("-", parts.tm_mday)] as [(String, CInt)] {
                secondText += mark.utf8
                LogLines.digits(Int(value), 2, &secondText)
            }
            for (mark, value) in [("T", parts.tm_hour), (":", parts.tm_min), (":", parts.tm_sec)] as [(String, CInt)] {
                secondText += mark.utf8
                LogLines.digits(Int(value), 2, &secondText)
            }
            secondText.append(UInt8(ascii: "."))
        }
        lines += secondText
        LogLines.digits(time.tv_nsec / 1_000_000, 3, &lines)
        lines.append(UInt8(ascii: "Z"))
    }

    private static func digits(_ value: Int, _ count: Int, _ bytes: inout [UInt8]) {
        var unit = 1
        for _ in 1..<count { unit *= 10 }
        while unit > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / unit % 10))
            unit /= 10
        }
    }

    private func pad(_ text: String, _ width: Int, _ bytes: inout [UInt8]) {
        bytes += text.utf8
        for _ in 0..<max(0, width - text.utf8.count) { bytes.append(UInt8(ascii: " ")) }
    }

    private func pad(left text: String, _ width: Int, _ bytes: inout [UInt8]) {
        for _ in 0..<max(0, width - text.utf8.count) { bytes.append(UInt8(ascii: " ")) }
        bytes += text.utf8
    }

    private static func text(of address: SocketAddress) -> String {
        guard let host = address.ipAddress, let port = address.port else { return "unix" }
        return host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
