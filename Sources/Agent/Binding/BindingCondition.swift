/// Something the operator should know about which interface is which pod, for as long as it lasts.
public struct BindingCondition: Hashable, Sendable {
    /// What kind of thing.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A pod's interface is there, its Pod object is not: it stays enforced with its last labels and addresses.
        case podObjectGone
        /// A finished pod's interface is there: it stays enforced.
        case podFinished
        /// Evidence contradicts a binding, which stays, or itself: then the interface has the deny stub.
        case contradiction
        /// A local pod is not enforced: no interface of it was found, or none that can be.
        case podUnenforced
        /// An interface of an enforced pod goes around every veth.
        case interfaceUnenforced
        /// A namespace of a pod without Pod object has the deny stub.
        case unknownIsolated
        /// Nothing is enforced on a namespace without Pod object.
        case unknownOpen
        /// A namespace, or the processes of the node, cannot be looked at.
        case unreadable
        /// Evidence that makes no sense was left out.
        case evidenceIgnored
        /// No object names this node.
        case nodeUnknown
        /// A pod that runs here says that it runs elsewhere.
        case nodeMismatch
        /// Two live pods claim one address.
        case addressConflict
    }

    /// The kind.
    public var kind: Kind
    /// What it is about: a pod, interface, namespace, file or address.
    public var subject: String
    /// A sentence, with the remedy where there is one.
    public var message: String

    /// A condition.
    public init(kind: Kind, subject: String, message: String) {
        self.kind = kind
        self.subject = subject
        self.message = message
    }

    /// Whether pods may be less protected than the objects ask for.
    public var isSevere: Bool {
        switch kind {
        case .podObjectGone, .contradiction, .podUnenforced, .interfaceUnenforced, .unknownOpen, .unreadable,
            .nodeUnknown, .nodeMismatch:
            true
        case .podFinished, .unknownIsolated, .evidenceIgnored, .addressConflict: false
        }
    }
}

extension BindingCondition: Comparable {
    /// By kind, subject, message.
    public static func < (left: BindingCondition, right: BindingCondition) -> Bool {
        (left.kind.rawValue, left.subject, left.message) < (right.kind.rawValue, right.subject, right.message)
    }
}
