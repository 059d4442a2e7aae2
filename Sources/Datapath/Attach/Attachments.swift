package import BPFEmit

/// Everything one instance has attached, by hook.
///
/// A hook is never without a program on the way from one to the next: links are updated, filters replaced in place, and where
/// neither can be the new one is attached before the old one goes. What fails leaves the old one where it is.
package final class Attachments {
    /// How new programs are attached; never `automatic`.
    let style: AttachmentStyle
    private let pins: PinPath?
    private var attached: [Hook: any HookAttachment] = [:]
    /// Hooks whose program is one of another version.
    private(set) var foreign: Set<Hook> = []
    /// What runs beside the hook's attachment: left by a process that was killed while it replaced one by the other.
    private var superseded: [(hook: Hook, attachment: any HookAttachment)] = []

    /// Nothing attached yet.
    ///
    /// - Parameters:
    ///   - style: how to attach; `automatic` becomes what this kernel can do.
    ///   - pins: where links are pinned; `nil` for an instance that ends with its process.
    /// - Throws: when the kernel did not say whether it has TCX links, or lacks them and `tcx` was asked for by name.
    package init(style: AttachmentStyle, pins: PinPath?) throws(BPFError) {
        self.style = try style.resolved()
        self.pins = pins
    }

    /// The hooks something is attached to.
    package var hooks: Set<Hook> { Set(attached.keys) }

    /// How a hook's program is attached; `nil` when none is.
    func style(at hook: Hook) -> AttachmentStyle? { attached[hook]?.style }

    /// The kernel's number of the program at a hook; `nil` when there is none.
    func programID(at hook: Hook) throws(BPFError) -> UInt32? { try attached[hook]?.programID() }

    /// The kernel's numbers of the instance's programs at a hook: one, but for what runs beside it.
    func programs(at hook: Hook) throws(BPFError) -> [UInt32] {
        var found = [try programID(at: hook)].compactMap(\.self)
        for entry in superseded where entry.hook == hook {
            if let id = try entry.attachment.programID() { found.append(id) }
        }
        return found
    }

    /// Whether something is attached to a hook whose interface is still there.
    func isAlive(_ hook: Hook) throws(BPFError) -> Bool { try attached[hook]?.isAlive() ?? false }

    /// What runs before the hook's program, in words, in order; `nil` when none is attached.
    func predecessors(at hook: Hook) throws(BPFError) -> [String]? { try attached[hook]?.predecessors() }

    /// What runs at a hook beside the instance's programs, in words.
    func others(at hook: Hook) throws(BPFError) -> [String] {
        let own = Set(try programs(at: hook))
        let links = try Libbpf.chain(ifindex: hook.ifindex, hook.side).filter { !own.contains($0) }
        let filters: [FilterRecord]
        do {
            filters = try NetlinkSocket().filters(of: hook.ifindex, hook.side)
        } catch {
            throw BPFError(.queryInfo, hook.description, errno: .ioError, detail: "\(error)")
        }
        let strange = filters.filter {
            $0.priority != Libbpf.filterPriority || $0.handle != Libbpf.filterHandle || attached[hook] == nil
        }
        return links.map(BPFProgram.label) + strange.map(\.description)
    }

    /// Takes over what earlier processes left, of this version or others: pinned links, and filters whose programs jump by one of
    /// the instance's maps.
    ///
    /// - Parameters:
    ///   - interfaces: those of the namespace.
    ///   - steps: the id of this version's np_steps; `nil` when there is none.
    ///   - others: the other versions' folders of links, and the ids of their np_steps.
    /// - Throws: when the kernel does not say what is attached.
    func adopt(
        interfaces: some Sequence<UInt32>, steps: UInt32?, others: [(links: String, steps: UInt32?)]
    ) throws(BPFError) {
        if let pins {
            let names = try Libbpf.names(in: pins.links)
            for name in names {
                guard let hook = Hook(pinName: name) else { continue }
                attached[hook] = try TCXAttachment(adopting: hook, pin: "\(pins.links)/\(name)")
            }
            for name in names where name.hasSuffix(TCXAttachment.draft) {
                guard let hook = Hook(pinName: String(name.dropLast(TCXAttachment.draft.count))) else { continue }
                try adoptLink(at: hook, former: "\(pins.links)/\(name)", pin: "\(pins.links)/\(hook.pinName)")
            }
            for links in others.map(\.links) {
                for name in try Libbpf.names(in: links) {
                    let plain =
                        name.hasSuffix(TCXAttachment.draft) ? String(name.dropLast(TCXAttachment.draft.count)) : name
                    guard let hook = Hook(pinName: plain) else { continue }
                    try adoptLink(at: hook, former: "\(links)/\(name)", pin: "\(pins.links)/\(plain)")
                }
            }
        }
        let own = Set([steps].compactMap(\.self) + others.compactMap(\.steps))
        for hook in interfaces.flatMap(Hook.both(of:)) {
            guard let filter = try ClsactAttachment(adopting: hook, steps: own) else { continue }
            if attached[hook] == nil { attached[hook] = filter } else { superseded.append((hook, filter)) }
        }
        guard !others.isEmpty else { return }
        for (hook, attachment) in attached {
            if let steps, try attachment.mapIDs().contains(steps) { continue }
            foreign.insert(hook)
        }
    }

    private func adoptLink(at hook: Hook, former: String, pin: String) throws(BPFError) {
        guard let link = try TCXAttachment(adopting: hook, pin: pin, former: former) else { return }
        guard let present = attached[hook] as? TCXAttachment else {
            attached[hook] = link
            return
        }
        // The same link under two versions: one of them was killed on the way. Two links: both judge every packet.
        if try present.linkID() == link.linkID() { try Libbpf.unpin(former) } else { superseded.append((hook, link)) }
    }

    /// Takes off what runs beside programs that do the same.
    func retireSuperseded() throws(BPFError) {
        while let last = superseded.last {
            try last.attachment.retire()
            superseded.removeLast()
        }
    }

    /// Makes a hook run a program.
    ///
    /// - Returns: whether anything had to be done.
    /// - Throws: the hook then runs what it ran before, or, where nothing did, what `programID` says.
    package func attach(_ program: BPFProgram, at hook: Hook) throws(BPFError) -> Bool {
        guard style != .none else { return false }
        let hasChanged = try put(program, at: hook)
        foreign.remove(hook)
        return hasChanged
    }

    private func put(_ program: BPFProgram, at hook: Hook) throws(BPFError) -> Bool {
        guard let present = attached[hook] else {
            try make(program, at: hook).persist()
            return true
        }
        if present.style == style, try present.isAlive() {
            guard try mustMove(present) else {
                let isThere = try present.runs(program)
                if !isThere { try present.replace(with: program) }
                return try present.persist() || !isThere
            }
        }
        // Its interface is gone and another one has the number; or it is attached otherwise, or behind somebody: then both
        // run for a moment.
        let made = try make(program, at: hook)
        // A filter that was made again is in the place of the old one.
        if present.style != .clsact || style != .clsact { superseded.append((hook, present)) }
        try made.persist()
        try retireSuperseded()
        return true
    }

    /// Takes a hook's program off.
    package func detach(_ hook: Hook) throws(BPFError) {
        guard let present = attached[hook] else { return }
        for entry in superseded where entry.hook == hook { try entry.attachment.retire() }
        superseded.removeAll { $0.hook == hook }
        try present.detach()
        attached[hook] = nil
        foreign.remove(hook)
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
