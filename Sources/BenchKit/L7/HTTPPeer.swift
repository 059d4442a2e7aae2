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
        var isAsking = false
        /// What came of a message that is not complete.
        var rest: [UInt8] = []
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
    /// By descriptor: this thread shares a machine with what it measures, and must not be what the proxies wait for.
    private var sockets: [Socket?] = []
    private var scratch = [UInt8](repeating: 0, count: 64 << 10)
    private let answer: [UInt8]
    private let check: () throws -> Void
    /// The port of the server.
    let port: UInt16
    private var proxy: UInt16 = 0
    private var request: [UInt8] = []
    /// How a response with the expected status begins.
    private var expectedStart: [UInt8] = []
    private var left = 0
    private var outcome = Outcome()

    /// A server on a free port of 127.0.0.1 that answers each request with a body of so many bytes; `check` is called five times a
    /// second and more often, and what it throws ends a run.
    init(body: Int, check: @escaping () throws -> Void = {}) throws(SystemError) {
        self.check = check
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

    deinit { for (socket, state) in sockets.enumerated() where state != nil { close(Int32(socket)) } }

    /// Connects this many clients to the proxy; those of before are closed.
    func connect(_ count: Int, to port: UInt16) throws(SystemError) {
        for socket in clients() { drop(socket) }
        proxy = port
        for _ in 0..<count { try addClient() }
    }

    /// Sends requests, one at a time on each connection, until so many are answered.
    func run(_ count: Int, request: [UInt8], expecting status: Int) throws -> Outcome {
        self.request = request
        expectedStart = Array("HTTP/1.1 \(status) ".utf8)
        outcome = Outcome()
        left = count
        for socket in clients() { ask(socket) }
        var ready = [epoll_event](repeating: epoll_event(), count: 256)
        var quiet = 0
        while outcome.responses < count {
            let number = epoll_wait(epoll.rawValue, &ready, Int32(ready.count), 200)
            if number < 0, errno == EINTR { continue }
            try check()
            quiet = number > 0 ? 0 : quiet + 1
            guard number >= 0, quiet < 25 else {
                throw SystemError(
                    "wait for", "responses", nil, detail: "\(outcome.responses) of \(count) came, then none for 5 s")
            }
            for event in ready.prefix(Int(number)) { try take(event.data.fd) }
        }
        return outcome
    }

    private func clients() -> [Int32] {
        sockets.indices.filter { sockets[$0]?.role == .client }.map(Int32.init)
    }

    private func take(_ descriptor: Int32) throws(SystemError) {
        guard let role = sockets[Int(descriptor)]?.role else { return }
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
                if left > 0 { for socket in clients() { ask(socket) } }
            }
            return
        }
        if sockets[Int(descriptor)]?.rest.isEmpty == true {
            // Nearly always one whole message.
            let used = handle(descriptor, role, scratch[..<count])
            if used < count { sockets[Int(descriptor)]?.rest.append(contentsOf: scratch[used..<count]) }
        } else {
            sockets[Int(descriptor)]?.rest.append(contentsOf: scratch[..<count])
            let all = sockets[Int(descriptor)]?.rest ?? []
            let used = handle(descriptor, role, all[...])
            sockets[Int(descriptor)]?.rest.removeFirst(used)
        }
    }

    /// Handles the complete messages in these bytes; how many bytes they are.
    private func handle(_ descriptor: Int32, _ role: Role, _ bytes: ArraySlice<UInt8>) -> Int {
        var used = bytes.startIndex
        while let head = HTTPPeer.Head(bytes[used...]), head.total <= bytes.endIndex - used {
            let bytesOfThis = bytes[used..<used + head.total]
            used += head.total
            guard role == .client else {
                send(descriptor, answer)
                continue
            }
            outcome.responses += 1
            if bytesOfThis.starts(with: expectedStart) { outcome.expected += 1 }
            sockets[Int(descriptor)]?.isAsking = false
            ask(descriptor)
        }
        return used - bytes.startIndex
    }

    private func ask(_ descriptor: Int32) {
        guard left > 0, sockets[Int(descriptor)]?.isAsking == false else { return }
        left -= 1
        sockets[Int(descriptor)]?.isAsking = true
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
        while sockets.count <= Int(descriptor) { sockets.append(nil) }
        sockets[Int(descriptor)] = Socket(role: role)
    }

    private func drop(_ descriptor: Int32) {
        sockets[Int(descriptor)] = nil
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

extension HTTPPeer {
    /// The length of a message whose head is complete. Of messages that the bench and the measured proxies make.
    fileprivate struct Head {
        /// The bytes of head and body.
        let total: Int

        init?(_ bytes: ArraySlice<UInt8>) {
            let found: Int? = bytes.withUnsafeBytes { bytes in
                guard let end = Head.end(bytes) else { return nil }
                return end + Head.bodyLength(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
            }
            guard let found else { return nil }
            total = found
        }

        /// The offset behind the first empty line.
        private static func end(_ bytes: UnsafeRawBufferPointer) -> Int? {
            guard let start = bytes.baseAddress else { return nil }
            var at = 0
            while at + 4 <= bytes.count, let found = memchr(start + at, 0x0d, bytes.count - at - 3) {
                at = UnsafeRawPointer(found) - start
                if bytes[at + 1] == 0x0a, bytes[at + 2] == 0x0d, bytes[at + 3] == 0x0a { return at + 4 }
                at += 2
            }
            return nil
        }

        /// What Content-Length says; 0 without one.
        private static func bodyLength(_ head: UnsafeRawBufferPointer) -> Int {
            let name: StaticString = "content-length:"
            return name.withUTF8Buffer { name in
                guard let start = head.baseAddress, let text = name.baseAddress else { return 0 }
                var at = 0
                while let found = memchr(start + at, 0x0a, head.count - at) {
                    at = UnsafeRawPointer(found) - start + 1
                    guard at + name.count < head.count else { return 0 }
                    guard
                        strncasecmp(
                            (start + at).assumingMemoryBound(to: CChar.self),
                            UnsafeRawPointer(text).assumingMemoryBound(to: CChar.self), name.count) == 0
                    else { continue }
                    at += name.count
                    while head[at] == UInt8(ascii: " ") { at += 1 }
                    var length = 0
                    while head[at] &- UInt8(ascii: "0") < 10 {
                        length = length * 10 + Int(head[at] - UInt8(ascii: "0"))
                        at += 1
                    }
                    return length
                }
                return 0
            }
        }
    }
}
