import PolicyAPI
import PolicyIR

@testable import Agent

/// What is in force of a folder, said at once from all its files and what was in force before: the meaning that
/// `FolderReducer` and `ObjectStore` together must have, without events.
struct FolderModel {
    let onRefused: RefusedPolicy
    private var lastGood: [ObjectKey: (object: ClusterObject, file: String)] = [:]
    private(set) var isolating: [ObjectKey: [LoweredPolicy]] = [:]
    /// Kind and subject of each condition.
    private(set) var conditions: Set<String> = []
    private(set) var refused: Set<ObjectKey> = []

    init(onRefused: RefusedPolicy) {
        self.onRefused = onRefused
    }

    var objects: [ObjectKey: ClusterObject] { lastGood.mapValues(\.object) }

    mutating func absorb(_ snapshot: FolderSnapshot) {
        let files = snapshot.sorted { $0.key < $1.key }
        var good: [ObjectKey: (object: ClusterObject, file: String)] = [:]
        conditions = []
        for (file, content) in files {
            for object in content.objects {
                if good[object.key] == nil {
                    good[object.key] = (object, file)
                } else {
                    note(.duplicateObject, object.key.text)
                }
            }
            if !content.warnings.isEmpty { note(.policyWarning, file) }
            if !content.unreadable.isEmpty { note(.brokenFile, file) }
        }
        for (key, held) in lastGood where good[key] == nil && snapshot[held.file]?.unreadable.isEmpty == false {
            good[key] = held
        }
        isolating = [:]
        refused = []
        for (file, content) in files {
            for refusal in content.refused {
                refused.insert(refusal.key)
                if good[refusal.key] == nil, let held = lastGood[refusal.key] {
                    good[refusal.key] = (held.object, file)
                }
                if good[refusal.key] == nil { isolating[refusal.key, default: []] += refusal.isolating }
            }
        }
        isolating = isolating.filter { onRefused == .isolate && $0.key.isPolicy && !$0.value.isEmpty }
        for key in refused {
            let kind: Condition.Kind =
                good[key] != nil ? .keptLastGood : isolating[key] != nil ? .isolatedByRefused : .refusedIgnored
            note(kind, key.text)
        }
        lastGood = good
    }

    private mutating func note(_ kind: Condition.Kind, _ subject: String) {
        conditions.insert("\(kind.rawValue) \(subject)")
    }
}
