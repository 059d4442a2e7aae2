/// Decides the flows of a PolicyTest and compares. Pure: reading manifests is the caller's.
public struct PolicyTestRunner: Sendable {
    private let test: PolicyTest
    private let evaluator: ReferenceEvaluator

    /// A runner of a test over the objects that its manifests hold. The evaluator gives the reasons, whoever decides.
    public init(_ test: PolicyTest, evaluator: ReferenceEvaluator) {
        self.test = test
        self.evaluator = evaluator
    }

    /// Decides every flow with `decider`; every failure is reported, in the order of the test.
    public func run(with decider: any FlowDecider, pods: [Pod]) -> PolicyTestResult {
        var result = PolicyTestResult(name: test.name, flows: 0, failures: [])
        for entry in test.cases {
            result.flows += 1
            result.failures += check(entry, decider)
        }
        let names = pods.filter { !$0.isFinished && !$0.hostNetwork }
        for matrix in test.matrix {
            for from in names {
                for to in names where to.qualifiedName != from.qualifiedName {
                    result.flows += 1
                    let isDenied = matrix.denied.contains(.init(from: from.qualifiedName, to: to.qualifiedName))
                    let flow = Flow(
                        from: .pod(namespace: from.metadata.namespace, name: from.metadata.name),
                        to: .pod(namespace: to.metadata.namespace, name: to.metadata.name),
                        protocol: matrix.protocol, port: matrix.port)
                    result.failures += check(
                        PolicyTestCase(flow: flow, expect: isDenied ? .deny : .allow, location: matrix.location),
                        decider)
                }
            }
        }
        return result
    }

    private func check(_ entry: PolicyTestCase, _ decider: any FlowDecider) -> [PolicyTestFailure] {
        let answer: FlowAnswer
        do {
            answer = try decider.answer(entry.flow)
        } catch {
            return [failure(.undecidable, entry, expected: expectations(entry), actual: "\(error)")]
        }
        var failures: [PolicyTestFailure] = []
        func compare(_ side: Direction?, _ expected: PolicyTest.Expectation?, _ actual: FlowAnswer.Verdict) {
            guard let expected, (expected == .deny) != (actual == .deny) else { return }
            let what = side.map { "\($0) " } ?? ""
            failures.append(
                failure(
                    .different, entry, side, expected: what + expected.rawValue, actual: what + actual.rawValue))
        }
        compare(.egress, entry.egress, answer.egress)
        compare(.ingress, entry.ingress, answer.ingress)
        // "A TCP flow without http on a port with L7 rules expects allow: the connection is let in."
        if entry.http != nil, answer.verdict == .l7, let expect = entry.expect {
            failures.append(
                failure(
                    .needsHTTP, entry, expected: expect.rawValue,
                    actual: "undecided: the request meets L7 rules, and HTTP requests are not decided yet"))
        } else if failures.isEmpty {
            compare(nil, entry.expect, answer.verdict)
        }
        return failures
    }

    private func expectations(_ entry: PolicyTestCase) -> String {
        [("egress ", entry.egress), ("ingress ", entry.ingress), ("", entry.expect)]
            .compactMap { name, value in value.map { name + $0.rawValue } }
            .joined(separator: ", ")
    }

    /// A failure with its reason: that of the side whose answer was expected to be another, or of the sides that decided.
    private func failure(
        _ kind: PolicyTestFailure.Kind, _ entry: PolicyTestCase, _ side: Direction? = nil, expected: String,
        actual: String
    ) -> PolicyTestFailure {
        let explanation = try? evaluator.explain(entry.flow)
        let reason = side.flatMap { explanation?[$0].lines } ?? explanation?.decidingLines ?? []
        return PolicyTestFailure(
            kind: kind, flow: entry.flow, location: entry.location, expected: expected, actual: actual, reason: reason)
    }
}
