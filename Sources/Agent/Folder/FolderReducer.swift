import NetTypes
import PolicyAPI
import Support

/// Turns readings of a folder into events of objects: the work about files, so that nobody else need know of them.
///
/// Of an object in several files the first by path counts. If policies depend on the object's content and its definitions differ, none of
/// them counts (`Definitions`). An object that is refused, or whose file cannot be read, is as it was last accepted. An object that no
/// file holds any more stays for as long as the view says. The result depends on the snapshots seen, never on the order of files or
/// objects in them.
public struct FolderReducer: Sendable {
    private typealias Held = FolderContents.Held

    /// What the last events said of an object.
    private struct Reported: Hashable, Sendable {
        var held: Held?
        var refused: RefusedObject?
    }

    private var lastGood: [ObjectKey: Held] = [:]
    private var definitions = Definitions()
    private var leaving: [ObjectKey: Leaving] = [:]
    private var previous: FolderSnapshot = [:]
    private var reported: [ObjectKey: Reported] = [:]
    /// What is odd about the files as last read, sorted.
    public private(set) var conditions: [Condition] = []
    /// When the next object that no file holds any more is to go; `nil` when none waits.
    private(set) var due: Duration?
    /// Objects that are in force although their files do not say so, sorted: of broken files, and of a folder that lost
    /// everything.
    private(set) var kept: [ObjectKey] = []

    /// A folder that was not read yet.
    ///
    /// - Parameter remembered: what an agent before this one had accepted: the last good versions to begin with. Nothing
    ///   comes of them by itself.
    public init(remembered: FolderSnapshot = [:]) {
        self.init(remembered: [remembered])
    }

    /// A folder that was not read yet, as a row of snapshots leaves it.
    init(remembered: [FolderSnapshot]) {
        for snapshot in remembered { _ = absorb(snapshot) }
        reported = [:]
        previous = [:]
        conditions = []
        kept = []
    }

    /// The objects of which the files do not all say the same.
    var contradicted: Set<ObjectKey> { definitions.contradicted }

    /// The objects in force.
    var inForce: Set<ObjectKey> { Set(lastGood.keys) }

    /// The files that answer for the objects in force.
    var files: Set<String> { Set(lastGood.values.map(\.file)) }

    /// Takes a reading; returns what it changes, by key. What is gone is gone at once.
    public mutating func absorb(_ snapshot: FolderSnapshot) -> [ObjectEvent] { absorb(FolderView(files: snapshot)) }

    /// Takes a reading; returns what it changes, by key.
    mutating func absorb(_ view: FolderView) -> [ObjectEvent] {
        var found: [Condition] = []
        if !view.moves.isEmpty {
            lastGood = lastGood.mapValues { held in
                var held = held
                held.file = view.moves[held.file] ?? held.file
                return held
            }
        }
        let contents = FolderContents(view.files)
        var good = contents.first
        let contradicted = contradicted
        var next = definitions.absorb(view, contents, isInForce: !lastGood.isEmpty).mapValues { Reported(refused: $0) }
        found += definitions.conditions
        kept = keepBroken(view.files, &good, &found)
        var hasRefused = false
        for (file, content) in view.files.sorted(by: { $0.key < $1.key }) {
            for refused in content.refused {
                hasRefused = true
                if good[refused.key] == nil, var held = lastGood[refused.key] {
                    held.file = file
                    good[refused.key] = held
                }
            }
            found += content.warnings.map {
                Condition(kind: .policyWarning, subject: PrintableName.of(file), message: $0)
            }
        }
        if let idle = FolderReducer.idleWorkloads(view.files, pods: good.keys) { found.append(idle) }
        if let wait = view.wait { keepLeaving(view, wait, contradicted, hasRefused: hasRefused, &good, &found) }
        for (key, held) in good { next[key, default: Reported()].held = held }
        lastGood = good
        previous = view.files
        conditions = Array(Set(found)).sorted()
        defer { reported = next }
        return Set(next.keys).union(reported.keys).sorted().flatMap { key in
            FolderReducer.events(key, from: reported[key] ?? Reported(), to: next[key] ?? Reported())
        }
    }

