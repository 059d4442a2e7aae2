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
    func write(_ diagnostics: [Diagnostic], of manifests: LoadedManifests? = nil) throws {
        let output = DiagnosticOutput(
            format: format, stream: .error, standardInput: manifests?.standardInput)
        ErrorOutput.write(try output.render(diagnostics))
    }

    /// Writes the diagnostics if they are text. In another format they are one document with what goes wrong later: then `end` or `failed`
    /// writes them.
    func begin(_ diagnostics: [Diagnostic], of manifests: LoadedManifests? = nil) throws {
        if isText { try write(diagnostics, of: manifests) }
    }

    /// Writes what `begin` did not.
    func end(_ diagnostics: [Diagnostic], of manifests: LoadedManifests? = nil) throws {
        if !isText { try write(diagnostics, of: manifests) }
    }

    /// Says what is wrong beside the manifests, an argument mostly; in a format that is no text in one document with the diagnostics.
    ///
    /// - Returns: the code, for a `throw`.
    func failed(_ mistake: String, _ code: ExitCode = .badInput, with diagnostics: [Diagnostic] = []) throws -> ExitCode
    {
        try StandardOutput.finish()
        if isText {
            ErrorOutput.error(PrintableName.of(mistake))
        } else {
            ErrorOutput.note(mistake)
            try write(diagnostics + [Diagnostic(id: .invalidValue, location: nil, message: mistake, hint: "")])
        }
        return code
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
