import BPFEmit
import CNetpoldABI
import NetTypes
import Support

/// What a program of another version, older or newer, left pinned for the same instance.
///
/// Nothing is known of that version but what the kernel tells: the names of its maps, and by their type information the names
/// and places of the fields in them. What has the fields that this program has is read by them, whichever version is the newer
/// one.
final class OtherVersion {
    /// `v2`.
    let name: String
    /// Its pins.
    let folder: String
    /// Its maps that this program can read, by name; their records come out in this program's layouts.
    let maps: [String: BPFMap]
    /// The maps that have this program's layouts exactly, and so can be used by both.
    let identical: Set<String>
    /// What of it cannot be read, in words.
    let unreadable: [String]
    /// The id of its np_steps, by which its programs are known; `nil` when it is gone already.
    let steps: UInt32?
    private let lock: FileLock
    /// Where the flows are in its np_flow_sets; `nil` when it has none, or none that can be read.
    private let flowLayout: FlowSetLayout?

    /// Looks at a folder of pins.
    ///
    /// - Parameters:
    ///   - folder: its path.
    ///   - own: the layouts of this program's records, by map.
    ///   - declared: those of its object, which differ from the former in tests.
    /// - Throws: `EWOULDBLOCK` when a process of that version is running.
    init(folder: String, own: [String: MapLayout], declared: [String: MapLayout]) throws(BPFError) {
        self.name = String(folder.split(separator: "/").last ?? "")
        self.folder = folder
        self.lock = try Libbpf.lock(folder: folder)
        var maps: [String: BPFMap] = [:]
        var identical: Set<String> = []
        var unreadable: [String] = []
        var steps: UInt32?
        var flowLayout: FlowSetLayout?
        for map in try Libbpf.names(in: folder) where map != "links" {
            let path = "\(folder)/\(map)"
            if map == "np_steps", let pinned = try Libbpf.openPin(path) {
                steps = try BPFMap(pinned, name: map).id
            }
            let known = map == SharedFlow.map ? SharedFlow.layout : own[map]
            guard let here = known, OtherVersion.isOfUse(map), let pinned = try Libbpf.openPin(path) else {
                continue
            }
            guard let there = try OtherVersion.layout(of: pinned, map) else {
                unreadable.append("\(map): the kernel has no types of its records")
                continue
            }
            guard let codec = MapCodec(here: here, there: there) else {
                unreadable.append("\(map): its keys have other fields (\(there.key))")
                continue
            }
            if map == "np_flow_sets" {
                flowLayout = here == there ? .own : FlowSetLayout(here: here.value, there: there.value)
                if flowLayout == nil { unreadable.append("\(map): its flows have other fields (\(there.value))") }
            }
            for field in codec.decodeValue.lost { unreadable.append("\(map): the field \(field) is not known here") }
            if declared[map] == there { identical.insert(map) }
            maps[map] = try BPFMap(pinned, name: map, codec: here == there ? nil : codec)
        }
        self.maps = maps
        self.identical = identical
        self.unreadable = unreadable
        self.steps = steps
        self.flowLayout = flowLayout
    }

    /// The pods it had programmed.
    func endpoints() throws(BPFError) -> [np_endpoint] { try slots().filter(\.isReady) }

    /// The highest revision that any of its endpoints ever had.
    func highestRevision() throws(BPFError) -> UInt32 { try slots().map(\.revision).max() ?? 0 }

    /// The pods it had programmed, by their slots.
    func endpointsBySlot() throws(BPFError) -> [UInt32: np_endpoint] {
        let entries = try maps["np_endpoints"]?.entries(key: UInt32(0), value: np_endpoint()) ?? []
        return Dictionary(entries.filter(\.value.isReady).map { ($0.key, $0.value) }) { first, _ in first }
    }

    /// What its pods have learnt of addresses.
    func learnt() throws(BPFError) -> [(key: np_learnt_key, value: np_learnt)] {
        try maps["np_learnt"]?.entries(key: np_learnt_key(), value: np_learnt()) ?? []
    }

    /// The serial number of the record by which its columns of names are numbered; 0: none.
    func columnRecord() throws(BPFError) -> UInt32 {
        try maps["np_name_options"]?.value(of: UInt32(0), initial: np_name_options())?.record ?? 0
    }

    /// The highest number that columns of names had.
    func highestColumns() throws(BPFError) -> UInt32 {
        max(try slots().map(\.names).max() ?? 0, try learnt().map(\.value.names).max() ?? 0)
    }

    private func slots() throws(BPFError) -> [np_endpoint] {
        try maps["np_endpoints"]?.entries(key: UInt32(0), value: np_endpoint()).map(\.value) ?? []
    }

    /// Its flows, where each endpoint has its own; `nil` when it has no such table.
    var flows: FlowMap? {
        guard let map = maps["np_flow_sets"], let flowLayout else { return nil }
        // Nothing is looked up by its hash.
        return FlowMap(map, layout: flowLayout, seed: np_flow_seed())
    }

    /// The pods it had programmed, each with the regions that its flows are in; none where it has no such table.
    func regions() throws(BPFError) -> [(endpoint: np_endpoint, regions: [FlowRegion])] {
        guard let sets = maps["np_flow_sets"]?.shape.capacity else { return [] }
        let slots = try maps["np_endpoints"]?.entries(key: UInt32(0), value: np_endpoint()) ?? []
        var result: [(endpoint: np_endpoint, regions: [FlowRegion])] = []
        for (slot, value) in slots where value.isReady {
            var words = [value.region]
            if value.isMoving, let left = try maps["np_flow_moves"]?.value(of: slot, initial: UInt32(0)) {
                words.append(left)
            }
            let regions = words.compactMap(FlowRegion.init(word:)).filter { $0.range.upperBound <= sets }
            result.append((value, regions))
        }
        return result
    }

    /// The folder of its pinned links.
    var links: String { "\(folder)/links" }

    /// What the kernel knows of the records of a map; `nil` when it was made without types.
    static func layout(of map: borrowing OwnedDescriptor, _ name: String) throws(BPFError) -> MapLayout? {
        let info = try Libbpf.mapInfo(map.rawValue, name)
        guard let types = try Libbpf.types(ofMap: info, name) else { return nil }
        return Libbpf.mapLayout(key: info.btf_key_type_id, value: info.btf_value_type_id, types.btf)
    }

    /// Maps whose contents outlive a version. The others belong to its programs.
    private static func isOfUse(_ map: String) -> Bool {
        map == "np_endpoints" || map == "np_flow_moves" || map == "np_name_options" || map == "np_addresses"
            || map == "np_prefixes"
            || CarriedMap.all[map] != nil
    }
}
