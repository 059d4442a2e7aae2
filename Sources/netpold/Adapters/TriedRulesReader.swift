import Dispatch
import L7Proxy
import PolicyAPI
import Support
import Synchronization

/// Puts the rules of changed manifests in force: the files are looked at twice a second, on a thread of its own.
final class TriedRulesReader: Sendable {
    private struct State {
        var files: [String]
        var versions: [FileVersion?]
        var revision: UInt64 = 1
    }

    private let tried: TriedRules
    private let source: RuleSource
    private let taken: @Sendable (UInt64) -> Void
    private let state: Mutex<State>
    private let queue = DispatchQueue(label: "netpold.tried-rules")
    // Scheduled and cancelled alone, which any thread may.
    private nonisolated(unsafe) let timer: any DispatchSourceTimer

    /// A reader of the files that were read already. `taken` is called with the revision of rules that are in force.
    init(
        _ tried: TriedRules, files: [String], into source: RuleSource, taken: @escaping @Sendable (UInt64) -> Void
    ) {
        self.tried = tried
        self.source = source
        self.taken = taken
        state = Mutex(State(files: files, versions: files.map { FileVersion(of: $0) }))
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.setEventHandler { [weak self] in self?.look() }
        timer.schedule(deadline: .distantFuture)
        // At once: one that never was must not be released.
        timer.activate()
    }

    deinit { timer.cancel() }

    /// Begins to look. Once.
    func start() {
        timer.schedule(deadline: .now() + .milliseconds(500), repeating: .milliseconds(500))
    }

    /// Stops looking.
    func stop() { timer.cancel() }

    /// Reads everything again.
    func read() { queue.async { self.readNow() } }

    private func look() {
        let isChanged = state.withLock { state in
            let versions = state.files.map { FileVersion(of: $0) }
            defer { state.versions = versions }
            return versions != state.versions
        }
        if isChanged { readNow() }
    }

    private func readNow() {
        let revision = state.withLock { $0.revision + 1 }
        do {
            let found = try tried.find(revision: revision)
            let errors = found.diagnostics.errors
            guard errors.isEmpty else {
                ErrorOutput.write(
                    try DiagnosticOutput(format: .text, stream: .error, standardInput: nil).render(errors))
                return ErrorOutput.error("the manifests have errors; the rules before stay in force")
            }
            source.replace(with: found.book)
            state.withLock { state in
                state.revision = revision
                if state.files != found.manifests.files {
                    state.files = found.manifests.files
                    state.versions = state.files.map { FileVersion(of: $0) }
                }
            }
            ErrorOutput.write("netpold proxy: changed: \(found.elements) HTTP rules in force\n")
            taken(revision)
        } catch {
            if let mistake = error as? TriedRules.Mistake {
                let output = DiagnosticOutput(format: .text, stream: .error, standardInput: nil)
                ErrorOutput.write((try? output.render(mistake.diagnostics)) ?? "")
            }
            ErrorOutput.error("\(error); the rules before stay in force")
        }
    }
}
