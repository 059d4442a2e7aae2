public import BPFEmit
import Foundation
public import NetTypes
import Support
import Synchronization

/// What pods have learnt and were refused, as their programs tell it: kept so that policies which come later apply to names learnt
/// before, and to be shown. Pods write it, so that everything of a pod is bounded, and no pod can take another one's room.
public final class NameHistory: Sendable {
    /// The bounds of a pod.
    public struct Limits: Hashable, Sendable {
        /// Names.
        public var names = 1024
        /// Addresses of a name.
        public var addresses = 1000
        /// Addresses of all names.
        public var total = 8192
        /// Names that were refused, the latest.
        public var denied = 32

        /// The bounds.
        public init() {}
    }

    /// A name that was refused.
    public struct Denial: Hashable, Sendable {
        /// The name.
        public var name: String
        /// Whether it was a TLS server name.
        public var isServerName: Bool
        /// The resolver or server.
        public var remote: IPAddress
        /// How many times, since the name is in the list.
        public var count: UInt64
    }

    private struct Pod {
        var names = LearntNames()
        var denied: [Denial] = []
    }

    private struct State {
        var pods: [EndpointKey: Pod] = [:]
        /// By slot: whose it is, and since when, ns of CLOCK_MONOTONIC.
        var slots: [UInt32: (pod: EndpointKey, since: UInt64)] = [:]
        /// By slot that was somebody's: when it was seen to be nobody's.
        var freed: [UInt32: UInt64] = [:]
        /// Of slots that nobody has said anything of: a pod may be told of a moment after it has begun.
        var waiting: [NameRecord] = []
        var isShared: Bool
        /// Changed since it was written down.
        var isUnsaved = false
        /// Records of slots that are nobody's, and what did not fit.
        var dropped: UInt64 = 0
    }

    /// How long records of a slot are kept that is nobody's yet, ns.
    private static let patience: UInt64 = 5_000_000_000

    private let limits: Limits
    private let state: Mutex<State>

    /// A history of nothing. `isShared`: what one pod learns all know.
    public init(limits: Limits = Limits(), isShared: Bool = false) {
        self.limits = limits
        state = Mutex(State(isShared: isShared))
    }

    /// Says whose the slots are from `time` on, ns of CLOCK_MONOTONIC. Of pods that are gone nothing is kept.
    public func setPods(_ slots: [UInt32: EndpointKey], at time: UInt64) {
        state.withLock { state in
            var next: [UInt32: (pod: EndpointKey, since: UInt64)] = [:]
            for (slot, pod) in slots {
                let known = state.slots[slot]
                // What came from a slot before another pod had it is not this one's. Of a slot that was nobody's everything is: it is
                // told a moment after the pod has begun.
                next[slot] = known?.pod == pod ? known : (pod, known == nil ? state.freed[slot] ?? 0 : time)
            }
            for slot in state.slots.keys where next[slot] == nil { state.freed[slot] = time }
            state.slots = next
            let kept = Set(slots.values)
            // Before anybody has said who is here, what was read from a file waits.
            if !slots.isEmpty, state.pods.keys.contains(where: { !kept.contains($0) }) {
                state.pods = state.pods.filter { kept.contains($0.key) }
                state.isUnsaved = true
            }
        }
    }

    /// Whether somebody has said whose the slots are.
    public var hasPods: Bool { state.withLock { !$0.slots.isEmpty } }

    /// Takes records. Returns the pods for which something new was learnt.
    @discardableResult
    public func take(_ records: [NameRecord]) -> Set<EndpointKey> {
        state.withLock { state in
            var news: Set<EndpointKey> = []
            let all = state.waiting + records
            state.waiting = []
            let newest = all.map(\.time).max() ?? 0
            for record in all {
                guard let (pod, since) = state.slots[record.slot] else {
                    if newest - record.time < NameHistory.patience, state.waiting.count < 4096 {
                        state.waiting.append(record)
                    } else {
                        state.dropped += 1
                    }
                    continue
                }
                guard record.time >= since else {
                    state.dropped += 1
                    continue
                }
                // Taken out, so that it is changed in place.
                var known = state.pods.removeValue(forKey: pod) ?? Pod()
                switch record.kind {
                case .learnt:
                    guard known.names.learn(record, limits) else {
                        state.dropped += 1
                        break
                    }
                    state.isUnsaved = true
                    news.insert(pod)
                case .denied, .serverDenied: deny(record, &known)
                case .unlearnt: break
                }
                state.pods[pod] = known
            }
            return news
        }
    }

