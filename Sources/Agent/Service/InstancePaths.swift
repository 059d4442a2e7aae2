import Glibc
public import Support
import SystemPackage

/// Where an instance of the agent keeps its run-time files.
public struct InstancePaths: Hashable, Sendable {
    /// The folder of all instances' files.
    public static let folder = "/run/netpold"

    /// The instance's name.
    public let instance: String

    /// The paths of an instance; `nil` for a name that is not 1 to 32 of `a-z`, `0-9`, `-`, beginning with a letter or
    /// digit (it becomes part of paths).
    public init?(instance: String) {
        let isNamed = !instance.isEmpty && instance.utf8.count <= 32 && !instance.hasPrefix("-")
        let isPlain = instance.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
        }
        guard isNamed, isPlain else { return nil }
        self.instance = instance
    }

    /// The local API.
    public var socket: String { "\(InstancePaths.folder)/\(instance).sock" }
    /// The lock that keeps a second agent away.
    public var lock: String { "\(InstancePaths.folder)/\(instance).lock" }
    /// Which interface is which pod, for the agent's next start.
    public var bindings: String { "\(InstancePaths.folder)/\(instance).bindings.json" }
    /// The HTTP and DNS rules that the agent hands to the proxy (`RuleSnapshot`).
    public var proxyRules: String { "\(InstancePaths.folder)/\(instance).proxy-rules.json" }
    /// Exists while the proxy serves: its pid, and the revision of its rules.
    public var proxyState: String { "\(InstancePaths.folder)/\(instance).proxy.json" }
    /// Where the proxy tells the agent of requests that were not allowed, in datagrams.
    public var denials: String { "\(InstancePaths.folder)/\(instance).denials.sock" }
    /// What pods have learnt of names, for the agent's next start.
    public var names: String { "\(InstancePaths.folder)/\(instance).names.json" }
    /// The node's own policies, wanted and confirmed last, for the agent's next start.
    public var hostPolicies: String { "\(InstancePaths.folder)/\(instance).host-policies.json" }
    /// What the columns of names in the kernel stand for.
    public var columns: String { "\(InstancePaths.folder)/\(instance).columns.json" }
    /// What `netpold cni` noted of the interfaces it was called for, a file each.
    public var cniRecords: String { "\(InstancePaths.folder)/\(instance).cni" }
    /// Copies of the manifests as they were last accepted.
    public var lastGood: String { "\(InstancePaths.folder)/\(instance).last-good" }

    /// What an agent leaves for the next one. Without what it pinned they say nothing, so they go with it.
    public var records: [String] { [bindings, names, columns, hostPolicies, lastGood] }
}

extension InstancePaths {
    /// Makes the folder of all instances and takes the instance's lock, which keeps a second agent of it from running.
    ///
    /// - Throws: with `EWOULDBLOCK` when another process holds it.
    public func takeLock() throws(SystemError) -> FileLock {
        if mkdir(InstancePaths.folder, 0o755) != 0, Errno.current != .fileExists {
            throw SystemError("make folder", InstancePaths.folder, .current)
        }
        return try FileLock(
            lock, busy: "an agent of this instance is running already; stop it, or choose another --instance")
    }
}
