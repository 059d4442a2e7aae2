import BPFEmit

/// A program attached as a clsact filter. The interface keeps it there when this process is gone.
final class ClsactAttachment: HookAttachment {
    let style = AttachmentStyle.clsact
    let isAdopted: Bool
    private let hook: Hook

    /// Attaches, in place of a filter of an earlier process.
    init(_ program: BPFProgram, at hook: Hook) throws(BPFError) {
        self.hook = hook
        self.isAdopted = false
        try Libbpf.attachFilter(program: program.fd, hook)
    }

    /// Takes over a filter that an earlier process attached; `nil` when there is none.
    ///
    /// - Parameters:
    ///   - hook: where it is.
    ///   - steps: with it, only a filter whose program jumps by one of these maps counts: that of the same instance.
    /// - Throws: when the kernel does not say what is there.
    init?(adopting hook: Hook, steps: Set<UInt32>? = nil) throws(BPFError) {
        guard let id = try Libbpf.filterProgram(hook) else { return nil }
        if let steps {
            let program = try BPFProgram(try Libbpf.program(id: id), name: "program \(id)")
            // What closed the interface before the instance had maps (`InterfaceGate`) jumps by none.
            let isGate = try BPFProgram.kernelName(id) == BPFProgram.closingName
            let maps = try program.mapIDs()
            guard isGate || !steps.isDisjoint(with: maps) else { return nil }
        }
        self.hook = hook
        self.isAdopted = true
    }

    /// The kernel puts the new program into the filter's place in one step; a filter that somebody removed is made again.
    func replace(with program: BPFProgram) throws(BPFError) {
        try Libbpf.attachFilter(program: program.fd, hook)
    }

    func programID() throws(BPFError) -> UInt32? { try Libbpf.filterProgram(hook) }

    func isAlive() throws(BPFError) -> Bool { try programID() != nil }

    func predecessors() throws(BPFError) -> [String] {
        // Programs of TCX run before every filter.
        let links = try Libbpf.chain(ifindex: hook.ifindex, hook.side).map(BPFProgram.label)
        let filters: [FilterRecord]
        do {
            filters = try NetlinkSocket().filters(of: hook.ifindex, hook.side)
        } catch {
            throw BPFError(.queryInfo, hook.description, errno: .ioError, detail: "\(error)")
        }
        let before = filters.prefix { $0.priority != Libbpf.filterPriority || $0.handle != Libbpf.filterHandle }
        return links + before.map(\.description)
    }

    @discardableResult
    func persist() -> Bool { false }

    func detach() throws(BPFError) { try Libbpf.detachFilter(hook) }

    func retire() throws(BPFError) { try detach() }
}
