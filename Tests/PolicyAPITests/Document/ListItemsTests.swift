import Testing

@testable import PolicyAPI

/// Where the items of a list are.
struct ListItemsTests {
    /// The items of a list, which says besides what it is.
    static func read(_ bytes: [UInt8]) throws -> [[UInt8]] {
        try bytes.withUnsafeBytes { all in
            let items = try ListItems(in: all)
            _ = try items.document()
            return items.ranges.map { Array(all[$0]) }
        }
    }

    @Test(arguments: [
        ("b/01-list-limit10.http", "PodList", 10), ("b/19-crd-list.http", "CiliumNetworkPolicyList", 2),
        ("b/18-empty-list.http", "PodList", 0),
    ])
    func recordedListsAreCut(_ name: String, _ kind: String, _ count: Int) throws {
        let body = try WireDecoderTests.body(name)
        let items = try ListItemsTests.read(body)
        #expect(items.count == count)
        for item in items {
            let read = DocumentReader.read(item, file: "item.json")
            #expect(read.diagnostics.isEmpty && read.documents.count == 1 && read.documents[0].members != nil)
        }
        let document = try body.withUnsafeBytes { try ListItems(in: $0).document() }
        #expect(document["kind"]?.string == kind && document["items"]?.elements?.isEmpty == true)
    }

    @Test func aListThatIsCutOffIsNone() throws {
        let body = Array(
            #"{"kind":"PodList","items":[{"a":"]}\"\\"},{"b":[{}],"c":"twenty bytes and more: \"}"}],"metadata":{}}"#
                .utf8)
        #expect(try ListItemsTests.read(body).count == 2)
        for count in 0..<body.count {
            #expect(throws: ListItems.Failure.self, "\(count)") { try ListItemsTests.read(Array(body[..<count])) }
        }
    }

    @Test(arguments: [
        "", "null", "[]", "{}", #"{"metadata":{"resourceVersion":"5"}}"#, #"{"items":[1]}"#, #"{"items":[{},]}"#,
        #"{"items":[{}{}]}"#, #"{"items":[,{}]}"#, #"{"items":[],"items":[]}"#, #"{"items":[]}]}"#, #"{"items":{}}"#,
        #"{"x":{"items":[{}]}}"#, #"{"items":[]"metadata":{"resourceVersion":"5"}}"#, #"{"items":[]} x"#,
        #"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","code":410}"#,
    ])
    func whatIsNoListIsRefused(_ text: String) {
        #expect(throws: ListItems.Failure.self) { try ListItemsTests.read(Array(text.utf8)) }
    }

    @Test(arguments: [
        #"{"items":null}"#, #"{ "items" : [ ] , "metadata" : {"resourceVersion":"5"} }"#,
        #"{"metadata":{"resourceVersion":"5","x":{"items":[{"a":1}]}},"items":[]}"#,
        #"{"x":"\"items\":[","metadata":{"resourceVersion":"5"},"items":[]}"#,
    ])
    func whatIsAnEmptyListIsNot(_ text: String) throws {
        #expect(try ListItemsTests.read(Array(text.utf8)).isEmpty)
    }
}
