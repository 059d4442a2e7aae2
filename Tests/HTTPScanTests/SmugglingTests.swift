import HTTPScan
import HTTPTestSupport
import Testing

@Suite("The smuggling corpus")
struct SmugglingTests {
    static let cases = (try? SmugglingCase.all()) ?? []

    @Test("has at least 150 cases of at least ten classes, with names of their own")
    func size() throws {
        let all = try SmugglingCase.all()
        #expect(all.count >= 150)
        #expect(Set(all.map(\.group)).count >= 10)
        #expect(Set(all.map(\.description)).count == all.count)
    }

    @Test("each case is scanned as expected", arguments: cases)
    func scanned(case expectation: SmugglingCase) {
        let events = ScannedStream.events(expectation.bytes, kind: expectation.kind)
        #expect(events.map(\.description) == expectation.expected)
    }

    @Test("cut or split anywhere a case has the same outcome", arguments: cases)
    func split(case expectation: SmugglingCase) throws {
        let whole = ScannedStream.events(expectation.bytes, kind: expectation.kind)
        try SplitLaw.splitsDoNotMatter(expectation.bytes, kind: expectation.kind, whole: whole)
    }

    @Test("llhttp splits what is accepted into the same messages", arguments: cases)
    func llhttp(case expectation: SmugglingCase) throws {
        let events = ScannedStream.events(expectation.bytes, kind: expectation.kind)
        try SplitLaw.llhttpAgrees(expectation.bytes, kind: expectation.kind, events: events)
    }

    @Test("every refusal has a case")
    func everyRefusal() {
        let refused = Set(
            SmugglingTests.cases.flatMap(\.expected).compactMap { $0.split(separator: " ").last.map(String.init) })
        for refusal in Refusal.allCases { #expect(refused.contains(refusal.rawValue), "\(refusal.rawValue)") }
    }
}
