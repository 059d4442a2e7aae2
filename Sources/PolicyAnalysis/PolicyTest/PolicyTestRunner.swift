import NetTypes
public import PolicyAPI
public import PolicyIR

/// Decides the flows of a PolicyTest and compares the verdicts. Pure: the caller reads the manifests.
public struct PolicyTestRunner: Sendable {
    private let test: PolicyTest
    private let evaluator: ReferenceEvaluator

    /// A runner of a test over the objects of its manifests. The evaluator gives the reasons, whatever decider is used.
    public init(_ test: PolicyTest, evaluator: ReferenceEvaluator) {
        self.test = test
        self.evaluator = evaluator
    }

    /// Decides every flow of the test.
    ///
    /// - Parameters:
    ///   - decider: decides the connections.
    ///   - objects: those of the test's manifests, for matrices and for what stands for several ends.
    ///   - answerer: decides the requests of all cases that have one and whose connection is not denied; `nil`: the evaluator does,
    ///     of those that L7 rules apply to.
    /// - Returns: the result, with every failure in the order of the test.
    public func run(
        with decider: any FlowDecider, objects: ClusterObjects, requests answerer: (any RequestAnswerer)? = nil
    ) -> PolicyTestResult {
        var run = Run(
            evaluator: evaluator, decider: decider, answerer: answerer, names: objects.pods.map(\.qualifiedName),
            result: PolicyTestResult(name: test.name, flows: 0, failures: []))
        for entry in test.cases {
            let request = entry.request.map { " \($0)" } ?? ""
            let flow = entry.written.map { "\($0.from) -> \($0.to) \($0.traffic)" } ?? "\(entry.flow)"
            run.result.cases.append(.init(name: "\(flow)\(request)", location: entry.location))
            run.check(entry, in: objects)
        }
        let pods = objects.pods.filter { !$0.isFinished && !$0.hostNetwork }
        for matrix in test.matrix { run.check(matrix, pods) }
        return run.result
    }

    /// The state of one run.
    private struct Run {
        let evaluator: ReferenceEvaluator
        let decider: any FlowDecider
        let answerer: (any RequestAnswerer)?
        let names: [String]
        var requests = RequestDecider()
        var result: PolicyTestResult

        /// Checks the flow of a case, or each of those that it stands for.
        mutating func check(_ entry: PolicyTestCase, in objects: ClusterObjects) {
            guard let written = entry.written else { return check(entry) }
            let before = result.failures.count
            do {
                for flow in try written.flows(in: objects, evaluator) {
                    var one = entry
                    one.flow = flow
                    check(one)
                }
            } catch {
                result.flows += 1
                failUnknown(.unknown, entry, "\(error)")
                result.failures[before].written = "\(written.from) -> \(written.to) \(written.traffic)"
                // Of the flow only its protocol is known.
                result.failures[before].reason = []
            }
            joinAlike(from: before)
        }

        /// One failure for all parts of a case that differ in the same way: else those of one case hide the next.
        private mutating func joinAlike(from start: Int) {
            var joined: [PolicyTestFailure] = []
            for failure in result.failures[start...] {
                let same = joined.firstIndex {
                    $0.kind == failure.kind && $0.expected == failure.expected && $0.actual == failure.actual
                }
                if let same { joined[same].alike += 1 } else { joined.append(failure) }
            }
            result.failures.replaceSubrange(start..., with: joined)
        }

        /// Checks every pair of pods. Pairs that are to be denied must be among them: what is not there is not denied either.
        mutating func check(_ matrix: PolicyTestMatrix, _ pods: [Pod]) {
            result.cases.append(.init(name: "matrix \(matrix.protocol) \(matrix.port)", location: matrix.location))
            var denied = matrix.denied
            var count = 0
            for from in pods {
                for to in pods where to.qualifiedName != from.qualifiedName {
                    let isDenied = denied.remove(.init(from: from.qualifiedName, to: to.qualifiedName)) != nil
                    let flow = Flow(
                        from: .pod(namespace: from.metadata.namespace, name: from.metadata.name),
                        to: .pod(namespace: to.metadata.namespace, name: to.metadata.name),
                        protocol: matrix.protocol, port: matrix.port)
                    count += 1
                    // Nothing passes between pods without a family in common.
                    if (try? evaluator.checkFamilies(of: flow)) == nil { continue }
                    check(PolicyTestCase(flow: flow, expect: isDenied ? .deny : .allow, location: matrix.location))
                }
            }
            let known = Set(pods.map(\.qualifiedName))
            for pair in denied.sorted(by: { ($0.from, $0.to) < ($1.from, $1.to) }) {
                guard let from = FlowEnd(parsing: pair.from), let to = FlowEnd(parsing: pair.to) else { continue }
                let missing = known.contains(pair.from) ? pair.to : pair.from
                fail(
                    matrix, from, to, expect: .deny,
                    names.contains(missing)
                        ? "pod \(missing) has finished, or is its node (hostNetwork), so it is in no matrix"
                        : message(FlowError.unknownPod(missing)))
            }
            if count == 0, matrix.denied.isEmpty {
                fail(matrix, .host, .host, expect: .allow, "the manifests have no two pods")
            }
        }

