import PolicyAPI

/// Turns readings of a folder into events of objects: the work about files, so that nobody else need know of them.
///
/// Of an object in several files the first by path counts. An object whose file cannot be read, or in which it is refused,
/// is as it was last accepted. The result depends on the snapshots seen, never on the order of files or objects in them.
public struct FolderReducer: Sendable {
    /// An object and the file that answers for it.
    private struct Held: Hashable, Sendable {
        var object: ClusterObject
        var origin: ObjectOrigin
        var file: String
    }

    /// What the last events said of an object.
    private struct Reported: Hashable, Sendable {
        var held: Held?
        var refused: RefusedObject?

        /// Adds a refusal: several of one key are one, which isolates whom any of them selects.
        mutating func add(_ other: RefusedObject) {
            guard refused != nil else { return refused = other }
            refused?.diagnostics += other.diagnostics
            refused?.isolating += other.isolating
        }
    }

    private var lastGood: [ObjectKey: Held] = [:]
    private var reported: [ObjectKey: Reported] = [:]
    /// What is odd about the files as last read, sorted.
    public private(set) var conditions: [Condition] = []

    /// A folder that was not read yet.
    ///
    /// - Parameter remembered: what an agent before this one had accepted: the last good versions to begin with. Nothing
    ///   comes of them by itself.
    public init(remembered: FolderSnapshot = [:]) {
        var found: [Condition] = []
        lastGood = FolderReducer.good(remembered, &found)
    }

    /// Takes a reading; returns what it changes, by key.
    public mutating func absorb(_ snapshot: FolderSnapshot) -> [ObjectEvent] {
        var found: [Condition] = []
        var good = FolderReducer.good(snapshot, &found)
        keepBroken(snapshot, &good, &found)
        var next: [ObjectKey: Reported] = [:]
        for (file, content) in snapshot.sorted(by: { $0.key < $1.key }) {
            for refused in content.refused {
                if good[refused.key] == nil, var held = lastGood[refused.key] {
                    held.file = file
                    good[refused.key] = held
                }
                next[refused.key, default: Reported()].add(refused)
            }
        }
        for (key, held) in good { next[key, default: Reported()].held = held }
        lastGood = good
        conditions = Array(Set(found)).sorted()
        defer { reported = next }
        return Set(next.keys).union(reported.keys).sorted().flatMap { key in
            FolderReducer.events(key, from: reported[key] ?? Reported(), to: next[key] ?? Reported())
        }
    }

    /// The good objects of all files; the first by path where there are several of one key.
    private static func good(_ snapshot: FolderSnapshot, _ found: inout [Condition]) -> [ObjectKey: Held] {
        var good: [ObjectKey: Held] = [:]
        for (file, content) in snapshot.sorted(by: { $0.key < $1.key }) {
            for object in content.objects {
                let held = Held(
                    object: object, origin: .manifest(object.metadata.location ?? .whole(file)), file: file)
                if let first = good[object.key] {
                    found.append(duplicate(held, of: first))
                } else {
                    good[object.key] = held
                }
            }
            found += content.warnings.map { Condition(kind: .policyWarning, subject: file, message: $0) }
        }
        return good
    }

    /// What cannot be read says nothing about its objects, not even that they are gone.
    private func keepBroken(
        _ snapshot: FolderSnapshot, _ good: inout [ObjectKey: Held], _ found: inout [Condition]
    ) {
        let broken = snapshot.filter { !$0.value.unreadable.isEmpty }
        guard !broken.isEmpty else { return }
        var kept: [String: Int] = [:]
        for (key, held) in lastGood where good[key] == nil && broken[held.file] != nil {
            good[key] = held
            kept[held.file, default: 0] += 1
        }
        for (file, content) in broken {
            found.append(FolderReducer.brokenFile(file, kept: kept[file] ?? 0, content.unreadable))
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

    private static func duplicate(_ object: Held, of first: Held) -> Condition {
        Condition(
            kind: .duplicateObject, subject: first.object.key.text,
            message: "\(object.origin): error: metadata.name: the same object is at \(first.origin), "
                + "which is the one in force; remove one of them")
    }

    private static func brokenFile(_ file: String, kept: Int, _ messages: [String]) -> Condition {
        let outcome =
            kept > 0
            ? "\(kept) object\(kept == 1 ? " it held before stays" : "s it held before stay") in force"
            : "nothing is known of its objects, so none of them is in force"
        return Condition(
            kind: .brokenFile, subject: file,
            message: "cannot be read completely; \(outcome): \(messages.joined(separator: "\n"))")
    }
}
