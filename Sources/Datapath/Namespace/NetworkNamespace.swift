import CLinux
import Glibc

/// An open network namespace. It lives while this object, a mount, a process or a socket inside holds it.
public final class NetworkNamespace: Sendable {
    /// The open file that stands for the namespace.
    let descriptor: Int32
    /// The path it was opened by, for messages.
    public let path: String

    /// Opens the namespace a file stands for, for example `/run/netns/blue` or `/proc/1/ns/net`.
    public init(path: String) throws(NetlinkError) {
        let opened = open(path, O_RDONLY | O_CLOEXEC)
        guard opened >= 0 else { throw NetlinkError("open namespace", path, message: String(cString: strerror(errno))) }
        descriptor = opened
        self.path = path
    }

    deinit { close(descriptor) }

    /// The calling thread's namespace.
    public static func current() throws(NetlinkError) -> NetworkNamespace {
        try NetworkNamespace(path: "/proc/thread-self/ns/net")
    }

    /// Makes a new namespace and mounts it at `path`, a file that must not exist yet in a folder that does.
    public static func create(at path: String) throws -> NetworkNamespace {
        let file = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o400)
        guard file >= 0 else {
            throw NetlinkError("create namespace", path, message: String(cString: strerror(errno)))
        }
        close(file)
        do {
            try NamespaceThread.run(
                enter: { () throws(NetlinkError) in
                    guard np_unshare_network() == 0 else {
                        throw NetlinkError("create namespace", path, message: String(cString: strerror(errno)))
                    }
                },
                {
                    guard mount("/proc/thread-self/ns/net", path, "none", UInt(MS_BIND), nil) == 0 else {
                        throw NetlinkError("mount namespace", path, message: String(cString: strerror(errno)))
                    }
                })
        } catch {
            unlink(path)
            throw error
        }
        return try NetworkNamespace(path: path)
    }

    /// Unmounts a namespace made by `create` and removes its file. The kernel frees the namespace with its interfaces
    /// when nothing else holds it. A path that is gone already is no error.
    public static func remove(at path: String) throws(NetlinkError) {
        if umount2(path, Int32(MNT_DETACH)) != 0, errno != EINVAL, errno != ENOENT {
            throw NetlinkError("unmount namespace", path, message: String(cString: strerror(errno)))
        }
        if unlink(path) != 0, errno != ENOENT {
            throw NetlinkError("remove namespace", path, message: String(cString: strerror(errno)))
        }
    }

    /// Runs `body` inside the namespace, on a thread of its own, and waits for it.
    public func run<Value>(_ body: () throws -> Value) throws -> Value {
        try NamespaceThread.run(enter: { () throws(NetlinkError) in try enter() }, body)
    }

    /// Moves the calling thread into the namespace, for good. For threads about to `exec`.
    public func enter() throws(NetlinkError) {
        guard np_enter_network(descriptor) == 0 else {
            throw NetlinkError("enter namespace", path, message: String(cString: strerror(errno)))
        }
    }

    /// Writes a file below `/proc/sys/net` of the namespace, for example `ipv4/ip_forward`.
    public func setting(_ name: String, _ value: String) throws {
        try run {
            let path = "/proc/sys/net/\(name)"
            let file = open(path, O_WRONLY | O_CLOEXEC)
            guard file >= 0 else { throw NetlinkError("set", path, message: String(cString: strerror(errno))) }
            defer { close(file) }
            guard write(file, value, value.utf8.count) == value.utf8.count else {
                throw NetlinkError("set", path, message: String(cString: strerror(errno)))
            }
        }
    }
}
