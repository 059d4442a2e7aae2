import CNetpoldABI
import NetTypes

/// What a map of the datapath costs: its sizes and the kernel memory to expect.
///
/// The kernel's own sizes (6.1 to 6.18, 64 bit): a hash element is 48 bytes before key and value, a bucket 16, and there are as
/// many buckets as the capacity rounded up to a power of two; an LPM node is 40 bytes before its prefix, and half of the nodes
/// only branch.
struct MapFootprint {
    /// The map's name.
    var name: String
    /// The subject whose it is; `nil`: the node's.
    var subject: String?
    /// Entries in use.
    var entries: Int
    /// Entries it can hold; `nil`: made to measure.
    var capacity: Int?
    /// Bytes.
    var keySize: Int
    /// Bytes.
    var valueSize: Int
    /// Kernel memory in bytes, with the entries in use.
    var memory: Int

    /// A hash map; elements are allocated one by one.
    static func hash(_ name: String, entries: Int, capacity: Int?, key: Int, value: Int) -> MapFootprint {
        let element = 48 + rounded(key) + rounded(value)
        return MapFootprint(
            name: name, entries: entries, capacity: capacity, keySize: key, valueSize: value,
            memory: entries * element + powerOfTwo(max(capacity ?? entries, 1)) * 16)
    }

    /// A longest-prefix-match map.
    static func prefixes(_ name: String, entries: Int, capacity: Int, key: Int, value: Int) -> MapFootprint {
        // A trie of n leaves has at most n - 1 nodes that only branch.
        MapFootprint(
            name: name, entries: entries, capacity: capacity, keySize: key, valueSize: value,
            memory: max(2 * entries - 1, 0) * allocated(40 + key - 4 + value))
    }

    /// An array, or a preallocated hash with `overhead` bytes an entry: its memory does not depend on use.
    static func fixed(
        _ name: String, entries: Int, capacity: Int, key: Int, value: Int, overhead: Int = 0
    ) -> MapFootprint {
        MapFootprint(
            name: name, entries: entries, capacity: capacity, keySize: key, valueSize: value,
            memory: capacity * (rounded(value) + (overhead == 0 ? 0 : overhead + rounded(key))))
    }

    private static func rounded(_ bytes: Int) -> Int { (bytes + 7) / 8 * 8 }

    private static func powerOfTwo(_ number: Int) -> Int {
        number <= 1 ? 1 : 1 << (Int.bitWidth - (number - 1).leadingZeroBitCount)
    }

    /// What the allocator hands out for a request: its size classes below 256 bytes.
    private static func allocated(_ bytes: Int) -> Int {
        [8, 16, 32, 64, 96, 128, 192, 256].first { $0 >= bytes } ?? powerOfTwo(bytes)
    }
}

/// What is made of a whole image to see how much it takes: once for a dump.
struct DumpedTables {
    /// The tables of names.
    let names: NameTables
    /// Entries of np_name_rules.
    let nameRules: Int
    /// The tables of Services.
    let services: ServiceTables

    /// The tables of an image.
    init(_ image: NodeImage) {
        names = image.names
        nameRules = image.nameRuleCount(names)
        var services = ServiceTables()
        if !image.services.isEmpty { _ = services.change(to: image.services, now: 0) }
        self.services = services
    }
}

extension NodeImage {
    /// The maps that the image fills, and those whose size is fixed.
    func footprints(_ tables: DumpedTables) -> [MapFootprint] {
        let address = MemoryLayout<np_address>.size
        let sources = Set(endpoints.flatMap(\.addresses)).count
        let hits: Int = subjects.reduce(0) { $0 + $1.ingress.hitCount + $1.egress.hitCount }
        var maps: [MapFootprint] = [
            MapFootprint.hash(
                "np_addresses", entries: addresses.count, capacity: Int(NP_MAX_ADDRESSES), key: address, value: 4),
            .hash(
                "np_sources", entries: sources, capacity: Int(NP_MAX_SOURCES),
                key: address, value: MemoryLayout<np_source>.size),
            .prefixes(
                "np_prefixes", entries: prefixes.count, capacity: Int(NP_MAX_PREFIXES),
                key: MemoryLayout<np_prefix_key>.size, value: 4),
            .fixed(
                "np_endpoints", entries: endpoints.count, capacity: Int(NP_MAX_ENDPOINTS), key: 4,
                value: MemoryLayout<np_endpoint>.size),
            .fixed(
                "np_policies", entries: 2 * subjects.count, capacity: Int(NP_MAX_POLICY_SLOTS), key: 4, value: 8),
            .fixed("np_rule_hits (a CPU)", entries: hits, capacity: Int(NP_MAX_RULE_HITS), key: 4, value: 8),
            .fixed(
                "np_flow_sets", entries: 0, capacity: Int(NP_MAX_FLOW_SETS), key: 4,
                value: MemoryLayout<np_flow_set>.size),
            .fixed(
                "np_fragments", entries: 0, capacity: Int(NP_MAX_FRAGMENTS), key: MemoryLayout<np_fragment_key>.size,
                value: MemoryLayout<np_fragment>.size, overhead: 64),
        ]
        if !services.isEmpty { maps += NodeImage.serviceFootprints(tables) }
        if subjects.contains(where: { $0.ingress.asksMore || $0.egress.asksMore }) {
            maps += NodeImage.nameFootprints(tables)
        }
        for subject in subjects {
            for direction in Direction.allCases where subject[direction].words > 0 {
                let image = subject[direction]
                let name = "peers \(direction)"
                let value = PeersLayout.valueBytes(words: image.words)
                var map: MapFootprint =
                    switch PeersLayout(image) {
                    case .hash:
                        .hash(name, entries: image.peers.count, capacity: nil, key: PeersLayout.keyBytes, value: value)
                    case .array(let capacity):
                        .fixed(
                            name, entries: image.peers.count, capacity: capacity, key: PeersLayout.keyBytes,
                            value: value)
                    }
                map.subject = subject.key
                maps.append(map)
            }
        }
        return maps
    }
}

