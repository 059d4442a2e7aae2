/// Decodes objects that an API server sends as JSON, one at a time: of lists, of which built-in items name no kind, and of watches.
///
/// Its result is that of `ManifestDecoder`, without locations, and without annotations that nobody reads. The kinds of which there
/// are many (Pod, Namespace, Node, Service, EndpointSlice) are read in one pass that makes nothing of what policies cannot see;
/// equal strings, and labels and ports of pods, are shared between the objects of one decoder. Whatever that pass does not find plain is read again by the exact
/// path, which decides and finds the words.
public struct WireDecoder: Sendable {
    private let kind: KnownKind?
    private let kindName: String
    private let apiVersion: String
    private let mask: WireMask?
    private let file: String
    private var strings = WireStrings()
    private var labels = WireValues<[String: String]>()
    private var ports = WireValues<[ContainerPort]>()
    /// How many objects the exact path has read.
    public private(set) var exactCount = 0

    /// A decoder of objects that are of this kind where they do not say otherwise. `source` stands for a file in messages.
    public init(kind: String, apiVersion: String, source: String = "API server") {
        let known = KnownKind(rawValue: kind).flatMap { $0.apiVersions.contains(apiVersion) ? $0 : nil }
        self.kind = known
        kindName = kind
        self.apiVersion = apiVersion
        mask = known.flatMap { WireMask.of($0) }
        file = source
    }

    /// Decodes one object, which must be all of the bytes.
    public mutating func decode(_ bytes: some Collection<UInt8>) -> WireObject {
        let found = bytes.withContiguousStorageIfAvailable { decode(UnsafeRawBufferPointer($0)) }
        return found ?? Array(bytes).withUnsafeBytes { decode($0) }
    }

    /// Decodes one object, which must be all of the bytes.
    public mutating func decode(_ bytes: UnsafeRawBufferPointer) -> WireObject {
        if let plain = plain(bytes) { return plain }
        exactCount += 1
        return exact(Array(bytes))
    }

    // MARK: - The plain way

    /// The object, if nothing about it needs a second look.
    private mutating func plain(_ bytes: UnsafeRawBufferPointer) -> WireObject? {
        guard let kind, let mask else { return nil }
        let document: DocumentNode
        do throws(WireScanner.NotPlain) {
            var scanner = try WireScanner(bytes)
            document = try scanner.read(mask, &strings)
        } catch {
            return nil
        }
        guard document.members != nil, WireDecoder.says(document["kind"], kindName),
            WireDecoder.says(document["apiVersion"], apiVersion)
        else { return nil }
        var diagnostics = DiagnosticCollector()
        let object: ClusterObject
        switch kind {
        case .pod:
            var pod = Pod.decode(document, &diagnostics)
            pod.metadata.location = nil
            pod.metadata.labels = labels.sharing(pod.metadata.labels)
            pod.ports = ports.sharing(pod.ports)
            object = .pod(pod)
        case .namespace:
            var namespace = Namespace.decode(document, &diagnostics)
            namespace.metadata.location = nil
            object = .namespace(namespace)
        case .node:
            var node = Node.decode(document, &diagnostics)
            node.metadata.location = nil
            object = .node(node)
        case .service:
            var service = Service.decode(document, &diagnostics)
            service.metadata.location = nil
            object = .service(service)
        case .endpointSlice:
            var slice = EndpointSlice.decode(document, &diagnostics)
            slice.metadata.location = nil
            for index in slice.endpoints.indices { slice.endpoints[index].location = nil }
            object = .endpointSlice(slice)
        case .deployment, .statefulSet, .daemonSet, .replicaSet, .replicationController, .job, .cronJob,
            .networkPolicy, .clusterNetworkPolicy, .adminNetworkPolicy, .baselineAdminNetworkPolicy,
            .ciliumNetworkPolicy, .ciliumClusterwideNetworkPolicy, .ciliumCIDRGroup:
            return nil
        }
        guard diagnostics.errorCount == 0, diagnostics.collected.isEmpty else { return nil }
        return WireObject(document, object: object)
    }

    /// Whether a kind or apiVersion is the expected one, or absent as in lists.
    private static func says(_ node: DocumentNode?, _ expected: String) -> Bool {
        guard let node, !node.isNull else { return true }
        return node.string == expected
    }

    // MARK: - The exact way

    private func exact(_ bytes: [UInt8]) -> WireObject {
        // The name makes the reader take JSON and nothing else.
        let output = DocumentReader.read(bytes, file: file + ".json")
        guard let document = output.documents.first, output.documents.count == 1, document.members != nil,
            !output.diagnostics.contains(where: { $0.id == .syntax || $0.id == .limit })
        else {
            var object = WireObject(output.documents.first)
            object.isMalformed = true
            object.diagnostics = output.diagnostics
            if object.diagnostics.isEmpty {
                object.diagnostics = [
                    Diagnostic(
                        id: .notAnObject, location: SourceLocation.whole(file), message: "the answer is not one object",
                        hint: "look at the API server")
                ]
            }
            return object
        }
        var decoder = ManifestDecoder()
        decoder.add(document, inherited: (apiVersion, kindName))
        let decoded = decoder.finish()
        var object = WireObject(document)
        object.diagnostics = output.diagnostics + decoded.diagnostics
        object.refusals = decoded.refused
        object.object = decoded.objects.only?.withoutLocation
        return object
    }
}

extension ClusterObjects {
    /// The object, if it is the only one.
    fileprivate var only: ClusterObject? {
        let all = each
        return all.count == 1 ? all.first : nil
    }
}

extension ClusterObject {
    /// The object without its place in the bytes. Policies keep theirs: their rules are told apart by it in messages.
    fileprivate var withoutLocation: ClusterObject {
        switch self {
        case .pod(var object):
            object.metadata.location = nil
            return .pod(object)
        case .namespace(var object):
            object.metadata.location = nil
            return .namespace(object)
        case .node(var object):
            object.metadata.location = nil
            return .node(object)
        case .service(var object):
            object.metadata.location = nil
            return .service(object)
        case .endpointSlice(var object):
            object.metadata.location = nil
            for index in object.endpoints.indices { object.endpoints[index].location = nil }
            return .endpointSlice(object)
        case .cidrGroup, .networkPolicy, .clusterPolicy, .ciliumPolicy: return self
        }
    }
}
