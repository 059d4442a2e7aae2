import BPFEmit

/// Everything one instance has attached, by hook.
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

    /// Takes over what an earlier process left: pinned links, and filters at these interfaces.
    func adopt(interfaces: some Sequence<UInt32>) throws(BPFError) {
        if let pins {
            for name in try Libbpf.names(in: pins.links) {
                guard let hook = Hook(pinName: name) else { continue }
                attached[hook] = try TCXAttachment(adopting: hook, pin: "\(pins.links)/\(name)")
            }
        }
        for hook in interfaces.flatMap(Hook.both(of:)) where hook.ifindex != 0 && attached[hook] == nil {
            attached[hook] = try ClsactAttachment(adopting: hook)
        }
    }

    /// Makes a hook run a program. What was attached in another style is taken off after the new one is on.
    ///
    /// - Returns: whether anything had to be done.
    /// - Throws: with the program before still attached, if there was one: an error never leaves a hook empty.
    func attach(_ program: BPFProgram, at hook: Hook) throws(BPFError) -> Bool {
        guard style != .none else { return false }
        let present = attached[hook]
        if let present, present.style == style {
            if try present.runs(program) { return false }
            do {
                try present.replace(with: program)
                return true
            } catch {
                guard try present.programID() == nil else { throw error }
                // The interface of the link is gone, and another one may have its index now: this only forgets the link.
                try detach(hook)
            }
        }
        attached[hook] = try make(program, at: hook)
        if let present, present.style != style { try present.detach() }
        return true
    }

    /// Takes a hook's program off.
    func detach(_ hook: Hook) throws(BPFError) {
        guard let present = attached[hook] else { return }
        try present.detach()
        attached[hook] = nil
    }

    private func make(_ program: BPFProgram, at hook: Hook) throws(BPFError) -> any HookAttachment {
        if style == .clsact { return try ClsactAttachment(program, at: hook) }
        return try TCXAttachment(program, at: hook, pin: pins.map { "\($0.links)/\(hook.pinName)" })
    }
}
