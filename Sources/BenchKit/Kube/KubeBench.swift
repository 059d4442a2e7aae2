import Agent
import KubeClient
import KubeObjects
import PolicyAPI
import Support

/// Measures what following the Pods of an API server costs: reading lists and events, and keeping what policies use.
public struct KubeBench: Sendable {
    /// What was found.
    public struct Finding: Hashable, Sendable {
        /// What was measured.
        public var name: String
        /// The value with its unit.
        public var value: String
        /// The goal in words; empty for none.
        public var goal: String
        /// Whether the goal is met.
        public var isMet: Bool
    }

    /// Why nothing can be measured.
    public struct Failure: Error, CustomStringConvertible {
        /// What is wrong.
        public let description: String
    }

    private static let counts = [10_000, 100_000]
    private static let podsASecond = 50_000.0
    private static let memory = [60 << 20, 400 << 20]
    private static let eventShare = 0.2
    /// Objects of a page, as the agent asks for them.
    private static let pageLimit = WatchSettings().pageLimit

    private let template = PodTemplate()
    private let counts: [Int]

    /// A bench of 10,000 and 100,000 Pods; a short one shows only that it runs.
    public init(isShort: Bool = false) { counts = isShort ? [1_000] : KubeBench.counts }

    /// Measures everything.
    ///
    /// - Parameter found: called with each finding as it comes.
    /// - Throws: when the Pods are not read as they should be.
    public func run(_ found: (Finding) -> Void) throws(Failure) {
        for (index, count) in counts.enumerated() {
            let list = try readList(count)
            let rate = Double(count) / (Double(list.nanoseconds) / 1e9)
            found(
                Finding(
                    name: "list of \(count) Pods, \(list.bytes >> 20) MiB of JSON",
                    value: "\(Int(rate)) Pods a second of CPU", goal: ">= 50000", isMet: rate >= KubeBench.podsASecond))
            let limit = KubeBench.memory[index]
            found(
                Finding(
                    name: "  resident memory of this process with these Pods",
                    value: "\(list.resident >> 20) MiB (before: \(list.before >> 20))", goal: "<= \(limit >> 20) MiB",
                    isMet: list.resident <= limit))
        }
        let nanoseconds = try readEvents(counts[0])
        let share = Double(nanoseconds) * 1_000 / 1e9
        found(
            Finding(
                name: "decoding 1000 Pod events a second",
                value: "\(Quantity.fixed(share * 100, places: 1)) % of a core",
                goal: "<= 20 %", isMet: share <= KubeBench.eventShare))
    }

    /// Measures what a Pod costs an agent: its decoding from an event, and the memory of one of 10,000.
    ///
    /// - Parameter costs: takes the figures.
    /// - Throws: when the Pods are not read as they should be.
    public func measure(_ costs: inout ScaleCosts) throws(Failure) {
        let count = counts[0]
        let list = try readList(count)
        costs.podMemory = Double(max(list.resident - list.before, 0)) / Double(count)
        costs.podDecode = Double(try readEvents(count))
    }

    private struct ListCost {
        var nanoseconds: UInt64 = 0
        var bytes = 0
        var before = 0
        var resident = 0
    }

    /// Reads a list as the agent does, page by page (`ListPage`, `ObjectHead`, `WireObjectDecoder`), and keeps its Pods.
    private func readList(_ count: Int) throws(Failure) -> ListCost {
        try checkTemplate()
        var cost = ListCost()
        cost.before = ResidentMemory.bytes
        var pods: [ClusterObject] = []
        let decoder = WireObjectDecoder()
        var first = 0
        while first < count {
            let numbers = first..<min(first + KubeBench.pageLimit, count)
            first = numbers.upperBound
            let text = page(numbers, isLast: first == count)
            cost.bytes += text.count
            let begin = ThreadCPU.time()
            do throws(EnvelopeFailure) {
                let page = try ListPage(parsing: text)
                for item in page.items {
                    let head = try ObjectHead(scanning: page.bytes[item])
                    pods.append(try KubeBench.pod(decoder, page.bytes[item], head))
                }
            } catch {
                throw Failure(description: "\(error)")
            }
            cost.nanoseconds += ThreadCPU.time() - begin
        }
        cost.resident = ResidentMemory.bytes
        guard pods.count == count else { throw Failure(description: "\(pods.count) of \(count) Pods were read") }
        return cost
    }

    /// A page of a list, as an API server answers.
    private func page(_ numbers: Range<Int>, isLast: Bool) -> [UInt8] {
        let next = isLast ? "" : #","continue":"next""#
        var text = Array(
            #"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9"\#(next)},"items":["#.utf8)
        for number in numbers {
            if number > numbers.lowerBound { text.append(UInt8(ascii: ",")) }
            template.write(.number(number), version: number, to: &text)
        }
        text += "]}".utf8
        return text
    }

    private static func pod(
        _ decoder: WireObjectDecoder, _ bytes: ArraySlice<UInt8>, _ head: ObjectHead
    ) throws(EnvelopeFailure) -> ClusterObject {
        switch decoder.decode(.pod, bytes, head: head, apiVersion: "v1") {
        case .good(let object, _): return object
        case .refused(let refused): throw EnvelopeFailure("\(refused.diagnostics)")
        }
    }

    /// The exact path, which is for what the pass over bytes finds odd, is not what is measured.
    private func checkTemplate() throws(Failure) {
        var text: [UInt8] = []
        template.write(.number(0), version: 0, to: &text)
        var decoder = WireDecoder(kind: "Pod", apiVersion: "v1")
        guard decoder.decode(text).object != nil, decoder.exactCount == 0 else {
            throw Failure(description: "a Pod is not read in one pass")
        }
    }

    /// Nanoseconds that one event of a Pod takes.
    private func readEvents(_ count: Int) throws(Failure) -> UInt64 {
        let decoder = WireObjectDecoder()
        var texts: [[UInt8]] = []
        for number in 0..<200 {
            var text = Array(#"{"type":"MODIFIED","object":{"kind":"Pod","apiVersion":"v1","#.utf8)
            var object: [UInt8] = []
            template.write(.number(number), version: number, to: &object)
            text += object.dropFirst()
            text.append(UInt8(ascii: "}"))
            texts.append(text)
        }
        var read = 0
        let nanoseconds = ThreadCPU.time(of: {
            for number in 0..<count {
                guard let line = try? WatchLine(parsing: texts[number % texts.count][...]),
                    (try? KubeBench.pod(decoder, line.object, line.head)) != nil
                else { continue }
                read += 1
            }
        })
        guard read == count else { throw Failure(description: "\(read) of \(count) events were read") }
        return nanoseconds / UInt64(count)
    }
}
