import Glibc

/// Memory of a map with `BPF_F_MMAPABLE`, shared with the programs that use it. Unmapped when it goes.
///
/// The kernel maps all pages at once, and counts them as this process's memory for as long as they are mapped: who needs some
/// entries maps those, and not for longer than it takes.
///
/// Sendable: the address does not change, and whoever reads or writes there does it by atomics (`FlowSlot`, `IPv4Identities`).
struct MapMemory: ~Copyable, @unchecked Sendable {
    /// The first byte of the first entry.
    let base: UnsafeMutableRawPointer
    /// Whole pages.
    private let pages: UnsafeMutableRawBufferPointer

    /// Maps entries of an array.
    ///
    /// - Parameters:
    ///   - map: the array.
    ///   - entries: their keys, by default all; not empty.
    /// - Throws: `EINVAL` for a map without the flag; `ENOMEM`.
    init(_ map: BPFMap, entries: Range<Int>? = nil) throws(BPFError) {
        // The kernel rounds values up to eight bytes, and the whole up to pages.
        let stride = (map.shape.valueSize + 7) / 8 * 8
        let page = max(1, sysconf(Int32(_SC_PAGESIZE)))
        let entries = entries ?? 0..<map.shape.capacity
        let first = entries.lowerBound * stride / page * page
        let end = (entries.upperBound * stride + page - 1) / page * page
        pages = UnsafeMutableRawBufferPointer(
            start: try Libbpf.mapMemory(of: map.fd, map.name, bytes: first..<end), count: end - first)
        base = pages.baseAddress.unsafelyUnwrapped + (entries.lowerBound * stride - first)
    }

    deinit { munmap(pages.baseAddress, pages.count) }
}
