import PolicyAPI
import Support

@testable import Agent

/// A folder without a disk: files with an identity that survives a move, a clock that is set, and what a `FolderTracker` has
/// in force of it.
struct TrackedFolder {
    struct File {
        var text: String
        var birth: FileBirth
        var isUnfinished = false
    }

    var files: [String: File] = [:]
    var unseen: [String: String] = [:]
    private(set) var tracker: FolderTracker
    private(set) var inForce: [ObjectKey: ClusterObject] = [:]
    private(set) var refused: [ObjectKey: RefusedObject] = [:]
    /// The events of the latest look.
    private(set) var events: [ObjectEvent] = []
    private(set) var dropped: [ObjectKey] = []
    private(set) var time: Duration = .zero
    private var touched: Set<String> = []
    private var births: UInt64 = 0
    private var decoded: [String: FileText] = [:]

    init(_ texts: [String: String] = [:]) {
        tracker = FolderTracker()
        for (path, text) in texts.sorted(by: { $0.key < $1.key }) { replace(path, text) }
        look()
    }

    /// Puts a new file at a path.
    mutating func replace(_ path: String, _ text: String) {
        births += 1
        files[path] = File(text: text, birth: FileBirth(identity: FileIdentity(device: 1, inode: births), time: 1))
        touched.insert(path)
    }

    /// Writes into the file at a path.
    mutating func write(_ path: String, _ text: String, isUnfinished: Bool = false) {
        if files[path] == nil { replace(path, text) }
        files[path]?.text = text
        files[path]?.isUnfinished = isUnfinished
        touched.insert(path)
    }

    mutating func move(_ from: String, _ to: String) {
        files[to] = files.removeValue(forKey: from)
        touched.formUnion([from, to])
    }

    @discardableResult
    mutating func remove(_ path: String) -> File? {
        touched.insert(path)
        return files.removeValue(forKey: path)
    }

    mutating func restore(_ path: String, _ file: File?) {
        files[path] = file
        touched.insert(path)
    }

    /// Something happens at a path that leaves it as it was.
    mutating func touch(_ path: String) { touched.insert(path) }

    mutating func wait(_ duration: Duration) { time += duration }

    /// Waits, then looks.
    mutating func look(after duration: Duration = .zero, acceptsLoss: Bool = false, isAfterGap: Bool = false) {
        time += duration
        for file in files.values where decoded[file.text] == nil {
            let bytes = Array(file.text.utf8)
            decoded[file.text] = FileText(bytes: bytes, content: ManifestFile(decoding: bytes, file: "f.yaml"))
        }
        var reading = FolderReading(unseen: unseen, touched: touched)
        for (path, file) in files {
            guard let text = decoded[file.text] else { continue }
            reading.files[path] = FolderReading.File(.text(text), birth: file.birth, isUnfinished: file.isUnfinished)
        }
        reading.isAfterGap = isAfterGap
        touched = []
        let outcome = tracker.absorb(reading, at: time, acceptsLoss: acceptsLoss)
        events = outcome.events
        dropped = outcome.dropped
        for event in events {
            switch event {
            case .upsert(let object, _):
                inForce[object.key] = object
                refused[object.key] = nil
            case .delete(let key):
                inForce[key] = nil
                refused[key] = nil
            case .refused(let object): refused[object.key] = object
            case .synced: break
            }
        }
    }

    /// Another agent takes over, from what this one's copies say.
    mutating func restart() throws {
        var copies: [String: FolderCopy] = [:]
        for (path, copy) in tracker.copies {
            if let (path, copy) = LastGoodFiles.parse(LastGoodFiles.bytes(path, copy)) { copies[path] = copy }
        }
        tracker = FolderTracker(remembered: copies)
        inForce = [:]
        refused = [:]
        time = .zero
    }

    /// The names of the objects in force.
    var names: [String] { inForce.keys.map(\.name).sorted() }
    /// What is in force in few words, for short failures.
    var meaning: [String: String] {
        Dictionary(
            uniqueKeysWithValues: inForce.map { key, object in
                (key.text, refused[key]?.isContradiction == true ? "contradicted" : TrackedFolder.words(object))
            })
    }

    private static func words(_ object: ClusterObject) -> String {
        guard case .networkPolicy(let policy) = object else { return "there" }
        let selected = policy.podSelector.requirements.flatMap(\.values).joined(separator: ",")
        let rules = policy.ingress.map { "\($0.peers.count) peers \($0.ports.count) ports" }
        return ([selected] + rules).joined(separator: "; ")
    }

    var conditions: [Condition] { tracker.conditions }
    var severe: [Condition] { conditions.filter(\.isSevere) }
}

extension TrackedFolder {
    /// A policy of the namespace `shop` that isolates the pods of one label.
    static func policy(_ name: String, app: String? = nil) -> String {
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: \(name), namespace: shop}
        spec:
          policyTypes: [Ingress]
          podSelector:
            matchLabels:
              app: \(app ?? name)

        """
    }

    /// A file of several.
    static func policies(_ names: String...) -> String { names.map { policy($0) }.joined(separator: "---\n") }
}
