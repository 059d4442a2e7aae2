import BPFEmit
import NetTypes
import PolicyAPI

/// The bindings of one moment as values for others. Pure.
struct Publication {
    private(set) var view = BindingView()
    /// Pods that are compiled as something else than their object, by the name they are compiled under.
    private(set) var overlay: [String: Pod] = [:]

    /// Names that bound pods are compiled under.
    private var taken: Set<String> = []
    /// Addresses that objects of pods bound here still tell and that are theirs no more, by the objects' names.
    private var superseded: [String: [IPAddress]] = [:]
    private let table: BindingTable
    private let names: [UInt64: String]

    /// The interfaces of one pod, by number.
    private typealias Bound = [(binding: Binding, pod: Pod)]

    init(of table: BindingTable, _ evidence: HostEvidence) {
        self.table = table
        names = Dictionary(evidence.namespaces.map { ($0.inode, $0.name) }) { first, _ in first }
        let bindings = table.bindings.values.sorted { $0.link.ifindex < $1.link.ifindex }
        var byPod: [EndpointKey: Bound] = [:]
        for binding in bindings {
            guard let pod = binding.pod else { continue }
            let key = EndpointKey(
                namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid)
            byPod[key, default: []].append((binding, pod))
        }
        for bound in byPod.values { supersede(bound) }
        for (_, bound) in byPod.sorted(by: { $0.key < $1.key }) { add(bound) }
        view.endpoints.sort { $0.key < $1.key }
        view.stubs = bindings.compactMap { binding in binding.stub.map { stub(binding, $0) } }
        view.waiting = table.waiting
        let mounted = Set(evidence.namespaces.filter(\.isMounted).map(\.inode))
        let reading = ClaimReading(table, evidence)
        for group in reading.groups {
            let isPod = reading.best(for: group).claim != .silent
            for link in group.links where table.bindings[link.ifindex] == nil {
                let isMounted = link.namespace.map(mounted.contains) ?? false
                view.foreign.append(
                    BindingView.Foreign(link: link, netns: netns(of: link), isMounted: isMounted, isPod: isPod))
            }
        }
        view.foreign.sort { $0.link.ifindex < $1.link.ifindex }
        view.conditions = ConditionReading(table, evidence, view).conditions
    }

    // MARK: pods

    private mutating func add(_ bound: Bound) {
        guard let (lowest, pod) = bound.first else { return }
        let object = table.object(of: pod)
        var base = pod
        base.addresses =
            base.addresses.isEmpty
            ? Publication.firstAddresses(bound) : Publication.newAddresses(bound) ?? base.addresses
        // More than the kernel side holds would keep the whole image from being applied.
        let perFamily = base.addresses.onePerFamily
        if base.addresses.count > perFamily.count { base.addresses = perFamily }
        // What runs here runs here, whatever its object says.
        if !table.isLocal(base) { base.nodeName = table.settings.node }
        let isCurrent = lowest.standing == .current
        if !isCurrent { base.addresses.removeAll { isClaimed($0, besides: object) } }
        name(&base, by: base.metadata.uid, or: lowest.link)

        let apart = bound.map(\.binding).filter { binding in
            !binding.noted.isEmpty && !base.addresses.isEmpty && Set(binding.noted).isDisjoint(with: base.addresses)
        }
        // Where nothing is noted of a first network, this is it: its addresses are the object's.
        let second = apart.count < bound.count ? Set(apart.map(\.link.ifindex)) : []
        let first = bound.map(\.binding).filter { !second.contains($0.link.ifindex) }
        add(base, first, object: object, isCurrent: isCurrent)
        for binding in apart where second.contains(binding.link.ifindex) {
            var second = base
            let network = binding.interface.isEmpty ? binding.link.name : binding.interface
            second.metadata.name += "@\(network)"
            name(&second, by: "", or: binding.link)
            second.addresses = binding.noted.filter { !isClaimed($0, besides: object) }
            add(second, [binding], object: nil, isCurrent: isCurrent)
        }
    }

    private mutating func add(_ pod: Pod, _ bindings: [Binding], object: Pod?, isCurrent: Bool) {
        if pod != object { overlay[pod.qualifiedName] = pod }
        guard let rank = bindings.map(\.rank).max() else { return }
        let netns = Set(bindings.map { self.netns(of: $0.link) }).sorted().joined(separator: ", ")
        view.endpoints.append(
            BindingView.Endpoint(
                pod: pod, links: bindings.map(\.link), netns: netns, rank: rank, isCurrent: isCurrent))
    }

    /// Gives a pod another name if another pod has it: an object, or one whose object is gone.
    private mutating func name(_ pod: inout Pod, by uid: String, or link: HostLink) {
        let isFree = { [taken, table] (pod: Pod) in
            !taken.contains(pod.qualifiedName) && table.directory[pod.qualifiedName]?.isSame(as: pod) != false
        }
        if !isFree(pod), !uid.isEmpty { pod.metadata.name += "@\(uid)" }
        if !isFree(pod) { pod.metadata.name += "@\(link.ifindex)" }
        taken.insert(pod.qualifiedName)
    }

    /// The addresses of a pod whose object has none yet: those noted for its first interface.
    private static func firstAddresses(_ bound: Bound) -> [IPAddress] {
        let noted = bound.map(\.binding).filter { !$0.noted.isEmpty }
        return (noted.first { $0.interface == Binding.firstInterface } ?? noted.first)?.noted ?? []
    }

    /// The addresses that the runtime noted for the first network of a pod, where its object tells others: those of a sandbox before, as
    /// an object follows the runtime. `nil` where an interface has one of those that the object tells.
    private static func newAddresses(_ bound: Bound) -> [IPAddress]? {
        guard let told = bound.first?.pod.addresses, !told.isEmpty,
            bound.allSatisfy({ Set($0.binding.noted).isDisjoint(with: told) })
        else { return nil }
        return bound.last { $0.binding.isFirst }?.binding.noted
    }

    private mutating func supersede(_ bound: Bound) {
        guard let pod = bound.first?.pod, let object = table.object(of: pod), Publication.newAddresses(bound) != nil
        else { return }
        superseded[object.qualifiedName] = pod.addresses
    }

    /// Whether a live pod claims an address: then it is his, and no longer that of a pod whose object is gone.
    private func isClaimed(_ address: IPAddress, besides object: Pod?) -> Bool {
        table.directory.owners(of: address).contains { name in
            name != object?.qualifiedName && superseded[name]?.contains(address) != true
        }
    }

    // MARK: others

    private func stub(_ binding: Binding, _ stub: Binding.Stub) -> BindingView.Stub {
        let netns = netns(of: binding.link)
        return BindingView.Stub(
            key: EndpointKey(namespace: DenyStub.namespace, name: "\(netns):\(binding.link.ifindex)"),
            addresses: binding.behind.filter { !isClaimed($0, besides: nil) }, link: binding.link, netns: netns,
            reference: stub.reference, isPod: stub.reason != .foreign, rank: binding.rank)
    }

    private func netns(of link: HostLink) -> String { link.namespace.flatMap { names[$0] } ?? link.name }
}

extension BindingTable {
    /// Local pods that own addresses and are bound to no interface, by name.
    var waiting: [Pod] {
        let bound = Set(bindings.values.compactMap(\.pod).compactMap { object(of: $0)?.qualifiedName })
        var names = directory.names(onNode: settings.node)
        if settings.source == .folder { names.formUnion(directory.names(onNode: "")) }
        return names.subtracting(bound).sorted().compactMap { directory[$0] }.filter(\.ownsAddresses)
    }
}
