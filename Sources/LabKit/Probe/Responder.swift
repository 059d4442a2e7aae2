public import Datapath
import Glibc
public import NetTypes
import Support

/// Small servers inside a namespace: TCP says who it is and closes, UDP answers every datagram with who it is. Ports where the
/// client speaks first answer requests of HTTP, TLS and DNS with the same; DNS queries are answered over UDP too.
public final class Responder {
    /// A port to serve.
    public struct Port: Hashable, Sendable {
        /// The address to serve on.
        public var address: IPAddress
        /// TCP or UDP.
        public var `protocol`: L4Protocol
        /// The port.
        public var port: UInt16
        /// Over TCP: whether the client speaks first.
        public var waits: Bool

        /// A port.
        public init(address: IPAddress, protocol: L4Protocol, port: UInt16, waits: Bool = false) {
            self.address = address
            self.protocol = `protocol`
            self.port = port
            self.waits = waits
        }
    }

    /// Stands for whoever answers in other words.
    static let nobody = "?"
    /// What a probe says that wants to know who is there.
    static let question = Array("netpold?\r\n\r\n".utf8)
    /// What every answer begins with; the server's name follows, then a line end.
    static let greeting = "netpold "

    private let loop: EventLoop
    private let answer: [UInt8]
    private let zone: DNSMessage.Zone
    private var sockets: [ProbeSocket] = []
    /// Connections whose client has not said everything.
    private var connections: [Int32: (socket: ProbeSocket, said: [UInt8])] = [:]

    /// Opens the ports in the namespace and serves them whenever the loop turns, as long as this object lives. `names`: what
    /// DNS queries are answered with, by lower-case name.
    public init(
        name: String, in namespace: NetworkNamespace, ports: [Port], loop: EventLoop, names: [String: [IPAddress]] = [:]
    ) throws {
        self.loop = loop
        zone = names
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
            try loop.watch(descriptor, for: .readable) { [unowned self] _ in
                if port.protocol == .udp {
                    Responder.echo(descriptor, answer, zone)
                } else if port.waits {
                    admit(descriptor)
                } else {
                    Responder.greet(descriptor, answer)
                }
            }
        }
    }

    deinit {
        for descriptor in sockets.map(\.descriptor) + connections.keys { loop.forget(descriptor) }
    }

    /// Takes connections in and waits for what they say.
    private func admit(_ listener: Int32) {
        while true {
            let accepted = accept(listener, nil, nil)
            guard accepted >= 0 else { return }
            _ = fcntl(accepted, F_SETFL, O_NONBLOCK)
            connections[accepted] = (ProbeSocket(adopting: accepted), [])
            do {
                try loop.watch(accepted, for: .readable) { [unowned self] _ in hear(accepted) }
            } catch {
                connections[accepted] = nil
            }
        }
    }

    private func hear(_ descriptor: Int32) {
        guard let connection = connections[descriptor] else { return }
        switch connection.socket.receive() {
        case .failure(.wouldBlock): return
        case .success(let bytes) where !bytes.isEmpty && connection.said.count < 1 << 16:
            let said = connection.said + bytes
            connections[descriptor]?.said = said
            guard let words = words(to: said) else { return }
            connection.socket.send(words)
        case .success, .failure: break
        }
        loop.forget(descriptor)
        connections[descriptor] = nil
    }

    /// The answer to what a client has said; `nil` while it is not all of it.
    private func words(to said: [UInt8]) -> [UInt8]? {
        if said.first == TLSMessage.handshake {
            guard said.count >= 5, said.count >= 5 + (Int(said[3]) << 8 | Int(said[4])) else { return nil }
            return TLSMessage.alert + answer
        }
        if said.count > 2, said.count - 2 == Int(said[0]) << 8 | Int(said[1]),
            let message = DNSMessage.answer(to: Array(said.dropFirst(2)), zone)
        {
            return [UInt8(message.count >> 8), UInt8(message.count & 0xff)] + message
        }
        if said.first == 0 { return nil }
        guard HTTPMessage.isComplete(said) else { return nil }
        return said.starts(with: Responder.question) ? answer : HTTPMessage.answer(answer)
    }

    private static func greet(_ listener: Int32, _ answer: [UInt8]) {
        while true {
            let accepted = accept(listener, nil, nil)
            guard accepted >= 0 else { return }
            let connection = ProbeSocket(adopting: accepted)
            connection.send(answer)
        }
    }

    private static func echo(_ socket: Int32, _ answer: [UInt8], _ zone: DNSMessage.Zone) {
        var request = [UInt8](repeating: 0, count: 2048)
        var peer = sockaddr_storage()
        while true {
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let sent = withUnsafeMutablePointer(to: &peer) { storage in
                storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    let count = recvfrom(socket, &request, request.count, 0, address, &length)
                    guard count >= 0 else { return false }
                    let resolved = zone.isEmpty ? nil : DNSMessage.answer(to: Array(request.prefix(count)), zone)
                    let answer = resolved ?? answer
                    _ = sendto(socket, answer, answer.count, 0, address, length)
                    return true
                }
            }
            guard sent else { return }
        }
    }
}
