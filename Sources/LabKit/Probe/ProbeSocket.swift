import Glibc
import NetTypes
import Support
import SystemPackage

/// A non-blocking socket of the probes and responders, closed with its owner.
final class ProbeSocket {
    private let socket: OwnedDescriptor

    /// The number, for C calls.
    var descriptor: Int32 { socket.rawValue }

    /// Opens a socket in the calling thread's namespace; TCP, UDP, or an ICMP echo socket.
    init(_ protocol: L4Protocol, isIPv4: Bool) throws(SystemError) {
        let family = isIPv4 ? AF_INET : AF_INET6
        let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let kind = `protocol` == .tcp ? SOCK_STREAM : SOCK_DGRAM
        let number = `protocol`.isICMP ? Int32(`protocol`.rawValue) : 0
        socket = OwnedDescriptor(
            rawValue: try SystemError.check("open", "\(`protocol`) socket") {
                Glibc.socket(family, Int32(kind.rawValue) | flags, number)
            })
    }

    /// Takes over an open descriptor.
    init(adopting descriptor: Int32) { socket = OwnedDescriptor(rawValue: descriptor) }

    /// Binds to an address and port; port 0 leaves the choice to the kernel.
    func bind(_ address: IPAddress, port: UInt16) throws(SystemError) {
        // With it the kernel may choose a port for UDP that another probe has: one of them would get the answers of both.
        if port != 0 { set(SOL_SOCKET, SO_REUSEADDR, 1) }
        try SystemError.check("bind", "port \(port)") {
            SocketAddress.with(address, port: port) { Glibc.bind(descriptor, $0, $1) }
        }
    }

    /// Starts connecting; what the system answers at once, `nil` when it is done or under way.
    func connect(_ address: IPAddress, port: UInt16) -> Errno? {
        let status = SocketAddress.with(address, port: port) { Glibc.connect(descriptor, $0, $1) }
        return status == 0 || Errno.current == .nowInProgress ? nil : .current
    }

    /// Sets an integer option; the kernel's refusal of an option is without consequence here.
    func set(_ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        _ = setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Closes with a reset, so that thousands of probes leave nothing waiting behind.
    func closeAbruptly() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        _ = setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    }

    /// What can be read now, or the error number.
    func receive() -> Result<[UInt8], Errno> {
        var buffer = [UInt8](repeating: 0, count: 2048)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count >= 0 ? .success(Array(buffer.prefix(count))) : .failure(.current)
    }

    /// How connecting has ended; `nil` for well.
    var connectFailure: Errno? {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { return .current }
        return code == 0 ? nil : Errno(rawValue: code)
    }

    /// Sends bytes to the connected peer.
    func send(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
}
