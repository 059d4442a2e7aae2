import ArgumentParser
import Support

/// Runs the measurement of a bench command with a line of progress, and ends the command as `LabCommands` do where that is not possible:
/// with 3, or with 128 and the number of a signal.
enum MeasuredRun {
    /// Runs `body`.
    ///
    /// - Parameters:
    ///   - needsRoot: what needs root, a sentence without its stop; `nil`: nothing does.
    ///   - body: measures; it is given the line of progress.
    /// - Returns: what was measured.
    /// - Throws: the exit code, after saying why.
    static func run<Report>(
        needsRoot: String?, _ body: (ProgressLine) throws -> Report
    ) throws(ExitCode) -> Report {
        if let needsRoot { try HostPreparation.requireRoot(needsRoot) }
        let progress = ProgressLine()
        do {
            let report = try body(progress)
            progress.clear()
            return report
        } catch {
            throw code(error, progress)
        }
    }

    /// Runs `body`, which waits for others.
    ///
    /// - Parameters:
    ///   - needsRoot: what needs root, a sentence without its stop; `nil`: nothing does.
    ///   - body: measures; it is given the line of progress.
    /// - Returns: what was measured.
    /// - Throws: the exit code, after saying why.
    static func run<Report>(
        needsRoot: String?, waiting body: (ProgressLine) async throws -> Report
    ) async throws(ExitCode) -> Report {
        if let needsRoot { try HostPreparation.requireRoot(needsRoot) }
        let progress = ProgressLine()
        do {
            let report = try await body(progress)
            progress.clear()
            return report
        } catch {
            throw code(error, progress)
        }
    }

    private static func code(_ error: any Error, _ progress: ProgressLine) -> ExitCode {
        progress.clear()
        switch error {
        case let exit as ExitCode: return exit
        case let signal as Interrupt.Signalled: return ExitCode(128 + signal.number)
        default:
            ErrorOutput.error("\(error)")
            return .machine
        }
    }
}
