internal import HTTPScan

/// What must hold of any bytes that are taken for HTTP/1: the laws of `SplitLaw`. The fuzz target asks them of millions of inputs,
/// the tests of the corpus and of what comes of changing it.
public enum HTTPLaws {
    private static let kinds: [ScannedStream.Kind] = [
        .requests, .requests, .requests, .responses(.get, .none), .responses(.head, .none),
        .responses(.get, .webSocket),
    ]

    /// Checks an input: the first byte chooses the kind of messages, the second a place to split, the rest is the stream.
    public static func check(_ input: [UInt8]) throws(BrokenSplitLaw) {
        guard input.count > 2 else { return }
        let bytes = Array(input[2...])
        let kind = kinds[Int(input[0]) % kinds.count]
        let events = ScannedStream.events(bytes, kind: kind)
        try SplitLaw.llhttpAgrees(bytes, kind: kind, events: events)
        let place = Int(input[1]) * bytes.count / 256
        var splits = [[place]]
        if bytes.count <= 512 { splits.append(Array(bytes.indices)) }
        for ends in splits where ScannedStream.events(bytes, kind: kind, splitAt: ends) != events {
            throw BrokenSplitLaw(description: "split at \(ends) it is something else than \(events)")
        }
    }

    /// An input for a case of the corpus.
    public static func input(_ expectation: SmugglingCase) -> [UInt8] {
        let kind = kinds.firstIndex { $0 == expectation.kind } ?? 0
        return [UInt8(kind), 128] + expectation.bytes
    }
}
