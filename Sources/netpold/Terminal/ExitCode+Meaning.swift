import ArgumentParser
import LabKit
import Support
import SystemPackage

/// What netpold's exit codes mean; the README has the same list. 0: done, and as expected.
extension ExitCode {
    /// An answer of "no": a test failed, a measurement differs, no agent answers.
    static var no: ExitCode { ExitCode(1) }
    /// The manifests or the arguments are wrong.
    static var badInput: ExitCode { ExitCode(2) }
    /// The machine cannot do it: not root, kernel too old.
    static var machine: ExitCode { ExitCode(3) }

    /// The code for a lab that could not be.
    static func of(_ failure: LabFailure) -> ExitCode {
        switch failure {
        case .input: .badInput
        case .environment: .machine
        }
    }

    /// The code for what an agent or a detach ran into: that another one is at work is an answer, all else the machine's.
    static func of(_ error: any Error) -> ExitCode {
        if let failure = error as? SystemError, failure.errno == .wouldBlock { return .no }
        return .machine
    }
}
