import BPFEmit
import NetTypes
import PolicyAPI
import PolicyAnalysis
import PolicyIR

/// Turns records of numbers into verdicts with names, for one state of the node.
struct VerdictResolver: Sendable {
    /// A default deny that was explained already.
    private struct Question: Hashable {
        var subject: String
        var direction: Direction
        var remote: IPAddress
        var isMasqueraded: Bool
        var `protocol`: L4Protocol
        var port: UInt16
    }

    /// Explanations kept; a scan of many ports must not let memory grow without limit.
    static let cacheLimit = 4096

    private let evaluator: ReferenceEvaluator
    private let slots: [UInt32: String]
    private let identities: [UInt32: String]
    private let hits: RuleHitIndex
    private var cache: [Question: NearMiss?] = [:]

    /// Resolves records by one generation's tables.
    ///
    /// - Parameters:
    ///   - evaluator: explains which rule nearly matched, by the objects in force.
    ///   - slots: slot in np_endpoints to `namespace/name`.
    ///   - identities: number to what it stands for.
    ///   - hits: what counters stand for.
    init(
        evaluator: ReferenceEvaluator, slots: [UInt32: String], identities: [UInt32: String], hits: RuleHitIndex
    ) {
        self.evaluator = evaluator
        self.slots = slots
        self.identities = identities
        self.hits = hits
    }

    /// The verdict of a record read at `time`, milliseconds since 1970.
    mutating func resolve(_ record: VerdictRecord, time: UInt64) -> FlowVerdict {
        let subject = slots[UInt32(record.slot)] ?? "endpoint \(record.slot)"
        let remote = record.direction == .ingress ? record.source : record.destination
        var verdict = FlowVerdict(
            timeMilliseconds: time, isDrop: record.isDrop,
            direction: "\(record.direction)", subject: subject,
            source: end(record.source, record.sourcePort, record, isRemote: record.direction == .ingress),
            destination: end(
                record.destination, record.destinationPort, record, isRemote: record.direction == .egress),
            protocol: "\(record.protocol)", icmpType: record.protocol.isICMP ? record.destinationPort : nil,
            reason: VerdictReason.name(wire: record.reason), sentence: VerdictReason.sentence(wire: record.reason),
            rule: nil, isolatedBy: [], nearestMiss: nil, revision: record.revision, length: record.length)
        switch hits.meaning(of: record.ruleHit)?.meaning {
        case .rule(let bit):
            verdict.rule = FlowVerdict.Rule(bit.origin)
        case .defaultDeny(let isolating):
            verdict.isolatedBy = isolating.map(FlowVerdict.Rule.init)
        case .defaultAllow:
            verdict.sentence = "nothing isolates the pod in this direction, and no rule denies"
        case .host:
            verdict.sentence = "the node reaches its pods"
        case nil:
            break
        }
        if VerdictReason(rawValue: record.reason) == .policyDefault {
            let question = Question(
                subject: subject, direction: record.direction, remote: remote,
                isMasqueraded: record.isMasqueraded, protocol: record.protocol, port: record.destinationPort)
            verdict.nearestMiss = nearestMiss(question).map {
                "\($0.rule.origin): \($0.sentences.joined(separator: ", and "))"
            }
        }
        return verdict
    }

    private func end(_ address: IPAddress, _ port: UInt16, _ record: VerdictRecord, isRemote: Bool) -> FlowVerdict.End {
        var end = FlowVerdict.End(
            address: "\(address)", port: record.protocol.hasPorts ? port : nil, pod: nil, identity: nil)
        switch evaluator.view.owner(of: address) {
        case .pod(let pod): end.pod = pod.qualifiedName
        case .node(let name): end.identity = "node \(name)"
        case .outside, .contested: break
        }
        if isRemote, end.pod == nil {
            end.identity = identities[record.remoteIdentity] ?? "identity \(record.remoteIdentity)"
            if record.isMasqueraded { end.identity? += ", masqueraded as the node" }
            if record.isForNodeToo { end.identity? += ", where the node and the outside answer" }
        }
        return end
    }

    private mutating func nearestMiss(_ question: Question) -> NearMiss? {
        if let known = cache[question] { return known }
        let names = question.subject.split(separator: "/", maxSplits: 1).map(String.init)
        guard names.count == 2, let subject = evaluator.view.pod(names[0], names[1]) else { return nil }
        let policy = evaluator.subjectPolicy(for: subject, question.direction)
        let remote = policy.decidingEnd(
            subject: subject, question.direction,
            remote: question.isMasqueraded
                ? evaluator.view.remoteEnd(masqueradedAs: question.remote)
                : evaluator.view.remoteEnd(address: question.remote, seenFrom: evaluator.view.node(of: subject)),
            protocol: question.protocol, port: question.port)
        let miss = policy.nearMisses(
            FlowSide(
                subject: subject, direction: question.direction, remote: remote, protocol: question.protocol,
                port: question.port), limit: 1
        ).first
        if cache.count >= VerdictResolver.cacheLimit { cache = [:] }
        cache[question] = .some(miss)
        return miss
    }
}

extension FlowVerdict.Rule {
    /// A rule or policy by its origin.
    init(_ origin: RuleOrigin) {
        let object = origin.namespace.isEmpty ? origin.name : "\(origin.namespace)/\(origin.name)"
        self.init(
            object: "\(origin.kind) \(object)", path: origin.path, place: origin.location.map { "\($0)" })
    }
}
