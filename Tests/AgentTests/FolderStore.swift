import BPFEmit
import PolicyAPI
import PolicyIR

@testable import Agent

/// A store that is fed from a folder.
struct FolderStore {
    private var feed = FolderFeed()
    private(set) var store: ObjectStore

    init(onRefused: RefusedPolicy) {
        store = ObjectStore(onRefused: onRefused)
    }

    mutating func absorb(_ snapshot: FolderSnapshot) { _ = store.take(feed.read(snapshot)) }
    mutating func takeChanges() -> [ObjectChange] { store.takeChanges() }

    var objects: ClusterObjects { store.objects }
    var isolating: [LoweredPolicy] { store.isolating.sorted { $0.key < $1.key }.flatMap(\.value) }
    var conditions: [Condition] { store.conditions }
    var policiesInForce: Int { store.policiesInForce }
    var policiesRefused: Int { store.policiesRefused }
}
