import Foundation
import Glibc
import PolicyAPI
public import Support
import Synchronization

/// Copies of manifest files as they were last accepted, kept beside the agent's other run-time files.
///
/// An agent that starts while a file is broken, or the folder lost, learns from them what its predecessor had in force. They
/// live as long as the machine is up, like the pinned maps; so they are not forced to a disk, which costs milliseconds a
/// file: each is written beside its predecessor and renamed, and says how long it is and what its bytes add up to.
public final class LastGoodFiles: Sendable {
    private static let title = "netpold-last-good"
    private let folder: String
    /// What is written, by path.
    private let written = Mutex<[String: UInt64]>([:])

    /// Copies in a folder, which is made if it is not there.
    public init(folder: String) throws(SystemError) {
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw SystemError("make folder", folder, .current) }
        self.folder = folder
    }

    /// Makes the copies on disk those of `copies`, by path.
    ///
    /// - Throws: the first error; the other copies are written all the same. What is in force does not depend on them, but
    ///   a restart that meets a broken file would not know what it held.
    public func save(_ copies: [String: FolderCopy]) throws(SystemError) {
        let error = written.withLock { written -> SystemError? in
            var first: SystemError?
            for path in Array(written.keys) where copies[path] == nil {
                unlink("\(folder)/\(LastGoodFiles.name(path))")
                written[path] = nil
            }
            for (path, copy) in copies where written[path] != copy.serial {
                do throws(SystemError) {
                    try write(path, copy)
                    written[path] = copy.serial
                } catch {
                    // Rather none than that of another text.
                    unlink("\(folder)/\(LastGoodFiles.name(path))")
                    first = first ?? error
                }
            }
            return first
        }
        if let error { throw error }
    }

    /// The copies, decoded; those that are not whole are left out, and removed.
    public func load() -> [String: FolderCopy] {
        var copies: [String: FolderCopy] = [:]
        for name in (try? FolderNames.read(folder)) ?? [] {
            let file = "\(folder)/\(name)"
            guard name.hasSuffix(".manifest"), let bytes = try? FileContent.readRegular(file, limit: .max).bytes,
                let (path, copy) = LastGoodFiles.parse(bytes), LastGoodFiles.name(path) == name
            else {
                unlink(file)
                continue
            }
            copies[path] = copy
            written.withLock { $0[path] = copy.serial }
        }
        return copies
    }

    private func write(_ path: String, _ copy: FolderCopy) throws(SystemError) {
        let file = "\(folder)/\(LastGoodFiles.name(path))"
        try FileContent.replace(file, with: LastGoodFiles.bytes(path, copy))
    }

    /// A line with the sum of all that follows and the length of each part, then the path and the texts.
    static func bytes(_ path: String, _ copy: FolderCopy) -> [UInt8] {
        let birth = copy.birth
        let parts = [Array(path.utf8), copy.good?.bytes, copy.latest?.bytes]
        let numbers =
            [birth?.identity.device ?? 0, birth?.identity.inode ?? 0, UInt64(bitPattern: birth?.time ?? 0)].map {
                "\($0)"
            } + parts.map { $0.map { "\($0.count)" } ?? "-" }
        let rest = Array((numbers.joined(separator: " ") + "\n").utf8) + parts.flatMap { $0 ?? [] }
        return Array("\(title) \(sum(rest, seed: 0))\n".utf8) + rest
    }

    static func parse(_ bytes: [UInt8]) -> (path: String, copy: FolderCopy)? {
        let newline = UInt8(ascii: "\n")
        guard let titleEnd = bytes.firstIndex(of: newline),
            let headEnd = bytes[(titleEnd + 1)...].firstIndex(of: newline)
        else { return nil }
        let rest = bytes[(titleEnd + 1)...]
        guard String(decoding: bytes[..<titleEnd], as: UTF8.self) == "\(title) \(sum(rest, seed: 0))" else {
            return nil
        }
        let fields = String(decoding: bytes[(titleEnd + 1)..<headEnd], as: UTF8.self).split(separator: " ")
        guard fields.count == 6, let device = UInt64(fields[0]), let inode = UInt64(fields[1]),
            let time = UInt64(fields[2])
        else { return nil }
        var texts: [[UInt8]?] = []
        var start = headEnd + 1
        for field in fields[3...] {
            guard let length = Int(field) else {
                texts.append(nil)
                continue
            }
            guard length >= 0, length <= bytes.count - start else { return nil }
            texts.append(Array(bytes[start..<(start + length)]))
            start += length
        }
        guard start == bytes.count, let path = texts[0].map({ String(decoding: $0, as: UTF8.self) }) else { return nil }
        func text(_ bytes: [UInt8]?) -> FileText? {
            bytes.map {
                FileText(bytes: $0, content: ManifestFile(decoding: $0, file: PrintableName.of(path)))
            }
        }
        let birth =
            inode == 0
            ? nil
            : FileBirth(
                identity: FileIdentity(device: device, inode: inode), time: Int64(bitPattern: time))
        var copy = FolderCopy(birth: birth, good: text(texts[1]), latest: text(texts[2]))
        // Another version of netpold may refuse what this one's predecessor took.
        if let good = copy.good, !good.content.isGood {
            copy.latest = copy.latest ?? good
            copy.good = nil
        }
        return (path, copy)
    }

    /// Paths may be longer than names.
    private static func name(_ path: String) -> String {
        let bytes = Array(path.utf8)
        return "\(String(sum(bytes, seed: 0), radix: 16))-\(String(sum(bytes, seed: 0x9e37_79b9), radix: 16)).manifest"
    }

    /// FNV-1a.
    private static func sum(_ bytes: some Sequence<UInt8>, seed: UInt64) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ seed
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }
}
