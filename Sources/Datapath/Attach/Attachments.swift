import BPFEmit

/// Everything one instance has attached, by hook.
///
/// A hook is never without a program on the way from one to the next: links are updated, filters replaced in place, and where
/// neither can be the new one is attached before the old one goes. What fails leaves the old one where it is.
final class Attachments {
    /// How new programs are attached; never `automatic`.
    let style: AttachmentStyle
    private let pins: PinPath?
    private var attached: [Hook: any HookAttachment] = [:]

    /// Nothing attached yet.
    ///
    /// - Parameters:
    ///   - style: how to attach; `automatic` becomes what this kernel can do.
    ///   - pins: where links are pinned; `nil` for an instance that ends with its process.
    /// - Throws: when the kernel did not say whether it has TCX links, or lacks them and `tcx` was asked for by name.
    init(style: AttachmentStyle, pins: PinPath?) throws(BPFError) {
        self.style = try style.resolved()
        self.pins = pins
    }

    /// The hooks something is attached to.
    var hooks: Set<Hook> { Set(attached.keys) }

    /// How a hook's program is attached; `nil` when none is.
    func style(at hook: Hook) -> AttachmentStyle? { attached[hook]?.style }

    /// The kernel's number of the program at a hook; `nil` when there is none.
    func programID(at hook: Hook) throws(BPFError) -> UInt32? { try attached[hook]?.programID() }

    /// Whether something is attached to a hook whose interface is still there.
    func isAlive(_ hook: Hook) throws(BPFError) -> Bool { try attached[hook]?.isAlive() ?? false }

    /// What runs before the hook's program, in words, in order; `nil` when none is attached.
    func predecessors(at hook: Hook) throws(BPFError) -> [String]? { try attached[hook]?.predecessors() }

    /// Takes over what an earlier process left: pinned links, filters at these interfaces, and filters at others whose
    /// programs jump by the same map.
    func adopt(interfaces: some Sequence<UInt32>, others: some Sequence<UInt32>, steps: UInt32) throws(BPFError) {
        if let pins {
            for name in try Libbpf.names(in: pins.links) {
                guard let hook = Hook(pinName: name) else { continue }
                attached[hook] = try TCXAttachment(adopting: hook, pin: "\(pins.links)/\(name)")
            }
        }
        for hook in interfaces.flatMap(Hook.both(of:)) where hook.ifindex != 0 && attached[hook] == nil {
            attached[hook] = try ClsactAttachment(adopting: hook)
        }
        for hook in others.flatMap(Hook.both(of:)) where attached[hook] == nil {
            attached[hook] = try ClsactAttachment(adopting: hook, steps: steps)
        }
    }

    /// Makes a hook run a program.
    ///
    /// - Returns: whether anything had to be done.
    /// - Throws: the hook then runs what it ran before, or, where nothing did, what `programID` says.
    func attach(_ program: BPFProgram, at hook: Hook) throws(BPFError) -> Bool {
        guard style != .none else { return false }
        guard let present = attached[hook] else {
            try make(program, at: hook).persist()
            return true
        }
        if present.style == style, try present.isAlive() {
            guard try mustMove(present) else {
                let isThere = try present.runs(program)
                if !isThere { try present.replace(with: program) }
                try present.persist()
                return !isThere
            }
        }
        // Its interface is gone and another one has the number; or it is attached otherwise, or behind somebody: then both
        // run for a moment.
        try make(program, at: hook).persist()
        // A filter that was made again is in the place of the old one.
        if present.style != .clsact || style != .clsact { try present.retire() }
        return true
    }

    /// Takes a hook's program off.
    func detach(_ hook: Hook) throws(BPFError) {
        guard let present = attached[hook] else { return }
        try present.detach()
        attached[hook] = nil
    }

    /// Whether a link of another process stands behind somebody. One of our own was in front when it was made: who went in
    /// front of it did so on purpose, and would again.
    private func mustMove(_ present: any HookAttachment) throws(BPFError) -> Bool {
        guard present.style == .tcx, present.isAdopted else { return false }
        return try !present.predecessors().isEmpty
    }

    private func make(_ program: BPFProgram, at hook: Hook) throws(BPFError) -> any HookAttachment {
        let made: any HookAttachment =
            style == .clsact
            ? try ClsactAttachment(program, at: hook)
            : try TCXAttachment(program, at: hook, pin: pins.map { "\($0.links)/\(hook.pinName)" })
        attached[hook] = made
        return made
    }
}
