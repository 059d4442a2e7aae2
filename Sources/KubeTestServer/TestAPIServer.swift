import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOHTTPCompression
import NIOPosix
import NIOSSL
import PolicyAPI

/// A Kubernetes API server in this process: TLS, HTTP/1.1 and HTTP/2, lists, watches, status patches and Events as a recorded
/// kube-apiserver 1.36 answers them (Tests/KubeRecordings), and faults on request. It has no schemas, controllers or admission.
public final class TestAPIServer: Sendable {
    /// How a server behaves.
    public typealias Settings = ServerSettings

    /// What a test has asked for and cannot have.
    public struct Failure: Error, CustomStringConvertible {
        /// What is wrong.
        public let description: String
    }

    private let control: ServerControl
    private let group: MultiThreadedEventLoopGroup
    private let tls: NIOSSLContext
    private let listener: ListenerBox
    /// The port on 127.0.0.1.
    public let port: Int

    private init(
        _ control: ServerControl, _ group: MultiThreadedEventLoopGroup, _ tls: NIOSSLContext, _ listener: any Channel
    ) {
        self.control = control
        self.group = group
        self.tls = tls
        self.listener = ListenerBox(listener)
        port = listener.localAddress?.port ?? 0
    }

    /// Starts a server on 127.0.0.1; its owner calls `stop`.
    public static func start(_ settings: Settings = Settings()) async throws -> TestAPIServer {
        let control = ServerControl(settings)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: [
                .certificate(try NIOSSLCertificate(bytes: Array(TestCertificates.server.utf8), format: .pem))
            ],
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(TestCertificates.serverKey.utf8), format: .pem)))
        configuration.applicationProtocols = settings.protocols
        configuration.certificateVerification = .optionalVerification
        configuration.minimumTLSVersion = .tlsv12
        let tls = try NIOSSLContext(configuration: configuration)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let listener = try await bind(control, group, tls, port: settings.port)
            return TestAPIServer(control, group, tls, listener)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    /// Ends the server and its connections.
    public func stop() async {
        if let channel = listener.take() { try? await channel.close() }
        cutConnections()
        try? await group.shutdownGracefully()
    }

    private static func bind(
        _ control: ServerControl, _ group: MultiThreadedEventLoopGroup, _ tls: NIOSSLContext, port: Int
    ) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try prepare(channel, control, tls) }
                    .flatMap { connection in
                        channel.configureCommonHTTPServerPipeline(
                            h2ConnectionChannelConfigurator: { channel in
                                connection.isHTTP2 = true
                                return channel.eventLoop.makeSucceededVoidFuture()
                            },
                            { channel in
                                channel.eventLoop.makeCompletedFuture {
                                    let pipeline = channel.pipeline.syncOperations
                                    // It reads no more while an answer is under way: that a client of a watch goes would not be
                                    // seen.
                                    if let assistant = try? pipeline.handler(type: HTTPServerPipelineHandler.self) {
                                        pipeline.removeHandler(assistant, promise: nil)
                                    }
                                    try pipeline.addHandlers(compressor(), APIHandler(control, connection))
                                }
                            })
                    }
            }
            .bind(host: "127.0.0.1", port: port).get()
    }

    /// Puts TLS into a connection, and notes who the client is.
    private static func prepare(
        _ channel: any Channel, _ control: ServerControl, _ tls: NIOSSLContext
    ) throws -> Connection {
        let connection = Connection(channel)
        control.add(connection)
        channel.closeFuture.whenComplete { _ in control.remove(connection) }
        try channel.pipeline.syncOperations.addHandlers(
            CutHandler(),
            NIOSSLServerHandler(
                context: tls,
                customVerificationCallback: { certificates, promise in
                    // Whoever the client is, the handshake succeeds: a certificate of an unknown CA is answered by HTTP 401.
                    connection.certificate = certificates.first.map { name(of: $0) }
                    promise.succeed(.certificateVerified)
                }))
        return connection
    }

    /// The user of a certificate: of those that this module has made, as no other can be of its CA.
    private static func name(of certificate: NIOSSLCertificate) -> APIRequest.ClientCertificate {
        for (text, name) in [(TestCertificates.admin, "kube-admin"), (TestCertificates.node, "system:node:node-a")] {
            let known = try? NIOSSLCertificate(bytes: Array(text.utf8), format: .pem)
            if known == certificate { return .user(name) }
        }
        return .unknown
    }

    private static func compressor() -> HTTPResponseCompressor {
        HTTPResponseCompressor { head, _ in
            let isLong = head.headers.contains(name: APIHandler.compressionMark)
            head.headers.remove(name: APIHandler.compressionMark)
            return isLong ? .compressIfPossible : .doNotCompress
        }
    }

    // MARK: - For clients

    /// `https://127.0.0.1:PORT`.
    public var url: String { "https://127.0.0.1:\(port)" }

    /// How a client of a kubeconfig says who it is.
    public enum Credential: Sendable {
        /// A bearer token.
        case token(String)
        /// A file that holds one.
        case tokenFile(String)
        /// The certificate of `kube-admin`.
        case adminCertificate
        /// The certificate of `system:node:node-a`.
        case nodeCertificate
        /// A certificate of an unknown CA.
        case strangerCertificate
    }

    /// A kubeconfig for this server.
    public func kubeconfig(_ credential: Credential = .token("admin-token")) -> String {
        let user =
            switch credential {
            case .token(let token): "token: \(token)"
            case .tokenFile(let path): "tokenFile: \(path)"
            case .adminCertificate: TestAPIServer.pair(TestCertificates.admin, TestCertificates.adminKey)
            case .nodeCertificate: TestAPIServer.pair(TestCertificates.node, TestCertificates.nodeKey)
            case .strangerCertificate: TestAPIServer.pair(TestCertificates.stranger, TestCertificates.strangerKey)
            }
        return """
            apiVersion: v1
            kind: Config
            current-context: test
            clusters:
            - name: test
              cluster:
                server: \(url)
                certificate-authority-data: \(Base64.encode(Array(TestCertificates.authority.utf8)))
            users:
            - name: test
              user:
                \(user)
            contexts:
            - name: test
              context: {cluster: test, user: test}

            """
    }

    private static func pair(_ certificate: String, _ key: String) -> String {
        "client-certificate-data: \(Base64.encode(Array(certificate.utf8)))\n    "
            + "client-key-data: \(Base64.encode(Array(key.utf8)))"
    }

    // MARK: - Objects

    /// Creates or replaces the objects of a manifest (YAML or JSON), status included.
    public func apply(_ manifest: String) throws(Failure) {
        let output = DocumentReader.read(Array(manifest.utf8), file: "manifest.yaml")
        if let problem = output.diagnostics.first { throw Failure(description: problem.message) }
        for document in output.documents {
            let value = JSONValue(document)
            for object in value["kind"]?.text?.hasSuffix("List") == true ? value["items"]?.elements ?? [] : [value] {
                try put(object, inherited: value)
            }
        }
    }

    private func put(_ object: JSONValue, inherited: JSONValue) throws(Failure) {
        var kind = object["kind"]?.text ?? inherited["kind"]?.text ?? ""
        if kind.hasSuffix("List") { kind = String(kind.dropLast(4)) }
        let version = object["apiVersion"]?.text ?? inherited["apiVersion"]?.text ?? ""
        let known = control.store.with { state in
            state.tables.values.map(\.resource).first { $0.kind == kind && $0.apiVersion == version }
        }
        guard let known else { throw Failure(description: "no resource of kind \(kind), apiVersion \(version)") }
        guard let name = object["metadata"]?["name"]?.text else { throw Failure(description: "\(kind) without a name") }
        control.store.with { state in
            var value = object
            var metadata = object["metadata"] ?? .object([])
            if known.isNamespaced, metadata["namespace"] == nil { metadata["namespace"] = "default" }
            let key = StoredObject.Key(namespace: metadata["namespace"]?.text ?? "", name: name)
            let old = state.object(known, key)
            let before = old?.value["metadata"]
            metadata["uid"] = metadata["uid"] ?? before?["uid"] ?? .string(state.nextUID())
            metadata["creationTimestamp"] =
                metadata["creationTimestamp"] ?? before?["creationTimestamp"] ?? .string(ServerClock.now)
            if kind == "Namespace" {
                var labels = metadata["labels"] ?? .object([])
                labels["kubernetes.io/metadata.name"] = .string(name)
                metadata["labels"] = labels
            }
            if metadata["generation"] == nil, known.hasGeneration {
                var generation = 1
                if case .number(let text)? = before?["generation"], let number = Int(text) {
                    generation = old?.value["spec"] == value["spec"] ? number : number + 1
                }
                metadata["generation"] = .integer(generation)
            }
            value["metadata"] = metadata
            let managers = old?.managers ?? []
            _ = state.put(value, known, managers: managers)
        }
    }

    /// Deletes an object; whether there was one.
    @discardableResult
    public func delete(_ resource: APIResource, namespace: String = "", name: String) -> Bool {
        control.store.with { state in
            (try? state.delete(resource, StoredObject.Key(namespace: namespace, name: name))) != nil
        }
    }

    /// Adds an object of a built-in kind whose JSON is made elsewhere, for big clusters: `rest` is everything after its kind
    /// and apiVersion, from `"metadata"` to the last brace; the resourceVersion is what `rest` is told.
    public func add(
        _ resource: APIResource, namespace: String, name: String, labels: [String: String], nodeName: String,
        rest: (_ version: Int) -> [UInt8]
    ) {
        control.store.with { state in
            state.add(resource) {
                StoredObject(
                    resource, namespace: namespace, name: name, labels: labels, nodeName: nodeName, rest: rest($0),
                    version: $0)
            }
        }
    }

    /// The JSON of an object; `nil` when there is none.
    public func object(_ resource: APIResource, namespace: String = "", name: String) -> String? {
        control.store.with { state in
            state.object(resource, StoredObject.Key(namespace: namespace, name: name))
        }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// The JSON of all objects of a resource.
    public func objects(_ resource: APIResource) -> [String] {
        control.store.with { state in
            state.tables[ClusterState.ResourceID(resource)]?.objects.values.sorted { $0.key < $1.key } ?? []
        }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// A resource of the settings by its name in paths.
    public func resource(_ name: String) throws(Failure) -> APIResource {
        let known = control.store.with { state in
            // Of several groups that have it the core group's.
            state.tables.values.map(\.resource).filter { $0.name == name }.min { $0.group < $1.group }
        }
        guard let known else { throw Failure(description: "no resource \(name)") }
        return known
    }

    /// The resourceVersion of the last change.
    public var version: Int { control.store.with { $0.version } }

    /// Open watches.
    public var watchCount: Int { control.store.with { $0.watchCount } }

    /// The requests so far, the last 5,000 at least: `GET /api/v1/pods?limit=500`.
    public var requests: [String] { control.state.withLock { $0.requests } }

    // MARK: - Custom resources

    /// Makes a CustomResourceDefinition: its path is 429 for a moment, then served.
    public func install(_ resource: APIResource) {
        control.store.with { state in
            state.setPhase(.initializing, of: resource)
            state.forget(resource)
        }
        after(control.settings.initializingTime) { control in
            control.store.with { $0.setPhase(.served, of: resource) }
        }
    }

    /// A CustomResourceDefinition that answers 429 is served from now on, whatever the settings say.
    public func serve(_ resource: APIResource) { control.store.with { $0.setPhase(.served, of: resource) } }

    /// Changes the schema of a CustomResourceDefinition: its watches end cleanly a second later; then 429 for a moment, and
    /// watches from before are too old.
    public func changeSchema(of resource: APIResource) {
        let initializing = control.settings.initializingTime
        after(control.settings.schemaDelay) { control in
            control.store.with { state in
                state.setPhase(.initializing, of: resource)
                state.endWatches { $0 == resource }
                state.forget(resource)
            }
        }
        after(control.settings.schemaDelay + initializing) { control in
            control.store.with { $0.setPhase(.served, of: resource) }
        }
    }

    /// Removes a CustomResourceDefinition: DELETED for each object, lists that are empty for a moment, a clean end of watches, 404.
    public func remove(_ resource: APIResource) {
        control.store.with { $0.clear(resource) }
        after(control.settings.schemaDelay) { control in
            control.store.with { state in
                state.setPhase(.absent, of: resource)
                state.endWatches { $0 == resource }
            }
        }
    }

    private func after(_ time: TimeAmount, _ body: @escaping @Sendable (ServerControl) -> Void) {
        let control = control
        group.any().scheduleTask(in: time) { body(control) }
    }

    // MARK: - What goes wrong

    /// Requests from now on meet the fault. Of several that fit, the first is met.
    public func inject(_ fault: Fault) { control.state.withLock { $0.faults.append(fault) } }

    /// Removes all faults.
    public func clearFaults() { control.state.withLock { $0.faults = [] } }

    /// Nothing more is sent on any connection, or everything goes on.
    public func setSilent(_ isSilent: Bool) {
        control.state.withLock { $0.isSilent = isSilent }
        if !isSilent { for connection in control.connections { connection.resume() } }
    }

    /// Closes every connection as kill -9 of the server does: no last chunk, no TLS close_notify.
    public func cutConnections() { for connection in control.connections { connection.cut() } }

    /// Ends open watches cleanly, as the server does with slow readers; of one resource, or all.
    public func endWatches(_ resource: APIResource? = nil) {
        control.store.with { $0.endWatches { resource == nil || $0 == resource } }
    }

    /// Sends bytes to the open watches of a resource, or all: whatever a test wants a client to meet.
    public func sendRaw(_ text: String, to resource: APIResource? = nil) {
        control.store.with { $0.inject([Array(text.utf8)], into: resource) }
    }

    /// GOAWAY on every HTTP/2 connection; open streams go on.
    public func goAway() { for connection in control.connections { connection.goAway() } }

    /// New connections are refused.
    public func stopAccepting() async { if let channel = listener.take() { try? await channel.close() } }

    /// New connections are accepted again, on the same port.
    public func startAccepting() async throws {
        listener.put(try await TestAPIServer.bind(control, group, tls, port: port))
    }

    /// What a restart of the server does to versions: watches from before are too old. With `compacts` continue tokens and lists of
    /// old versions expire as well.
    public func forgetHistory(compacts: Bool = false) { control.store.with { $0.restart(compacts: compacts) } }

    /// Restores the objects and the version of a moment that the history still has: versions go back, as after a restore of etcd.
    /// Open watches end as by kill -9.
    public func restore(to version: Int) {
        control.store.with { $0.restore(to: version) }
        cutConnections()
    }

    /// While it starts, everything but the core kinds is 503.
    public func setStarting(_ isStarting: Bool) { control.state.withLock { $0.identities.isStarting = isStarting } }

    /// Changes who has a token; `nil` makes it unknown. Open watches live on.
    public func setToken(_ token: String, _ user: APIUser?) {
        control.state.withLock { $0.identities.tokens[token] = user }
    }
}
