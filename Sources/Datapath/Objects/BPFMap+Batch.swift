import CLibBPF
import Glibc

/// Walks and batches: one system call for thousands of entries.
extension BPFMap {
    /// Most entries of one system call.
    private static let batchEntries = 4096

    /// Every entry, in the kernel's order, those left out in which a number does not fit this program's. Entries that come or go meanwhile may or may not be among them; one may come
    /// twice when the map changes under the walk.
    package func entries<Key: BitwiseCopyable, Value: BitwiseCopyable>(
        key: Key, value: Value
    ) throws(BPFError) -> [(key: Key, value: Value)] {
        checkSizes(Key.self, Value.self)
        var result: [(key: Key, value: Value)] = []
        let keySize = shape.keySize
        let valueSize = shape.valueSize
        try forEachBatch(valueStride: valueSize) { keys, values, count in
            result.reserveCapacity(result.count + count)
            for index in 0..<count {
                guard let key: Key = decoded(keys + index * keySize, codec?.decodeKey),
                    let value: Value = decoded(values + index * valueSize, codec?.decodeValue)
                else { continue }
                result.append((key, value))
            }
        }
        return result
    }

    /// Entries there are now.
    func count() throws(BPFError) -> Int {
        var total = 0
        try forEachBatch(valueStride: shape.valueSize) { _, _, count in total += count }
        return total
    }

    /// Every entry of a per-CPU map with an integer key: the values of all possible CPUs.
    package func perCPUEntries<Value: BitwiseCopyable>(
        value: Value
    ) throws(BPFError) -> [(key: UInt32, values: [Value])] {
        checkSizes(UInt32.self, Value.self)
        let cpus = try Libbpf.possibleCPUs()
        let slot = Self.perCPUStride(shape.valueSize)
        var result: [(key: UInt32, values: [Value])] = []
        try forEachBatch(valueStride: slot * cpus) { keys, values, count in
            result.reserveCapacity(result.count + count)
            for index in 0..<count {
                let base = index * slot * cpus
                let row: [Value] = (0..<cpus).compactMap { decoded(values + base + $0 * slot, codec?.decodeValue) }
                result.append((keys.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self), row))
            }
        }
        return result
    }

    /// The values of all possible CPUs of one key of a per-CPU map.
    func perCPUValues<Value: BitwiseCopyable>(of key: UInt32, value: Value) throws(BPFError) -> [Value] {
        checkSizes(UInt32.self, Value.self)
        let cpus = try Libbpf.possibleCPUs()
        let slot = Self.perCPUStride(shape.valueSize)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: slot * cpus, alignment: 8)
        defer { buffer.deallocate() }
        guard let address = buffer.baseAddress else { return [] }
        var key = key
        guard try Libbpf.lookup(fd, name, key: &key, value: address) else { return [] }
        return (0..<cpus).compactMap { decoded(address + $0 * slot, codec?.decodeValue) }
    }

    /// Writes the values of all possible CPUs of one key of a per-CPU map.
    func setPerCPU<Value: BitwiseCopyable>(_ key: UInt32, _ values: [Value]) throws(BPFError) {
        checkSizes(UInt32.self, Value.self)
        let slot = Self.perCPUStride(shape.valueSize)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: slot * values.count, alignment: 8)
        defer { buffer.deallocate() }
        guard let address = buffer.baseAddress else { return }
        for (cpu, value) in values.enumerated() {
            guard let record = encoded(value, codec?.encodeValue) else { continue }
            (address + cpu * slot).copyMemory(from: record, byteCount: record.count)
        }
        var key = key
        try Libbpf.update(fd, name, key: &key, value: address, flags: UInt64(BPF_ANY))
    }

    /// Adds or replaces entries of integer keys whose values are rows of 64-bit words.
    func setWords(_ entries: [(key: UInt32, words: [UInt64])]) throws(BPFError) {
        precondition(shape.keySize == 4, "key of \(name)")
        for chunk in stride(from: 0, to: entries.count, by: Self.batchEntries) {
            let part = entries[chunk..<min(chunk + Self.batchEntries, entries.count)]
            precondition(part.allSatisfy { 8 * $0.words.count == shape.valueSize }, "value of \(name)")
            try writeBatch(keys: part.map(\.key), values: part.flatMap(\.words), count: part.count)
        }
    }

    /// Adds or replaces entries, in the given order.
    package func set<Key: BitwiseCopyable, Value: BitwiseCopyable>(
        _ entries: [(key: Key, value: Value)]
    ) throws(BPFError) {
        checkSizes(Key.self, Value.self)
        guard codec == nil else {
            for entry in entries { try set(entry.key, entry.value) }
            return
        }
        for chunk in stride(from: 0, to: entries.count, by: Self.batchEntries) {
            let part = entries[chunk..<min(chunk + Self.batchEntries, entries.count)]
            try writeBatch(keys: part.map(\.key), values: part.map(\.value), count: part.count)
        }
    }

    /// Sets `count` values of a per-CPU array, from `first` on, to zero on every CPU.
    func clearPerCPU(first: UInt32, count: Int) throws(BPFError) {
        let words = Self.perCPUStride(shape.valueSize) / 8 * (try Libbpf.possibleCPUs())
        for chunk in stride(from: 0, to: count, by: Self.batchEntries) {
            let part = min(Self.batchEntries, count - chunk)
            let keys = (0..<part).map { first + UInt32(chunk + $0) }
            try writeBatch(keys: keys, values: [UInt64](repeating: 0, count: words * part), count: part)
        }
    }

    private func writeBatch<Key, Value>(keys: [Key], values: [Value], count: Int) throws(BPFError) {
        let fd = fd
        let name = name
        try keys.withUnsafeBufferPointer { keys throws(BPFError) in
            try values.withUnsafeBufferPointer { values throws(BPFError) in
                guard let keys = keys.baseAddress, let values = values.baseAddress else { return }
                try Libbpf.updateBatch(fd, name, keys: keys, values: values, count: count)
            }
        }
    }

    /// The kernel lays per-CPU values out in steps of eight bytes.
    private static func perCPUStride(_ size: Int) -> Int { (size + 7) / 8 * 8 }

    private func forEachBatch(
        valueStride: Int, _ body: (UnsafeRawPointer, UnsafeRawPointer, Int) -> Void
    ) throws(BPFError) {
        var room = min(Self.batchEntries, shape.capacity)
        // Hash maps keep a 4-byte position, others a key.
        let positionBytes = max(shape.keySize, 8)
        let position = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * positionBytes, alignment: 8)
        defer { position.deallocate() }
        guard let from = position.baseAddress else { return }
        let next = from + positionBytes
        var started = false
        while true {
            let keys = UnsafeMutableRawPointer.allocate(byteCount: room * shape.keySize, alignment: 8)
            let values = UnsafeMutableRawPointer.allocate(byteCount: room * valueStride, alignment: 8)
            defer {
                keys.deallocate()
                values.deallocate()
            }
            let batch = try Libbpf.lookupBatch(
                fd, name, from: started ? from : nil, next: next, keys: keys, values: values, room: room)
            switch batch {
            case .tooSmall: room *= 2
            case .last(let count):
                body(keys, values, count)
                return
            case .more(let count):
                body(keys, values, count)
                from.copyMemory(from: next, byteCount: positionBytes)
                started = true
            }
        }
    }
}
