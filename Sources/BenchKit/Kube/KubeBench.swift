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

    /// Reads a list that comes in pieces of 16 kB, as from a socket, and keeps its Pods.
    private func readList(_ count: Int) throws(Failure) -> ListCost {
        var cost = ListCost()
        cost.before = ResidentMemory.bytes
        var pods: [ClusterObject] = []
        var decoder = WireDecoder(kind: "Pod", apiVersion: "v1")
        var reader = WireListReader()
        var text = Array(#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":["#.utf8)
        var problem: String?
        for number in 0..<count {
            if number > 0 { text.append(UInt8(ascii: ",")) }
            template.write(.number(number), version: number, to: &text)
            if number == count - 1 { text += "]}".utf8 }
            guard text.count > 1 << 20 || number == count - 1 else { continue }
            cost.bytes += text.count
            let begin = ThreadCPU.time()
            for start in stride(from: 0, to: text.count, by: 1 << 14) {
                do throws(WireListReader.Failure) {
                    try reader.read(text[start..<min(start + (1 << 14), text.count)]) { bytes in
                        let decoded = decoder.decode(bytes)
                        if let object = decoded.object {
                            pods.append(object)
                        } else {
                            problem = "\(decoded.diagnostics)"
                        }
                    }
                } catch {
                    throw Failure(description: error.description)
                }
            }
            cost.nanoseconds += ThreadCPU.time() - begin
            text.removeAll(keepingCapacity: true)
        }
        cost.resident = ResidentMemory.bytes
        guard problem == nil, pods.count == count, decoder.exactCount == 0 else {
            throw Failure(description: problem ?? "\(pods.count) Pods, \(decoder.exactCount) by the exact path")
        }
        return cost
    }

    /// Nanoseconds that one event of a Pod takes.
    private func readEvents(_ count: Int) throws(Failure) -> UInt64 {
        var decoder = WireDecoder(kind: "Pod", apiVersion: "v1")
        var texts: [[UInt8]] = []
        for number in 0..<200 {
            var text: [UInt8] = []
            template.write(.number(number), version: number, to: &text)
            texts.append(Array(#"{"kind":"Pod","apiVersion":"v1","#.utf8) + text.dropFirst())
        }
        var read = 0
        let nanoseconds = ThreadCPU.time(of: {
            for number in 0..<count where decoder.decode(texts[number % texts.count]).object != nil { read += 1 }
        })
        guard read == count else { throw Failure(description: "\(read) of \(count) events were read") }
        return nanoseconds / UInt64(count)
    }
}
