import CLibBPF
import Glibc
import Support

/// A map in the kernel. Owns a file descriptor of it.
///
/// Keys and values are the C structs of the ABI header, copied as they lie in memory. Their sizes must be the map's:
/// anything else is a bug of this module and traps. Those of a map that a program with other layouts made are converted.
public final class BPFMap: Sendable {
    /// The map's name, for messages.
    public let name: String
    /// Its properties.
    public let shape: MapShape
    /// The kernel's number for it.
    public let id: UInt32
    let descriptor: OwnedDescriptor
    /// How its records differ from those of this program; `nil` when they do not.
    let codec: MapCodec?

    /// Wraps an open map.
    init(_ descriptor: consuming OwnedDescriptor, name: String, codec: MapCodec? = nil) throws(BPFError) {
        let info = try Libbpf.mapInfo(descriptor.rawValue, name)
        self.descriptor = descriptor
        self.codec = codec
        self.name = name
        self.id = info.id
        self.shape = MapShape(
            type: info.type, keySize: Int(info.key_size), valueSize: Int(info.value_size),
            capacity: Int(info.max_entries), flags: info.map_flags)
    }

    /// A new hash map whose memory is taken as entries come.
    convenience init(
        hash name: String, keySize: Int, valueSize: Int, capacity: Int
    ) throws(BPFError) {
        try self.init(
            try Libbpf.createMap(
                type: BPF_MAP_TYPE_HASH, name: name, keySize: keySize, valueSize: valueSize, capacity: capacity,
                flags: UInt32(BPF_F_NO_PREALLOC)),
            name: name)
    }

    /// A new array; keys are numbers below `capacity`, all there from the start with values of zero.
    convenience init(array name: String, valueSize: Int, capacity: Int) throws(BPFError) {
        try self.init(
            try Libbpf.createMap(
                type: BPF_MAP_TYPE_ARRAY, name: name, keySize: 4, valueSize: valueSize, capacity: capacity, flags: 0),
            name: name)
    }

    /// The descriptor's number.
    var fd: Int32 { descriptor.rawValue }

    // MARK: one entry

    /// The value of a key, or `nil`; also when a number in it does not fit this program's.
    func value<Key: BitwiseCopyable, Value: BitwiseCopyable>(
        of key: Key, initial: Value
    ) throws(BPFError) -> Value? {
        try read(key, initial: initial, Libbpf.lookup)
    }

    /// Takes an entry out of a hash map: the value that it had when it went. For maps of this version.
    func take<Key: BitwiseCopyable, Value: BitwiseCopyable>(_ key: Key, initial: Value) throws(BPFError) -> Value? {
        try read(key, initial: initial, Libbpf.take)
    }

    private func read<Key: BitwiseCopyable, Value: BitwiseCopyable>(
        _ key: Key, initial: Value,
        _ call: (Int32, String, UnsafeRawPointer, UnsafeMutableRawPointer) throws(BPFError) -> Bool
    ) throws(BPFError) -> Value? {
        checkSizes(Key.self, Value.self)
        guard let key = encoded(key, codec?.encodeKey) else { return nil }
        let fd = fd
        let name = name
        let room = shape.valueSize
        let raw = try key.withUnsafeBufferPointer { key throws(BPFError) -> [UInt8]? in
            guard let key = key.baseAddress else { return nil }
            var raw = [UInt8](repeating: 0, count: room)
            let isThere = try raw.withUnsafeMutableBufferPointer { raw throws(BPFError) in
                guard let value = raw.baseAddress else { return false }
                return try call(fd, name, key, value)
            }
            return isThere ? raw : nil
        }
        return raw?.withUnsafeBytes { bytes in bytes.baseAddress.flatMap { decoded($0, codec?.decodeValue) } }
    }

    /// Adds or replaces one entry.
    package func set<Key: BitwiseCopyable, Value: BitwiseCopyable>(_ key: Key, _ value: Value) throws(BPFError) {
        _ = try write(key, value, UInt64(BPF_ANY))
    }

