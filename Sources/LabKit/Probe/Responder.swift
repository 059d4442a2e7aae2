public import Datapath
import Glibc
public import NetTypes
import Support

/// Small servers inside a namespace: TCP says who it is and closes, UDP answers every datagram with who it is.
public final class Responder {
    /// A port to serve.
    public struct Port: Hashable, Sendable {
        /// The address to serve on.
        public var address: IPAddress
        /// TCP or UDP.
        public var `protocol`: L4Protocol
        /// The port.
        public var port: UInt16

        /// A port.
        public init(address: IPAddress, protocol: L4Protocol, port: UInt16) {
            self.address = address
            self.protocol = `protocol`
            self.port = port
        }
    }

    /// What every answer begins with; the server's name follows, then a line end.
    static let greeting = "netpold "

    private let loop: EventLoop
    private let answer: [UInt8]
    private var sockets: [ProbeSocket] = []

    /// Opens the ports in the namespace and serves them whenever the loop turns, as long as this object lives.
    public init(name: String, in namespace: NetworkNamespace, ports: [Port], loop: EventLoop) throws {
        self.loop = loop
        answer = Array((Responder.greeting + name + "\n").utf8)
        sockets = try namespace.run {
            try ports.map { port in
                let socket = try ProbeSocket(port.protocol, isIPv4: port.address.isIPv4)
                if !port.address.isIPv4 { socket.set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
                try socket.bind(port.address, port: port.port)
                if port.protocol == .tcp {
                    try SystemError.check("listen", "port \(port.port)") { listen(socket.descriptor, 512) }
                }
                return socket
            }
        }
        for (socket, port) in zip(sockets, ports) {
            let descriptor = socket.descriptor
            let answer = answer
            try loop.watch(descriptor, for: .readable) { _ in
                if port.protocol == .tcp {
                    Responder.greet(descriptor, answer)
                } else {
                    Responder.echo(descriptor, answer)
                }
            }
        }
    }

    deinit {
        for socket in sockets { loop.forget(socket.descriptor) }
    }

    private static func greet(_ listener: Int32, _ answer: [UInt8]) {
        while true {
            let accepted = accept(listener, nil, nil)
            guard accepted >= 0 else { return }
            let connection = ProbeSocket(adopting: accepted)
            connection.send(answer)
        }
    }

    private static func echo(_ socket: Int32, _ answer: [UInt8]) {
        var request = [UInt8](repeating: 0, count: 2048)
        var peer = sockaddr_storage()
        while true {
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let sent = withUnsafeMutablePointer(to: &peer) { storage in
                storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    guard recvfrom(socket, &request, request.count, 0, address, &length) >= 0 else { return false }
                    _ = sendto(socket, answer, answer.count, 0, address, length)
                    return true
                }
            }
            guard sent else { return }
        }
    }
}
