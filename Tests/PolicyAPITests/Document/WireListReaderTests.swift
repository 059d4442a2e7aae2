import PolicyAPI
import Testing

/// Lists that come in pieces.
struct WireListReaderTests {
    /// The items and the rest of a list that comes in pieces of a size.
    private func read(_ bytes: [UInt8], pieces size: Int) throws -> (items: [[UInt8]], WireListReader.Envelope) {
        var reader = WireListReader()
        var items: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            try reader.read(bytes[start..<min(start + size, bytes.count)]) { items.append(Array($0)) }
        }
        return (items, try reader.finish())
    }

    @Test(arguments: [
        ("b/01-list-limit10.http", "PodList", 10), ("b/19-crd-list.http", "CiliumNetworkPolicyList", 2),
        ("b/18-empty-list.http", "PodList", 0),
    ])
    func piecesOfAnySize(_ name: String, _ kind: String, _ count: Int) throws {
        let body = try WireDecoderTests.body(name)
        let whole = try read(body, pieces: body.count)
        #expect(whole.items.count == count && whole.1.count == count && whole.1.kind == kind)
        #expect(Int(whole.1.resourceVersion) != nil && (whole.1.next != nil) == (name.hasPrefix("b/01")))
        for size in [1, 2, 7, 100, 2_048] {
            let parts = try read(body, pieces: size)
            #expect(parts.items == whole.items && parts.1 == whole.1)
        }
    }

    @Test func aListThatIsCutOffIsNone() throws {
        let body = Array(
            #"{"kind":"PodList","items":[{"a":"]}\"\\"},{"b":[{}]}],"metadata":{"resourceVersion":"5"}}"#.utf8)
        #expect(try read(body, pieces: 3).items.count == 2)
        for count in 0..<body.count {
            #expect(throws: WireListReader.Failure.self, "\(count)") { try read(Array(body[..<count]), pieces: 5) }
        }
    }

    @Test(arguments: [
        "", "null", "[]", "{}", #"{"items":[]}"#, #"{"metadata":{"resourceVersion":"5"}}"#,
        #"{"items":[1],"metadata":{"resourceVersion":"5"}}"#, #"{"items":[{},],"metadata":{"resourceVersion":"5"}}"#,
        #"{"items":[{}{}],"metadata":{"resourceVersion":"5"}}"#, #"{"items":[,{}],"metadata":{"resourceVersion":"5"}}"#,
        #"{"items":[],"items":[],"metadata":{"resourceVersion":"5"}}"#,
        #"{"items":[]}],"metadata":{"resourceVersion":"5"}}"#,
        #"{"items":[],"metadata":{"resourceVersion":5}}"#, #"{"items":{},"metadata":{"resourceVersion":"5"}}"#,
        #"{"x":{"items":[{}]},"metadata":{"resourceVersion":"5"}}"#, #"{"items":[]"metadata":{"resourceVersion":"5"}}"#,
        #"{"items":[],"metadata":{"resourceVersion":"5"}} x"#,
        #"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","code":410}"#,
    ])
    func whatIsNoListIsRefused(_ text: String) {
        for size in [1, 1_000] {
            #expect(throws: WireListReader.Failure.self) { try read(Array(text.utf8), pieces: size) }
        }
    }

    @Test(arguments: [
        #"{"items":null,"metadata":{"resourceVersion":"5"}}"#,
        #"{ "items" : [ ] , "metadata" : {"resourceVersion":"5"} }"#,
        #"{"metadata":{"resourceVersion":"5","x":{"items":[{"a":1}]}},"items":[]}"#,
        #"{"x":"\"items\":[","metadata":{"resourceVersion":"5"},"items":[]}"#,
    ])
    func whatIsAnEmptyListIsNot(_ text: String) throws {
        for size in [1, 1_000] { #expect(try read(Array(text.utf8), pieces: size).items.isEmpty) }
    }
}
