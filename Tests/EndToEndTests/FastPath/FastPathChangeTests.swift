import BPFEmit
import Datapath
import Glibc
import NetTypes
import NetpoldTestSupport
import Testing

/// What becomes of live flows when it is decided otherwise which flows go past the stack.
@Suite("Past the stack, and back", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct FastPathChangeTests {
    /// Drops what it has not seen the beginning of, as strict as connection tracking can be.
    private static let strictNode = """
        sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0; \
        nft 'table ip strict { chain f { type filter hook forward priority 0; ct state invalid drop; \
        ct state established accept; tcp flags & (syn|ack) == syn accept; meta l4proto tcp drop; }; }'
        """

    /// A connection of a client, with how much it has talked.
    private final class Talk {
        let client: PodSocket
        let server: PodSocket

        init(_ network: PodNetwork, _ listener: PodSocket, from pod: String, port: UInt16) throws {
            client = try #require(
                try PodSocket.connect(in: network.namespace(pod), to: network.address("server"), port: port))
            server = try #require(listener.accept())
        }

        /// Whether requests both ways, larger and smaller, arrive without delay.
        func goesOn() -> Bool {
            (0..<10).allSatisfy { number in
                let bytes = [UInt8](repeating: UInt8(number), count: 1 + 100 * number)
                client.send(bytes)
                guard server.receive(timeout: 150) == bytes else { return false }
                server.send(bytes)
                return client.receive(timeout: 150) == bytes
            }
        }

        /// Whether both ends see the other one's end.
        func ends() -> Bool {
            shutdown(client.descriptor, Int32(SHUT_WR))
            guard isOver(server) else { return false }
            shutdown(server.descriptor, Int32(SHUT_WR))
            return isOver(client)
        }

        private func isOver(_ socket: PodSocket) -> Bool {
            var byte: UInt8 = 0
            var time = timeval(tv_sec: 1, tv_usec: 0)
            setsockopt(socket.descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
            return recv(socket.descriptor, &byte, 1, 0) == 0
        }
    }

    @Test(
        "on a node that drops what it has not seen begin, live connections stay whole through every change, and new ones follow it",
        arguments: [SwapCluster.nothing, SwapCluster.first(.both)])
    func modes(policies: String) throws {
        let network = try PodNetwork(SwapCluster.pods, tag: "fast-mode")
        let pins = try PinPath(instance: "fast-\(getpid())-\(UInt16.random(in: .min ... .max))")
        func start(_ mode: FastPathMode) throws {
            network.restart {
                var options = DatapathOptions(pins: pins)
                options.fastPath = mode
                return try NodeDatapath(options)
            }
            try network.apply(policies)
        }
        try network.onNode(Self.strictNode)
        try start(.off)
        let listener = try PodSocket.listener(in: network.namespace("server"), port: 8001)
        var talks: [(talk: Talk, mode: FastPathMode)] = []
        for mode in [FastPathMode.off, .always, .off, .off, .always] {
            if !talks.isEmpty { try start(mode) }
            talks.append((try Talk(network, listener, from: "green", port: 8001), mode))
            for (talk, began) in talks {
                let before = try network.forwarded()
                #expect(talk.goesOn(), "began \(began), now \(mode)")
                let forwarded = try network.forwarded() - before
                #expect(began == .off ? forwarded >= 20 : forwarded == 0, "began \(began), now \(mode): \(forwarded)")
            }
        }
        for (talk, began) in talks { #expect(talk.ends(), "began \(began)") }
    }

    @Test("auto begins and ends with the node's rules, and says why")
    func auto() throws {
        let network = try PodNetwork(SwapCluster.pods, tag: "fast-auto", fastPath: .auto)
        try network.apply(SwapCluster.nothing)
        #expect(network.fastPath?.isOn == true)
        let listener = try PodSocket.listener(in: network.namespace("server"), port: 8001)
        let before = try Talk(network, listener, from: "green", port: 8001)
        #expect(before.goesOn())
        try network.onNode(
            "nft 'table ip own { chain f { type filter hook forward priority 0; ip daddr 10.9.9.9 drop; }; }'")
        sleep(9)  // what it found last holds for eight seconds
        try network.apply(SwapCluster.first)
        #expect(network.fastPath?.isOn == false)
        #expect(network.fastPath?.reason == "a rule of chain ip own f: drop")
        let count = try network.forwarded()
        #expect(before.goesOn())
        #expect(try network.forwarded() == count)
        let after = try Talk(network, listener, from: "green", port: 8001)
        #expect(after.goesOn())
        #expect(try network.forwarded() - count >= 20)
    }

    @Test("kube-proxy's rules, in both of its ways, keep auto on", arguments: [false, true])
    func kubeProxy(isLegacy: Bool) throws {
        let network = try PodNetwork(SwapCluster.pods, tag: "fast-kube", fastPath: .auto)
        let iptables = isLegacy ? "iptables-legacy" : "iptables-nft"
        try network.onNode(
            """
            \(iptables) -N KUBE-FORWARD && \(iptables) -P FORWARD DROP && \(iptables) -A FORWARD -j KUBE-FORWARD && \
            \(iptables) -A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP && \
            \(iptables) -A KUBE-FORWARD -s 10.244.0.0/16 -j ACCEPT && \
            \(iptables) -t nat -N KUBE-SERVICES && \(iptables) -t nat -A PREROUTING -j KUBE-SERVICES
            """)
        try network.apply(SwapCluster.nothing)
        #expect(network.fastPath?.isOn == true, "\(network.fastPath?.reason ?? "")")
        #expect(network.fastPath?.pods == 4)
        try network.onNode("\(iptables) -A FORWARD -s 10.1.1.1 -j DROP")
        sleep(9)
        try network.apply(SwapCluster.first)
        #expect(network.fastPath?.isOn == false)
        #expect(network.fastPath?.reason.contains("chain ip filter FORWARD") == true)
    }

    @Test("a server that goes away gets nothing more, and a connection whose server gains HTTP rules is cut")
    func destination() throws {
        let network = try PodNetwork(SwapCluster.pods, tag: "fast-gone", fastPath: .always)
        try network.apply(SwapCluster.nothing)
        let listener = try PodSocket.listener(in: network.namespace("server"), port: 8001)
        let talk = try Talk(network, listener, from: "green", port: 8001)
        #expect(talk.goesOn())
        try network.apply(
            """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: http, namespace: lab}
            spec:
              endpointSelector: {matchLabels: {app: server}}
              ingress:
              - fromEndpoints: [{matchLabels: {app: green}}]
                toPorts: [{ports: [{port: "8001", protocol: TCP}], rules: {http: [{path: "/"}]}}]
            """)
        #expect(!talk.goesOn())
        try network.apply(SwapCluster.nothing)
        let other = try Talk(network, listener, from: "blue", port: 8001)
        #expect(other.goesOn())
        try network.onNode("ip link del np3")
        other.client.send([1])
        #expect(other.server.receive(timeout: 200) == nil)
        #expect(!other.goesOn())
    }
}
