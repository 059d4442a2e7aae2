import Datapath
import Glibc
import NetTypes
import NetpoldTestSupport
import Synchronization

/// A client and a server pod that never stop talking, on an old connection, an old UDP flow and ever new ones, and that never
/// stop trying what is denied to them. The server is isolated both ways: it speaks only where the client has begun.
final class PairTraffic: @unchecked Sendable {
    /// What may be reached at a server, and what may not.
    static let open: UInt16 = 9000
    static let closed: UInt16 = 9001
    private static let clientPort: UInt16 = 30_000
    private static let trapPort: UInt16 = 9002
    private static let idlePort: UInt16 = 30_001

    // Unchecked: what follows belongs to the pair's thread until `join` has returned.
    /// Rounds of talk.
    private(set) var rounds = 0
    /// What was permitted and did not get through, in words.
    private(set) var lost: [String] = []
    /// New flows whose first exchange took more than one try.
    private(set) var retries = 0
    /// Denied packets that got through.
    private(set) var unpoliced = 0
    /// Denied packets.
    private(set) var probes = 0

    private let network: PodNetwork
    private let client: String
    private let clientAddress: IPAddress
    private let serverAddress: IPAddress
    private let requests: PodSocket
    private let answers: PodSocket
    private let closedServer: PodSocket
    private let trap: PodSocket
    private let rogue: PodSocket
    private let idleClient: PodSocket
    private let connection: (client: PodSocket, server: PodSocket)
    private let idleConnection: (client: PodSocket, server: PodSocket)
    private let clientNamespace: NetworkNamespace
    private let stopping = Atomic(false)
    private var thread: BackgroundThread?

    /// Opens everything, idle flows included; policies must be in force.
    init(_ network: PodNetwork, client: String, server: String) throws {
        self.network = network
        self.client = client
        let here = try network.namespace(client)
        let there = try network.namespace(server)
        clientNamespace = here
        clientAddress = try network.address(client)
        serverAddress = try network.address(server)
        requests = try PodSocket.udp(in: here, port: Self.clientPort)
        idleClient = try PodSocket.udp(in: here, port: Self.idlePort)
        trap = try PodSocket.udp(in: here, port: Self.trapPort)
        answers = try PodSocket.udp(in: there, port: Self.open)
        closedServer = try PodSocket.udp(in: there, port: Self.closed)
        rogue = try PodSocket.udp(in: there)
        let listener = try PodSocket.listener(in: there, port: Self.open)
        func connect() throws -> (client: PodSocket, server: PodSocket) {
            guard let own = try PodSocket.connect(in: here, to: try network.address(server), port: Self.open),
                let accepted = listener.accept()
            else { throw PodNetworkError("no connection from \(client)") }
            return (own, accepted)
        }
        connection = try connect()
        idleConnection = try connect()
        idleClient.send([1], to: serverAddress, port: Self.open)
        guard answers.receive(timeout: 1000) == [1] else {
            throw PodNetworkError("\(client) does not reach its server")
        }
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

    /// Whether the server may speak first on the flows that were silent all the time: UDP and TCP.
    func idleFlowsAnswer() -> Bool {
        answers.send([2], to: clientAddress, port: Self.idlePort)
        idleConnection.server.send([3])
        return idleClient.receive(timeout: 1000) == [2] && idleConnection.client.receive(timeout: 1000) == [3]
    }

    private func talk() {
        while !stopping.load(ordering: .relaxed) {
            rounds += 1
            let number = withUnsafeBytes(of: UInt64(rounds)) { Array($0) }
            tryWhatIsDenied(number)
            if !exchange(number, from: requests, port: Self.clientPort) { lost.append("UDP, round \(rounds)") }
            connection.client.send(number)
            if connection.server.receive(timeout: 1000) != number { lost.append("TCP request, round \(rounds)") }
            connection.server.send(number)
            if connection.client.receive(timeout: 1000) != number { lost.append("TCP answer, round \(rounds)") }
            // What a pod's region holds for as long as an exchange is remembered, while no agent gives it a larger one: where it is full, an
            // answered question that nothing has followed, as the idle one, makes room. (With every fourth a fast machine fills it.)
            if rounds.isMultiple(of: 16) { beginFlow(number) }
            usleep(2000)
        }
    }

    private func tryWhatIsDenied(_ number: [UInt8]) {
        probes += 2
        requests.send(number, to: serverAddress, port: Self.closed)
        rogue.send(number, to: clientAddress, port: Self.trapPort)
        if closedServer.receive(timeout: 0) != nil { unpoliced += 1 }
        if trap.receive(timeout: 0) != nil { unpoliced += 1 }
    }

    /// A new flow each time; the first exchange may be repeated once, as every UDP protocol does.
    private func beginFlow(_ number: [UInt8]) {
        let port = UInt16(10_000 + rounds % 15_000)
        guard let socket = try? PodSocket.udp(in: clientNamespace, port: port) else { return }
        if exchange(number, from: socket, port: port, timeout: 100) { return }
        retries += 1
        if !exchange(number, from: socket, port: port) { lost.append("new UDP flow, round \(rounds)") }
    }

    private func exchange(_ number: [UInt8], from socket: PodSocket, port: UInt16, timeout: Int = 1000) -> Bool {
        socket.send(number, to: serverAddress, port: Self.open)
        guard answers.receive(timeout: timeout) == number else { return false }
        answers.send(number, to: clientAddress, port: port)
        return socket.receive(timeout: timeout) == number
    }
}
