public import BPFEmit
import NetTypes
import PolicyAPI

/// The bindings of one life of the host as they are kept for the agent's next start: without them a pod whose object is gone,
/// or that has changed its own addresses, could not be told from a stranger.
public struct BindingRecords: Hashable, Codable, Sendable {
    /// The form of this version.
    public static let currentVersion = 1
    /// More bytes than a file of them has: 4,096 interfaces with 4 KiB each.
    public static let fileLimit = 16 << 20

    /// The form.
    public var version = BindingRecords.currentVersion
    /// Where the interface numbers are valid.
    public var host: HostIdentity
    var bindings: [Entry]
    /// The namespaces of those pods, by name; an earlier form has none.
    var namespaces: [String: NamespaceRecord]?
    /// The labels of the node that were in force; an earlier form has none.
    var nodeLabels: [String: String]?

    /// One binding.
    struct Entry: Hashable, Codable, Sendable {
        var ifindex: UInt32
        var name: String
        var mac: String
        var rank: EvidenceRank
        var noted: [String]
        /// Whether those are of the pod's first network; an earlier form does not say.
        var isFirst: Bool?
        var behind: [String]
        var interface: String
        /// One of both.
        var pod: PodRecord?
        var stub: StubRecord?
    }

    /// What policies see of a namespace.
    struct NamespaceRecord: Hashable, Codable, Sendable {
        var labels: [String: String]
        /// Whether policies of it are in force that were deleted.
        var keepsPolicies: Bool
        /// Its policies in force, sorted: one that the next agent does not find went with the namespace, if that is being deleted. An
        /// earlier form has none.
        var policies: [String]?
    }

    /// What policies see of a pod.
    struct PodRecord: Hashable, Codable, Sendable {
        var namespace: String
        var name: String
        var uid: String
        /// The other UIDs that the runtime may know it by.
        var staticUID: String
        var labels: [String: String]
        var nodeName: String
        var serviceAccount: String
        var ports: [Port]
        var addresses: [String]

        struct Port: Hashable, Codable, Sendable {
            var name: String
            var `protocol`: UInt8
            var port: UInt16
        }
    }

    struct StubRecord: Hashable, Codable, Sendable {
        var reason: Binding.Stub.Reason
        var reference: PodReference
    }
}

extension BindingRecords.Entry {
    init(_ binding: Binding) {
        ifindex = binding.link.ifindex
        name = binding.link.name
        mac = binding.link.mac
        rank = binding.rank
        noted = binding.noted.map(\.description)
        isFirst = binding.isFirst
        behind = binding.behind.map(\.description)
        interface = binding.interface
        pod = binding.pod.map(BindingRecords.PodRecord.init)
        stub = binding.stub.map { BindingRecords.StubRecord(reason: $0.reason, reference: $0.reference) }
    }

    /// The binding, if this link is the interface it was made for.
    func binding(of link: HostLink) -> Binding? {
        var recorded = link
        recorded.name = name
        recorded.mac = mac
        guard link.ifindex == ifindex, link.isSame(as: recorded) else { return nil }
        let target: Binding.Target
        switch (pod, stub) {
        case (let pod?, nil): target = .pod(pod.pod)
        case (nil, let stub?): target = .stub(.init(reason: stub.reason, reference: stub.reference))
        case (nil, nil), (_?, _?): return nil
        }
        return Binding(
            link: link, rank: rank, target: target, noted: noted.compactMap(IPAddress.init(parsing:)),
            isFirst: isFirst ?? false, behind: behind.compactMap(IPAddress.init(parsing:)), interface: interface)
    }
}

extension BindingRecords.PodRecord {
    private static let staticUIDKey = "kubernetes.io/config.mirror"

    init(_ pod: Pod) {
        namespace = pod.metadata.namespace
        name = pod.metadata.name
        uid = pod.metadata.uid
        staticUID = pod.staticUIDs.min() ?? ""
        labels = pod.metadata.labels
        nodeName = pod.nodeName
        serviceAccount = pod.serviceAccount
        ports = pod.ports.map { Port(name: $0.name, protocol: $0.protocol.rawValue, port: $0.port) }
        addresses = pod.addresses.map(\.description)
    }

    var pod: Pod {
        Pod(
            metadata: ObjectMeta(
                name: name, namespace: namespace, labels: labels,
                annotations: staticUID.isEmpty ? [:] : [Self.staticUIDKey: staticUID], uid: uid),
            nodeName: nodeName, serviceAccount: serviceAccount,
            ports: ports.map {
                ContainerPort(name: $0.name, protocol: L4Protocol(rawValue: $0.protocol), port: $0.port)
            }, addresses: addresses.compactMap(IPAddress.init(parsing:)))
    }
}
