public import BPFEmit
import CNetpoldABI
import Glibc

extension NodeDatapath {
    /// Decides anew which pods' new flows may go past the stack, by what the node has now: to be called after each apply, and every few
    /// seconds. Flows that are alive stay on the path that they have.
    ///
    /// - Returns: the decision; `nil` from an object that knows no such flows.
    /// - Throws: when the node's interfaces cannot be listed: then no new flow does.
    public func refreshFastPath() throws(BPFError) -> FastPathReport? {
        guard let paths = maps.paths else { return nil }
        guard options.fastPath != .off else {
            try setFast([])
            return FastPathReport(mode: .off, isOn: false, reason: "not asked for")
        }
        let links: [UInt32: LinkRecord]
        do {
            let all = try NetlinkSocket().links().map { (UInt32(bitPattern: $0.index), $0) }
            links = Dictionary(all) { first, _ in first }
        } catch {
            try setFast([])
            throw BPFError(.queryInfo, "interfaces", errno: .ioError, detail: "\(error)")
        }
        var report = fastPathChoice(links)
        var fast: Set<EndpointKey> = []
        for (key, endpoint) in endpoints where !key.isHost && report.isOn {
            if let problem = fastPathProblem(endpoint, links) {
                report.leftOut[key] = problem
            } else {
                fast.insert(key)
            }
        }
        try setFast(fast)
        report.pods = fast.count
        report.flows = try FastFlows.count(in: paths)
        return report
    }

    private func fastPathChoice(_ links: [UInt32: LinkRecord]) -> FastPathReport {
        guard options.fastPath == .auto else {
            return FastPathReport(mode: options.fastPath, isOn: true, reason: "as --fast-path says")
        }
        let names = Set(endpoints.values.flatMap(\.links).compactMap { links[$0]?.name })
        // Programs are run for it, and a busy cluster applies many times a second.
        let scan: ForwardingScan
        if let last = lastScan, ContinuousClock.now - last.time < NodeDatapath.scanInterval {
            scan = last.scan
        } else {
            scan = ForwardingScan(interfaces: names)
            lastScan = (.now, scan)
        }
        return FastPathReport(
            mode: .auto, isOn: scan.problem == nil,
            reason: scan.problem ?? "no rule of the node says anything about packets behind a flow's first")
    }

    /// How long what a look at the node's rules has found holds: less than the time between two collections.
    private static let scanInterval = Duration.seconds(8)

    /// Why a pod's flows may not go past the stack; `nil`: they may.
    private func fastPathProblem(_ endpoint: LoadedEndpoint, _ links: [UInt32: LinkRecord]) -> String? {
        guard endpoint.links.count == 1, let number = endpoint.links.first, number == endpoint.value.ifindex else {
            return "it has \(endpoint.links.count) interfaces"
        }
        guard let link = links[number] else { return "its interface is gone" }
        guard link.kind == "veth", link.peerNamespace != nil else {
            return "its interface \(link.name) is no veth into another namespace"
        }
        guard link.master == 0 else { return "its interface \(link.name) is a port of another one, which forwards" }
        guard link.queueing == "noqueue" else { return "its interface \(link.name) has the queue \(link.queueing)" }
        do {
            for hook in Hook.both(of: number) {
                if let other = try attachments.others(at: hook).first { return "\(other) at \(hook)" }
            }
        } catch {
            return "its interface \(link.name) cannot be looked at: \(error)"
        }
        return nil
    }

    private func setFast(_ fast: Set<EndpointKey>) throws(BPFError) {
        for (key, var endpoint) in endpoints {
            let flags = endpoint.value.flags & ~UInt32(NP_ENDPOINT_FAST)
            let wanted = fast.contains(key) ? flags | UInt32(NP_ENDPOINT_FAST) : flags
            guard wanted != endpoint.value.flags else { continue }
            endpoint.value.flags = wanted
            try maps.endpoints.set(endpoint.slot, endpoint.value)
            endpoints[key] = endpoint
        }
    }
}
