import Agent
import ArgumentParser
import BPFEmit
import Glibc
import PolicyAPI
import PolicyAnalysis
import PolicyIR
import Support

/// `netpold compile`: what would be loaded, without loading it.
struct CompileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compile",
        abstract: "Compile manifests and show what one node's kernel would hold. Needs no root.",
        usage: "netpold compile <path> ... [<options>]",
        discussion: """
            Compiles the policies of one node's pods exactly as the agent does and prints the result:

              summary  pods, subjects (pods with the same labels share one), programs, maps, memory
              ir       identities, and every rule with the line it comes from
              maps     every map entry in words and as the bytes in the kernel
              asm      the programs, each block with the rule it decides
              json     all of it for other programs, the same as -o json

            Exit codes: 0 compiled; 1 compiled without what a kustomization or template would add, or without a path in which no object was \
            found, as warned; 2 the manifests have errors (what is printed is what would be enforced: pods that a refused policy selects are \
            isolated; nothing if no pod could be read), or there is no such pod or node.

            Example: netpold compile examples/shop --endpoint shop/front --emit asm
            """)

    /// What to print.
    enum Emission: String, ExpressibleByArgument, CaseIterable {
        case summary, ir, maps, asm, json
    }

    @Argument(help: ArgumentHelp("Manifests, as with -f.", valueName: "path"), completion: .file())
    var paths: [String] = []

    @OptionGroup(title: "Manifests")
    var manifests: ManifestOptions

    @Option(
        help: ArgumentHelp(
            "The node; pods that name none are local too (default: node-1 if there is one, else the first).",
            valueName: "name"))
    var node: String?

    @Option(help: ArgumentHelp("Show the policies of this local pod alone.", valueName: "namespace/pod"))
    var endpoint: String?

    @Option(help: "What to print.")
    var emit = Emission.summary

    @OptionGroup var form: ReportOptions

    @OptionGroup var diagnosticOptions: DiagnosticOptions

    func validate() throws {
        if paths.isEmpty, manifests.isEmpty { throw ValidationError("name the manifests: netpold compile PATH") }
        switch emit {
        case .ir where form.isForPrograms, .maps where form.isForPrograms, .asm where form.isForPrograms:
            throw ValidationError("--emit \(emit.rawValue) is text for people; leave -o \(form.form.rawValue) out")
        case .json where form.output?.form == .table:
            throw ValidationError("--emit json and -o table contradict each other; give one")
        case .json: ProgramAnswer.expect(.json)
        case .summary, .ir, .maps, .asm: break
        }
    }

    func run() throws {
        let loaded = ManifestFiles.load(manifests.choice(paths))
        let decoded = loaded.decoded
        let lowered = PolicyLowering.lower(decoded.objects, for: .enforcement)
        var state = CompilerState(
            decoded.objects, policies: lowered.policies + PolicyLowering.lowerRefused(decoded.refused), localNode: node)
        if state.hasIdleHostPolicies { state.compileHost() }
        // Decoding has reported contested addresses, with their places.
        let compiled = state.diagnostics.filter { $0.id != .contestedAddress }
        let diagnostics = diagnosticOptions.counted(decoded.diagnostics + lowered.diagnostics + compiled)
        try diagnosticOptions.begin(diagnostics, of: loaded)
        if diagnosticOptions.isText { loaded.writeNotes() }
        if diagnosticOptions.isText, lowered.policies.contains(where: \.needsProxy) { ErrorOutput.write(L7Notice.text) }
        if let mistake = Named.mistake(node: node, in: decoded.objects) {
            throw try diagnosticOptions.failed(mistake, with: diagnostics)
        }
        let errors = diagnostics.errors.count
        if decoded.objects.pods.isEmpty {
            guard errors == 0 else {
                ErrorOutput.note(
                    "there is no pod in the manifests, which have \(errors) error\(errors == 1 ? "" : "s")")
                try diagnosticOptions.end(diagnostics, of: loaded)
                throw ExitCode.badInput
            }
            if diagnosticOptions.isText {
                ErrorOutput.write(
                    "warning: there is no pod in the manifests, so there is nobody to enforce policies on\n")
            }
        }
        let dump = NodeDump(state, endpoint: endpoint)
        if let endpoint, dump.shown.endpoints.isEmpty {
            let names = state.endpoints.map { "\($0.namespace)/\($0.name)" }
            throw try diagnosticOptions.failed(
                "there is no pod \(endpoint) on \(state.localNode)\(NameHint.text(endpoint, names, noun: "local pods"))",
                with: diagnostics)
        }
        try diagnosticOptions.end(diagnostics, of: loaded)
        if !form.isForPrograms, let form = NodeDump.Form(rawValue: emit.rawValue) {
            NodeDumpText(style: Terminal.output.style, width: Terminal.output.tableWidth).lines(dump, form).forEach {
                print($0)
            }
        } else {
            print(try form.render(CompileReport(dump.shown, state)))
        }
        if errors > 0 {
            try StandardOutput.finish()
            if diagnosticOptions.isText {
                ErrorOutput.error("\(errors) error\(errors == 1 ? "" : "s") in the manifests, listed above the result")
            }
            throw ExitCode.badInput
        }
        if diagnostics.contains(where: { $0.isAboutLeftOut || $0.isAboutNothingRead }) { throw ExitCode.no }
    }
}

extension Diagnostic {
    /// Whether it says that a path holds no manifest, or no object: then this is an answer about less than was asked.
    fileprivate var isAboutNothingRead: Bool {
        severity == .warning && (id == .emptyInput || id == .unreadable)
    }
}
