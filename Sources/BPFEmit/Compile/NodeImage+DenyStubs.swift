import Algorithms
public import NetTypes
import PolicyAPI
import PolicyIR

/// An interface behind which somebody is whom policies cannot speak of: the node reaches it, and nothing else passes, whatever
/// policies say.
public struct DenyStub: Hashable, Sendable {
    /// The namespace that stands in the keys of stubs. No object can name it: a colon is not allowed in names.
    public static let namespace = "netpold:unknown"
    /// The subject of all stubs.
    public static let subject = "netpold:deny-stub"

    /// The endpoint's key.
    public var key: EndpointKey
    /// From where it may answer the node. No live pod has them.
    public var addresses: [IPAddress]

    /// A stub.
    public init(key: EndpointKey, addresses: [IPAddress]) {
        self.key = key
        self.addresses = addresses
    }
}

extension NodeImage {
    /// The image with deny stubs beside the pods.
    ///
    /// Their addresses get the identity `unknown`: no rule allows it, each rule that denies somebody denies it. They are no
    /// subject of any policy, so that one that selects every pod allows them nothing. The addresses in `node` are those of the
    /// node itself, which may reach them.
    ///
    /// - Throws: `EmitError` when the stub's program cannot be made; the image is then to be refused as a whole.
    public func adding(_ stubs: [DenyStub], node: [IPAddress]) throws(EmitError) -> NodeImage {
        guard !stubs.isEmpty else { return self }
        var image = self
        let unknown = ReservedIdentity.unknown.rawValue
        let hosts = Set([ReservedIdentity.host.rawValue] + node.compactMap(identity)).subtracting([unknown])
        image.subjects.append(
            SubjectImage(
                key: DenyStub.subject, ingress: try DenyStub.policy(.ingress, hosts: hosts),
                egress: try DenyStub.policy(.egress, hosts: [])))
        image.subjects.sort { $0.key < $1.key }
        for stub in stubs {
            let own = stub.addresses.filter { identity(of: $0) == nil }
            // Two stubs may claim one address: it is unknown either way.
            for address in own where image.identity(of: address) == nil {
                image.addresses.insert(
                    AddressEntry(address: address, identity: unknown), at: image.firstAddress(notBefore: address))
            }
            image.endpoints.append(
                EndpointImage(
                    namespace: stub.key.namespace, name: stub.key.name, uid: stub.key.uid, addresses: own,
                    subject: DenyStub.subject, identity: unknown))
        }
        image.endpoints.sort { ($0.namespace, $0.name) < ($1.namespace, $1.name) }
        if !image.identities.contains(where: { $0.number == unknown }) {
            image.identities.insert(IdentityRecord(number: unknown, label: "unknown"), at: 0)
        }
        return image
    }

    /// The identity of an exact address.
    private func identity(of address: IPAddress) -> UInt32? {
        let place = firstAddress(notBefore: address)
        return place < addresses.endIndex && addresses[place].address == address ? addresses[place].identity : nil
    }

    private func firstAddress(notBefore address: IPAddress) -> Int {
        addresses.partitioningIndex { $0.address >= address }
    }
}

extension DenyStub {
    fileprivate static func policy(_ direction: Direction, hosts: Set<UInt32>) throws(EmitError) -> PolicyImage {
        let origin = RuleOrigin(kind: "netpold", namespace: "", name: "unknown namespace", path: "")
        return try PolicyEmitter.emit(
            PolicyBits(
                direction: direction, isolatedBy: [origin], bits: [], hostBit: hosts.isEmpty ? nil : 0,
                peers: hosts.sorted().map { PeerEntry(identity: $0, words: [1]) }))
    }
}
