import Datapath
import Glibc
import NetTypes
import NetpoldTestSupport
import Synchronization

/// Numbered datagrams from one pod to a port of another, as fast as they go, each remembered with the phase before and
/// after it was sent. A phase is even while a policy is in force and odd while one is being swapped for the next.
final class DatagramStream: @unchecked Sendable {
    // Unchecked: `sent` and `received` belong to the stream's thread until `join` has returned.
    let name: String
    private(set) var sent: [(before: Int, after: Int)] = []
    private(set) var received: Set<Int> = []
    /// Datagrams of streams without a receiver that came in here.
    private(set) var strangers = 0
    private let client: PodSocket
    private let server: PodSocket?
    private let address: IPAddress
    private let port: UInt16
    private let stopping = Atomic(false)
    private var thread: BackgroundThread?

    /// A stream to a port of `server`; `nil` if nothing may ever arrive there (another stream's socket that it does reach
    /// counts it as a stranger).
    init(_ network: PodNetwork, from client: String, to server: PodSocket?, port: UInt16) throws {
        name = "\(client) to \(port)"
        self.client = try PodSocket.udp(in: network.namespace(client))
        self.server = server
        self.port = port
        address = try network.address("server")
    }

    /// Starts sending, at most one datagram each `pause` microseconds.
    func start(phase: PhaseClock, pause: UInt32) throws {
        thread = try BackgroundThread { [self] in
            while !stopping.load(ordering: .relaxed) {
                let before = phase.now
                let number = sent.count
                let payload = server == nil ? [0] : withUnsafeBytes(of: UInt64(number)) { Array($0) }
                client.send(payload, to: address, port: port)
                sent.append((before, phase.now))
                drain(timeout: 0)
                usleep(pause)
            }
            drain(timeout: 500)
        }
    }

    /// Stops sending and waits for what is still under way.
    func join() {
        stopping.store(true, ordering: .relaxed)
        thread?.join()
    }

    /// Numbers of datagrams sent wholly inside a phase for which `allowed` says whether they had to arrive, and that did
    /// the opposite.
    func violations(_ allowed: (Int) -> Bool?) -> [Int] {
        sent.indices.filter { number in
            let (before, after) = sent[number]
            guard before == after, before % 2 == 0, let expected = allowed(before) else { return false }
            return received.contains(number) != expected
        }
    }

    private func drain(timeout: Int) {
        while let bytes = server?.receive(timeout: timeout) {
            guard bytes.count == 8 else {
                strangers += 1
                continue
            }
            received.insert(Int(bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }))
        }
    }
}

/// The phase that all streams read.
final class PhaseClock: Sendable {
    private let phase = Atomic(0)
    var now: Int { phase.load(ordering: .sequentiallyConsistent) }
    func advance() { phase.add(1, ordering: .sequentiallyConsistent) }
}