    private func deny(_ record: NameRecord, _ pod: inout Pod) {
        guard record.name.utf8.count <= 1024 else { return }
        let isServerName = record.kind == .serverDenied
        if let place = pod.denied.firstIndex(where: { $0.name == record.name && $0.isServerName == isServerName }) {
            var denial = pod.denied.remove(at: place)
            denial.count += 1
            denial.remote = record.remote
            pod.denied.append(denial)
            return
        }
        pod.denied.append(Denial(name: record.name, isServerName: isServerName, remote: record.remote, count: 1))
        if pod.denied.count > limits.denied { pod.denied.removeFirst() }
    }

    /// What a pod has learnt, with what it is to know of others; sorted by name.
    public func known(to pod: EndpointKey) -> [LearntName] { look()(pod) }

    /// As `known(to:)`, for any number of pods: what all know is put together once, as of the first question.
    public func look() -> (EndpointKey) -> [LearntName] {
        var shared: [LearntName]?
        return { [self] pod in
            if let shared { return shared }
            let (isShared, names) = state.withLock { state in
                (
                    state.isShared,
                    state.isShared ? state.pods.values.map(\.names) : state.pods[pod].map { [$0.names] } ?? []
                )
            }
            guard isShared else { return NameHistory.sorted(names.first?.all ?? [:]) }
            var all: [String: [IPAddress: UInt32]] = [:]
            for other in names { all.merge(other.all) { $0.merging($1) { max($0, $1) } } }
            let sorted = NameHistory.sorted(all)
            shared = sorted
            return sorted
        }
    }

    /// What each pod has learnt itself and was refused, the latest refusal last.
    public var pods: [EndpointKey: (learnt: [LearntName], denied: [Denial])] {
        state.withLock { state in
            state.pods.mapValues { (NameHistory.sorted($0.names.all), $0.denied) }
        }
    }

    /// Whether what one pod learns all know.
    public var isShared: Bool { state.withLock(\.isShared) }
    /// Records that nobody kept.
    public var dropped: UInt64 { state.withLock(\.dropped) }

    /// Forgets what has ended.
    public func forget(before now: UInt32) {
        state.withLock { state in
            for key in Array(state.pods.keys) where state.pods[key]?.names.forget(before: now) == true {
                state.isUnsaved = true
            }
        }
    }

    private static func sorted(_ names: [String: [IPAddress: UInt32]]) -> [LearntName] {
        names.sorted { $0.key < $1.key }.map { LearntName(name: $0.key, addresses: $0.value) }
    }

    /// What is to be written down; `nil` when nothing has changed since the last call.
    public func takeUnsaved() -> [NameRecords.Pod]? {
        state.withLock { state in
            guard state.isUnsaved else { return nil }
            state.isUnsaved = false
            return state.pods.sorted { $0.key < $1.key }.map { NameRecords.Pod($0.key, $0.value.names.all) }
        }
    }

    /// Goes on from what was written down, within the bounds.
    public func restore(_ pods: [NameRecords.Pod]) {
        state.withLock { state in
            for pod in pods {
                var known = Pod()
                for (name, addresses) in pod.names.sorted(by: { $0.key < $1.key }) {
                    let held = addresses.sorted { $0.key < $1.key }.compactMap { text, expires in
                        IPAddress(parsing: text).map { ($0, expires) }
                    }
                    known.names.restore(name, held, limits)
                }
                state.pods[pod.key] = known
            }
        }
    }
}
