import CLinux
import Glibc
import Support

/// The client and the server of a measured proxy, on the calling thread: so the proxy has the other core to itself.
final class HTTPPeer {
    private enum Role {
        case listener, server, client
    }

    private struct Socket {
        var role: Role
        var buffer: [UInt8] = []
        var isAsking = false
    }

    /// What a run came to.
    struct Outcome {
        /// Complete responses.
        var responses = 0
        /// Those with the expected status.
        var expected = 0
        /// Connections that the proxy closed, and that were made anew.
        var reconnects = 0
    }

    private let epoll: OwnedDescriptor
    private var sockets: [Int32: Socket] = [:]
    private var scratch = [UInt8](repeating: 0, count: 64 << 10)
    private let answer: [UInt8]
    /// The port of the server.
    let port: UInt16
    private var proxy: UInt16 = 0
    private var request: [UInt8] = []
    private var expectedStatus = 200
    private var left = 0
    private var outcome = Outcome()

    /// A server on a free port of 127.0.0.1 that answers each request with a body of so many bytes.
    init(body: Int) throws(SystemError) {
        epoll = OwnedDescriptor(
            rawValue: try SystemError.check("open", "epoll") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: \(body)\r\n\r\n"
        answer = Array(head.utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: body)
        let listener = try HTTPPeer.socket()
        var address = HTTPPeer.address(0)
        try HTTPPeer.withAddress(&address) { target, size throws(SystemError) in
            try SystemError.check("bind", "127.0.0.1") { bind(listener, target, size) }
        }
        try SystemError.check("listen", "127.0.0.1") { listen(listener, 4_096) }
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        var bound = sockaddr_in()
        _ = withUnsafeMutablePointer(to: &bound) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &size) }
        }
        port = UInt16(bigEndian: bound.sin_port)
        try watch(listener, .listener)
    }

    deinit { for socket in sockets.keys { close(socket) } }

    /// Connects this many clients to the proxy; those of before are closed.
    func connect(_ count: Int, to port: UInt16) throws(SystemError) {
        for (socket, state) in sockets where state.role == .client { drop(socket) }
        proxy = port
        for _ in 0..<count { try addClient() }
    }

    /// Sends requests, one at a time on each connection, until so many are answered.
    func run(_ count: Int, request: [UInt8], expecting status: Int) throws(SystemError) -> Outcome {
        self.request = request
        expectedStatus = status
        outcome = Outcome()
        left = count
        for (socket, state) in sockets where state.role == .client { ask(socket, state) }
        var ready = [epoll_event](repeating: epoll_event(), count: 256)
        while outcome.responses < count {
            let number = epoll_wait(epoll.rawValue, &ready, Int32(ready.count), 5_000)
            if number < 0, errno == EINTR { continue }
            guard number > 0 else {
                throw SystemError(
                    "wait for", "responses", nil, detail: "\(outcome.responses) of \(count) came, then none for 5 s")
            }
            for event in ready.prefix(Int(number)) { try take(event.data.fd) }
        }
        return outcome
    }

    private func take(_ descriptor: Int32) throws(SystemError) {
        guard let role = sockets[descriptor]?.role else { return }
        if role == .listener {
            while true {
                let accepted = accept(descriptor, nil, nil)
                guard accepted >= 0 else { return }
                HTTPPeer.configure(accepted)
                try watch(accepted, .server)
            }
        }
        let count = recv(descriptor, &scratch, scratch.count, Int32(MSG_DONTWAIT))
        guard count > 0 else {
            if count < 0, errno == EAGAIN { return }
            drop(descriptor)
            if role == .client {
                outcome.reconnects += 1
                try addClient()
                if left > 0 {
                    for (socket, state) in sockets where state.role == .client && !state.isAsking { ask(socket, state) }
                }
            }
            return
        }
        sockets[descriptor]?.buffer.append(contentsOf: scratch[..<count])
        if role == .server { serve(descriptor) } else { receive(descriptor) }
    }

    /// Answers each complete head: the requests have no bodies.
    private func serve(_ descriptor: Int32) {
        while let end = sockets[descriptor]?.buffer.endOfHead {
            sockets[descriptor]?.buffer.removeFirst(end)
            send(descriptor, answer)
        }
    }

    private func receive(_ descriptor: Int32) {
        guard var state = sockets[descriptor], let end = state.buffer.endOfHead else { return }
        let head = String(decoding: state.buffer[..<end], as: UTF8.self).lowercased()
        let length = head.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst(15).drop { $0 == " " }) }
        let total = end + (length ?? 0)
        guard state.buffer.count >= total else { return }
        outcome.responses += 1
        if head.hasPrefix("http/1.1 \(expectedStatus)") { outcome.expected += 1 }
        state.buffer.removeFirst(total)
        state.isAsking = false
        sockets[descriptor] = state
        ask(descriptor, state)
    }

    private func ask(_ descriptor: Int32, _ state: Socket) {
        guard left > 0, !state.isAsking else { return }
        left -= 1
        sockets[descriptor]?.isAsking = true
        send(descriptor, request)
    }

    private func send(_ descriptor: Int32, _ bytes: [UInt8]) {
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    private func addClient() throws(SystemError) {
        let client = try HTTPPeer.socket()
        HTTPPeer.configure(client)
        var address = HTTPPeer.address(proxy)
        try HTTPPeer.withAddress(&address) { target, size throws(SystemError) in
            try SystemError.check("connect to", "127.0.0.1") { Glibc.connect(client, target, size) }
        }
        try watch(client, .client)
    }

    private func watch(_ descriptor: Int32, _ role: Role) throws(SystemError) {
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        event.data.fd = descriptor
        try SystemError.check("watch", "socket") { epoll_ctl(epoll.rawValue, EPOLL_CTL_ADD, descriptor, &event) }
        if role == .listener { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
        sockets[descriptor] = Socket(role: role)
    }

    private func drop(_ descriptor: Int32) {
        sockets[descriptor] = nil
        close(descriptor)
    }

    private static func socket() throws(SystemError) -> Int32 {
        try SystemError.check("open", "socket") { Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
    }

    private static func configure(_ descriptor: Int32) {
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    private static func withAddress(
        _ address: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Void
    ) throws(SystemError) {
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failure: SystemError? = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { target in
                do throws(SystemError) {
                    try body(target, size)
                    return nil
                } catch {
                    return error
                }
            }
        }
        if let failure { throw failure }
    }
}

extension [UInt8] {
    /// The offset behind the first empty line.
    fileprivate var endOfHead: Int? {
        var index = 3
        while index < count {
            if self[index] == 0x0a, self[index - 1] == 0x0d, self[index - 2] == 0x0a, self[index - 3] == 0x0d {
                return index + 1
            }
            index += 1
        }
        return nil
    }
}
