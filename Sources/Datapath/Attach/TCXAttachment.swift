import BPFEmit
import Glibc
import Support

/// A program attached by a TCX link, in front of all others at the hook. The link's pin keeps it there when this process is
/// gone.
final class TCXAttachment: HookAttachment {
    /// What the name of a pin ends in until it takes its place. (A bpffs refuses names with dots.)
    static let draft = "-new"

    let style = AttachmentStyle.tcx
    /// Whether another process made it: an early version attached behind what was there.
    let isAdopted: Bool
    private let hook: Hook
    private let link: OwnedDescriptor
    private let pin: String?
    private var isPinned: Bool
    /// Where a program of another version has pinned the link.
    private var formerPin: String?

    /// Attaches. A pin that is there already belongs to a link that this one replaces.
    ///
    /// - Parameters:
    ///   - program: what is attached.
    ///   - hook: where.
    ///   - pin: where the link is to be pinned, by `persist`; `nil` leaves it to live as long as this object.
    /// - Throws: when the kernel refuses the link; nothing is attached then.
    init(_ program: BPFProgram, at hook: Hook, pin: String?) throws(BPFError) {
        self.hook = hook
        self.pin = pin
        self.isAdopted = false
        self.isPinned = false
        self.link = try Libbpf.createLink(program: program.fd, ifindex: hook.ifindex, hook.side)
    }

    /// Takes over the link another process pinned. `nil`, with the pin removed, when its interface is gone: an
    /// interface that has the same index now is another one.
    ///
    /// - Parameters:
    ///   - hook: what its name says.
    ///   - pin: where it is pinned, or, when `former` says where it is, where `persist` is to pin it.
    ///   - former: the pin of a program of another version. It goes when the link is pinned anew, not before: whichever
    ///     version starts next finds the link.
    /// - Throws: when the pin cannot be opened, or the kernel does not say what it is.
    init?(adopting hook: Hook, pin: String, former: String? = nil) throws(BPFError) {
        guard let link = try Libbpf.openPin(former ?? pin) else { return nil }
        let info = try Libbpf.linkInfo(link.rawValue, hook.description)
        guard info.ifindex == hook.ifindex, info.attachType == hook.side.attachType.rawValue else {
            try Libbpf.unpin(former ?? pin)
            return nil
        }
        self.hook = hook
        self.pin = pin
        self.link = link
        self.isAdopted = true
        self.isPinned = former == nil
        self.formerPin = former
    }

    /// The kernel's number of the link.
    func linkID() throws(BPFError) -> UInt32 { try Libbpf.linkInfo(link.rawValue, hook.description).id }

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

    @discardableResult
    func persist() throws(BPFError) -> Bool {
        // Somebody may have removed the pin: without it the link is only as old as this process gets.
        let isToBePinned = pin.map { !isPinned || !Libbpf.isThere($0) } ?? false
        if let pin, isToBePinned {
            // The existing pin may be the only reference to the former link. The rename replaces it, so the former link ends when this
            // one is pinned.
            let former = try Libbpf.openPin(pin)
            let draft = pin + TCXAttachment.draft
            try Libbpf.unpin(draft)
            try Libbpf.pin(link.rawValue, hook.description, at: draft)
            try Libbpf.movePin(draft, to: pin)
            isPinned = true
            // The kernel would detach it some time later (a work item behind an RCU grace period), and until then its program,
            // perhaps the gate that drops everything, would judge packets beside this one.
            if let former { try TCXAttachment.detach(former, from: hook) }
        }
        try forget()
        return isToBePinned
    }

    func detach() throws(BPFError) {
        if let pin { try Libbpf.unpin(pin) }
        try retire()
    }

    private func forget() throws(BPFError) {
        if let formerPin { try Libbpf.unpin(formerPin) }
        formerPin = nil
    }

    func retire() throws(BPFError) {
        try forget()
        try TCXAttachment.detach(link, from: hook)
    }

    private static func detach(_ link: borrowing OwnedDescriptor, from hook: Hook) throws(BPFError) {
        // A link whose interface went is detached already.
        let isAttached = try Libbpf.linkInfo(link.rawValue, hook.description).ifindex != 0
        if isAttached { try Libbpf.detachLink(link.rawValue, hook.description) }
    }
}
