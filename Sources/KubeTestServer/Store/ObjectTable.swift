/// The objects of one resource, and what has happened to them.
struct ObjectTable {
    /// Whether requests find the resource.
    enum Phase {
        case served
        /// 429 until it is ready.
        case initializing
        /// 404 as plain text.
        case absent
    }

    /// One change.
    struct Change {
        var version: Int
        var old: StoredObject?
        var new: StoredObject?
    }

    let resource: APIResource
    var phase = Phase.served
    private(set) var objects: [StoredObject.Key: StoredObject] = [:]
    /// The changes that a watch can still be given, in order.
    private(set) var history: [Change] = []
    /// Watches from an earlier version are too old.
    private(set) var oldest: Int
    /// Lists at an earlier version are too old.
    private(set) var compacted: Int
    private var sortedObjects: [StoredObject]?

    init(_ resource: APIResource, version: Int, phase: Phase = .served) {
        self.resource = resource
        self.phase = phase
        oldest = version
        compacted = 0
    }

    /// All objects in the order of lists.
    mutating func sorted() -> [StoredObject] {
        if let sortedObjects { return sortedObjects }
        let result = objects.values.sorted { $0.key < $1.key }
        sortedObjects = result
        return result
    }

    /// The objects as they were at a version, which is not before `compacted`.
    mutating func sorted(at version: Int) -> [StoredObject] {
        guard let last = history.last, last.version > version else { return sorted() }
        var past = objects
        for change in history.reversed() {
            guard change.version > version else { break }
            guard let key = (change.new ?? change.old)?.key else { continue }
            past[key] = change.old
        }
        return past.values.sorted { $0.key < $1.key }
    }

    mutating func record(_ change: Change, limit: Int) {
        if let new = change.new {
            objects[new.key] = new
        } else if let old = change.old {
            objects[old.key] = nil
        }
        sortedObjects = nil
        history.append(change)
        if history.count > limit {
            let cut = history.count - limit / 2
            oldest = history[cut - 1].version
            compacted = max(compacted, oldest)
            history.removeFirst(cut)
        }
    }

    /// Forgets all that has happened: as a restart of the server does (`lists` false), or etcd's compaction besides.
    mutating func forget(now version: Int, lists: Bool) {
        oldest = version
        if lists {
            compacted = version
            history = []
        }
    }

    /// Forgets every object: the CRD was removed, or etcd was restored.
    mutating func reset(now version: Int, to objects: [StoredObject.Key: StoredObject] = [:]) {
        self.objects = objects
        sortedObjects = nil
        history = []
        oldest = version
        compacted = version
    }
}
