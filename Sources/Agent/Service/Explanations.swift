import BPFEmit
import Foundation
import NetTypes
import PolicyAPI
public import PolicyAnalysis
import PolicyIR
import Support

/// Explains flows by what is in force, on a thread of its own: one explanation costs up to a full compile.
actor Explanations {
    private let history: GenerationHistory
    private let names: NameFeed?
    private let proxyState: String?
    private let executor = ThreadExecutor(name: "netpold-explain")
    /// What the latest question was answered from: the next one is mostly about the same.
    private var made: (generation: UInt64, names: [String: [IPAddress]], known: Generation.Known)?

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Explains by a history and what pods have learnt of names. `proxyState` is the file in which a proxy says how it stands.
    init(history: GenerationHistory, names: NameFeed?, proxyState: String?) {
        self.history = history
        self.names = names
        self.proxyState = proxyState
    }

    /// The answer; `nil` when nobody waits for it any more.
    func answer(_ request: ExplainRequest) -> APIReply? {
        guard !Task.isCancelled else { return nil }
        let generation = history.current
        let names = learnt(by: request.from)
        let known: Generation.Known
        if let made, made.generation == generation.number, made.names == names {
            known = made.known
        } else if let fresh = generation.known(names: names) {
            known = fresh
            made = (generation.number, names, fresh)
        } else {
            return .error(APIError(.unavailable, "nothing was put in force yet"))
        }
        do {
            let answer = try known.evaluator.answer(request.flow, in: known.objects, request: request.request)
            var report = try ExplainReport(answer)
            if report.needsProxy { report.proxyServes = proxyState.flatMap(ProxyStatus.read) != nil }
            return .explained(report)
        } catch {
            return .explained(
                ExplainReport(mistake: "\(error)", lines: [], passes: nil, needsProxy: false, report: ""))
        }
    }

    /// What a pod has learnt of names: toFQDNs go by that.
    private func learnt(by pod: String) -> [String: [IPAddress]] {
        guard let names else { return [:] }
        let now = MonotonicClock.seconds
        let known = names.history.pods.first { "\($0.key)" == pod }?.value.learnt ?? []
        return known.reduce(into: [:]) { found, name in
            let addresses = name.addresses.filter { $0.value > now }.map(\.key).sorted()
            if !addresses.isEmpty { found[name.name] = addresses }
        }
    }
}

extension ExplainReport {
    /// An answer.
    fileprivate init(_ answer: FlowExplanation) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        self.init(
            mistake: nil,
            lines: answer.lines.map { line in
                Line(
                    role: line.role.rawValue, text: line.text, file: line.excerpt?.file, line: line.excerpt?.line,
                    column: line.excerpt?.column)
            }, passes: answer.passes, needsProxy: answer.needsProxy,
            report: String(decoding: try encoder.encode(answer.report), as: UTF8.self))
    }

    /// The lines as explanations have them.
    public var explanationLines: [ExplanationLine] {
        lines.map { line in
            var excerpt: SourceLocation?
            if let file = line.file, let number = line.line, let column = line.column {
                excerpt = SourceLocation(file: file, line: number, column: column)
            }
            return ExplanationLine(
                role: ExplanationLine.Role(rawValue: line.role) ?? .reason, text: line.text, excerpt: excerpt)
        }
    }
}
