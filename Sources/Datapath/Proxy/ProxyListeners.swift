import CLinux
import CNetpoldABI
import Glibc
import Support
import Synchronization
import SystemPackage

/// The listening sockets of an instance's proxy, inside its namespace. The datapath hands flows over as long as they are open: the kernel
/// takes a closed socket out of np_listeners.
public final class ProxyListeners: Sendable {
    /// The port; only the namespace's own traffic could meet it, so the number means nothing.
    public static let port: UInt16 = 15001
    private static let backlog: Int32 = 8192

    /// The sockets: dual-stack, transparent, of one SO_REUSEPORT group. Whoever uses them closes them.
    public let sockets: [Int32]
    private let pins: PinPath
    private let place: ProxyPlace
    private let home: FileIdentity
    /// Whether the sockets are somebody else's to close.
    private let hasEnded = Mutex(false)

    /// Opens the sockets and gives them to the datapath.
    ///
    /// - Parameters:
    ///   - instance: of the agent, which must have made the place and pinned its maps.
    ///   - count: of sockets, one for each event loop.
    ///   - folder: where the place's namespace is mounted.
    /// - Throws: `SystemError` when the place is not there, and `BPFError` when its maps are not.
    public init(instance: String, count: Int, folder: String = ProxyPlace.systemFolder) throws {
        place = ProxyPlace(instance: instance, folder: folder)
        pins = try PinPath(instance: instance)
        let namespace = try NetworkNamespace(path: place.namespace)
        home = try namespace.identity()
        sockets = try namespace.run {
            var made: [Int32] = []
            do {
                for _ in 0..<max(count, 1) { made.append(try ProxyListeners.open()) }
            } catch {
                for socket in made { close(socket) }
                throw error
            }
            return made
        }
        try register()
    }

    /// Puts the first socket, which stands for all, into np_listeners of the instance: again after the agent's maps were made anew.
    ///
    /// Nothing once `end()` was called.
    public func register() throws(BPFError) {
        try hasEnded.withLock { hasEnded throws(BPFError) in
            if !hasEnded { try give() }
        }
    }

    /// From here on nothing is given to the datapath: the sockets are about to be closed, and their numbers will be other sockets'.
    public func end() { hasEnded.withLock { $0 = true } }

    private func give() throws(BPFError) {
        let path = "\(pins.folder)/np_listeners"
        guard let pinned = try Libbpf.openPin(path) else {
            throw BPFError(.openPin, path, errno: .noSuchFileOrDirectory)
        }
        try BPFMap(pinned, name: "np_listeners").set(UInt32(0), UInt64(sockets[0]))
    }

    /// Whether the sockets are in the place as it is now.
    public func isAtHome() throws -> Bool { try NetworkNamespace(path: place.namespace).identity() == home }

    private static func open() throws(SystemError) -> Int32 {
        let made = try SystemError.check("open", "listening socket") {
            socket(
                AF_INET6, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        }
        do throws(SystemError) {
            // IP_TRANSPARENT, IPV6_TRANSPARENT; the wildcard address with both families.
            for (level, option, value) in [
                (Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0), (Int32(IPPROTO_IP), IP_TRANSPARENT, 1),
                (Int32(IPPROTO_IPV6), 75, 1), (SOL_SOCKET, SO_REUSEADDR, 1), (SOL_SOCKET, SO_REUSEPORT, 1),
            ] as [(Int32, Int32, Int32)] {
                var value = value
                try SystemError.check("set option \(option) of", "listening socket") {
                    setsockopt(made, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
                }
            }
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            try SystemError.check("bind", "listening socket") {
                withUnsafePointer(to: &address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        bind(made, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                    }
                }
            }
            try SystemError.check("listen at", "listening socket") { listen(made, backlog) }
        } catch {
            close(made)
            throw error
        }
        return made
    }
}
