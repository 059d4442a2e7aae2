import BPFEmit
import CNetpoldABI
import Glibc
import NetTypes

/// Flows that the L7 proxy carries.
extension NodeDatapath {
    /// What flow state an endpoint is to keep. One whose flows the proxy may carry keeps all it has kept, though its policies may need
    /// less by now: those flows go by their entries until they end (`collectProxied`).
    func holding(_ needs: StateNeeds, of endpoint: LoadedEndpoint) -> StateNeeds {
        guard proxyWay != nil else { return needs }
        let kept = endpoint.value.stateNeeds.raised(to: needs)
        heldNeeds[endpoint.slot] = kept == needs ? nil : needs
        return kept
    }

    /// After a walk over the flows: forgets what np_proxied has of flows that are gone, and lets pods of which the proxy carries nothing
    /// keep as little flow state as their policies need.
    func collectProxied() throws(BPFError) {
        guard let proxied = maps.proxy?.proxied else { return }
        var slots: Set<UInt32> = []
        let values = Dictionary(endpoints.values.map { ($0.slot, $0.value) }) { first, _ in first }
            .merging(adopted) { own, _ in own }
        for (key, side) in try proxied.entries(key: np_proxied_key(), value: np_proxied_side()) {
            if let value = values[side.endpoint], try isCarried(key, side, value) {
                slots.insert(side.endpoint)
            } else {
                try proxied.remove(key)
            }
        }
        for (key, endpoint) in endpoints {
            guard let needs = heldNeeds[endpoint.slot], !slots.contains(endpoint.slot) else { continue }
            var value = endpoint.value
            value.stateNeeds = needs
            try maps.endpoints.set(endpoint.slot, value)
            endpoints[key]?.value = value
            heldNeeds[endpoint.slot] = nil
        }
    }

    /// The bases of programs by which the proxy knows flows. One side's may be that of a program that is gone: it is asked again when a
    /// packet passes its pod's hook, which may be after the proxy's decision.
    func proxiedBases() throws(BPFError) -> Set<UInt32> {
        guard let proxied = maps.proxy?.proxied else { return [] }
        return Set(try proxied.entries(key: np_proxied_key(), value: np_proxied_side()).map(\.value.base))
    }

    /// Part of step 9: asks the servers' policies again about flows that clients' pods send to the proxy. A client's packets pass its
    /// own hook before the proxy has them; but a request that the proxy denies never gets to its server, whose side would stay what it
    /// was, in the numbers of a program that is gone; and a server's pod that had no such rules has no side yet, without which its new
    /// ones would not be asked. What policies deny altogether stays too: nothing of it passes.
    ///
    /// Servers that could not be asked are in the report, and asked by the next apply: until then the proxy denies what they are sent.
    func askServersAgain(_ report: inout ApplyReport) throws(BPFError) {
        let stale = try staleServers()
        owesServers = false
        // Without the pair nothing of them passes.
        guard !stale.isEmpty, let place = options.proxy else { return }
        do throws(BPFError) {
            try ask(stale, at: place)
        } catch {
            owesServers = true
            report.serversNotAsked = "\(error)"
        }
    }

    /// The servers' sides of flows that the proxy carries, which are of policies that are not in force any more, or not there.
    private func staleServers() throws(BPFError) -> [np_proxied_key] {
        guard let proxied = maps.proxy?.proxied, proxyWay != nil else { return [] }
        let revisions = revisionsBySlot
        var asking: Set<IPAddress> = []
        for endpoint in endpoints.values {
            guard subjects[endpoint.subject]?.ingress.image.bits.contains(where: \.isL7) == true else { continue }
            asking.formUnion(endpoint.value.addresses)
        }
        var stale: [np_proxied_key] = []
        for (key, side) in try proxied.entries(key: np_proxied_key(), value: np_proxied_side()) {
            let redirects = side.flags & UInt32(NP_PROXIED_REDIRECTS) != 0
            if key.side == NP_INGRESS.rawValue, !redirects, side.isStale(revisions) {
                stale.append(key)
            } else if key.side == NP_EGRESS.rawValue, redirects, asking.contains(key.server.ipAddress) {
                var server = key
                server.side = NP_INGRESS.rawValue
                if try proxied.value(of: server, initial: np_proxied_side()) == nil { stale.append(server) }
            }
        }
        return stale
    }

    private var revisionsBySlot: [UInt32: UInt32] {
        Dictionary(endpoints.values.map { ($0.slot, $0.value.revision) }) { first, _ in first }
    }

    private func ask(_ servers: [np_proxied_key], at place: ProxyPlace) throws(BPFError) {
        guard let proxied = maps.proxy?.proxied else { return }
        let nudge = try ProxyNudge(place)
        let revisions = revisionsBySlot
        var stale = servers
        // The packets are on their way when they have been sent, in the order of a queue that is rarely not empty already.
        for attempt in 0..<NodeDatapath.nudges {
            if attempt > 0 { usleep(NodeDatapath.nudgeMicroseconds << UInt32(attempt)) }
            for key in stale { try nudge.send(key) }
            var left: [np_proxied_key] = []
            for key in stale {
                let side = try proxied.value(of: key, initial: np_proxied_side())
                if side?.isStale(revisions) ?? true { left.append(key) }
            }
            // A second round without progress: the policies deny them, now as in the next round.
            if left.isEmpty || attempt > 0 && left.count == stale.count { return }
            stale = left
        }
    }

    private static let nudges = 5
    private static let nudgeMicroseconds: UInt32 = 100

    private func isCarried(
        _ key: np_proxied_key, _ side: np_proxied_side, _ endpoint: np_endpoint
    ) throws(BPFError) -> Bool {
        let isClient = key.side == NP_EGRESS.rawValue
        let own = isClient ? key.client : key.server
        var record = np_flow_record()
        record.protocol = L4Protocol.tcp.rawValue
        record.remote = isClient ? key.server : key.client
        record.own_port = isClient ? key.client_port : key.server_port
        record.remote_port = isClient ? key.server_port : key.client_port
        record.own_address = endpoint.address.0.word == own.word ? 0 : 1
        for region in [regions.current[side.endpoint], regions.left[side.endpoint]].compactMap(\.self)
        where try maps.flows.mapped(region).find(record, endpoint: side.endpoint, in: region) != nil { return true }
        return false
    }
}

extension np_proxied_side {
    /// Whether policies of its pod have changed since it was asked.
    fileprivate func isStale(_ revisions: [UInt32: UInt32]) -> Bool {
        revisions[endpoint].map { $0 != revision } ?? false
    }
}
