import Agent
import PolicyAPI

/// What is new of one object since somebody asked last. As much as one good version and one refusal after it: a refused
/// update leaves the version before it in force, which may be new too.
struct ObjectNews: Hashable, Sendable {
    /// One thing that happened.
    enum One: Hashable, Sendable {
        case upsert(ClusterObject, origin: ObjectOrigin, warnings: [Diagnostic])
        case delete(ObjectKey)
        case refused(RefusedObject)

        /// Whether the bytes were no JSON: then they may have swallowed what came after them.
        var isNoJSON: Bool {
            switch self {
            case .upsert, .delete: false
            case .refused(let refused): refused.diagnostics.contains { $0.id == .syntax }
            }
        }
    }

    /// What there is, or that there is nothing; `nil` when it is as before.
    private var base: One?
    private var refused: RefusedObject?

    init() {}

    init(_ one: One) {
        add(one)
    }

    /// Takes what happened next.
    mutating func add(_ one: One) {
        switch one {
        case .upsert, .delete:
            base = one
            refused = nil
        case .refused(let refusal): refused = refusal
        }
    }

    /// Takes what happened next.
    mutating func add(_ later: ObjectNews) {
        if let base = later.base { add(base) }
        if let refused = later.refused { add(.refused(refused)) }
    }

    /// Whether there is an object now, which can be used.
    var isUpsert: Bool { if case .upsert = base { true } else { false } }

    /// Whether there is none any more.
    var isDelete: Bool { if case .delete = base { true } else { false } }

    /// Whether there is an object now that cannot be used.
    var isRefused: Bool { refused != nil }

    /// Why the object that there is now cannot be used; `nil` when it can, or there is none.
    var refusal: RefusedObject? { refused }

    /// The new Pod, and where it is from; `nil` when there is none that can be used, or something else.
    var pod: (pod: Pod, origin: ObjectOrigin)? {
        guard case .upsert(.pod(let pod), let origin, _) = base else { return nil }
        return (pod, origin)
    }

    /// The warnings about what counts now; `nil` when that is as before.
    var warnings: [Diagnostic]? {
        switch base {
        case .upsert(_, _, let warnings): warnings
        case .delete: []
        case .refused, nil: nil
        }
    }

    /// In order.
    var events: [ObjectEvent] {
        let first: ObjectEvent? =
            switch base {
            case .upsert(let object, let origin, _): .upsert(object, origin: origin)
            case .delete(let key): .delete(key)
            case .refused, nil: nil
            }
        return (first.map { [$0] } ?? []) + (refused.map { [.refused($0)] } ?? [])
    }
}