    /// What cannot be read, or is not believed, says nothing about its objects, not even that they are gone. Returns what
    /// stays for that reason, sorted.
    private func keepBroken(
        _ snapshot: FolderSnapshot, _ good: inout [ObjectKey: Held], _ found: inout [Condition]
    ) -> [ObjectKey] {
        let broken = snapshot.filter(\.value.isIncomplete)
        guard !broken.isEmpty else { return [] }
        var kept: [String: [ObjectKey]] = [:]
        for (key, held) in lastGood
        where good[key] == nil && broken[held.file] != nil && leaving[key]?.isSaid != true {
            good[key] = held
            kept[held.file, default: []].append(key)
        }
        for (file, content) in broken {
            found.append(
                FolderReducer.brokenFile(
                    file, content, kept: (kept[file] ?? []).sorted(), closed: definitions.kept(in: file)))
        }
        return kept.values.joined().sorted()
    }

    /// Objects that no file holds any more stay for a while: their files may be about to come back, or be on their way to
    /// another place. If nothing else is left they stay until somebody says that this was meant.
    private mutating func keepLeaving(
        _ view: FolderView, _ wait: DeletionWait, _ contradicted: Set<ObjectKey>, hasRefused: Bool,
        _ good: inout [ObjectKey: Held], _ found: inout [Condition]
    ) {
        let gone = lastGood.filter { key, held in
            // What contradicted it has been waited for already.
            good[key] == nil || !contradicted.contains(key) && isGone(key, held, good[key], view.files)
        }
        let isEmpty = good.isEmpty && !hasRefused
        let isTaken = FolderReducer.takenAddresses(gone, good)
        var next: [ObjectKey: Leaving] = [:]
        for (key, held) in gone where !view.acceptsLoss && !isTaken(held.object) {
            // A pod that went while no agent was there may have been gone for long; what runs of it is known by its binding.
            if view.isFirst, !isEmpty, !key.isMissed { continue }
            var leaving = leaving[key] ?? Leaving(at: view.time)
            if leaving.isLost ? view.files[held.file] != nil : view.isAfterGap {
                // Its file is back without it; or nobody saw for how long it has been missing.
                leaving = Leaving(at: view.time)
            }
            if let file = view.files[held.file], !file.isIncomplete { leaving.isSaid = true }
            if view.touched.contains(held.file) { leaving.latest = view.time }
            if !leaving.isLost, view.time >= leaving.due(wait) {
                guard isEmpty, !leaving.isSaid else { continue }
                leaving.isLost = true
            }
            next[key] = leaving
            good[key] = held
        }
        leaving = next
        due = (next.values.lazy.filter { !$0.isLost }.map { $0.due(wait) } + [definitions.due].compactMap(\.self)).min()
        let lost = next.filter(\.value.isLost).keys.sorted()
        if !lost.isEmpty {
            kept = (kept + lost).sorted()
            found.append(FolderReducer.lostFolder(lost))
        }
    }

    /// Whether an object that was in force is gone: no file holds it, or only a file that already held it as a duplicate, which is not
    /// a move.
    private func isGone(_ key: ObjectKey, _ held: Held, _ now: Held?, _ files: FolderSnapshot) -> Bool {
        guard let now else { return true }
        guard now.file != held.file, let before = previous[now.file] else { return false }
        let isStillThere = files[held.file]?.objects.contains { $0.key == key } ?? false
        return !isStillThere && before.objects.contains { $0.key == key && $0 == now.object }
    }

    /// Whether a pod that went has an address that another pod has by now: then it goes at once.
    private static func takenAddresses(
        _ gone: [ObjectKey: Held], _ good: [ObjectKey: Held]
    ) -> (ClusterObject) -> Bool {
        guard gone.keys.contains(where: { $0.objectKind == .pod }) else { return { _ in false } }
        var taken: [IPAddress: ObjectKey] = [:]
        for (key, held) in good where gone[key] == nil {
            guard case .pod(let pod) = held.object else { continue }
            for address in pod.addresses { taken[address] = key }
        }
        return { object in
            guard case .pod(let pod) = object else { return false }
            return pod.addresses.contains { taken[$0] != nil }
        }
    }

