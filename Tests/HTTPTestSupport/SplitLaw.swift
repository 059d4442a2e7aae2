/// A law of the scanner that some bytes break.
public struct BrokenSplitLaw: Error, CustomStringConvertible {
    /// What shows it.
    public let description: String
}

/// What must hold of any bytes that are scanned as HTTP/1.
public enum SplitLaw {
    /// Methods that llhttp knows; it refuses others, and its framing does not depend on them.
    private static let known: Set<String> = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"]

    /// What the scanner accepts, llhttp splits into the same messages: the same ends, targets and connections. What the proxy forwards
    /// of a message that it did not accept to its end, llhttp does not take for a message.
    public static func llhttpAgrees(_ bytes: [UInt8], kind: ScannedStream.Kind, events: [ScanEvent])
        throws(BrokenSplitLaw)
    {
        var forwarded: [UInt8] = []
        var expected: [ScannedMessage] = []
        for event in events {
            var message: ScannedMessage
            switch event {
            case .message(let complete): message = complete
            case .refusedInBody(let partial, _), .moreBody(let partial): message = partial
            case .http2, .refused, .moreHead: continue
            }
            var own = Array(bytes[message.from..<message.end])
            let method = String(decoding: own[message.method], as: UTF8.self)
            if kind == .requests, !known.contains(method) { own.replaceSubrange(message.method, with: "PUT".utf8) }
            forwarded += own
            guard case .message = event else { continue }
            message.end = forwarded.count
            expected.append(message)
        }
        guard !forwarded.isEmpty else { return }
        let isEnded = expected.last?.endsWithConnection ?? false
        let found = LLHTTP.split(forwarded, kind: kind, isEnded: isEnded)
        func fail(_ what: String) -> BrokenSplitLaw {
            BrokenSplitLaw(
                description:
                    "\(what)\nscanner: \(expected.map { "\($0) ends at \($0.end)" })\nllhttp: \(found)\nbytes: "
                    + String(decoding: forwarded, as: UTF8.self).debugDescription)
        }
        if let failure = found.failure { throw fail("llhttp refuses what the scanner accepts: \(failure)") }
        guard found.messages.count == expected.count else { throw fail("the numbers of messages differ") }
        for (theirs, ours) in zip(found.messages, expected) {
            guard theirs.end == ours.end else { throw fail("a message ends elsewhere") }
            guard theirs.minorVersion == ours.minorVersion else { throw fail("the versions differ") }
            guard kind != .requests || theirs.target == ours.target else { throw fail("the targets differ") }
        }
    }

    /// The outcome does not depend on how the bytes are split, and what came of a part is what comes of the whole. All places are
    /// tried for short streams, some for long ones.
    public static func splitsDoNotMatter(_ bytes: [UInt8], kind: ScannedStream.Kind, whole: [ScanEvent])
        throws(BrokenSplitLaw)
    {
        let step = bytes.count <= 1_024 ? 1 : bytes.count / 256 + 1
        for place in Swift.stride(from: 0, through: bytes.count, by: step) {
            guard ScannedStream.events(bytes, kind: kind, splitAt: [place]) == whole else {
                throw BrokenSplitLaw(description: "split at \(place) it is something else than \(whole)")
            }
            let part = ScannedStream.events(Array(bytes[..<place]), kind: kind)
            guard isBeginning(part, of: whole) else {
                throw BrokenSplitLaw(description: "cut at \(place) it is \(part), not the beginning of \(whole)")
            }
        }
        if bytes.count <= 4_096 {
            guard ScannedStream.events(bytes, kind: kind, splitAt: Array(bytes.indices)) == whole else {
                throw BrokenSplitLaw(description: "byte by byte it is something else than \(whole)")
            }
        }
    }

    /// Whether the events of a part are those of the whole up to its end, where it wants more.
    private static func isBeginning(_ part: [ScanEvent], of whole: [ScanEvent]) -> Bool {
        guard let last = part.last else { return true }
        guard part.count <= whole.count || last == .moreHead,
            Array(part.dropLast()) == Array(whole.prefix(part.count - 1))
        else {
            return false
        }
        let same = part.count <= whole.count ? whole[part.count - 1] : nil
        switch last {
        case .moreHead: return true
        case .moreBody(let begun):
            guard case .message(let complete)? = same else {
                if case .refusedInBody(let refused, _)? = same {
                    return refused.from == begun.from && begun.end <= refused.end
                }
                if case .moreBody(let more)? = same { return more.from == begun.from && begun.end <= more.end }
                return false
            }
            return complete.from == begun.from && begun.end < complete.end && begun.start == complete.start
        // A body that ends with its connection ends where the bytes do.
        case .message(let complete) where complete.endsWithConnection: return true
        case .message, .http2, .refused, .refusedInBody: return last == same
        }
    }
}
