public import BPFEmit
import CNetpoldABI
import NetTypes
import Support

/// Closes interfaces before anybody enforces them: `netpold cni` does so while a pod is being made, whether an agent runs or not.
///
/// What closes an interface is put where the agent puts its programs (the pins of links, the place of the clsact filter). So an agent
/// takes its place in one step, one that starts later adopts it, and `detach` removes it.
public struct InterfaceGate {
    /// The folder of pins in use: that of the agent that runs, which may be of another version.
    private let folder: String
    /// Whether it is this version's, whose steps are known.
    private let isOwn: Bool
    private let style: AttachmentStyle

    /// The gate of an instance.
    ///
    /// - Throws: when the bpffs cannot be used, or the kernel does not say how programs are attached.
    public init(_ pins: PinPath, style: AttachmentStyle = .automatic) throws(BPFError) {
        self.style = try style.resolved()
        try pins.create()
        let candidates = [pins.folder] + (try pins.others()).reversed()
        var used = pins.folder
        for folder in candidates where try Libbpf.openPin("\(folder)/np_steps") != nil {
            used = folder
            break
        }
        folder = used
        isOwn = used == pins.folder
    }

    /// Closes both directions of an interface where nothing of the instance is attached.
    ///
    /// - Throws: when the kernel refuses: then the direction named is open.
    public func close(_ ifindex: UInt32) throws(BPFError) {
        for hook in Hook.both(of: ifindex) where try !isDecided(hook) {
            let program = try closed(hook.direction)
            switch style {
            case .clsact:
                // An agent that attaches at the same moment keeps its own.
                try Libbpf.attachFilter(program: program.fd, hook, replaces: false)
            case .tcx, .automatic, .none: try pin(program, at: hook)
            }
        }
    }

    /// Whether both directions have a program of the instance, one that closes included.
    public func isDecided(_ ifindex: UInt32) throws(BPFError) -> Bool {
        for hook in Hook.both(of: ifindex) where try !isDecided(hook) { return false }
        return true
    }

    /// Removes the pins of links whose interface is gone. The agent does so too; without one they would stay.
    public func sweep() throws(BPFError) {
        for name in try Libbpf.names(in: "\(folder)/links") {
            guard let hook = Hook(pinName: name), let link = try Libbpf.openPin("\(folder)/links/\(name)") else {
                continue
            }
            // The number may be another interface's by now: the link says whether it is attached.
            guard try Libbpf.linkInfo(link.rawValue, hook.description).ifindex == 0 else { continue }
            try Libbpf.unpin("\(folder)/links/\(name)")
        }
    }

    private func isDecided(_ hook: Hook) throws(BPFError) -> Bool {
        switch style {
        case .clsact: return try Libbpf.filterProgram(hook) != nil
        case .tcx, .automatic, .none:
            guard let link = try Libbpf.openPin(path(hook)) else { return false }
            return try Libbpf.linkInfo(link.rawValue, hook.description).ifindex == hook.ifindex
        }
    }

    /// Attaches in front of what is there and pins. An agent that pins at the same moment keeps its own.
    private func pin(_ program: BPFProgram, at hook: Hook) throws(BPFError) {
        let link = try Libbpf.createLink(program: program.fd, ifindex: hook.ifindex, hook.side)
        do {
            // The link of an interface that is gone and had the same number.
            if try Libbpf.openPin(path(hook)) != nil, try !isDecided(hook) { try Libbpf.unpin(path(hook)) }
            try Libbpf.pin(link.rawValue, hook.description, at: path(hook))
        } catch {
            guard error.errno == .fileExists, try isDecided(hook) else { throw error }
        }
    }

    private func path(_ hook: Hook) -> String { "\(folder)/links/\(hook.pinName)" }

    /// A program that drops everything: with the instance's steps, so that what it drops is counted, or alone before there are any.
    private func closed(_ direction: Direction) throws(BPFError) -> BPFProgram {
        let steps: BPFMap? =
            if isOwn, let pinned = try Libbpf.openPin("\(folder)/np_steps") {
                try BPFMap(pinned, name: "np_steps")
            } else { nil }
        return try BPFProgram.closing(direction, steps: steps)
    }
}
