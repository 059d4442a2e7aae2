import Datapath
import Glibc
import NetTypes
import NetpoldTestSupport
import Synchronization

/// One UDP client and a server that answers it: a numbered question follows the answer to the last, until it is joined.
final class DatagramChatter: @unchecked Sendable {
    // Unchecked: the counters belong to the thread until `join` has returned.
    private(set) var asked = 0
    private(set) var answered = 0
    private let exchange: DatagramExchange
    private let stopping = Atomic(false)
    private var thread: BackgroundThread?

    init(_ network: PodNetwork, from client: String, port: UInt16) throws {
        exchange = try DatagramExchange(network, from: client, port: port)
    }

    /// Starts talking.
    func start() throws {
        thread = try BackgroundThread { [self] in
            while !stopping.load(ordering: .relaxed) {
                asked += 1
                let number = UInt8(truncatingIfNeeded: asked)
                exchange.ask(number)
                guard exchange.server.receive(timeout: 1000) == [number] else { break }
                exchange.answer(number)
                guard exchange.client.receive(timeout: 1000) == [number] else { break }
                answered += 1
                usleep(200)
            }
        }
    }

    /// Ends the talk.
    func join() {
        stopping.store(true, ordering: .relaxed)
        thread?.join()
    }
}

/// The two ends of a UDP flow to the pod `server`.
struct DatagramExchange {
    let client: PodSocket
    let server: PodSocket
    private let clientAddress: IPAddress
    private let serverAddress: IPAddress
    private let port: UInt16

    init(_ network: PodNetwork, from client: String, port: UInt16) throws {
        self.client = try PodSocket.udp(in: network.namespace(client))
        server = try PodSocket.udp(in: network.namespace("server"), port: port)
        clientAddress = try network.address(client)
        serverAddress = try network.address("server")
        self.port = port
    }

    func ask(_ number: UInt8) { client.send([number], to: serverAddress, port: port) }
    func answer(_ number: UInt8) { server.send([number], to: clientAddress, port: client.port) }
}
