import CLinux
import Glibc
public import Support
import SystemPackage

/// An open network namespace. It lives while this object, a mount, a process or a socket inside holds it.
public final class NetworkNamespace: Sendable {
    /// The open file that stands for the namespace.
    private let file: OwnedDescriptor
    /// Its number, for C calls.
    var descriptor: Int32 { file.rawValue }
    /// The path it was opened by, for messages.
    public let path: String

    /// Opens the namespace a file stands for, for example `/run/netns/blue` or `/proc/1/ns/net`.
    public init(path: String) throws(SystemError) {
        file = try SystemError.wrap("open namespace", path) { try OwnedDescriptor(opening: path, .readOnly) }
        self.path = path
    }

    /// Which namespace it is.
    func identity() throws(SystemError) -> FileIdentity {
        try SystemError.wrap("identify namespace", path) { FileIdentity(try file.use { try Stat($0) }) }
    }

    /// Makes a new namespace and mounts it at `path`, a file that must not exist yet in a folder that does.
    public static func create(at path: String) throws -> NetworkNamespace {
        _ = try SystemError.wrap("create namespace", path) {
            try OwnedDescriptor(
                opening: path, .readOnly, options: [.create, .exclusiveCreate], permissions: .ownerRead)
        }
        do {
            _ = try NamespaceThread.run(
                enter: { () throws(SystemError) in
                    try SystemError.check("create namespace", path) { np_unshare_network() }
                },
                {
                    try SystemError.check("mount namespace", path) {
                        mount("/proc/thread-self/ns/net", path, "none", UInt(MS_BIND), nil)
                    }
                })
        } catch {
            unlink(path)
            throw error
        }
        return try NetworkNamespace(path: path)
    }

    /// Unmounts a namespace made by `create` and removes its file. The kernel frees the namespace with its interfaces
    /// when nothing else holds it. A path that is gone already is not an error.
    public static func remove(at path: String) throws(SystemError) {
        do throws(SystemError) {
            try SystemError.check("unmount namespace", path) { umount2(path, Int32(MNT_DETACH)) }
        } catch  where error.errno == .invalidArgument || error.errno == .noSuchFileOrDirectory {
            // Not a mount, or nothing at all: a network half built.
        }
        do throws(SystemError) {
            try SystemError.check("remove namespace", path) { unlink(path) }
        } catch  where error.errno == .noSuchFileOrDirectory {
            // Gone already.
        }
    }

    /// Runs `body` inside the namespace, on a thread of its own, and waits for it.
    public func run<Value>(_ body: () throws -> Value) throws -> Value {
        try NamespaceThread.run(enter: { () throws(SystemError) in try enter() }, body)
    }

    /// Moves the calling thread into the namespace, for good. For threads about to `exec`.
    public func enter() throws(SystemError) {
        try SystemError.check("enter namespace", path) { np_enter_network(descriptor) }
    }

    /// Writes a file below `/proc/sys/net` of the namespace, for example `ipv4/ip_forward`.
    public func setting(_ name: String, _ value: String) throws {
        try run {
            let path = "/proc/sys/net/\(name)"
            try SystemError.wrap("set", path) {
                _ = try OwnedDescriptor(opening: path, .writeOnly).use { try $0.writeAll(value.utf8) }
            }
        }
    }
}
