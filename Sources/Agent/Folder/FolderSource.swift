import Glibc
import PolicyAPI
import PolicyAnalysis
public import Support
import Synchronization

/// A folder of manifests as a source of objects; each file is decoded once a version.
///
/// A file that somebody is writing at this moment keeps its former content until it is closed: half a file may well be
/// valid YAML that lacks the policies of its second half.
public final class FolderSource: ObjectSource {
    private struct Decoded {
        var version: FileVersion
        var content: ManifestFile
    }

    private struct State {
        var files: [String: Decoded] = [:]
        var reducer: FolderReducer
        /// What the latest listing says of paths that cannot be read as files, in the form of files.
        var diagnostics: FolderSnapshot = [:]
        var hasSynced = false
    }

    /// The folder's path.
    public let id: ObjectSourceID
    private let root: String
    private let decode: @Sendable (_ path: String) -> ManifestFile
    private let state: Mutex<State>
    private let watcher: FolderWatcher
    private let lastGood: LastGoodFiles?

    /// The folder at `root`.
    ///
    /// - Parameters:
    ///   - root: the folder's path; also the id of the source.
    ///   - lastGood: copies of what an agent before this one had accepted, to begin with; forgets the copies of files that
    ///     are gone.
    ///   - decode: reads and decodes one file; it never fails but answers what is unreadable.
    /// - Throws: when the folder cannot be listed or watched.
    public init(
        _ root: String, lastGood: LastGoodFiles? = nil, decode: @escaping @Sendable (_ path: String) -> ManifestFile
    ) throws(SystemError) {
        self.id = ObjectSourceID(root)
        self.root = root
        self.decode = decode
        self.lastGood = lastGood
        self.state = Mutex(State(reducer: FolderReducer(remembered: lastGood?.load() ?? [:])))
        self.watcher = try FolderWatcher(root)
    }

    /// Reads what changed since the last call.
    public func changes() -> ObjectBatch {
        state.withLock { state in
            do throws(SystemError) {
                state.diagnostics = try read(&state.files)
            } catch {
                let condition = Condition(
                    kind: .sourceUnavailable, subject: "manifests",
                    message: "\(error); everything last read stays in force")
                return ObjectBatch(source: id, events: [], conditions: state.reducer.conditions + [condition])
            }
            var events = state.reducer.absorb(
                state.files.mapValues(\.content).merging(state.diagnostics) { file, _ in file })
            if !state.hasSynced {
                state.hasSynced = true
                events += ObjectKind.allCases.map(ObjectEvent.synced)
            }
            return ObjectBatch(source: id, events: events, conditions: state.reducer.conditions)
        }
    }

    /// Starts to report changes.
    public func watch(_ changed: @escaping @Sendable () -> Void) throws { try watcher.start(changed) }

    /// Reads the files that changed. Returns what the listing says of paths that cannot be read as files.
    private func read(_ known: inout [String: Decoded]) throws(SystemError) -> FolderSnapshot {
        let listing = try FolderListing(root)
        let busy = watcher.filesBeingWritten
        lastGood?.keep(only: Array(listing.files.keys) + listing.diagnostics.keys)
        var next: [String: Decoded] = [:]
        for (path, version) in listing.files {
            if let old = known[path], old.version == version || busy.contains(path) {
                next[path] = old
            } else if !busy.contains(path) {
                let content = decode(path)
                // Changed while being read: the watcher will call again; until then the former content counts.
                next[path] =
                    FileVersion(of: path) == version
                    ? Decoded(version: version, content: content) : known[path]
            }
        }
        known = next
        return listing.diagnostics.mapValues { diagnostic in
            diagnostic.severity == .error
                ? ManifestFile(unreadable: diagnostic)
                : ManifestFile(warnings: [DiagnosticRenderer().render(diagnostic)])
        }
    }
}
