import Agent
import ArgumentParser
import Glibc
import PolicyIR
import Support

/// `netpold lint`: everything there is to say about manifests.
struct LintCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint",
        abstract: "Find errors in manifests, and what is legal in policies and probably wrong.",
        discussion: """
            Reads all manifests and reports every error, every warning (what is legal and probably wrong) and every note at once, each \
            with its place, reason and fix. Pods, workloads, namespaces and services among the manifests make it see more; without \
            them it is silent about what they would decide. Needs no root and no cluster.

            On a terminal each finding comes with the line it is about; elsewhere it is one line, file:line:col: severity: path: \
            message; fix [id]. JSON and SARIF 2.1.0 are for other programs. The last line, on standard error, counts.

            Exit codes: 0 nothing found, or notes only; 1 warnings; 2 errors, or wrong arguments.

            Examples:
              netpold lint manifests/
              kustomize build . | netpold lint -
              netpold lint manifests/ --format sarif > netpold.sarif
              netpold lint --explain egress-without-dns
            """)

    @Argument(help: ArgumentHelp("Manifests: files, folders, or - for standard input.", valueName: "path"))
    var paths: [String] = []

    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp("The same, as in other commands. May be repeated.", valueName: "path"))
    var files: [String] = []

    @Option(help: "How findings are written.")
    var format = DiagnosticFormat.text

    @Option(help: ArgumentHelp("Leave out warnings and notes of this id. May be repeated.", valueName: "id"))
    var allow: [String] = []

    @Option(help: ArgumentHelp("Print what an id means, why it matters and how to fix it.", valueName: "id"))
    var explain: String?

    func validate() throws {
        for id in allow + [explain].compactMap(\.self) where DiagnosticID(rawValue: id) == nil {
            let names = DiagnosticID.allCases.map(\.rawValue)
            let near = Spelling.nearest(to: id, among: names).map { "did you mean \($0)?" }
            throw ValidationError("there is no id '\(id)'; \(near ?? "the ids are \(names.joined(separator: ", "))")")
        }
        guard explain != nil || !(paths + files).isEmpty else {
            throw ValidationError("name the manifests: netpold lint PATH")
        }
    }

    func run() throws {
        if let entry = explain.flatMap(DiagnosticID.init).flatMap(DiagnosticCatalogue.entry) {
            print(entry.explanation(Terminal.output.style))
            return
        }
        let progress = ProgressLine(delay: .seconds(1))
        let loaded = ManifestFiles.load(paths + files, keepsDocuments: true) { number, count in
            progress.show("\(number)/\(count) files")
        }
        progress.show("checking")
        let lowered = PolicyLowering.lower(loaded.decoded.objects, for: .enforcement)
        let allowed = Set(allow)
        let found = (loaded.decoded.diagnostics + lowered.diagnostics + Linter.lint(loaded.decoded, lowered: lowered))
            .filter { $0.severity == .error || !allowed.contains($0.id.rawValue) }.sortedOnce
        progress.clear()

        let output = DiagnosticOutput(
            format: format, stream: .output, showsIDs: true, standardInput: loaded.standardInput)
        print(try output.render(found), terminator: "")
        fflush(nil)
        let summary = LintSummary(files: loaded.files.count, loaded.decoded, found)
        ErrorOutput.write(summary.text(Terminal.error.style) + "\n")
        if summary.errors > 0 { throw ExitCode.badInput }
        if summary.warnings > 0 { throw ExitCode.no }
    }
}
