import BPFEmit
import Glibc
import Support

/// The namespaces to look at, each with a file that stands for it.
struct NamespaceCandidates {
    struct Candidate {
        var inode: UInt64
        var path: String
        var name: String
        var isMounted = false
        /// Whether the runtime's notes speak of it.
        var isNoted = false
        var podUIDs: Set<String> = []

        /// Whether the runtime made it.
        var isMade: Bool { isMounted || isNoted }
    }

    /// Namespaces that are looked at of one pod, besides those that are mounted.
    private static let limitOfPod = 16

    private let limit: Int
    private let own: UInt64
    private(set) var found: [UInt64: Candidate] = [:]
    private(set) var leftOut = 0

    /// All that were found. What the runtime made comes first: for what a pod made in it, less may be left.
    var inOrder: [Candidate] { NamespaceCandidates.ordered(Array(found.values)) }

    static func ordered(_ candidates: [Candidate]) -> [Candidate] {
        candidates.sorted { left, right in (left.isMade ? 0 : 1, left.inode) < (right.isMade ? 0 : 1, right.inode) }
    }

    init(limit: Int, own: UInt64) {
        self.limit = limit
        self.own = own
    }

    /// What is mounted in a folder. A file that stands for no namespace is a problem of its own.
    mutating func add(mountedIn folder: String, _ problems: inout [EvidenceProblem]) {
        let names: [String]
        do {
            names = try FolderNames.read(folder)
        } catch {
            guard error != .noSuchFileOrDirectory else { return }
            let reason = "the network namespaces in \(folder) cannot be listed: \(error)"
            problems.append(EvidenceProblem(kind: .unreadable, subject: folder, reason: reason))
            return
        }
        for name in names {
            let path = "\(folder)/\(name)"
            if let file = NamespaceFile(path) {
                add(Candidate(inode: file.inode, path: path, name: name, isMounted: true))
            } else if access(path, F_OK) == 0 {
                problems.append(
                    EvidenceProblem(
                        kind: .ignored, subject: path,
                        reason: "\(path) stands for no namespace: nothing is mounted there"))
            }
        }
    }

    /// What processes are in. A pod may make namespaces of its own without end, and only what has an interface of the host
    /// counts: a few of them are enough.
    mutating func add(_ processes: ProcessNamespaces) {
        var made: [String: Int] = [:]
        for (inode, entry) in processes.entries.sorted(by: { $0.key < $1.key }) {
            if found[inode] == nil {
                for uid in entry.podUIDs { made[uid, default: 0] += 1 }
                guard entry.podUIDs.allSatisfy({ made[$0, default: 0] <= NamespaceCandidates.limitOfPod }) else {
                    continue
                }
            }
            add(Candidate(inode: inode, path: entry.path, name: entry.path, podUIDs: entry.podUIDs))
            found[inode]?.podUIDs.formUnion(entry.podUIDs)
        }
    }

    mutating func add(_ notes: [CNIAttachment]) {
        for note in notes {
            guard let inode = note.namespace else { continue }
            add(Candidate(inode: inode, path: note.netns, name: note.netns))
            found[inode]?.isNoted = true
        }
    }

    private mutating func add(_ candidate: Candidate) {
        guard candidate.inode != own, found[candidate.inode] == nil else { return }
        if found.count < limit { found[candidate.inode] = candidate } else { leftOut += 1 }
    }
}
