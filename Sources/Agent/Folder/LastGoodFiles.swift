import Foundation
import Glibc
public import Support
import SystemPackage

/// Copies of manifest files as they were when nothing in them was refused, kept beside the agent's other run-time files.
///
/// An agent that starts while a file is broken learns from them what its predecessor had in force; without, the broken
/// file's policies would silently be gone. They live as long as the machine is up, like the pinned maps.
public final class LastGoodFiles: Sendable {
    private let folder: String

    /// Copies in a folder, which is made if it is not there.
    public init(folder: String) throws(SystemError) {
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw SystemError("make folder", folder, .current) }
        self.folder = folder
    }

    /// Keeps a copy of the file at `path`, in place of the one before. A copy that cannot be written is left out: it is a
    /// help for a start that meets a broken file, nothing that is in force depends on it.
    public func save(_ path: String, _ bytes: [UInt8]) {
        // The path goes in front of the content: names of copies are only hashes.
        let content = Data("\(path)\n".utf8) + Data(bytes)
        try? content.write(to: URL(filePath: "\(folder)/\(LastGoodFiles.name(path))"), options: .atomic)
    }

    /// Forgets the copies of files that are gone.
    public func keep(only paths: some Sequence<String>) {
        let wanted = Set(paths.map(LastGoodFiles.name))
        for name in names where !wanted.contains(name) { unlink("\(folder)/\(name)") }
    }

    /// The copies, decoded; those that hold anything else than good objects are left out.
    public func load() -> FolderSnapshot {
        var snapshot: FolderSnapshot = [:]
        for name in names {
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)"),
                let end = data.firstIndex(of: UInt8(ascii: "\n"))
            else { continue }
            let path = String(decoding: data[..<end], as: UTF8.self)
            guard LastGoodFiles.name(path) == name else { continue }
            let file = ManifestFile(decoding: Array(data[(end + 1)...]), file: path)
            if file.isGood { snapshot[path] = file }
        }
        return snapshot
    }

    private var names: [String] {
        let found = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return found.filter { $0.hasSuffix(".manifest") }.sorted()
    }

    /// FNV-1a of the path: paths may be longer than names.
    private static func name(_ path: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in path.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return "\(String(hash, radix: 16)).manifest"
    }
}
