import Foundation
import Glibc
import Support
import Synchronization

/// Answers every query that comes with four addresses, of 1,024, by the last bytes of its first label; on a thread of its own.
final class EchoResolver: Sendable {
    private let isStopped = Atomic<Bool>(false)
    private let ended = DispatchSemaphore(value: 0)
    private static let headerBytes = 12
    private static let records = 4

    /// Begins to answer at a socket of the resolver's pod.
    init(_ network: NamesBenchNetwork) throws {
        guard let namespace = network.routed.pods["resolver"] else {
            throw SystemError("find namespace", "resolver", nil)
        }
        let socket = try namespace.run {
            try ResolverLoad.bound(to: NamesBenchNetwork.resolver, port: NamesBenchNetwork.port)
        }
        // So that it looks whether it is to end.
        var patience = timeval(tv_sec: 0, tv_usec: 50_000)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        Thread.detachNewThread { [self] in
            EchoResolver.serve(socket) { !isStopped.load(ordering: .relaxed) }
            close(socket)
            ended.signal()
        }
    }

    /// Ends it.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
        ended.wait()
    }

    private static func serve(_ socket: Int32, while goesOn: () -> Bool) {
        var message = [UInt8](repeating: 0, count: 1024)
        var peer = sockaddr_in()
        while goesOn() {
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutablePointer(to: &peer) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    let count = recvfrom(socket, &message, 512, 0, address, &length)
                    guard count > headerBytes + 9 else { return }
                    let end = answer(&message, count)
                    _ = sendto(socket, message, end, 0, address, length)
                }
            }
        }
    }

    /// Makes a query its answer; how long that is.
    private static func answer(_ message: inout [UInt8], _ count: Int) -> Int {
        (message[2], message[3], message[7]) = (0x81, 0x80, UInt8(records))
        let label = headerBytes + Int(message[headerBytes])
        let (high, low) = (message[label - 1] & 0x0f, message[label] & 0x0f)
        var end = count
        for number in 0..<records {
            // A pointer to the question's name, A, IN, 300 s, four bytes.
            let record: [UInt8] = [
                0xc0, UInt8(headerBytes), 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 198, 18, high, low << 4 | UInt8(number),
            ]
            message.replaceSubrange(end..<end + record.count, with: record)
            end += record.count
        }
        return end
    }
}
