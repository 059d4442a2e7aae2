import Foundation
import Testing

@testable import KubeClient

/// What a real kube-apiserver said, read whole, byte by byte and cut at every byte.
struct RecordedAnswersTests {
    /// Watches that were recorded whole.
    static let watches = [
        "b/46-watch-compacted-rv-error-event.http", "d/02-watchlist-initial-events.http",
        "d/02c-watchlist-empty-ns.http", "d/03-watch-no-rv.http", "d/04-watch-rv0.http",
        "d/05b-watch-rv1-too-old-crd.http", "f/05-watch-crd-deleted.http", "d/02g-watchlist-future-rv.http",
        "f/04-watch-schema-change.http", "i/03-watch-doomed-networkpolicies.http", "d/08-watch-timeout-1.http",
    ]

    private func lines(_ bytes: [UInt8], chunk: Int) throws -> [[UInt8]] {
        var splitter = LineSplitter()
        var lines: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            lines += try splitter.take(bytes[start..<min(start + chunk, bytes.count)]).map { Array($0) }
        }
        #expect(splitter.pending == 0)
        return lines
    }

    @Test(arguments: watches) func chunksAreNoEvents(name: String) throws {
        let recording = try Recording(name)
        #expect(recording.status == 200 && !recording.isTrimmed)
        let whole = try lines(recording.body, chunk: recording.body.count + 1)
        #expect(!whole.isEmpty || name.hasPrefix("d/08"))
        for chunk in [1, 2, 3, 7, 64, 1000] { #expect(try lines(recording.body, chunk: chunk) == whole) }
        for line in whole {
            let event = try WatchLine(parsing: line[...])
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
            let inner = try #require(object["object"] as? [String: Any])
            let metadata = inner["metadata"] as? [String: Any]
            #expect(event.head.name == metadata?["name"] as? String ?? "")
            #expect(event.head.namespace == metadata?["namespace"] as? String ?? "")
            #expect(event.head.resourceVersion == metadata?["resourceVersion"] as? String ?? "")
            #expect(event.head.hasKind == (inner["kind"] != nil))
            let same = try JSONSerialization.jsonObject(with: Data(event.object)) as? NSDictionary
            #expect(same == inner as NSDictionary)
        }
    }

    /// A connection that breaks in the middle of a line: what came before is whole, and the rest is no event.
    @Test(arguments: watches) func aStreamCutAnywhereGivesOnlyWholeEvents(name: String) throws {
        let body = try Recording(name).body
        let whole = try lines(body, chunk: body.count + 1)
        for cut in 0..<body.count {
            var splitter = LineSplitter()
            let got = try splitter.take(body[..<cut]).map { Array($0) }
            #expect(got == Array(whole.prefix(got.count)))
            #expect(got.reduce(0) { $0 + $1.count + 1 } + splitter.pending == cut)
        }
        for line in whole.prefix(3) {
            for cut in 0..<line.count where cut < 400 || cut % 97 == 0 {
                #expect(throws: EnvelopeFailure.self) { try WatchLine(parsing: line[..<cut]) }
            }
        }
    }

    @Test func theEndOfInitialEventsIsSeen() throws {
        let bookmarks = try lines(try Recording("d/02-watchlist-initial-events.http").body, chunk: 9).compactMap {
            let line = try WatchLine(parsing: $0[...])
            return line.kind == .bookmark ? line.head : nil
        }
        #expect(bookmarks.map(\.endsInitialEvents) == [true])
        #expect(bookmarks.allSatisfy { !$0.resourceVersion.isEmpty && $0.name.isEmpty })
    }

    @Test(arguments: [
        ("b/46-watch-compacted-rv-error-event.http", 410, "Expired"), ("f/04d-rewatch-at-old-rv.http", 410, "Expired"),
        ("d/02g-watchlist-future-rv.http", 504, "Timeout"), ("m/01-nocache-watch-rv1.http", 410, "Expired"),
    ])
    func errorsAreStatusObjects(name: String, code: Int, reason: String) throws {
        let last = try #require(try lines(try Recording(name).body, chunk: 11).last)
        let line = try WatchLine(parsing: last[...])
        #expect(line.kind == .error)
        let status = try #require(StatusObject(parsing: line.object))
        #expect(status.code == code && status.reason == reason && !status.message.isEmpty)
    }

    @Test(arguments: [
        ("b/01-list-limit10.http", 10, true), ("b/01-list-limit10-page4.http", 3, false),
        ("b/18-empty-list.http", 0, false),
        ("b/19-crd-list.http", 1, false), ("b/20-clusterwide.http", 1, false), ("b/12-rv-old-exact.http", 0, false),
        ("b/30-crd-cidrgroup-v2alpha1.http", 1, false),
    ])
    func listsAreCutIntoObjects(name: String, least: Int, goesOn: Bool) throws {
        let recording = try Recording(name)
        try #require(!recording.isTrimmed)
        let page = try ListPage(parsing: recording.body)
        let list = try #require(try JSONSerialization.jsonObject(with: Data(recording.body)) as? [String: Any])
        let items = list["items"] as? [[String: Any]] ?? []
        let metadata = try #require(list["metadata"] as? [String: Any])
        #expect(page.items.count >= least && page.items.count == items.count)
        #expect(page.resourceVersion == metadata["resourceVersion"] as? String)
        // Lists of custom resources have an empty one on their last page.
        let next = (metadata["continue"] as? String).flatMap { $0.isEmpty ? nil : $0 }
        #expect((page.next != nil) == goesOn && page.next == next)
        for (place, item) in zip(page.items, items) {
            let bytes = page.bytes[place]
            #expect(try JSONSerialization.jsonObject(with: Data(bytes)) as? NSDictionary == item as NSDictionary)
            let head = try ObjectHead(scanning: bytes)
            let own = item["metadata"] as? [String: Any]
            #expect(head.name == own?["name"] as? String)
            #expect(head.hasKind == (item["kind"] != nil) && head.hasAPIVersion == (item["apiVersion"] != nil))
        }
        // Cut anywhere, it is no list.
        for cut in 0..<recording.body.count - 1 where cut < 300 || cut % 331 == 0 {
            #expect(throws: EnvelopeFailure.self) { try ListPage(parsing: Array(recording.body[..<cut])) }
        }
    }

    @Test func textIsNoStatus() throws {
        for name in ["k/01-429-max-inflight.http", "e/08-404-group.http", "k/05-429-apf-queue-full.http"] {
            #expect(StatusObject(parsing: try Recording(name).body) == nil)
        }
        let status = try #require(StatusObject(parsing: try Recording("f/04c-rewatch-429.http").body))
        #expect(
            status
                == StatusObject(
                    code: 429, reason: "TooManyRequests", message: "storage is (re)initializing", retryAfter: 1))
        #expect(StatusObject(parsing: try Recording("b/43-continue-expired-410.http").body)?.code == 410)
    }

    @Test func linesHaveALimit() {
        var splitter = LineSplitter(limit: 10)
        #expect(throws: LineSplitter.TooLong(limit: 10)) { try splitter.take(Array(repeating: 0x20, count: 11)) }
        var ended = LineSplitter(limit: 10)
        #expect(throws: LineSplitter.TooLong(limit: 10)) {
            try ended.take(Array("\n".utf8) + Array(repeating: 0x20, count: 11) + Array("\n".utf8))
        }
        var good = LineSplitter(limit: 10)
        #expect(throws: Never.self) { try good.take(Array("0123456789\n\n\r\n".utf8)) }
    }

    @Test(arguments: [
        "", "[]", "{}", "null", "{\"items\":[]}", "{\"items\":[],\"metadata\":{}}",
        "{\"metadata\":{\"resourceVersion\":\"1\"}}",
        "{\"items\":[{},\"metadata\":{\"resourceVersion\":\"1\"}}",
        "{\"items\":[{}],\"metadata\":{\"resourceVersion\":\"1\"}}x",
        "{\"items\":[{}{}],\"metadata\":{\"resourceVersion\":\"1\"}}",
        "{\"items\":{},\"metadata\":{\"resourceVersion\":1}}",
        "404 page not found", "{\"kind\":\"Status\",\"code\":200}",
    ])
    func whatIsNoListIsRefused(text: String) {
        #expect(throws: EnvelopeFailure.self) { try ListPage(parsing: Array(text.utf8)) }
    }

    @Test func whatHasNoItemsSaysNothingOfWhatThereIs() throws {
        for items in ["{}", "0", "\"\"", "false"] {
            let text = "{\"kind\":\"PodList\",\"items\":\(items),\"metadata\":{\"resourceVersion\":\"9\"}}"
            #expect(throws: EnvelopeFailure.self) { try ListPage(parsing: Array(text.utf8)) }
        }
        let other = #"{"kind":"Foo","items":[],"metadata":{"resourceVersion":"9"}}"#
        #expect(throws: EnvelopeFailure.self) { try ListPage(parsing: Array(other.utf8)) }
        let none = #"{"kind":"PodList","items":null,"metadata":{"resourceVersion":"9"}}"#
        #expect(try ListPage(parsing: Array(none.utf8)).items.isEmpty)
    }

    @Test("a list of another kind, or of another version, says nothing of what there is")
    func listsOfSomethingElseAreRefused() throws {
        let pods = ListForm(kind: "PodList", apiVersion: "v1")
        func list(_ kind: String, _ apiVersion: String, _ items: String = #","items":[]"#) -> [UInt8] {
            let head = #""kind":"\#(kind)","apiVersion":"\#(apiVersion)""#
            return Array(#"{\#(head),"metadata":{"resourceVersion":"9"}\#(items)}"#.utf8)
        }
        for (kind, apiVersion) in [("ConfigMapList", "v1"), ("PodList", "v2"), ("PodList", ""), ("List", "v1")] {
            #expect(throws: EnvelopeFailure.self) { try ListPage(parsing: list(kind, apiVersion), as: [pods]) }
            #expect(throws: EnvelopeFailure.self) {
                try ListPage(parsing: list(kind, apiVersion, #","items":null"#), as: [pods])
            }
        }
        for items in [#","items":[]"#, #","items":null"#, ""] {
            #expect(try ListPage(parsing: list("PodList", "v1", items), as: [pods]).items.isEmpty)
        }
        let odd = list("PodList", "v1", #","items":{}"#)
        #expect(throws: EnvelopeFailure.self) { try ListPage(parsing: odd, as: [pods]) }
        let whole = try Recording("b/19-crd-list.http").body
        let form = ListForm(kind: "CiliumNetworkPolicyList", apiVersion: "cilium.io/v2")
        #expect(try !ListPage(parsing: whole, as: [form]).items.isEmpty)
        #expect(throws: EnvelopeFailure.self) { try ListPage(parsing: whole, as: [pods]) }
    }

    @Test func escapesInNamesAreRead() throws {
        let head = try ObjectHead(
            scanning: Array(#"{"metadata":{"name":"a\u0062\"c","namespace":"x\\"},"z":"}\""}"#.utf8))
        #expect(head.name == "ab\"c" && head.namespace == "x\\")
        #expect(try ObjectHead(scanning: Array(#"{"metadata":null}"#.utf8)).name.isEmpty)
    }
}
