import CNetpoldABI
package import NetTypes
import Synchronization

/// np_ipv4_identities: the entries of np_addresses that programs find in one cache line. Mapped while it is written.
///
/// np_addresses has every address. A bucket that says it is complete is believed where it has none, so an address that does not
/// fit, or is about to go, makes its bucket incomplete until it is gone: then np_addresses is asked. Every word changes in one
/// piece, so a packet sees an address with its old value or with its new one. Programs that find nothing look twice whether
/// the bucket was complete all the while, which is counted up for that.
package final class IPv4Identities {
    private let map: BPFMap
    /// `nil` while nothing is written: all of it is 4 MiB, which would be this process's.
    private var memory: MapMemory?
    /// The buckets that are mapped.
    private var buckets = 0..<Int(NP_IPV4_BUCKETS)
    /// By bucket, the addresses that it leaves to np_addresses.
    private var left: [UInt32: Set<UInt32>] = [:]

    /// Brings the table in step with the entries of np_addresses, whatever a process before has left in it.
    ///
    /// - Throws: when the map cannot be mapped.
    package init(_ map: BPFMap, holding values: [IPAddress: UInt32]) throws(BPFError) {
        self.map = map
        memory = try MapMemory(map)
        for bucket in 0..<UInt32(NP_IPV4_BUCKETS) {
            for way in 0..<Int(NP_IPV4_WAYS) {
                let entry = word(bucket, way).pointee.load(ordering: .relaxed)
                if entry == 0 || values[Self.address(of: entry)] == UInt32(entry >> 32) { continue }
                setComplete(bucket, false)
                store(0, bucket, way)
            }
        }
        for (address, value) in values { set(address, value) }
        for bucket in 0..<UInt32(NP_IPV4_BUCKETS) { setComplete(bucket, left[bucket] == nil) }
        memory = nil
    }

    /// Maps the table, as far as these addresses are in it, for as long as `body` sets, leaves and removes them.
    ///
    /// - Throws: when the map cannot be mapped, before `body` is called; and what that throws.
    package func write(
        _ addresses: some Sequence<IPAddress>, _ body: () throws(BPFError) -> Void
    ) throws(BPFError) {
        let wanted = addresses.compactMap { $0.ipv4.map { Int(np_ipv4_bucket_of($0.bigEndian)) } }
        if let first = wanted.min(), let last = wanted.max() {
            buckets = first..<last + 1
            memory = try MapMemory(map, entries: buckets)
        }
        defer { memory = nil }
        try body()
    }

    /// Gives an address its value, which np_addresses has already.
    package func set(_ address: IPAddress, _ value: UInt32) {
        guard let raw = address.ipv4?.bigEndian else { return }
        let bucket = np_ipv4_bucket_of(raw)
        let entry = UInt64(value) << 32 | UInt64(raw)
        let own = way(bucket) { $0 != 0 && UInt32(truncatingIfNeeded: $0) == raw }
        // An entry of the value 0 would be none.
        guard value != 0, let way = own ?? self.way(bucket, { $0 == 0 }) else { return leave(address) }
        store(entry, bucket, way)
        take(raw, from: bucket)
    }

    /// Leaves an address to np_addresses, until it is set or removed.
    package func leave(_ address: IPAddress) {
        guard let raw = address.ipv4?.bigEndian else { return }
        let bucket = np_ipv4_bucket_of(raw)
        left[bucket, default: []].insert(raw)
        setComplete(bucket, false)
        if let way = way(bucket, { $0 != 0 && UInt32(truncatingIfNeeded: $0) == raw }) { store(0, bucket, way) }
    }

    /// Forgets an address that was left to np_addresses and is not in it any more.
    package func remove(_ address: IPAddress) {
        guard let raw = address.ipv4?.bigEndian else { return }
        take(raw, from: np_ipv4_bucket_of(raw))
    }

    private func take(_ raw: UInt32, from bucket: UInt32) {
        guard left[bucket]?.remove(raw) != nil, left[bucket]?.isEmpty == true else { return }
        left[bucket] = nil
        setComplete(bucket, true)
    }

    /// What a program finds: the value of an address; `nil` when np_addresses must be asked, 0 when it has none.
    func value(of address: IPAddress) -> UInt32? {
        guard let raw = address.ipv4?.bigEndian else { return nil }
        let bucket = np_ipv4_bucket_of(raw)
        if let way = way(bucket, { $0 != 0 && UInt32(truncatingIfNeeded: $0) == raw }) {
            return UInt32(word(bucket, way).pointee.load(ordering: .relaxed) >> 32)
        }
        return word(bucket, Int(NP_IPV4_WAYS)).pointee.load(ordering: .relaxed) & 1 == 1 ? 0 : nil
    }

    private static func address(of entry: UInt64) -> IPAddress {
        IPAddress(ipv4: UInt32(bigEndian: UInt32(truncatingIfNeeded: entry)))
    }

    private func way(_ bucket: UInt32, _ isWanted: (UInt64) -> Bool) -> Int? {
        (0..<Int(NP_IPV4_WAYS)).first { isWanted(word(bucket, $0).pointee.load(ordering: .relaxed)) }
    }

    private func store(_ entry: UInt64, _ bucket: UInt32, _ way: Int) {
        word(bucket, way).pointee.store(entry, ordering: .sequentiallyConsistent)
    }

    private func setComplete(_ bucket: UInt32, _ isComplete: Bool) {
        let before = word(bucket, Int(NP_IPV4_WAYS)).pointee.load(ordering: .relaxed)
        guard (before & 1 == 1) != isComplete else { return }
        store(before &+ 1, bucket, Int(NP_IPV4_WAYS))
    }

    /// A word of a bucket; the one behind the entries says whether it is complete.
    private func word(_ bucket: UInt32, _ way: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        guard let base = memory?.base, buckets.contains(Int(bucket)) else {
            preconditionFailure("bucket \(bucket) of np_ipv4_identities is not mapped")
        }
        return (base + (Int(bucket) - buckets.lowerBound) * MemoryLayout<np_ipv4_bucket>.size)
            .assumingMemoryBound(to: Atomic<UInt64>.self) + way
    }
}
