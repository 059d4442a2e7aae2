public import BPFEmit
import CNetpoldABI
public import NetTypes
import Support

/// One node's datapath: what the kernel holds, and the way from there to another image.
///
/// Everything that enforces lives in the kernel, pinned; this object mirrors it. Killing the process changes nothing for
/// packets, and the next one adopts what it finds. Not thread-safe: one task at a time.
public final class NodeDatapath {
    let options: DatapathOptions
    let maps: DatapathMaps
    let attachments: Attachments
    let hits: RuleHits
    /// The way to the L7 proxy, while it is open.
    var proxyWay: ProxyWay?
    /// By slot, the flow state that a pod needs but for flows that the proxy carries.
    var heldNeeds: [UInt32: StateNeeds] = [:]
    /// Servers of flows that the proxy carries could not be asked again.
    var owesServers = false
    /// By slot, the hellos that the latest walk over the flows has found left.
    var leftHellos: [UInt32: LeftHello] = [:]
    private let lock: FileLock?
    /// The maps that are pinned, each under its name.
    let pinnedMaps: [BPFMap]
    /// What is still to be taken over from other versions.
    var carriages: [Carriage] = []
    /// Other versions of this instance that were found at the start, to be taken over by the first apply.
    public let otherVersions: [OtherVersionReport]

    // What the kernel holds.
    var addresses: [IPAddress: UInt32]
    /// The same of IPv4 addresses, as programs look first.
    let ipv4: IPv4Identities
    /// The last image's addresses as it has them and with the marks of pods of other nodes.
    var elsewhere = ElsewhereMarks()
    var prefixes: [IPPrefix: UInt32]
    /// Both as the image has them whose entries they are; `nil` when they are no image's.
    var tables: TablesInForce?
    /// The tables of Services; `nil` while nobody knows what the kernel has.
    var services: ServicesInForce?
    /// By address of a local pod, the interfaces by which its packets come in.
    var sources: [IPAddress: [UInt32]]
    /// The tables of names; `nil` in an object without them.
    let names: NamesInForce?
    /// Asked before programs are swapped, with the L7 rules of all that run or are about to, and after, without those that are gone.
    /// Whoever reads the rules must know them when it returns. Also when, with such rules, local pods come or go: with the addresses that
    /// are one pod's, all the time that they are.
    public var onRules: (([ProgramRules], [IPAddress: EndpointKey]) -> Void)?
    /// The bases of the programs that the tables of names are settled for; `nil` while they are not.
    var settledNames: Set<UInt32>?
    /// The programs that it was asked with last.
    var toldRules: [UInt32: [RuleBit]] = [:]
    /// The addresses that it was asked with last.
    var toldAddresses: [IPAddress: EndpointKey] = [:]
    /// The addresses of the local pods of the image in force; of an apply under way those that stay or come.
    var podAddresses: [IPAddress: EndpointKey] = [:]
    /// Pods that have got columns in this apply.
    var refilled: Set<EndpointKey> = []
    /// Looks up what pods have learnt so far, by pod. Called when pods get columns, twice an apply at most, whoever has how much to tell:
    /// policies are waiting to be put into force.
    public var history: (() -> (EndpointKey) -> [LearntName])?
    var subjects: [String: LoadedSubject] = [:]
    var endpoints: [EndpointKey: LoadedEndpoint] = [:]
    /// Policies that no slot of np_policies holds any more. They may still be running until the next wait.
    var outOfUse: [LoadedPolicy] = []
    /// Endpoints an earlier process left, by slot, until an apply claims or clears them.
    var adopted: [UInt32: np_endpoint]
    /// By slot, places of addresses that the pod has no more: flows that are known by them are not those of its new ones.
    var formerAddresses: [UInt32: Set<UInt8>] = [:]
    /// The part of the flow table that each endpoint has.
    var regions: EndpointRegions
    /// Sets of the region that each pod has in another version's table: its flows come over into one that is no smaller.
    var carriedSets: [IPAddress: Int] = [:]
    /// Slots of pods that are gone, which hooks of interfaces that are not may still name.
    var heldSlots: Set<UInt32> = []
    /// Hooks that may run the entry program of another pod than theirs.
    var unmoved: Set<Hook> = []
    /// Places of np_policies that are occupied by nobody's known program.
    var strayPolicies: Set<UInt32>
    /// The highest revision any endpoint ever had. Never handed out twice, so an entry of a pod that is gone is never
    /// taken for one of its successor at the same address.
    var revision: UInt32
    /// Something changed and the flows have not been revalidated since: the next apply revalidates them.
    var mustRevalidate: Bool
    /// How long the parts of the latest apply took.
    public internal(set) var timings = ApplyTimings()
    /// The uplinks of the node that have programs, by number.
    var uplinks: Set<UInt32> = []
    /// The latest look at the node's rules about forwarded packets.
    var lastScan: (time: ContinuousClock.Instant, scan: ForwardingScan)?
    /// A walk over the flow table that is not over yet.
    var collection: FlowCollection?
    /// Loaded when it is first needed.
    var clock: KernelClock?
    /// What of other versions' state the agent starts from.
    let inherited: InheritedState

