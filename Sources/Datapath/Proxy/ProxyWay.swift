import BPFEmit
import CNetpoldABI
import Support

/// The way between the node and the L7 proxy's namespace: the pair, with what is attached to both ends. It outlives the process where
/// the instance is pinned.
final class ProxyWay {
    /// The name of the pin of np_dns_lesson, which the proxy runs.
    static let lessonPin = "proxy-lesson"
    /// Names of the pins of the two links; no hook of a pod has them.
    private static let ingressPin = "proxy-ingress"
    private static let lookupPin = "proxy-lookup"

    private let place: ProxyPlace
    private let parts: ProxyParts
    private let ingress: (any HookAttachment)?
    private let lookup: OwnedDescriptor

    /// Opens it: makes the namespace unless it is there, puts this version's programs into their places, and tells the datapath.
    ///
    /// - Parameters:
    ///   - place: where.
    ///   - style: how programs are attached.
    ///   - pins: where links are pinned; `nil` for an instance that ends with its process.
    ///   - parts: of the loaded object.
    /// - Throws: `EOPNOTSUPP` without parts; else what the kernel refused. Flows for the proxy are refused then.
    init(_ place: ProxyPlace, _ style: AttachmentStyle, _ pins: PinPath?, _ parts: ProxyParts?) throws(BPFError) {
        guard let parts else { throw BPFError(.attach, place.namespace, errno: .notSupportedOnSocket) }
        self.place = place
        self.parts = parts
        let namespace: NetworkNamespace
        let interface: UInt32
        do {
            (namespace, interface) = try place.establish()
        } catch {
            throw BPFError(.attach, place.namespace, errno: .ioError, detail: "\(error)")
        }
        ingress = try ProxyWay.attach(
            parts.fromProxy, at: Hook(ifindex: interface, direction: .egress), style,
            pin: pins.map { "\($0.links)/\(ProxyWay.ingressPin)" })
        lookup = try ProxyWay.attach(
            parts.toListener, in: namespace, pin: pins.map { "\($0.links)/\(ProxyWay.lookupPin)" })
        if let pins { try ProxyWay.pin(parts.lesson, at: "\(pins.links)/\(ProxyWay.lessonPin)") }
        // Last: now it is one.
        let mac = place.innerAddress.bytes
        try parts.way.set(
            UInt32(0),
            np_proxy(interface: interface, mac: (mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]), pad: (0, 0)))
    }

    private static func attach(
        _ program: BPFProgram, at hook: Hook, _ style: AttachmentStyle, pin: String?
    ) throws(BPFError) -> (any HookAttachment)? {
        switch style {
        case .none: return nil
        case .clsact: return try ClsactAttachment(program, at: hook)
        case .tcx, .automatic:
            if let pin, let present = try TCXAttachment(adopting: hook, pin: pin), try present.isAlive() {
                if try !present.runs(program) { try present.replace(with: program) }
                return present
            }
            let made = try TCXAttachment(program, at: hook, pin: pin)
            try made.persist()
            return made
        }
    }

    private static func attach(
        _ program: BPFProgram, in namespace: NetworkNamespace, pin: String?
    ) throws(BPFError) -> OwnedDescriptor {
        if let pin, let present = try Libbpf.openPin(pin) {
            // Of a namespace that is gone: the link is of nothing.
            if try Libbpf.linkInfo(present.rawValue, pin).ifindex == namespace.number() {
                try Libbpf.updateLink(present.rawValue, to: program.fd, pin)
                return present
            }
            try Libbpf.unpin(pin)
        }
        let link = try Libbpf.createLookupLink(program: program.fd, namespace: namespace.descriptor, namespace.path)
        if let pin { try Libbpf.pin(link.rawValue, namespace.path, at: pin) }
        return link
    }

    /// Pins a program in place of the one that is pinned there.
    private static func pin(_ program: BPFProgram, at path: String) throws(BPFError) {
        let draft = "\(path)-draft"
        try Libbpf.unpin(draft)
        try Libbpf.pin(program.fd, program.name, at: draft)
        try Libbpf.movePin(draft, to: path)
    }

    /// Takes everything away: flows for the proxy are refused from now on.
    func close() throws(BPFError) {
        try parts.way.set(UInt32(0), np_proxy())
        try ingress?.detach()
        try place.remove()
    }
}

extension NetworkNamespace {
    /// The low half of its inode number, as the kernel's reports of links have it.
    fileprivate func number() throws(BPFError) -> UInt32 {
        do {
            return UInt32(truncatingIfNeeded: try identity().inode)
        } catch {
            throw BPFError(.queryInfo, path, errno: .ioError, detail: "\(error)")
        }
    }
}
