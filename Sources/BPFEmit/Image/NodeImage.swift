public import NetTypes
public import PolicyIR

/// Everything one node's kernel should hold, as a value: the desired state. The agent compares two of them; the dry run
/// prints one.
public struct NodeImage: Sendable {
    /// What each identity number stands for, sorted by number.
    public var identities: [IdentityRecord]
    /// np_addresses: exact addresses of pods and nodes, sorted.
    public var addresses: [AddressEntry]
    /// np_prefixes: prefixes outside the cluster, sorted. Always holds 0.0.0.0/0 and ::/0.
    public var prefixes: [PrefixEntry]
    /// The distinct subjects of the local pods, sorted by key.
    public var subjects: [SubjectImage]
    /// The local pods, sorted by namespace and name; before them the node itself (`EndpointKey.host`), where its policies are asked.
    public var endpoints: [EndpointImage]
    /// Changes with the rules of the node's own policies, whatever pods come and go; 0: they are not asked.
    public var hostFingerprint: UInt64 = 0
    /// The same of the policies that the node goes back to, the subject `CompilerState.formerHostSubjectKey`; 0: there are none.
    public var formerHostFingerprint: UInt64 = 0
    /// Where local pods reach Services, sorted, each address, port and protocol once. In force where the node translates.
    public var services: [ServiceFrontend]
    /// What DNS has answered: the addresses of each name (lower case, without final dot), as if every local pod had asked for it.
    public var answers: [String: [IPAddress]]
    /// The serial number of the record in which it is written down what columns of names stand for; 0: nobody does.
    public var columnRecord: UInt32 = 0

    /// An image.
    public init(
        identities: [IdentityRecord], addresses: [AddressEntry], prefixes: [PrefixEntry], subjects: [SubjectImage],
        endpoints: [EndpointImage], services: [ServiceFrontend] = [], answers: [String: [IPAddress]] = [:]
    ) {
        self.identities = identities
        self.addresses = addresses
        self.prefixes = prefixes
        self.subjects = subjects
        self.endpoints = endpoints
        self.services = services
        self.answers = answers
    }
}

/// What an identity number stands for.
public struct IdentityRecord: Hashable, Sendable {
    /// The number.
    public var number: UInt32
    /// For people: labels of pods, the name of a reserved identity, the prefix.
    public var label: String

    /// A record.
    public init(number: UInt32, label: String) {
        self.number = number
        self.label = label
    }
}

/// An entry of np_addresses.
public struct AddressEntry: Hashable, Sendable {
    /// The address.
    public var address: IPAddress
    /// Its identity.
    public var identity: UInt32

    /// An entry.
    public init(address: IPAddress, identity: UInt32) {
        self.address = address
        self.identity = identity
    }
}

/// An entry of np_prefixes.
public struct PrefixEntry: Hashable, Sendable {
    /// The prefix.
    public var prefix: IPPrefix
    /// The identity of addresses for which this is the longest entry.
    public var identity: UInt32

    /// An entry.
    public init(prefix: IPPrefix, identity: UInt32) {
        self.prefix = prefix
        self.identity = identity
    }
}

/// A subject: pods of one namespace with the same labels and named ports. Compiled once, shared by all of them.
public struct SubjectImage: Hashable, Sendable {
    /// A stable text that names the subject (namespace, labels, named ports).
    public var key: String
    /// Its ingress policy.
    public var ingress: PolicyImage
    /// Its egress policy.
    public var egress: PolicyImage

    /// A subject.
    public init(key: String, ingress: PolicyImage, egress: PolicyImage) {
        self.key = key
        self.ingress = ingress
        self.egress = egress
    }

    /// The number of the numbering that its columns of names are of; 0: it has none.
    public var names: UInt32 { egress.names }

    /// The image of a direction.
    public subscript(direction: Direction) -> PolicyImage { direction == .ingress ? ingress : egress }
}

/// A local pod.
public struct EndpointImage: Hashable, Sendable {
    /// Namespace.
    public var namespace: String
    /// Pod name.
    public var name: String
    /// Pod UID, or empty.
    public var uid: String
    /// What the pod may send from.
    public var addresses: [IPAddress]
    /// `SubjectImage.key` of its subject.
    public var subject: String
    /// Its own identity, for output.
    public var identity: UInt32

    /// An endpoint.
    public init(
        namespace: String, name: String, uid: String, addresses: [IPAddress], subject: String, identity: UInt32
    ) {
        self.namespace = namespace
        self.name = name
        self.uid = uid
        self.addresses = addresses
        self.subject = subject
        self.identity = identity
    }
}
