import BPFEmit
import Support

/// Makes the rows of listings from what is published, on a thread of its own: however much is asked, neither the reconciler nor
/// the datapath has to do with it, but for counters, which are read once a second at most.
actor Listings {
    /// Most rows of a page.
    private static let pageRows = 500
    /// Most bytes of a page, unless one row has more: what the agent holds for a client that does not take its answer.
    private static let pageBytes = 256 << 10
    /// Most flows that are listed; the others are counted.
    static let flowLimit = 2000
    /// How long rows that are of a moment are kept: pages of one listing, and whoever else asks, get the same.
    private static let freshness = Duration.seconds(1)

    private struct Made {
        var rows: ListingRows
        var leftOut = 0
        /// What they were made from: a published snapshot, or a moment.
        var snapshot: UInt64
        var time: ContinuousClock.Instant
        /// Of flows: the namespace that they are of; `nil` for all.
        var namespace: String?
    }

    private let published: PublishedSnapshot
    private let history: GenerationHistory
    private let cache: CounterCache
    private let worker: DatapathWorker
    private let names: NameFeed?
    private let executor = ThreadExecutor(name: "netpold-rows")
    private var made: [Listing: Made] = [:]

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(
        published: PublishedSnapshot, history: GenerationHistory, cache: CounterCache, worker: DatapathWorker,
        names: NameFeed?
    ) {
        self.published = published
        self.history = history
        self.cache = cache
        self.worker = worker
        self.names = names
    }

    /// The line that answers a request; `nil` when nobody waits for it any more.
    func line(_ request: ListRequest) async -> [UInt8]? {
        guard !Task.isCancelled else { return nil }
        let made: Made
        do {
            made = try await rows(of: request)
        } catch {
            return MessageCodec().line(.error(APIError(.unavailable, "\(error)")))
        }
        return switch made.rows {
        case .endpoints(let rows): Listings.line(rows, request, made.leftOut)
        case .names(let rows): Listings.line(rows, request, made.leftOut)
        case .policies(let rows): Listings.line(rows, request, made.leftOut)
        case .rules(let rows): Listings.line(rows, request, made.leftOut)
        case .identities(let rows): Listings.line(rows, request, made.leftOut)
        case .services(let rows): Listings.line(rows, request, made.leftOut)
        case .conntrack(let rows): Listings.line(rows, request, made.leftOut)
        case .maps(let rows): Listings.line(rows, request, made.leftOut)
        }
    }

    // MARK: pages

    /// A page of rows that are sorted by place.
    static func line<Row: ListingRow>(_ rows: [Row], _ request: ListRequest, _ leftOut: Int) -> [UInt8] {
        var wanted = rows[...]
        if let after = request.after {
            wanted = rows[(rows.firstIndex { $0.place > after } ?? rows.endIndex)...]
        }
        if let namespace = request.namespace { wanted = wanted.filter { $0.rowNamespace == namespace }[...] }
        var count = min(wanted.count, pageRows)
        while true {
            let page = Array(wanted.prefix(count))
            let next = page.count < wanted.count ? page.last?.place : nil
            let line = MessageCodec().line(.page(ListingPage(Row.wrap(page), next: next, leftOut: leftOut)))
            if line.count <= pageBytes || count <= 1 { return line }
            count = max(1, min(count - 1, count * pageBytes / line.count))
        }
    }

    // MARK: rows

    private func rows(of request: ListRequest) async throws -> Made {
        let snapshot = published.current
        let now = ContinuousClock.now
        if let known = made[request.listing] {
            switch request.listing {
            case .endpoints, .policies, .identities, .services:
                if known.snapshot == snapshot.number { return known }
            case .names, .rules, .maps:
                if now - known.time < Listings.freshness { return known }
            case .conntrack:
                if known.namespace == request.namespace, now - known.time < Listings.freshness { return known }
            }
        }
        var next = Made(rows: .maps([]), snapshot: snapshot.number, time: now)
        let generation = history.current
        switch request.listing {
        case .endpoints: next.rows = .endpoints(endpoints(snapshot, generation))
        case .names: next.rows = .names(names.map { NameListing(feed: $0, image: generation.image).rows() } ?? [])
        case .policies: next.rows = .policies(policies(snapshot, generation))
        case .rules:
            let packets = try? await worker.packetsByRule()
            next.rows = .rules(RuleListing(image: generation.image, packets: packets).rows())
        case .identities: next.rows = .identities(identities(generation.image))
        case .services: next.rows = .services(services(generation.image))
        case .conntrack:
            let pods = generation.slots.filter {
                request.namespace == nil || $0.value.key.namespace == request.namespace
            }
            let (flows, leftOut) = try await worker.makeFlowReader().flows(
                of: Set(pods.keys), limit: Listings.flowLimit)
            next.rows = .conntrack(
                flows.compactMap { flow in pods[flow.slot].map { FlowRow(flow, pod: "\($0.key)") } }
                    .sorted { $0.place < $1.place })
            next.leftOut = leftOut
            next.namespace = request.namespace
        case .maps:
            next.rows = .maps(await capacities().sorted { $0.place < $1.place })
        }
        made[request.listing] = next
        return next
    }

    /// The use of each limit; the first count may take a moment.
    private func capacities() async -> [CapacityUse] {
        for _ in 0..<50 {
            let counted = await cache.latest().capacities
            if !counted.isEmpty || Task.isCancelled { return counted }
        }
        return []
    }

    private func endpoints(_ snapshot: AgentSnapshot, _ generation: Generation) -> [EndpointReport] {
        EndpointReporting(
            view: snapshot.facts.view, report: snapshot.facts.report, image: generation.image,
            evaluator: generation.image == nil ? nil : generation.evaluator(makes: true), shares: snapshot.shares
        ).rows().sorted { $0.place < $1.place }
    }

    private func policies(_ snapshot: AgentSnapshot, _ generation: Generation) -> [PolicyReport] {
        let closed = generation.withoutRoom
        let rows = snapshot.policies.map {
            PolicyReport(
                $0.key, $0.value, applied: snapshot.facts.appliedGeneration, closed: closed[$0.key]?.diagnostics)
        }
        return (rows + snapshot.policiesKept.map { PolicyReport($0.key, kept: $0.value) })
            .sorted { $0.place < $1.place }
    }

    private func identities(_ image: NodeImage?) -> [IdentityReport] {
        guard let image else { return [] }
        var addresses: [UInt32: Int] = [:]
        var prefixes: [UInt32: Int] = [:]
        for entry in image.addresses { addresses[entry.identity, default: 0] += 1 }
        for entry in image.prefixes { prefixes[entry.identity, default: 0] += 1 }
        return image.identities.map {
            IdentityReport(
                identity: $0.number, label: $0.label, addresses: addresses[$0.number] ?? 0,
                prefixes: prefixes[$0.number] ?? 0)
        }.sorted { $0.place < $1.place }
    }

    private func services(_ image: NodeImage?) -> [ServiceRow] {
        (image?.services ?? []).map { frontend in
            ServiceRow(
                service: "\(frontend.service)", address: "\(frontend.address)", port: frontend.port,
                protocol: "\(frontend.protocol)", kind: frontend.kind.rawValue,
                portName: frontend.portName.isEmpty ? nil : frontend.portName,
                backends: frontend.backends.map { "\($0)" })
        }.sorted { $0.place < $1.place }
    }
}
