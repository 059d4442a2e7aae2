public import BPFEmit
import CNetpoldABI
import Glibc
import NetTypes
import Support

/// The node's own policies at its uplinks, and the entry of np_host that says what becomes of their answers.
extension NodeDatapath {
    /// The uplinks of the settings.
    struct Uplinks {
        /// Those that are there, by number.
        var numbers: [UInt32] = []
        /// Their names.
        var names: [String] = []
        /// Why others are not, in words.
        var problems: [String] = []
    }

    /// Before anything is touched: the uplinks that are there. While one is not, those that have programs keep them: what is known
    /// less takes nothing off.
    func findUplinks(_ image: NodeImage, pods: [EndpointKey: [UInt32]]) throws(BPFError) -> Uplinks {
        var found = Uplinks()
        guard image.hasHost, options.host.mode != .off, attachments.style != .none else { return found }
        guard options.host.devices.count <= Int(NP_HOST_LINKS), options.host.failsafes.count <= Int(NP_HOST_FAILSAFES)
        else {
            throw BPFError(
                .allocate, "np_host", errno: .argListTooLong,
                detail: "at most \(NP_HOST_LINKS) uplinks and \(NP_HOST_FAILSAFES) fail-safe ports")
        }
        let links: [LinkRecord]
        do {
            links = try NetlinkSocket().links()
        } catch {
            throw BPFError(.queryInfo, "interfaces", errno: .ioError, detail: "\(error)")
        }
        let taken = Set(pods.filter { !$0.key.isHost }.values.joined())
        for name in options.host.devices {
            guard let link = links.first(where: { $0.name == name }) else {
                found.problems.append("\(name): no such interface")
                continue
            }
            // Programs read Ethernet headers.
            guard !link.isLoopback, link.mac.utf8.count == 17 else {
                found.problems.append("\(name): not an Ethernet interface")
                continue
            }
            guard !taken.contains(UInt32(bitPattern: link.index)) else {
                found.problems.append("\(name): the interface of a pod")
                continue
            }
            found.numbers.append(UInt32(bitPattern: link.index))
            found.names.append(name)
        }
        guard !found.problems.isEmpty else { return found }
        for link in links where uplinks.contains(UInt32(bitPattern: link.index)) {
            let number = UInt32(bitPattern: link.index)
            if found.numbers.contains(number) || taken.contains(number) { continue }
            guard found.numbers.count < Int(NP_HOST_LINKS) else { break }
            found.numbers.append(number)
            found.names.append(link.name)
        }
        return found
    }

    /// Before other programs are swapped: those that the node goes back to when a change is not confirmed are ready before there is
    /// one, and np_host names them. Where it named others that are not known any more, it goes back to audit.
    func placeFormerHost(_ batch: PolicyBatch, _ plan: ApplyPlan) throws(BPFError) {
        guard maps.host != nil else { return }
        let key = CompilerState.formerHostSubjectKey
        try place(batch, plan, [key])
        let before = try readHost()
        var host = before
        let fingerprint = plan.image.formerHostFingerprint
        if fingerprint != host.former_fingerprint {
            var confirmation = host.confirmation(now: MonotonicClock.nanoseconds)
            host.take(confirmation.loseFormer())
        }
        host.former_fingerprint = fingerprint
        host.former_policy = plan.subjectSlots[key].map { (2 * $0, 2 * $0 + 1) } ?? (0, 0)
        if !host.hasEqualBytes(before) { try write(host) }
    }

    /// Before programs are swapped: a change of policies that are in force is to be confirmed from its first packet on, and where
    /// the node's policies are not asked any more, they are not asked while their programs go.
    func guardHost(_ image: NodeImage) throws(BPFError) {
        guard maps.host != nil else { return }
        var host = try readHost()
        guard image.hasHost, options.host.mode != .off else {
            if host.mode != NP_HOST_OFF.rawValue {
                host.mode = NP_HOST_OFF.rawValue
                host.until = 0
                try write(host)
                try RunningPrograms.wait()
            }
            if !host.hasEqualBytes(np_host()) { try write(np_host()) }
            for ifindex in uplinks.sorted() { for hook in Hook.both(of: ifindex) { try attachments.detach(hook) } }
            uplinks = []
            return
        }
        guard host.mode == NP_HOST_ENFORCE.rawValue, host.fingerprint != image.hostFingerprint else { return }
        // Back to the former ones, for good: once their programs are there.
        if case .begin = change(&host, image) { try write(host) }
    }