        private mutating func fail(
            _ matrix: PolicyTestMatrix, _ from: FlowEnd, _ to: FlowEnd, expect: PolicyTest.Expectation,
            _ message: String
        ) {
            result.flows += 1
            let flow = Flow(from: from, to: to, protocol: matrix.protocol, port: matrix.port)
            failUnknown(.unknown, PolicyTestCase(flow: flow, expect: expect, location: matrix.location), message)
        }

        /// Checks one flow, over each address family that its ends have in common where the answers differ.
        mutating func check(_ entry: PolicyTestCase) {
            result.flows += 1
            let start = result.failures.count
            let flows = (try? evaluator.byFamily(entry.flow, request: entry.request)) ?? [entry.flow]
            for flow in flows {
                var one = entry
                one.flow = flow
                decide(one)
            }
            if flows.count > 1 { nameFamilies(from: start) }
        }

        /// Names the family in failures of a flow that fails over one family only, or over each in its own way.
        private mutating func nameFamilies(from start: Int) {
            let found = result.failures[start...]
            var named: [PolicyTestFailure] = []
            for var failure in found {
                let hasTwin = found.contains { other in
                    other.flow.isIPv4 != failure.flow.isIPv4 && other.kind == failure.kind
                        && other.expected == failure.expected && other.actual == failure.actual
                }
                if hasTwin, failure.flow.isIPv4 == false { continue }
                if !hasTwin { failure.actual += Flow.familyText(failure.flow.isIPv4) }
                named.append(failure)
            }
            result.failures.replaceSubrange(start..., with: named)
        }

        private mutating func decide(_ entry: PolicyTestCase) {
            do {
                if let route = try evaluator.route(entry.flow) { return try check(entry, route) }
                try evaluator.checkFamilies(of: entry.flow)
                let answer = try decider.answer(entry.flow)
                let before = result.failures.count
                compare(.egress, entry.egress, answer.egress.rawValue, isDenied: answer.egress == .deny, entry)
                compare(.ingress, entry.ingress, answer.ingress.rawValue, isDenied: answer.ingress == .deny, entry)
                guard result.failures.count == before, entry.expect != nil else { return }
                try checkWhole(entry, answer)
            } catch {
                failUnknown(error is FlowError ? .unknown : .undecidable, entry, message(error))
            }
        }

        private mutating func failUnknown(
            _ kind: PolicyTestFailure.Kind, _ entry: PolicyTestCase, _ message: String
        ) {
            let expected = [("egress ", entry.egress), ("ingress ", entry.ingress), ("", entry.expect)]
                .compactMap { name, value in value.map { name + $0.rawValue } }
            fail(kind, entry, expected: expected.joined(separator: ", "), actual: message)
        }

        /// What is wrong, with the name that was probably meant.
        private func message(_ error: any Error) -> String {
            guard case .unknownPod(let wanted)? = error as? FlowError else { return "\(error)" }
            let bare = wanted.split(separator: "/").last ?? ""
            let near =
                Spelling.nearest(to: wanted, among: names)
                ?? names.first { $0.hasSuffix("/\(bare)") || $0.hasPrefix("\(wanted)-") }
            return "\(error)" + (near.map { "; did you mean \($0)?" } ?? "")
        }

