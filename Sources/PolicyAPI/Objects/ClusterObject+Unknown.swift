/// Objects that policies refer to by what they say, and of which that is not known: they were refused, or are defined several times and not
/// the same.
extension ClusterObject {
    /// Whether policies that refer to the object are to know that they do not know what it says.
    public var isUnknown: Bool {
        switch self {
        case .service(let service): service.isUnknown
        case .endpointSlice(let slice): slice.isUnknown
        case .cidrGroup(let group): group.isUnknown
        case .namespace, .pod, .node, .networkPolicy, .clusterPolicy, .ciliumPolicy: false
        }
    }

    /// An object of which nothing but its key is known; `nil` where policies refer to no objects of the kind.
    public init?(unknown key: Key) {
        self.init(unknown: ObjectMeta(name: key.name, namespace: key.namespace), kind: key.kind)
    }

    /// The object as one that is not known any more, because it is defined elsewhere too; `nil` where policies refer to no objects of the
    /// kind. Nodes go on with what a Service and its EndpointSlices say of where its packets go, whichever definition is meant: policies
    /// see the pods behind it.
    public var unknown: ClusterObject? {
        switch self {
        case .service(var service):
            service.isUnknown = true
            return .service(service)
        case .endpointSlice(var slice):
            slice.isUnknown = true
            return .endpointSlice(slice)
        case .cidrGroup(let group):
            return .cidrGroup(group.isUnknown ? group : CIDRGroup(unknown: ObjectMeta(name: group.metadata.name)))
        case .namespace, .pod, .node, .networkPolicy, .clusterPolicy, .ciliumPolicy: return nil
        }
    }

    /// What is known of an object by several definitions of it under one key: labels, and the Service of an EndpointSlice, where all of them
    /// say the same. `nil` of none.
    public static func unknown(_ definitions: [ClusterObject]) -> ClusterObject? {
        let all = definitions.compactMap(\.unknown)
        // One that says where packets go comes before one of which only the metadata was read.
        guard let first = all.first(where: \.hasContents) ?? all.first else { return nil }
        let agree = all.allSatisfy { $0.metadata.labels == first.metadata.labels }
        switch first {
        case .service(var service):
            if !agree { service.metadata.labels = [:] }
            return .service(service)
        case .endpointSlice(var slice):
            let isOfOne = all.allSatisfy {
                if case .endpointSlice(let other) = $0 { other.serviceName == slice.serviceName } else { false }
            }
            if !isOfOne { slice.serviceName = "" }
            return .endpointSlice(slice)
        case .cidrGroup(var group):
            if !agree { group.metadata = ObjectMeta(name: group.metadata.name) }
            return .cidrGroup(group)
        case .namespace, .pod, .node, .networkPolicy, .clusterPolicy, .ciliumPolicy: return nil
        }
    }

    /// An object of which the metadata alone is known; `nil` where policies refer to no objects of the kind.
    init?(unknown metadata: ObjectMeta, kind: String) {
        switch kind {
        case "Service": self = .service(Service(unknown: metadata))
        case "EndpointSlice": self = .endpointSlice(EndpointSlice(unknown: metadata))
        case "CiliumCIDRGroup": self = .cidrGroup(CIDRGroup(unknown: metadata))
        default: return nil
        }
    }

    private var hasContents: Bool {
        switch self {
        case .service(let service): !service.selector.isEmpty || !service.ports.isEmpty || !service.clusterIPs.isEmpty
        case .endpointSlice(let slice): !slice.endpoints.isEmpty
        case .cidrGroup, .namespace, .pod, .node, .networkPolicy, .clusterPolicy, .ciliumPolicy: false
        }
    }
}

extension ClusterObjects {
    /// Takes out the objects of which it is not known what they say.
    package mutating func takeUnknown() -> [ClusterObject] {
        let found =
            services.filter(\.isUnknown).map(ClusterObject.service)
            + endpointSlices.filter(\.isUnknown).map(ClusterObject.endpointSlice)
            + cidrGroups.filter(\.isUnknown).map(ClusterObject.cidrGroup)
        guard !found.isEmpty else { return [] }
        services.removeAll(where: \.isUnknown)
        endpointSlices.removeAll(where: \.isUnknown)
        cidrGroups.removeAll(where: \.isUnknown)
        return found
    }

    /// Adds objects of which it is not known what they say; each takes the place of a definition of it that is.
    mutating func add(unknown definitions: [ClusterObject]) {
        guard !definitions.isEmpty else { return }
        let byKey = Dictionary(grouping: definitions, by: \.key)
        var known: [ClusterObject.Key: [ClusterObject]] = [:]
        func take<Object>(_ objects: inout [Object], _ convert: (Object) -> ClusterObject) {
            objects.removeAll { object in
                let object = convert(object)
                guard byKey[object.key] != nil else { return false }
                known[object.key, default: []].append(object)
                return true
            }
        }
        take(&services, ClusterObject.service)
        take(&endpointSlices, ClusterObject.endpointSlice)
        take(&cidrGroups, ClusterObject.cidrGroup)
        for (key, unknown) in byKey.sorted(by: { $0.key < $1.key }) {
            if let object = ClusterObject.unknown((known[key] ?? []) + unknown) { append(object) }
        }
    }
}
