import Agent
import ArgumentParser
import LabKit
import PolicyAPI
import PolicyIR
import Support

/// `netpold lab`: builds a lab, and probes one that stays.
struct LabCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lab",
        abstract: "Build the manifests' pods as network namespaces, enforce the policies, and probe every pair.",
        discussion: """
            Without a subcommand it builds one: `netpold lab examples/shop`; `netpold lab run --help` says how, and what --keep, \
            --shell and --down do. `netpold lab probe` tries a lab that stays.
            """,
        subcommands: [LabCommand.self, LabProbeCommand.self], defaultSubcommand: LabCommand.self)

    /// Reads manifests for a lab, and says what is wrong with them.
    ///
    /// - Throws: exit code 2, after saying why, when no lab can be built of them.
    static func load(
        _ choice: ManifestChoice, _ options: DiagnosticOptions
    ) throws -> (LoadedManifests, LoweredPolicies, [Diagnostic]) {
        let loaded = ManifestFiles.load(choice)
        let lowered = PolicyLowering.lower(loaded.decoded.objects, for: .enforcement)
        let diagnostics = options.counted(loaded.decoded.diagnostics + lowered.diagnostics)
        try options.begin(diagnostics, of: loaded)
        let ofNodes = lowered.policies.filter { if case .nodes = $0.subject { true } else { false } }
        guard ofNodes.isEmpty else {
            let places = Set(ofNodes.map(place(of:))).sorted()
            let more = places.count > 5 ? " and \(places.count - 5) more" : ""
            let shown = places.prefix(5).joined(separator: ", ")
            throw try options.failed(
                "policies with nodeSelector are not enforced in a lab: \(shown)\(more); nothing was built; "
                    + "--exclude PATTERN leaves their files out", with: diagnostics)
        }
        guard !diagnostics.hasErrors else {
            throw try options.failed("the manifests have errors; nothing was built", with: diagnostics)
        }
        try options.end(diagnostics, of: loaded)
        return (loaded, lowered, diagnostics)
    }

    /// `CiliumClusterwideNetworkPolicy nodes (hosts.yaml:3:1)`.
    private static func place(of policy: LoweredPolicy) -> String {
        let name = "\(policy.origin.kind) \(policy.origin.name)"
        return policy.origin.location.map { "\(name) (\($0))" } ?? name
    }

    /// The exit code for an error, after saying what it is.
    static func code(_ error: any Error, interrupted: String) -> ExitCode {
        switch error {
        case let failure as LabFailure:
            ErrorOutput.error("\(failure)")
            return ExitCode.of(failure)
        case let signal as Interrupt.Signalled:
            ErrorOutput.write("\(interrupted)\n")
            return ExitCode(128 + signal.number)
        case let exit as ExitCode: return exit
        default:
            ErrorOutput.error("\(error)")
            return .machine
        }
    }
}