    /// After everything else is in force: the mode that is wanted, at the uplinks that have programs by now.
    func enforceHost(_ image: NodeImage, _ found: Uplinks, _ report: inout ApplyReport) throws(BPFError) {
        guard maps.host != nil, image.hasHost, options.host.mode != .off, let endpoint = endpoints[.host] else {
            return
        }
        let before = try readHost()
        var host = before
        change(&host, image)
        host.slot = endpoint.slot
        host.passes_probes = options.host.passesProbes ? 1 : 0
        host.uplinks = found.numbers
        host.failsafes = options.host.failsafes
        if !host.hasEqualBytes(before) {
            // The list is there before the mode that needs it.
            var prepared = host
            (prepared.mode, prepared.former, prepared.until) = (before.mode, before.former, before.until)
            try write(prepared)
            try write(host)
            report.entriesChanged += 1
        }
        for ifindex in uplinks.subtracting(found.numbers).sorted() {
            for hook in Hook.both(of: ifindex) { try attachments.detach(hook) }
        }
        uplinks = Set(found.numbers)
        report.host = HostReport(
            confirmation: host.confirmation(now: MonotonicClock.nanoseconds), devices: found.names,
            problems: found.problems.sorted())
    }

    /// How it stands with the node's policies in the kernel, as of now; `nil` in an object without them.
    public func hostStanding() throws(BPFError) -> HostStanding? {
        guard maps.host != nil else { return nil }
        let host = try readHost()
        return HostStanding(
            confirmation: host.confirmation(now: MonotonicClock.nanoseconds), fingerprint: host.fingerprint,
            formerFingerprint: host.former_fingerprint)
    }

    /// np_host; all zero in an object without it.
    func readHost() throws(BPFError) -> np_host { try maps.readHost() }

    /// Writes the revision that flows of the node have while its former policies are in force.
    func setFormerRevision(_ revision: UInt32) throws(BPFError) {
        var host = try readHost()
        host.former_revision = revision
        try write(host)
    }

    @discardableResult
    private func change(_ host: inout np_host, _ image: NodeImage) -> HostConfirmation.Action? {
        let now = MonotonicClock.nanoseconds
        var confirmation = host.confirmation(now: now)
        let former = image.formerHostFingerprint
        let action = confirmation.want(
            HostConfirmation.Wish(
                options.host.mode, changesPolicy: host.fingerprint != image.hostFingerprint,
                isFormer: former == image.hostFingerprint, hasFormer: former != 0 && former == host.fingerprint,
                seconds: options.host.confirmSeconds), now: now)
        host.take(action)
        host.fingerprint = image.hostFingerprint
        return action
    }

    private func write(_ host: np_host) throws(BPFError) { try maps.host?.set(UInt32(0), host) }
}

extension DatapathMaps {
    /// np_host; all zero in an object without it.
    func readHost() throws(BPFError) -> np_host { try host?.value(of: UInt32(0), initial: np_host()) ?? np_host() }
}

extension NodeImage {
    /// Whether the node's own policies are in it.
    var hasHost: Bool { endpoints.first?.key.isHost ?? false }
}

extension np_endpoint {
    /// Whether it is the node itself, in `flags`.
    var isHost: Bool {
        get { flags & UInt32(NP_ENDPOINT_HOST) != 0 }
        set { flags = newValue ? flags | UInt32(NP_ENDPOINT_HOST) : flags & ~UInt32(NP_ENDPOINT_HOST) }
    }
}

extension np_host {
    /// What it says at a time.
    func confirmation(now: UInt64) -> HostConfirmation {
        HostConfirmation(
            mode: HostMode(number: mode), former: HostMode(number: former), until: until, now: now)
    }

    /// Writes down what is to be.
    mutating func take(_ action: HostConfirmation.Action?) {
        switch action {
        case nil: break
        case .settle(let settled): (mode, until) = (settled.number, 0)
        case .begin(let wanted, let before, let deadline):
            (mode, former, until) = (wanted.number, before.number, deadline)
        }
    }

    /// The uplinks with programs.
    var uplinks: [UInt32] {
        get { withUnsafeBytes(of: links) { $0.bindMemory(to: UInt32.self).filter { $0 != 0 } } }
        set {
            withUnsafeMutableBytes(of: &links) { bytes in
                let places = bytes.bindMemory(to: UInt32.self)
                for place in places.indices { places[place] = place < newValue.count ? newValue[place] : 0 }
            }
        }
    }

    /// The fail-safe list; at most `NP_HOST_FAILSAFES` are written.
    var failsafes: [Failsafe] {
        get {
            withUnsafeBytes(of: failsafe) { bytes in
                bytes.bindMemory(to: np_failsafe.self).prefix { $0.protocol != 0 }.map { entry in
                    Failsafe(
                        entry.direction == NP_INGRESS.rawValue ? .ingress : .egress,
                        L4Protocol(rawValue: entry.protocol), PortRange(entry.first, entry.last))
                }
            }
        }
        set {
            withUnsafeMutableBytes(of: &failsafe) { bytes in
                let places = bytes.bindMemory(to: np_failsafe.self)
                for place in places.indices {
                    places[place] =
                        place < newValue.count
                        ? np_failsafe(
                            first: newValue[place].ports.first, last: newValue[place].ports.last,
                            protocol: newValue[place].protocol.rawValue,
                            direction: UInt8(newValue[place].direction.rawValue), pad: (0, 0))
                        : np_failsafe()
                }
            }
        }
    }

    func hasEqualBytes(_ other: np_host) -> Bool {
        withUnsafeBytes(of: self) { left in withUnsafeBytes(of: other) { right in left.elementsEqual(right) } }
    }
}
