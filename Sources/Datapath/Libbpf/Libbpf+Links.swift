import CLibBPF
import Glibc
import Support
import SystemPackage

/// Attaching programs to interfaces.
extension Libbpf {
    /// `BPF_F_BEFORE` of headers newer than the installed ones: without another program named, before all of them.
    private static let before: UInt32 = 1 << 3

    /// Attaches a program to a TCX hook, in front of those that are there. The installed libbpf has no helper for it; the
    /// plain call works.
    static func createLink(
        program: Int32, ifindex: UInt32, _ direction: TCXDirection
    ) throws(BPFError) -> OwnedDescriptor {
        var options = bpf_link_create_opts()
        options.sz = optionsSize(\bpf_link_create_opts.flags)
        options.flags = before
        return OwnedDescriptor(
            rawValue: try call(.attach, "interface \(ifindex)") {
                bpf_link_create(program, Int32(bitPattern: ifindex), direction.attachType, &options)
            })
    }

    /// `BPF_MPROG_MAX`.
    private static let chainLimit = 64

    /// The ids of the programs at a TCX hook, in the order they run; none where there is no such interface or hook.
    static func chain(ifindex: UInt32, _ direction: TCXDirection) throws(BPFError) -> [UInt32] {
        var ids = [UInt32](repeating: 0, count: chainLimit)
        var count: UInt32 = 0
        var flags: UInt32 = 0
        let result = attempt(.queryInfo) {
            count = UInt32(chainLimit)
            return bpf_prog_query(
                Int32(bitPattern: ifindex), direction.attachType, 0, &flags, &ids, &count)
        }
        switch result {
        case .success: return Array(ids.prefix(Int(count)))
        case .failure(let code) where isGone(code): return []
        case .failure(let code): throw BPFError(.queryInfo, "programs at interface \(ifindex)", errno: code)
        }
    }

    /// Attaches an SK_LOOKUP program to a network namespace.
    static func createLookupLink(program: Int32, namespace: Int32, _ name: String) throws(BPFError) -> OwnedDescriptor {
        OwnedDescriptor(
            rawValue: try call(.attach, name) { bpf_link_create(program, namespace, BPF_SK_LOOKUP, nil) })
    }

    static func updateLink(_ link: Int32, to program: Int32, _ name: String) throws(BPFError) {
        try call(.updateAttachment, name) { bpf_link_update(link, program, nil) }
    }

    /// Detaches at once; without this a link goes when its last descriptor and pin have.
    static func detachLink(_ link: Int32, _ name: String) throws(BPFError) {
        try call(.detach, name) { bpf_link_detach(link) }
    }

    /// What a link says of itself.
    struct LinkInfo {
        let id: UInt32
        let program: UInt32
        /// 0 when the interface is gone.
        let ifindex: UInt32
        let attachType: UInt32
    }

    static func linkInfo(_ link: Int32, _ name: String) throws(BPFError) -> LinkInfo {
        var info = bpf_link_info()
        var size = UInt32(MemoryLayout<bpf_link_info>.size)
        try call(.queryInfo, name) { bpf_obj_get_info_by_fd(link, &info, &size) }
        // Headers older than TCX: its members lie where those of network namespace links do.
        return LinkInfo(
            id: info.id, program: info.prog_id, ifindex: info.netns.netns_ino, attachType: info.netns.attach_type)
    }

    /// The place of netpold's filter among those of an interface.
    static let filterHandle: UInt32 = 0x6e70
    static let filterPriority: UInt32 = 1

    /// Attaches a program to a clsact hook, in place of the one netpold attached there before, or, with `replaces` false, only where
    /// there is none.
    static func attachFilter(program: Int32, _ hook: Hook, replaces: Bool = true) throws(BPFError) {
        var place = bpf_tc_hook(hook)
        if case .failure(let code) = attempt(.attach, { bpf_tc_hook_create(&place) }), code != .fileExists {
            throw BPFError(.attach, hook.description, errno: code, detail: "no clsact queueing discipline")
        }
        var options = filterOptions()
        options.prog_fd = program
        options.flags = replaces ? UInt32(BPF_TC_F_REPLACE.rawValue) : 0
        switch attempt(.attach, { bpf_tc_attach(&place, &options) }) {
        case .success: break
        case .failure(.fileExists) where !replaces: break
        case .failure(let code): throw BPFError(.attach, hook.description, errno: code)
        }
    }

    /// The id of the program netpold attached; `nil` when there is none, or no such interface.
    static func filterProgram(_ hook: Hook) throws(BPFError) -> UInt32? {
        var place = bpf_tc_hook(hook)
        var options = filterOptions()
        switch attempt(.queryInfo, { bpf_tc_query(&place, &options) }) {
        case .success: return options.prog_id
        case .failure(let code) where isGone(code): return nil
        case .failure(let code): throw BPFError(.queryInfo, hook.description, errno: code)
        }
    }

    /// Removes netpold's filter. The queueing discipline stays: others may be using it.
    static func detachFilter(_ hook: Hook) throws(BPFError) {
        var place = bpf_tc_hook(hook)
        var options = filterOptions()
        let result = attempt(.detach, { bpf_tc_detach(&place, &options) })
        if case .failure(let code) = result, !isGone(code) {
            throw BPFError(.detach, hook.description, errno: code)
        }
    }

    /// Whether there is no filter, no interface, or (`EINVAL`) no clsact at it, or no TCX.
    private static func isGone(_ code: Errno) -> Bool {
        [.noSuchFileOrDirectory, .invalidArgument, .operationNotSupportedByDevice].contains(code)
    }

    private static func filterOptions() -> bpf_tc_opts {
        var options = bpf_tc_opts()
        options.sz = optionsSize(\bpf_tc_opts.priority)
        options.handle = filterHandle
        options.priority = filterPriority
        return options
    }
}

extension bpf_tc_hook {
    fileprivate init(_ hook: Hook) {
        self.init()
        sz = Libbpf.optionsSize(\bpf_tc_hook.parent)
        ifindex = Int32(bitPattern: hook.ifindex)
        attach_point = hook.side == .ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS
    }
}
