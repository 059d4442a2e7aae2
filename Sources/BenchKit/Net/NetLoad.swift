import Glibc
import Support
import SystemPackage

/// The three loads of `bench-net`, client and server in one thread, so that a packet's whole way is that thread's time.
/// The thread must be in the client's network namespace; the server's sockets were made in the server's.
struct NetLoad {
    /// Where the server listens.
    let udp: sockaddr_in
    let tcp: sockaddr_in
    /// The server's sockets.
    let udpServer: Int32
    let tcpListener: Int32

    /// CPU nanoseconds a datagram: `sendto` in one pod, `recv` in the other.
    func udp(datagrams: Int) throws -> Double {
        let client = try connected(SOCK_DGRAM, udp)
        defer { close(client) }
        var payload = [UInt8](repeating: 7, count: 64)
        let begin = ThreadCPU.time()
        for _ in 0..<datagrams {
            guard send(client, payload, payload.count, 0) == payload.count else { throw NetLoad.refused("send") }
            guard recv(udpServer, &payload, payload.count, 0) == payload.count else { throw NetLoad.refused("recv") }
        }
        return Double(ThreadCPU.time() - begin) / Double(datagrams)
    }

    /// CPU nanoseconds a connection: connect, 64 bytes each way, close.
    func connections(_ count: Int) throws -> Double {
        var payload = [UInt8](repeating: 7, count: 64)
        let begin = ThreadCPU.time()
        for _ in 0..<count {
            let client = try connected(SOCK_STREAM, tcp)
            let accepted = accept(tcpListener, nil, nil)
            guard accepted >= 0 else { throw NetLoad.refused("accept") }
            try roundTrip(client, accepted, &payload)
            close(client)
            close(accepted)
        }
        return Double(ThreadCPU.time() - begin) / Double(count)
    }

    /// CPU nanoseconds a request and response of 64 bytes on one connection.
    func requests(_ count: Int) throws -> Double {
        let client = try connected(SOCK_STREAM, tcp)
        defer { close(client) }
        let accepted = accept(tcpListener, nil, nil)
        guard accepted >= 0 else { throw NetLoad.refused("accept") }
        defer { close(accepted) }
        var on: Int32 = 1
        for socket in [client, accepted] {
            setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        var payload = [UInt8](repeating: 7, count: 64)
        let begin = ThreadCPU.time()
        for _ in 0..<count { try roundTrip(client, accepted, &payload) }
        return Double(ThreadCPU.time() - begin) / Double(count)
    }

    /// The answer to the socket call just made. (In the loops no wrapper stands around the calls: it would be measured too.)
    static func refused(_ operation: String) -> SystemError {
        SystemError(operation, "a socket of the bench", .current)
    }

    private func roundTrip(_ client: Int32, _ accepted: Int32, _ payload: inout [UInt8]) throws {
        for (from, to) in [(client, accepted), (accepted, client)] {
            guard send(from, payload, payload.count, 0) == payload.count else { throw NetLoad.refused("send") }
            guard recv(to, &payload, payload.count, Int32(MSG_WAITALL)) == payload.count else {
                throw NetLoad.refused("recv")
            }
        }
    }

    private func connected(_ kind: __socket_type, _ server: sockaddr_in) throws -> Int32 {
        let socket = socket(AF_INET, Int32(kind.rawValue), 0)
        guard socket >= 0 else { throw NetLoad.refused("socket") }
        var address = server
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            let error = NetLoad.refused("connect")
            close(socket)
            throw error
        }
        return socket
    }
}
