internal import Glibc
internal import HTTPScan
internal import NIOCore
internal import ProxyRules

/// The lines of one event loop on their way to the access log: handed over in batches, so that a request costs neither a lock nor a
/// thread switch.
struct LogLines {
    private let log: AccessLog
    private var lines: [UInt8] = []
    private var count = 0
    /// The second of the last line, and its text.
    private var second = 0
    private var secondText: [UInt8] = []

    /// The memory of records that were written, for the next: a record costs no allocation.
    private var spare: [[UInt8]] = []

    /// At most so many are kept.
    static let mostSpare = 1_024
    /// So many bytes are handed over at once.
    static let batch = 32 << 10

    init(_ log: AccessLog) { self.log = log }

    var isEmpty: Bool { lines.isEmpty }
    var isFull: Bool { lines.count >= LogLines.batch }

    /// The record of a request that was decided.
    mutating func record(of bytes: Span<UInt8>, _ head: RequestHead, _ answer: FlowRules.Answer) -> AccessRecord {
        AccessRecord(log.format, bytes, head, answer, room: room())
    }

    /// The record of bytes that are not understood.
    mutating func record(refused refusal: Refusal) -> AccessRecord {
        AccessRecord(log.format, refused: refusal, room: room())
    }

    /// The record of a DNS query that was decided.
    mutating func record(query name: String, _ answer: FlowRules.QueryAnswer) -> AccessRecord {
        AccessRecord(log.format, query: name, answer, room: room())
    }

    /// The record of a DNS message that is not exactly a query.
    mutating func recordOfNoQuery() -> AccessRecord { AccessRecord(notAQuery: log.format, room: room()) }

    private mutating func room() -> [UInt8] {
        var room = spare.popLast() ?? []
        room.reserveCapacity(256)
        return room
    }

    /// Adds one line. `connection` is what `connectionText` made.
    mutating func add(
        _ record: consuming AccessRecord, status: Int, latency: TimeAmount, connection: [UInt8], revision: UInt64?
    ) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let microseconds = latency.nanoseconds / 1_000
        switch log.format {
        case .json:
            LineText.append(plain: "{\"time\":\"", to: &lines)
            addTime(time)
            LineText.append(plain: LogLines.decided(record.decision), to: &lines)
            LineText.append(Int64(status), to: &lines)
            LineText.append(plain: ",\"microseconds\":", to: &lines)
            LineText.append(microseconds, to: &lines)
            if let revision {
                LineText.append(plain: ",\"revision\":", to: &lines)
                LineText.append(Int64(clamping: revision), to: &lines)
            }
            lines.append(UInt8(ascii: ","))
            lines += connection
            if !record.bytes.isEmpty {
                lines.append(UInt8(ascii: ","))
                lines += record.bytes
            }
            LineText.append(plain: "}\n", to: &lines)
        case .text:
            addTime(time)
            lines.append(UInt8(ascii: " "))
            pad(record.decision.rawValue, 7, &lines)
            lines.append(UInt8(ascii: " "))
            LineText.append(Int64(status), to: &lines)
            lines.append(UInt8(ascii: " "))
            let tenths = microseconds / 100
            pad(left: "\(tenths / 10).\(tenths % 10) ms", 9, &lines)
            lines += "  ".utf8
            lines += record.bytes
            lines += "\n".utf8
        }
        count += 1
        if isFull { handOver() }
        guard spare.count < LogLines.mostSpare else { return }
        var room = record.takeBytes()
        room.removeAll(keepingCapacity: true)
        spare.append(room)
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

    /// Gives what there is to the log.
    mutating func handOver() {
        guard count > 0 else { return }
        log.add(lines, count: count)
        lines.removeAll(keepingCapacity: true)
        count = 0
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
