import PolicyAPI

/// The objects that a Cilium policy refers to: when one of them changes, the policy is lowered again.
struct CiliumReferences: Sendable {
    /// Of `toServices`.
    private var services: [ServiceReference] = []
    /// Whether a deny names the API server, or the cluster, which it belongs to.
    private var deniesAPIServer = false
    /// Of `cidrGroupRef`.
    private var groups: Set<String> = []
    /// Of `cidrGroupSelector`.
    private var groupSelectors: [LabelSelector] = []

    init(_ policy: CiliumPolicy) {
        deniesAPIServer = policy.rules.contains { rule in
            (rule.ingressDeny + rule.egressDeny).contains { $0.apiServerMember != nil || $0.hasCluster }
        }
        for rule in policy.rules {
            for elements in [rule.ingress, rule.ingressDeny, rule.egress, rule.egressDeny] {
                for element in elements {
                    services += element.services.value ?? []
                    for entry in element.cidrSet.value ?? [] {
                        switch entry.source {
                        case .prefix: break
                        case .group(let name): groups.insert(name)
                        case .groups(let selector): groupSelectors.append(selector)
                        }
                    }
                }
            }
        }
    }

    /// Whether the policy refers to nothing.
    var isEmpty: Bool { services.isEmpty && groups.isEmpty && groupSelectors.isEmpty && !deniesAPIServer }

    /// Whether the policy means a service.
    func mean(_ service: Service) -> Bool { services.contains { ServiceDirectory.means($0, service) } }

    /// Whether the policy means what an endpoint slice says of these services.
    func mean(_ slice: EndpointSlice, of services: [Service]) -> Bool {
        services.contains(where: mean) || (deniesAPIServer && ServiceDirectory.isOfAPIServer(slice))
    }

    /// Whether the policy means a group.
    func mean(_ group: CIDRGroup) -> Bool {
        groups.contains(group.metadata.name) || groupSelectors.contains { CIDRGroupDirectory.matches($0, group) }
    }
}

extension CiliumElement {
    /// By which member it names the API server, `Entities` or `Endpoints`: as the entity, or by its reserved label. `nil`: by none.
    var apiServerMember: String? {
        if entities.value?.contains(.kubeAPIServer) == true { return "Entities" }
        let key = ReservedIdentity.kubeAPIServer.labelKey
        let isLabel = (endpoints.value ?? []).contains { selector in
            selector.requirements.contains { $0.source == "reserved" && $0.key == key }
        }
        return isLabel ? "Endpoints" : nil
    }

    /// Whether it names the entity cluster.
    var hasCluster: Bool { entities.value?.contains(.cluster) == true }

    /// Why it is not known whom the element denies for the API server's sake, and by which of its members.
    func doubtAboutAPIServer(_ services: ServiceDirectory) -> (member: String, (what: String, hint: String))? {
        // "kube-apiserver: the addresses of the endpoints of default/kubernetes".
        if let member = apiServerMember, let doubt = services.doubtAboutAPIServer { return (member, doubt) }
        // "cluster: also an external API server". Manifests without its slice say nothing of one.
        if hasCluster, let doubt = services.doubtAboutAPIServerSlices { return ("Entities", doubt) }
        return nil
    }
}
