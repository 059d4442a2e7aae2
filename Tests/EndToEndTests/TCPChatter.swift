import Datapath
import Glibc
import NetpoldTestSupport
import Synchronization

/// One connection on which a numbered request follows the answer to the last, until it is joined.
final class TCPChatter: @unchecked Sendable {
    // Unchecked: the counters belong to the thread until `join` has returned.
    private(set) var asked = 0
    private(set) var answered = 0
    private(set) var retransmissions = 0
    private let client: PodSocket
    private let server: PodSocket
    private let listener: PodSocket
    private let stopping = Atomic(false)
    private var thread: BackgroundThread?

    init(_ network: PodNetwork, from client: String, port: UInt16) throws {
        listener = try PodSocket.listener(in: network.namespace("server"), port: port)
        guard
            let connection = try PodSocket.connect(
                in: network.namespace(client), to: network.address("server"), port: port),
            let accepted = listener.accept()
        else { throw PodNetworkError("no connection from \(client) to \(port)") }
        self.client = connection
        server = accepted
    }

    /// Starts talking.
    func start() throws {
        thread = try BackgroundThread { [self] in talk() }
    }

    /// Ends the talk.
    func join() {
        stopping.store(true, ordering: .relaxed)
        thread?.join()
    }

    private func talk() {
        while !stopping.load(ordering: .relaxed) {
            let request = withUnsafeBytes(of: UInt64(asked)) { Array($0) }
            asked += 1
            client.send(request)
            guard server.receive(timeout: 1000) == request else { break }
            server.send(request)
            guard client.receive(timeout: 1000) == request else { break }
            answered += 1
            usleep(200)
        }
        retransmissions = [client, server].reduce(0) { $0 + Self.retransmitted($1.descriptor) }
    }

    /// Segments the kernel sent again on this connection.
    private static func retransmitted(_ socket: Int32) -> Int {
        var info = tcp_info()
        var length = socklen_t(MemoryLayout<tcp_info>.size)
        getsockopt(socket, Int32(IPPROTO_TCP), TCP_INFO, &info, &length)
        return Int(info.tcpi_total_retrans)
    }
}