    /// Loads the datapath, adopting what is pinned.
    ///
    /// What another version pinned is taken over by the first apply; until then it goes on deciding as before.
    ///
    /// - Throws: `EWOULDBLOCK` when another process uses the instance, of whatever version; `EEXIST` when maps of this version
    ///   have another shape than this version's.
    public init(_ options: DatapathOptions) throws(BPFError) {
        self.options = options
        let folders: InstanceFolders? = if let pins = options.pins { try InstanceFolders(pins, options) } else { nil }
        let others = folders?.others ?? []
        self.lock = folders?.lock
        let maps = try DatapathMaps(options)
        self.maps = maps
        let pinned: Set<String> = if let pins = options.pins { Set(try Libbpf.names(in: pins.folder)) } else { [] }
        self.pinnedMaps = maps.all.filter { pinned.contains($0.name) }
        let names: NamesInForce? = if let names = maps.names { try NamesInForce(names) } else { nil }
        names?.hasProxy = options.proxy != nil
        self.names = names
        self.hits = RuleHits(map: maps.ruleHits, keeping: names?.programs ?? [])
        let addresses = try maps.readAddresses()
        self.addresses = addresses
        self.ipv4 = try IPv4Identities(maps.ipv4Identities, holding: addresses)
        self.prefixes = try maps.readPrefixes()
        self.sources = try maps.readSources()
        let slots = try maps.endpoints.entries(key: UInt32(0), value: np_endpoint())
        var revision = max(slots.map(\.value.revision).max() ?? 0, try maps.readHost().former_revision)
        // Flows may be in maps that are shared, stamped by the other version.
        for other in others { revision = max(revision, try other.highestRevision()) }
        self.revision = revision
        var adopted = Dictionary(slots.filter(\.value.isReady).map { ($0.key, $0.value) }) { first, _ in first }
        self.regions = try NodeDatapath.adoptRegions(&adopted, maps)
        self.adopted = adopted
        self.strayPolicies = try maps.readOccupiedPolicies()
        self.mustRevalidate = !adopted.isEmpty || !others.isEmpty
        self.carriages = others.map { Carriage(from: $0, to: maps) }
        for other in others {
            for (endpoint, regions) in try other.regions() {
                let sets = regions.map { Int($0.sets) }.max() ?? 0
                for address in endpoint.addresses { carriedSets[address] = max(carriedSets[address] ?? 0, sets) }
            }
        }
        var inherited = InheritedState()
        for other in others { try inherited.add(other) }
        self.inherited = inherited
        self.otherVersions = others.map(OtherVersionReport.init)
        self.attachments = try Attachments(style: options.attachment, pins: options.pins)
        try attachments.adopt(
            interfaces: NodeDatapath.interfaces(), steps: maps.steps.id,
            others: others.map { ($0.links, $0.steps) })
        if let place = options.proxy {
            self.proxyWay = try ProxyWay(place, attachments.style, options.pins, maps.proxy)
        }
        uplinks = try Set(readHost().uplinks)
        // Entry programs that an earlier process has left at interfaces without a pod name slots that it cleared: those have a revision.
        // The first apply looks whether such interfaces are left.
        if !attachments.hooks.isEmpty {
            heldSlots = Set(slots.filter { !$0.value.isReady && $0.value.revision != 0 }.map(\.key))
        }
        try maps.setDefaultNameOptions()
        // A process that was killed while it read events left the writing of them on.
        try maps.control.set(UInt32(0), np_control())
    }

