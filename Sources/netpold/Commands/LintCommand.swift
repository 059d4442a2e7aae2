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
        usage: "netpold lint <path> ... [<options>]",
        discussion: """
            Reads all manifests and reports every error, every warning (a valid policy that is probably wrong) and every note at \
            once, each with its location, reason and fix. With pods, workloads, namespaces and services among the manifests it finds \
            more; without them it does not report what depends on them. Needs no root and no cluster.

            On a terminal each diagnostic is printed with its source line; elsewhere it is one line, file:line:col: severity: path: \
            message; fix [id]. JSON and SARIF 2.1.0 are for other programs. The last lines, on standard error, say what was not read because no \
            policy asks for it, and have the counts.

            Exit codes: 0 no diagnostics, or only notes; 1 warnings; 2 errors, or wrong arguments.

            Examples:
              netpold lint examples/shop
              netpold lint -k overlays/production
              netpold lint examples/shop -o sarif > netpold.sarif
              netpold lint --explain egress-without-dns
            """)

    @Argument(
        help: ArgumentHelp("Manifests: files, folders, or - for standard input.", valueName: "path"),
        completion: .file())
    var paths: [String] = []

    @OptionGroup(title: "Manifests")
    var manifests: ManifestOptions

    /// What `lint` prints: its answer is the diagnostics.
    enum Form: String, ExpressibleByArgument, CaseIterable {
        case table, json, yaml, sarif
    }

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("How the diagnostics are printed; without it one by one, for people.", valueName: "form"))
    var output: Form?

    @Flag(help: "Print JSON: the same as -o json.")
    var json = false

    @Option(help: ArgumentHelp("An older name of -o: text, json or sarif.", visibility: .hidden))
    var format: DiagnosticFormat?

    @OptionGroup var allowed: AllowOptions

    @Option(
        help: ArgumentHelp("Print what an id means, why it matters and how to fix it.", valueName: "id"),
        completion: .list(DiagnosticID.allCases.map(\.rawValue)))
    var explain: String?

    func validate() throws {
        try AllowOptions.check([explain].compactMap(\.self))
        if explain != nil, json || (output ?? .table) != .table || (format ?? .text) != .text {
            throw ValidationError("--explain prints text; leave --json, -o and --format out")
        }
        guard explain != nil || !paths.isEmpty || !manifests.isEmpty else {
            throw ValidationError("name the manifests: netpold lint PATH")
        }
        let chosen = [json ? DiagnosticFormat.json : nil, output.map(LintCommand.format), format].compactMap(\.self)
        guard Set(chosen).count <= 1 else {
            throw ValidationError("--json, -o and --format contradict each other; give one")
        }
    }

    private var chosenFormat: DiagnosticFormat {
        json ? .json : output.map(LintCommand.format) ?? format ?? .text
    }

    private static func format(_ form: Form) -> DiagnosticFormat {
        switch form {
        case .table: .text
        case .json: .json
        case .yaml: .yaml
        case .sarif: .sarif
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
            format: chosenFormat, stream: .output, showsIDs: true, standardInput: loaded.standardInput)
        print(try output.render(found), terminator: "")
        try StandardOutput.finish()
        loaded.writeNotes(withSyntheticPods: false)
        let summary = LintSummary(files: loaded.files.count, loaded.decoded, found)
        ErrorOutput.write(summary.text(Terminal.error.style) + "\n")
        if summary.errors > 0 { throw ExitCode.badInput }
        if summary.warnings > 0 { throw ExitCode.no }
    }
}