extension NodeImage {
    /// The kernel memory, in bytes, of the maps that `footprints` leaves out: those of flows, events and connections, and the tables of
    /// names and Services where these policies use none. Every node has them. Of maps with a part for each CPU one part, and not what
    /// is made as flows come; maps of less than a page are left out.
    static func otherMemory(_ footprints: [MapFootprint], _ tables: DumpedTables) -> Int {
        let shown = Set(footprints.map(\.name))
        return (flowFootprints + nameFootprints(tables) + serviceFootprints(tables))
            .filter { !shown.contains($0.name) }.reduce(0) { $0 + $1.memory }
    }

    /// The maps that no policy fills.
    private static let flowFootprints: [MapFootprint] = {
        let flows = Int(NP_MAX_FLOW_SETS) * Int(NP_FLOW_WAYS)
        let endpoints = Int(NP_MAX_ENDPOINTS)
        return [
            array("np_transits", Int(NP_TRANSIT_SETS), MemoryLayout<np_flow_set>.size),
            array("np_paths", Int(NP_PATH_SETS), MemoryLayout<np_path_set>.size),
            array("np_path_ends", endpoints, MemoryLayout<np_path_end>.size),
            array("np_flow_moves", endpoints, 4),
            array("np_policy_changes", endpoints, 4),
            array("np_flow_shares", endpoints, MemoryLayout<np_flow_share>.size),
            array("np_refusals", endpoints, MemoryLayout<np_refusal_budget>.size),
            array("np_drop_budget", endpoints, MemoryLayout<np_event_budget>.size),
            array("np_learnt_shares", endpoints + 1, MemoryLayout<np_learnt_share>.size),
            array("np_ipv4_identities", Int(NP_IPV4_BUCKETS), MemoryLayout<np_ipv4_bucket>.size),
            array("np_recent_flows", Int(NP_RECENT_FLOWS), MemoryLayout<np_recent_flow>.size),
            array("np_events", 1, Int(NP_EVENT_RING_BYTES)), array("np_name_events", 1, Int(NP_NAME_RING_BYTES)),
            .fixed(
                "np_affinities", entries: 0, capacity: Int(NP_MAX_AFFINITIES), key: MemoryLayout<np_affinity_key>.size,
                value: MemoryLayout<np_affinity>.size, overhead: 64),
            buckets("np_hellos", flows), buckets("np_hello_copies", endpoints * Int(NP_HELLO_COPIES)),
            buckets("np_proxied", flows),
        ]
    }()

    private static func array(_ name: String, _ capacity: Int, _ value: Int) -> MapFootprint {
        .fixed(name, entries: 0, capacity: capacity, key: 4, value: value)
    }

    /// A hash map of which only the buckets are there from the start.
    private static func buckets(_ name: String, _ capacity: Int) -> MapFootprint {
        .hash(name, entries: 0, capacity: capacity, key: 0, value: 0)
    }

    /// The maps of names.
    private static func nameFootprints(_ tables: DumpedTables) -> [MapFootprint] {
        [
            .fixed(
                "np_names", entries: tables.names.automaton.stateCount, capacity: 2 * Int(NP_MAX_NAME_STATES), key: 4,
                value: MemoryLayout<np_name_state>.size),
            .hash(
                "np_name_rules", entries: tables.nameRules, capacity: Int(NP_MAX_NAME_RULES),
                key: MemoryLayout<np_name_rule_key>.size, value: MemoryLayout<np_name_rule>.size),
            .fixed(
                "np_learnt", entries: 0, capacity: Int(NP_MAX_LEARNT), key: MemoryLayout<np_learnt_key>.size,
                value: MemoryLayout<np_learnt>.size, overhead: 64),
            .fixed(
                "np_pending", entries: 0, capacity: Int(NP_MAX_ENDPOINTS * NP_PENDING_SETS), key: 4,
                value: MemoryLayout<np_pending_set>.size),
        ]
    }

    /// The maps of Services, where they are translated.
    private static func serviceFootprints(_ tables: DumpedTables) -> [MapFootprint] {
        let tables = tables.services
        let key = MemoryLayout<np_service_key>.size
        return [
            .hash(
                "np_services", entries: tables.entries.count, capacity: Int(NP_MAX_SERVICES), key: key,
                value: MemoryLayout<np_service>.size),
            .fixed("np_maglev", entries: tables.maglevUsed, capacity: Int(NP_MAX_MAGLEV), key: 4, value: 4),
            .fixed(
                "np_backends", entries: tables.usedSlots.count, capacity: Int(NP_MAX_BACKENDS), key: 4,
                value: MemoryLayout<np_backend>.size),
            .hash(
                "np_backend_ends", entries: tables.knownEnds.count, capacity: Int(NP_MAX_BACKENDS), key: key, value: 4),
        ]
    }
}
