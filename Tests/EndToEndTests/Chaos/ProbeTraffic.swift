import Glibc
import NetTypes
import NetpoldTestSupport
import Synchronization

/// Datagrams between pods, some hundred a second, each with its number; what arrives is judged at the end.
final class ProbeTraffic: @unchecked Sendable {
    // Unchecked: the records belong to the two threads until `join` has returned.
    struct Probe {
        let pair: ProbePair
        let sent: ContinuousClock.Instant
        var received: ContinuousClock.Instant?
    }

    private let pairs: [(pair: ProbePair, socket: PodSocket, address: IPAddress)]
    private let servers: [PodSocket]
    private let stopping = Atomic(false)
    private var sentProbes: [Probe] = []
    private var arrivals: [(number: Int, time: ContinuousClock.Instant)] = []
    private var threads: [BackgroundThread] = []

    /// Opens the sockets; nothing is sent yet.
    init(_ network: ChaosNetwork, _ pairs: [ProbePair]) throws {
        let addresses = Dictionary(uniqueKeysWithValues: network.pods.map { ($0.name, $0.address) })
        self.pairs = try pairs.map { pair in
            guard let address = addresses[pair.to] else { throw PodNetworkError("no pod \(pair.to)") }
            let source = pair.pretending.flatMap { addresses[$0] }
            return (pair, try PodSocket.udp(in: network.namespace(pair.from), pretending: source), address)
        }
        servers = try network.pods.flatMap { pod in
            try ChaosPolicies.ports.map { try PodSocket.udp(in: network.namespace(pod.name), port: $0) }
        }
    }

    /// Starts sending and receiving.
    func start() throws {
        let sending = try BackgroundThread { [self] in
            while !stopping.load(ordering: .relaxed) {
                for (pair, socket, address) in pairs {
                    let number = sentProbes.count
                    sentProbes.append(Probe(pair: pair, sent: .now))
                    socket.send(withUnsafeBytes(of: UInt64(number)) { Array($0) }, to: address, port: pair.port)
                    usleep(3000)
                }
            }
        }
        let receiving = try BackgroundThread { [self] in
            var waiting = servers.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            while !stopping.load(ordering: .relaxed) {
                guard poll(&waiting, nfds_t(waiting.count), 100) > 0 else { continue }
                for (server, entry) in zip(servers, waiting) where entry.revents != 0 {
                    while let bytes = server.receive(timeout: 0) {
                        // Others, those of floods, are of another length.
                        guard bytes.count == 8 else { continue }
                        arrivals.append((Int(bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }), .now))
                    }
                }
            }
        }
        threads = [sending, receiving]
    }

    /// Ends; returns every probe.
    func join() -> [Probe] {
        stopping.store(true, ordering: .relaxed)
        for thread in threads { thread.join() }
        threads = []
        for arrival in arrivals where sentProbes.indices.contains(arrival.number) {
            sentProbes[arrival.number].received = arrival.time
        }
        return sentProbes
    }
}
