/// Where objects come from: a folder of manifests, an API server.
public protocol ObjectSource: Sendable {
    /// Its name.
    var id: ObjectSourceID { get }
    /// What happened since the last call; at the first call, every object. A batch takes effect as a whole. Blocks while it
    /// reads. Calls come one at a time.
    ///
    /// A source that is sent events keeps a bounded number of them between calls, and leaves the others unread at its peer.
    /// What cannot be read at the moment is a condition, not an error: what was reported before stays.
    func changes() -> ObjectBatch
    /// As `changes`, but everything is read again. With `acceptEmpty` what the source does not have any more is taken to be
    /// meant, where it would otherwise be kept as lost by accident. A source that keeps nothing need not have it.
    func reload(acceptEmpty: Bool) -> ObjectBatch
    /// Called before `reload`: waits until a peer that takes its time has sent everything again. `changes` goes on meanwhile: what one
    /// kind of objects waits for must not hold up the others.
    func prepareReload() async
    /// What the source's peer has of an object at this moment, asked for anew where `changes` only tells what was sent. Takes
    /// a few seconds at most.
    func latest(_ key: ObjectKey) async -> LatestObject
    /// Whether a namespace is being deleted at this moment, or there is none; `nil` where that cannot be found out now. Takes a few
    /// seconds at most.
    func isEnding(namespace: String) async -> Bool?
    /// Calls `changed` (on any thread) whenever another call of `changes` might find something.
    func watch(_ changed: @escaping @Sendable () -> Void) throws
}

extension ObjectSource {
    /// The same as `changes`.
    public func reload(acceptEmpty: Bool) -> ObjectBatch { changes() }

    /// Nothing to wait for.
    public func prepareReload() async {}

    /// What the next reading tells.
    public func latest(_ key: ObjectKey) async -> LatestObject { .asRead }

    /// What `changes` tells says it all.
    public func isEnding(namespace: String) async -> Bool? { false }
}

/// Names a source, for the operator. If several have an object of one key, the one of the source that sorts first is in
/// force.
public struct ObjectSourceID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The name, for example the folder's path.
    public let description: String

    /// A name.
    public init(_ name: String) {
        self.description = name
    }

    /// By name.
    public static func < (left: ObjectSourceID, right: ObjectSourceID) -> Bool {
        left.description < right.description
    }
}

/// What a source has to report at one time.
public struct ObjectBatch: Hashable, Sendable {
    /// The source.
    public var source: ObjectSourceID
    /// What happened, in order.
    public var events: [ObjectEvent]
    /// All of the source's own conditions as of now: what it cannot read, and what is odd about what it read.
    public var conditions: [Condition]
    /// Whether something that is gone is about to be reported as such although nothing else happens.
    public var isSettling = false
    /// Objects that this batch takes out of force, sorted.
    public var dropped: [ObjectKey] = []
    /// Objects that are in force although the source does not have them any more, or not as they are, sorted.
    public var kept: [ObjectKey] = []

    /// A batch.
    public init(source: ObjectSourceID, events: [ObjectEvent], conditions: [Condition] = []) {
        self.source = source
        self.events = events
        self.conditions = conditions
    }
}
