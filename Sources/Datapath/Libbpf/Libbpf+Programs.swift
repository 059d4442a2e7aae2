import CLibBPF
import Glibc
import Support
import SystemPackage

/// Programs.
extension Libbpf {
    /// Loads a `BPF_PROG_TYPE_SCHED_CLS` program.
    ///
    /// - Throws: with the verifier's log when that is what refused it. The log is asked for only then: writing it makes
    ///   a successful load many times slower.
    static func loadProgram(
        name: String, instructions: [UInt64], logBytes: Int = 1 << 20
    ) throws(BPFError) -> OwnedDescriptor {
        switch attempt(.loadProgram, { load(name, instructions, log: nil) }) {
        case .success(let fd): return OwnedDescriptor(rawValue: fd)
        case .failure(let code):
            let log = UnsafeMutableBufferPointer<CChar>.allocate(capacity: logBytes)
            defer { log.deallocate() }
            log.initialize(repeating: 0)
            // A second load that succeeds (memory was short before, say) is a success.
            if case .success(let fd) = attempt(.loadProgram, { load(name, instructions, log: log) }) {
                return OwnedDescriptor(rawValue: fd)
            }
            throw BPFError(.loadProgram, name, errno: code, verifierLog: verifierLog(in: log))
        }
    }

    private static func load(
        _ name: String, _ instructions: [UInt64], log: UnsafeMutableBufferPointer<CChar>?
    ) -> Int32 {
        var options = bpf_prog_load_opts()
        options.sz = optionsSize(\bpf_prog_load_opts.log_buf)
        if let log {
            options.log_level = 1
            options.log_size = UInt32(log.count)
            options.log_buf = log.baseAddress
        }
        return instructions.withUnsafeBytes { bytes in
            let code = bytes.assumingMemoryBound(to: bpf_insn.self)
            return bpf_prog_load(
                BPF_PROG_TYPE_SCHED_CLS, name, "Dual BSD/GPL", code.baseAddress, code.count, &options)
        }
    }

    static func verifierLog(in buffer: UnsafeMutableBufferPointer<CChar>) -> VerifierLog? {
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return text.isEmpty ? nil : VerifierLog(text)
    }

    static func programInfo(_ fd: Int32, _ name: String) throws(BPFError) -> bpf_prog_info {
        var info = bpf_prog_info()
        var size = UInt32(MemoryLayout<bpf_prog_info>.size)
        try call(.queryInfo, name) { bpf_obj_get_info_by_fd(fd, &info, &size) }
        return info
    }

    /// The ids of the maps a program uses.
    static func mapIDs(ofProgram fd: Int32, _ name: String) throws(BPFError) -> [UInt32] {
        let count = Int(try programInfo(fd, name).nr_map_ids)
        let ids = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: max(count, 1))
        defer { ids.deallocate() }
        ids.initialize(repeating: 0)
        var info = bpf_prog_info()
        info.nr_map_ids = UInt32(count)
        info.map_ids = UInt64(UInt(bitPattern: ids.baseAddress))
        var size = UInt32(MemoryLayout<bpf_prog_info>.size)
        try call(.queryInfo, name) { bpf_obj_get_info_by_fd(fd, &info, &size) }
        return Array(ids.prefix(min(count, Int(info.nr_map_ids))))
    }

    static func program(id: UInt32) throws(BPFError) -> OwnedDescriptor {
        OwnedDescriptor(rawValue: try call(.queryInfo, "program \(id)") { bpf_prog_get_fd_by_id(id) })
    }

    static func testRun(_ fd: Int32, _ name: String, _ options: inout bpf_test_run_opts) throws(BPFError) {
        options.sz = optionsSize(\bpf_test_run_opts.batch_size)
        let asked = options
        var answer = options
        try call(.runProgram, name) {
            answer = asked
            return bpf_prog_test_run_opts(fd, &answer)
        }
        options = answer
    }
}
