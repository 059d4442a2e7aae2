import Glibc
public import PolicyAPI
public import Support
import Synchronization
import SystemPackage

/// Which manifests a command is about.
public struct ManifestChoice: Sendable {
    /// Files, folders (searched for `*.yaml`, `*.yml` and `*.json`), or `-` for standard input.
    public var paths: [String]
    /// Folders with a kustomization that is rendered.
    public var kustomizations: [String]
    /// Patterns of files and folders that are passed over.
    public var excluded: [String]
    /// The namespace of objects that name none.
    public var namespace: String?

    /// Whether nothing was named.
    public var isEmpty: Bool { paths.isEmpty && kustomizations.isEmpty }

    /// A choice.
    public init(paths: [String], kustomizations: [String] = [], excluded: [String] = [], namespace: String? = nil) {
        self.paths = paths
        self.kustomizations = kustomizations
        self.excluded = excluded
        self.namespace = namespace
    }
}

/// What `ManifestFiles.load` found.
public struct LoadedManifests: Sendable {
    /// The objects and all diagnostics, including those about files.
    public var decoded: DecodedManifests
    /// The files read, in the order read; `-` for standard input.
    public var files: [String]
    /// What standard input held, if it was read: it cannot be read again.
    public var standardInput: [UInt8]?
    /// Whether the objects are those of all the files as they are written.
    public var isAsWritten = true
    /// One line about files and folders that the search passes over by their names; `nil` without any.
    public var passedOver: String?
    /// Pods that a kustomization has renamed: `namespace/name as written` to `namespace/name`.
    public var renamed: [String: String] = [:]
}

/// Reads manifests from files, folders and standard input: the only place where policies meet the file system.
public enum ManifestFiles {
    /// Reads and decodes files and folders.
    public static func load(
        _ paths: [String], keepsDocuments: Bool = false, progress: (_ number: Int, _ count: Int) -> Void = { _, _ in }
    ) -> LoadedManifests {
        load(ManifestChoice(paths: paths), keepsDocuments: keepsDocuments, progress: progress)
    }

    /// Reads and decodes. Whatever cannot be read is a diagnostic; the rest is read. Workloads without pods get synthetic pods, and
    /// pods without addresses get some (`DecodedManifests.addSyntheticPods`). Files that a kustomization changes are left out, with
    /// a diagnostic, unless all it sets is the namespace.
    ///
    /// - Parameters:
    ///   - choice: what to read, in this order.
    ///   - keepsDocuments: whether the documents of policies are kept (`DecodedManifests.documents`).
    ///   - progress: called before each file with its number, from 1, and how many there are.
    /// - Returns: what was decoded, with the files it came from and the bytes of standard input.
    public static func load(
        _ choice: ManifestChoice, keepsDocuments: Bool = false,
        progress: (_ number: Int, _ count: Int) -> Void = { _, _ in }
    ) -> LoadedManifests {
        var decoder = ManifestDecoder(keepsDocuments: keepsDocuments, readsWorkloads: true, isOfRepository: true)
        var loaded = LoadedManifests(decoded: DecodedManifests(), files: [])
        var search = ManifestSearch(excluded: choice.excluded)
        for path in choice.paths { search.add(path) }
        for diagnostic in search.diagnostics { decoder.add(diagnostic) }
        let files = search.files
        let index = KustomizationIndex(files, roots: choice.paths, isPassedOver: search.passesOver)
        loaded.passedOver = search.passedOver
        loaded.isAsWritten = choice.kustomizations.isEmpty && !search.isPartial && choice.namespace == nil
        let named = Set(choice.paths)
        // A list without items is an answer too.
        var holdsSome = false
        var leftOut: [String: (by: Kustomization, files: [String])] = [:]
        for (number, file) in files.enumerated() {
            progress(number + 1, files.count)
            let fate = index.fate(of: file)
            if fate != .read { loaded.isAsWritten = false }
            for diagnostic in index.unread(by: file)?.diagnostics ?? [] { decoder.add(diagnostic) }
            if fate == .part { continue }
            func leaveOut() {
                let all = index.changing(file)
                // A namespace for what names none is not why, where others change more.
                let causes = fate == .leftOut ? all.filter(\.changesWritten) : all
                for kustomization in causes.isEmpty ? all : causes {
                    leftOut["\(kustomization.location)", default: (kustomization, [])].files.append(file)
                }
            }
            if fate == .leftOut {
                leaveOut()
                continue
            }
            let bare = FoundFlag()
            let change: @Sendable (DocumentNode) -> DocumentNode? = { [namespace = choice.namespace] document in
                var document = document
                switch fate {
                case .moved(let name): document = document.moved(toNamespace: name)
                case .settled(let name): document = document.moved(toNamespace: name, onlyBare: true)
                case .bareLeftOut where document.isBare:
                    bare.isSet.store(true, ordering: .relaxed)
                    guard let rest = document.withoutBare else { return nil }
                    document = rest
                case .read, .bareLeftOut, .part, .leftOut: break
                }
                return namespace.map { document.moved(toNamespace: $0, onlyBare: true) } ?? document
            }
            do throws(SystemError) {
                let bytes = try read(file)
                loaded.files.append(file)
                let holdsAny: Bool
                if file == "-" {
                    loaded.standardInput = bytes
                    holdsAny = decoder.add(stream: bytes, change: change)
                } else {
                    holdsAny = decoder.add(bytes, file: file, change: change)
                }
                // What somebody names is not empty on purpose; a repository may have empty files.
                holdsSome = holdsSome || holdsAny
                if !holdsAny, named.contains(file) { decoder.add(Diagnostic(emptyInput: file)) }
                if bare.isSet.load(ordering: .relaxed) { leaveOut() }
            } catch {
                decoder.add(Diagnostic(unreadable: error))
            }
        }
        for (_, found) in leftOut.sorted(by: { $0.key < $1.key }) {
            decoder.add(Diagnostic(leftOut: found.files, by: found.by))
        }
        for folder in choice.kustomizations { render(folder, choice.namespace, &decoder, &loaded) }
        loaded.decoded = decoder.finish()
        // An answer about nothing would be green.
        if !choice.isEmpty, !holdsSome, loaded.decoded.objectCount == 0, loaded.decoded.skipped.isEmpty,
            loaded.decoded.diagnostics.allSatisfy({ $0.severity == .note })
        {
            loaded.decoded.diagnostics.append(Diagnostic(emptySearch: choice))
        }
        loaded.decoded.addSyntheticPods()
        return loaded
    }

