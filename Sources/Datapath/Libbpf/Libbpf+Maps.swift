import CLibBPF
import Glibc
import Support
import SystemPackage

/// Maps.
extension Libbpf {
    static func createMap(
        type: bpf_map_type, name: String, keySize: Int, valueSize: Int, capacity: Int, flags: UInt32
    ) throws(BPFError) -> OwnedDescriptor {
        var options = bpf_map_create_opts()
        options.sz = optionsSize(\bpf_map_create_opts.map_ifindex)
        options.map_flags = flags
        return OwnedDescriptor(
            rawValue: try call(.createMap, name) {
                bpf_map_create(type, name, UInt32(keySize), UInt32(valueSize), UInt32(capacity), &options)
            })
    }

    static func mapInfo(_ fd: Int32, _ name: String) throws(BPFError) -> bpf_map_info {
        var info = bpf_map_info()
        var size = UInt32(MemoryLayout<bpf_map_info>.size)
        try call(.queryInfo, name) { bpf_obj_get_info_by_fd(fd, &info, &size) }
        return info
    }

    static func map(id: UInt32) throws(BPFError) -> OwnedDescriptor {
        OwnedDescriptor(rawValue: try call(.queryInfo, "map \(id)") { bpf_map_get_fd_by_id(id) })
    }

    /// Whether the key was there.
    static func lookup(
        _ fd: Int32, _ name: String, key: UnsafeRawPointer, value: UnsafeMutableRawPointer
    ) throws(BPFError) -> Bool {
        try presence(.readMap, name) { bpf_map_lookup_elem(fd, key, value) }
    }

    /// Reads and removes an entry of a hash map at once; false when there is none.
    static func take(
        _ fd: Int32, _ name: String, key: UnsafeRawPointer, value: UnsafeMutableRawPointer
    ) throws(BPFError) -> Bool {
        try presence(.deleteFromMap, name) { bpf_map_lookup_and_delete_elem(fd, key, value) }
    }

    /// Writes an entry; false when there was one and `flags` is `BPF_NOEXIST`.
    @discardableResult
    static func update(
        _ fd: Int32, _ name: String, key: UnsafeRawPointer, value: UnsafeRawPointer, flags: UInt64
    ) throws(BPFError) -> Bool {
        switch attempt(.writeMap, { bpf_map_update_elem(fd, key, value, flags) }) {
        case .success: return true
        case .failure(.fileExists) where flags == UInt64(BPF_NOEXIST): return false
        case .failure(let code): throw BPFError(.writeMap, name, errno: code)
        }
    }

    /// Whether the key was there.
    static func delete(_ fd: Int32, _ name: String, key: UnsafeRawPointer) throws(BPFError) -> Bool {
        try presence(.deleteFromMap, name) { bpf_map_delete_elem(fd, key) }
    }

    /// Writes `count` entries. On failure some of them may have been written.
    static func updateBatch(
        _ fd: Int32, _ name: String, keys: UnsafeRawPointer, values: UnsafeRawPointer, count: Int
    ) throws(BPFError) {
        var written = UInt32(count)
        var options = bpf_map_batch_opts()
        options.sz = optionsSize(\bpf_map_batch_opts.flags)
        try call(.writeMap, name) {
            written = UInt32(count)
            return bpf_map_update_batch(fd, keys, values, &written, &options)
        }
    }

    /// One step of a walk.
    enum Batch {
        /// This many entries were read; there may be more.
        case more(Int)
        /// This many entries were read, and that was all.
        case last(Int)
        /// Not even one bucket fits: ask again with more room.
        case tooSmall
    }

    static func lookupBatch(
        _ fd: Int32, _ name: String, from: UnsafeMutableRawPointer?, next: UnsafeMutableRawPointer,
        keys: UnsafeMutableRawPointer, values: UnsafeMutableRawPointer, room: Int
    ) throws(BPFError) -> Batch {
        var count = UInt32(room)
        var options = bpf_map_batch_opts()
        options.sz = optionsSize(\bpf_map_batch_opts.flags)
        let result = attempt(.readMap) {
            count = UInt32(room)
            return bpf_map_lookup_batch(fd, from, next, keys, values, &count, &options)
        }
        switch result {
        case .success: return .more(Int(count))
        case .failure(.noSuchFileOrDirectory): return .last(Int(count))
        case .failure(.noSpace): return .tooSmall
        case .failure(let code): throw BPFError(.readMap, name, errno: code)
        }
    }

    /// Maps bytes of an array with `BPF_F_MMAPABLE` into this process, to read and write: whole pages.
    static func mapMemory(
        of fd: Int32, _ name: String, bytes: Range<Int>
    ) throws(BPFError) -> UnsafeMutableRawPointer {
        var address: UnsafeMutableRawPointer?
        try call(.mapMemory, name) {
            address = mmap(nil, bytes.count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, bytes.lowerBound)
            return address == UnsafeMutableRawPointer(bitPattern: -1) ? -1 : 0
        }
        guard let address else { throw BPFError(.mapMemory, name, errno: .noMemory) }
        return address
    }

    /// CPUs that per-CPU values have room for.
    static func possibleCPUs() throws(BPFError) -> Int {
        Int(try call(.queryInfo, "number of CPUs") { libbpf_num_possible_cpus() })
    }

    private static func presence(
        _ operation: BPFOperation, _ name: String, _ body: () -> Int32
    ) throws(BPFError) -> Bool {
        switch attempt(operation, body) {
        case .success: return true
        case .failure(.noSuchFileOrDirectory): return false
        case .failure(let code): throw BPFError(operation, name, errno: code)
        }
    }
}

/// Figures the kernel keeps of a map.
extension Libbpf {
    /// Bytes of kernel memory of a map, from `/proc/self/fdinfo`.
    static func memory(ofMap fd: Int32) -> Int? {
        guard let file = fopen("/proc/self/fdinfo/\(fd)", "re") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix("memlock:") else { continue }
            return Int(text.dropFirst("memlock:".count).filter(\.isNumber))
        }
        return nil
    }
}
