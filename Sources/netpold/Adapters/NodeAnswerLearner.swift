import Datapath
import L7Proxy
import NIOCore
import ProxyRules
import Support

/// Learns for the pod that asked, by the datapath's own rules.
struct NodeAnswerLearner: AnswerLearner {
    private let flows: ProxiedFlows
    private let lessons: DNSLessons

    init(_ flows: ProxiedFlows, _ lessons: DNSLessons) {
        self.flows = flows
        self.lessons = lessons
    }

    var dropsInexact: Bool { lessons.dropsInexact }

    func learn(
        _ message: [UInt8], of client: SocketAddress, to local: SocketAddress, for columns: LearntColumns?
    ) -> AnswerFate {
        // The pod's slot as of now: while its connection is there, it is.
        guard let from = client.end, let to = local.end,
            let side = try? flows.sides(client: from, server: to).client,
            let outcome = try? lessons.teach(
                message, resolver: to.address, client: from.address, slot: side.slot,
                columns: (columns?.numbering ?? 0, columns?.columns ?? 0))
        else { return lessons.dropsInexact ? .withheld : .unlearnt }
        switch outcome {
        case .taken: return .learnt
        case .refused: return .unlearnt
        case .withheld: return .withheld
        }
    }
}
