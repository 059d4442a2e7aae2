import CLibBPF
import Glibc
import SystemPackage

/// Something a kernel may or may not be able to do.
public enum KernelFeature: String, CaseIterable, Hashable, Sendable {
    /// Programs of `BPF_PROG_TYPE_SCHED_CLS`.
    case tcPrograms = "tc programs"
    /// TCX links (6.6).
    case tcx = "tcx links"
    /// BPF ring buffers (5.8).
    case ringBuffer = "ring buffer"
    /// LRU hash maps (4.10).
    case lruHash = "LRU hash"
    /// LPM tries (4.11).
    case lpmTrie = "LPM trie"
    /// The helper `bpf_jiffies64` (5.5).
    case jiffies = "bpf_jiffies64"
    /// `membarrier(MEMBARRIER_CMD_GLOBAL)`; kernels with `nohz_full` CPUs lack it.
    case membarrier = "membarrier"

    /// What a probe found.
    public enum Support: Hashable, Sendable {
        /// The kernel can.
        case available
        /// The kernel cannot; the first version that can.
        case missing(minimum: String)
        /// The kernel did not say, for example for want of privileges.
        case inconclusive(BPFError)
    }

    /// Asks the kernel. Costs a few system calls; leaves nothing behind.
    public func probe() -> Support {
        switch self {
        case .tcPrograms: answer(minimum: "4.1") { libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_SCHED_CLS, nil) }
        case .ringBuffer: answer(minimum: "5.8") { libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, nil) }
        case .lruHash: answer(minimum: "4.10") { libbpf_probe_bpf_map_type(BPF_MAP_TYPE_LRU_HASH, nil) }
        case .lpmTrie: answer(minimum: "4.11") { libbpf_probe_bpf_map_type(BPF_MAP_TYPE_LPM_TRIE, nil) }
        case .jiffies:
            answer(minimum: "5.5") {
                libbpf_probe_bpf_helper(BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_jiffies64, nil)
            }
        case .tcx: Libbpf.probeTCX()
        case .membarrier: Libbpf.probeMembarrier()
        }
    }

    /// libbpf's probes answer 1, 0, or a negative errno.
    private func answer(minimum: String, _ probe: () -> Int32) -> Support {
        switch Libbpf.attempt(.queryInfo, probe) {
        case .success(0): .missing(minimum: minimum)
        case .success: .available
        case .failure(let code): .inconclusive(BPFError(.queryInfo, rawValue, errno: code))
        }
    }
}
