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

    /// A pod's policy in one direction.
    private struct Side: Hashable {
        var subject: String
        var direction: Direction
    }

    /// Explanations kept; a scan of many ports must not let memory grow without limit.
    static let cacheLimit = 4096
    /// Policies of pods kept, each in one direction.
    static let policyLimit = 256
    /// What a default deny says where nobody had the time to look for the rule that came nearest.
    static let notLookedFor = "not looked for: there is more to explain than there is time for"

    /// Resolves addresses.
    private let names: ReferenceEvaluator
    /// Says which rule nearly matched; `nil` where that is not looked for.
    var explainer: ReferenceEvaluator?
    private let slots: [UInt32: String]
    private let identities: [UInt32: String]
    private let hits: RuleHitIndex
    private var cache: [Question: NearMiss?] = [:]
    private var policies: [Side: SubjectPolicy] = [:]

    /// Resolves records by one generation's tables.
    ///
    /// - Parameters:
    ///   - names: resolves addresses, by the objects in force.
    ///   - explainer: says which rule nearly matched, by the policies in force.
    ///   - slots: slot in np_endpoints to `namespace/name`.
    ///   - identities: number to what it stands for.
    ///   - hits: what counters stand for.
    init(
        names: ReferenceEvaluator, explainer: ReferenceEvaluator?, slots: [UInt32: String],
        identities: [UInt32: String], hits: RuleHitIndex
    ) {
        self.names = names
        self.explainer = explainer
        self.slots = slots
        self.identities = identities
        self.hits = hits
    }

    /// Resolves by one evaluator that knows both.
    init(
        evaluator: ReferenceEvaluator, slots: [UInt32: String], identities: [UInt32: String], hits: RuleHitIndex
    ) {
        self.init(names: evaluator, explainer: evaluator, slots: slots, identities: identities, hits: hits)
    }

    /// Resolves by the tables of a generation, without explanations.
    init(_ generation: Generation) {
        self.init(
            names: generation.names, explainer: nil, slots: generation.slots.mapValues { "\($0.key)" },
            identities: generation.identities, hits: generation.hits)
    }

    /// Whether the verdict of a record is explained by more than its numbers.
    static func isExplained(_ record: VerdictRecord) -> Bool {
        VerdictReason(rawValue: record.reason) == .policyDefault
    }

    /// The verdict of a record of a packet at `time`, milliseconds since 1970. `refused`: the name that it was refused for.
    mutating func resolve(_ record: VerdictRecord, time: UInt64, refused: NameRecord? = nil) -> FlowVerdict {
        let subject = slots[UInt32(record.slot)] ?? "endpoint \(record.slot)"
        let isFromRemote = isFromRemote(record, subject: subject)
        let remote = isFromRemote ? record.source : record.destination
        var verdict = FlowVerdict(
            timeMilliseconds: time, isDrop: record.isDrop,
            direction: "\(record.direction)", subject: subject,
            source: end(record.source, record.sourcePort, record, isRemote: isFromRemote),
            destination: end(
                record.destination, record.destinationPort, record, isRemote: !isFromRemote),
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
        if let refused {
            verdict.name = refused.name
            // It was asked, and does not allow the name.
            verdict.rule = nil
            verdict.nearestMiss = NearestNameRule(refused, hits)?.sentence(refused.name)
        }
        if VerdictResolver.isExplained(record) {
            let question = Question(
                subject: subject, direction: record.direction, remote: remote,
                isMasqueraded: record.isMasqueraded, protocol: record.protocol, port: record.destinationPort)
            switch nearestMiss(question) {
            case .found(let miss):
                verdict.nearestMiss = "\(miss.rule.origin): \(miss.sentences.joined(separator: ", and "))"
            case .nothing: verdict.nearestMiss = nil
            case .notLookedFor: verdict.nearestMiss = VerdictResolver.notLookedFor
            }
        }
        return verdict
    }

    /// Whether the other end sent the packet. Of an answer in a flow the direction is that of the flow, whose policy was asked: there
    /// the end that the direction would have as the other one is the subject itself.
    private func isFromRemote(_ record: VerdictRecord, subject: String) -> Bool {
        let isIngress = record.direction == .ingress
        let (usual, other) = isIngress ? (record.source, record.destination) : (record.destination, record.source)
        let isAnswer = isOwn(usual, subject) && !isOwn(other, subject)
        return isIngress != isAnswer
    }

    /// Whether an address is the subject's.
    private func isOwn(_ address: IPAddress, _ subject: String) -> Bool {
        switch names.view.owner(of: address) {
        case .pod(let pod): pod.qualifiedName == subject
        // The node itself is the subject without a namespace.
        case .node(let name): name == names.view.localNode && !subject.contains("/")
        case .outside, .contested: false
        }
    }

    private func end(_ address: IPAddress, _ port: UInt16, _ record: VerdictRecord, isRemote: Bool) -> FlowVerdict.End {
        var end = FlowVerdict.End(
            address: "\(address)", port: record.protocol.hasPorts ? port : nil, pod: nil, identity: nil)
        switch names.view.owner(of: address) {
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

    /// What came of a look for the rule that nearly matched.
    private enum Nearest {
        case found(NearMiss)
        case nothing
        case notLookedFor
    }

    private mutating func nearestMiss(_ question: Question) -> Nearest {
        if let known = cache[question] { return known.map(Nearest.found) ?? .nothing }
        guard let explainer else { return .notLookedFor }
        let names = question.subject.split(separator: "/", maxSplits: 1).map(String.init)
        guard names.count == 2, let subject = explainer.view.pod(names[0], names[1]) else { return .nothing }
        let policy = policy(of: subject, question, explainer)
        let remote = policy.decidingEnd(
            subject: subject, question.direction,
            remote: question.isMasqueraded
                ? explainer.view.remoteEnd(masqueradedAs: question.remote)
                : explainer.view.remoteEnd(address: question.remote, seenFrom: explainer.view.node(of: subject)),
            protocol: question.protocol, port: question.port)
        let miss = policy.nearMisses(
            FlowSide(
                subject: subject, direction: question.direction, remote: remote, protocol: question.protocol,
                port: question.port), limit: 1
        ).first
        if cache.count >= VerdictResolver.cacheLimit { cache = [:] }
        cache[question] = .some(miss)
        return miss.map(Nearest.found) ?? .nothing
    }

    private mutating func policy(
        of subject: Pod, _ question: Question, _ explainer: ReferenceEvaluator
    ) -> SubjectPolicy {
        let side = Side(subject: question.subject, direction: question.direction)
        if let known = policies[side] { return known }
        let policy = explainer.subjectPolicy(for: subject, question.direction)
        if policies.count >= VerdictResolver.policyLimit { policies = [:] }
        policies[side] = policy
        return policy
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
