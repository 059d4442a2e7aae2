import CLibBPF
import Glibc
import Support
import SystemPackage

/// What has nothing to do with one object.
extension Libbpf {
    /// The loopback's index in every network namespace.
    private static let loopback: Int32 = 1

    /// Asking what is attached changes nothing; a kernel that does not know the attach type says `EINVAL`.
    static func probeTCX() -> KernelFeature.Support {
        var count: UInt32 = 0
        var flags: UInt32 = 0
        let result = attempt(.queryInfo) {
            count = 0
            return bpf_prog_query(loopback, TCXDirection.ingress.attachType, 0, &flags, nil, &count)
        }
        switch result {
        case .success: return .available
        case .failure(.invalidArgument): return .missing(minimum: "6.6")
        case .failure(let code): return .inconclusive(BPFError(.queryInfo, "tcx links", errno: code))
        }
    }

    static func probeMembarrier() -> KernelFeature.Support {
        switch attempt(.queryInfo, { np_membarrier(Int32(MEMBARRIER_CMD_QUERY.rawValue)) }) {
        case .success(let mask):
            mask & Int32(MEMBARRIER_CMD_GLOBAL.rawValue) != 0 ? .available : .missing(minimum: "4.3, no nohz_full")
        case .failure(.noFunction): .missing(minimum: "4.3, built with CONFIG_MEMBARRIER")
        case .failure(let code): .inconclusive(BPFError(.queryInfo, "membarrier", errno: code))
        }
    }
}
