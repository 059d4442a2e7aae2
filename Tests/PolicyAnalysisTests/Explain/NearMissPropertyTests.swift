import NetpoldTestSupport
import Testing

@testable import NetTypes
@testable import PolicyAPI
@testable import PolicyAnalysis
@testable import PolicyIR

/// What is said of near misses, over random clusters: judged by the matching code, which knows nothing of explanations.
@Suite("Correctness of near misses")
struct NearMissPropertyTests {
    private static let trafficKinds: Set<FailedCondition.Kind> = [.port, .portName, .protocol, .icmpType]

    private struct Case {
        let cluster: NetpoldTestSupport.RandomCluster
        let evaluator: ReferenceEvaluator
        let explanation: SideExplanation
        let side: FlowSide
        let policy: SubjectPolicy
    }

    /// Calls `body` with sides of random flows that satisfy `wanted`.
    private func forEach(seeds: Range<UInt64>, _ body: (Case) throws -> Void) throws {
        for seed in seeds {
            let cluster = NetpoldTestSupport.RandomCluster(seed: seed)
            let evaluator = ReferenceEvaluator(
                cluster.objects, policies: cluster.policies, localNode: cluster.localNode)
            var random = SplitMix64(seed: seed ^ 0xe4a1)
            for _ in 0..<30 {
                guard let (from, to) = cluster.flowEnds(&random) else { break }
                let (proto, port) = NetpoldTestSupport.RandomCluster.traffic(isIPv4: from.isIPv4, &random)
                let explanation = try evaluator.explain(
                    Flow(from: .address(from), to: .address(to), protocol: proto, port: port))
                for side in [explanation.egress, explanation.ingress] {
                    guard let seen = side.side, let subject = seen.subject else { continue }
                    try body(
                        Case(
                            cluster: cluster, evaluator: evaluator, explanation: side, side: seen,
                            policy: evaluator.subjectPolicy(for: subject, seen.direction)))
                }
            }
        }
    }

    @Test(
        "A rule reported as a near miss does not match; its conditions that are not listed do, and the listed ones do not"
    )
    func partsAreTrue() throws {
        var told = 0
        try forEach(seeds: 0..<100) { one in
            let misses = one.explanation.nearMisses
            #expect(misses.count <= 3 && Set(misses.map(\.rule.number)).count == misses.count)
            for miss in misses {
                told += 1
                let rule = one.policy.rules[miss.rule.number]
                #expect(rule.action == .allow && rule.tier <= .normal && !rule.matches(one.side))
                let traffic = rule.traffic.matches(protocol: one.side.protocol, port: one.side.port) {
                    one.side.destination?.ports(named: $0, $1) ?? []
                }
                let peers = rule.peers.matches(one.side.remote)
                let namesNothing = { (part: Bool) in part && miss.failed.contains { $0.kind == .unsatisfiable } }
                let isTrafficNamed =
                    miss.failed.contains { Self.trafficKinds.contains($0.kind) }
                    || namesNothing(rule.traffic == .anyOf([]))
                let isPeerNamed =
                    miss.failed.contains { !Self.trafficKinds.contains($0.kind) && $0.kind != .unsatisfiable }
                    || namesNothing(rule.peers == .anyOf([]))
                #expect(isTrafficNamed == !traffic, "\(miss) of \(one.side)")
                #expect(isPeerNamed == !peers, "\(miss) of \(one.side)")
            }
        }
        #expect(told > 200)
    }

    @Test("Once the listed conditions are fixed, and nothing else is changed, the rule matches")
    func mended() throws {
        var mended = 0
        try forEach(seeds: 0..<100) { one in
            for miss in one.explanation.nearMisses {
                let rule = one.policy.rules[miss.rule.number]
                // Two conditions on one label may contradict each other; then no change fixes both.
                guard !rule.peers.repeatsAKey, let candidates = one.side.mended(miss.failed) else { continue }
                mended += 1
                #expect(candidates.contains { rule.matches($0) }, "\(miss) of \(one.side)")
            }
        }
        #expect(mended > 100)
    }

