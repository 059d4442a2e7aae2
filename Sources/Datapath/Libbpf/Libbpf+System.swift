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

    /// Returns when every program that was running at the call has ended: afterwards no packet is being decided by what
    /// was replaced before the call.
    ///
    /// Programs run inside an RCU read section; `membarrier` waits for a grace period. Kernels with `nohz_full` CPUs
    /// refuse it, and some are built without it; there the kernel's own wait does, which it makes when an array of maps changes ("maybe_wait_bpf_programs").
    static func waitForRunningPrograms() throws(BPFError) {
        if case .success = attempt(.waitForReaders, { np_membarrier(Int32(MEMBARRIER_CMD_GLOBAL.rawValue)) }) {
            return
        }
        let inner = try createMap(
            type: BPF_MAP_TYPE_ARRAY, name: "np_grace_inner", keySize: 4, valueSize: 4, capacity: 1, flags: 0)
        var options = bpf_map_create_opts()
        options.sz = optionsSize(\bpf_map_create_opts.map_ifindex)
        options.inner_map_fd = UInt32(bitPattern: inner.rawValue)
        let outer = OwnedDescriptor(
            rawValue: try call(.createMap, "np_grace") {
                bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "np_grace", 4, 4, 1, &options)
            })
        var key: UInt32 = 0
        var value = inner.rawValue
        defer {
            withExtendedLifetime(inner) {}
            withExtendedLifetime(outer) {}
        }
        let fd = outer.rawValue
        try call(.waitForReaders, "np_grace") { bpf_map_update_elem(fd, &key, &value, UInt64(BPF_ANY)) }
    }
}
