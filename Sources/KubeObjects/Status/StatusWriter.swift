import Agent
import Foundation
import KubeClient
import PolicyAPI
import Support
import Synchronization

/// Writes what became of policies to the API server: the condition `Valid` of Cilium's policies, and an Event for each version of
/// any policy that is refused. Only the agent that holds the lease writes, so that nodes do not fight, and only what is not
/// there already.
public final class StatusWriter: Sendable {
    /// The choices.
    public struct Settings: Sendable {
        /// Who this is: the node's name.
        public var identity: String
        /// The namespace of the lease.
        public var namespace: String
        /// How long the lease lasts without being renewed.
        public var duration: Duration
        /// How often those who do not hold it look, about.
        public var look: Duration

        /// Choices.
        public init(
            identity: String, namespace: String = "kube-system", duration: Duration = .seconds(60),
            look: Duration = .seconds(60)
        ) {
            self.identity = identity
            self.namespace = namespace
            self.duration = duration
            self.look = look
        }
    }

    /// The lease's name.
    static let lease = "netpold-policy-status"
    /// Most writes in a row, before the lease is looked at again.
    private static let batch = 20
    /// The pause after a write: some ten a second.
    private static let pause = Duration.milliseconds(100)

    private struct State {
        var verdicts: [ObjectKey: PolicyVerdict] = [:]
        /// Those that have not been written, or looked at.
        var dirty: Set<ObjectKey> = []
        var trouble: String?
        /// The Events that were written last, by policy.
        var events: [ObjectKey: String] = [:]
    }

    private let requests: StatusRequests
    private let settings: Settings
    private let state = Mutex(State())

    init(_ settings: Settings, transport: any KubeTransport) {
        self.settings = settings
        requests = StatusRequests(transport: transport)
    }

    /// Why statuses cannot be written; `nil` when they are, or somebody else writes them.
    var trouble: String? { state.withLock(\.trouble) }

    /// A source has something new of a policy; `nil`: it is gone.
    func take(_ key: ObjectKey, _ verdict: PolicyVerdict?) {
        state.withLock { state in
            state.verdicts[key] = verdict
            guard verdict == nil else {
                state.dirty.insert(key)
                return
            }
            state.dirty.remove(key)
            state.events[key] = nil
        }
    }

    // MARK: the loop

    /// Works until the task is cancelled. `changed` is called when `trouble` is another.
    func run(_ changed: @Sendable () -> Void) async {
        let begin = ContinuousClock.now
        var machine = LeaseMachine(identity: settings.identity, duration: settings.duration)
        var didHold = false
        while !Task.isCancelled {
            let looked = ContinuousClock.now - begin
            var trouble: String?
            do throws(RequestFailure) {
                let record = try await lease()
                switch machine.look(record?.record, at: looked) {
                case .wait: break
                case .create, .write:
                    if try await write(record) { machine.wrote(since: looked) }
                }
            } catch {
                trouble = "the lease \(settings.namespace)/\(StatusWriter.lease): \(error.message)"
            }
            let holds = machine.holds(at: ContinuousClock.now - begin)
            // What the holder before has written nobody knows.
            if holds, !didHold { state.withLock { $0.dirty = Set($0.verdicts.keys) } }
            didHold = holds
            if holds { trouble = await writeSome(while: { machine.holds(at: ContinuousClock.now - begin) }) ?? trouble }
            let isNews = state.withLock { state in
                defer { state.trouble = trouble }
                return state.trouble != trouble
            }
            if isNews { changed() }
            let isBusy = holds && trouble == nil && state.withLock { !$0.dirty.isEmpty }
            let rest =
                isBusy
                ? .milliseconds(10)
                : holds ? min(.seconds(2), settings.duration / 6) : settings.look * Double.random(in: 0.75...1.25)
            guard (try? await Task.sleep(for: rest)) != nil else { return }
        }
    }

    /// Writes what is due, a part of it; answers what went wrong.
    private func writeSome(while holds: () -> Bool) async -> String? {
        let due = state.withLock { state in
            let keys = state.dirty.sorted().prefix(StatusWriter.batch)
            state.dirty.subtract(keys)
            return keys.compactMap { key in state.verdicts[key].map { (key, $0) } }
        }
        var trouble: String?
        for (key, verdict) in due {
            guard holds(), !Task.isCancelled else {
                again(key)
                continue
            }
            do throws(RequestFailure) {
                if try await write(key, verdict) { try? await Task.sleep(for: StatusWriter.pause) }
            } catch {
                // A conflict: the object has changed; its new version is looked at then.
                again(key)
                if case .status(let refusal) = error, refusal.code == 409 || refusal.code == 404 { continue }
                trouble = "\(key.text): \(error.message)"
            }
        }
        return trouble
    }

    private func again(_ key: ObjectKey) {
        state.withLock { state in if state.verdicts[key] != nil { state.dirty.insert(key) } }
    }

    // MARK: requests

    /// Writes what is not there of one policy; answers whether it wrote.
    private func write(_ key: ObjectKey, _ verdict: PolicyVerdict) async throws(RequestFailure) -> Bool {
        guard let kind = key.objectKind else { return false }
        var wrote = false
        if kind.hasValidCondition { wrote = try await writeCondition(key, kind.places[0], verdict) }
        if let refusal = verdict.refusal {
            let isNew = try await writeEvent(key, kind.places[0], verdict.version, refusal)
            wrote = wrote || isNew
        }
        return wrote
    }

