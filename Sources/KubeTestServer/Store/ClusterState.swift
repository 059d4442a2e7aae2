/// Objects, versions and open watches. Pure: time and bytes on the wire are others' business.
struct ClusterState {
    /// What tells resources apart.
    struct ResourceID: Hashable {
        var group: String
        var version: String
        var name: String

        init(_ resource: APIResource) {
            group = resource.group
            version = resource.version
            name = resource.name
        }

        init(group: String, version: String, name: String) {
            self.group = group
            self.version = version
            self.name = name
        }
    }

    /// The version of the last change.
    private(set) var version: Int
    /// How many changes of one resource a watch can be given.
    var historyLimit: Int
    private(set) var tables: [ResourceID: ObjectTable] = [:]
    private var watchers: [Int: Watcher] = [:]
    private var lastWatcher = 0
    private var lastUID = 0

    init(resources: [APIResource], version: Int, historyLimit: Int) {
        self.version = version
        self.historyLimit = historyLimit
        for resource in resources { tables[ResourceID(resource)] = ObjectTable(resource, version: version) }
    }

    // MARK: - Resources

    /// The table of a resource that is served.
    func resource(_ id: ResourceID) throws(APIStatus) -> APIResource {
        // Only groups of CustomResourceDefinitions can be unknown altogether.
        let absent: APIStatus = id.group.isEmpty ? .noResource : .pageNotFound
        guard let table = tables[id] else { throw absent }
        switch table.phase {
        case .served: return table.resource
        case .initializing: throw .initializing
        case .absent: throw absent
        }
    }

    /// The resources that are served, by path.
    var served: [APIResource] {
        tables.values.filter { if case .absent = $0.phase { false } else { true } }.map(\.resource)
            .sorted { $0.path < $1.path }
    }

    mutating func setPhase(_ phase: ObjectTable.Phase, of resource: APIResource) {
        tables[ResourceID(resource), default: ObjectTable(resource, version: version, phase: .absent)].phase = phase
    }

    /// Watches of the resource from before now are too old.
    mutating func forget(_ resource: APIResource) { tables[ResourceID(resource)]?.forget(now: version, lists: false) }

    /// Deletes every object of a resource, one after the other.
    mutating func clear(_ resource: APIResource) {
        for object in tables[ResourceID(resource)]?.sorted() ?? [] {
            record(ObjectTable.Change(version: version + 1, old: object, new: nil), of: resource)
        }
    }

    /// What a restart of the server alone does: no watch can go on from before it. With `compacts` etcd forgets as well, and so
    /// lists of old versions and continue tokens expire.
    mutating func restart(compacts: Bool) {
        for id in tables.keys { tables[id]?.forget(now: version, lists: compacts) }
    }

    /// What restoring etcd from a backup does: the state of a version, and that version.
    mutating func restore(to past: Int) {
        for id in tables.keys {
            let objects = tables[id]?.sorted(at: past) ?? []
            tables[id]?.reset(now: past, to: Dictionary(uniqueKeysWithValues: objects.map { ($0.key, $0) }))
        }
        version = past
    }

    /// Makes an object's UID.
    mutating func nextUID() -> String {
        lastUID += 1
        let hex = String(lastUID, radix: 16)
        return "00000000-0000-4000-8000-" + String(repeating: "0", count: max(0, 12 - hex.utf8.count)) + hex
    }

    // MARK: - Changes

    func object(_ resource: APIResource, _ key: StoredObject.Key) -> StoredObject? {
        tables[ResourceID(resource)]?.objects[key]
    }

    /// Writes an object in a new version; a change of nothing is no change.
    mutating func put(_ value: JSONValue, _ resource: APIResource, managers: [FieldManager]) -> StoredObject {
        let new = StoredObject(value, resource, version: version + 1, managers: managers)
        let old = object(resource, new.key)
        if let old, StoredObject(value, resource, version: old.version, managers: managers).bytes == old.bytes {
            return old
        }
        record(ObjectTable.Change(version: version + 1, old: old, new: new), of: resource)
        return new
    }

    /// Adds an object whose bytes are made elsewhere.
    mutating func add(_ resource: APIResource, _ make: (Int) -> StoredObject) {
        let new = make(version + 1)
        record(ObjectTable.Change(version: version + 1, old: object(resource, new.key), new: new), of: resource)
    }

    mutating func delete(_ resource: APIResource, _ key: StoredObject.Key) throws(APIStatus) -> StoredObject {
        guard let old = object(resource, key) else { throw .notFound(resource, key.name) }
        record(ObjectTable.Change(version: version + 1, old: old, new: nil), of: resource)
        return old
    }

    private mutating func record(_ change: ObjectTable.Change, of resource: APIResource) {
        version = change.version
        tables[ResourceID(resource)]?.record(change, limit: historyLimit)
        for watcher in watchers.values where ResourceID(watcher.resource) == ResourceID(resource) {
            if let line = watcher.line(change) { watcher.send(.lines([line])) }
        }
    }

    // MARK: - Lists

    /// One page.
    struct Page: Sendable {
        var version: Int
        var objects: [StoredObject]
        var continueToken: String?
        /// `nil` with selectors, and on the last page.
        var remaining: Int?
    }

