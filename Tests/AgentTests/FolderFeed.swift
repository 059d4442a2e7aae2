import Agent

/// A folder of manifests as a source, without a disk: each reading is given.
struct FolderFeed {
    static let id = ObjectSourceID("manifests")
    private(set) var reducer: FolderReducer
    private var hasSynced = false

    init(remembered: FolderSnapshot = [:]) {
        reducer = FolderReducer(remembered: remembered)
    }

    mutating func read(_ snapshot: FolderSnapshot) -> ObjectBatch {
        var events = reducer.absorb(snapshot)
        if !hasSynced { events += ObjectKind.allCases.map(ObjectEvent.synced) }
        hasSynced = true
        return ObjectBatch(source: FolderFeed.id, events: events, conditions: reducer.conditions)
    }

    func unavailable(_ reason: String) -> ObjectBatch {
        let condition = Condition(kind: .sourceUnavailable, subject: "manifests", message: reason)
        return ObjectBatch(source: FolderFeed.id, events: [], conditions: reducer.conditions + [condition])
    }
}
