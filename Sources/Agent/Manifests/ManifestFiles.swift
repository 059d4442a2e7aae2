import Glibc
public import PolicyIR

/// What `ManifestFiles.load` found.
public struct LoadedManifests: Sendable {
    /// The objects and all findings, those about files included.
    public var decoded: DecodedManifests
    /// The files read, in the order read; `-` for standard input.
    public var files: [String]
}

/// Reads manifests from files, folders and standard input: the only place where policies meet the file system.
public enum ManifestFiles {
    /// Reads and decodes. A path is a file, a folder (searched recursively for `*.yaml`, `*.yml` and `*.json`) or `-`.
    /// Whatever cannot be read is a finding; the rest is read.
    public static func load(_ paths: [String]) -> LoadedManifests {
        var decoder = ManifestDecoder()
        var files: [String] = []
        var search = ManifestSearch()
        for path in paths { search.add(path) }
        for diagnostic in search.diagnostics { decoder.add(diagnostic) }
        for file in search.files {
            switch read(file) {
            case .success(let bytes):
                files.append(file)
                decoder.add(bytes, file: file)
            case .failure(let failure):
                decoder.add(failure.diagnostic)
            }
        }
        return LoadedManifests(decoded: decoder.finish(), files: files)
    }

    /// The bytes of one file, or of standard input for `-`. At most one byte more than the decoder takes is read, so that a
    /// huge or endless file costs no more than its finding.
    public static func read(_ path: String) -> Result<[UInt8], FileFailure> {
        do throws(FileFailure) {
            return .success(try FileSystem.read(path, limit: DocumentLimits.bytes + 1))
        } catch {
            return .failure(error)
        }
    }
}

/// A file that could not be read.
public struct FileFailure: Error, Hashable, Sendable {
    /// The operation, for example `open`.
    public let operation: String
    /// The path.
    public let path: String
    /// The error number, 0 when the file itself is the reason.
    public let errno: Int32
    /// The reason in words.
    public let reason: String

    /// As a finding.
    public var diagnostic: Diagnostic {
        if errno == ENOENT {
            return Diagnostic(
                id: .unreadable, location: .whole(path), message: "no such file or folder", hint: "check the path")
        }
        let number = errno == 0 ? "" : " (errno \(errno))"
        return Diagnostic(
            id: .unreadable, location: .whole(path),
            message: "\(operation) failed: \(reason)\(number)", hint: "check the path and its permissions")
    }
}
