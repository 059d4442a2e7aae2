import Glibc
import Support
import SystemPackage

/// The file system that holds what must outlive the process.
public enum BPFFilesystem {
    /// What was found, or done, at its mount point.
    public struct Finding: Hashable, Sendable {
        /// Nothing was mounted there, so this process did it.
        public var wasMountedHere = false
        /// Only this process's mount namespace has it: when the namespace goes, every hook goes with it.
        public var isPrivate = false

        /// It was there, and is the host's.
        public init() {}
    }

    /// Makes sure that there is one, and that it is the host's.
    ///
    /// - Parameters:
    ///   - root: where it is, or is to be.
    ///   - allowsPrivate: whether one may be used that the host does not see.
    /// - Returns: what was found.
    /// - Throws: when it cannot be mounted, and `EXDEV` for one that only this mount namespace has, unless that is allowed.
    public static func prepare(_ root: String = PinPath.defaultRoot, allowsPrivate: Bool) throws(BPFError) -> Finding {
        var finding = Finding()
        if !Libbpf.isBPFFilesystem(root) {
            try Libbpf.mountBPFFilesystem(at: root)
            finding.wasMountedHere = true
        }
        finding.isPrivate = isPrivate(root)
        guard finding.isPrivate, !allowsPrivate else { return finding }
        if finding.wasMountedHere { umount2(root, 0) }
        throw BPFError(
            .mountFilesystem, root, errno: .improperLink,
            detail:
                "the file system there belongs to the mount namespace of this process alone: what is pinned in it would "
                + "go with that namespace, and leave every pod open; mount the host's \(root) here (a hostPath volume with "
                + "mountPropagation: HostToContainer), or say --allow-private-bpffs")
    }

    /// Whether the host does not see what is mounted at a path.
    private static func isPrivate(_ root: String) -> Bool {
        let own = MountTable.read("/proc/self/mountinfo")
        guard let mount = own.last(where: { $0.point == root && $0.type == "bpf" }) else { return false }
        return isPrivate(
            mount, host: MountTable.read("/proc/1/mountinfo"), seesHost: link("/proc/self/ns/pid") == hostProcesses)
    }

    /// Whether a mount is private to its namespace.
    ///
    /// - Parameters:
    ///   - mount: the mount.
    ///   - host: the mounts of process 1; empty when they are not known.
    ///   - seesHost: whether process 1 is the host's, and not a container's.
    /// - Returns: whether nobody outside sees it; also when that cannot be told.
    static func isPrivate(_ mount: MountTable.Mount, host: [MountTable.Mount], seesHost: Bool) -> Bool {
        // The same file system, wherever it is mounted there.
        if seesHost, !host.isEmpty { return !host.contains { $0.device == mount.device && $0.type == "bpf" } }
        // What comes from the host by propagation, or goes there, says so.
        return !mount.isPropagated
    }

    /// `PROC_PID_INIT_INO` of the kernel: the first namespace of processes always has this number.
    private static let hostProcesses = "pid:[4026531836]"

    private static func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 64)
        let count = readlink(path, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
}
