import BPFEmit
import Glibc
import PolicyAPI
import PolicyIR

extension AgentService {
    /// Serves one request of the local API.
    func serve(_ request: APIRequest, _ client: LocalServer.Client) async {
        switch request {
        case .status:
            server?.answer(.status(await status()), to: client)
        case .endpoints:
            server?.answer(.endpoints(endpointRows()), to: client)
        case .wait(let timeoutMilliseconds):
            readSources()
            observeNode()
            let limit = Duration.milliseconds(min(max(timeoutMilliseconds, 0), 3_600_000))
            let isInForce = await waitUntilInForce(limit)
            server?.answer(.waited(inForce: isInForce, applyCount: state.applyCount), to: client)
        case .reload(let acceptEmpty):
            server?.answer(.reloaded(await reload(acceptEmpty: acceptEmpty)), to: client)
        case .monitor(let filter):
            monitors[client] = filter
            if monitors.count == 1 { await listen(true) }
        }
    }

    /// A client hung up.
    func forget(_ client: LocalServer.Client) async {
        guard monitors.removeValue(forKey: client) != nil else { return }
        if monitors.isEmpty { await listen(false) }
    }

    private func listen(_ isListening: Bool) async {
        do {
            guard isListening else {
                suppressedSeen = nil
                return try await ports.worker.listen(nil)
            }
            let inbox = inbox
            try await ports.worker.listen { [weak self] records in
                if inbox.add(records) { Task { await self?.deliver() } }
            }
        } catch {
            logger.error("events cannot be read", metadata: ["error": "\(error)"])
            for client in monitors.keys {
                server?.answer(.error(APIError(.unavailable, "events cannot be read: \(error)")), to: client)
            }
        }
    }

    private func deliver() {
        let (records, lost) = inbox.take()
        if lost > 0 { report(lost: lost) }
        guard !monitors.isEmpty, !records.isEmpty else { return }
        var resolver = resolver ?? makeResolver()
        self.resolver = nil
        let time = AgentService.now()
        for record in records {
            let verdict = resolver.resolve(record, time: time)
            for (client, filter) in monitors where filter.accepts(verdict) {
                if server?.send(verdict: verdict, to: client) == false { eventsLost += 1 }
            }
        }
        self.resolver = resolver
    }

    /// Reports records that the kernel did not write to monitors.
    func reportSuppressed() async {
        guard !monitors.isEmpty, let counters = try? await ports.worker.counters() else { return }
        let suppressed = counters.suppressedEvents.values.reduce(0, +)
        if let seen = suppressedSeen, suppressed > seen { report(lost: suppressed - seen) }
        suppressedSeen = suppressed
    }

    private func report(lost count: UInt64) {
        eventsLost += count
        for client in monitors.keys { server?.send(lost: count, to: client) }
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
    }

    private func makeResolver() -> VerdictResolver {
        let slots = (state.report?.endpoints ?? []).map { ($0.slot, "\($0.key)") }
        let identities = (compiled?.image.identities ?? []).map { ($0.number, $0.label) }
        return VerdictResolver(
            evaluator: currentEvaluator(), slots: Dictionary(slots, uniquingKeysWith: { first, _ in first }),
            identities: Dictionary(identities, uniquingKeysWith: { first, _ in first }), hits: hits)
    }

    private func currentEvaluator() -> ReferenceEvaluator {
        if let evaluator { return evaluator }
        let made =
            compiled?.makeEvaluator() ?? ReferenceEvaluator(ClusterObjects(), policies: [], localNode: state.node)
        evaluator = made
        return made
    }

    /// The rows of `netpold endpoints`.
    func endpointRows() -> [EndpointReport] {
        EndpointReporting(
            view: state.binding.view, report: state.report, image: compiled?.image,
            evaluator: compiled == nil ? nil : currentEvaluator()
        ).rows()
    }

    /// The report of `netpold status`.
    func status() async -> StatusReport {
        let counters = try? await ports.worker.counters()
        let capacities = try? await ports.worker.capacities()
        let endpoints = state.report?.endpoints ?? []
        let failed = endpoints.count { $0.failure != nil }
        var attachments: [String: Int] = [:]
        for endpoint in endpoints where endpoint.failure == nil {
            attachments[endpoint.attachment.rawValue, default: 0] += 1
        }
        let reasons = (counters?.reasons ?? [:]).sorted { $0.key < $1.key }.map { number, count in
            StatusReport.ReasonCount(
                reason: VerdictReason.name(wire: number), sentence: VerdictReason.sentence(wire: number),
                isDrop: VerdictReason.isDrop(wire: number), count: count)
        }
        return StatusReport(
            instance: options.instance, processID: getpid(),
            uptimeSeconds: UInt64(max(0, (ContinuousClock().now - started).components.seconds)),
            applyCount: state.applyCount, isInForce: state.isInForce, policiesInForce: state.store.policiesInForce,
            policiesRefused: state.store.policiesRefused, endpointsReady: endpoints.count - failed,
            endpointsWaiting: state.binding.view.waiting.count + failed,
            namespacesUnknown: state.binding.view.strangers, attachments: attachments,
            lastApplyMilliseconds: UInt64(max(0, lastApply / .milliseconds(1))), capacities: capacities ?? [],
            reasons: reasons, eventsSuppressed: counters?.suppressedEvents.values.reduce(0, +) ?? 0,
            eventsLost: eventsLost,
            conditions: state.conditions)
    }
}
