public import PolicyAPI
import PolicyIR

/// The state as a value to load or to print.
extension CompilerState {
    /// The node's image.
    public var image: NodeImage {
        var addresses: [AddressEntry] = []
        addresses.reserveCapacity(claims.count + index.nodeEntries.count)
        var isContested = false
        for (address, claim) in claims {
            let identity = claim.remote < 0 ? ReservedIdentity.unknown.rawValue : index.number(of: claim.remote)
            isContested = isContested || identity == ReservedIdentity.unknown.rawValue
            addresses.append(AddressEntry(address: address, identity: identity))
        }
        for (address, remote) in index.nodeEntries where claims[address] == nil {
            addresses.append(AddressEntry(address: address, identity: index.number(of: remote)))
        }
        addresses.sort { $0.address < $1.address }

        var identities = index.identities.map { IdentityRecord(number: $0.number, label: $0.text) }
        if isContested {
            identities.insert(IdentityRecord(number: ReservedIdentity.unknown.rawValue, label: "contested"), at: 0)
        }
        return NodeImage(
            identities: identities, addresses: addresses,
            prefixes: index.outsideEntries.map { PrefixEntry(prefix: $0.prefix, identity: $0.number) },
            subjects: subjectImages, endpoints: endpoints)
    }

    /// The local pods, sorted by namespace and name.
    public var endpoints: [EndpointImage] {
        var found: [EndpointImage] = []
        for entry in pods {
            guard let entry, entry.isLocal, let number = subjectOfClass[entry.podClass], let subject = subjects[number]
            else { continue }
            let own = entry.pod.addresses.filter { (claims[$0]?.remote ?? -1) >= 0 }
            found.append(
                EndpointImage(
                    namespace: entry.pod.metadata.namespace, name: entry.pod.metadata.name, uid: entry.pod.metadata.uid,
                    addresses: own, subject: subject.key,
                    identity: own.first.flatMap { identity(of: $0) } ?? ownNumber(entry)))
        }
        return found.sorted { ($0.namespace, $0.name) < ($1.namespace, $1.name) }
    }

    /// The image of one subject, `nil` if no local pod is of it.
    public func subject(_ key: String) -> SubjectImage? {
        subjects.first { $0?.key == key }.flatMap(\.self).map(image)
    }

    /// What could not be compiled as written, and what belongs to nobody.
    public var diagnostics: [Diagnostic] {
        var found: [Diagnostic] = []
        for (address, claim) in claims where claim.remote < 0 {
            let names = ([claim.pod] + claim.others).compactMap { pods[Int($0)]?.pod.qualifiedName }.sorted()
            let claimants = names.map { "pod \($0)" } + (index.nodeEntries[address] == nil ? [] : ["a node"])
            found.append(
                Diagnostic(
                    id: .contestedAddress, severity: .warning, location: nil,
                    message:
                        "\(address) is claimed by \(claimants.joined(separator: " and ")); it belongs to none of them, "
                        + "no rule that names pods or addresses allows it",
                    hint: "delete or restart the pods that do not own it"))
        }
        for (number, error) in failures {
            for subject in policies[number].subjects.compactMap({ subjects[$0]?.key }) {
                found.append(
                    Diagnostic(
                        id: .tooMany, location: nil,
                        message: "\(policies[number].direction) of \(subject): \(error); everything is denied",
                        hint: "select fewer policies for these pods"))
            }
        }
        return found.sorted()
    }

    private var subjectImages: [SubjectImage] {
        subjects.compactMap { $0.map(image) }.sorted { $0.key < $1.key }
    }

    private func image(_ subject: Subject) -> SubjectImage {
        SubjectImage(key: subject.key, ingress: policies[subject.ingress].image, egress: policies[subject.egress].image)
    }

    /// The number of a pod without addresses of its own.
    private func ownNumber(_ entry: PodEntry) -> UInt32 {
        index.knownRemote(ofClass: entry.podClass).map { index.number(of: $0) } ?? ReservedIdentity.unknown.rawValue
    }
}
