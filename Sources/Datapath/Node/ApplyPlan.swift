import BPFEmit
import CNetpoldABI
import Glibc
import SystemPackage

/// What an apply is going to do, worked out before anything is touched.
struct ApplyPlan {
    /// A pod to be programmed.
    struct Endpoint {
        let key: EndpointKey
        let image: EndpointImage
        /// Its interfaces, by number; none when nothing is attached.
        let links: [UInt32]
        let slot: UInt32
        /// The slot's value now, when the slot is this pod's already.
        let present: np_endpoint?
    }

    let image: NodeImage
    let tables: TableChange
    let sources: SourceChange
    let retiring: RetiringIdentities
    /// Sorted by key.
    let endpoints: [Endpoint]
    let withoutInterface: [EndpointKey]
    /// Hooks that stay or come.
    let hooks: [Hook: EndpointKey]
    /// Place of each subject in np_policies.
    let subjectSlots: [String: UInt32]
    /// Of each subject.
    let stateNeeds: [String: StateNeeds]
    /// By subject: the numbering of its columns of names, and those that it has.
    let columns: [String: (names: UInt32, columns: [PolicyBits.Column])]
    /// The subjects whose DNS exchanges are read.
    let readers: Set<String>

    /// Endpoint slots that are cleared at the end.
    let surplusSlots: Set<UInt32>

    /// A pod and its interfaces.
    private typealias Wanted = (key: EndpointKey, image: EndpointImage, links: [UInt32])

    init(
        _ image: NodeImage, links: [EndpointKey: [UInt32]], masters: [UInt32: [UInt32]], for node: NodeDatapath
    ) throws(BPFError) {
        self.image = image
        self.tables = TableChange(from: node.tables ?? TablesInForce(node.addresses, node.prefixes), to: image)
        self.retiring = RetiringIdentities(to: image, by: tables)
        let attaches = node.attachments.style != .none
        // Where nothing is attached, packets come from nowhere.
        var sending = image
        if !attaches { sending.endpoints.removeAll { links[$0.key]?.isEmpty ?? true } }
        self.sources = SourceChange(from: node.sources, to: sending, links: links, masters: masters)
        var wanted: [Wanted] = []
        var missing: [EndpointKey] = []
        for endpoint in image.endpoints {
            let own = (links[endpoint.key] ?? []).filter { $0 != 0 }.sorted()
            // The node's pods ask its policies without an uplink too.
            if own.isEmpty, attaches, !endpoint.key.isHost {
                missing.append(endpoint.key)
            } else {
                wanted.append((endpoint.key, endpoint, own))
            }
        }
        wanted.sort { $0.key < $1.key }
        self.withoutInterface = missing.sorted()
        try Self.check(image, tables, sources, wanted, node)
        self.endpoints = try Self.assignSlots(wanted, node)
        var hooks: [Hook: EndpointKey] = [:]
        for endpoint in endpoints where attaches {
            for hook in endpoint.links.flatMap(Hook.both(of:)) { hooks[hook] = endpoint.key }
        }
        self.hooks = hooks
        let kept = Set(endpoints.map(\.slot))
        self.surplusSlots = Set(node.endpoints.values.map(\.slot)).union(node.adopted.keys).subtracting(kept)
        self.subjectSlots = try Self.assignSubjects(image, endpoints, node)
        self.stateNeeds = Dictionary(image.subjects.map { ($0.key, $0.stateNeeds) }) { first, _ in first }
        self.columns = Dictionary(image.subjects.map { ($0.key, ($0.names, $0.egress.columns)) }) { first, _ in first }
        self.readers = Set(image.subjects.filter { $0.egress.bits.contains(where: \.isDNS) }.map(\.key))
    }

    /// Whether what the new policies of a pod allow needs flow entries.
    func stateNeeds(of endpoint: Endpoint) -> StateNeeds {
        // Every endpoint's subject is in the image, which `check` has seen to.
        let needs = stateNeeds[endpoint.image.subject] ?? StateNeeds(ingress: .always, egress: .always)
        // What the node lets in for others, and they answer, passes in the node's name.
        guard endpoint.key.isHost else { return needs }
        let all = [needs, stateNeeds[CompilerState.formerHostSubjectKey]].compactMap(\.self)
        let isIdle = all.allSatisfy { $0.ingress == .never && $0.egress == .never }
        return !isIdle ? StateNeeds(ingress: .always, egress: .always) : needs
    }

    /// The numbering of a pod's columns.
    func names(of endpoint: Endpoint) -> UInt32 { columns[endpoint.image.subject]?.names ?? 0 }

    /// Whether a pod's DNS exchanges are read.
    func reads(_ endpoint: Endpoint) -> Bool { readers.contains(endpoint.image.subject) }