    /// The events that turn what was said of an object into what is to be said. An upsert takes back a refusal.
    private static func events(_ key: ObjectKey, from old: Reported, to new: Reported) -> [ObjectEvent] {
        var events: [ObjectEvent] = []
        if let held = new.held {
            let isOther = held.object != old.held?.object || held.origin != old.held?.origin
            if isOther || old.refused != nil && new.refused == nil {
                events.append(.upsert(held.object, origin: held.origin))
            }
        } else if old.held != nil || new.refused == nil {
            events.append(.delete(key))
        }
        if let refused = new.refused, refused != old.refused || !events.isEmpty { events.append(.refused(refused)) }
        return events
    }

    /// That workloads stand for no pods, where whoever wrote the folder may believe so: in namespaces without a pod.
    private static func idleWorkloads(
        _ files: FolderSnapshot, pods: some Sequence<ObjectKey>
    ) -> Condition? {
        let populated = Set(pods.filter { $0.objectKind == .pod }.map(\.namespace))
        let idle = files.values.flatMap(\.workloads).filter { !populated.contains($0.namespace) }.sorted()
        guard !idle.isEmpty else { return nil }
        return Condition(
            kind: .workloadsWithoutPods, subject: "manifests",
            message: "\(names(idle)) \(idle.count == 1 ? "stands" : "stand") for no pods here, and no Pod of "
                + "\(idle.count == 1 ? "its namespace" : "their namespaces") is in the folder, so nothing is enforced for them: add "
                + "the Pods, or follow the API server (`compile` and `lab` make pods of workloads, the agent does not)")
    }

    private static func brokenFile(
        _ file: String, _ content: ManifestFile, kept: [ObjectKey], closed: [ObjectKey]
    ) -> Condition {
        let stays =
            kept.count == 1
            ? "1 object it held before stays in force (\(names(kept)))"
            : "\(kept.count) objects it held before stay in force (\(names(kept)))"
        let staysClosed = "whom \(names(closed)) selected stays isolated"
        if let shrunk = content.shrunk {
            return Condition(
                kind: .shrunkFile, subject: PrintableName.of(file),
                message: "\(shrunk), as after a write that broke off; "
                    + (kept.isEmpty ? closed.isEmpty ? "nothing of it is in force" : staysClosed : stays)
                    + ": write the whole file; if this is all, say so by `...` as its last line, or with "
                    + "`netpold agent reload --accept-empty`")
        }
        let isolating = content.refused.filter { !$0.isolating.isEmpty }
        let outcome =
            if !kept.isEmpty {
                stays
            } else if !isolating.isEmpty {
                "whom \(names(isolating.map(\.key))) can be seen to select is isolated"
            } else if !closed.isEmpty {
                staysClosed
            } else {
                "nothing is known of its objects, so none of them is in force"
            }
        return Condition(
            kind: .brokenFile, subject: PrintableName.of(file),
            message: "cannot be read completely; \(outcome): \(content.unreadable.joined(separator: "\n"))")
    }

    private static func lostFolder(_ lost: [ObjectKey]) -> Condition {
        Condition(
            kind: .folderLost, subject: "manifests",
            message:
                "the folder lost everything it held; \(lost.count) object\(lost.count == 1 ? " stays" : "s stay") in "
                + "force (\(names(lost))): bring the files back, or say that this was meant with "
                + "`netpold agent reload --accept-empty`")
    }

    /// The first of some names.
    private static func names(_ keys: [ObjectKey]) -> String {
        let more = keys.count > 8 ? " and \(keys.count - 8) more" : ""
        return keys.prefix(8).map(\.text).joined(separator: ", ") + more
    }
}