    /// Adds an entry; whether it was not there before.
    func insert<Key: BitwiseCopyable, Value: BitwiseCopyable>(_ key: Key, _ value: Value) throws(BPFError) -> Bool {
        try write(key, value, UInt64(BPF_NOEXIST))
    }

    private func write<Key: BitwiseCopyable, Value: BitwiseCopyable>(
        _ key: Key, _ value: Value, _ flags: UInt64
    ) throws(BPFError) -> Bool {
        checkSizes(Key.self, Value.self)
        guard let key = encoded(key, codec?.encodeKey), let value = encoded(value, codec?.encodeValue) else {
            throw BPFError(.writeMap, name, errno: .outOfRange, detail: "a number does not fit the map's layout")
        }
        let fd = fd
        let name = name
        return try key.withUnsafeBufferPointer { key throws(BPFError) in
            try value.withUnsafeBufferPointer { value throws(BPFError) in
                guard let key = key.baseAddress, let value = value.baseAddress else { return false }
                return try Libbpf.update(fd, name, key: key, value: value, flags: flags)
            }
        }
    }

    /// Removes an entry; whether it was there.
    @discardableResult
    package func remove<Key: BitwiseCopyable>(_ key: Key) throws(BPFError) -> Bool {
        precondition(MemoryLayout<Key>.size == codec?.encodeKey.fromSize ?? shape.keySize, "key of \(name)")
        guard let key = encoded(key, codec?.encodeKey) else { return false }
        let fd = fd
        let name = name
        return try key.withUnsafeBufferPointer { key throws(BPFError) in
            guard let key = key.baseAddress else { return false }
            return try Libbpf.delete(fd, name, key: key)
        }
    }

    /// A record as the map has it; `nil` when a number does not fit.
    func encoded<Record: BitwiseCopyable>(_ record: Record, _ conversion: RecordConversion?) -> [UInt8]? {
        withUnsafeBytes(of: record) { bytes in
            guard let conversion else { return Array(bytes) }
            var result = [UInt8](repeating: 0, count: conversion.toSize)
            let fits = result.withUnsafeMutableBytes { result in
                guard let from = bytes.baseAddress, let to = result.baseAddress else { return false }
                return conversion.convert(from, to: to)
            }
            return fits ? result : nil
        }
    }

    /// A record of the map as this program has it; `nil` when a number does not fit.
    func decoded<Record: BitwiseCopyable>(_ bytes: UnsafeRawPointer, _ conversion: RecordConversion?) -> Record? {
        guard let conversion else { return bytes.loadUnaligned(as: Record.self) }
        let size = conversion.toSize
        return withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { target in
            guard let address = target.baseAddress, conversion.convert(bytes, to: address) else { return nil }
            return address.loadUnaligned(as: Record.self)
        }
    }

    /// Adds or replaces one entry whose value is a row of 64-bit words.
    func setWords(_ key: UInt32, _ words: [UInt64]) throws(BPFError) {
        precondition(shape.keySize == 4 && shape.valueSize == 8 * words.count, "value of \(name)")
        var key = key
        let fd = fd
        let name = name
        try words.withUnsafeBufferPointer { words throws(BPFError) in
            guard let value = words.baseAddress else { return }
            try Libbpf.update(fd, name, key: &key, value: value, flags: UInt64(BPF_ANY))
        }
    }

    /// Puts a program into a slot of a prog array.
    package func set(_ slot: UInt32, program: BPFProgram) throws(BPFError) { try set(slot, program.fd) }

    // MARK: whole map

    /// Bytes of kernel memory the map takes now, as `/proc/self/fdinfo` reports them; `nil` when it does not.
    public var memoryBytes: Int? { Libbpf.memory(ofMap: fd) }

    func checkSizes<Key, Value>(_: Key.Type, _: Value.Type) {
        precondition(MemoryLayout<Key>.size == codec?.encodeKey.fromSize ?? shape.keySize, "key of \(name)")
        precondition(MemoryLayout<Value>.size == codec?.encodeValue.fromSize ?? shape.valueSize, "value of \(name)")
    }
}
