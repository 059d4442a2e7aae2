import Agent
import KubeClient

/// The objects of one kind as last sent: what comes of pages and events, as events of objects. No I/O.
struct KindObjects {
    /// Names an object of the kind, as its key does: in a kind without namespaces they make no difference, whatever is sent.
    private struct Name: Hashable {
        var namespace: String
        var name: String

        init(_ key: ObjectKey) {
            namespace = key.namespace
            name = key.name
        }
    }

    /// What was sent of an object, as hashes, which are small. They are seeded: nobody who makes objects knows what they come to.
    private struct Sent {
        /// Of its bytes. What is sent again as it was need not be decoded again. The version does not do: after a restore of etcd
        /// the same version may be of something else.
        var bytes: Int
        /// Of its UID; 0 when it has none.
        var uid: Int

        /// Whether an end that carries `uid` may be of this object: it is of another one that had this name, if both say who they are.
        func mayEnd(_ uid: Int) -> Bool { uid == 0 || self.uid == 0 || uid == self.uid }
    }

    private let kind: ObjectKind
    private let apiVersions: [String]
    private let decoder: any ObjectDecoder
    /// What was sent of each object.
    private var held: [Name: Sent] = [:]
    /// The new set, as far as it has come.
    private var fresh: [Name: Sent] = [:]
    /// What differs in it from the one in force.
    private var changed: [ObjectKey: ObjectNews] = [:]
    /// How many objects of the set in force were no objects, or had no name: what a list leaves out may be among them.
    private(set) var unreadable = 0
    private var freshUnreadable = 0
    /// What of the last change cannot be meant as it stands, in words; it was left out.
    private(set) var doubt: String?

    init(_ kind: ObjectKind, apiVersions: [String], decoder: any ObjectDecoder) {
        self.kind = kind
        self.apiVersions = apiVersions
        self.decoder = decoder
    }

    /// How many objects there are, refused ones included.
    var count: Int { held.count }

    /// Takes what came; returns what it changes, by key.
    mutating func take(_ change: KindChange) -> [ObjectKey: ObjectNews] {
        doubt = nil
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
            let key = kind.key(line.head)
            let name = Name(key)
            guard isBelieved(line.head, fresh[name], key) else { return }
            fresh[name] = nil
            changed[key] = nil
        case .bookmark, .error: break
        }
    }

    private mutating func collect(_ bytes: ArraySlice<UInt8>, _ place: Int, head: ObjectHead?) {
        guard let head = head ?? (try? ObjectHead(scanning: bytes)), !head.name.isEmpty else {
            freshUnreadable += 1
            return
        }
        let key = kind.key(head)
        let name = Name(key)
        var sent = Sent(bytes: KindObjects.hash(bytes), uid: KindObjects.hash(uid: head.uid))
        defer { fresh[name] = sent }
        guard held[name]?.bytes != sent.bytes else {
            // A stream begins with what the server's cache has, which may be older than what another server has sent before.
            changed[key] = nil
            return
        }
        let one = decode(bytes, head, place)
        if one.isNoJSON {
            freshUnreadable += 1
            sent.bytes = KindObjects.unread
        }
        changed[key, default: ObjectNews()].add(one)
    }

    private mutating func replace() -> [ObjectKey: ObjectNews] {
        var news = changed
        for (name, sent) in held where fresh[name] == nil {
            guard freshUnreadable == 0 else {
                fresh[name] = sent
                continue
            }
            let key = ObjectKey(kind: kind.rawValue, namespace: name.namespace, name: name.name)
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
        // As bookmarks have none. `KindFollower` takes no other event without a name.
        guard !line.head.name.isEmpty else { return nil }
        let key = kind.key(line.head)
        let name = Name(key)
        switch line.kind {
        case .added, .modified:
            var sent = Sent(bytes: KindObjects.hash(line.object), uid: KindObjects.hash(uid: line.head.uid))
            guard held.updateValue(sent, forKey: name)?.bytes != sent.bytes else { return nil }
            let one = decode(line.object, line.head, place)
            if one.isNoJSON {
                sent.bytes = KindObjects.unread
                held[name] = sent
            }
            return (key, one)
        case .deleted:
            guard isBelieved(line.head, held[name], key) else { return nil }
            held[name] = nil
            return (key, .delete(key))
        case .bookmark, .error: return nil
        }
    }

    /// Whether an end is of the object that was sent; else it is left out, and a list is to say what there is.
    private mutating func isBelieved(_ end: ObjectHead, _ sent: Sent?, _ key: ObjectKey) -> Bool {
        guard let sent else {
            guard !kind.isClusterScoped, end.namespace.isEmpty else { return true }
            doubt = "the end of \(key.text) has no namespace"
            return false
        }
        guard !sent.mayEnd(KindObjects.hash(uid: end.uid)) else { return true }
        doubt = "the end of \(key.text) is of another object of that name, by its uid"
        return false
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

    private static func hash(uid: String) -> Int {
        guard !uid.isEmpty else { return 0 }
        let hash = uid.hashValue
        return hash == 0 ? 1 : hash
    }
}
