import CLibBPF
import Glibc
import SystemPackage

/// Object files.
extension Libbpf {
    static func openObject(_ bytes: [UInt8], name: String) throws(BPFError) -> OpaquePointer {
        var options = bpf_object_open_opts()
        options.sz = optionsSize(\bpf_object_open_opts.kernel_log_level)
        return try pointer(.openObject, name) {
            name.withCString { cName in
                options.object_name = cName
                return bytes.withUnsafeBytes { bpf_object__open_mem($0.baseAddress, $0.count, &options) }
            }
        }
    }

    /// Every map of the object, in the file's order.
    static func maps(of object: OpaquePointer) -> [(name: String, map: OpaquePointer)] {
        var result: [(name: String, map: OpaquePointer)] = []
        var map = bpf_object__next_map(object, nil)
        while let current = map {
            result.append((String(cString: bpf_map__name(current)), current))
            map = bpf_object__next_map(object, current)
        }
        return result
    }

    /// Every program of the object, in the file's order.
    static func programs(of object: OpaquePointer) -> [(name: String, program: OpaquePointer)] {
        var result: [(name: String, program: OpaquePointer)] = []
        var program = bpf_object__next_program(object, nil)
        while let current = program {
            result.append((String(cString: bpf_program__name(current)), current))
            program = bpf_object__next_program(object, current)
        }
        return result
    }

    /// Loads maps and programs.
    ///
    /// - Throws: for the program that the verifier refused, with its log; else for the object.
    static func load(_ object: OpaquePointer, name: String) throws(BPFError) {
        let logBytes = 1 << 20
        let programs = programs(of: object)
        let logs = programs.map { _ in UnsafeMutableBufferPointer<CChar>.allocate(capacity: logBytes) }
        defer { for log in logs { log.deallocate() } }
        // libbpf writes the log only when a load fails; untouched pages cost nothing.
        for (log, (_, program)) in zip(logs, programs) {
            log.baseAddress?.initialize(to: 0)
            _ = bpf_program__set_log_buf(program, log.baseAddress, logBytes)
        }
        guard case .failure(let code) = attempt(.loadObject, { bpf_object__load(object) }) else { return }
        for (log, (program, _)) in zip(logs, programs) where log.first != 0 {
            throw BPFError(.loadProgram, program, errno: code, verifierLog: verifierLog(in: log))
        }
        throw BPFError(.loadObject, name, errno: code)
    }

    /// Sets what a section of constants holds when its object is loaded. Nothing happens when there is no such section.
    static func fill(
        section: String, of object: OpaquePointer, with value: some BitwiseCopyable
    ) throws(BPFError) {
        guard let map = maps(of: object).first(where: { $0.name == section }) else { return }
        try call(.openObject, section) {
            withUnsafeBytes(of: value) { bpf_map__set_initial_value(map.map, $0.baseAddress, $0.count) }
        }
    }

    /// What a section of constants holds before its object is loaded; `nil` when there is no such section.
    static func constants(of section: String, in object: OpaquePointer) -> [UInt8]? {
        guard let map = maps(of: object).first(where: { $0.name == section }) else { return nil }
        var size = 0
        guard let bytes = bpf_map__initial_value(map.map, &size) else { return nil }
        return Array(UnsafeRawBufferPointer(start: bytes, count: size))
    }

    static func mapInfo(declaredBy map: OpaquePointer) -> MapShape {
        MapShape(
            type: bpf_map__type(map).rawValue, keySize: Int(bpf_map__key_size(map)),
            valueSize: Int(bpf_map__value_size(map)), capacity: Int(bpf_map__max_entries(map)),
            flags: bpf_map__map_flags(map))
    }

    /// The structs that are keys or values of the object's maps, by map; an empty list where both are plain numbers.
    static func structsOfMaps(in object: OpaquePointer) -> [(map: String, structs: [String])] {
        guard let btf = bpf_object__btf(object) else { return [] }
        return maps(of: object).filter { !bpf_map__is_internal($0.map) }.map { name, map in
            let types = [bpf_map__btf_key_type_id(map), bpf_map__btf_value_type_id(map)]
            return (name, types.compactMap { structName($0, in: btf) })
        }
    }

    private static func structName(_ id: UInt32, in btf: OpaquePointer) -> String? {
        guard id > 0, let type = btf__type_by_id(btf, id), type.pointee.info >> 24 & 0x1f == UInt32(BTF_KIND_STRUCT),
            let name = btf__name_by_offset(btf, type.pointee.name_off)
        else { return nil }
        return String(cString: name)
    }

    /// Bytes and members (name, offset in bytes) of a struct in the object's BTF; `nil` when it is not there.
    static func structLayout(_ name: String, in object: OpaquePointer) -> (size: Int, offsets: [String: Int])? {
        guard let btf = bpf_object__btf(object) else { return nil }
        let id = btf__find_by_name_kind(btf, name, UInt32(BTF_KIND_STRUCT))
        guard id > 0, let type = btf__type_by_id(btf, UInt32(id)) else { return nil }
        // The members follow the type's header; `info` holds their number in its low 16 bits.
        let count = Int(type.pointee.info & 0xffff)
        let members = UnsafeRawPointer(type + 1).assumingMemoryBound(to: btf_member.self)
        var offsets: [String: Int] = [:]
        for member in UnsafeBufferPointer(start: members, count: count) {
            guard let name = btf__name_by_offset(btf, member.name_off) else { continue }
            offsets[String(cString: name)] = Int(member.offset & 0xff_ffff) / 8
        }
        return (Int(type.pointee.size), offsets)
    }
}
