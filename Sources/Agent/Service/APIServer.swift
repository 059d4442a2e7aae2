import Support

/// Serves the clients of the local API, each in a task of its own that ends, with all it waits for, when the client hangs up.
struct APIServer: Sendable {
    let server: LocalServer
    let reconciler: Reconciler
    let published: PublishedSnapshot
    let hub: MonitorHub
    let answers: Answers
    let listings: Listings
    let policyWaits: PolicyWaits
    let explanations: Explanations

    init(
        server: LocalServer, reconciler: Reconciler, published: PublishedSnapshot, hub: MonitorHub, answers: Answers,
        listings: Listings, policyWaits: PolicyWaits, explanations: Explanations
    ) {
        self.server = server
        self.reconciler = reconciler
        self.published = published
        self.hub = hub
        self.answers = answers
        self.listings = listings
        self.policyWaits = policyWaits
        self.explanations = explanations
    }

    /// With the monitors, fewer than the clients that may be connected: there is always a place for short requests.
    private let waits = Turnstile(limit: 32)

    /// How often a `wait` looks.
    static let round = Duration.milliseconds(10)
    /// Longest `wait`.
    static let longestWait = 3_600_000

    /// Serves until the task is cancelled; then everybody is hung up on and the socket is gone.
    func run() async {
        server.start()
        await withDiscardingTaskGroup { group in
            for await client in server.clients { group.addTask { await serve(client) } }
            group.cancelAll()
        }
        server.stop()
    }

    private func serve(_ client: LocalServer.Client) async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                for await request in client.requests { await answer(request, client) }
            }
            for await _ in client.presence {}
            group.cancelAll()
        }
    }

    /// Answers one request; the client is asked for the next one then.
    private func answer(_ request: APIRequest, _ client: LocalServer.Client) async {
        switch request {
        case .status: client.answer(line: await answers.status())
        case .list(let request):
            if let line = await listings.line(request) { client.answer(line: line) }
        case .health: client.answer(.health(answers.health()))
        case .wait(let milliseconds):
            guard waits.enter() else {
                return client.answer(.error(APIError(.unavailable, "too many clients wait already")))
            }
            defer { waits.leave() }
            let limit = Duration.milliseconds(min(max(milliseconds, 0), APIServer.longestWait))
            let isInForce = await settled(within: limit, rereading: true)
            client.answer(.waited(inForce: isInForce, applyCount: published.current.applyCount))
        case .waitPolicy(let request):
            guard waits.enter() else {
                return client.answer(.error(APIError(.unavailable, "too many clients wait already")))
            }
            defer { waits.leave() }
            client.answer(.policyWaited(await policyWaits.wait(request)))
        case .explain(let request):
            if let reply = await explanations.answer(request) { client.answer(reply) }
        case .reload(let acceptEmpty):
            client.answer(.reloaded(await reconciler.reload(acceptEmpty: acceptEmpty)))
        case .admit(let admission):
            guard waits.enter() else {
                return client.answer(.error(APIError(.unavailable, "too many clients wait already")))
            }
            defer { waits.leave() }
            client.answer(await admitted(admission))
        case .monitor(let filter):
            // Until the client hangs up, or events cannot be read.
            if let error = await hub.serve(filter, to: client) { client.answer(.error(error)) }
        }
    }

    /// Waits until a pod's policies are in force, looking at the node first: its interfaces are new.
    private func admitted(_ admission: PodAdmission) async -> APIReply {
        let clock = ContinuousClock()
        let deadline = clock.now + .milliseconds(min(max(admission.timeoutMilliseconds, 0), APIServer.longestWait))
        reconciler.look()
        var wait = PodAdmissionWait(admission)
        while true {
            switch wait.look(at: published.current.facts) {
            case .inForce: return .admitted(inForce: true, reason: "")
            case .waiting(let reason):
                guard clock.now < deadline, (try? await clock.sleep(for: APIServer.round)) != nil else {
                    return .admitted(inForce: false, reason: reason)
                }
            }
        }
    }

    /// Waits until everything seen is in force, with `rereading` also what is there now; answers whether it is.
    func settled(within limit: Duration, rereading: Bool) async -> Bool {
        let clock = ContinuousClock()
        let deadline = clock.now + limit
        let reread = rereading ? reconciler.reread() : nil
        func isSettled() -> Bool {
            let isRead = reread.map(reconciler.isDone) ?? true
            // In this order: what was read last is in the snapshot before its reader says that it is quiet.
            return isRead && reconciler.isQuiet && published.current.isInForce
        }
        while !isSettled() {
            guard clock.now < deadline, (try? await clock.sleep(for: APIServer.round)) != nil else { return false }
        }
        return true
    }
}
