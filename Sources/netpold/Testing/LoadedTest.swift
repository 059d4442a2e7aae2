import Agent
import PolicyAPI
import PolicyAnalysis
import PolicyIR
import Support

/// A PolicyTest with everything its manifests hold.
struct LoadedTest {
    /// The test.
    let test: PolicyTest
    /// The objects, with what the test says DNS has answered.
    let objects: ClusterObjects
    /// The policies.
    let policies: [LoweredPolicy]
    /// The oracle over them.
    let evaluator: ReferenceEvaluator

    /// Why a test cannot be run.
    struct Unusable: Error {
        /// What is wrong with its files.
        let diagnostics: [Diagnostic]
        /// In words.
        var messages: [String] { diagnostics.map(DiagnosticRenderer().render) }

        init(_ diagnostics: [Diagnostic]) { self.diagnostics = diagnostics.sorted() }
    }

    /// Reads the tests of a `test.yaml` and their manifests.
    ///
    /// - Throws: `Unusable` with every error found.
    static func load(file: String, _ choice: TestChoice) throws(Unusable) -> [LoadedTest] {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try ManifestFiles.read(file)
        } catch {
            throw Unusable([Diagnostic(unreadable: error)])
        }
        let document = DocumentReader.read(bytes, file: file)
        let (tests, diagnostics) = PolicyTestDecoder.decode(document.documents)
        try check(document.diagnostics + diagnostics)
        guard !tests.isEmpty else {
            throw Unusable([
                Diagnostic(
                    id: .emptyInput, location: .whole(file), message: "there is no PolicyTest in it",
                    hint: "docs/reference/policy-test.md says how one is written")
            ])
        }
        let slash = file.lastIndex(of: "/")
        let folder = slash.map { String(file[...$0]) } ?? ""
        var loaded: [LoadedTest] = []
        for test in tests { loaded.append(try load(test, folder: folder, choice)) }
        return loaded
    }

    private static func load(
        _ test: PolicyTest, folder: String, _ wanted: TestChoice
    ) throws(Unusable) -> LoadedTest {
        var choice = wanted.manifests
        let named = choice.kustomizations.isEmpty ? test.manifests : []
        let paths = named.map { RelativePath.join(folder, $0) }
        for path in paths {
            if ManifestFiles.isKustomized(path, beside: paths) {
                choice.kustomizations.append(path)
            } else {
                choice.paths.append(path)
            }
        }
        let loaded = ManifestFiles.load(choice)
        let decoded = loaded.decoded
        var test = test.calling(loaded.renamed, unless: Set(decoded.objects.pods.map(\.qualifiedName)))
        var objects = decoded.objects
        if let node = wanted.node { test.localNode = node }
        if let mistake = Named.mistake(node: test.localNode, in: objects) {
            throw Unusable([Diagnostic(id: .invalidValue, location: test.location, message: mistake, hint: "")])
        }
        objects.names = test.names
        let lowered = PolicyLowering.lower(objects)
        try check(wanted.options.counted(decoded.diagnostics + lowered.diagnostics))
        let evaluator = ReferenceEvaluator(objects, policies: lowered.policies, localNode: test.localNode)
        let omissions = ProgramLimits.omissions(of: objects.pods, evaluator, objects, lowered.policies)
        try check(wanted.options.counted(omissions))
        return LoadedTest(test: test, objects: objects, policies: lowered.policies, evaluator: evaluator)
    }

    private static func check(_ diagnostics: [Diagnostic]) throws(Unusable) {
        // Verdicts without what is applied would be no answer to the test.
        let errors = diagnostics.filter { $0.severity == .error || $0.isAboutLeftOut }
        guard errors.isEmpty else { throw Unusable(errors) }
    }
}
