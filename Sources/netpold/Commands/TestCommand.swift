import Agent
import ArgumentParser
import Datapath
import Glibc
import PolicyAPI
import PolicyAnalysis
import Support

/// `netpold test`: decides the flows of PolicyTest folders and compares.
struct TestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Decide the flows of PolicyTest folders and compare with what they expect.",
        usage: "netpold test <path> ... [<options>]",
        discussion: """
            A PolicyTest folder holds manifests and a test.yaml that says which flows must be allowed or denied. PATH is such a \
            folder, a folder of such folders (any depth), or a test.yaml. No root is needed, but for --kernel.

            Each failing flow is printed with what was expected, what was answered, and why: the rule that decided, or the \
            policies that isolate the pod and the rules that came nearest. The last line, "N passed, M failed", counts folders.

            A case with http, dns or sni expects an answer to that request. With --kernel queries and handshakes are sent as packets, \
            the names of the test are learnt from answers as pods learn them, and requests that the programs give to the proxy are \
            sent through a running one on the loopback interface. What cannot be decided so is counted, and the line before the last \
            says how many those are.

            Exit codes: 0 all folders passed; 1 some failed; 2 a test or its manifests cannot be used, or a case names what there is \
            not (such a folder counts as failed; the others are run); 3 --kernel without root.

            Examples:
              netpold test tests/ --junit report.xml
            """)

    @Argument(help: "PolicyTest folders, folders of them, or test.yaml files.", completion: .file())
    var paths: [String] = []

    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp("The same as an argument. May be repeated.", valueName: "path"), completion: .file())
    var files: [String] = []

    @Option(
        name: [.customShort("k"), .customLong("kustomize")],
        help: ArgumentHelp(
            """
            Decide on what the kustomization of this folder makes, in place of the manifests that the tests name. May be repeated.
            """, valueName: "folder"), completion: .directory)
    var kustomizations: [String] = []

    @Option(
        help: ArgumentHelp(
            "Pass over files and folders of this name or path in the folders of manifests. May be repeated.",
            valueName: "pattern"))
    var exclude: [String] = []

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The namespace of objects that name none. (default: default)", valueName: "namespace"))
    var namespace: String?

    @Option(help: ArgumentHelp("The node that host means, in place of the tests' localNode.", valueName: "name"))
    var node: String?

    @Flag(
        help: "Decide with the programs loaded into the kernel (root): BPF_PROG_TEST_RUN on packets, nothing attached.")
    var kernel = false

    @Option(help: ArgumentHelp("Also write the results as JUnit XML.", valueName: "file"), completion: .file())
    var junit: String?

    @OptionGroup var form: ReportOptions

    @OptionGroup var diagnosticOptions: DiagnosticOptions

    @Option(help: ArgumentHelp("Print at most this many failing flows of a folder.", valueName: "n"))
    var limit = 5

    func validate() throws {
        if paths.isEmpty, files.isEmpty { throw ValidationError("name the tests: netpold test PATH") }
    }

    private func loadPrograms() async throws -> KernelPool {
        let proxy = try await ProxyTrial.start()
        do throws(BPFError) {
            return try KernelPool(proxy: proxy)
        } catch {
            ErrorOutput.error("\(error)")
            throw ExitCode.of(error)
        }
    }

    func run() async throws {
        if kernel, geteuid() != 0 {
            throw try diagnosticOptions.failed(
                "--kernel loads BPF programs: run it as root (or with sudo), or without --kernel", .machine)
        }
        let folders = TestFolders(paths + self.files)
        try diagnosticOptions.begin(folders.notes)
        let style = Terminal.output.style
        let progress = ProgressLine()
        let kernels = kernel ? try await loadPrograms() : nil
        var outcomes: [TestOutcome] = []
        func take(_ found: [TestOutcome]) {
            for outcome in found {
                outcomes.append(outcome)
                guard !form.isForPrograms, !outcome.passed else { continue }
                progress.clear()
                print(style.bad("FAIL") + " \(PrintableName.of(outcome.name)): \(outcome.summary)")
                for line in outcome.lines(limit: max(0, limit)) { print("  \(line)") }
            }
        }
        for (number, file) in folders.files.enumerated() {
            progress.show("\(number + 1)/\(folders.files.count) \(file)")
            take(TestOutcome.decide(file: file, choice, kernels))
        }
        take(folders.passedOver.map(TestOutcome.init(passedOver:)) + folders.missing.map(TestOutcome.init(missing:)))
        progress.clear()
        let failed = outcomes.count { !$0.passed }
        if let junit { try TestCommand.write(JUnitReport.render(outcomes), to: junit) }
        try diagnosticOptions.end(folders.notes + outcomes.flatMap(\.diagnostics))
        if form.isForPrograms {
            print(try form.render(TestReport(outcomes)))
        } else {
            let notAsked = outcomes.reduce(0) { $0 + $1.requestsNotAsked }
            if notAsked > 0 {
                print(
                    "\(notAsked) requests were not decided, only their connections")
            }
            let last = "\(outcomes.count - failed) passed, \(failed) failed"
            print(failed == 0 ? style.good(last) : style.bad(last))
        }
        if outcomes.contains(where: \.isUnusable) { throw ExitCode.badInput }
        if failed > 0 { throw ExitCode.no }
    }

    /// What the tests are decided on, where that is not what they say.
    private var choice: TestChoice {
        TestChoice(
            manifests: ManifestChoice(
                paths: [], kustomizations: kustomizations, excluded: exclude, namespace: namespace),
            node: node, options: diagnosticOptions)
    }

    private static func write(_ text: String, to path: String) throws {
        do throws(SystemError) {
            try SystemError.wrap("write", path) {
                let file = try OwnedDescriptor(
                    opening: path, .writeOnly, options: [.create, .truncate],
                    permissions: [.ownerReadWrite, .groupReadWrite, .otherReadWrite])
                _ = try file.use { try $0.writeAll(text.utf8) }
            }
        } catch {
            ErrorOutput.note("\(path) cannot be written: \(error.reason ?? "")")
            ErrorOutput.write("\(path): error: cannot be written: \(error.reason ?? "")\n")
            throw ExitCode.badInput
        }
    }
}
