import Agent
import KubeClient

/// The objects of one kind as last sent: what comes of pages and events, as events of objects. No I/O.
struct KindObjects {
    /// Names an object of the kind.
    private struct Name: Hashable {
        var namespace: String
        var name: String
    }

    private let kind: ObjectKind
    private let apiVersions: [String]
    private let decoder: any ObjectDecoder
    /// What was sent of each object: the hash of its bytes. What is sent again as it was need not be decoded again. The
    /// version does not do: after a restore of etcd the same version may be of something else.
    private var held: [Name: Int] = [:]
    /// The new set, as far as it has come: what differs from the one in force.
    private var fresh: [Name: Int] = [:]
    private var changed: [ObjectKey: ObjectNews] = [:]
    /// How many objects of the set in force were no objects, or had no name: what a list leaves out may be among them.
    private(set) var unreadable = 0
    private var freshUnreadable = 0

    init(_ kind: ObjectKind, apiVersions: [String], decoder: any ObjectDecoder) {
        self.kind = kind
        self.apiVersions = apiVersions
        self.decoder = decoder
    }

    /// How many objects there are, refused ones included.
    var count: Int { held.count }

    /// Takes what came; returns what it changes, by key.
    mutating func take(_ change: KindChange) -> [ObjectKey: ObjectNews] {
        switch change {
        case .begin, .discard:
            fresh = [:]
            changed = [:]
            freshUnreadable = 0
            return [:]
        case .page(let page, let place):
            for item in page.items { collect(page.bytes[item], place, head: nil) }
            return [:]
        case .initial(let lines, let place):
            for line in lines { collect(line, place) }
            return [:]
        case .replace: return replace()
        case .events(let lines, let place):
            return lines.reduce(into: [:]) { news, line in
                guard let (key, one) = apply(line, place) else { return }
                news[key, default: ObjectNews()].add(one)
            }
        case .remove:
            fresh = [:]
            changed = [:]
            freshUnreadable = 0
            return replace()
        case .health: return [:]
        }
    }

    private mutating func collect(_ line: WatchLine, _ place: Int) {
        switch line.kind {
        case .added, .modified: collect(line.object, place, head: line.head)
        case .deleted:
            let name = Name(namespace: line.head.namespace, name: line.head.name)
            fresh[name] = nil
            changed[kind.key(line.head)] = nil
        case .bookmark, .error: break
        }
    }

    private mutating func collect(_ bytes: ArraySlice<UInt8>, _ place: Int, head: ObjectHead?) {
        guard let head = head ?? (try? ObjectHead(scanning: bytes)), !head.name.isEmpty else {
            freshUnreadable += 1
            return
        }
        let name = Name(namespace: head.namespace, name: head.name)
        let hash = KindObjects.hash(bytes)
        fresh[name] = hash
        guard held[name] != hash else {
            // A stream begins with what the server's cache has, which may be older than what another server has sent before.
            changed[kind.key(head)] = nil
            return
        }
        let one = decode(bytes, head, place)
        if one.isNoJSON {
            freshUnreadable += 1
            fresh[name] = KindObjects.unread
        }
        changed[kind.key(head), default: ObjectNews()].add(one)
    }

    private mutating func replace() -> [ObjectKey: ObjectNews] {
        var news = changed
        for (name, hash) in held where fresh[name] == nil {
            guard freshUnreadable == 0 else {
                fresh[name] = hash
                continue
            }
            let key = ObjectKey(
                kind: kind.rawValue, namespace: kind.isClusterScoped ? "" : name.namespace, name: name.name)
            news[key] = ObjectNews(.delete(key))
        }
        held = fresh
        unreadable = freshUnreadable
        fresh = [:]
        changed = [:]
        freshUnreadable = 0
        return news
    }

    private mutating func apply(_ line: WatchLine, _ place: Int) -> (ObjectKey, ObjectNews.One)? {
        guard !line.head.name.isEmpty else { return nil }
        let name = Name(namespace: line.head.namespace, name: line.head.name)
        let key = kind.key(line.head)
        switch line.kind {
        case .added, .modified:
            let hash = KindObjects.hash(line.object)
            guard held.updateValue(hash, forKey: name) != hash else { return nil }
            let one = decode(line.object, line.head, place)
            if one.isNoJSON { held[name] = KindObjects.unread }
            return (key, one)
        case .deleted:
            held[name] = nil
            return (key, .delete(key))
        case .bookmark, .error: return nil
        }
    }

    private func decode(_ bytes: ArraySlice<UInt8>, _ head: ObjectHead, _ place: Int) -> ObjectNews.One {
        switch decoder.decode(kind, bytes, head: head, apiVersion: apiVersions[place]) {
        case .good(let object, let warnings):
            .upsert(object, origin: .server(head.version(of: object)), warnings: warnings)
        case .refused(let refused): .refused(refused)
        }
    }

    /// In place of the hash of bytes that were no JSON: they are looked at each time, for each time they may have swallowed others.
    private static let unread = 0

    private static func hash(_ bytes: ArraySlice<UInt8>) -> Int {
        var hasher = Hasher()
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        let hash = hasher.finalize()
        return hash == unread ? 1 : hash
    }
}