    private func writeCondition(
        _ key: ObjectKey, _ place: ResourcePlace, _ verdict: PolicyVerdict
    ) async throws(RequestFailure) -> Bool {
        let list = try await requests.ask(place.target(ofOne: key.name, in: key.namespace))
        guard let object = list?.item(named: key.name), let metadata = object["metadata"] else { return false }
        let version = ObjectVersion(
            uid: metadata["uid"]?.string ?? "", generation: metadata["generation"]?.integer ?? 0,
            resourceVersion: metadata["resourceVersion"]?.string ?? "")
        // Of another text nothing is known yet: its verdict comes, and is due then.
        guard verdict.version.covers(version), version.generation == verdict.version.generation,
            let conditions = verdict.conditions(instead: object["status"]?["conditions"], now: PolicyVerdict.now)
        else { return false }
        struct Patch: Encodable {
            struct Metadata: Encodable { let resourceVersion: String }
            struct Status: Encodable { let conditions: [[String: String]] }
            let metadata: Metadata
            let status: Status
        }
        _ = try await requests.ask(
            place.target(ofStatus: key.name, in: key.namespace) + "?fieldManager=netpold", "PATCH",
            "application/merge-patch+json",
            body: Patch(
                metadata: .init(resourceVersion: version.resourceVersion), status: .init(conditions: conditions)))
        return true
    }

    /// An Event has a name that follows from what it is about: it is there once, whoever writes it, for as long as Events are kept.
    private func writeEvent(
        _ key: ObjectKey, _ place: ResourcePlace, _ version: ObjectVersion, _ refusal: String
    ) async throws(RequestFailure) -> Bool {
        let space = key.namespace.isEmpty ? "default" : key.namespace
        let about = version.generation > 0 ? "\(version.generation)" : version.resourceVersion
        let now = PolicyVerdict.now
        let name = "\(key.name.prefix(180)).\(version.uid.prefix(13)).\(about)"
        guard state.withLock({ $0.events[key] }) != name else { return false }
        let event = EventDocument(
            metadata: .init(
                name: name, namespace: space),
            involvedObject: .init(
                apiVersion: place.apiVersion, kind: key.kind, namespace: key.namespace.isEmpty ? nil : key.namespace,
                name: key.name, uid: version.uid, resourceVersion: version.resourceVersion),
            message: refusal, firstTimestamp: now, lastTimestamp: now, reportingInstance: settings.identity)
        do throws(RequestFailure) {
            _ = try await requests.ask("/api/v1/namespaces/\(space)/events", "POST", body: event)
        } catch {
            // It is there already.
            guard case .status(let answer) = error, answer.code == 409 else { throw error }
        }
        state.withLock { $0.events[key] = name }
        return true
    }

    // MARK: lease

    private struct SeenLease {
        let record: LeaseMachine.Record
        let acquired: String?
    }

    private func lease() async throws(RequestFailure) -> SeenLease? {
        guard let lease = try await requests.lease(StatusWriter.lease, in: settings.namespace), let spec = lease["spec"]
        else { return nil }
        return SeenLease(
            record: LeaseMachine.Record(
                holder: spec["holderIdentity"]?.string ?? "",
                version: lease["metadata"]?["resourceVersion"]?.string ?? "",
                transitions: spec["leaseTransitions"]?.integer ?? 0,
                seconds: spec["leaseDurationSeconds"]?.integer ?? 0),
            acquired: spec["acquireTime"]?.string)
    }

    /// Makes or renews the lease; whether it is this agent's now.
    private func write(_ seen: SeenLease?) async throws(RequestFailure) -> Bool {
        let isOwn = seen?.record.holder == settings.identity
        let now = StatusRequests.now
        let document = LeaseDocument(
            metadata: .init(
                name: StatusWriter.lease, namespace: settings.namespace, resourceVersion: seen?.record.version),
            spec: .init(
                holderIdentity: settings.identity, leaseDurationSeconds: Int(settings.duration.components.seconds),
                acquireTime: isOwn ? seen?.acquired ?? now : now, renewTime: now,
                leaseTransitions: (seen?.record.transitions ?? 0) + (seen == nil || isOwn ? 0 : 1)))
        return try await requests.write(document, isNew: seen == nil)
    }
}

/// A v1 Event as it is written.
private struct EventDocument: Encodable {
    struct Metadata: Encodable {
        let name: String
        let namespace: String
    }
    struct Subject: Encodable {
        let apiVersion: String
        let kind: String
        let namespace: String?
        let name: String
        let uid: String
        let resourceVersion: String
    }
    struct Source: Encodable {
        let component = "netpold"
    }
    let apiVersion = "v1"
    let kind = "Event"
    let metadata: Metadata
    let involvedObject: Subject
    let reason = "PolicyRefused"
    let message: String
    let type = "Warning"
    let source = Source()
    let firstTimestamp: String
    let lastTimestamp: String
    let count = 1
    let reportingComponent = "netpold"
    let reportingInstance: String
}

extension ObjectKind {
    /// Whether objects of the kind have the condition `Valid`.
    var hasValidCondition: Bool {
        switch self {
        case .ciliumNetworkPolicy, .ciliumClusterwideNetworkPolicy: true
        case .namespace, .pod, .node, .service, .endpointSlice, .cidrGroup, .networkPolicy, .clusterNetworkPolicy,
            .adminNetworkPolicy, .baselineAdminNetworkPolicy:
            false
        }
    }
}
