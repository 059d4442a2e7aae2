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
    private let lock: FileLock?

    // What the kernel holds.
    var addresses: [IPAddress: UInt32]
    var prefixes: [IPPrefix: UInt32]
    /// By address of a local pod, the interfaces by which its packets come in.
    var sources: [IPAddress: [UInt32]]
    var subjects: [String: LoadedSubject] = [:]
    var endpoints: [EndpointKey: LoadedEndpoint] = [:]
    /// Policies that no slot of np_policies holds any more. They may still be running until the next wait.
    var outOfUse: [LoadedPolicy] = []
    /// Endpoints an earlier process left, by slot, until an apply claims or clears them.
    var adopted: [UInt32: np_endpoint]
    /// Slots of pods that are gone, which hooks of interfaces that are not may still name.
    var heldSlots: Set<UInt32> = []
    /// Places of np_policies that are occupied by nobody's known program.
    var strayPolicies: Set<UInt32>
    /// The highest revision any endpoint ever had. Never handed out twice, so an entry of a pod that is gone is never
    /// taken for one of its successor at the same address.
    var revision: UInt32
    /// Something changed and the flows have not been revalidated since: the next apply revalidates them.
    var mustRevalidate: Bool
    /// Loaded when it is first needed.
    var clock: KernelClock?

    /// Loads the datapath, adopting what is pinned.
    ///
    /// - Throws: `EWOULDBLOCK` when another process uses the instance, `EEXIST` when another version pinned it.
    public init(_ options: DatapathOptions) throws(BPFError) {
        self.options = options
        if let pins = options.pins {
            try pins.create()
            self.lock = try Libbpf.lock(folder: pins.folder)
        } else {
            self.lock = nil
        }
        let maps = try DatapathMaps(options)
        self.maps = maps
        self.hits = RuleHits(map: maps.ruleHits)
        self.addresses = try maps.readAddresses()
        self.prefixes = try maps.readPrefixes()
        self.sources = try maps.readSources()
        let slots = try maps.endpoints.entries(key: UInt32(0), value: np_endpoint())
        self.revision = slots.map(\.value.revision).max() ?? 0
        self.adopted = Dictionary(slots.filter(\.value.isReady).map { ($0.key, $0.value) }) { first, _ in first }
        self.strayPolicies = try maps.readOccupiedPolicies()
        self.mustRevalidate = !adopted.isEmpty
        self.attachments = try Attachments(style: options.attachment, pins: options.pins)
        try attachments.adopt(
            interfaces: adopted.values.map(\.ifindex), others: NodeDatapath.interfaces(), steps: maps.steps.id)
        // A process that was killed while it read events left the writing of them on.
        try maps.control.set(UInt32(0), np_control())
    }

    /// The interfaces of the calling thread's namespace.
    private static func interfaces() throws(BPFError) -> [UInt32] {
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
        (
            addresses.filter { !AddressEntry(address: $0.key, identity: $0.value).isShared }
                .sorted { $0.key < $1.key }.map { ($0.key, $0.value) },
            prefixes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        )
    }

    /// Takes every hook off and removes every pin: pods of this instance are no longer protected.
    public func detach() throws(BPFError) {
        for hook in attachments.hooks { try attachments.detach(hook) }
        try options.pins?.removeAll()
        adopted = [:]
        endpoints = [:]
    }
}

extension DatapathMaps {
    /// np_addresses.
    func readAddresses() throws(BPFError) -> [IPAddress: UInt32] {
        let entries = try addresses.entries(key: np_address(), value: UInt32(0))
        return Dictionary(entries.map { ($0.key.ipAddress, $0.value) }) { first, _ in first }
    }

    /// np_sources.
    func readSources() throws(BPFError) -> [IPAddress: [UInt32]] {
        let entries = try sources.entries(key: np_address(), value: np_source())
        return Dictionary(entries.map { ($0.key.ipAddress, $0.value.interfaces) }) { first, _ in first }
    }

    /// np_prefixes.
    func readPrefixes() throws(BPFError) -> [IPPrefix: UInt32] {
        let entries = try prefixes.entries(key: np_prefix_key(), value: UInt32(0))
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
