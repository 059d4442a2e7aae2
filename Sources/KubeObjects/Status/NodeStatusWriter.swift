public import Agent
import KubeClient
import PolicyAPI
import Synchronization

/// Writes how one node stands to the API server: a Lease of its name, renewed while the agent lives, whose annotations have the
/// counts. The Node object owns it, so that it goes with the node. Written when something is other than before, at most once in
/// `interval`, and every `renewal` without that.
public final class NodeStatusWriter: Sendable {
    /// The choices.
    public struct Settings: Sendable {
        /// The node's name.
        public var node: String
        /// The namespace of the Leases.
        public var namespace: String
        /// How often at most something new is written.
        public var interval: Duration
        /// How often it is written that nothing is new, about.
        public var renewal: Duration

        /// Choices.
        public init(
            node: String, namespace: String = "netpold-nodes", interval: Duration = .seconds(10),
            renewal: Duration = .seconds(300)
        ) {
            self.node = node
            self.namespace = namespace
            self.interval = interval
            self.renewal = renewal
        }
    }

    private struct State {
        var summary: (@Sendable () -> NodeSummary)?
        var trouble: String?
    }

    private let settings: Settings
    private let requests: StatusRequests
    private let state = Mutex(State())

    init(_ settings: Settings, transport: any KubeTransport) {
        self.settings = settings
        requests = StatusRequests(transport: transport)
    }

    /// Tells of this from now on.
    public func begin(_ summary: @escaping @Sendable () -> NodeSummary) { state.withLock { $0.summary = summary } }

    /// Why it cannot be written; `nil` when it is.
    var trouble: String? { state.withLock(\.trouble) }

    /// Works until the task is cancelled. `changed` is called when `trouble` is another.
    func run(_ changed: @Sendable () -> Void) async {
        var written: NodeSummary?
        var due = ContinuousClock.now
        while !Task.isCancelled {
            if let summary = state.withLock(\.summary)?(), summary != written || ContinuousClock.now >= due {
                var trouble: String?
                do throws(RequestFailure) {
                    // Somebody else's write, or the Lease of an agent before: the next look sees it.
                    if try await write(summary) { written = summary }
                } catch {
                    trouble = "the lease \(settings.namespace)/\(settings.node): \(error.message)"
                }
                due = .now + settings.renewal * Double.random(in: 0.75...1.25)
                let isNews = state.withLock { state in
                    defer { state.trouble = trouble }
                    return state.trouble != trouble
                }
                if isNews { changed() }
                guard (try? await Task.sleep(for: settings.interval)) != nil else { return }
            } else {
                guard (try? await Task.sleep(for: min(settings.interval, .seconds(1)))) != nil else { return }
            }
        }
    }

    /// Writes; false: somebody else was faster.
    private func write(_ summary: NodeSummary) async throws(RequestFailure) -> Bool {
        let seen = try await requests.lease(settings.node, in: settings.namespace)
        let now = StatusRequests.now
        let document = LeaseDocument(
            metadata: .init(
                name: settings.node, namespace: settings.namespace,
                resourceVersion: seen?["metadata"]?["resourceVersion"]?.string,
                annotations: NodeStatusWriter.annotations(summary), ownerReferences: try await owner()),
            spec: .init(
                holderIdentity: settings.node,
                leaseDurationSeconds: Int((settings.renewal * 2).components.seconds),
                acquireTime: seen?["spec"]?["acquireTime"]?.string ?? now, renewTime: now, leaseTransitions: 0))
        return try await requests.write(document, isNew: seen == nil)
    }

    /// The Node object, by a list of that one: agents may list nodes, not get them.
    private func owner() async throws(RequestFailure) -> [LeaseDocument.Owner]? {
        guard let place = ObjectKind.node.places.first else { return nil }
        let list = try await requests.ask(place.target(ofOne: settings.node, in: ""))
        guard let uid = list?.item(named: settings.node)?["metadata"]?["uid"]?.string else { return nil }
        return [LeaseDocument.Owner(name: settings.node, uid: uid)]
    }

    /// The longest text of a problem, bytes.
    private static let problemLimit = 512

    static func annotations(_ summary: NodeSummary) -> [String: String] {
        var found = [
            "netpold.io/in-force": "\(summary.isInForce)", "netpold.io/revision": "\(summary.revision)",
            "netpold.io/policies-in-force": "\(summary.policiesInForce)",
            "netpold.io/policies-refused": "\(summary.policiesRefused)",
            "netpold.io/problems": "\(summary.problems.count)",
        ]
        if let first = summary.problems.first { found["netpold.io/problem"] = String(first.prefix(problemLimit)) }
        return found
    }
}
