public import BPFEmit
import CLibBPF
import Glibc
import SystemPackage

extension BPFProgram {
    /// Loads an emitted program.
    ///
    /// - Parameters:
    ///   - program: the instructions, and the slots in which they refer to maps.
    ///   - name: at most 15 bytes reach the kernel.
    ///   - hitBase: what the program reports as its first counter in np_rule_hits.
    ///   - maps: the map of each symbol it refers to.
    /// - Throws: with the verifier's log when it refused; `EINVAL` when a map is missing.
    public convenience init(
        _ program: EncodedProgram, name: String, hitBase: UInt32, maps: [MapSymbol: BPFMap]
    ) throws(BPFError) {
        var program = program
        program.setHitBase(hitBase)
        var instructions = program.instructions
        for reference in program.mapReferences {
            guard let map = maps[reference.map] else {
                throw BPFError(
                    .loadProgram, name, errno: .invalidArgument, detail: "no map for \(reference.map.rawValue)")
            }
            instructions.setImmediate(at: reference.slot, UInt32(bitPattern: map.fd))
            instructions.setSourceRegister(at: reference.slot, UInt8(BPF_PSEUDO_MAP_FD))
        }
        let kernelName = String(decoding: name.utf8.prefix(Int(BPF_OBJ_NAME_LEN) - 1), as: UTF8.self)
        try self.init(try Libbpf.loadProgram(name: kernelName, instructions: instructions), name: name)
    }
}

/// `struct bpf_insn` as a little-endian word: opcode, registers, offset, immediate.
extension [UInt64] {
    fileprivate mutating func setImmediate(at slot: Int, _ value: UInt32) {
        self[slot] = self[slot] & 0xffff_ffff | UInt64(value) << 32
    }

    fileprivate mutating func setSourceRegister(at slot: Int, _ value: UInt8) {
        self[slot] = self[slot] & ~0xf000 | UInt64(value) << 12
    }
}
