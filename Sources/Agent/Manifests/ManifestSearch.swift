import PolicyAPI
import Support
import SystemPackage

/// Finds the manifest files that paths stand for. Deterministic: names are taken in the order of their bytes.
struct ManifestSearch {
    /// Folders inside each other.
    static let depthLimit = 32
    /// Files in all.
    static let fileLimit = 100_000

    /// What a path leads to.
    private struct Entry: Hashable {
        let identity: FileIdentity
        let isFolder: Bool
        let isRegular: Bool

        init(_ path: String) throws(SystemError) {
            let status = try SystemError.wrap("stat", path) { try Stat(FilePath(path)) }
            identity = FileIdentity(status)
            isFolder = status.type == .directory
            isRegular = status.type == .regular
        }
    }

    /// The files, each once, in the order found.
    private(set) var files: [String] = []
    /// What could not be read or followed.
    private(set) var diagnostics: [Diagnostic] = []
    private var seen: Set<Entry> = []
    private var isFull = false
    /// Manifest files met, those met before included.
    private var met = 0

    /// Adds what the user named: a file of any name, a folder, or `-`.
    mutating func add(_ path: String) {
        if path == "-" {
            if !files.contains("-") { files.append("-") }
            return
        }
        do throws(SystemError) {
            let entry = try Entry(path)
            guard entry.isFolder else {
                add(file: path, entry)
                return
            }
            let before = met + diagnostics.count
            search(path, entry, above: [])
            if met + diagnostics.count == before {
                tell(path, .warning, "the folder holds no *.yaml, *.yml or *.json file", "name another folder")
            }
        } catch {
            diagnostics.append(Diagnostic(unreadable: error))
        }
    }

    /// Adds the manifests of a folder. `above` are the folders it lies in: meeting one again is a loop of links.
    private mutating func search(_ folder: String, _ entry: Entry, above: [Entry]) {
        guard !above.contains(entry) else {
            tell(folder, .error, "the link leads back to a folder that it lies in", "remove the link")
            return
        }
        guard above.count < ManifestSearch.depthLimit else {
            tell(
                folder, .error, "folders are nested deeper than \(ManifestSearch.depthLimit)", "name the folder itself")
            return
        }
        // Reached twice by different links: its files are there already.
        guard seen.insert(entry).inserted else {
            met += 1
            return
        }
        do throws(SystemError) {
            for name in try SystemError.wrap("opendir", folder, { try FolderNames.read(folder) })
            where !name.hasPrefix(".") && !isFull {
                let path = folder.hasSuffix("/") ? folder + name : folder + "/" + name
                visit(path, name, above: above + [entry])
            }
        } catch {
            diagnostics.append(Diagnostic(unreadable: error))
        }
    }

    private mutating func visit(_ path: String, _ name: String, above: [Entry]) {
        let isManifest = [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) }
        do throws(SystemError) {
            let entry = try Entry(path)
            if entry.isFolder {
                search(path, entry, above: above)
            } else if isManifest, entry.isRegular {
                add(file: path, entry)
            } else if isManifest {
                // Reading a pipe nobody writes to would wait for ever.
                tell(path, .error, "this is no regular file", "name it on the command line to read it anyway")
            }
        } catch {
            // A dangling link of another kind of file is nobody's manifest.
            if isManifest { diagnostics.append(Diagnostic(unreadable: error)) }
        }
    }

    private mutating func add(file: String, _ entry: Entry) {
        met += 1
        guard !entry.isRegular || seen.insert(entry).inserted else { return }
        guard files.count < ManifestSearch.fileLimit else {
            if !isFull {
                tell(file, .error, "there are more than \(ManifestSearch.fileLimit) files", "name fewer folders")
            }
            isFull = true
            return
        }
        files.append(file)
    }

    private mutating func tell(_ path: String, _ severity: Diagnostic.Severity, _ message: String, _ hint: String) {
        diagnostics.append(
            Diagnostic(
                id: .unreadable, severity: severity, location: .whole(path),
                message: message, hint: hint))
    }
}