        /// A flow to a Service: what is expected must hold whichever backend is chosen.
        private mutating func check(_ entry: PolicyTestCase, _ route: ServiceRoute) throws {
            let answers = try route.backends.map { try decider.answer($0.flow) }
            let before = result.failures.count
            compare(.egress, entry.egress, answers.map(\.egress), entry, route)
            compare(.ingress, entry.ingress, answers.map(\.ingress), entry, route)
            guard result.failures.count == before, entry.expect != nil else { return }
            var whole = answers.map(\.verdict)
            if let request = entry.request {
                for (index, answer) in answers.enumerated() where asks(answer) {
                    guard let isPermitted = try permits(request, in: route.backends[index].flow) else { return }
                    whole[index] = isPermitted ? .allow : .deny
                }
            }
            compare(nil, entry.expect, whole, entry, route)
        }

        private mutating func compare(
            _ side: Direction?, _ expected: PolicyTest.Expectation?, _ answers: [FlowAnswer.Verdict],
            _ entry: PolicyTestCase, _ route: ServiceRoute
        ) {
            guard let expected else { return }
            let verdict = RouteVerdict(denials: answers.map { $0 == .deny }, needsProxy: answers.contains(.l7))
            let isMet =
                switch verdict {
                case .allow, .l7: expected == .allow
                case .deny, .rejected: expected == .deny
                case .mixed: false
                }
            if isMet { return }
            let what = side.map { "\($0) " } ?? ""
            var actual = what + verdict.rawValue
            if verdict == .mixed {
                let denied = zip(route.backends, answers).filter { $0.1 == .deny }.map { "\($0.0.flow.to)" }
                actual += ", denied at \(denied.prefix(8).joined(separator: ", "))" + (denied.count > 8 ? ", ..." : "")
            }
            let reason = try? evaluator.explain(route, request: entry.request).decidingLines
            result.failures.append(
                PolicyTestFailure(
                    kind: .different, flow: entry.flow, request: entry.request, location: entry.location,
                    expected: what + expected.rawValue, actual: actual, reason: reason ?? []))
        }

        /// `expect`: the request in the flow if the case has one, else the connection, where redirecting to a proxy is allowed.
        private mutating func checkWhole(_ entry: PolicyTestCase, _ answer: FlowAnswer) throws {
            guard let request = entry.request, asks(answer) else {
                return compare(nil, entry.expect, answer.verdict.rawValue, isDenied: answer.verdict == .deny, entry)
            }
            guard let isPermitted = try permits(request, in: entry.flow) else { return }
            compare(nil, entry.expect, isPermitted ? "allow" : "deny", isDenied: !isPermitted, entry)
        }

        /// Whether a request in a flow is decided: where L7 rules apply, and, by those that do not know where that is, wherever it can
        /// be sent.
        private func asks(_ answer: FlowAnswer) -> Bool {
            answerer == nil ? answer.verdict == .l7 : answer.verdict != .deny
        }

        /// Whether a request gets through; `nil`, and counted, when that is not decided.
        private mutating func permits(_ request: L7Request, in flow: Flow) throws -> Bool? {
            guard let answerer else {
                return requests.decide(request, in: try evaluator.decide(flow)).isPermitted
            }
            let isPermitted = try answerer.permits(request, in: flow)
            if isPermitted == nil { result.requestsNotAsked += 1 }
            return isPermitted
        }

        private mutating func compare(
            _ side: Direction?, _ expected: PolicyTest.Expectation?, _ actual: String, isDenied: Bool,
            _ entry: PolicyTestCase
        ) {
            guard let expected, (expected == .deny) != isDenied else { return }
            let what = side.map { "\($0) " } ?? ""
            fail(.different, entry, side, expected: what + expected.rawValue, actual: what + actual)
        }

        /// Records a failure with its reason: that of the side with the unexpected verdict, that of the request, or that of the
        /// sides that decided.
        private mutating func fail(
            _ kind: PolicyTestFailure.Kind, _ entry: PolicyTestCase, _ side: Direction? = nil, expected: String,
            actual: String
        ) {
            let explanation = try? evaluator.explain(entry.flow, request: entry.request)
            let reason =
                if let side { explanation?[side].lines } else {
                    explanation?.request?.decidingLines ?? explanation?.decidingLines
                }
            result.failures.append(
                PolicyTestFailure(
                    kind: kind, flow: entry.flow, request: entry.request, location: entry.location, expected: expected,
                    actual: actual, reason: reason ?? []))
        }
    }
}
