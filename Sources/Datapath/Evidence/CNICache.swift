import BPFEmit
import Support
import SystemPackage

/// libcni's result cache: one file for each interface that the runtime made for a container. The notes of netpold's own plugin have
/// the same form.
struct CNICache {
    /// A result is some kilobytes; the plugin's configuration beside it may be more.
    private static let sizeLimit = 1 << 20
    /// More interfaces than any node has.
    private static let countLimit = 16_384

    /// What the files say, sorted by file.
    private(set) var attachments: [CNIAttachment] = []
    /// Files that were left out, and why.
    private(set) var problems: [EvidenceProblem] = []

    /// Reads the files of these folders; a folder that is not there is empty.
    init(folders: [String], source: CNIAttachment.Source) {
        for folder in folders {
            let names = names(in: folder)
            for name in names.prefix(CNICache.countLimit) { read("\(folder)/\(name)", name: name, source) }
            if names.count > CNICache.countLimit {
                lose(
                    folder, "\(names.count - CNICache.countLimit) files more than \(CNICache.countLimit) were left out")
            }
        }
        attachments.sort { $0.file < $1.file }
    }

    private mutating func names(in folder: String) -> [String] {
        do {
            return try FolderNames.read(folder)
        } catch {
            if error != .noSuchFileOrDirectory { lose(folder, "it cannot be listed: \(error)") }
            return []
        }
    }

    private mutating func read(_ path: String, name: String, _ source: CNIAttachment.Source) {
        do {
            let bytes = try BoundedFile.read(path, limit: CNICache.sizeLimit)
            let entry = try CNICacheEntry(bytes, name: name)
            attachments.append(
                CNIAttachment(
                    source: source, file: path, containerID: entry.containerID, interface: entry.interface,
                    pod: entry.pod, netns: entry.netns, namespace: CNICache.namespace(at: entry.netns),
                    hostInterfaces: entry.hostInterfaces, addresses: entry.addresses))
        } catch BoundedFile.Failure.system(.noSuchFileOrDirectory) {
            // The container is gone meanwhile.
        } catch {
            refuse(path, "\(error)")
        }
    }

    /// One file says nothing.
    private mutating func refuse(_ path: String, _ reason: String) {
        problems.append(
            EvidenceProblem(
                kind: .ignored, subject: path, reason: "the CNI result cache: \(path) was left out: \(reason)"))
    }

    /// Any file may be missing.
    private mutating func lose(_ folder: String, _ reason: String) {
        problems.append(
            EvidenceProblem(kind: .unreadable, subject: folder, reason: "the CNI result cache \(folder): \(reason)"))
    }

    /// The namespace that a path stands for. A process's path stands for another process's namespace when its number has been
    /// given away again, so that says nothing; a mount's path is made up for one container.
    private static func namespace(at path: String) -> UInt64? {
        guard !path.isEmpty, !path.hasPrefix("/proc/") else { return nil }
        return NamespaceFile(path)?.inode
    }
}

/// A file that stands for a namespace.
struct NamespaceFile: Hashable {
    /// The namespace's number.
    let inode: UInt64

    /// `nil` when there is no file, or one that stands for no namespace: a mount point whose mount is gone.
    init?(_ path: String) {
        // All files that stand for namespaces lie on one file system that nothing else lies on.
        guard let file = try? FileIdentity(of: path), let own = try? FileIdentity(of: NamespaceFile.own),
            file.device == own.device
        else { return nil }
        inode = file.inode
    }

    /// The network namespace of the calling thread.
    static let own = "/proc/thread-self/ns/net"
}
