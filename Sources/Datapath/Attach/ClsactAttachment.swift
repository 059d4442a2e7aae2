import BPFEmit

/// A program attached as a clsact filter. The interface keeps it there when this process is gone.
final class ClsactAttachment: HookAttachment {
    let style = AttachmentStyle.clsact
    private let hook: Hook

    /// Attaches, in place of a filter of an earlier process.
    init(_ program: BPFProgram, at hook: Hook) throws(BPFError) {
        self.hook = hook
        try Libbpf.attachFilter(program: program.fd, hook)
    }

    /// Takes over a filter that an earlier process attached; `nil` when there is none.
    init?(adopting hook: Hook) throws(BPFError) {
        guard try Libbpf.filterProgram(hook) != nil else { return nil }
        self.hook = hook
    }

    func replace(with program: BPFProgram) throws(BPFError) {
        try Libbpf.attachFilter(program: program.fd, hook)
    }

    func programID() throws(BPFError) -> UInt32? { try Libbpf.filterProgram(hook) }

    func detach() throws(BPFError) { try Libbpf.detachFilter(hook) }
}
