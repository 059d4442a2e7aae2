import Glibc
public import PolicyAPI
public import Support
import SystemPackage

/// What `ManifestFiles.load` found.
public struct LoadedManifests: Sendable {
    /// The objects and all diagnostics, including those about files.
    public var decoded: DecodedManifests
    /// The files read, in the order read; `-` for standard input.
    public var files: [String]
    /// What standard input held, if it was read: it cannot be read again.
    public var standardInput: [UInt8]?
}

/// Reads manifests from files, folders and standard input: the only place where policies meet the file system.
public enum ManifestFiles {
    /// Reads and decodes. A path is a file, a folder (searched recursively for `*.yaml`, `*.yml` and `*.json`) or `-`.
    /// Whatever cannot be read is a diagnostic; the rest is read. Workloads without pods get synthetic pods, and pods without
    /// addresses get some (`DecodedManifests.addSyntheticPods`).
    ///
    /// - Parameters:
    ///   - paths: what to read, in this order.
    ///   - keepsDocuments: whether the documents of policies are kept (`DecodedManifests.documents`).
    ///   - progress: called before each file with its number, from 1, and how many there are.
    /// - Returns: what was decoded, with the files it came from and the bytes of standard input.
    public static func load(
        _ paths: [String], keepsDocuments: Bool = false, progress: (_ number: Int, _ count: Int) -> Void = { _, _ in }
    ) -> LoadedManifests {
        var decoder = ManifestDecoder(keepsDocuments: keepsDocuments, readsWorkloads: true)
        var standardInput: [UInt8]?
        var files: [String] = []
        var search = ManifestSearch()
        for path in paths { search.add(path) }
        for diagnostic in search.diagnostics { decoder.add(diagnostic) }
        for (index, file) in search.files.enumerated() {
            progress(index + 1, search.files.count)
            do throws(SystemError) {
                let bytes = try read(file)
                files.append(file)
                if file == "-" { standardInput = bytes }
                decoder.add(bytes, file: file)
            } catch {
                decoder.add(Diagnostic(unreadable: error))
            }
        }
        var decoded = decoder.finish()
        decoded.addSyntheticPods()
        return LoadedManifests(decoded: decoded, files: files, standardInput: standardInput)
    }

    /// The bytes of one file, or of standard input for `-`. At most one byte more than the decoder takes is read, so that a
    /// huge or endless file costs no more than its diagnostic.
    public static func read(_ path: String) throws(SystemError) -> [UInt8] {
        try FileContent.read(path, limit: DocumentLimits.bytes + 1)
    }

    /// The bytes of a file that was read before, for an excerpt; `nil` for what is not a regular file (a pipe is empty by
    /// now, and reading it might block) or cannot be read any more.
    public static func readAgain(_ path: String) -> [UInt8]? {
        guard let status = try? Stat(FilePath(path)), status.type == .regular else { return nil }
        return try? read(path)
    }
}

extension Diagnostic {
    /// A file that could not be read, as a diagnostic.
    public init(unreadable error: SystemError) {
        self.init(DirectoryWalk.Problem(path: error.object, reason: .unreadable(error)))
    }
}
