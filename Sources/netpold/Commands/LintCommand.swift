import Agent
import ArgumentParser
import Glibc
import PolicyAPI
import PolicyAnalysis
import PolicyIR
import Support

/// `netpold lint`: all diagnostics about manifests.
struct LintCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint",
        abstract: "Find errors in manifests, and valid policies that are probably wrong.",
        discussion: """
            Reads all manifests and reports every error, every warning (a valid policy that is probably wrong) and every note at \
            once, each with its location, reason and fix. With pods, workloads, namespaces and services among the manifests it finds \
            more; without them it does not report what depends on them. Needs no root and no cluster.

            On a terminal each diagnostic is printed with its source line; elsewhere it is one line, file:line:col: severity: path: \
            message; fix [id]. JSON and SARIF 2.1.0 are for other programs. The last lines, on standard error, say what was not read because no \
            policy asks for it, and have the counts.

            Exit codes: 0 no diagnostics, or only notes; 1 warnings; 2 errors, or wrong arguments.

            Examples:
              netpold lint manifests/
              netpold lint -k overlays/production
              netpold lint manifests/ --format sarif > netpold.sarif
              netpold lint --explain egress-without-dns
            """)

    @Argument(help: ArgumentHelp("Manifests: files, folders, or - for standard input.", valueName: "path"))
    var paths: [String] = []

    @OptionGroup(title: "Manifests")
    var manifests: ManifestOptions

    @Option(help: "The format of the diagnostics.")
    var format = DiagnosticFormat.text

    @OptionGroup var allowed: AllowOptions

    @Option(help: ArgumentHelp("Print what an id means, why it matters and how to fix it.", valueName: "id"))
    var explain: String?

    func validate() throws {
        try AllowOptions.check([explain].compactMap(\.self))
        guard explain != nil || !paths.isEmpty || !manifests.isEmpty else {
            throw ValidationError("name the manifests: netpold lint PATH")
        }
    }

    func run() throws {
        if let entry = explain.flatMap(DiagnosticID.init).flatMap(DiagnosticCatalogue.entry) {
            print(entry.explanation(Terminal.output.style))
            return
        }
        let progress = ProgressLine(delay: .seconds(1))
        let loaded = ManifestFiles.load(manifests.choice(paths), keepsDocuments: true) { number, count in
            progress.show("\(number)/\(count) files")
        }
        progress.show("checking")
        let lowered = PolicyLowering.lower(loaded.decoded.objects, for: .enforcement)
        let found = (loaded.decoded.diagnostics + lowered.diagnostics + Linter.lint(loaded.decoded, lowered: lowered))
            .filter { !allowed.covers($0) }.sortedOnce
        progress.clear()

        let output = DiagnosticOutput(
            format: format, stream: .output, showsIDs: true, standardInput: loaded.standardInput)
        print(try output.render(found), terminator: "")
        fflush(nil)
        loaded.writeNotes(withSyntheticPods: false)
        let summary = LintSummary(files: loaded.files.count, loaded.decoded, found)
        ErrorOutput.write(summary.text(Terminal.error.style) + "\n")
        if summary.errors > 0 { throw ExitCode.badInput }
        if summary.warnings > 0 { throw ExitCode.no }
    }
}
