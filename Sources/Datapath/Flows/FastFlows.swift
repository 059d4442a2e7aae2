import CNetpoldABI

/// The flows that go past the node's stack, as np_paths has them.
enum FastFlows {
    /// Whether a pinned table has any.
    ///
    /// - Throws: when it cannot be read.
    static func arePinned(_ pins: PinPath?) throws(BPFError) -> Bool {
        guard let pins, let pinned = try Libbpf.openPin("\(pins.folder)/np_paths") else { return false }
        return try count(in: BPFMap(pinned, name: "np_paths")) > 0
    }

    /// How many a table has; those that have ended count until another one takes their place.
    static func count(in map: BPFMap) throws(BPFError) -> Int {
        try map.entries(key: UInt32(0), value: np_path_set()).reduce(0) { sum, set in
            sum
                + withUnsafeBytes(of: set.value.path) { words in
                    words.bindMemory(to: UInt64.self).count { $0 & UInt64(NP_PATH_FAST) != 0 }
                }
        }
    }
}
