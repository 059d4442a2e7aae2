/// A kind of objects that the server keeps: where it is found and how it is written.
public struct APIResource: Hashable, Sendable {
    /// The API group, empty for the core one.
    public var group: String
    /// The version, for example `v1`.
    public var version: String
    /// The plural name in paths.
    public var name: String
    /// The kind.
    public var kind: String
    /// Whether its objects live in namespaces.
    public var isNamespaced: Bool
    /// Whether it comes from a CustomResourceDefinition: keys sorted, kind in list items, may be absent.
    public var isCustom: Bool
    /// The fields of `status` that patches of the status subresource may set; `nil` for a resource without that subresource.
    /// Empty: all.
    public var statusFields: Set<String>?
    /// What the bookmarks of a built-in kind carry after their metadata.
    var bookmarkTail: String

    /// A custom resource.
    public static func custom(
        group: String, version: String, name: String, kind: String, isNamespaced: Bool = true,
        statusFields: Set<String>? = nil
    ) -> APIResource {
        APIResource(
            group: group, version: version, name: name, kind: kind, isNamespaced: isNamespaced, isCustom: true,
            statusFields: statusFields, bookmarkTail: "")
    }

    private static func builtIn(
        _ group: String, _ version: String, _ name: String, _ kind: String, isNamespaced: Bool = true,
        statusFields: Set<String>? = nil, tail: String = ""
    ) -> APIResource {
        APIResource(
            group: group, version: version, name: name, kind: kind, isNamespaced: isNamespaced, isCustom: false,
            statusFields: statusFields, bookmarkTail: tail)
    }

    /// What every server has. Only the tail of Pods is recorded; the others follow from the Go types.
    public static let builtIns = [
        builtIn(
            "", "v1", "namespaces", "Namespace", isNamespaced: false, statusFields: [],
            tail: #","spec":{},"status":{}"#),
        builtIn(
            "", "v1", "nodes", "Node", isNamespaced: false, statusFields: [],
            tail: #","spec":{},"status":{"daemonEndpoints":{"kubeletEndpoint":{"Port":0}}}"#),
        builtIn("", "v1", "pods", "Pod", statusFields: [], tail: #","spec":{"containers":null},"status":{}"#),
        builtIn(
            "", "v1", "services", "Service", statusFields: [], tail: #","spec":{},"status":{"loadBalancer":{}}"#),
        builtIn("", "v1", "events", "Event"),
        builtIn("events.k8s.io", "v1", "events", "Event"),
        builtIn(
            "discovery.k8s.io", "v1", "endpointslices", "EndpointSlice",
            tail: #","addressType":"","endpoints":null,"ports":null"#),
        builtIn(
            "networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", tail: #","spec":{"podSelector":{}}"#),
        builtIn("coordination.k8s.io", "v1", "leases", "Lease", tail: #","spec":{}"#),
    ]

    /// What Cilium and the network policy API bring as CustomResourceDefinitions.
    public static let policyCRDs = [
        custom(
            group: "cilium.io", version: "v2", name: "ciliumnetworkpolicies", kind: "CiliumNetworkPolicy",
            statusFields: ["conditions", "derivativePolicies"]),
        custom(
            group: "cilium.io", version: "v2", name: "ciliumclusterwidenetworkpolicies",
            kind: "CiliumClusterwideNetworkPolicy", isNamespaced: false,
            statusFields: ["conditions", "derivativePolicies"]),
        custom(
            group: "cilium.io", version: "v2", name: "ciliumcidrgroups", kind: "CiliumCIDRGroup", isNamespaced: false),
        custom(
            group: "policy.networking.k8s.io", version: "v1alpha2", name: "clusternetworkpolicies",
            kind: "ClusterNetworkPolicy", isNamespaced: false, statusFields: ["conditions"]),
        custom(
            group: "policy.networking.k8s.io", version: "v1alpha1", name: "adminnetworkpolicies",
            kind: "AdminNetworkPolicy", isNamespaced: false, statusFields: ["conditions"]),
        custom(
            group: "policy.networking.k8s.io", version: "v1alpha1", name: "baselineadminnetworkpolicies",
            kind: "BaselineAdminNetworkPolicy", isNamespaced: false, statusFields: ["conditions"]),
    ]

    /// `v1`, `cilium.io/v2`.
    public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    /// `pods`, `ciliumnetworkpolicies.cilium.io`: as messages name it.
    var qualifiedName: String { group.isEmpty ? name : "\(name).\(group)" }

    /// The path of its list over all namespaces.
    public var path: String { group.isEmpty ? "/api/\(version)/\(name)" : "/apis/\(group)/\(version)/\(name)" }
}

extension APIResource {
    /// Whether the server counts changes of the specification in `metadata.generation`.
    var hasGeneration: Bool { !["events", "leases", "namespaces", "nodes", "services"].contains(name) }
}
