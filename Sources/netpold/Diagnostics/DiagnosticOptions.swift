import Agent
import ArgumentParser
import Glibc
import PolicyAPI
import Support

/// The option of commands that report diagnostics on standard error, in addition to their result.
struct DiagnosticOptions: ParsableArguments {
    @Option(
        help:
            "How errors and warnings about the manifests are written to standard error; for the answer there is -o.")
    var format = DiagnosticFormat.text

    @OptionGroup var allowed: AllowOptions

    /// Whether standard error is for people: other formats are whole documents, with nothing beside them.
    var isText: Bool { format == .text }

    /// Those that count: without what is allowed. What says that something is left out counts always.
    func counted(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
        diagnostics.filter { $0.isAboutLeftOut || !allowed.covers($0) }
    }

    /// Writes the diagnostics, with excerpts on a terminal.
    func write(_ diagnostics: [Diagnostic], of manifests: LoadedManifests) throws {
        let output = DiagnosticOutput(
            format: format, stream: .error, standardInput: manifests.standardInput)
        ErrorOutput.write(try output.render(diagnostics))
    }
}

/// How diagnostics are written.
enum DiagnosticFormat: String, ExpressibleByArgument, CaseIterable {
    /// For people: with excerpts on a terminal, else one line each.
    case text
    /// One object for other programs (`DiagnosticReport`).
    case json
    /// The same as YAML.
    case yaml
    /// SARIF 2.1.0, for code hosts and editors.
    case sarif
}
