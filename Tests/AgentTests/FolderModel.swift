import PolicyAPI
import PolicyIR

@testable import Agent

/// What is in force of a folder, said at once from all its files and what was in force before: the meaning that
/// `FolderReducer` and `ObjectStore` together must have, without events.
struct FolderModel {
    let onRefused: RefusedPolicy
    private enum Definition {
        case good(ClusterObject)
        case refused(RefusedObject)
    }

    private var lastGood: [ObjectKey: (object: ClusterObject, file: String)] = [:]
    /// For what is closed, by key and file.
    private var closing: [ObjectKey: [String: [Definition]]] = [:]
    private var contradicted: Set<ObjectKey> = []
    private(set) var isolating: [ObjectKey: Set<LoweredPolicy>] = [:]
    /// Kind and subject of each condition.
    private(set) var conditions: Set<String> = []
    private(set) var refused: Set<ObjectKey> = []

    init(onRefused: RefusedPolicy) {
        self.onRefused = onRefused
    }

    var objects: [ObjectKey: ClusterObject] {
        lastGood.filter { onRefused == .ignore || !contradicted.contains($0.key) }.mapValues(\.object)
    }

    mutating func absorb(_ snapshot: FolderSnapshot) {
        let files = snapshot.sorted { $0.key < $1.key }
        var good: [ObjectKey: (object: ClusterObject, file: String)] = [:]
        var definitions: [ObjectKey: [String: [Definition]]] = [:]
        conditions = []
        for (file, content) in files {
            for object in content.objects {
                definitions[object.key, default: [:]][file, default: []].append(.good(object))
                if good[object.key] == nil {
                    good[object.key] = (object, file)
                } else if good[object.key].map({
                    !object.key.isPolicy || FolderModel.selector($0.object) == FolderModel.selector(object)
                }) == true {
                    note(.duplicateObject, object.key.text)
                }
            }
            for refused in content.refused {
                definitions[refused.key, default: [:]][file, default: []].append(.refused(refused))
            }
            if !content.warnings.isEmpty { note(.policyWarning, file) }
            if !content.unreadable.isEmpty { note(.brokenFile, file) }
        }
        // What a broken file does not say any more stays, unless it is in a file now in which it was not.
        for (key, known) in closing {
            let now = Set(definitions[key, default: [:]].keys)
            guard now.isSubset(of: known.keys) else { continue }
            for (file, held) in known where !now.contains(file) && snapshot[file]?.unreadable.isEmpty == false {
                definitions[key, default: [:]][file] = held
            }
        }
        for (key, held) in lastGood where good[key] == nil && snapshot[held.file]?.unreadable.isEmpty == false {
            good[key] = held
        }
        for (file, content) in files {
            for refusal in content.refused where good[refusal.key] == nil {
                if let held = lastGood[refusal.key] { good[refusal.key] = (held.object, file) }
            }
        }
        (isolating, refused, contradicted, closing) = ([:], [], [], [:])
        for (key, byFile) in definitions {
            let all = byFile.values.joined()
            let goods = all.compactMap { if case .good(let object) = $0 { object } else { nil } }
            let refusals = all.compactMap { if case .refused(let refused) = $0 { refused } else { nil } }
            let isDoubled =
                key.isPolicy && !goods.isEmpty
                && (!refusals.isEmpty || Set(goods.map(FolderModel.selector)).count > 1)
            guard isDoubled || !refusals.isEmpty else { continue }
            refused.insert(key)
            if isDoubled { contradicted.insert(key) }
            let closed =
                refusals.flatMap(\.isolating)
                + goods.flatMap { PolicyLowering.lowerRefused(PolicyRefusal.closing($0)) }
            guard !closed.isEmpty else {
                note(good[key] == nil ? .refusedIgnored : .keptLastGood, key.text)
                continue
            }
            closing[key] = byFile
            if onRefused == .isolate, isDoubled || good[key] == nil { isolating[key] = Set(closed) }
            let keeps = good[key] != nil && !(isDoubled && onRefused == .isolate)
            note(
                keeps ? .keptLastGood : isolating[key] != nil ? .isolatedByRefused : .refusedIgnored, key.text)
        }
        lastGood = good
    }

    private static func selector(_ object: ClusterObject) -> LabelSelector? {
        if case .networkPolicy(let policy) = object { policy.podSelector } else { nil }
    }

    private mutating func note(_ kind: Condition.Kind, _ subject: String) {
        conditions.insert("\(kind.rawValue) \(subject)")
    }
}
