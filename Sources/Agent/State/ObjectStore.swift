public import PolicyAPI
public import PolicyIR

/// What becomes of a refused policy that has no last good version.
public enum RefusedPolicy: String, Hashable, Codable, Sendable, CaseIterable {
    /// The pods its selector names are isolated in its directions.
    case isolate
    /// It is only reported.
    case ignore
}

/// The objects in force: the current manifests, and for what is refused or unreadable its last good version.
///
/// The result depends on the snapshots seen, never on the order of files or objects in them.
public struct ObjectStore: Sendable {
    /// An object and the file it came from.
    private struct Held: Hashable, Sendable {
        var object: ManifestObject
        var file: String
    }

    private let onRefused: RefusedPolicy
    private var lastGood: [ObjectKey: Held] = [:]
    /// The objects in force, in key order.
    public private(set) var objects = ClusterObjects()
    /// Policies in force in place of refused ones that have no last good version, in key order.
    public private(set) var isolating: [LoweredPolicy] = []
    /// What the operator should know about it, sorted.
    public private(set) var conditions: [Condition] = []
    /// How many policies are in force as written (the last good versions included).
    public private(set) var policiesInForce = 0
    /// How many policies of the current manifests are refused.
    public private(set) var policiesRefused = 0

    /// An empty store.
    public init(onRefused: RefusedPolicy) {
        self.onRefused = onRefused
    }

    /// Replaces the manifests.
    public mutating func absorb(_ snapshot: ManifestSnapshot) {
        var found: [Condition] = []
        var good: [ObjectKey: Held] = [:]
        var refusals: [(refused: RefusedObject, file: String)] = []
        var broken: Set<String> = []
        for (file, content) in snapshot.sorted(by: { $0.key < $1.key }) {
            for object in content.objects {
                if let first = good[object.key] {
                    found.append(ObjectStore.duplicate(object, in: file, of: first.object, in: first.file))
                } else {
                    good[object.key] = Held(object: object, file: file)
                }
            }
            refusals += content.refused.map { ($0, file) }
            if !content.unreadable.isEmpty { broken.insert(file) }
            found += content.warnings.map { Condition(kind: .policyWarning, subject: file, message: $0) }
        }
        // What cannot be read says nothing about its objects, not even that they are gone.
        var kept: [String: Int] = [:]
        for (key, held) in lastGood where good[key] == nil && broken.contains(held.file) {
            good[key] = held
            kept[held.file, default: 0] += 1
        }
        for file in broken {
            found.append(ObjectStore.brokenFile(file, kept: kept[file] ?? 0, snapshot[file]?.unreadable ?? []))
        }

        var standIns: [ObjectKey: [LoweredPolicy]] = [:]
        var refusedKeys: Set<ObjectKey> = []
        for (refused, file) in refusals {
            let key = refused.key
            let why = refused.messages.joined(separator: "\n")
            if key.isPolicy { refusedKeys.insert(key) }
            if good[key] == nil, let held = lastGood[key] {
                good[key] = Held(object: held.object, file: file)
            }
            if good[key] != nil {
                found.append(
                    Condition(
                        kind: .keptLastGood, subject: "\(key)",
                        message: "refused, the last good version stays in force: \(why)"))
            } else if key.isPolicy, onRefused == .isolate, !refused.isolating.isEmpty {
                standIns[key, default: []] += refused.isolating
                found.append(
                    Condition(
                        kind: .isolatedByRefused, subject: "\(key)",
                        message: "refused, the pods it selects are isolated until it is mended: \(why)"))
            } else {
                found.append(
                    Condition(kind: .refusedIgnored, subject: "\(key)", message: "refused, it has no effect: \(why)"))
            }
        }
        lastGood = good
        var inForce = ClusterObjects()
        for (_, held) in good.sorted(by: { $0.key < $1.key }) { inForce.append(held.object) }
        objects = inForce
        isolating = standIns.sorted { $0.key < $1.key }.flatMap(\.value)
        policiesInForce = good.keys.count { $0.isPolicy }
        policiesRefused = refusedKeys.count
        conditions = Array(Set(found)).sorted()
    }

    private static func duplicate(
        _ object: ManifestObject, in file: String, of first: ManifestObject, in firstFile: String
    ) -> Condition {
        let place = object.metadata.location.map { "\($0)" } ?? file
        let other = first.metadata.location.map { "\($0)" } ?? firstFile
        return Condition(
            kind: .duplicateObject, subject: "\(object.key)",
            message: "\(place): error: metadata.name: the same object is at \(other), which is the one in force; "
                + "remove one of them")
    }

    private static func brokenFile(_ file: String, kept: Int, _ messages: [String]) -> Condition {
        let outcome =
            kept > 0
            ? "\(kept) object\(kept == 1 ? " it held before stays" : "s it held before stay") in force"
            : "nothing is known of its objects, so none of them is in force"
        return Condition(
            kind: .brokenFile, subject: file,
            message: "cannot be read, or not in whole; \(outcome): \(messages.joined(separator: "\n"))")
    }
}
