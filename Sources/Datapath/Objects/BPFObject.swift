import CLibBPF
import Glibc
import SystemPackage

/// A compiled BPF object: opened, adjusted, loaded. Closing it leaves in the kernel only what others hold.
public final class BPFObject {
    private let name: String
    private let object: OpaquePointer

    /// Opens an ELF file, by default the one embedded in this binary, without touching the kernel; works without privileges.
    public init(name: String = "np_veth", bytes: [UInt8]? = nil) throws(BPFError) {
        let bytes = if let bytes { bytes } else { try EmbeddedObject.bytes() }
        self.name = name
        self.object = try Libbpf.openObject(bytes, name: name)
    }

    deinit { bpf_object__close(object) }

    /// Names of the maps it declares, `.rodata` and its like left out.
    public var mapNames: [String] {
        Libbpf.maps(of: object).filter { !bpf_map__is_internal($0.map) }.map(\.name)
    }

    /// Names of its programs.
    var programNames: [String] { Libbpf.programs(of: object).map(\.name) }

    /// Changes the capacity of a map that is not loaded yet.
    public func resize(map: String, to capacity: Int) throws(BPFError) {
        let handle = try declaration(of: map)
        try Libbpf.call(.createMap, map) { bpf_map__set_max_entries(handle, UInt32(capacity)) }
    }

    /// Fills in the constants of a section of its own (`.rodata.NAME`), before it is loaded; an object that has no such section
    /// does without.
    func fill(section: String, with value: some BitwiseCopyable) throws(BPFError) {
        try Libbpf.fill(section: section, of: object, with: value)
    }

    /// What a section of its constants (`.rodata.NAME`) holds; `nil` when it has none.
    func constants(of section: String) -> [UInt8]? { Libbpf.constants(of: section, in: object) }

    /// Its maps, as they are declared; `.rodata` and its like left out.
    var declaredMaps: [(name: String, shape: MapShape)] {
        Libbpf.maps(of: object).filter { !bpf_map__is_internal($0.map) }
            .map { ($0.name, Libbpf.mapInfo(declaredBy: $0.map)) }
    }

    /// The layouts of its maps' records, by map; a map whose records have no types is left out.
    var mapLayouts: [String: MapLayout] { Libbpf.mapLayouts(in: object) }

    /// Makes `load` use the maps pinned in a folder, and pin there those that are not.
    ///
    /// - Throws: `EEXIST` when a pinned map has another shape, naming every difference.
    public func usePins(in folder: String) throws(BPFError) {
        for (mapName, handle) in Libbpf.maps(of: object) where !bpf_map__is_internal(handle) {
            let path = "\(folder)/\(mapName)"
            if let pinned = try Libbpf.openPin(path) {
                let found = try BPFMap(pinned, name: mapName).shape
                let differences = Libbpf.mapInfo(declaredBy: handle).differences(from: found)
                guard differences.isEmpty else {
                    throw BPFError(
                        .openPin, path, errno: .fileExists,
                        detail: "made by another version (\(differences.joined(separator: ", "))); detach first")
                }
                // The capacity of the pinned map holds; libbpf would refuse the difference.
                try resize(map: mapName, to: found.capacity)
            }
            try Libbpf.call(.pin, path) { bpf_map__set_pin_path(handle, path) }
        }
    }

    /// Makes `load` use a map that is there already in place of the declared one of the same name.
    package func use(_ map: BPFMap) throws(BPFError) {
        let handle = try declaration(of: map.name)
        try Libbpf.call(.createMap, map.name) { bpf_map__reuse_fd(handle, map.fd) }
    }

    /// Creates the maps (or takes the pinned ones) and loads the programs.
    public func load() throws(BPFError) {
        try Libbpf.load(object, name: name)
    }

    /// A loaded map, with a descriptor of its own: it outlives the object.
    public func map(_ mapName: String) throws(BPFError) -> BPFMap { try map(mapName, codec: nil) }

    /// A loaded map whose records are converted on the way.
    func map(_ mapName: String, codec: MapCodec?) throws(BPFError) -> BPFMap {
        let handle = try declaration(of: mapName)
        let fd = try Libbpf.call(.findMap, mapName) { bpf_map__fd(handle) }
        return try BPFMap(try Libbpf.duplicate(fd, mapName), name: mapName, codec: codec)
    }

    /// A loaded program, with a descriptor of its own.
    public func program(_ programName: String) throws(BPFError) -> BPFProgram {
        guard let found = Libbpf.programs(of: object).first(where: { $0.name == programName }) else {
            throw BPFError(.findProgram, programName, errno: .noSuchFileOrDirectory)
        }
        let fd = try Libbpf.call(.findProgram, programName) { bpf_program__fd(found.program) }
        return try BPFProgram(try Libbpf.duplicate(fd, programName), name: programName)
    }

    /// Size and member offsets of a struct in the object's BTF; `nil` when it does not have the struct.
    func layout(of structName: String) -> (size: Int, offsets: [String: Int])? {
        Libbpf.structLayout(structName, in: object)
    }

    /// The structs that are keys or values of its maps, by map.
    var structsOfMaps: [(map: String, structs: [String])] { Libbpf.structsOfMaps(in: object) }

    private func declaration(of mapName: String) throws(BPFError) -> OpaquePointer {
        guard let found = Libbpf.maps(of: object).first(where: { $0.name == mapName }) else {
            throw BPFError(.findMap, mapName, errno: .noSuchFileOrDirectory, detail: "\(name) declares no such map")
        }
        return found.map
    }
}
