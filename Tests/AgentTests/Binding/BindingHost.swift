import BPFEmit
import NetTypes
import PolicyAPI

@testable import Agent

/// A host as the tests of the binding see it: namespaces with interfaces, notes of the runtime, routes; and a table that looks
/// at it.
struct BindingHost {
    static let identity = HostIdentity(bootID: "boot-1", namespace: 4_026_531_840)

    var evidence = HostEvidence(host: BindingHost.identity)
    var table: BindingTable

    init(
        _ source: BindingTable.Source = .apiServer, node: String = "node-1", unknown: UnknownNamespaces? = nil,
        pods: [Pod] = []
    ) {
        table = BindingTable(.init(node: node, source: source, unknown: unknown, patience: 3))
        _ = table.replace(pods: pods)
        _ = table.sync()
    }

    // MARK: the host

    /// A veth into a namespace, which is made if it is not there; `inside` is what the namespace shows on it.
    mutating func veth(
        _ ifindex: UInt32, into inode: UInt64?, named name: String = "eth0", inside addresses: String...
    ) {
        evidence.links.append(
            HostLink(
                ifindex: ifindex, name: "veth\(ifindex)", mac: "0a:00:00:00:00:\(ifindex)", kind: "veth", peerIndex: 2,
                namespace: inode))
        guard let inode else { return }
        let number = namespace(inode)
        evidence.namespaces[number].interfaces.append(
            .init(
                name: name, index: UInt32(2 + evidence.namespaces[number].interfaces.count), kind: "veth",
                reach: .node(ifindex: ifindex), addresses: addresses.map(Fixtures.address)))
    }

    /// A namespace's place in the evidence; made if it is not there.
    @discardableResult
    mutating func namespace(_ inode: UInt64, mounted: Bool = true) -> Int {
        if let known = evidence.namespaces.firstIndex(where: { $0.inode == inode }) { return known }
        evidence.namespaces.append(
            NamespaceEvidence(
                inode: inode, path: "/run/netns/ns\(inode)", name: "ns\(inode)", isMounted: mounted))
        return evidence.namespaces.count - 1
    }

    /// What a namespace shows on its interfaces, as its pod likes to have it.
    mutating func shows(_ inode: UInt64, _ addresses: String...) {
        let number = namespace(inode)
        for interface in evidence.namespaces[number].interfaces.indices {
            evidence.namespaces[number].interfaces[interface].addresses = addresses.map(Fixtures.address)
        }
    }

    mutating func cgroup(_ inode: UInt64, _ uids: String...) { evidence.namespaces[namespace(inode)].podUIDs = uids }

    mutating func route(_ address: String, over ifindex: UInt32) {
        evidence.routes.append(HostRoute(address: Fixtures.address(address), ifindex: ifindex))
    }

    mutating func note(
        _ name: String, uid: String = "", in inode: UInt64?, interface: String = "eth0", host: String? = nil,
        _ addresses: String...
    ) {
        evidence.attachments.append(
            CNIAttachment(
                source: .libcni, file: "/var/lib/cni/results/net-\(name)-\(interface)", interface: interface,
                pod: name.isEmpty ? PodReference() : PodReference(namespace: "shop", name: name, uid: uid),
                netns: inode.map { "/run/netns/ns\($0)" } ?? "/run/netns/gone", namespace: inode,
                hostInterfaces: host.map { [.init(name: $0, mac: "")] } ?? [],
                addresses: addresses.map(Fixtures.address)))
    }

    /// The interface and what the kernel keeps of it is gone.
    mutating func removeLink(_ ifindex: UInt32) {
        evidence.links.removeAll { $0.ifindex == ifindex }
        for number in evidence.namespaces.indices {
            evidence.namespaces[number].interfaces.removeAll { $0.reach == .node(ifindex: ifindex) }
        }
        evidence.routes.removeAll { $0.ifindex == ifindex }
    }

    // MARK: the table

    @discardableResult
    mutating func look() -> BindingChange { table.observe(evidence) }

    /// Another agent that starts with what this one wrote down.
    mutating func restart(
        with records: BindingRecords?, pinned: [UInt32: [IPAddress]] = [:], pods: [Pod],
        _ settings: BindingTable.Settings? = nil
    ) {
        table = BindingTable(settings ?? table.settings, records: records, pinned: pinned)
        _ = table.replace(pods: pods)
        _ = table.sync()
        look()
    }

    /// By interface, the name that the enforced pod is compiled under.
    var bound: [UInt32: String] {
        var found: [UInt32: String] = [:]
        for endpoint in table.view.endpoints {
            for link in endpoint.links { found[link.ifindex] = endpoint.pod.qualifiedName }
        }
        return found
    }

    /// The addresses that an enforced pod may send from.
    func addresses(of name: String) -> [String] {
        table.view.endpoints.first { $0.pod.qualifiedName == name }?.pod.addresses.map(\.description) ?? []
    }

    var stubs: [UInt32] { table.view.stubs.map(\.link.ifindex) }
    var foreign: [UInt32] { table.view.foreign.map(\.link.ifindex) }
    var severe: [Condition.Kind] { table.view.conditions.filter(\.isSevere).map(\.kind) }
    var mild: [Condition.Kind] { table.view.conditions.filter { !$0.isSevere }.map(\.kind) }
    func message(_ kind: Condition.Kind) -> String {
        table.view.conditions.first { $0.kind == kind }?.message ?? ""
    }
}
