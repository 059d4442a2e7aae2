import Agent
import Foundation
import Glibc
import PolicyAPI
import PolicyAnalysis
import Support

/// Writes diagnostics in the given format.
struct DiagnosticOutput {
    let format: DiagnosticFormat
    /// The stream that they are for: what it is decides about excerpts and colours.
    let stream: Terminal
    /// Whether one-line diagnostics end with their id.
    var showsIDs = false
    /// What standard input held, for excerpts.
    var standardInput: [UInt8]?

    /// The text; empty without diagnostics in the text format.
    func render(_ diagnostics: [Diagnostic]) throws -> String {
        switch format {
        case .text where stream.isTerminal:
            ExcerptRenderer(
                style: stream.style, width: stream.columns, source: source
            ).render(diagnostics)
        case .text: DiagnosticRenderer(showsIDs: showsIDs).render(diagnostics)
        case .json: try JSONText.render(DiagnosticReport(diagnostics)) + "\n"
        case .yaml: try YAMLText.render(DiagnosticReport(diagnostics)) + "\n"
        case .sarif: try JSONText.render(SARIFLog(diagnostics, toolVersion: NetpoldVersion.text)) + "\n"
        }
    }

    /// Files may have changed or gone since they were read: an excerpt is a help, not a promise.
    private func source(_ file: String) -> SourceText? {
        if file == "-" { return standardInput.map { SourceText($0) } }
        return ManifestFiles.readAgain(file).map { SourceText($0) }
    }
}
