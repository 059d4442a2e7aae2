import BPFEmit
import Glibc
import Support

/// The network namespaces of the processes of this host, and the pods they belong to.
struct ProcessNamespaces {
    /// One namespace that processes are in.
    struct Entry {
        /// A file that stands for it as long as that process lives.
        var path: String
        /// The pods of its processes.
        var podUIDs: Set<String> = []
        /// Processes whose cgroup was read.
        fileprivate var read = 0
    }

    /// Processes of one namespace whose cgroups are read: all of a pod's say the same.
    private static let readLimit = 64
    /// A `/proc/<pid>/cgroup` takes some kilobytes at most.
    private static let cgroupLimit = 64 * 1024

    /// By inode, without `own`.
    private(set) var entries: [UInt64: Entry] = [:]
    /// What could not be looked at.
    private(set) var problems: [EvidenceProblem] = []

    /// Looks at every process.
    ///
    /// - Parameters:
    ///   - folder: `/proc`.
    ///   - own: the namespace that is left out.
    init(_ folder: String = "/proc", own: UInt64) {
        var untold: Set<String> = []
        for name in ProcessNamespaces.names(in: folder, &problems)
        where name.utf8.allSatisfy({ (48...57).contains($0) }) {
            let link = "\(folder)/\(name)/ns/net"
            let cgroup = "\(folder)/\(name)/cgroup"
            if let inode = ProcessNamespaces.inode(of: link) {
                if inode != own { note(inode, link, cgroup) }
            } else {
                // One that ended meanwhile is in no cgroup; from one of no pod nothing is expected.
                untold.formUnion(ProcessNamespaces.podUIDs(cgroup))
            }
        }
        for uid in untold.sorted() {
            problems.append(
                EvidenceProblem(
                    kind: .unreadable, subject: "pod \(uid)",
                    reason: "the network namespace of its processes cannot be told: the agent needs CAP_SYS_PTRACE"))
        }
    }

    private static func names(in folder: String, _ problems: inout [EvidenceProblem]) -> [String] {
        do {
            return try FolderNames.read(folder)
        } catch {
            let reason = "the processes of the node cannot be listed: \(error)"
            problems.append(EvidenceProblem(kind: .unreadable, subject: folder, reason: reason))
            return []
        }
    }

    private mutating func note(_ inode: UInt64, _ link: String, _ cgroup: String) {
        var entry = entries[inode] ?? Entry(path: link)
        defer { entries[inode] = entry }
        guard entry.read < ProcessNamespaces.readLimit else { return }
        entry.read += 1
        let uids = ProcessNamespaces.podUIDs(cgroup)
        // The number may be another process's by now, or the process in another namespace.
        if !uids.isEmpty, ProcessNamespaces.inode(of: link) == inode { entry.podUIDs.formUnion(uids) }
    }

    /// The pods whose cgroup a process is in, which anybody may read; none for a process that ended.
    private static func podUIDs(_ cgroup: String) -> Set<String> {
        PodCgroup.uids(in: (try? BoundedFile.read(cgroup, limit: cgroupLimit)) ?? [])
    }

    private static func inode(of link: String) -> UInt64? {
        var buffer = [CChar](repeating: 0, count: 64)
        let count = readlink(link, &buffer, buffer.count)
        return count > 0 ? inode(inLink: buffer.prefix(count).map { UInt8(bitPattern: $0) }) : nil
    }

    /// Reads `net:[4026531840]`.
    static func inode(inLink text: some Collection<UInt8>) -> UInt64? {
        let text = String(decoding: text, as: UTF8.self)
        guard text.hasPrefix("net:["), text.hasSuffix("]") else { return nil }
        return UInt64(text.dropFirst(5).dropLast())
    }
}
