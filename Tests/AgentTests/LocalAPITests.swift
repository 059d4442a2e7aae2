import Foundation
import Testing

@testable import Agent

/// The lines of the local API, letter by letter: other programs read them.
@Suite struct LocalAPITests {
    private let codec = MessageCodec()

    @Test("requests are written as docs/reference/local-api.md shows them", arguments: APIMessages.requests)
    func requests(sample: APIMessages.Sample<APIRequest>) throws { try check(sample) }

    @Test("replies are written as docs/reference/local-api.md shows them", arguments: APIMessages.replies)
    func replies(sample: APIMessages.Sample<APIReply>) throws { try check(sample) }

    private func check<Message: Equatable>(_ sample: APIMessages.Sample<Message>) throws {
        #expect(String(decoding: try codec.encode(sample.message), as: UTF8.self) == sample.line + "\n")
        #expect(try codec.decode(Message.self, from: Array(sample.line.utf8)) == sample.message)
        #expect(try page().contains("\n\(sample.line)\n"), "docs/reference/local-api.md lacks \(sample.line)")
    }

    @Test("there is a sample of every type, and the page names every type, field, state, condition and error code")
    func complete() throws {
        #expect(Set(APIMessages.requests.map(\.message.kind)) == Set(APIRequest.Kind.allCases))
        #expect(Set(APIMessages.replies.map(\.message.kind)) == Set(APIReply.Kind.allCases))
        let page = try page()
        let words =
            APIRequest.Kind.allCases.map(\.rawValue) + APIReply.Kind.allCases.map(\.rawValue)
            + APIError.Code.allCases.map(\.rawValue) + Condition.Kind.allCases.map(\.rawValue)
            + EndpointReport.State.allCases.map(\.rawValue)
            + APIMessages.replies.flatMap { fields(of: $0.line) } + APIMessages.requests.flatMap { fields(of: $0.line) }
        for word in Set(words) { #expect(page.contains("`\(word)`"), "docs/reference/local-api.md lacks \(word)") }
    }

    /// Names of fields in a line: strings before a colon.
    private func fields(of line: String) -> [String] {
        line.matches(of: /"([A-Za-z]+)":/).map { String($0.1) }.filter { $0 != "tcx" }
    }

    private func page() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "docs/reference/local-api.md"), encoding: .utf8)
    }
}