    /// Answers a list. A version that is not reached yet throws 504: the server waits before it says so.
    mutating func list(
        _ resource: APIResource, namespace: String?, _ options: ListOptions
    ) throws(APIStatus) -> Page {
        let id = ResourceID(resource)
        var wanted = version
        var start = ""
        if let token = options.continueToken {
            guard options.version == nil || options.version == "0" else {
                throw .badRequest("specifying resource version is not allowed when using continue")
            }
            let place = try ContinueToken(token)
            if place.version >= 0 {
                guard place.version >= tables[id]?.compacted ?? 0 else {
                    throw .continueTooOld(ContinueToken(version: -1, start: String(place.start.dropFirst())).text)
                }
                wanted = place.version
            }
            start = place.start
        } else if let text = options.version {
            guard let asked = UInt64(text).map({ Int(clamping: $0) }) else {
                throw .badRequest(
                    "invalid resource version: resourceVersion: Invalid value: \"\(text)\": strconv.ParseUint: parsing \"\(text)\": invalid syntax"
                )
            }
            guard asked <= version else { throw .tooLarge(asked, current: version) }
            if options.versionMatch == "Exact" {
                guard asked >= tables[id]?.compacted ?? 0 else { throw .listTooOld }
                wanted = asked
            }
        }
        let all = tables[id]?.sorted(at: wanted) ?? []
        let selecting = Watcher(resource: resource, namespace: namespace, options: options, since: 0, send: { _ in })
        let hasSelectors = options.fields != nil || options.labels != nil
        let inNamespace = namespace.map { namespace in all.filter { $0.key.namespace == namespace } } ?? all
        let rest =
            start.isEmpty ? inNamespace : inNamespace.filter { "\($0.key.path)\0" > start || $0.key.path > start }
        // `resourceVersion=0` is answered from the cache, which knows no pages.
        let isFromCache = options.version == "0" && options.continueToken == nil
        guard let limit = options.limit, limit > 0, !isFromCache else {
            return Page(version: wanted, objects: rest.filter { selecting.selects($0) })
        }
        var page: [StoredObject] = []
        var read = 0
        for object in rest {
            if page.count == limit { break }
            read += 1
            if selecting.selects(object) { page.append(object) }
        }
        let isLast = !rest.dropFirst(read).contains { selecting.selects($0) }
        guard !isLast, let last = page.last else { return Page(version: wanted, objects: page) }
        return Page(
            version: wanted, objects: page,
            continueToken: ContinueToken(version: wanted, start: last.key.path + "\0").text,
            remaining: hasSelectors ? nil : rest.count - read)
    }

    // MARK: - Watches

    /// How a watch begins.
    enum WatchStart: Sendable {
        /// The lines that are there at once; the watch is open under a number.
        case open(id: Int, lines: [[UInt8]])
        /// One ERROR line and a clean end; later, where the server waits for a version.
        case refused(line: [UInt8], isLate: Bool)
    }

    /// Opens a watch. `send` is told everything after the first lines.
    mutating func watch(
        _ resource: APIResource, namespace: String?, _ options: ListOptions,
        send: @escaping @Sendable (Watcher.Signal) -> Void
    ) throws(APIStatus) -> WatchStart {
        if options.sendsInitialEvents == true, options.versionMatch != "NotOlderThan" {
            throw .invalid(
                "ListOptions", group: "meta.k8s.io", name: nil, field: "resourceVersionMatch",
                reason: "FieldValueForbidden",
                "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
        }
        var asked: Int?
        if let text = options.version {
            guard let number = UInt64(text).map({ Int(clamping: $0) }) else {
                throw APIStatus(
                    500, nil,
                    "resourceVersion: Invalid value: \"\(text)\": strconv.ParseUint: parsing \"\(text)\": invalid syntax"
                )
            }
            asked = number
        }
        let id = ResourceID(resource)
        let isInitial =
            options.sendsInitialEvents == true || options.sendsInitialEvents == nil && (asked ?? 0) == 0
        if isInitial, let asked, asked > version {
            return .refused(line: Watcher.error(.tooLarge(asked, current: version)), isLate: true)
        }
        let oldest = tables[id]?.oldest ?? 0
        if !isInitial, let asked, asked < oldest {
            return .refused(line: Watcher.error(.tooOld(asked, oldest: oldest)), isLate: false)
        }
        let since = isInitial ? version : asked.flatMap { $0 == 0 ? nil : $0 } ?? version
        let watcher = Watcher(
            resource: resource, namespace: namespace, options: options, since: since, send: send)
        var lines: [[UInt8]] = []
        if isInitial {
            lines = (tables[id]?.sorted() ?? []).filter { watcher.selects($0) }.map { Watcher.line("ADDED", $0.bytes) }
            if options.allowsBookmarks { lines.append(watcher.bookmark(version, endsInitialEvents: true)) }
        } else {
            lines = (tables[id]?.history ?? []).compactMap { watcher.line($0) }
        }
        lastWatcher += 1
        watchers[lastWatcher] = watcher
        return .open(id: lastWatcher, lines: lines)
    }

    /// Sends a watch a bookmark, unless it waits for a version of the future or wants none.
    func bookmark(_ id: Int) {
        guard let watcher = watchers[id], watcher.options.allowsBookmarks, watcher.since <= version else { return }
        watcher.send(.lines([watcher.bookmark(version, endsInitialEvents: false)]))
    }

    /// The watch has ended.
    mutating func close(_ id: Int) { watchers[id] = nil }

    /// Ends watches cleanly.
    func endWatches(where isWanted: (APIResource) -> Bool) {
        for watcher in watchers.values where isWanted(watcher.resource) { watcher.send(.end) }
    }

    /// Sends lines to the open watches of a resource, whatever they are.
    func inject(_ lines: [[UInt8]], into resource: APIResource?) {
        for watcher in watchers.values where resource.map({ ResourceID($0) == ResourceID(watcher.resource) }) ?? true {
            watcher.send(.lines(lines))
        }
    }

    /// Open watches.
    var watchCount: Int { watchers.count }
}
