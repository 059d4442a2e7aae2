import CNetpoldABI
import Datapath
import Glibc
import NetTypes
import NetpoldTestSupport
import Testing

@testable import LabKit

/// Real sockets through a Service, over veths: what the kernel does with checksums that are still to be made, with segments of
/// 64 KiB, and with fragments is not seen by `BPF_PROG_TEST_RUN`.
@Suite("traffic through Services", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct ServiceTrafficTests {
    private static let cluster = """
        apiVersion: v1
        kind: Pod
        metadata: {name: client, namespace: lab, labels: {app: client}}
        spec: {nodeName: node-1, containers: [{name: main}]}
        status: {phase: Running, podIP: 10.244.7.10, podIPs: [{ip: 10.244.7.10}, {ip: "fd00:7::10"}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: server, namespace: lab, labels: {app: server}}
        spec: {nodeName: node-1, containers: [{name: main}]}
        status: {phase: Running, podIP: 10.244.7.11, podIPs: [{ip: 10.244.7.11}, {ip: "fd00:7::11"}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: lab}
        spec:
          clusterIPs: [10.96.0.10, "fd00:96::10"]
          clusterIP: 10.96.0.10
          ipFamilies: [IPv4, IPv6]
          selector: {app: server}
          ports: [{name: t, port: 80, targetPort: 8080, protocol: TCP}, {name: u, port: 53, targetPort: 5353, protocol: UDP}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: self, namespace: lab}
        spec:
          clusterIPs: [10.96.0.11, "fd00:96::11"]
          clusterIP: 10.96.0.11
          ipFamilies: [IPv4, IPv6]
          selector: {app: client}
          ports: [{name: t, port: 80, targetPort: 8080, protocol: TCP}, {name: u, port: 53, targetPort: 5353, protocol: UDP}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: nobody, namespace: lab}
        spec:
          clusterIPs: [10.96.0.12, "fd00:96::12"]
          clusterIP: 10.96.0.12
          ipFamilies: [IPv4, IPv6]
          selector: {app: nobody}
          ports: [{name: t, port: 80, protocol: TCP}, {name: u, port: 53, protocol: UDP}]
        """

    /// The client may talk to the server's ports only, and nobody to it: answers need their entries.
    private static let policies = """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: out, namespace: lab}
        spec:
          podSelector: {matchLabels: {app: client}}
          policyTypes: [Ingress, Egress]
          egress:
          - to: [{podSelector: {matchLabels: {app: server}}}]
            ports: [{protocol: TCP, port: 8080}, {protocol: UDP, port: 5353}]
        """

    private static func service(_ last: UInt64, v6: Bool) -> IPAddress {
        v6 ? IPAddress(high: 0xfd00_0096_0000_0000, low: last) : IPAddress(ipv4: 0x0a60_0000 | UInt32(last - 6))
    }
    private static func web(v6: Bool) -> IPAddress { service(0x10, v6: v6) }

    private func network(_ tag: String, _ policies: String?) throws -> PodNetwork {
        let network = try PodNetwork(Self.cluster, tag: tag)
        network.restart {
            var options = DatapathOptions(pins: nil)
            options.services = .translate
            return try NodeDatapath(options)
        }
        try network.apply(policies ?? "")
        return network
    }

    /// TCP segments and datagrams that arrived with a wrong checksum, in a namespace.
    private func checksumErrors(_ namespace: NetworkNamespace) throws -> Int {
        try namespace.run {
            var errors = 0
            guard let file = fopen("/proc/thread-self/net/snmp", "r") else { throw PodNetworkError("snmp") }
            defer { fclose(file) }
            var names: [Substring] = []
            var line = [CChar](repeating: 0, count: 4096)
            while fgets(&line, Int32(line.count), file) != nil {
                let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                let words = text.split { $0 == " " || $0 == "\n" }
                guard words.count > 1 else { continue }
                if Int(words[1]) == nil {
                    names = words
                } else {
                    for (name, value) in zip(names, words) where name == "InCsumErrors" { errors += Int(value) ?? 0 }
                }
            }
            return errors
        }
    }

    @Test("streams both ways, as fast as they go, arrive whole", arguments: [false, true], [false, true])
    func streams(v6: Bool, isolated: Bool) throws {
        let network = try network("svc-tcp\(v6 ? 6 : 4)\(isolated ? "i" : "o")", isolated ? Self.policies : nil)
        let (client, server) = (try network.namespace("client"), try network.namespace("server"))
        for (frontend, backend) in [(Self.web(v6: v6), server), (Self.service(0x11, v6: v6), client)] {
            let listener = try TrafficSocket(SOCK_STREAM, v6: v6, in: backend)
            try listener.bind(port: 8080)
            let asking = try TrafficSocket(SOCK_STREAM, v6: v6, in: client)
            try asking.connect(frontend, port: 80)
            let answering = try listener.accept()
            #expect(asking.peer == SocketEnd(frontend, 80))
            let bytes = 4 << 20
            let threads = try [asking, answering].map { socket in try BackgroundThread { socket.write(bytes: bytes) } }
            let sums = try [asking, answering].map { try $0.read(bytes: bytes) }
            for thread in threads { thread.join() }
            #expect(sums == [TrafficSocket.sum(bytes: bytes), TrafficSocket.sum(bytes: bytes)])
        }
        #expect(try checksumErrors(client) + checksumErrors(server) == 0)
    }

    @Test(
        "datagrams of all sizes, with and without a checksum, are answered by the Service", arguments: [false, true],
        [false, true])
    func datagrams(v6: Bool, isolated: Bool) throws {
        let network = try network("svc-udp\(v6 ? 6 : 4)\(isolated ? "i" : "o")", isolated ? Self.policies : nil)
        let (client, server) = (try network.namespace("client"), try network.namespace("server"))
        for (frontend, backend) in [(Self.web(v6: v6), server), (Self.service(0x11, v6: v6), client)] {
            let answering = try TrafficSocket(SOCK_DGRAM, v6: v6, in: backend)
            try answering.bind(port: 5353)
            for hasSum in v6 ? [true] : [true, false] {
                let asking = try TrafficSocket(SOCK_DGRAM, v6: v6, in: client)
                if !hasSum { asking.setOption(SOL_SOCKET, SO_NO_CHECK, 1) }
                for size in [0, 1, 2, 3, 100, 1400, 1472, 1473, 3000, 20_000, 60_000] {
                    let data = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
                    asking.send(data, to: SocketEnd(frontend, 53))
                    let question = try #require(answering.receive(), "\(size) bytes")
                    #expect(question.bytes == data)
                    answering.send(question.bytes.reversed(), to: question.from)
                    let answer = try #require(asking.receive(), "answer of \(size) bytes")
                    #expect(answer.bytes == data.reversed())
                    #expect(answer.from == SocketEnd(frontend, 53))
                }
            }
        }
        #expect(try checksumErrors(client) + checksumErrors(server) == 0)
    }

    @Test("a Service without endpoints refuses at once", arguments: [false, true])
    func refused(v6: Bool) throws {
        let network = try network("svc-none\(v6 ? 6 : 4)", Self.policies)
        let client = try network.namespace("client")
        let nobody = Self.service(0x12, v6: v6)
        for kind in [SOCK_STREAM, SOCK_DGRAM] {
            let socket = try TrafficSocket(kind, v6: v6, in: client)
            let isDatagram = kind == SOCK_DGRAM
            #expect(socket.tryConnect(nobody, port: isDatagram ? 53 : 80) == (isDatagram ? 0 : ECONNREFUSED))
            if isDatagram { #expect(socket.errorAfterSending() == ECONNREFUSED) }
        }
        #expect(try (network.packetsByReason()[UInt8(NP_DROP_NO_BACKEND.rawValue)] ?? 0) >= 2)
    }

    @Test("from one port to the Service and straight to its endpoint at the same time", arguments: [false, true])
    func samePort(v6: Bool) throws {
        let network = try network("svc-same\(v6 ? 6 : 4)", nil)
        let (client, server) = (try network.namespace("client"), try network.namespace("server"))
        let listener = try TrafficSocket(SOCK_STREAM, v6: v6, in: server)
        try listener.bind(port: 8080)
        let straight = v6 ? IPAddress(high: 0xfd00_0007_0000_0000, low: 0x11) : IPAddress(ipv4: 0x0af4_070b)
        for order in [
            [SocketEnd(Self.web(v6: v6), 80), SocketEnd(straight, 8080)],
            [SocketEnd(straight, 8080), SocketEnd(Self.web(v6: v6), 80)],
        ] {
            var pairs: [(TrafficSocket, TrafficSocket)] = []
            for end in order {
                let asking = try TrafficSocket(SOCK_STREAM, v6: v6, in: client)
                asking.setOption(SOL_SOCKET, SO_REUSEADDR, 1)
                try asking.bind(port: 23456, listens: false)
                try asking.connect(end.address, port: end.port)
                pairs.append((asking, try listener.accept()))
            }
            for round in 0..<3 {
                for (number, (asking, answering)) in pairs.enumerated() {
                    let data = [UInt8(number), UInt8(round)]
                    asking.send(data)
                    #expect(answering.receive()?.bytes == data)
                    answering.send(data.reversed())
                    #expect(asking.receive()?.bytes == data.reversed())
                }
            }
            for (asking, answering) in pairs {
                asking.reset()
                answering.reset()
            }
        }
    }
}

/// An address with a port.
private struct SocketEnd: Hashable {
    var address: IPAddress
    var port: UInt16

    init(_ address: IPAddress, _ port: UInt16) {
        self.address = address
        self.port = port
    }

    init?(_ storage: sockaddr_storage) {
        var storage = storage
        let family = Int32(storage.ss_family)
        let bytes = withUnsafeBytes(of: &storage) { Array($0) }
        port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        func number(_ range: Range<Int>) -> UInt64 { bytes[range].reduce(0) { $0 << 8 | UInt64($1) } }
        switch family {
        case AF_INET: address = IPAddress(ipv4: UInt32(number(4..<8)))
        case AF_INET6: address = IPAddress(high: number(8..<16), low: number(16..<24))
        default: return nil
        }
    }
}

/// A blocking socket of either family in a pod; calls end after some seconds.
private final class TrafficSocket: Sendable {
    private let descriptor: Int32
    private let v6: Bool

    init(_ kind: __socket_type, v6: Bool, in namespace: NetworkNamespace) throws {
        let opened = try namespace.run {
            socket(v6 ? AF_INET6 : AF_INET, Int32(kind.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        }
        guard opened >= 0 else { throw PodNetworkError("socket: \(errno)") }
        descriptor = opened
        self.v6 = v6
        limitTime()
    }

    private init(descriptor: Int32, v6: Bool) {
        self.descriptor = descriptor
        self.v6 = v6
        limitTime()
    }

    deinit { close(descriptor) }

    private func limitTime() {
        var time = timeval(tv_sec: 10, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    func setOption(_ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Closes a connection with a RST when it is let go of.
    func reset() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }

    func bind(port: UInt16, listens: Bool = true) throws {
        setOption(SOL_SOCKET, SO_REUSEADDR, 1)
        let any = v6 ? IPAddress(high: 0, low: 0) : IPAddress(ipv4: 0)
        let status = SocketAddress.with(any, port: port) { Glibc.bind(descriptor, $0, $1) }
        guard status == 0 else { throw PodNetworkError("bind: \(errno)") }
        if listens { _ = listen(descriptor, 8) }
    }

    /// 0, or the error.
    func tryConnect(_ address: IPAddress, port: UInt16) -> Int32 {
        SocketAddress.with(address, port: port) { Glibc.connect(descriptor, $0, $1) } == 0 ? 0 : errno
    }

    func connect(_ address: IPAddress, port: UInt16) throws {
        let error = tryConnect(address, port: port)
        guard error == 0 else { throw PodNetworkError("connect to \(address) port \(port): \(error)") }
    }

    func accept() throws -> TrafficSocket {
        let accepted = Glibc.accept(descriptor, nil, nil)
        guard accepted >= 0 else { throw PodNetworkError("accept: \(errno)") }
        return TrafficSocket(descriptor: accepted, v6: v6)
    }

    /// Whom it is connected to.
    var peer: SocketEnd? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &length) }
        }
        return status == 0 ? SocketEnd(storage) : nil
    }

    func send(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    func send(_ bytes: some Sequence<UInt8>, to end: SocketEnd) {
        let bytes = Array(bytes)
        _ = SocketAddress.with(end.address, port: end.port) {
            sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, $1)
        }
    }

    func receive() -> (bytes: [UInt8], from: SocketEnd)? {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let count = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length)
            }
        }
        guard count >= 0 else { return nil }
        return (Array(buffer.prefix(count)), SocketEnd(storage) ?? SocketEnd(IPAddress(ipv4: 0), 0))
    }

    /// The error that an answer to a datagram tells, 0 for none within the time.
    func errorAfterSending() -> Int32 {
        send([1])
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, 0) < 0 ? errno : 0
    }

    // MARK: a stream that both ends know

    private static let period = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) }

    func write(bytes: Int) {
        var sent = 0
        while sent < bytes {
            let start = sent % Self.period.count
            let count = min(Self.period.count - start, bytes - sent)
            let taken = Self.period[start..<start + count].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, count, Int32(MSG_NOSIGNAL))
            }
            guard taken > 0 else { return }
            sent += taken
        }
    }

    /// The sum of what arrives.
    func read(bytes: Int) throws -> UInt64 {
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        var (sum, got) = (UInt64(0), 0)
        while got < bytes {
            let count = recv(descriptor, &buffer, min(buffer.count, bytes - got), 0)
            guard count > 0 else { throw PodNetworkError("after \(got) of \(bytes) bytes: \(errno)") }
            for place in 0..<count { Self.add(buffer[place], got + place, &sum) }
            got += count
        }
        return sum
    }

    private static func add(_ byte: UInt8, _ place: Int, _ sum: inout UInt64) {
        sum = sum &+ UInt64(byte) &* UInt64(truncatingIfNeeded: place % 251 + 1)
    }

    static func sum(bytes: Int) -> UInt64 {
        var sum: UInt64 = 0
        for place in 0..<bytes { add(period[place % period.count], place, &sum) }
        return sum
    }
}
