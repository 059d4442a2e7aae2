import Glibc

/// The memory of a map with `BPF_F_MMAPABLE`, shared with the programs that use it. Unmapped when it goes.
///
/// Sendable: the address does not change, and whoever reads or writes there does it by atomics (`FlowSlot`, `IPv4Identities`).
struct MapMemory: ~Copyable, @unchecked Sendable {
    /// Its first byte, at a page boundary.
    let base: UnsafeMutableRawPointer
    /// Bytes, whole pages.
    private let length: Int

    /// Maps a whole array.
    ///
    /// - Throws: `EINVAL` for a map without the flag; `ENOMEM`.
    init(_ map: BPFMap) throws(BPFError) {
        // The kernel rounds values up to eight bytes, and the whole up to pages.
        let bytes = (map.shape.valueSize + 7) / 8 * 8 * map.shape.capacity
        let page = max(1, sysconf(Int32(_SC_PAGESIZE)))
        length = (bytes + page - 1) / page * page
        base = try Libbpf.mapMemory(of: map.fd, map.name, bytes: length)
    }

    deinit { munmap(base, length) }
}
