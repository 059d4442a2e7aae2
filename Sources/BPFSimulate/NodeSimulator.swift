public import BPFEmit
public import NetTypes
import PolicyIR

/// Decides flows from a node's image alone, as the datapath would: address to identity by the maps, then the programs of the
/// local ends.
public struct NodeSimulator: Sendable {
    /// What the two ends answer to a flow; `nil` for an end that is not a local pod, and for a pod that speaks to itself: such
    /// packets pass no hook.
    public struct Answers: Hashable, Sendable {
        /// What the sender's program says.
        public var egress: PolicyAnswer?
        /// What the receiver's program says.
        public var ingress: PolicyAnswer?

        /// Answers.
        public init(egress: PolicyAnswer?, ingress: PolicyAnswer?) {
            self.egress = egress
            self.ingress = ingress
        }
    }

    private let exact: [IPAddress: UInt32]
    private let prefixes: [IPPrefix: UInt32]
    private let lengths: [Int]
    private let endpoints: [IPAddress: EndpointImage]
    private let endpointsByName: [String: EndpointImage]
    private let names: [IPAddress: Set<String>]
    /// By subject: its columns.
    private let columns: [String: [PolicyBits.Column]]
    private let programs: [String: (ingress: PolicySimulator, egress: PolicySimulator)]

    /// A simulator of an image.
    ///
    /// - Throws: `PolicySimulator.Failure` when a program is not of the emitted subset.
    public init(_ image: NodeImage) throws(PolicySimulator.Failure) {
        exact = Dictionary(image.addresses.map { ($0.address, $0.identity) }, uniquingKeysWith: { first, _ in first })
        prefixes = Dictionary(image.prefixes.map { ($0.prefix, $0.identity) }, uniquingKeysWith: { first, _ in first })
        lengths = Set(image.prefixes.map(\.prefix.length)).sorted(by: >)
        endpoints = Dictionary(
            image.endpoints.flatMap { endpoint in endpoint.addresses.map { ($0, endpoint) } },
            uniquingKeysWith: { first, _ in first })
        endpointsByName = Dictionary(
            image.endpoints.map { ("\($0.namespace)/\($0.name)", $0) }, uniquingKeysWith: { first, _ in first })
        var programs: [String: (ingress: PolicySimulator, egress: PolicySimulator)] = [:]
        for subject in image.subjects {
            programs[subject.key] = (try PolicySimulator(subject.ingress), try PolicySimulator(subject.egress))
        }
        self.programs = programs
        columns = Dictionary(
            image.subjects.map { ($0.key, $0.egress.columns) }, uniquingKeysWith: { first, _ in first })
        var names: [IPAddress: Set<String>] = [:]
        for (name, addresses) in image.answers {
            for address in addresses { names[address, default: []].insert(name) }
        }
        self.names = names
    }

    /// The identity of an address: an exact entry, else the longest prefix that holds it.
    public func identity(of address: IPAddress) -> UInt32 {
        if let identity = exact[address], identity & SharedMark.bit == 0 { return identity }
        return outsideIdentity(of: address)
    }

    /// The identity of a sender behind an address of the node: that of the longest prefix.
    public func outsideIdentity(of address: IPAddress) -> UInt32 {
        for length in lengths {
            if let prefix = IPPrefix(address, length: length), let identity = prefixes[prefix] { return identity }
        }
        return ReservedIdentity.unknown.rawValue
    }

    /// Who must be allowed, too: the node where it answers beside others, by an entry or at the groups that the datapath knows; nobody at
    /// a link-local address.
    private func otherIdentity(besides address: IPAddress) -> UInt32? {
        if let identity = exact[address] {
            return identity & SharedMark.bit == 0 ? nil : identity & ~SharedMark.bit
        }
        if address.high >> 54 == 0xfe80 >> 6 { return ReservedIdentity.unknown.rawValue }
        let isGroup = address.ipv4.map { $0 == .max || $0 >> 28 == 0xe } ?? (address.high >> 56 == 0xff)
        guard isGroup else { return nil }
        return exact[IPAddress(high: 0, low: 0)].map { $0 & ~SharedMark.bit } ?? ReservedIdentity.host.rawValue
    }

    /// The local pod that may send from an address.
    public func endpoint(at address: IPAddress) -> EndpointImage? { endpoints[address] }

    /// What the programs of the local ends say about the first packet of a flow.
    ///
    /// - Throws: `PolicySimulator.Failure` when a program misbehaves.
    public func decide(
        from source: IPAddress, to destination: IPAddress, protocol: L4Protocol, port: UInt16
    ) throws(PolicySimulator.Failure) -> Answers {
        let (sender, receiver) = (endpoints[source], endpoints[destination])
        if let sender, let receiver, sender.namespace == receiver.namespace, sender.name == receiver.name {
            return Answers(egress: nil, ingress: nil)
        }
        var answers = Answers(egress: nil, ingress: nil)
        if let sender {
            answers.egress = try ask(
                sender, .egress, identity(of: destination), columns: columns(of: sender, at: destination), `protocol`,
                port)
            if [.allow, .allowRead].contains(answers.egress?.verdict), let other = otherIdentity(besides: destination) {
                answers.egress = try ask(sender, .egress, other, `protocol`, port)
            }
        }
        if let receiver {
            answers.ingress = try ask(receiver, .ingress, identity(of: source), `protocol`, port)
        }
        return answers
    }

    /// What a local pod's program of a direction says about a remote identity; `nil` if there is no such pod.
    ///
    /// - Throws: `PolicySimulator.Failure` when the program misbehaves.
    public func decide(
        _ direction: Direction, of namespace: String, _ name: String, remote identity: UInt32, protocol: L4Protocol,
        port: UInt16
    ) throws(PolicySimulator.Failure) -> PolicyAnswer? {
        guard let endpoint = endpointsByName["\(namespace)/\(name)"] else { return nil }
        return try ask(endpoint, direction, identity, `protocol`, port)
    }

    /// The columns of a sender that an address has: none where an entry names it.
    private func columns(of endpoint: EndpointImage, at address: IPAddress) -> UInt32 {
        guard exact[address] == nil, let names = names[address] else { return 0 }
        return (columns[endpoint.subject] ?? []).reduce(0) { found, column in
            names.contains(where: column.list.matches) ? found | 1 << UInt32(column.number) : found
        }
    }

    private func ask(
        _ endpoint: EndpointImage, _ direction: Direction, _ identity: UInt32, columns: UInt32 = 0,
        _ protocol: L4Protocol, _ port: UInt16
    ) throws(PolicySimulator.Failure) -> PolicyAnswer? {
        guard let programs = programs[endpoint.subject] else { return nil }
        return try (direction == .ingress ? programs.ingress : programs.egress)
            .ask(identity: identity, columns: columns, protocol: `protocol`, port: port)
    }
}

/// What marks addresses at which the node answers beside others.
private enum SharedMark {
    static let bit: UInt32 = 1 << 31
}
