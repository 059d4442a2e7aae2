import CLibBPF
import CLinux
import Glibc
import Support
import SystemPackage

/// Waiting for the programs that are running.
enum RunningPrograms {
    /// Returns when every program that was running at the call has ended: afterwards no packet is being decided by what
    /// was replaced before the call.
    ///
    /// Programs at tc hooks run with softirqs off, so the scheduler takes no CPU from them: when this thread has run on every
    /// CPU, none of those programs runs any more. That takes 0.1 ms; the kernel's own ways, which wait for an RCU grace
    /// period, 5 to 28 ms (docs/decisions/0017). They remain for machines on which this does not hold: real-time kernels,
    /// whose softirqs are threads, and those with CPUs that this thread may not use or that belong to somebody.
    static func wait() throws(BPFError) {
        let wasOnAll = Libbpf.attempt(.waitForReaders) { visitEveryCPU() ? 0 : -EOPNOTSUPP }
        if case .success = wasOnAll { return }
        // Waits for a grace period. Kernels with `nohz_full` CPUs refuse it, and some are built without it.
        if case .success = Libbpf.attempt(.waitForReaders, { np_membarrier(Int32(MEMBARRIER_CMD_GLOBAL.rawValue)) }) {
            return
        }
        try changeArrayOfMaps()
    }

    // MARK: on every CPU

    /// Whether the calling thread has run on every CPU that is online.
    static func visitEveryCPU() -> Bool {
        guard text("/sys/kernel/realtime")?.first != UInt8(ascii: "1"),
            isEmpty("/sys/devices/system/cpu/isolated"), isEmpty("/sys/devices/system/cpu/nohz_full"),
            let online = text("/sys/devices/system/cpu/online").flatMap(CPUList.parse)
        else { return false }
        guard let before = ThreadAffinity() else { return false }
        defer { _ = before.apply() }
        return online.allSatisfy { cpu in ThreadAffinity(cpu: Int(cpu))?.apply() == 0 }
    }

    /// Whether a list of CPUs is empty (`\n`, or `(null)` in kernels before 6.9), or not there.
    private static func isEmpty(_ path: String) -> Bool {
        guard let text = text(path) else { return true }
        return CPUList.parse(text) == nil
    }

    /// A short file of the kernel's, whole.
    private static func text(_ path: String) -> [UInt8]? {
        guard let bytes = try? FileContent.read(path, limit: textLimit), bytes.count < textLimit else { return nil }
        return bytes
    }

    private static let textLimit = 4096

    // MARK: by the kernel

    /// The wait that the kernel makes when an array of maps changes ("maybe_wait_bpf_programs").
    private static func changeArrayOfMaps() throws(BPFError) {
        let inner = try Libbpf.createMap(
            type: BPF_MAP_TYPE_ARRAY, name: "np_grace_inner", keySize: 4, valueSize: 4, capacity: 1, flags: 0)
        var options = bpf_map_create_opts()
        options.sz = Libbpf.optionsSize(\bpf_map_create_opts.map_ifindex)
        options.inner_map_fd = UInt32(bitPattern: inner.rawValue)
        let outer = OwnedDescriptor(
            rawValue: try Libbpf.call(.createMap, "np_grace") {
                bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "np_grace", 4, 4, 1, &options)
            })
        var key: UInt32 = 0
        var value = inner.rawValue
        defer {
            withExtendedLifetime(inner) {}
            withExtendedLifetime(outer) {}
        }
        let fd = outer.rawValue
        try Libbpf.call(.waitForReaders, "np_grace") { bpf_map_update_elem(fd, &key, &value, UInt64(BPF_ANY)) }
    }
}

/// A list of CPUs as the kernel writes it.
enum CPUList {
    /// The CPUs of `0-3,5\n`; `nil` for anything else, an empty list among it.
    static func parse(_ text: [UInt8]) -> [Int32]? {
        var cpus: [Int32] = []
        for part in String(decoding: text, as: UTF8.self).split(separator: "\n").first?.split(separator: ",") ?? [] {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int32($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first >= 0,
                first <= last, last < Int32(NP_CPU_MASK_WORDS) * 64
            else { return nil }
            cpus += first...last
        }
        return cpus.isEmpty ? nil : cpus
    }
}
