import Agent
import BPFEmit
import CNetpoldABI
import Datapath
import Foundation
import Glibc
import NetTypes
import NetpoldTestSupport
import PolicyIR
import Testing

/// Connections through Services on a node with a running agent, that translates before policies are asked.
@Suite("Connections through Services", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct ServiceConnectionTests {
    private static let pods = ["client", "server", "second"].enumerated().map { index, name in
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: \(name), namespace: lab, labels: {app: \(name)}}
        spec: {nodeName: node-1, containers: [{name: main}]}
        status: {phase: Running, podIP: 10.244.9.\(10 + index), podIPs: [{ip: 10.244.9.\(10 + index)}]}
        """
    }.joined(separator: "\n---\n")

    private static let address = IPAddress(ipv4: 0x0a60_0001)

    /// A Service on 80/TCP and 53/UDP whose endpoints, at port 8080 and 5353, are these pods.
    private static func service(_ endpoints: [String]) -> String {
        let list = endpoints.map { "{addresses: [\($0)]}" }.joined(separator: ", ")
        return """
            apiVersion: v1
            kind: Service
            metadata: {name: web, namespace: lab}
            spec: {clusterIP: 10.96.0.1, ports: [{name: web, port: 80}, {name: dns, port: 53, protocol: UDP}]}
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: web-1, namespace: lab, labels: {kubernetes.io/service-name: web}}
            addressType: IPv4
            ports: [{name: web, port: 8080, protocol: TCP}, {name: dns, port: 5353, protocol: UDP}]
            endpoints: [\(list)]
            """
    }

    /// The client may send to pods of one app alone.
    private static func policy(to app: String) -> String {
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: out, namespace: lab}
        spec:
          podSelector: {matchLabels: {app: client}}
          policyTypes: [Egress]
          egress: [{to: [{podSelector: {matchLabels: {app: \(app)}}}]}]
        """
    }

    private static let server = "10.244.9.11"
    private static let second = "10.244.9.12"

    private static func started(
        _ endpoints: [String], policy: String? = nil, mode: ServiceMode = .translate
    ) throws -> (PodNetwork, RunningAgent) {
        let network = try PodNetwork(pods, tag: "services")
        var manifests = ["pods.yaml": pods, "service.yaml": service(endpoints)]
        if let policy { manifests["policy.yaml"] = policy }
        let agent = try RunningAgent(network, manifests: manifests)
        try agent.start(["--services", mode.rawValue])
        return (network, agent)
    }

    /// A connection of the client through the Service, with the end that accepted it; `nil` when nobody did.
    private static func connect(
        _ network: PodNetwork, _ listener: PodSocket
    ) throws -> (client: PodSocket, server: PodSocket)? {
        guard let client = try PodSocket.connect(in: network.namespace("client"), to: address, port: 80),
            let server = listener.accept()
        else { return nil }
        return (client, server)
    }

    /// Whether both ends hear each other.
    private static func talk(_ connection: (client: PodSocket, server: PodSocket)) -> Bool {
        connection.client.send(Array("ask".utf8))
        guard connection.server.receive(timeout: 2000) == Array("ask".utf8) else { return false }
        connection.server.send(Array("answer".utf8))
        return connection.client.receive(timeout: 2000) == Array("answer".utf8)
    }

    @Test("an allow of the pods opens the cluster IP, a policy that does not allow them is not got round through it")
    func policiesHoldThroughTheService() throws {
        let (network, agent) = try Self.started([Self.server], policy: Self.policy(to: "second"))
        let listener = try PodSocket.listener(in: network.namespace("server"), port: 8080)
        #expect(try Self.connect(network, listener) == nil)
        try agent.write("policy.yaml", Self.policy(to: "server"))
        try agent.settle()
        let connection = try #require(try Self.connect(network, listener))
        #expect(Self.talk(connection))
        // A revoked connection is cut, both ways, at its next packet.
        try agent.write("policy.yaml", Self.policy(to: "second"))
        try agent.settle()
        #expect(!Self.talk(connection))
        #expect(try agent.status().services?.mode == "translate")
    }

    @Test("where another component would translate, a denied endpoint closes the cluster IP at the pod's own hook")
    func observedIsDecidedByEndpoints() throws {
        let (network, agent) = try Self.started(
            [Self.server, Self.second], policy: Self.policy(to: "server"), mode: .observe)
        // Nobody translates here: what passes is in the counters alone.
        let verdicts = try agent.monitored(["--json"]) {
            _ = try PodSocket.connect(in: network.namespace("client"), to: Self.address, port: 80, timeout: 200)
        }
        #expect(verdicts.contains(#""isDrop":true"#), "\(verdicts)")
        #expect(verdicts.contains("10.96.0.1"))
        try agent.write("service.yaml", Self.service([Self.server]))
        try agent.settle()
        let after = try agent.monitored(["--json"]) {
            _ = try PodSocket.connect(in: network.namespace("client"), to: Self.address, port: 80, timeout: 200)
        }
        #expect(after.contains(#""isDrop":false"#) && !after.contains(#""isDrop":true"#), "\(after)")
        #expect(after.contains("Service lab/web"))
    }

    @Test("without endpoints a connection is refused at once")
    func refused() throws {
        let (network, _) = try Self.started([])
        let before = ContinuousClock.now
        let socket = try PodSocket.connect(in: network.namespace("client"), to: Self.address, port: 80, timeout: 3000)
        let reason = errno
        #expect(socket == nil)
        #expect(reason == ECONNREFUSED)
        #expect(ContinuousClock.now - before < .seconds(1))
    }

    @Test("connections live on without the agent and with the next one", arguments: [SIGTERM, SIGKILL])
    func restart(signal: Int32) throws {
        let (network, agent) = try Self.started([Self.server], policy: Self.policy(to: "server"))
        let listener = try PodSocket.listener(in: network.namespace("server"), port: 8080)
        let connection = try #require(try Self.connect(network, listener))
        #expect(Self.talk(connection))
        agent.end(signal)
        #expect(Self.talk(connection), "while no agent runs")
        let unattended = try #require(try Self.connect(network, listener))
        #expect(Self.talk(unattended))
        try agent.start(["--services", "translate"])
        #expect(Self.talk(connection))
        #expect(Self.talk(unattended))
        #expect(Self.talk(try #require(try Self.connect(network, listener))))
    }

    @Test("a removed endpoint: connections stay where they are, new ones and datagrams go to what is left")
    func changedEndpoints() throws {
        let (network, agent) = try Self.started([Self.server])
        let first = try PodSocket.listener(in: network.namespace("server"), port: 8080)
        let other = try PodSocket.listener(in: network.namespace("second"), port: 8080)
        let datagrams = try PodSocket.udp(in: network.namespace("server"), port: 5353)
        let otherDatagrams = try PodSocket.udp(in: network.namespace("second"), port: 5353)
        let asking = try PodSocket.udp(in: network.namespace("client"))
        let connection = try #require(try Self.connect(network, first))
        asking.send([1], to: Self.address, port: 53)
        #expect(datagrams.receive(timeout: 2000) == [1])

        try agent.write("service.yaml", Self.service([Self.second]))
        try agent.settle()
        #expect(Self.talk(connection))
        #expect(try Self.connect(network, other) != nil)
        // The same socket, the next datagram.
        asking.send([2], to: Self.address, port: 53)
        #expect(otherDatagrams.receive(timeout: 2000) == [2])
        #expect(datagrams.receive(timeout: 100) == nil)

        // The Service goes and comes back.
        try agent.remove("service.yaml")
        try agent.settle()
        #expect(try PodSocket.connect(in: network.namespace("client"), to: Self.address, port: 80, timeout: 300) == nil)
        try agent.write("service.yaml", Self.service([Self.second]))
        try agent.settle()
        #expect(try Self.connect(network, other) != nil)
    }

    @Test("another version of the datapath carries connections through a Service")
    func upgrade() throws {
        let root = "/tmp/netpold-bpffs-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        defer {
            umount2(root, Int32(MNT_DETACH))
            rmdir(root)
        }
        let second = try SecondVersion(.endpoints)
        let network = try PodNetwork(Self.pods, tag: "service-upgrade")
        func start(_ number: Int, _ object: [UInt8]?) throws {
            var options = DatapathOptions(pins: try PinPath(instance: "load", root: root, version: number))
            options.object = object
            options.services = .translate
            network.restart { [options] in try NodeDatapath(options) }
            try network.apply(Self.service([Self.server]) + "\n---\n" + Self.policy(to: "server"))
        }
        try start(Int(NP_ABI_VERSION), nil)
        let listener = try PodSocket.listener(in: network.namespace("server"), port: 8080)
        let connection = try #require(try Self.connect(network, listener))
        #expect(Self.talk(connection))
        try start(second.number, second.object)
        #expect(Self.talk(connection))
        #expect(Self.talk(try #require(try Self.connect(network, listener))))
    }
}