    private static func render(
        _ folder: String, _ namespace: String?, _ decoder: inout ManifestDecoder, _ loaded: inout LoadedManifests
    ) {
        do throws(KustomizeBuild.Failure) {
            let build = try KustomizeBuild(folder)
            loaded.files.append(KustomizeBuild.file(in: folder) ?? folder)
            for document in build.documents {
                decoder.add(namespace.map { document.moved(toNamespace: $0, onlyBare: true) } ?? document)
            }
            loaded.renamed.merge(build.renamed) { first, _ in first }
        } catch {
            decoder.add(
                Diagnostic(id: .unreadable, location: .whole(folder), message: error.message, hint: error.hint))
        }
    }

    /// Whether a kustomization in a folder changes its files, or takes more than is there and in the `others` that are read, so that only
    /// rendered they are what is applied.
    public static func isKustomized(_ folder: String, beside others: [String] = []) -> Bool {
        guard let file = KustomizeBuild.file(in: folder), let bytes = try? read(file) else { return false }
        let found = Kustomization(bytes, file: file)
        return !found.changes.isEmpty || found.reachesOut(of: others)
    }

    /// The bytes of one file, or of standard input for `-`. At most one byte more than the decoder takes is read, so that a
    /// huge or endless file costs no more than its diagnostic.
    public static func read(_ path: String) throws(SystemError) -> [UInt8] {
        try FileContent.read(path, limit: (path == "-" ? DocumentLimits.streamBytes : DocumentLimits.bytes) + 1)
    }

    /// The bytes of a file that was read before, for an excerpt; `nil` for what is not a regular file (a pipe is empty by
    /// now, and reading it might block) or cannot be read any more.
    public static func readAgain(_ path: String) -> [UInt8]? {
        guard let status = try? Stat(FilePath(path)), status.type == .regular else { return nil }
        return try? read(path)
    }
}

extension Diagnostic {
    /// Files that are left out because of a kustomization.
    init(leftOut files: [String], by kustomization: Kustomization) {
        let count = files.count == 1 ? "1 file, which is" : "\(files.count) files, which are"
        self.init(
            id: .kustomization, severity: .warning,
            location: kustomization.location,
            message: "it sets \(kustomization.summary) for \(count) left out: what is applied is not what they say",
            hint: kustomization.remedy)
    }

    /// An input without a single object, named by the user: what should have written it has probably failed, and an answer about
    /// nothing would be green.
    init(emptyInput file: String) {
        self.init(
            id: .emptyInput, location: .whole(file),
            message: file == "-" ? "standard input holds no object" : "the file holds no object",
            hint: file == "-"
                ? "has the command before the pipe failed? (bash: set -o pipefail)"
                : "objects have apiVersion and kind; has it been written, is it the right file?")
    }

    /// Paths below which there is not a single object.
    init(emptySearch choice: ManifestChoice) {
        let named = choice.paths + choice.kustomizations
        self.init(
            id: .emptyInput, severity: named == ["-"] ? .error : .warning, location: .whole(named.first ?? "-"),
            message: "no object was read",
            hint: choice.excluded.isEmpty
                ? "objects have apiVersion and kind; is everything in .netpoldignore, is this the right folder?"
                : "objects have apiVersion and kind; does --exclude name everything?")
    }

    /// A file that could not be read, as a diagnostic.
    public init(unreadable error: SystemError) {
        self.init(DirectoryWalk.Problem(path: error.object, reason: .unreadable(error)))
    }
}

/// Says that something was found, on any of the CPUs that read a file.
private final class FoundFlag: Sendable {
    let isSet = Atomic(false)
}
