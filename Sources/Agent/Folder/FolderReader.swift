import Glibc
import PolicyAPI
import PolicyAnalysis
import Support

/// Reads a folder of manifests; each file is read once a version and decoded once a text.
///
/// A file that somebody is writing at this moment is not read until it is closed: half a file may well be valid YAML that
/// lacks the policies of its second half.
struct FolderReader: Sendable {
    /// Turns the bytes of a file into objects; it never fails but answers what is unreadable.
    typealias Decode = @Sendable (_ bytes: [UInt8], _ file: String) -> ManifestFile

    /// Bytes of all files together: as much again and several times that is needed to decode them.
    static let byteLimit: Int64 = 256 << 20

    private struct Known {
        var version: FileVersion
        var file: FolderReading.File
        /// What kustomizations make of the file; `nil` for nothing.
        var change: KustomizedChange?
    }

    private let root: String
    private let byteLimit: Int64
    private let decode: Decode
    private var known: [String: Known] = [:]
    /// Whether files came, went or changed since kustomizations were looked at.
    private var hasNewTexts = false
    /// Paths that changed and could not be read in peace yet.
    private var stale: Set<String> = []

    init(_ root: String, byteLimit: Int64 = FolderReader.byteLimit, decode: @escaping Decode) {
        self.root = root
        self.byteLimit = byteLimit
        self.decode = decode
    }

    /// Reads what changed since the last call, or everything again.
    ///
    /// - Throws: when the folder is not there or cannot be read.
    mutating func read(_ activity: FolderWatcher.Activity, everything: Bool = false) throws(SystemError)
        -> FolderReading
    {
        if everything || activity.isUnknown { stale.formUnion(known.keys) }
        stale.formUnion(activity.touched)
        var listing = try FolderListing(root)
        // Somebody may put the whole folder's content in the place of another (a ConfigMap's `..data`) while it is read: a
        // reading that mixes both is taken again.
        for _ in 0..<3 {
            guard readFiles(listing, activity) else { break }
            let again = try FolderListing(root)
            guard again.files != listing.files else { break }
            listing = again
        }
        stale.formIntersection(known.keys)
        followKustomizations()
        return reading(listing, activity)
    }

    /// Reads files as kustomizations in the folder have it, again where these have changed.
    private mutating func followKustomizations() {
        guard hasNewTexts else { return }
        hasNewTexts = false
        let texts = known.compactMapValues { known -> [UInt8]? in
            if case .text(let text) = known.file.state { text.bytes } else { nil }
        }
        let index = KustomizationIndex(known.keys.sorted(), roots: [root], read: { texts[$0] })
        for path in known.keys {
            let change = KustomizedChange(path, index)
            guard let old = known[path], case .text(var text) = old.file.state,
                old.change != change || text.isAsWritten != (change == nil)
            else { continue }
            let name = PrintableName.of(path)
            text.content =
                change.map { ManifestFile(decoding: text.bytes, file: name, $0) } ?? decode(text.bytes, name)
            text.isAsWritten = change == nil
            known[path]?.file.state = .text(text)
            known[path]?.change = change
        }
    }

    /// Reads the files that changed; answers whether there were any.
    private mutating func readFiles(_ listing: FolderListing, _ activity: FolderWatcher.Activity) -> Bool {
        var isNew = false
        var room = byteLimit
        var next: [String: Known] = [:]
        for (path, version) in listing.files.sorted(by: { $0.key < $1.key }) {
            room -= version.size
            if var old = known[path] {
                old.file.isUnfinished = activity.unfinished.contains(path)
                if activity.beingWritten.contains(path) {
                    next[path] = old
                    stale.insert(path)
                    continue
                }
                if old.version == version, !stale.contains(path) {
                    next[path] = old
                    continue
                }
            }
            isNew = true
            var file = read(path, version, activity, hasRoom: room >= 0)
            file.isUnfinished = activity.unfinished.contains(path)
            next[path] = Known(version: version, file: file)
        }
        if isNew || next.count != known.count { hasNewTexts = true }
        known = next
        return isNew
    }

    private mutating func read(
        _ path: String, _ version: FileVersion, _ activity: FolderWatcher.Activity, hasRoom: Bool
    ) -> FolderReading.File {
        let birth = FileBirth(of: path, identity: version.identity)
        func unreadable(_ diagnostic: Diagnostic) -> FolderReading.File {
            FolderReading.File(.unreadable(ManifestFile(unreadable: diagnostic)), birth: birth)
        }
        guard !activity.beingWritten.contains(path) else {
            stale.insert(path)
            return FolderReading.File(.unread, birth: birth)
        }
        guard hasRoom else {
            return unreadable(
                Diagnostic(
                    id: .limit, location: .whole(PrintableName.of(path)),
                    message: "the files of the folder have more than \(byteLimit) bytes together",
                    hint: "keep fewer or smaller files in it"))
        }
        do throws(SystemError) {
            let (bytes, seen) = try FileContent.readRegular(path, limit: DocumentLimits.bytes + 1)
            guard seen == version else {
                // Changed while it was read: the watcher will call again.
                stale.insert(path)
                return FolderReading.File(.unread, birth: birth)
            }
            stale.remove(path)
            if let old = known[path], case .text(let text) = old.file.state, text.bytes == bytes {
                return FolderReading.File(.text(text), birth: birth)
            }
            let content = decode(bytes, PrintableName.of(path))
            // What nobody reads need not be kept: a text that is too long is never compared.
            return FolderReading.File(
                .text(FileText(bytes: bytes.count > DocumentLimits.bytes ? [] : bytes, content: content)), birth: birth)
        } catch {
            stale.insert(path)
            // Gone since it was listed: the next look says so.
            if error.errno == .noSuchFileOrDirectory { return FolderReading.File(.unread, birth: birth) }
            return unreadable(Diagnostic(unreadable: error))
        }
    }

    private func reading(_ listing: FolderListing, _ activity: FolderWatcher.Activity) -> FolderReading {
        var reading = FolderReading(
            files: known.mapValues(\.file), unseen: listing.unseen.mapValues { "\($0)" }, touched: activity.touched)
        for (path, diagnostic) in listing.diagnostics {
            let content =
                diagnostic.severity == .error
                ? ManifestFile(unreadable: diagnostic)
                : ManifestFile(warnings: [DiagnosticRenderer().render(diagnostic)])
            // A note about a link is nothing that a file says.
            reading.files[path] = FolderReading.File(
                diagnostic.severity == .error
                    ? .unreadable(content) : .text(FileText(bytes: [], content: content)))
        }
        return reading
    }
}