    /// The interfaces of the calling thread's namespace.
    static func interfaces() throws(BPFError) -> [UInt32] {
        do {
            return try NetlinkSocket().links().map { UInt32(bitPattern: $0.index) }
        } catch {
            throw BPFError(.queryInfo, "interfaces", errno: .ioError, detail: "\(error)")
        }
    }

    /// How new hooks are attached on this kernel.
    public var attachment: AttachmentStyle { attachments.style }

    /// What each counter stands for now: changes with every apply.
    public var ruleHitIndex: RuleHitIndex { hits.index }

    /// The identities that addresses and prefixes have in the kernel: what an allocator of numbers starts from, so that
    /// a restart renumbers nothing.
    public var identities: (addresses: [(IPAddress, UInt32)], prefixes: [(IPPrefix, UInt32)]) {
        let addresses = addresses.isEmpty ? inherited.addresses : addresses
        let prefixes = prefixes.isEmpty ? inherited.prefixes : prefixes
        return (
            addresses.map { AddressEntry(address: $0.key, identity: $0.value) }.filter { !$0.isShared }
                .sorted { $0.address < $1.address }.map { ($0.address, $0.unmarkedIdentity) },
            prefixes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        )
    }

    /// Takes every hook off and removes every pin: pods of this instance are no longer protected.
    public func detach() throws(BPFError) {
        try attachments.retireSuperseded()
        for hook in attachments.hooks { try attachments.detach(hook) }
        carriages = []
        try proxyWay?.close()
        proxyWay = nil
        if let pins = options.pins, options.proxy == nil { try ProxyPlace(instance: pins.instance).remove() }
        try options.pins?.removeAll()
        adopted = [:]
        endpoints = [:]
        regions = EndpointRegions(sets: maps.flows.sets)
    }
}

extension DatapathMaps {
    /// np_addresses.
    func readAddresses() throws(BPFError) -> [IPAddress: UInt32] {
        try DatapathMaps.addresses(of: addresses)
    }

    /// Identities by address with their marks, as a map has them.
    static func addresses(of map: BPFMap) throws(BPFError) -> [IPAddress: UInt32] {
        let entries = try map.entries(key: np_address(), value: UInt32(0))
        return Dictionary(entries.map { ($0.key.ipAddress, $0.value) }) { first, _ in first }
    }

    /// np_sources.
    func readSources() throws(BPFError) -> [IPAddress: [UInt32]] {
        let entries = try sources.entries(key: np_address(), value: np_source())
        return Dictionary(entries.map { ($0.key.ipAddress, $0.value.interfaces) }) { first, _ in first }
    }

    /// np_prefixes.
    func readPrefixes() throws(BPFError) -> [IPPrefix: UInt32] {
        try DatapathMaps.prefixes(of: prefixes)
    }

    /// Identities by prefix, as a map has them.
    static func prefixes(of map: BPFMap) throws(BPFError) -> [IPPrefix: UInt32] {
        let entries = try map.entries(key: np_prefix_key(), value: UInt32(0))
        return Dictionary(entries.compactMap { entry in entry.key.prefix.map { ($0, entry.value) } }) { first, _ in
            first
        }
    }

    /// Places of np_policies that hold a program.
    func readOccupiedPolicies() throws(BPFError) -> Set<UInt32> {
        var occupied: Set<UInt32> = []
        for slot in 0..<UInt32(policies.shape.capacity) {
            if try policies.value(of: slot, initial: UInt32(0)) != nil { occupied.insert(slot) }
        }
        return occupied
    }
}
