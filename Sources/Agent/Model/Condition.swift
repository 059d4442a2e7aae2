/// Something the operator should know for as long as it lasts: shown by `netpold status`, logged when it comes and goes.
public struct Condition: Hashable, Codable, Sendable {
    /// What kind of thing.
    public enum Kind: String, Hashable, Codable, Sendable, CaseIterable {
        /// An update was refused; the last good version is enforced.
        case keptLastGood = "keptLastGood"
        /// A new policy was refused; the pods it selects are isolated.
        case isolatedByRefused = "isolatedByRefused"
        /// A refused object has no effect.
        case refusedIgnored = "refusedIgnored"
        /// A file cannot be read; its last good objects are enforced.
        case brokenFile = "brokenFile"
        /// A file lost objects in a way that may be a broken-off write; its last good objects are enforced.
        case shrunkFile = "shrunkFile"
        /// A folder lost all objects it held; they are enforced.
        case folderLost = "folderLost"
        /// Copies of what is in force cannot be written.
        case copiesUnwritten = "copiesUnwritten"
        /// Two files, or two sources, hold the same object.
        case duplicateObject = "duplicateObject"
        /// A source cannot be read; everything last read is enforced.
        case sourceUnavailable = "sourceUnavailable"
        /// What becomes of policies cannot be written to the API server.
        case statusUnwritten = "statusUnwritten"
        /// Two live pods claim one address.
        case addressConflict = "addressConflict"
        /// A network namespace with an address that no pod has: nothing is enforced on it.
        case unenforcedNamespace = "unenforcedNamespace"
        /// A network namespace that is a pod's, or is not known to be, and has no Pod object: only the node reaches it.
        case unknownIsolated = "unknownIsolated"
        /// A pod's interface is there, its Pod object is not: it stays enforced with its last labels and addresses.
        case podObjectGone = "podObjectGone"
        /// A namespace is gone or being deleted, and pods of it are still here: its labels and policies stay in force for them.
        case namespaceKept = "namespaceKept"
        /// The Node object of this node is gone, or has no labels: those that it had last stay in force.
        case nodeKept = "nodeKept"
        /// A finished pod's interface is there: it stays enforced.
        case podFinished = "podFinished"
        /// Evidence contradicts a binding, which stays, or itself: then only the node reaches what is behind the interface.
        case bindingContradicted = "bindingContradicted"
        /// A local pod is not enforced: no interface of it was found, or none that can be.
        case podUnenforced = "podUnenforced"
        /// An interface of an enforced pod does not lead through a veth of this node.
        case interfaceUnenforced = "interfaceUnenforced"
        /// Something before netpold at a hook lets packets pass that no policy was asked about, or netpold is not there.
        case hookBypassed = "hookBypassed"
        /// An interface that no pod has any more: everything is dropped there.
        case hookWithoutPod = "hookWithoutPod"
        /// A network namespace, or the processes of the node, cannot be looked at.
        case evidenceUnreadable = "evidenceUnreadable"
        /// A file that makes no sense was left out, or a local route of the node for more than one address.
        case evidenceIgnored = "evidenceIgnored"
        /// No object names this node.
        case nodeNameUnknown = "nodeNameUnknown"
        /// A pod that runs here says that it runs elsewhere.
        case nodeNameMismatch = "nodeNameMismatch"
        /// A policy could not be compiled as written; the pods it selects are isolated.
        case compiledClosed = "compiledClosed"
        /// Deployments and other workloads in a folder without their pods: nothing is enforced for them.
        case workloadsWithoutPods = "workloadsWithoutPods"
        /// A policy probably does not say what its author means.
        case policyWarning = "policyWarning"
        /// The agent had to mount the bpffs itself.
        case bpffsMounted = "bpffsMounted"
        /// The bpffs belongs to the agent's mount namespace alone, as `--allow-private-bpffs` allows.
        case bpffsPrivate = "bpffsPrivate"
        /// The kernel could not be brought to the desired state.
        case applyFailed = "applyFailed"
        /// One pod could not be programmed; the others were.
        case endpointFailed = "endpointFailed"
        /// A pod's part of the flow table is nearly full of answered flows, and there is no more for it; or it was too small lately.
        case flowsCrowded = "flowsCrowded"
        /// Addresses of Services did not fit into the tables: policies see them, and not the endpoints behind them.
        case servicesLeftOut = "servicesLeftOut"
        /// Patterns of names did not fit into the tables: what they would allow is denied.
        case namesLeftOut = "namesLeftOut"
        /// Addresses that a pod has learnt from DNS found no room.
        case learntFull = "learntFull"
        /// A change of host policies waits for `netpold host confirm`.
        case hostUnconfirmed = "hostUnconfirmed"
        /// Nobody has confirmed a change of host policies in time: they are audited or off.
        case hostGivenUp = "hostGivenUp"
        /// Host policies are not enforced at an uplink.
        case hostUnenforced = "hostUnenforced"
        /// Pods that the L7 proxy has connections to could not be asked about them after a change: it denies what they are sent.
        case serversNotAsked = "serversNotAsked"
        /// Pods have rules about HTTP requests, and no L7 proxy serves: what they would allow is dropped.
        case proxyMissing = "proxyMissing"
    }

    /// The kind.
    public var kind: Kind
    /// What it is about: an object, file, pod or namespace.
    public var subject: String
    /// A sentence, with file, line and remedy where there is one.
    public var message: String

    /// A condition.
    public init(kind: Kind, subject: String, message: String) {
        self.kind = kind
        self.subject = subject
        self.message = message
    }

    private enum CodingKeys: String, CodingKey {
        case kind = "kind"
        case subject = "subject"
        case message = "message"
    }

    /// Whether pods may be less protected than the policies ask for.
    public var isSevere: Bool {
        switch kind {
        case .refusedIgnored, .unenforcedNamespace, .applyFailed, .endpointFailed, .brokenFile, .shrunkFile,
            .folderLost,
            .sourceUnavailable, .podObjectGone,
            .bindingContradicted, .podUnenforced, .interfaceUnenforced, .hookBypassed, .evidenceUnreadable,
            .nodeNameUnknown, .nodeNameMismatch, .servicesLeftOut, .hostGivenUp, .hostUnenforced:
            true
        case .keptLastGood, .isolatedByRefused, .duplicateObject, .addressConflict, .copiesUnwritten,
            .compiledClosed, .policyWarning, .workloadsWithoutPods, .statusUnwritten, .unknownIsolated, .namespaceKept,
            .nodeKept,
            .podFinished,
            .hookWithoutPod, .evidenceIgnored, .bpffsMounted, .bpffsPrivate, .flowsCrowded, .namesLeftOut, .learntFull,
            .hostUnconfirmed, .serversNotAsked, .proxyMissing:
            false
        }
    }
}

extension Condition: Comparable {
    /// By kind, subject, message.
    public static func < (left: Condition, right: Condition) -> Bool {
        (left.kind.rawValue, left.subject, left.message) < (right.kind.rawValue, right.subject, right.message)
    }
}