    /// Refuses what could only be done in part. The maps' limits hold for the moment in which old and new entries are
    /// there together.
    private static func check(
        _ image: NodeImage, _ tables: TableChange, _ sources: SourceChange, _ wanted: [Wanted], _ node: NodeDatapath
    ) throws(BPFError) {
        let addresses = node.addresses.count + tables.addressUpserts.count { node.addresses[$0.address] == nil }
        let prefixes = node.prefixes.count + tables.prefixUpserts.count { node.prefixes[$0.prefix] == nil }
        let senders = node.sources.count + sources.upserts.count { node.sources[$0.address] == nil }
        for (map, count) in [
            (node.maps.addresses, addresses), (node.maps.prefixes, prefixes), (node.maps.sources, senders),
        ]
        where count > map.shape.capacity {
            throw BPFError(
                .allocate, map.name, errno: .argListTooLong,
                detail: "\(count) entries are needed, it holds \(map.shape.capacity)"
            )
        }
        let subjects = Set(image.subjects.map(\.key))
        var interfaces: [UInt32: EndpointKey] = [:]
        for endpoint in wanted {
            guard subjects.contains(endpoint.image.subject) else {
                throw BPFError(
                    .allocate, "\(endpoint.key)", errno: .invalidArgument, detail: "its subject is not in the image")
            }
            guard endpoint.image.addresses.count <= Int(NP_ENDPOINT_ADDRESSES) else {
                throw BPFError(
                    .allocate, "\(endpoint.key)", errno: .argListTooLong,
                    detail: "\(endpoint.image.addresses.count) addresses; a pod has at most one a family")
            }
            for ifindex in endpoint.links {
                guard let other = interfaces.updateValue(endpoint.key, forKey: ifindex) else { continue }
                throw BPFError(
                    .allocate, "\(endpoint.key)", errno: .fileExists,
                    detail: "interface \(ifindex) is \(other)'s as well")
            }
        }
    }

    /// Pods keep their slots; one that an earlier process programmed is known by its first interface and its addresses.
    private static func assignSlots(
        _ wanted: [Wanted], _ node: NodeDatapath
    ) throws(BPFError) -> [Endpoint] {
        let adopted = Dictionary(node.adopted.map { ($0.value.ifindex, $0.key) }) { first, _ in first }
        // A pinned map may be larger than this version's.
        let capacity = min(UInt32(NP_MAX_ENDPOINTS), UInt32(node.maps.endpoints.shape.capacity))
        var free = (0..<capacity).makeIterator()
        let taken = Set(node.endpoints.values.map(\.slot)).union(node.adopted.keys).union(node.heldSlots)
        var result: [Endpoint] = []
        for (key, image, links) in wanted {
            if let known = node.endpoints[key] {
                result.append(
                    Endpoint(key: key, image: image, links: links, slot: known.slot, present: known.value))
                continue
            }
            if let slot = links.lazy.compactMap({ adopted[$0] }).first, let value = node.adopted[slot],
                Set(value.addresses) == Set(image.addresses)
            {
                result.append(Endpoint(key: key, image: image, links: links, slot: slot, present: value))
                continue
            }
            var slot = free.next()
            while let candidate = slot, taken.contains(candidate) { slot = free.next() }
            guard let slot else {
                throw BPFError(
                    .allocate, "np_endpoints", errno: .noSpace,
                    detail: "no slot for \(key); it holds \(NP_MAX_ENDPOINTS)"
                )
            }
            result.append(Endpoint(key: key, image: image, links: links, slot: slot, present: nil))
        }
        return result
    }

    /// Subjects keep their place. After a restart a subject takes the place that its pods' programs were in, if all of
    /// them and no others were there: their slots then need not change.
    private static func assignSubjects(
        _ image: NodeImage, _ endpoints: [Endpoint], _ node: NodeDatapath
    ) throws(BPFError) -> [String: UInt32] {
        var users: [UInt32: Set<String>] = [:]
        for endpoint in endpoints {
            guard let present = endpoint.present, present.policy.0 % 2 == 0, present.policy.1 == present.policy.0 + 1
            else { continue }
            users[present.policy.0 / 2, default: []].insert(endpoint.image.subject)
        }
        var inherited: [String: UInt32] = [:]
        for (slot, subjects) in users.sorted(by: { $0.key < $1.key }) where subjects.count == 1 {
            for subject in subjects where inherited[subject] == nil { inherited[subject] = slot }
        }
        var taken = Set(node.subjects.values.map(\.slot)).union(node.strayPolicies.map { $0 / 2 }).union(users.keys)
        var slots: [String: UInt32] = [:]
        var next: UInt32 = 0
        for subject in image.subjects {
            if let known = node.subjects[subject.key] {
                slots[subject.key] = known.slot
                continue
            }
            if let slot = inherited[subject.key], !node.subjects.values.contains(where: { $0.slot == slot }) {
                slots[subject.key] = slot
                continue
            }
            while taken.contains(next) { next += 1 }
            guard 2 * next + 1 < UInt32(NP_MAX_POLICY_SLOTS) else {
                throw BPFError(
                    .allocate, "np_policies", errno: .noSpace,
                    detail: "no place for \(subject.key); it holds \(NP_MAX_POLICY_SLOTS) programs")
            }
            taken.insert(next)
            slots[subject.key] = next
        }
        return slots
    }
}