    @Test("A label reported as failed is the pod's own value, and the condition does not accept it")
    func labels() throws {
        try forEach(seeds: 100..<160) { one in
            for condition in one.explanation.nearMisses.flatMap(\.failed) where condition.kind == .label {
                guard let key = condition.key, let asked = condition.operator else { continue }
                let requirement = LabelRequirement(key: key, operator: asked, values: condition.wanted)
                #expect(!requirement.accepts(condition.has))
                if let own = one.side.remote.pod?.metadata.labels[key] { #expect(condition.has == own) }
            }
        }
    }

    @Test("A policy reported to miss the pod does not select it, and selects it once the one condition is fixed")
    func subjects() throws {
        var told = 0
        try forEach(seeds: 0..<100) { one in
            for miss in one.explanation.subjectMisses {
                let isSelecting = { (pod: Pod) in
                    one.evaluator.policies(selecting: pod).contains { $0.origin == miss.policy }
                }
                var pod = try #require(one.side.subject)
                #expect(!isSelecting(pod))
                guard miss.failed.kind == .label || miss.failed.kind == .namespace else { continue }
                // No pod has labels of nodes.
                if miss.failed.key?.hasPrefix("node:") == true { continue }
                told += 1
                pod.fix(miss.failed)
                #expect(isSelecting(pod), "\(miss) of \(one.side.subjectName)")
            }
        }
        #expect(told > 10)
    }
}

extension PeerMatch {
    fileprivate var repeatsAKey: Bool {
        guard case .anyOf(let peers) = self else { return false }
        return peers.contains { peer in
            switch peer {
            case .pods(.matching(let namespaces), let pods): namespaces.repeatsAKey || pods.repeatsAKey
            case .pods(_, let selector), .endpoints(let selector), .nodes(let selector): selector.repeatsAKey
            default: false
            }
        }
    }
}

extension LabelSelector {
    fileprivate var repeatsAKey: Bool { Set(requirements.map(\.key)).count < requirements.count }
}

extension Pod {
    fileprivate mutating func fix(_ condition: FailedCondition) {
        if condition.kind == .namespace {
            metadata.namespace = condition.wanted.first ?? ""
        } else if let key = condition.key {
            switch condition.operator {
            case .isIn: metadata.labels[key] = condition.wanted.first
            case .exists: metadata.labels[key] = ""
            default: metadata.labels[key] = nil
            }
        }
    }
}

extension FlowSide {
    /// The side with these conditions met, in every way that they offer; `nil` for conditions that no change of a label, a port
    /// or an address meets.
    fileprivate func mended(_ failed: [FailedCondition]) -> [FlowSide]? {
        var sides = [self]
        for condition in failed {
            guard let next = sides.first?.mended(condition) else { return nil }
            sides = sides.count == 1 ? next : sides.flatMap { $0.mended(condition) ?? [] }
        }
        return sides
    }

    private func mended(_ condition: FailedCondition) -> [FlowSide]? {
        var side = self
        switch condition.kind {
        case .protocol:
            let wanted = condition.wanted.compactMap { L4Protocol(parsing: $0) }
            // Between ports and ICMP types the number is not compared, so the protocol alone fixes nothing.
            guard `protocol`.hasPorts, wanted.contains(where: \.hasPorts) else { return nil }
            return wanted.map { wanted in
                var side = self
                side.protocol = wanted
                return side
            }
        case .port, .icmpType:
            let destination = self.destination
            return condition.wanted.flatMap { text -> [UInt16] in
                if let number = UInt16(text.prefix { $0 != "-" }) { return [number] }
                return destination?.ports.filter { $0.name == text }.map(\.port) ?? []
            }.map { number in
                var side = self
                side.port = number
                return side
            }
        case .portName:
            guard condition.of != nil else { return nil }
            let port = ContainerPort(name: condition.wanted.first ?? "", protocol: `protocol`, port: port)
            if direction == .ingress {
                side.subject?.ports.append(port)
            } else {
                side.changePod { $0.ports.append(port) }
            }
        case .label:
            guard remote.pod != nil, condition.key?.contains(":") == false, condition.key != CiliumKey.namespace,
                condition.key != CiliumKey.serviceAccount
            else { return nil }
            side.changePod { $0.fix(condition) }
        case .namespace:
            guard remote.pod != nil else { return nil }
            side.remote.namespaceLabels["kubernetes.io/metadata.name"] = condition.wanted.first
            side.changePod { $0.fix(condition) }
        case .namespaceLabel:
            guard let key = condition.key else { return nil }
            var holder = Pod(metadata: ObjectMeta(name: "", labels: remote.namespaceLabels))
            holder.fix(condition)
            side.remote.namespaceLabels[key] = holder.metadata.labels[key]
            side.changePod { _ in }
        case .serviceAccount:
            side.changePod { $0.serviceAccount = condition.wanted.first ?? "" }
        case .address:
            // Not every address of a prefix: some are in an exception.
            let some = NetpoldTestSupport.RandomCluster.outside + [remote.address].compactMap(\.self)
            return condition.wanted.compactMap { IPPrefix(parsing: $0) }.flatMap { prefix in
                [prefix.address] + some.filter { prefix.contains($0) }
            }.map { address in
                var side = self
                side.remote.address = address
                return side
            }
        case .dnsName:
            side.remote.names = Set(condition.wanted.map { $0.replacing("*", with: "x") })
        default: return nil
        }
        return [side]
    }

    private mutating func changePod(_ change: (inout Pod) -> Void) {
        guard var pod = remote.pod else { return }
        change(&pod)
        remote.kind = .pod(pod)
        remote.labels = CiliumLabels(pod: pod, namespaceLabels: remote.namespaceLabels)
    }
}
