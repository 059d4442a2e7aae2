import BPFEmit
import Glibc
import Support

/// A program attached by a TCX link, in front of all others at the hook. The link's pin keeps it there when this process is
/// gone.
final class TCXAttachment: HookAttachment {
    let style = AttachmentStyle.tcx
    /// Whether another process made it: an early version attached behind what was there.
    let isAdopted: Bool
    private let hook: Hook
    private let link: OwnedDescriptor
    private let pin: String?
    private var isPinned: Bool

    /// Attaches. `persist` pins the link at `pin`; without one it lives as long as this object. A pin that is there already
    /// belongs to a link that this one replaces.
    init(_ program: BPFProgram, at hook: Hook, pin: String?) throws(BPFError) {
        self.hook = hook
        self.pin = pin
        self.isAdopted = false
        self.isPinned = false
        self.link = try Libbpf.createLink(program: program.fd, ifindex: hook.ifindex, hook.side)
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
        self.isAdopted = true
        self.isPinned = true
    }

    func replace(with program: BPFProgram) throws(BPFError) {
        try Libbpf.updateLink(link.rawValue, to: program.fd, hook.description)
    }

    func programID() throws(BPFError) -> UInt32? {
        let info = try Libbpf.linkInfo(link.rawValue, hook.description)
        return info.ifindex == hook.ifindex ? info.program : nil
    }

    func isAlive() throws(BPFError) -> Bool { try programID() != nil }

    func predecessors() throws(BPFError) -> [String] {
        let own = try programID()
        return try Libbpf.chain(ifindex: hook.ifindex, hook.side).prefix { $0 != own }.map(BPFProgram.label)
    }

    func persist() throws(BPFError) {
        guard let pin, !isPinned else { return }
        try Libbpf.unpin(pin)
        try Libbpf.pin(link.rawValue, hook.description, at: pin)
        isPinned = true
    }

    func detach() throws(BPFError) {
        if let pin { try Libbpf.unpin(pin) }
        try retire()
    }

    func retire() throws(BPFError) {
        // A link whose interface went is detached already.
        let isAttached = try Libbpf.linkInfo(link.rawValue, hook.description).ifindex != 0
        if isAttached { try Libbpf.detachLink(link.rawValue, hook.description) }
    }
}
