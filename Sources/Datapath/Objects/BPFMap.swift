import CLibBPF
import Glibc
import Support

/// A map in the kernel. Owns a file descriptor of it.
///
/// Keys and values are the C structs of the ABI header, copied as they lie in memory. Their sizes must be the map's:
/// anything else is a bug of this module and traps.
public final class BPFMap {
    /// The map's name, for messages.
    public let name: String
    /// Its properties.
    public let shape: MapShape
    /// The kernel's number for it.
    public let id: UInt32
    let descriptor: OwnedDescriptor

    /// Wraps an open map.
    init(_ descriptor: consuming OwnedDescriptor, name: String) throws(BPFError) {
        let info = try Libbpf.mapInfo(descriptor.rawValue, name)
        self.descriptor = descriptor
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

    /// The value of a key, or `nil`.
    func value<Key: BitwiseCopyable, Value: BitwiseCopyable>(
        of key: Key, initial: Value
    ) throws(BPFError) -> Value? {
        checkSizes(Key.self, Value.self)
        var key = key
        var value = initial
        return try Libbpf.lookup(fd, name, key: &key, value: &value) ? value : nil
    }

    /// Adds or replaces one entry.
    package func set<Key: BitwiseCopyable, Value: BitwiseCopyable>(_ key: Key, _ value: Value) throws(BPFError) {
        checkSizes(Key.self, Value.self)
        var key = key
        var value = value
        try Libbpf.update(fd, name, key: &key, value: &value)
    }

    /// Removes an entry; whether it was there.
    @discardableResult
    package func remove<Key: BitwiseCopyable>(_ key: Key) throws(BPFError) -> Bool {
        precondition(MemoryLayout<Key>.size == shape.keySize, "key of \(name)")
        var key = key
        return try Libbpf.delete(fd, name, key: &key)
    }

    /// Adds or replaces one entry whose value is a row of 64-bit words.
    func setWords(_ key: UInt32, _ words: [UInt64]) throws(BPFError) {
        precondition(shape.keySize == 4 && shape.valueSize == 8 * words.count, "value of \(name)")
        var key = key
        let fd = fd
        let name = name
        try words.withUnsafeBufferPointer { words throws(BPFError) in
            guard let value = words.baseAddress else { return }
            try Libbpf.update(fd, name, key: &key, value: value)
        }
    }

    /// Puts a program into a slot of a prog array.
    package func set(_ slot: UInt32, program: BPFProgram) throws(BPFError) { try set(slot, program.fd) }

    // MARK: whole map

    /// Bytes of kernel memory the map takes now, as `/proc/self/fdinfo` reports them; `nil` when it does not.
    public var memoryBytes: Int? { Libbpf.memory(ofMap: fd) }

    func checkSizes<Key, Value>(_: Key.Type, _: Value.Type) {
        precondition(MemoryLayout<Key>.size == shape.keySize, "key of \(name)")
        precondition(MemoryLayout<Value>.size == shape.valueSize, "value of \(name)")
    }
}
