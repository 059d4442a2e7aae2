import BPFEmit
import NetTypes
import PolicyAPI

/// What one interface of the host is held to be. It lasts until the interface is gone.
struct Binding: Hashable, Sendable {
    enum Target: Hashable, Sendable {
        /// A pod, with the labels and addresses it was last known to have.
        case pod(Pod)
        /// Nobody that policies could speak of: the deny stub.
        case stub(Stub)
    }

    /// Why an interface has the deny stub.
    struct Stub: Hashable, Sendable {
        enum Reason: String, Hashable, Codable, Sendable {
            /// Evidence says that it is a pod's, and there is no such Pod object.
            case noPodObject
            /// Evidence names several pods.
            case contradiction
            /// Nothing says that it is a pod's; every unknown namespace is isolated.
            case foreign
        }

        var reason: Reason
        /// Which pod it is, as far as known.
        var reference = PodReference()
    }

    /// How far the Pod object of a bound pod still says what it said.
    enum Standing: Hashable, Sendable {
        case current
        /// The pod's containers are done.
        case finished
        /// There is no such object, or another pod has the name.
        case gone
        /// The object says that the pod uses the host's network.
        case onHost
    }

    /// The interface as last seen.
    var link: HostLink
    /// The best evidence for the target so far.
    var rank: EvidenceRank
    var target: Target
    /// The addresses that the runtime noted for it.
    var noted: [IPAddress] = []
    /// Whether those are of the pod's first network, by a note that names the pod and a namespace that was there.
    var isFirst = false
    /// All that the host knows to be behind it: what was noted, else what an earlier agent let pass, else its routes.
    var behind: [IPAddress] = []
    /// What the runtime calls the other end, or what it is called inside.
    var interface = ""
    var standing = Standing.current

    /// What the runtime calls the interface of a pod in its first network.
    static let firstInterface = "eth0"

    var pod: Pod? { if case .pod(let pod) = target { pod } else { nil } }
    var stub: Stub? { if case .stub(let stub) = target { stub } else { nil } }

    /// It is somebody else's: what was noted was not noted of them.
    mutating func move(to target: Target, by rank: EvidenceRank) {
        self.target = target
        self.rank = rank
        noted = []
        isFirst = false
    }

    /// Takes a note of it; one without addresses says nothing.
    mutating func take(_ note: CNIAttachment) {
        let addresses = note.addresses.onePerFamily
        guard !addresses.isEmpty else { return }
        let isOfFirst = note.interface == Binding.firstInterface && !note.pod.isEmpty && note.namespace != nil
        // A namespace that is unmounted meanwhile makes the note no other one.
        isFirst = isOfFirst || isFirst && addresses == noted
        noted = addresses
    }
}

extension Sequence<IPAddress> {
    /// The lowest address of each family: a pod has at most one a family.
    var onePerFamily: [IPAddress] {
        let sorted = sorted()
        return [sorted.first(where: \.isIPv4), sorted.first { !$0.isIPv4 }].compactMap(\.self)
    }
}
