import BPFEmit
import Glibc
import Support

/// A program attached by a TCX link. The link's pin keeps it there when this process is gone.
final class TCXAttachment: HookAttachment {
    let style = AttachmentStyle.tcx
    private let hook: Hook
    private let link: OwnedDescriptor
    private let pin: String?

    /// Attaches a program and pins the link at `pin`; with `nil` the link lives as long as this object.
    init(_ program: BPFProgram, at hook: Hook, pin: String?) throws(BPFError) {
        self.hook = hook
        self.pin = pin
        self.link = try Libbpf.createLink(program: program.fd, ifindex: hook.ifindex, hook.side)
        if let pin { try Libbpf.pin(link.rawValue, hook.description, at: pin) }
    }

    /// Takes over the link another process pinned. `nil`, with the pin removed, when its interface is gone: an
    /// interface that has the same index now is another one.
    init?(adopting hook: Hook, pin: String) throws(BPFError) {
        guard let link = try Libbpf.openPin(pin) else { return nil }
        let info = try Libbpf.linkInfo(link.rawValue, hook.description)
        guard info.ifindex == hook.ifindex, info.attachType == hook.side.attachType.rawValue else {
            try Libbpf.unpin(pin)
            return nil
        }
        self.hook = hook
        self.pin = pin
        self.link = link
    }

    func replace(with program: BPFProgram) throws(BPFError) {
        try Libbpf.updateLink(link.rawValue, to: program.fd, hook.description)
    }

    func programID() throws(BPFError) -> UInt32? {
        let info = try Libbpf.linkInfo(link.rawValue, hook.description)
        return info.ifindex == hook.ifindex ? info.program : nil
    }

    func detach() throws(BPFError) {
        if let pin { try Libbpf.unpin(pin) }
        // A link whose interface went is detached already.
        let isAttached = try Libbpf.linkInfo(link.rawValue, hook.description).ifindex != 0
        if isAttached { try Libbpf.detachLink(link.rawValue, hook.description) }
    }
}
