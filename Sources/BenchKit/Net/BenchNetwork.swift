import Datapath
import Glibc
import LabKit
import NetTypes
import Support
import SystemPackage

/// Two pods on a node, and the server's sockets.
final class BenchNetwork {
    let client = IPAddress(ipv4: 0x0af4_0902)
    let server = IPAddress(ipv4: 0x0af4_0903)
    let udpPort: UInt16 = 9000
    /// Several, so that closed connections in TIME_WAIT do not use up the client's ports.
    let tcpPorts: [UInt16] = Array(9001...9016)
    let routed: RoutedNetwork
    private let folder: BenchFolder
    private(set) var udpSocket: Int32 = -1
    private(set) var listeners: [Int32] = []

    /// Builds it below /run/netpold; `close` takes it away.
    ///
    /// - Throws: what the system refused; what `check` throws, which is called after each pod.
    init(check: () throws -> Void) throws {
        folder = try BenchFolder("bench-net")
        let layout = NetworkLayout(
            nodeAddresses: [IPAddress(ipv4: 0x0af4_0001)],
            attachments: [
                .init(name: "client", nodeInterface: "npclient", addresses: [client]),
                .init(name: "server", nodeInterface: "npserver", addresses: [server]),
            ])
        routed = try folder.build(layout, check: check)
        do {
            try openSockets()
        } catch {
            close()
            throw error
        }
    }

    private func openSockets() throws {
        guard let namespace = routed.pods["server"] else { throw SystemError("find namespace", "server", nil) }
        let ports = (udpPort, tcpPorts)
        (udpSocket, listeners) = try namespace.run {
            (try Self.bound(SOCK_DGRAM, ports.0), try ports.1.map { try Self.bound(SOCK_STREAM, $0) })
        }
    }

    /// Runs the loads of one round from the client's namespace, pinned to one CPU; `check` is called between them, and what it throws
    /// ends the round.
    func measure(scale: Int, check: () throws -> Void) throws -> LoadCost {
        guard let namespace = routed.pods["client"] else { throw SystemError("find namespace", "client", nil) }
        return try namespace.run {
            try ThreadCPU.pin(to: sysconf(Int32(_SC_NPROCESSORS_ONLN)) - 1)
            let loads = zip(tcpPorts, listeners).map { port, listener in
                NetLoad(
                    udp: Self.address(server, udpPort), tcp: Self.address(server, port), udpServer: udpSocket,
                    tcpListener: listener)
            }
            guard let first = loads.first else { return LoadCost(datagram: 0, connection: 0, request: 0) }
            _ = try first.udp(datagrams: 200)
            let datagram = try first.udp(datagrams: 200 * scale)
            let connections = try loads.map { load in
                try check()
                return try load.connections(3 * scale)
            }
            try check()
            let request = try first.requests(100 * scale)
            return LoadCost(
                datagram: datagram, connection: connections.reduce(0, +) / Double(connections.count), request: request)
        }
    }

    /// Closes the sockets and takes the namespaces away.
    func close() {
        for socket in listeners + [udpSocket] where socket >= 0 { Glibc.close(socket) }
        folder.remove()
    }

    private static func bound(_ kind: __socket_type, _ port: UInt16) throws -> Int32 {
        let socket = socket(AF_INET, Int32(kind.rawValue), 0)
        guard socket >= 0 else { throw NetLoad.refused("socket") }
        var address = address(IPAddress(ipv4: 0), port)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw NetLoad.refused("bind") }
        if kind == SOCK_STREAM, listen(socket, 128) != 0 { throw NetLoad.refused("listen") }
        return socket
    }

    private static func address(_ address: IPAddress, _ port: UInt16) -> sockaddr_in {
        var result = sockaddr_in()
        result.sin_family = sa_family_t(AF_INET)
        result.sin_port = port.bigEndian
        result.sin_addr.s_addr = (address.ipv4 ?? 0).bigEndian
        return result
    }
}
