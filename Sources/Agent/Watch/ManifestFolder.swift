import PolicyIR
public import Support
import Synchronization

/// The manifests of a folder, each file decoded once a version.
///
/// A file that somebody is writing at this moment keeps its former content until it is closed: half a file may well be
/// valid YAML that lacks the policies of its second half.
public final class ManifestFolder: ManifestSource {
    private struct Decoded {
        var version: FileVersion
        var content: ManifestFile
    }

    private let root: String
    private let decode: @Sendable (_ path: String) -> ManifestFile
    private let cache = Mutex<[String: Decoded]>([:])
    private let watcher: FolderWatcher
    private let lastGood: LastGoodFiles?

    /// The folder at `root`. `decode` reads and decodes one file; it never fails but answers what is unreadable.
    /// `lastGood` forgets the copies of files that are gone.
    public init(
        _ root: String, lastGood: LastGoodFiles? = nil, decode: @escaping @Sendable (_ path: String) -> ManifestFile
    ) throws(SystemError) {
        self.root = root
        self.decode = decode
        self.lastGood = lastGood
        self.watcher = try FolderWatcher(root)
    }

    /// Reads what changed since the last reading.
    public func read() throws -> ManifestSnapshot {
        let listing = try FolderListing(root)
        let busy = watcher.filesBeingWritten
        lastGood?.keep(only: Array(listing.files.keys) + listing.findings.keys)
        return cache.withLock { cache in
            var next: [String: Decoded] = [:]
            for (path, version) in listing.files {
                if let known = cache[path], known.version == version || busy.contains(path) {
                    next[path] = known
                } else if !busy.contains(path) {
                    let content = decode(path)
                    // Changed while being read: the watcher will call again; until then the former content counts.
                    if FileVersion(of: path) == version {
                        next[path] = Decoded(version: version, content: content)
                    } else if let known = cache[path] {
                        next[path] = known
                    }
                }
            }
            cache = next
            let findings = listing.findings.mapValues { finding in
                finding.severity == .error
                    ? ManifestFile(unreadable: finding)
                    : ManifestFile(warnings: [DiagnosticRenderer().render(finding)])
            }
            return next.mapValues(\.content).merging(findings) { file, _ in file }
        }
    }

    /// Starts watching for changes.
    public func watch(_ changed: @escaping @Sendable () -> Void) throws {
        try watcher.start(changed)
    }
}
